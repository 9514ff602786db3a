"""Finds the claims that may stand for a violation: by the checker's own derivation, or between the transactions of an
anomaly. Judges nothing: what it gives counts when the verifiers accept it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from checker import transcript
from checker.closure import refutations, used
from checker.lowering import indexed, of_tree, pruned
from checker.seen_cycle import refutation, witnesses
from checker.verdict import Verdict

WIDE = 40
"""Transactions, at most, between which edges are looked for."""

WEAKER = {
    "causal": ("strong-session-read-atomic",),
    "consistent-view": ("read-committed",),
    "cursor-stability": ("read-committed",),
    "strong-session-axiomatic-read-committed": ("strong-session-read-committed",),
    "strong-consistent-view": ("strong-read-committed",),
    "strong-session-consistent-view": ("strong-session-read-committed",),
}
"""Levels whose listing does not show every violation, or not of every history, and a level below each."""

LARGE = 50_000
"""Transactions from which on what each has seen at causal consistency is not listed, being a set for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What counts in a history (`whole`), the names there of the checker's transactions, and the level claimed."""

    whole: Mapping[str, transcript.One]
    names: Mapping[str, str]
    level: str

    @property
    def snapshot(self) -> bool:
        return self.level.endswith("snapshot-isolation")


def claim_of(verdict: str, level: str, rows: Sequence[list], **proof: object) -> dict:
    """A claim about these rows of a listing, but for its line."""
    return {"level": level, "verdict": verdict, "transactions": list(rows), **proof}


def owner(node: str) -> str:
    """The transaction that a node of a listing is of."""
    return node.split(":")[-1]


def violations(verdict: Verdict, case: Case) -> Iterator[dict]:
    """Claims that may show the violation: by the checker's own derivation, then by each anomaly."""
    large = len(case.whole) > LARGE and case.level.endswith(("causal", "consistent-view"))
    for level in (*([] if large else [case.level]), *WEAKER.get(case.level, ())):
        if level in transcript.LEVELS:
            with suppress(ValueError):  # no listing of this history stands for the level
                yield from _at_level(verdict, replace(case, level=level))


def _at_level(verdict: Verdict, case: Case) -> Iterator[dict]:
    if case.level.endswith(transcript.SEEN):
        yield from _of_what_is_seen(verdict, case)
    if verdict.proof and "steps" in verdict.proof | verdict.proof.get("split", {}):
        yield from _of_derivation(verdict.proof, case)
    for anomaly in sorted(verdict.anomalies, key=lambda one: not one.cycle):
        names = [case.names[name] for name in anomaly.transactions if name in case.names]
        names += [case.names[name] for edge in anomaly.cycle for name in (edge.source, edge.target)]
        names = [name for name in dict.fromkeys(names) if name in case.whole]
        keys = {key for name in names for _, key, _ in case.whole[name].steps}
        names = [*dict.fromkeys([*names, *_around(names, keys, case)])][:WIDE]
        rows = transcript.listing(case.whole, case.level, keys, names)
        nodes = [row[0] for row in rows if owner(row[0]) in names]
        for proof in refutations(indexed(rows), nodes):
            yield from _shrunk(proof, rows, case)


def _of_what_is_seen(verdict: Verdict, case: Case) -> Iterator[dict]:
    """By a cycle through a transaction of each anomaly, of the history and then of no more than that cycle needs."""
    every = {key for one in case.whole.values() for _, key, _ in one.steps}
    rows = transcript.listing(case.whole, case.level, every, case.whole)
    index, nodes = indexed(rows), {}
    for row in rows:
        nodes.setdefault(owner(row[0]), []).append(row[0])
    read = {row[0]: {step[1] for step in row[3]} for row in rows if row[0].startswith("r:")}
    for anomaly in verdict.anomalies:
        met = [case.names[name] for name in anomaly.transactions if name in case.names]
        found = refutation(index, [node for name in met for node in nodes.get(name, ())])
        if found is None:
            continue
        needed = witnesses(*found)
        few = {key for node in needed for key in read.get(node, ())}
        many = {key for node in needed for one in nodes[owner(node)] for key in read.get(one, ())}
        for keys in (few, many) if few else (every,):  # without reads, it is a cycle of sessions
            fewer = transcript.listing(case.whole, case.level, keys, {owner(node) for node in needed})
            again = refutation(indexed(fewer), [row[0] for row in fewer if row[0] in needed])
            if again:
                yield claim_of("violated", case.level, fewer, proof=pruned(again[0]))


