"""Cuts out of a history the part that a closer look is due to: whatever touched the same paths, and what touched
their paths in turn, so that nothing inside could have come out otherwise for anything outside.
"""

import numpy as np

from checker.columnar.meaning import Meaning
from checker.columnar.screening import Screened
from checker.columnar.stepping import entries
from coagent.expansion import records
from coagent.history import History
from coagent.table import KIND, Table

_LISTING = ("list",)
"""Known tools that look below a path whether or not they say so."""

MOST = 0.5
"""Share of the operations above which the whole history is looked at instead."""


def slice_of(table: Table, found: Screened) -> History | None:
    """The history of just the operations in question and their like, with every agent's launches, reports and commits.

    A history in its own right: paths that others touched alone are not in its states. None when it would hold most.
    """
    inside, paths = _closed(table, found)
    if inside.mean() > MOST if len(inside) else False:
        return None
    kind, op = table.columns["kind"], table.columns["op"]
    chosen = (kind == KIND["verbatim"]) | ((op >= 0) & inside[op])
    naming = np.flatnonzero(table.columns["ops"] >= 0)
    which, at = entries(table.starts("ops"), naming)
    chosen[naming[which[inside[table.columns["ops_op"][at]]]]] = True
    chosen[_last_consumed(table)] = True
    numbered = sorted(records(table, np.flatnonzero(chosen)), key=lambda one: one[0])
    kept = _names(table, inside) if np.any(table.columns["ops"][chosen] > 0) else frozenset()
    body = [_narrowed(record, kept) for *_, record in numbered]
    others = set(table.paths) - {found.meaning.paths[at] for at in np.flatnonzero(paths).tolist()}
    state = {path: value for path, value in table.header["state"].items() if path not in others}
    if body and body[-1].get("event") == "end":
        ending = {path: value for path, value in body[-1]["final_state"].items() if path not in others}
        body[-1] = {**body[-1], "records": len(body) - 1, "final_state": ending}
    places = tuple(place for place, *_ in numbered)
    return History({**table.header, "sealed": False, "state": state}, tuple(body), table.where, places)


def _last_consumed(table: Table) -> list[int]:
    """The last row in which each agent consumed notices: its report has to come after it."""
    rows = np.flatnonzero(table.columns["kind"] == KIND["consume"])
    return list(dict(zip(table.columns["agent"][rows].tolist(), rows.tolist(), strict=True)).values())


def _narrowed(record: dict, kept: frozenset[str]) -> dict:
    return {**record, "ops": [op for op in record["ops"] if op in kept]} if "ops" in record else record


def _names(table: Table, inside: np.ndarray) -> frozenset[str]:
    agents = [one["name"] for one in table.header["agents"]]
    rows = table.owners[np.flatnonzero(inside)]
    columns = table.columns
    return frozenset(
        f"{agents[agent]}.{number}"
        for agent, number in zip(columns["agent"][rows].tolist(), columns["number"][rows].tolist(), strict=True)
    )


def _closed(table: Table, found: Screened) -> tuple[np.ndarray, np.ndarray]:
    """The operations and paths that hang together with those in question."""
    inside, paths = found.doubted.copy(), found.strayed.copy()
    if not inside.any() and not paths.any():
        return inside, paths
    op, path = _touches(table, found.meaning)
    left, right = _named(table)
    grown = -1
    while grown != (grown := int(inside.sum()) + int(paths.sum())):
        paths[path[inside[op]]] = True
        inside[op[paths[path]]] = True
        inside[left[inside[right]]] = True
        inside[right[inside[left]]] = True
    return inside, paths


def _named(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of operations, one of which names the other: as its cause, its heir, its cover, or the writer it saw."""
    columns = table.columns
    rows = np.flatnonzero((columns["other"] >= 0) & (columns["op"] >= 0))
    pairs = [(columns["op"][rows], columns["other"][rows])]
    for name in ("saw", "captured"):
        there = np.flatnonzero((columns[name] > 0) & (columns["op"] >= 0))
        which, at = entries(table.starts(name), there)
        writer = columns[f"{name}_writer"][at]
        pairs.append((columns["op"][there[which]][writer >= 0], writer[writer >= 0]))
    left, right = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return left, right


def _touches(table: Table, meaning: Meaning) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of an operation and a path: all it saw, listed, captured, wrote, declared, or was given the name of."""
    columns, ops, paths = table.columns, [], []
    for name in ("saw", "captured", "wrote"):
        rows = np.flatnonzero(columns[name] > 0)
        which, at = entries(table.starts(name), rows)
        ops.append(columns["op"][rows[which]])
        paths.append(columns[f"{name}_path"][at])
    listed = np.unique(np.stack((ops[0], paths[0]))[:, meaning.listing[paths[0]]], axis=1)
    owners = table.owners
    folders = [(op, meaning.paths[path]) for op, path in listed.T.tolist()]
    for number, form in enumerate(table.forms):
        if form.tool in _LISTING:
            mine = np.flatnonzero((columns["form"][owners] == number) & (columns["args"][owners] > 0))
            which, at = entries(table.starts("args"), owners[mine])
            given = zip(mine[which].tolist(), columns["args_value"][at].tolist(), strict=True)
            folders += [(op, f"{meaning.values[value]}/") for op, value in given]
    for op, folder in folders:
        below = np.fromiter(meaning.below(folder), np.int64)
        ops.append(np.full(len(below), op))
        paths.append(below)
    which, at = entries(table.starts("args"), owners)
    given = meaning.path[columns["args_value"][at]]
    ops.append(which[given >= 0])
    paths.append(given[given >= 0])
    known = {path: at for at, path in enumerate(meaning.paths)}
    for side in ("reads", "writes"):
        declaring = np.flatnonzero(columns[side][owners] >= 0)
        texts = columns[side][owners[declaring]]
        for text in np.unique(texts).tolist():
            for path in meaning.values[text]:
                if path in known:
                    mine = declaring[texts == text]
                    ops.append(mine)
                    paths.append(np.full(len(mine), known[path]))
    return np.concatenate(ops).astype(np.int64), np.concatenate(paths).astype(np.int64)
