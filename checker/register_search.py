"""Finds an order that explains a register history, or derives that there is none, at the levels that ask for one.

Knows no file format. Every ok is replayed by what knows nothing of the search.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from checker.anomaly import Anomaly, local, ranked
from checker.derivation import Tree, cone, edges_between, leaf
from checker.judge import judge
from checker.known_order import edges_in_order
from checker.orientation import oriented
from checker.polygraph import Block, Polygraph, polygraph
from checker.precedence import ordering
from checker.register_replay import apart_problem, serial_problem
from checker.saturation import Contradiction, Saturation
from checker.splitting import decided
from checker.transaction import Key, shown
from checker.verdict import Verdict

if TYPE_CHECKING:
    from checker.register import Question

FIRST = "the initial state"
"""The writer of initial values, where a reader of one need not come before all other writers."""

MOST = 50_000
"""Nodes of the largest polygraph that is closed under transitivity: two bitsets each, 600 MB together."""

WORK = 400_000
"""Guesses times nodes that the exact search may spend; at least eight guesses are always made."""

SHORT = 4
"""Transactions of a cycle for which no shorter one is looked for beyond the contradiction found."""

EDGES = 100_000
"""Edges of the largest history that is looked through for a shorter cycle."""

TOLD = 4
"""Ends of the largest contradiction whose splits are told one by one."""


def answered(question: "Question", budget: int) -> Verdict:
    """Ok with an order, violated with its derivation, or unknown after `budget` guesses."""
    for order in _cheap(question):
        if not serial_problem(order, question.transactions, question.order):
            return ok(question, order)
    kept = _in_sessions(question)
    if kept:
        return ok(question, kept)
    graph = _graph(question, question.order)
    if graph.size > MOST:
        return _too_large(question, graph)
    known = Saturation(graph)
    contradiction = known.saturate()
    if contradiction:
        return _violated(question, known, contradiction)
    nodes, refuted = oriented(known), None
    guesses = min(budget, max(8, WORK // graph.size))
    if nodes is None:
        nodes, refuted = decided(known, guesses)
    if nodes is not None:
        return ok(question, _names(graph, nodes))
    if refuted is not None:
        anomalies = (_told_split(graph, refuted.tree),)
        return question.verdict("violated", anomalies=anomalies, proof=_proof(question, refuted.tree))
    missing = (f"the version orders: no order was found, nor excluded, in {guesses} guesses",)
    return question.verdict("unknown", missing=missing)


def ok(question: "Question", order: Sequence[str]) -> Verdict:
    """Ok with this order of transactions, or of starts and commits; unknown when it does not replay."""
    if question.base == "snapshot-isolation":
        events = order if order[0][:2] in ("s:", "c:") else [f"{half}:{name}" for name in order for half in "sc"]
        problem = apart_problem(events, question.transactions, question.order)
        commits = tuple(event[2:] for event in events if event[:2] == "c:")
        found = question.verdict("ok", order=commits, proof={"starts_and_commits": list(events)})
    elif question.base in ("repeatable-read", "consistent-view", "cursor-stability"):
        problem = serial_problem(order, question.transactions, question.order) and _forbidden(question, order)
        found = question.verdict("ok", order=tuple(order))
    else:
        problem = serial_problem(order, question.transactions, question.order)
        found = question.verdict("ok", order=tuple(order))
    if problem:
        return question.verdict("unknown", missing=(f"the order found does not replay: {problem}",))
    return found


def _cheap(question: "Question") -> Iterator[list[str]]:
    """Serial orders that cost nothing to try: as listed, and as the transactions ended."""
    if len(question.live) < 2:
        yield [block.name for block in question.live]
    there = question.there
    yield [one.name for one in there]
    if all(one.ended is not None for one in there):
        yield [one.name for one in sorted(there, key=lambda one: one.ended)]


def _in_sessions(question: "Question") -> list[str] | None:
    """An order that holds the sessions too, though nothing asks for it: most stores do, and it is found sooner."""
    sessions = [one.session for one in question.there]
    if question.order or len(set(sessions)) == len(sessions):
        return None
    graph = _graph(question, "so")
    if graph.size > MOST:
        return None
    known = Saturation(graph)
    nodes = None if known.saturate() else oriented(known, starts=1)
    return _names(graph, nodes) if nodes else None


def _names(graph: Polygraph, nodes: Sequence[int]) -> list[str]:
    return [name for node in nodes if (name := graph.named(node)) != FIRST]


def _graph(question: "Question", order: str) -> Polygraph:
    """The polygraph of the level: starts apart at snapshot isolation, fewer edges from readers at the weaker ones."""
    if question.base != "consistent-view":
        reads = "own" if question.base == "cursor-stability" else "all"
        apart = question.base == "snapshot-isolation"
        return polygraph(question.live, question.there, apart=apart, order=order, reads=reads)
    nil = {key: None for block in question.live for key, values in block.reads.items() if None in values}
    first = Block(name=FIRST, reads={}, writes=nil)
    rest = [Block(name=one.name, reads={**one.reads}, writes=one.writes) for one in question.live]
    graph = polygraph([*rest, first], question.there, order=order, reads="none")
    place = len(rest)
    after = tuple((place, other, ("init", key)) for key in nil for other in graph.writers[key] if other != place)
    return Polygraph(
        names=graph.names,
        lag=0,
        arrows=(*graph.arrows, *after),
        writers=graph.writers,
        readers=graph.readers,
        source=graph.source,
        skips=False,
    )


def _forbidden(question: "Question", order: Sequence[str]) -> str:
    """What the level forbids when all versions come in this order, as a sentence."""
    place = {name: number for number, name in enumerate(order)}
    unlike, unclear = _told_apart(sorted(question.live, key=lambda block: place[block.name]))
    if unclear:
        return f"who wrote what was read of {shown(unclear[0])} is not known"
    versions: dict[object, list[object]] = {}
    for block in unlike:
        for key, value in block.writes.items():
            versions.setdefault(key, []).append(value)
    edges = edges_in_order(unlike, question.there, versions, question.order)
    verdict = judge(list(order), edges, level=question.level)
    return "" if verdict.verdict == "ok" else "; ".join(verdict.missing or verdict.anomalies[0].because)


def _told_apart(blocks: Sequence[Block]) -> tuple[list[Block], list[Key]]:
    """The blocks with no value left twice, nor nil, by a name of its own for each; the keys of which one was read."""
    times = Counter(version for block in blocks for version in block.writes.items())
    alike = {version for version, count in times.items() if count > 1 or version[1] is None}
    seen = {(key, value) for block in blocks for key, values in block.reads.items() for value in values}
    unlike = [
        replace(block, writes={at: (block.name, v) if (at, v) in alike else v for at, v in block.writes.items()})
        for block in blocks
    ]
    return unlike, sorted({key for key, _ in alike & seen}, key=str)


def _too_large(question: "Question", graph: Polygraph) -> Verdict:
    """What the reads show at once of a history with more nodes than are closed under transitivity."""
    edges = edges_between(graph, ((*arrow, 0) for arrow in graph.arrows))
    names = [name for name in graph.names if name != FIRST]
    found = judge(names, [edge for edge in edges if FIRST not in (edge.source, edge.target)], level=question.level)
    if found.verdict == "violated":
        return question.verdict("violated", anomalies=found.anomalies)
    missing = (
        f"the version orders of {len(names)} transactions, which are inferred up to {MOST} (starts and commits)",
    )
    return question.verdict("unknown", missing=missing)


def _violated(question: "Question", known: Saturation, contradiction: Contradiction) -> Verdict:
    """Violated by a contradiction that needs no guess."""
    graph = known.graph
    found = cone(known, contradiction)
    every, near = set(range(len(graph.names))), set()
    anomalies: tuple[Anomaly, ...] = ()
    tree = leaf(known, found) if found else None
    steps = [edge for edge, _ in found.edges] if found else [contradiction.edge] if contradiction.edge else []
    if found:
        near = {node % len(graph.names) for edge, _ in found.edges for node in edge[:2]}
        anomalies = _named(question, known, steps, near)
    if all(len(one.transactions) > SHORT for one in anomalies) and (not found or len(known.order.edges) < EDGES):
        anomalies = _named(question, known, steps, every) or anomalies
    return question.verdict(
        "violated", anomalies=anomalies or (_told_split(graph, tree),), proof=_proof(question, tree)
    )


def _named(question: "Question", known: Saturation, steps: Sequence, near: set[int]) -> tuple[Anomaly, ...]:
    """The forbidden cycles among the transactions of a contradiction, by name; those of recorded edges when they do."""
    graph = known.graph
    names = [graph.names[place] for place in sorted(near) if graph.names[place] != FIRST]
    inside = [
        edge
        for edge in (*known.order.edges, *steps)
        if edge[0] % len(graph.names) in near and edge[1] % len(graph.names) in near
    ]
    for kinds in ({"apart"}, set()):
        edges = [
            edge
            for edge in edges_between(graph, (one for one in inside if one[2][0] not in kinds))
            if FIRST not in (edge.source, edge.target)
        ]
        verdict = judge(names, edges, level=question.level)
        if verdict.verdict == "violated":
            return ranked(verdict.anomalies)
    return ()


def _proof(question: "Question", tree: Tree | None) -> Tree | None:
    """The derivation where the verifier has rules for the level: serializable and its kin, and snapshot isolation."""
    return tree if question.base in ("serializable", "repeatable-read", "snapshot-isolation") else None


def _told_split(graph: Polygraph, tree: Tree | None) -> Anomaly:
    """A contradiction that takes both orders of some writers, in words as long as it has few ends."""
    if tree is None:
        because = (
            "either order of some writers of one key contradicts what was read; the derivation is too long to tell"
        )
        return local("no serial order", graph.names, [because])
    within: dict[str, None] = {}
    lines = list(_lines(tree, within, "", {}))
    there = [name for name in graph.names if name in within]
    if len(lines) > TOLD:
        pairs = f"whichever way {len(lines) - 1} pairs of writers are ordered"
        lines = [f"{len(there)} transactions contradict each other {pairs}"]
    return local("no serial order", there, lines)


def _lines(tree: Tree, within: dict[str, None], given: str, whys: dict[tuple[str, str], str]) -> Iterator[str]:
    """A sentence for each end of the tree; the transactions in them are added to `within`."""
    whys = whys | {tuple(step["edge"]): _because(step) for step in tree["steps"]}
    split = tree.get("split")
    if split:
        _, key, u, w = split["why"]
        for first, then, side in ((u, w, "left"), (w, u, "right")):
            said = f"{first} wrote {shown(key)} before {then}"
            if_so = f"{given} and {said}" if given else f"if {said}"
            yield from _lines(split[f"if_{side}"], within, if_so, whys | {tuple(split[side]): "it wrote first"})
        return
    ring = tree["cycle"]
    parts = []
    for one, other in pairwise([*ring, ring[0]]):
        a, b = _bare(one), _bare(other)
        within |= dict.fromkeys((a, b))
        if a != b:
            parts.append(f"{a} before {b}, because {whys.get((one, other), 'it wrote first')}")
    told = "; ".join([*parts[:-1], f"however {parts[-1]}"]) + ": a contradiction"
    yield f"{given}, then {told}" if given else told


def _bare(node: str) -> str:
    return node[2:] if node[:2] in ("s:", "c:") else node


def _because(step: dict) -> str:
    """Why one step holds, in words."""
    a, b = map(_bare, step["edge"])
    match step["why"]:
        case ["wr", key, _]:
            return f"{b} read {shown(key)} as {a} wrote it"
        case ["init", key]:
            return f"{a} read {shown(key)} before {b} wrote it"
        case ["ww", key, reader, _]:
            return f"{reader} comes after {a}, which wrote {shown(key)} too, and still read it as {b} wrote it"
        case ["rw", key, writer, _]:
            return f"{a} read {shown(key)} as {writer} wrote it, before {b} overwrote that"
        case [kind] if kind in ("so", "rt"):
            return ordering(kind, a, b).because
    return "it starts before it commits"
