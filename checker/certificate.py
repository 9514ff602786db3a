"""Writes certificates: what a verdict claims, in a form that `verify.py` and `transcript.py` accept or refuse.

Decides nothing about a history: it only looks for the operations that show what a checker found, and gives nothing out
that either of the two refuses. A certificate is `[digest, {"sha256": of the file, "claims": [claim, ...]}]`, a claim
for each history of the file. A claim lists transactions, named T and the index of the record that ends them, as
`transcript.listing` makes them of the history at the level claimed; that is where all that is special about a level is:

- sessions and real time are what comes after what, real time by ticks of a clock;
- snapshot isolation splits a transaction into its start `s:`, with the reads from outside, and its commit `c:`; each
  key that it writes has a lock, written at the start and read back at the commit, so that writers of one key do not
  overlap (first committer wins; Berenson et al., SIGMOD 1995). Such an order is one of starts and commits;
- read committed gives each read from outside a transaction of its own before its reader's: no cycle of ww and wr
  edges is left (Adya's G1) just when these have an order, as each read may then follow at once what it saw;
- read atomicity and causal consistency give each key read from outside a transaction of its own, before its reader's
  and after the writers of the key that the reader has seen (Biswas and Enea, OOPSLA 2019), their read committed each
  read, after those of whom it had read before; cursor stability leaves
  those reads of read committed with their reader whose keys it writes as well; `transcript.py` has why;
- repeatable read puts a read that contradicts its own transaction before it, read uncommitted has the writes alone,
  after those whose elements the longest read has before theirs (G0), and reads with an element too often;
- a history of our own has what counts of each agent in the end between the cells at the start and at the end. Cells are
  replayed, not tools: what cells do not show, such as a wrong result, has no certificate, and none vouches for it.

`ok` lists all that happened, in an order in which each read is of what is there. `violated` may list less: with some
keys left out, and all that then writes nothing, there would still be an order if there was one before. Its `proof` is
that `every order` (of few) fails, or `steps` that each show an operation x before y in every order, and a `cycle`:

- `wr`: y read what x, and nobody else, wrote. `unwritten`: x read oftener than it was written what it read.
- `ww`: z read a list with what x appended, and what y appended is not before that.
- `rw`: x read a list without what y appended (lists only grow), a register that nobody had written yet, or what z
  wrote, after which y wrote: y is not between z and x, or x would have read something else.
- `either`: b is not before a, for that leads to a cycle. Of two transactions one comes first, so it is a.

Within a transaction the steps stand in their order, so an edge against it is a cycle too.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from checker import transcript, transcript_reader, verify
from checker.claim import Case, claim_of, violations
from checker.formats import Source
from checker.formats.schedule import as_transactions
from checker.level import level as known_level
from checker.verdict import Verdict
from coagent.bad_input import BadInput

FEW = 8
"""Transactions of which every order is tried."""


def certificate(raw: bytes, answers: Sequence[tuple[Source, Verdict]]) -> Iterator[str]:
    """The certificate of a file as lines of text; the same answers give the same bytes.

    Of several histories those whose answer is unknown are left out. Raises BadInput for an answer that
    has none: a single unknown, one of a format without, or one at a level that no listing stands for.
    """
    if any(source.format == "coagent" and not isinstance(source.content, str) for source, _ in answers):
        what = "holds columns, which the verifier does not read; write the history with a line a record to have one"
        raise BadInput(what, answers[0][0].name)
    text = transcript_reader.unpacked(raw)
    rows = text.split("\n")
    lines = [number for number, row in enumerate(rows, 1) if row.strip()]
    claims = []
    for place, (source, verdict) in enumerate(answers):
        if verdict.verdict == "unknown" and len(answers) > 1:
            continue
        line = lines[place] if source.format == "schedule" or len(answers) > 1 else None
        claims.append(claimed(source, verdict, line, rows[line - 1] if line else text))
    if not claims:
        raise BadInput("every answer is unknown, which there is nothing to certify about", answers[0][0].where)
    paper = {"sha256": hashlib.sha256(raw).hexdigest(), "claims": claims}
    yield json.dumps([hashlib.sha256(json.dumps(paper).encode()).hexdigest(), paper])
    yield "\n"


def claimed(source: Source, verdict: Verdict, line: int | None, text: str) -> dict:
    """The claim that stands for a verdict. Raises BadInput when there is none that both verifiers accept."""
    if verdict.verdict == "unknown":
        raise BadInput("the answer is unknown, which there is nothing to certify about", source.name)
    ours = source.format == "coagent"
    try:
        if ours:
            whole = transcript.base_of_ours(transcript_reader.read_ours(text))
            case = Case(whole=whole, names={}, level=verdict.criterion)
        else:
            found = transcript_reader.read(text)
            case = Case(whole=transcript.base(found), names=named(source, found), level=level_of(verdict, source))
    except (ValueError, LookupError, TypeError) as error:
        what = f"the verifier cannot read the history ({error}), so it has no certificate"
        raise BadInput(what, source.name) from None
    claims = _of_ours(verdict, case) if ours else _orders(source, verdict, case)
    if not ours and verdict.verdict == "violated":
        claims = violations(verdict, case)
    for claim in claims:
        whole = {"line": line, **claim}
        if accepted(whole, case.whole):
            return whole
    raise BadInput(_none(verdict, case.level, ours), source.name)


def _none(verdict: Verdict, level: str, ours: bool) -> str:
    if ours:
        return (
            "its reasons name the operations; a replay of the cells alone does not show them, so it has no certificate"
        )
    if verdict.verdict == "ok":
        what = f"there is no certificate for an ok at {level} that is not one at a stronger level as well"
        return what + "; check it at serializable or snapshot-isolation"
    return f"no certificate was found for the answer at {level}; the reasons stand without one"


def accepted(claim: Mapping, whole: Mapping[str, transcript.One]) -> bool:
    """Whether the claim lists what counts in the history, and follows."""
    try:
        transcript.compare(claim, whole)
        return bool(verify.judge(claim))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def level_of(verdict: Verdict, source: Source) -> str:
    """The level a verdict is about, under the name that the verifiers know."""
    match verdict.criterion:
        case "conflict-serializable":
            return "serializable"
        case "view-serializable" if source.format == "elle-register":
            return "serializable"
        case "read-atomic" if source.format != "elle-register":  # the others count sessions (see `checker.FORMATS`)
            return "strong-session-read-atomic"
        case "strong-session-read-committed" if source.format in ("awdit", "register-text"):
            return "strong-session-axiomatic-read-committed"
    return verdict.criterion


def agent_of(transaction: str) -> str:
    """The agent of a transaction of ours, whose name has the attempt behind it when that is not the first."""
    return transaction.partition("#")[0]


def named(source: Source, found: Mapping[str, transcript_reader.T]) -> dict[str, str]:
    """The verifier's name for each of the checker's, both in the order in which the transactions began."""
    content = as_transactions(source.content) if source.format == "schedule" else source.content
    ours = content.names if hasattr(content, "names") else [one.name for one in content]
    theirs = sorted(found, key=lambda name: found[name].begun)
    if len(ours) != len(theirs):
        raise ValueError(f"it reads {len(theirs)} transactions, the checker {len(ours)}")
    return dict(zip(ours, theirs, strict=True))


def _of_ours(verdict: Verdict, case: Case) -> Iterator[dict]:
    """An order of the agents that holds, or that none does: not the declared one, or of few not any."""
    declared = case.level == "notified-serializable"
    level = case.level if declared else "serializable"
    if verdict.verdict == "ok":
        rows = {row[0]: row for row in transcript.listing(case.whole, level)}
        order = ["(start)", *map(agent_of, verdict.order or ()), "(end)"]
        yield claim_of("ok", level, [rows[name] for name in order if name in rows])
    elif declared or case.level == level and len(case.whole) <= FEW:
        keys = sorted({key for one in case.whole.values() for _, key, _ in one.steps})
        choices = [[key] for key in keys] if declared else []
        for chosen in [*choices, keys]:
            names = [name for name, one in case.whole.items() if any(step[1] in chosen for step in one.steps)]
            yield claim_of("violated", level, transcript.listing(case.whole, level, chosen, names), proof="every order")


def _orders(source: Source, verdict: Verdict, case: Case) -> Iterator[dict]:
    """Orders that may show the ok: the one found, then those of stronger levels."""
    yield from _found_if_listed(verdict, case)
    from checker import check_source

    order = "so" if case.level.startswith("strong-session-") else known_level(case.level).order
    prefix = {"so": "strong-session-", "rt": "strong-", "": ""}[order]
    for stronger in ("serializable", "snapshot-isolation"):
        name = known_level(prefix + stronger).name
        again = verdict if name == case.level else check_source(source, level=name)
        told = level_of(again, source)
        if again.verdict == "ok" and name != case.level and told != case.level:
            yield from _found_if_listed(again, replace(case, level=told))


def _found_if_listed(verdict: Verdict, case: Case) -> Iterator[dict]:
    """The order found, unless no listing of this history stands for the level."""
    if case.level in transcript.LEVELS:
        with suppress(ValueError):
            yield from _found(verdict, case)


def _found(verdict: Verdict, case: Case) -> Iterator[dict]:
    """The order that the checker found, as one of the listing's transactions. Raises ValueError when there is none."""
    rows = {row[0]: row for row in transcript.listing(case.whole, case.level)}
    order = [case.names[name] for name in verdict.order or ()]
    if case.snapshot and verdict.proof:
        events = verdict.proof["starts_and_commits"]
        yield _ordered((one[:2] + case.names[one[2:]] for one in events), rows, case.level)
    if case.snapshot:
        order = [event + name for name in order for event in ("s:", "c:")]
    if case.level.endswith(("read-committed", "cursor-stability", *transcript.SEEN)):
        order = list(_with_reads(order, rows))
    if case.level.endswith("read-uncommitted"):
        order = _sorted(rows)
    yield _ordered(order, rows, case.level)


