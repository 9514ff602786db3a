"""Writes proofs in the form that `verify.py` reads: steps by operations, and a cycle of the edges that they show.

Knows only a listing, as `transcript.py` makes it, and judges nothing: what it writes counts when the verifier accepts
it. A step is `[rule, a, i, b, j, c, k, reverse]`: operation i of a is before operation j of b, by operation k of c.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Row = list
"""`[must it be there, comes after, [[kind, key, values], ...]]`."""

Step = list
"""`[rule, a, i, b, j, c, k, reverse]`; `reverse` is the proof that b before a is impossible, for the rule `either`."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A listing by name; where each key stands in each (`at`); who alone left a value (`left`); who read a key."""

    listed: Mapping[str, Row]
    at: Mapping[Pair, list[int]]
    made: Counter
    left: Mapping[Pair, tuple[str, int]]
    readers: Mapping[str, list[tuple[str, int]]]

    def step(self, name: str, place: int) -> list:
        return self.listed[name][2][place]


def indexed(rows: Iterable[list]) -> Index:
    """The index of a listing."""
    listed = {name: rest for name, *rest in rows}
    at, made, left, readers = defaultdict(list), Counter(), {}, defaultdict(list)
    for name, (_, _, steps) in listed.items():
        for place, (kind, key, values) in enumerate(steps):
            at[name, key].append(place)
            if kind == "r":
                readers[key].append((name, place))
            else:
                made[key, *values] += 1
                left[key, *values] = (name, place)
    left = {one: there for one, there in left.items() if made[one] == 1 and len(one) > 1}
    return Index(listed=listed, at=at, made=made, left=left, readers=readers)


def read_from(index: Index, a: str, b: str, key: str) -> Step | None:
    """b read what a, and nobody else, wrote; in one transaction, before it wrote it."""
    for j in index.at.get((b, key), ()):
        kind, _, values = index.step(b, j)
        for value in values if kind == "r" else ():
            name, i = index.left.get((key, value), ("", 0))
            if name == a and (a != b or i >= j):
                return ["wr", a, i, b, j, a, i, None]
    return None


def followed(index: Index, a: str, b: str, key: str) -> Step | None:
    """Somebody read what a appended, and before that not what b appended."""
    for i in index.at.get((a, key), ()):
        kind, _, value = index.step(a, i)
        if kind != "append" or index.left.get((key, *value)) != (a, i):
            continue
        for c, k in index.readers[key]:
            seen = index.step(c, k)[2]
            if value[0] not in seen:
                continue
            for j in index.at.get((b, key), ()):
                other = index.step(b, j)
                if other[0] == "append" and other[2][0] not in seen[: seen.index(value[0]) + 1]:
                    if a != b or i >= j:
                        return ["ww", a, i, b, j, c, k, None]
    return None


def missed(index: Index, a: str, b: str, key: str, known: Iterable[Pair] = ()) -> Step | None:
    """a read a list without what b appended, a register before anybody wrote it, or as b (by `known`) overwrote it."""
    for i in index.at.get((a, key), ()):
        kind, _, seen = index.step(a, i)
        for j in index.at.get((b, key), ()) if kind == "r" else ():
            other, _, values = index.step(b, j)
            if other == "r" or {*values} & {*seen} or a == b and i < j:
                continue
            if other == "append" or not seen and not index.made[(key,)]:
                return ["rw", a, i, b, j, a, i, None]
            c, k = index.left.get((key, *seen), ("", 0))
            if (c, b) in known or c == b and k < j:
                return ["rw", a, i, b, j, c, k, None]
    return None


def unexplained(index: Index, names: Iterable[str]) -> Iterator[dict]:
    """Proofs by one read of what was never written, or oftener than it was."""
    for name in names:
        for place, (kind, key, values) in enumerate(index.listed[name][2]):
            if kind == "r" and any(values.count(one) > index.made[key, one] for one in values):
                yield {"steps": [["unwritten", name, place, name, place, name, place, None]], "cycle": [name]}


def either(a: str, b: str, steps: Sequence[Step], cycle: Sequence[str]) -> Step:
    """a before b, as the steps lead to the cycle when b is before a."""
    return ["either", a, 0, b, 0, a, 0, {"steps": [*steps], "cycle": [*cycle]}]


