"""Checks that a certificate lists what the history says: `transcript.py CERTIFICATE HISTORY`, exits as `verify.py`.

`verify.py` alone guarantees that each claim follows from the transactions listed; this adds that these are those of
the history at the level claimed. Needs Python, `verify.py` and `transcript_reader.py` alone, and knows nothing of the
checker.

Read atomicity and causal consistency are listings too: each transaction t writes in a node `w(t)` (named t), and reads
each key x from outside in a node `r(t, x)` before that. `w(t)` comes after the `w` of its session before it, `r(t, x)`
after `w(u)` for every u that t has seen and that writes x. What t has seen is whom it read from and its session before
it; at causal consistency also what those had seen. These nodes have an order in which each read is of what is there
just when there is a commit order by the axioms of Biswas and Enea (OOPSLA 2019), provided that who wrote what is read
is certain. Given the nodes' order, commit in the order of the `w`: `r(t, x)` shows that t3, whom t read x from, wrote x
last before it, and every u that t has seen and that writes x did so before it, so u is not after t3, as the axiom
asks; and `w(t3)` is before `r(t, x)`, which is before `w(t)`, so whoever is read from commits first. Given a commit
order, put each `r(t, x)` just behind `w(t3)`, or first when it is of the initial value: no u is between, by the axiom,
and `w(t)` is later, as t3 commits before t. (A transaction that reads a key as two others wrote it has one node for
both reads, and no place for it.) When a value was written twice, who saw whom by it is left open: fewer nodes come
after others, so that none is violated for it, and no ok is listed.

Read committed by the axiom of the same authors (`axiomatic-read-committed`, with sessions) has a node `r(t, i)` for the
i-th read from outside, after `w(u)` for every u that writes its key and whom t read from before; the rest is the same.

Cursor stability is read committed but that t reads in `w(t)` the keys that it writes too: nobody else writes these in
between, which is that no ww edges of one key and one rw edge of it make a cycle (Adya's G-cursor). Consistent view is
listed for violations alone, as both together. Such an order there must be: of the versions that the level asks for take
any commit order that holds ww and wr edges, sessions and time; were u, whom t has seen, after t3 in it, then t3 to u by
ww, u to t as it was seen, and t to what followed t3 by rw would be a cycle with one rw edge (G-single). But it is not
enough: who wrote before a writer that was seen, by ww edges that no read shows, was seen at this level too, and so was
by real time; of lists, nothing of what was seen is listed.
"""

import hashlib
import json
import sys
from collections import Counter, defaultdict, namedtuple
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

if __package__:
    from checker import verify
    from checker.transcript_reader import need, read, read_ours, unpacked
else:
    import verify
    from transcript_reader import need, read, read_ours, unpacked

One = namedtuple("One", "must session begun ended steps known", defaults=[True])  # [kind, key, values], of what counts

SHAPES = ("read-uncommitted", "read-committed", "repeatable-read", "snapshot-isolation", "serializable")
SEEN = ("axiomatic-read-committed", "read-atomic", "causal", "consistent-view")  # by what each transaction has seen
LEVELS = {prefix + shape for prefix in ("", "strong-session-", "strong-") for shape in (*SHAPES, "consistent-view")}
LEVELS |= {"strict-serializable", "strong-session-read-atomic", "read-atomic", "causal", "cursor-stability"}
LEVELS |= {"strong-session-axiomatic-read-committed"}
STRICT = {
    "snapshot-isolation",
    "axiomatic-read-committed",
    "read-atomic",
    "causal",
    "cursor-stability",
}  # what each wrote it must read back
NOTHING = ["r", "", []]  # the step of a transaction without any, so that each has one to be named by


def base(found):
    """What counts of each transaction, by name: the aborted are left out, and reads of those of unknown end.

    One of unknown end must be there when a committed one read what it alone wrote; nothing is known to come after it.
    """
    live = {name: one for name, one in found.items() if one.how != "fail"}
    steps = {
        name: [[kind, key, v if kind == "r" else [v]] for kind, key, v in one.steps if kind != "r" or one.how == "ok"]
        for name, one in live.items()
    }
    need(not any(v == ["nil"] for own in steps.values() for kind, _, v in own if kind != "r"), "nil is written")
    kinds = {(kind, key) for own in steps.values() for kind, key, _ in own}
    need(not any(("append", key) in kinds for kind, key in kinds if kind == "w"), "a key is both written and appended")
    need(not any(not key or key.startswith("lock ") for _, key in kinds), "a key has the name of a lock")
    made = Counter((key, *values) for own in steps.values() for kind, key, values in own if kind != "r")
    shown = {(key, one) for own in steps.values() for kind, key, values in own if kind == "r" for one in values}
    known = {name for name, one in live.items() if one.how == "ok"}
    sure = {*known}
    for name in live.keys() - sure:
        written = {(key, *values) for kind, key, values in steps[name] if kind != "r"}
        sure |= {name} if any(one in shown and made[one] == 1 for one in written) else set()
    ended = {name: one.ended if name in known else 9e9 for name, one in live.items()}
    return {n: One(n in sure, one.session, one.begun, ended[n], steps[n], n in known) for n, one in live.items()}