def _ordered(order: Iterator[str] | Sequence[str], rows: Mapping[str, list], level: str) -> dict:
    """The claim, each tick of the clock just before the first transaction that comes after it, or last of all."""
    found: dict[str, list] = {}
    for name in (*order, *(name for name in rows if name.startswith("tick "))):
        missing, ahead = [name], []
        while missing:
            one = missing.pop()
            ahead.append(one)
            missing += [other for other in rows[one][2] if other.startswith("tick ") and other not in found]
        found |= {one: rows[one] for one in reversed(ahead)}
    return claim_of("ok", level, list(found.values()))


def _sorted(rows: Mapping[str, list]) -> list[str]:
    """An order in which each comes after what it should; none when there is no such order."""
    try:
        return list(TopologicalSorter({name: after for name, _, after, _ in rows.values()}).static_order())
    except CycleError:
        return []


def _with_reads(order: Sequence[str], rows: Mapping[str, list]) -> Iterator[str]:
    """An order of the writers, each read from outside put where what it saw was just left there."""
    waiting: dict[tuple, list[str]] = {}
    for name, _, _, steps in rows.values():
        if name.startswith("r:"):
            waiting.setdefault((steps[0][1], *steps[0][2]), []).append(name)
    state: dict[str, list] = {}
    for one in [one for one in waiting if len(one) == 1]:
        yield from waiting.pop(one)
    for name in order:
        yield name
        for kind, key, values in rows[name][3]:
            if kind != "r":
                state[key] = state.get(key, []) * (kind == "append") + values
        for key in {key for kind, key, _ in rows[name][3] if kind != "r"}:
            yield from waiting.pop((key, *state[key]), ())