def locked(index: Index, a: str, b: str, key: str) -> Step:
    """At snapshot isolation: both write the key and a starts first, so a commits before b starts."""
    lock = f"lock {key}"
    places = [index.at[node, lock][0] for node in ("c:" + a, "s:" + b, "s:" + a)]
    return ["rw", "c:" + a, places[0], "s:" + b, places[1], "s:" + a, places[2], None]


def apart(index: Index, a: str, b: str, key: str, path: Sequence[str]) -> list[Step]:
    """The same when a path leads from the start of a to the commit of b."""
    return [either("s:" + a, "s:" + b, [locked(index, b, a, key)], path), locked(index, a, b, key)]


def through(index: Index, a: str, b: str) -> list[str]:
    """The shortest way from a to b by what comes after what. Raises LookupError when there is none."""
    back, queue = {b: ""}, deque([b])
    while queue and a not in back:
        one = queue.popleft()
        for before in index.listed[one][1]:
            if before not in back:
                back[before] = one
                queue.append(before)
    path = [a]
    while path[-1] != b:
        path.append(back[path[-1]])
    return path


def pruned(proof: Mapping, known: Iterable[Pair] = ()) -> dict:
    """The proof with no more steps than its cycle needs, and none for an edge that is `known`."""
    cycle, fresh, steps, known = [*proof["cycle"]], [], [], set(known)
    for step in proof["steps"]:
        a, b = step[1], step[3]
        if (a, b) not in known:
            fresh.append([*step[:7], step[7] and pruned(step[7], known | {(b, a)})])
            known.add((a, b))
    needed = set(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    for step in reversed(fresh):
        if (step[1], step[3]) in needed:
            steps.append(step)
            needed |= set(_uses(step))
    return {"steps": steps[::-1], "cycle": cycle}


def _uses(step: Step) -> Iterator[Pair]:
    """The edges that a step may rest on."""
    if step[0] == "rw" and step[5] != step[1]:
        yield step[5], step[3]
    if step[7]:
        cycle = step[7]["cycle"]
        yield from zip(cycle, [*cycle[1:], cycle[0]], strict=True)
        for one in step[7]["steps"]:
            yield from _uses(one)


def of_tree(tree: Mapping, index: Index, snapshot: bool) -> dict:
    """A derivation over registers, as the checker writes it, its transactions named as in the listing.

    Raises LookupError when the listing does not show one of its edges.
    """
    steps: list[Step] = []
    for one in tree["steps"]:
        steps += _translated(one["edge"], one["why"], index, snapshot)
    if "cycle" in tree:
        return {"steps": steps, "cycle": [*tree["cycle"]]}
    split = tree["split"]
    left, right = of_tree(split["if_left"], index, snapshot), of_tree(split["if_right"], index, snapshot)
    _, key, u, w = split["why"]
    if not snapshot:
        return {"steps": [*steps, either(u, w, right["steps"], right["cycle"]), *left["steps"]], "cycle": left["cycle"]}
    other = either("s:" + u, "s:" + w, [locked(index, w, u, key), *right["steps"]], right["cycle"])
    return {"steps": [*steps, other, locked(index, u, w, key), *left["steps"]], "cycle": left["cycle"]}


def _translated(edge: Sequence[str], why: Sequence, index: Index, snapshot: bool) -> list[Step]:
    a, b = edge
    match why:
        case ["sc"]:
            return []
        case ["so" | "rt"]:
            path = through(index, a, b)
            return [either(a, b, [], path)] if len(path) > 2 else []
        case ["wr", key, *_]:
            return [_shown(read_from(index, a, b, key))]
        case ["init", key]:
            return [_shown(missed(index, a, b, key))]
        case ["ww", key, _, path]:  # a wrote, and comes before the end of the path, who read what b wrote
            end = "c:" + b[2:] if snapshot else b
            step = either(a, end, [_shown(missed(index, path[-1], a, key, {(end, a)}))], path)
            return [step, *(apart(index, a[2:], b[2:], key, ["s:" + a[2:], a, end]) if snapshot else [])]
        case ["rw", key, _, path]:  # a read what the start of the path wrote, and b comes after that
            path = [*path, b] if path[-1] != b else path
            first = [either(path[0], b, [], path)] if len(path) > 2 else []
            return [*first, _shown(missed(index, a, b, key, {(path[0], b)}))]
    raise LookupError(f"there is no rule {why[0]}")


def _shown(step: Step | None) -> Step:
    if step is None:
        raise LookupError("the listing does not show this edge")
    return step
