"""Writes certificates: what a verdict claims, in a form that `checker/verify.py` accepts or refuses by itself.

Decides nothing about a history: it only looks for the operations that show what a checker found, and gives
nothing out that the verifier refuses. A certificate is `{"sha256": ..., "claims": [claim, ...]}`, a claim for each
history of the file. Transactions are named T and the index of the record that ends them.

An `ok` has `order`: `[name, n]` in the order of the commits, each transaction seeing the first `n` of them. At a
serial level `n` is its own place, and every read is replayed; at snapshot isolation it is where it started, and
first-committer-wins is checked (Berenson et al., SIGMOD 1995). A serial order proves every weaker level too.

A `violated` has `proof`: steps `[why, a, b, key, path]`, each an edge "a before b", then a `cycle` of known edges, or
two `writers` of a `key` with a proof for either order of them (`left`, `right`). Nodes are transactions, or at snapshot
isolation `s:` starts and `c:` commits. Why each edge holds:

- `wr`: b saw what a wrote and nobody else did. `rw`: a read a list without an element of b (lists only grow), or the
  initial value of a register that b writes. `ww`: somebody read a's element before, or without, b's.
- `older`: a writes what b writes, and `path` leads from a to a reader of b's value, so a is before b.
  `newer`: b writes, after `path`, what its start wrote and a read, so a is before b (Papadimitriou, JACM 1979).
- `so`, `rt`: session order and real time. `sc`: a transaction starts before it commits.
- `unwritten` (a read what was never written, or was aborted, or oftener than it was) and `alone` (a contradicts its own
  steps) are cycles in themselves.

A history of our own is replayed by cells: what counts of each agent in the end, between `(start)` and `(end)`, in the
order that is claimed. A violation of the declared order says `because` what its replay runs into; a violation in any
order is one that every order of (few) agents runs into. Cells are replayed, not tools: what cells do not show, such as
a wrong result or a wrong inverse, has no certificate, and none vouches for it. Of a listing its members count.

At read atomic and causal, which keep sessions (Biswas and Enea, OOPSLA 2019), an `older` edge, or an `rw` one back over
its path, costs 1 when its path is of `wr` and `so` edges alone: of one such edge at read atomic, of any at causal.

A level limits what the edges of a cycle may cost (ww 0, wr 1, rw 2, what is inferred 3), after Adya.
"""

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from checker import verify
from checker.anomaly import Anomaly
from checker.axiom_proof import of_axioms
from checker.formats import Source
from checker.formats.schedule import as_transactions
from checker.level import level as known_level
from checker.precedence import Edge
from checker.verdict import Verdict
from coagent.bad_input import BadInput

Step = list
"""`[why, a, b, key, path]`, as the verifier takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A history as the verifier reads it, with the verifier's name for each of the checker's (`names`)."""

    found: Mapping[str, verify.T]
    facts: verify.Facts
    names: Mapping[str, str]
    level: str

    @property
    def snapshot(self) -> bool:
        return self.level.endswith("snapshot-isolation")


def certificate(raw: bytes, answers: Sequence[tuple[Source, Verdict]]) -> Iterator[str]:
    """The certificate of a file as lines of text; the same answers give the same bytes.

    Of several histories those whose answer is unknown are left out. Raises BadInput for an answer that
    has none: a single unknown, one of a format without, or an ok at a level where neither a serial
    order nor one of starts and commits shows it.
    """
    if any(source.format == "coagent" and not isinstance(source.content, str) for source, _ in answers):
        what = "holds columns, which the verifier does not read; write the history with a line a record to have one"
        raise BadInput(what, answers[0][0].name)
    text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig").replace("\r\n", "\n")
    rows = text.split("\n")
    lines = [number for number, row in enumerate(rows, 1) if row.strip()]
    claims = []
    for place, (source, verdict) in enumerate(answers):
        if verdict.verdict == "unknown" and len(answers) > 1:
            continue
        line = lines[place] if source.format == "schedule" or len(answers) > 1 else None
        claims.append(claimed(source, verdict, line, rows[line - 1] if line else text))
    yield f'{{"sha256": "{hashlib.sha256(raw).hexdigest()}", "claims": [\n'
    yield ",\n".join(json.dumps(claim, ensure_ascii=False) for claim in claims)
    yield "\n]}\n"


def claimed(source: Source, verdict: Verdict, line: int | None, text: str) -> dict:
    """The claim that stands for a verdict. Raises BadInput when there is none that the verifier accepts."""
    if verdict.verdict == "unknown":
        raise BadInput("the answer is unknown, which there is nothing to certify about", source.name)
    if source.format == "coagent":
        return _of_ours(source, verdict, text)
    try:
        found = verify.read(text)
    except ValueError as error:
        raise BadInput(
            f"the verifier cannot read the history ({error}), so it has no certificate", source.name
        ) from None
    case = Case(found=found, facts=verify.Facts(found), names=named(source, found), level=level_of(verdict))
    claims = _orders(source, verdict, case) if verdict.verdict == "ok" else _proofs(verdict, case)
    for level, claim in claims:
        whole = {"line": line, "level": level, "verdict": verdict.verdict, **claim}
        if accepted(whole, text):
            return whole
    if verdict.verdict == "ok":
        what = f"there is no certificate for an ok at {case.level} that is not one at a stronger level as well"
        raise BadInput(what + "; check it at serializable or snapshot-isolation", source.name)
    raise BadInput(
        f"no certificate was found for the answer at {case.level}; the reasons stand without one", source.name
    )


