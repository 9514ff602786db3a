"""Puts recorded days after one another as one history in columns: other objects, later names, positions and times.

Decides nothing about what happened in a day; what the agents did on the first day they do, renamed, on the second.
"""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from coagent.column import COLUMNS, SCALARS, TIMES
from coagent.history import RECORDS, Record
from coagent.path import ancestors
from coagent.table import KIND, Form, Table

ONCE = {"launch": "first", "finish": "last", "commit": "last", "quiescent": "last", "end": "last"}
"""Verbatim records that a history has once: those of the first day, or of the last, stand for all."""

_OPS = ("op", "other", "saw_writer", "captured_writer", "ops_op")
_TEXTS = ("value", "route", "word", "saw_value", "captured_value", "wrote_value", "args_value", "reads", "writes")
_PATHS = ("saw_path", "captured_path", "wrote_path")
_EARLY = ("before_infer", "before_inferred", "before_invoke")


class Day:
    """A recorded day, with what has to be known of it to put another one after it."""

    def __init__(self, table: Table) -> None:
        self.table = table
        columns, owners = table.columns, table.owners
        self.operations = len(owners)
        agent, agents = columns["agent"][owners], len(table.header["agents"])
        self.numbers, self.keys, self.low = (np.zeros(agents, np.int64) for _ in range(3))
        np.maximum.at(self.numbers, agent, columns["number"][owners])
        np.maximum.at(self.keys, agent, columns["key"][owners] + 1)
        np.minimum.at(self.low, agent, columns["key"][owners])
        self.length = float(columns["at_end"].max()) + 1.0
        starts = {*table.paths, *(one for path in table.paths for one in ancestors(path))}
        values = [json.loads(text) for text in table.texts]
        self.spelled = np.array([isinstance(one, str) and one in starts for one in values], bool)
        self.positions = {at: values[at] for at in np.unique(columns["place"]).tolist() if at >= 0}

    def without(self, *, first: bool, last: bool) -> tuple[dict[str, np.ndarray], list[Record]]:
        """The columns without the records that other days have."""
        kept = {name for name, which in ONCE.items() if (which == "first" and first) or (which == "last" and last)}
        table, columns = self.table, dict(self.table.columns)
        verbatim = np.flatnonzero(columns["kind"] == KIND["verbatim"])
        gone = [row for row, one in zip(verbatim, table.records, strict=True) if one["event"] in ONCE.keys() - kept]
        place = table.first()
        removed = place[gone]

        def moved(places: np.ndarray) -> np.ndarray:
            return places - np.searchsorted(removed, places)

        after = moved(place)
        for name in _EARLY:
            there = columns[name] > 0
            columns[name] = np.where(there, after - moved(place - columns[name]), 0).astype(np.int32)
        stay = np.ones(len(table), bool)
        stay[gone] = False
        after, late = after[stay], table.late[stay]
        columns |= {name: columns[name][stay] for name in (*SCALARS, *TIMES)}
        ends = np.concatenate(([0], (after + late)[:-1]))
        columns["skip"] = (after - ends).astype(np.int32)
        return columns, [one for one in table.records if one["event"] not in ONCE or one["event"] in kept]


def joined(days: Sequence[Day]) -> Table:
    """One history of these days in order, all of the same agents."""
    joining = _Joining(days[0].table.header)
    for at, day in enumerate(days):
        joining.add(day, at, last=at == len(days) - 1)
    return joining.table()