def base_of_ours(found):
    """The same of a history of coagent: to list a folder is to read of each path below it whether it is there."""
    folders = tuple({path for one in found.values() for kind, path, _ in one.steps if kind == "l"})
    paths = {path for one in found.values() for kind, path, _ in one.steps if kind == "w"}
    paths |= {path for one in found.values() for kind, _, many in one.steps if kind == "l" for path in many}
    need(not any(path.startswith("there ") for path in paths), "a path has the name of a mark")
    steps = {name: [] for name in found}
    for name, one in found.items():
        for kind, path, value in one.steps:
            match kind:
                case "l":
                    inside = sorted(below for below in paths if below.startswith(path))
                    steps[name] += [["r", "there " + below, ["yes"] * (below in value)] for below in inside]
                case "r":
                    steps[name].append(["r", path, value])
                case "w":
                    steps[name].append(["w", path, [] if value is None else [value]])
                    steps[name] += [["w", "there " + path, ["yes"] * (value is not None)]] * path.startswith(folders)
    return {name: One(True, "", one.begun, one.ended, steps[name]) for name, one in found.items()}


def listing(whole, level, keys=None, names=()):
    """`[name, must, after, steps]` of each transaction as the level splits it, `whole` by name as `base` gives it.

    With `keys`, only steps on those, and only transactions that write one or are among `names`: when these are in no
    order, then neither are all, since keys do not depend on each other and nothing depends on one that only reads.
    """
    kept = {}
    for name, one in whole.items():
        steps = one.steps if keys is None else [step for step in one.steps if step[1] in keys]
        if keys is None or name in names or any(step[0] != "r" for step in steps):
            kept[name] = one._replace(steps=steps)
    shape = next(shape for shape in (*SEEN, *SHAPES, "cursor-stability") if level.endswith(shape))
    need(keys is not None or shape != "consistent-view", "consistent view asks more than is listed for a violation")
    before, ticks = _before(kept, level, ours="(start)" in whole)
    first, last = ("s:", "c:") if shape == "snapshot-isolation" else ("", "")
    ended = {name: last + name if name in kept else name for name in kept.keys() | ticks.keys()}
    rows = [[name, True, [ended[one] for one in after], []] for name, after in ticks.items()]
    more = _versions(whole, kept) if shape == "read-uncommitted" else defaultdict(list)
    if shape in SEEN:
        more = _seen(kept, before, shape, certain=keys is None)
    for name, one in kept.items():
        for node, after, steps in _split(name, one, shape, more):
            late = [ended[other] for other in before.get(name, ())] if node == first + name else []
            rows.append([node, one.must, late + after, steps or [NOTHING]])
    return rows


def _split(name, one, shape, more):
    """`(node, after which of its own and of other nodes, steps)` of a transaction."""
    outside, inside = _apart(one.steps, strict=shape in STRICT)
    wrote = {key for kind, key, _ in inside if kind != "r" and shape in ("cursor-stability", "consistent-view")}
    updated = [step for step in outside if step[1] in wrote]  # nobody else writes such a key meanwhile
    match shape:
        case "serializable":
            yield name, [], one.steps
        case "repeatable-read":  # what contradicts its own steps alone is no matter here, and is read first
            yield name, [], outside + inside
        case "snapshot-isolation":  # nobody else writes what it writes, between its start and its commit
            keys = sorted({key for kind, key, _ in one.steps if kind != "r"})
            yield "s:" + name, [], outside + [["w", "lock " + key, [name]] for key in keys]
            yield "c:" + name, ["s:" + name], [["r", "lock " + key, [name]] for key in keys] + inside
        case "read-committed" | "axiomatic-read-committed" | "cursor-stability":  # each read is of some committed state
            alone = [step for step in outside if step[1] not in wrote]
            reads = [f"r:{at}:{name}" for at, _ in enumerate(alone)]
            yield from ((node, more[node], [step]) for node, step in zip(reads, alone, strict=True))
            yield name, reads, updated + inside
        case "read-atomic" | "causal" | "consistent-view":  # each key is read after all that was seen and writes it
            keys = sorted({key for _, key, _ in outside})
            yield from ((f"r:{key}:{name}", more[name, key], [st for st in outside if st[1] == key]) for key in keys)
            yield name, [f"r:{key}:{name}" for key in keys], updated + inside
        case "read-uncommitted":  # the writes alone count, in the order in which they were read, and no write twice
            after, made = more
            yield name, sorted(after[name]), [step for step in inside if step[0] != "r"]
            for at, (kind, key, seen) in enumerate(one.steps):
                if kind == "r" and any(seen.count(v) > max(1, made[key, v]) for v in {*seen}):
                    yield f"r:{at}:{name}", [], [[kind, key, seen]]