def _of_ours(source: Source, verdict: Verdict, text: str) -> dict:
    """The claim about a history of coagent: an order of its agents that holds, or what the declared one runs into."""
    claim: dict = {"line": None, "level": verdict.criterion, "verdict": verdict.verdict}
    try:
        found = verify.read_ours(text)
        if verdict.verdict == "ok":
            names = ["(start)", *map(agent_of, verdict.order or ()), "(end)"]
            claim["order"] = [[name, place] for place, name in enumerate(names)]
        elif verdict.criterion == "notified-serializable":
            claim["because"] = verify.refused(list(found), found)
    except (ValueError, LookupError, TypeError) as error:
        what = f"the verifier cannot replay the history ({error}), so it has no certificate"
        raise BadInput(what, source.name) from None
    if accepted(claim, text):
        return claim
    what = "its reasons name the operations; a replay of the cells alone does not show them, so it has no certificate"
    raise BadInput(what, source.name)


def agent_of(transaction: str) -> str:
    """The agent of a transaction of ours, whose name has the attempt behind it when that is not the first."""
    return transaction.partition("#")[0]


def level_of(verdict: Verdict) -> str:
    """The level a verdict is about, under the name that the verifier knows."""
    return "serializable" if verdict.criterion == "conflict-serializable" else verdict.criterion


def named(source: Source, found: Mapping[str, verify.T]) -> dict[str, str]:
    """The verifier's name for each of the checker's, both in the order in which the transactions began."""
    content = as_transactions(source.content) if source.format == "schedule" else source.content
    ours = content.names if hasattr(content, "names") else [one.name for one in content]
    theirs = sorted(found, key=lambda name: found[name].begun)
    if len(ours) != len(theirs):
        what = f"the verifier reads {len(theirs)} transactions, the checker {len(ours)}, so there is no certificate"
        raise BadInput(what, source.name)
    return dict(zip(ours, theirs, strict=True))


def accepted(claim: Mapping, text: str) -> bool:
    """Whether the verifier accepts the claim about this text."""
    try:
        verify.judge(claim, text)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False
    return True


def _orders(source: Source, verdict: Verdict, case: Case) -> Iterator[tuple[str, dict]]:
    """Orders that may show the ok, and the level that each shows: the one found, then those of stronger levels."""
    if case.snapshot and verdict.proof:
        yield case.level, {"order": list(_commits(verdict.proof["starts_and_commits"], case.names))}
    order = [case.names[name] for name in verdict.order or ()]
    yield case.level, {"order": [[name, place] for place, name in enumerate(order)]}
    from checker import check_source

    order = "so" if case.level == "read-atomic" else known_level(case.level).order
    prefix = {"so": "strong-session-", "rt": "strong-", "": ""}[order]
    for stronger in ("serializable", "snapshot-isolation"):
        name = known_level(prefix + stronger).name
        again = verdict if name == case.level else check_source(source, level=name)
        if again.verdict == "ok" and name != case.level:
            yield from _orders(source, again, replace(case, level=name))


def _commits(events: Iterable[str], names: Mapping[str, str]) -> Iterator[list]:
    """`[name, commits before its start]` for each commit among the starts and commits."""
    since: dict[str, int] = {}
    done = 0
    for event in events:
        if event.startswith("s:"):
            since[event[2:]] = done
        else:
            yield [names[event[2:]], since[event[2:]]]
            done += 1


def _proofs(verdict: Verdict, case: Case) -> Iterator[tuple[str, dict]]:
    """Derivations that may show the violation: the checker's own, then one for each anomaly."""
    own = [_translated(verdict.proof, case)] if verdict.proof else []
    for proof in chain(own, _of_anomalies(verdict, case), of_axioms(case.found, case.facts, case.level)):
        if proof:
            yield case.level, {"proof": proof}


def _of_anomalies(verdict: Verdict, case: Case) -> Iterator[dict | None]:
    for anomaly in verdict.anomalies:
        yield from _of_cycle(anomaly.cycle, case)
    for anomaly in verdict.anomalies:
        yield from _of_fault(anomaly, case)


def _of_cycle(cycle: Sequence[Edge], case: Case) -> Iterator[dict]:
    """The cycle as a proof, when each of its edges shows in what its two transactions did."""
    steps: list[Step] = []
    for edge in cycle:
        step = _shown(edge.kind, case.names[edge.source], case.names[edge.target], case)
        if step is None:
            return
        steps.append(step)
    if steps:
        yield _closed(steps, case.snapshot)


