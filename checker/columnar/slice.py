"""Cuts out of a history the part that a closer look is due to: whatever touched the same paths, and what touched
their paths in turn, so that nothing inside could have come out otherwise for anything outside.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

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
    mine = [found.meaning.paths[at] for at in np.flatnonzero(paths).tolist()]
    alone = found.meaning.paths[len(table.paths) :]
    state = _among(table.header["state"], (*mine, *alone))
    if body and body[-1].get("event") == "end":
        ending = _among(body[-1]["final_state"], (*mine, *alone, *found.meaning.beyond))
        body[-1] = {**body[-1], "records": len(body) - 1, "final_state": ending}
    places = tuple(place for place, *_ in numbered)
    return History({**table.header, "sealed": False, "state": state}, tuple(body), table.where, places)


def _among(cells: Mapping[str, object], paths: Iterable[str]) -> dict[str, object]:
    return {path: cells[path] for path in dict.fromkeys(paths) if path in cells}


def _last_consumed(table: Table) -> np.ndarray:
    """The last row in which each agent consumed notices: its report has to come after it."""
    rows = np.flatnonzero(table.columns["kind"] == KIND["consume"])
    last = np.full(len(table.header["agents"]), -1, np.int64)
    last[table.columns["agent"][rows]] = rows
    return last[last >= 0]


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
    inside, paths = found.doubted, found.strayed
    if not inside.any() and not paths.any():
        return inside, paths
    left, right, nodes = _links(table, found.meaning)
    reached = np.zeros(nodes, bool)
    reached[: len(inside) + len(paths)] = np.concatenate((inside, paths))
    grown = -1
    while grown != (grown := int(reached.sum())):
        reached[right[reached[left]]] = True
        reached[left[reached[right]]] = True
    return reached[: len(inside)], reached[len(inside) : len(inside) + len(paths)]


def _links(table: Table, meaning: Meaning) -> tuple[np.ndarray, np.ndarray, int]:
    """Pairs of what hangs together, and how many things there are: operations, then paths, then folders.

    An operation hangs together with all it saw, captured, wrote, declared, or was given the name of, and with each
    operation that it names as its cause, its heir, its cover or a writer; a folder with those who list it and with
    what is below.
    """
    columns, owners = table.columns, table.owners
    ops = len(owners)
    rows = np.flatnonzero((columns["other"] >= 0) & (columns["op"] >= 0))
    pairs = [(columns["op"][rows], columns["other"][rows])]
    for name in ("saw", "captured", "wrote"):
        there = np.flatnonzero((columns[name] > 0) & (columns["op"] >= 0))
        which, at = entries(table.starts(name), there)
        op = columns["op"][there[which]]
        pairs.append((op, columns[f"{name}_path"][at] + ops))
        if name != "wrote":
            writer = columns[f"{name}_writer"][at]
            pairs.append((op[writer >= 0], writer[writer >= 0]))
    which, at = entries(table.starts("args"), owners)
    given = meaning.path[columns["args_value"][at]]
    pairs.append((which[given >= 0], given[given >= 0] + ops))
    pairs += [(mine, np.full(len(mine), path + ops)) for mine, path in _declared(table, meaning)]
    folders, nodes = _folders(table, meaning), ops + len(meaning.paths)
    for at, (folder, listing) in enumerate(folders.items()):
        below = np.fromiter(meaning.below(folder), np.int64) + ops
        pairs += [(np.array(one, np.int64), np.full(len(one), nodes + at)) for one in (listing, below)]
    left, right = (np.concatenate(side).astype(np.int64) for side in zip(*pairs, strict=True))
    return left, right, nodes + len(folders)


def _declared(table: Table, meaning: Meaning) -> Iterator[tuple[np.ndarray, int]]:
    """Operations and each path that they spell out in what they declare."""
    columns, owners = table.columns, table.owners
    known = {path: at for at, path in enumerate(meaning.paths)}
    for side in ("reads", "writes"):
        declaring = np.flatnonzero(columns[side][owners] >= 0)
        texts = columns[side][owners[declaring]]
        for text in np.unique(texts).tolist():
            for path in meaning.values[text]:
                if path in known:
                    yield declaring[texts == text], known[path]


def _folders(table: Table, meaning: Meaning) -> dict[str, list[int]]:
    """The operations that listed each folder, by what they saw, or as their tool does whether they say so or not."""
    columns, owners = table.columns, table.owners
    found: dict[str, list[int]] = defaultdict(list)
    there = np.flatnonzero((columns["saw"] > 0) & (columns["op"] >= 0))
    which, at = entries(table.starts("saw"), there)
    listed = meaning.listing[columns["saw_path"][at]]
    op = columns["op"][there[which[listed]]]
    for one, path in zip(op.tolist(), columns["saw_path"][at[listed]].tolist(), strict=True):
        found[meaning.paths[path]].append(one)
    for number, form in enumerate(table.forms):
        if form.tool in _LISTING:
            mine = np.flatnonzero((columns["form"][owners] == number) & (columns["args"][owners] > 0))
            which, at = entries(table.starts("args"), owners[mine])
            for one, value in zip(mine[which].tolist(), columns["args_value"][at].tolist(), strict=True):
                found[f"{meaning.values[value]}/"].append(one)
    return found