def _apart(steps, strict):
    """The reads from outside, and the rest; unless `strict`, a read without what it wrote before counts as outside."""
    outside, inside, own = [], [], {}
    for kind, key, values in steps:
        tail = own.get(key)
        if kind != "r":
            own[key] = (tail or []) * (kind == "append") + values
        strays = not strict and tail and not {*tail} & {*values}
        (outside if kind == "r" and (tail is None or strays) else inside).append([kind, key, values])
    return outside, inside


def _versions(whole, kept):
    """After whom each comes by the longest read of each list, and how often each element was appended."""
    made, longest = defaultdict(lambda: defaultdict(list)), {}
    for name, one in kept.items():
        for kind, key, values in one.steps:
            if kind == "append":
                made[key][values[0]].append(name)
    for one in whole.values():
        for kind, key, values in one.steps:
            if kind == "r" and len(values) >= len(longest.get(key, [])):
                longest[key] = values
    after = defaultdict(set)
    for key, by in made.items():
        seen = dict.fromkeys(longest.get(key, ()))
        makers = [by[one][0] for one in seen if len(by.get(one, ())) == 1]
        unread = {name for one, names in by.items() if makers and one not in seen for name in names}
        for one, other in [*pairwise(makers), *((makers[-1], other) for other in unread)]:
            after[other] |= {one} - {other}
    return after, Counter({(key, one): len(names) for key, by in made.items() for one, names in by.items()})


def _seen(kept, before, shape, certain):
    """The last writers of a key among those that a transaction which reads it from outside has seen, by both names.

    With `certain`, raises ValueError when it is not who wrote what is read.
    """
    if any(kind == "append" for one in kept.values() for kind, *_ in one.steps):
        need(shape == "consistent-view", "lists are not judged so")
        return defaultdict(list)
    made = [((key, *values), name) for name, one in kept.items() for kind, key, values in one.steps if kind == "w"]
    times, maker = Counter(version for version, _ in made), dict(made)
    reads = {name: _apart(one.steps, strict=shape in STRICT)[0] for name, one in kept.items()}
    versions = {name: sorted({(key, *values) for _, key, values in steps}) for name, steps in reads.items()}
    need(not certain or all(times[one] < 2 for many in versions.values() for one in many), "a value is written twice")
    if shape == "axiomatic-read-committed":
        return _met(kept, reads, {one: name for one, name in maker.items() if times[one] == 1})
    sources = {name: {maker[one] for one in many if times[one] == 1} - {name} for name, many in versions.items()}
    further = {} if shape == "read-atomic" else sources
    links = {name: {*before.get(name, ()), *further.get(name, ())} & kept.keys() for name in kept}
    try:
        order = [*TopologicalSorter(links).static_order()]
    except CycleError:  # no order holds then, whatever was seen besides
        return defaultdict(list)
    bit, past, writers = {name: 1 << at for at, name in enumerate(order)}, {}, defaultdict(int)
    for name in order:
        past[name] = 0
        for one in links[name]:
            past[name] |= past[one] | bit[one]
        for key in {key for kind, key, _ in kept[name].steps if kind == "w"}:
            writers[key] |= bit[name]
    after = defaultdict(list)
    for name, many in versions.items():
        seen = past[name] | sum(bit[one] for one in sources[name] if not past[name] & bit[one])
        for key in {key for key, *_ in many}:
            left = seen & writers[key]
            while left:
                last = order[left.bit_length() - 1]
                after[name, key].append(last)
                left &= ~(bit[last] | (past[last] if kept[last].must else 0))
            after[name, key].sort()
    return after