class _Joining:
    def __init__(self, header: Record) -> None:
        self.header = header
        agents = len(header["agents"])
        self.number, self.key = np.zeros(agents, np.int64), np.zeros(agents, np.int64)
        self.ops, self.at, self.size = 0, 0.0, 0
        self.paths: list[str] = []
        self.texts: dict[str, int] = {}
        self.forms: dict[Form, int] = {}
        self.parts: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
        self.records: list[Record] = []
        self.state: dict[str, object] = {}
        self.final: dict[str, object] = {}

    def add(self, day: Day, at: int, *, last: bool) -> None:
        columns, records = day.without(first=at == 0, last=last)
        table, prefix = day.table, f"day-{at}/"
        texts = self.meant(day, prefix)
        forms = np.array([self.forms.setdefault(form, len(self.forms)) for form in table.forms], np.int32)
        agent = np.maximum(columns["agent"], 0)
        low = self.key - day.low
        named = columns["number"] >= 0
        changed = {name: _shifted(columns[name], self.ops) for name in _OPS}
        changed |= {name: _mapped(columns[name], texts) for name in _TEXTS}
        changed |= {name: columns[name] + len(self.paths) for name in _PATHS}
        changed |= {name: np.where(columns[name] >= 0, np.round(columns[name] + self.at, 6), -1.0) for name in TIMES}
        changed |= {"form": _mapped(columns["form"], forms), "place": self.positions(day, columns, low)}
        changed["number"] = np.where(named, columns["number"] + self.number[agent], columns["number"])
        keyed = named & (columns["place"] < 0)
        changed["key"] = np.where(keyed, columns["key"] + low[agent], columns["key"])
        for name in COLUMNS:
            column = changed.get(name, columns[name])
            self.parts[name].append(column.astype(np.float64 if name in TIMES else np.int32))
        self.records += [self.renamed(record) for record in records]
        self.state |= {prefix + path: value for path, value in table.header["state"].items()}
        self.final |= {prefix + path: value for path, value in table.records[-1]["final_state"].items()}
        self.size += int(table.first()[-1]) + 1 - (len(table.records) - len(records))
        self.paths += [prefix + path for path in table.paths]
        self.number += day.numbers
        self.key += day.keys - day.low
        self.ops, self.at = self.ops + day.operations, round(self.at + day.length, 6)

    def meant(self, day: Day, prefix: str) -> np.ndarray:
        """The numbers here of a day's texts; those that spell a path spell that day's."""
        found = np.empty(len(day.table.texts), np.int32)
        for at, text in enumerate(day.table.texts):
            text = json.dumps(prefix + json.loads(text)) if day.spelled[at] else text
            found[at] = self.texts.setdefault(text, len(self.texts))
        return found

    def positions(self, day: Day, columns: Mapping[str, np.ndarray], low: np.ndarray) -> np.ndarray:
        """Positions between two others, moved as those were."""
        place = columns["place"].copy()
        for row in np.flatnonzero(place >= 0).tolist():
            agent = columns["agent"][row]
            rank = len(self.header["agents"][agent]["rank"])
            position = list(day.positions[place[row]])
            position[rank] += int(low[agent])
            text = json.dumps(position)
            place[row] = self.texts.setdefault(text, len(self.texts))
        return place

    def renamed(self, record: Record) -> Record:
        """A verbatim record with the names that this day's operations have here."""
        found = dict(record)
        agents = {one["name"]: at for at, one in enumerate(self.header["agents"])}
        for field, kind in RECORDS[record["event"]].items():
            if kind.removeprefix("?") == "op" and field in record:
                agent, _, number = record[field].rpartition(".")
                found[field] = f"{agent}.{int(number) + int(self.number[agents[agent]])}"
        if "at" in record and record["event"] != "launch":
            found["at"] = round(record["at"] + self.at, 6)
        return found

    def table(self) -> Table:
        end = {**self.records[-1], "records": self.size - 1, "final_state": dict(sorted(self.final.items()))}
        return Table(
            header={**self.header, "state": self.state},
            columns={name: np.concatenate(parts) for name, parts in self.parts.items()},
            paths=self.paths,
            texts=list(self.texts),
            forms=list(self.forms),
            records=[*self.records[:-1], end],
        )


def _shifted(column: np.ndarray, by: int) -> np.ndarray:
    return np.where(column >= 0, column + by, column)


def _mapped(column: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    return np.where(column >= 0, numbers[np.maximum(column, 0)], column) if len(numbers) else column
