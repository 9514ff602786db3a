"""Proofs of violations of read atomicity and causal consistency, for certificates (Biswas and Enea, OOPSLA 2019).

Looks for a cycle of what was read from whom, of session order, and of the writers that those put in order; judges
nothing, and what it finds is only given out when the verifier accepts it.
"""

from collections.abc import Iterator, Mapping

from checker import verify


def of_axioms(found: Mapping[str, verify.T], facts: verify.Facts, level: str) -> Iterator[dict]:
    """At `read-atomic` and `causal` a proof, when there is one; nothing at other levels, nor for lists."""
    import networkx as nx

    if level not in ("read-atomic", "causal") or facts.lists:
        return
    flow, steps = nx.DiGraph(), {}
    for step in [*_read(facts), *_sessions(found, facts)]:
        flow.add_edge(step[1], step[2])
        steps.setdefault((step[1], step[2]), step)
    every = flow.copy()
    for step in _forced(facts, flow, level == "causal"):
        every.add_edge(step[1], step[2])
        steps.setdefault((step[1], step[2]), step)
    for part in nx.strongly_connected_components(every):
        if len(part) > 1:
            cycle = [(one, other) for one, other, *_ in nx.find_cycle(every.subgraph(part))]
            used = [steps[edge] for edge in cycle]
            under = {edge for step in used for edge in zip(step[4], step[4][1:], strict=False)}
            first = [steps[edge] for edge in sorted(under)]
            yield {"steps": [*first, *(step for step in used if step not in first)], "cycle": [one for one, _ in cycle]}


def _read(facts: verify.Facts) -> Iterator[list]:
    """Who read from whom."""
    for (key, reader), seen in sorted(facts.reads.items()):
        for value in {one for many in seen for one in many}:
            for writer in facts.made.get((key, value), ())[:1]:
                if writer != reader:
                    yield ["wr", writer, reader, key, []]


def _sessions(found: Mapping[str, verify.T], facts: verify.Facts) -> Iterator[list]:
    """Each transaction and the next one of its session."""
    last: dict[str, str] = {}
    for name in sorted(facts.sure, key=lambda name: found[name].begun):
        session = found[name].session
        if session and session in last:
            yield ["so", last[session], name, "", []]
        last[session] = name


def _forced(facts: verify.Facts, flow: object, causal: bool) -> Iterator[list]:
    """For each writer of a key that leads to a reader of another's value, that it wrote before the other did."""
    import networkx as nx

    for (key, reader), seen in sorted(facts.reads.items()):
        if reader not in flow:
            continue
        leading = nx.ancestors(flow, reader) if causal else set(flow.predecessors(reader))
        for other in sorted(name for name in leading if (key, name) in facts.writes):
            path = nx.shortest_path(flow, other, reader)
            for one in seen:
                if not one:
                    yield ["rw", reader, other, key, path]
                for writer in (facts.made.get((key, value), [""])[0] for value in one):
                    if writer and writer not in (other, reader):
                        yield ["older", other, writer, key, path]
