"""Whether a table is one that a screening may be made of, which operations its verbatim records name, and where each
operation stands in the declared order.
"""

from collections.abc import Iterator

import numpy as np

from checker.columnar.meaning import Meaning
from checker.columnar.stepping import entries, ranked
from coagent.history import RECORDS
from coagent.table import KIND, Table, among

_WHOLE = ("abort", "fork", "forked", "give-up", "invoke", "merge", "rows")
"""Records that concern all that an agent did, or that should have been rows: with them nothing is screened."""

_CELLS = {"saw", "captured", "wrote"}
"""Fields of a record that should have been a row."""


def plain(table: Table) -> bool:
    """Whether no attempt was aborted, no name is odd or used twice, and each row speaks of what was invoked before it
    and of its own agent's."""
    columns, kind, op = table.columns, table.columns["kind"], table.columns["op"]
    invoking = among(kind, ("call", "invoke"))
    if len({len(one["rank"]) for one in table.header["agents"]}) > 1:
        return False
    if np.any(columns["attempt"][invoking | (kind == KIND["infer"])] != 1):
        return False
    owners, first = table.owners, table.first()
    agent = columns["agent"][owners]
    number = columns["number"][owners]
    if np.any(number < 0) or ranked(agent, number).max(initial=-1) != len(owners) - 1:
        return False
    begun = first[owners] - columns["before_invoke"][owners]
    for named_op in (op, columns["other"]):
        rows = np.flatnonzero((named_op >= 0) & ~(invoking & (named_op is op)))
        if np.any(begun[named_op[rows]] >= first[rows] - columns["before_invoke"][rows]):
            return False
    rows = np.flatnonzero(columns["ops"] > 0)
    which, at = entries(table.starts("ops"), rows)
    if np.any(begun[columns["ops_op"][at]] >= first[rows[which]]):
        return False
    speaking = np.flatnonzero((op >= 0) & (columns["agent"] >= 0))
    return bool(np.all(columns["agent"][speaking] == agent[op[speaking]]))


def named(table: Table) -> np.ndarray | None:
    """The operations that a verbatim record names; None when one of these records concerns everything."""
    agents = {one["name"]: at for at, one in enumerate(table.header["agents"])}
    wanted = []
    for record in table.records:
        event = record.get("event")
        if event in _WHOLE or event not in RECORDS or _CELLS & record.keys():
            return None
        for name in _names(record):
            agent, _, number = name.rpartition(".")
            if not number.isascii() or not number.isdigit() or agent not in agents or int(number) >= 2**31:
                return None
            wanted.append(agents[agent] << 32 | int(number))
    columns, owners = table.columns, table.owners
    if not wanted:
        return np.zeros(len(owners), bool)
    found = np.isin(columns["agent"][owners].astype(np.int64) << 32 | columns["number"][owners], wanted)
    return found if found.sum() == len(set(wanted)) else None


def _names(record: dict) -> Iterator[str]:
    for field, kind in RECORDS[record["event"]].items():
        value = record.get(field)
        if kind.removeprefix("?") == "op" and isinstance(value, str):
            yield value
        elif kind == "ops" and isinstance(value, list):
            yield from (one for one in value if isinstance(one, str))


def places(table: Table, meaning: Meaning) -> np.ndarray | None:
    """The place of each operation in the declared order, equal for equal positions; None for a foreign position."""
    columns, owners = table.columns, table.owners
    agent, key = columns["agent"][owners].astype(np.int64), columns["key"][owners].astype(np.int64)
    odd = np.flatnonzero(columns["place"][owners] >= 0)
    ranks = [one["rank"] for one in table.header["agents"]]
    tails = []
    for op in odd.tolist():
        position, rank = meaning.values[columns["place"][owners[op]]], ranks[agent[op]]
        if position[: len(rank)] != rank or len(position) == len(rank) or abs(position[len(rank)]) >= 2**31:
            return None
        tails.append((int(agent[op]), *position[len(rank) :]))
        key[op] = position[len(rank)]
    coarse = ranked(agent, key)
    if not tails:
        return coarse
    within = {tail: at + 1 for at, tail in enumerate(sorted(set(tails)))}
    finer = np.zeros(len(key), np.int64)
    finer[odd] = [within[tail] if len(tail) > 2 else 0 for tail in tails]
    return ranked(coarse, finer)