def _of_derivation(tree: Mapping, case: Case) -> Iterator[dict]:
    tree = _renamed(tree, case)
    keys, names = set(), set()
    _mentioned(tree, keys, names)
    rows = transcript.listing(case.whole, case.level, keys, {owner(name) for name in names})
    try:
        proof = pruned(of_tree(tree, indexed(rows), case.snapshot))
    except (LookupError, RecursionError):
        return
    yield claim_of("violated", case.level, rows, proof=proof)


def _renamed(tree: Mapping, case: Case) -> dict:
    """The tree with the verifier's names and keys."""

    def node(one: str) -> str:
        return one[:2] + case.names[one[2:]] if one[:2] in ("s:", "c:") and case.snapshot else case.names[one]

    def why(one: Sequence) -> list:
        match one:
            case ["ww" | "rw" as rule, key, other, path]:
                return [rule, _word(key), case.names[other], [node(step) for step in path]]
            case ["writers", key, u, w]:
                return ["writers", _word(key), case.names[u], case.names[w]]
            case [rule, key, *rest]:
                return [rule, _word(key), *rest]
        return list(one)

    found: dict = {"steps": [{"edge": [*map(node, one["edge"])], "why": why(one["why"])} for one in tree["steps"]]}
    if "cycle" in tree:
        return found | {"cycle": [node(one) for one in tree["cycle"]]}
    sides = {side: _renamed(tree["split"][side], case) for side in ("if_left", "if_right")}
    return found | {"split": {**sides, "why": why(tree["split"]["why"])}}


def _mentioned(tree: Mapping, keys: set[str], names: set[str]) -> None:
    """Adds the keys and the nodes that a tree names."""
    for one in tree["steps"]:
        names |= {*one["edge"]}
        keys |= {*one["why"][1:2]}
    names |= {*tree.get("cycle", ())}
    if "split" in tree:
        _, key, *writers = tree["split"]["why"]
        keys |= {key}
        names |= {*writers}
        for side in ("if_left", "if_right"):
            _mentioned(tree["split"][side], keys, names)


def _around(names: Sequence[str], keys: set[str], case: Case) -> Iterator[str]:
    """Who wrote what two reads of a key first differ in, or what one ends with; and who read most of each list."""
    seen, longest, makers = {}, {}, {}
    for name, one in case.whole.items():
        for kind, key, values in one.steps:
            if key in keys and kind == "r":
                seen.setdefault(key, [[]]).extend([values[-1:], values] if name in names else [])
                if len(values) > len(longest.get(key, ("", []))[1]):
                    longest[key] = (name, values)
            elif key in keys:
                makers.setdefault((key, *values), name)
    for key, many in sorted(seen.items()):
        for left in many:
            for right in [*many, longest.get(key, ("", []))[1]]:
                at = next((at for at, pair in enumerate(zip(left, right)) if pair[0] != pair[1]), None)  # noqa: B905
                at = min(len(left), len(right)) if at is None else at
                yield from (
                    makers[key, one] for one in (*left[at : at + 1], *right[at : at + 1]) if (key, one) in makers
                )
    yield from (name for _, (name, _) in sorted(longest.items()))


def _shrunk(proof: dict, rows: Sequence[list], case: Case) -> Iterator[dict]:
    """The claim with no more keys and transactions than a proof names."""
    listed = {name: rest for name, *rest in rows}
    operations = list(used(proof))
    keys = {listed[name][2][at][1].removeprefix("lock ") for name, at in operations if at is not None}
    keys = keys or {key for *_, steps in rows for _, key, _ in steps}  # a cycle of what comes after what
    names = {owner(name) for name, _ in operations}
    fewer = transcript.listing(case.whole, case.level, keys, names)
    for again in refutations(indexed(fewer), [row[0] for row in fewer if owner(row[0]) in names]):
        yield claim_of("violated", case.level, fewer, proof=again)


def _word(key: object) -> str:
    """A key as it stands in the file, without colon or quotes."""
    return "nil" if key is None else str(key).removeprefix(":")