def _met(kept, reads, maker):
    """For each read node, the writers of its key from whom its transaction read before."""
    wrote = {name: {key for kind, key, _ in one.steps if kind != "r"} for name, one in kept.items()}
    after = defaultdict(list)
    for name, steps in reads.items():
        met = set()
        for at, (_, key, values) in enumerate(steps):
            after[f"r:{at}:{name}"] = sorted(one for one in met if key in wrote[one])
            met |= {maker.get((key, *values), name)} - {name}
    return after


def _before(kept, level, ours):
    """What each transaction comes after in the order that the level keeps, and likewise the ticks of the clock."""
    names = sorted(kept, key=lambda name: kept[name].begun)
    if level == "notified-serializable":
        return {other: [one] for one, other in pairwise(names)}, {}
    if ours:
        start = [name for name in names if name == "(start)"]
        return {name: names[:-1] if name == "(end)" else start for name in names if name != "(start)"}, {}
    since, after = defaultdict(list), {}
    sessions = "session" in level or level == "causal"
    for name in names if sessions else ():  # after the last one that is known to have ended
        own = kept[name].session
        after[name] = since[own] if own else []
        since[own] = [name] if kept[name].known else since[own]
    return _clock(kept, names) if level.startswith("str") and "session" not in level else (after, {})


def _clock(kept, names):
    """Each transaction after a tick, and each tick after the one before it and all that ended in between."""
    ended = sorted(names, key=lambda name: kept[name].ended, reverse=True)
    after, ticks, last = {}, {}, []
    for name in names:
        new = []
        while ended and kept[ended[-1]].ended < kept[name].begun:
            new.append(ended.pop())
        if new:
            ticks[f"tick {len(ticks)}"] = [*last, *new]
            last = [f"tick {len(ticks) - 1}"]
        after[name] = last
    return after, ticks


def read_whole(text, level):
    """What counts in a history, by name. Raises ValueError when it cannot be read, or the level is none for it."""
    if text.startswith('{"history": "coagent"'):
        need(level in {*SHAPES, "notified-serializable"} - {"snapshot-isolation"}, f"{level} is no level for agents")
        return base_of_ours(read_ours(text))
    need(level in LEVELS, f"{level} is no level that is known here")
    return base(read(text))


def compare(claim, whole):
    """Raises ValueError unless the claim lists these transactions: all, or what `listing` leaves of them."""
    rows, level = claim["transactions"], claim["level"]
    need(claim["verdict"] in ("ok", "violated"), "it claims neither ok nor violated")
    keys = {key for *_, steps in rows for _, key, _ in steps if key and not key.startswith("lock ")}
    names = {name.split(":")[-1] if name not in whole else name for name, *_ in rows}
    right = listing(whole, level) if claim["verdict"] == "ok" else listing(whole, level, keys, names)
    right, told = {name: rest for name, *rest in right}, {name: rest for name, *rest in rows}
    need(len(told) == len(rows), "it lists a transaction twice")
    need(all(right.get(name) == rest for name, rest in told.items()), "the history says something else")
    missing = {name for name in right.keys() - told.keys() if right[name][0] or claim["verdict"] != "ok"}
    need(not missing, f"it leaves out {sorted(missing)[:3]}")


def check(raw_certificate, raw):
    """Raises an error, which says why, unless every claim lists what these bytes of a history say, and follows."""
    (digest, paper), text = json.loads(raw_certificate), unpacked(raw)
    need(hashlib.sha256(json.dumps(paper).encode()).hexdigest() == digest, "the certificate was changed")
    need(hashlib.sha256(raw).hexdigest() == paper["sha256"], "it is the certificate of another file")
    need(paper["claims"], "it claims nothing")
    for claim in paper["claims"]:
        compare(claim, read_whole(text.split("\n")[claim["line"] - 1] if claim["line"] else text, claim["level"]))
        need(verify.judge(claim), f"{claim['verdict']} at {claim['level']} does not follow")


if __name__ == "__main__":
    try:
        check(*[Path(name).read_bytes() for name in sys.argv[1:3] or [""]])
        print("accepted")
    except Exception as error:
        unusable = isinstance(error, (OSError, json.JSONDecodeError, UnicodeError))
        sys.exit(print(f"{'unusable' if unusable else 'refused'}: {error}") or 1 + 2 * unusable)