def _closed(steps: Sequence[Step], snapshot: bool) -> dict:
    """Steps whose edges follow each other, and the cycle that they close."""
    if not snapshot:
        return {"steps": list(steps), "cycle": [step[1] for step in steps]}
    extra, cycle = [], []
    for step, then in zip(steps, [*steps[1:], *steps[:1]], strict=True):
        why, a, b = step[:3]
        cycle.append(("s:" if why == "rw" else "c:") + a)
        if why != "rw" and then[0] != "rw":
            cycle.append("s:" + b)
            extra.append(["sc", b, b, "", []])
    return {"steps": [*steps, *extra], "cycle": cycle}


def _shown(why: str, a: str, b: str, case: Case) -> Step | None:
    """The edge as a step with the key that shows it; None when no key does."""
    if why in ("so", "rt"):
        return [why, a, b, "", []]
    facts = case.facts
    keys = sorted({key for _, key, _ in case.found[a].steps} & {key for _, key, _ in case.found[b].steps})
    for key in keys:
        match why:
            case "wr" if facts.saw(key, b, a):
                return ["wr", a, b, key, []]
            case "ww" if facts.overwrote(key, a, b):
                return ["ww", a, b, key, []]
            case "rw" if any(v not in one for one in facts.unseen(key, a) for v in facts.writes.get((key, b), [])):
                return ["rw", a, b, key, []]
    return None


def _of_fault(anomaly: Anomaly, case: Case) -> Iterator[dict]:
    """A local fault as a proof: a read that nothing explains, a contradiction within, or a pair of edges."""
    names = [case.names[name] for name in anomaly.transactions if name in case.names]
    for name in reversed(names):
        if name in case.facts.alone:
            yield {"steps": [["alone", name, name, "", []]], "cycle": [_commit(name, case)]}
        for key in sorted({key for kind, key, _ in case.found[name].steps if kind == "r"}):
            step = ["unwritten", name, name, key, []]
            yield {"steps": [step], "cycle": [_commit(name, case)]}
    yield from _of_pairs(names, case)


def _of_pairs(names: Sequence[str], case: Case) -> Iterator[dict]:
    """Two edges against each other between two of the transactions, or of the writers that they saw differently."""
    facts = case.facts
    pairs = [(one, other) for one in names for other in names if one < other]
    for one, other in pairs[:20]:
        keys = {key for _, key, _ in case.found[one].steps} & {key for _, key, _ in case.found[other].steps}
        for key in sorted(keys):
            for left in facts.seen(key, one):
                for right in facts.seen(key, other):
                    pairs += _apart(key, left, right, case)
    for one, other in dict.fromkeys(pairs):
        for there in ("wr", "ww", "rw"):
            for back in ("ww", "wr", "rw"):
                steps = _shown(there, one, other, case), _shown(back, other, one, case)
                if all(steps):
                    yield _closed(steps, case.snapshot)


def _apart(key: str, left: Sequence[str], right: Sequence[str], case: Case) -> list[tuple[str, str]]:
    """The writers of the first two elements in which two lists part."""
    place = next((at for at, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), None)
    if place is None:
        return []
    first, second = (case.facts.made.get((key, one[place]), [""])[0] for one in (left, right))
    return [(first, second)] if first and second and first != second else []


def _commit(name: str, case: Case) -> str:
    return "c:" + name if case.snapshot else name


def _translated(tree: Mapping, case: Case) -> dict | None:
    """A checker's derivation in the verifier's terms."""
    if "steps" not in tree:
        return None
    steps = [_step(one["edge"], one["why"], case) for one in tree["steps"]]
    if "cycle" in tree:
        return {"steps": steps, "cycle": [_node(one, case) for one in tree["cycle"]]}
    split = tree["split"]
    _, key, u, w = split["why"]
    return {
        "steps": steps,
        "writers": [_node(u, case, bare=True), _node(w, case, bare=True)],
        "key": _word(key),
        "left": _translated(split["if_left"], case),
        "right": _translated(split["if_right"], case),
    }


def _step(edge: Sequence[str], why: Sequence, case: Case) -> Step:
    a, b = (_node(one, case, bare=True) for one in edge)
    match why:
        case ["wr", key, *_]:
            return ["wr", a, b, _word(key), []]
        case ["init", key]:
            return ["rw", a, b, _word(key), []]
        case ["ww", key, _, path]:
            return ["older", a, b, _word(key), [_node(one, case) for one in path]]
        case ["rw", key, _, path]:
            return ["newer", a, b, _word(key), [_node(one, case) for one in path]]
        case _:
            return [why[0], a, b, "", []]


def _node(node: str, case: Case, bare: bool = False) -> str:
    """A node of the checker's derivation under the verifier's name, with or without its `s:` or `c:`."""
    if not case.snapshot:
        return case.names[node]
    name = case.names[node[2:]] if node[:2] in ("s:", "c:") else case.names[node]
    return name if bare else node[:2] + name


def _word(key: object) -> str:
    """A key as it stands in the file, without colon or quotes."""
    return "nil" if key is None else str(key).removeprefix(":")
