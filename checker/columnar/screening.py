"""Screens a history in columns for the operations that a closer look is due to, in the declared order.

Decides for no operation that it is wrong: an operation that passes is one that the careful checker (`effective`,
`notified`) would pass, by the same rules over whole columns; any other, and any that these rules do not know, is
handed on. Knows single cells and listings, notices that were consumed, undo and redo in turn, masked writes.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from checker.columnar.footprint import escapes
from checker.columnar.meaning import Meaning, meanings
from checker.columnar.reckoning import misreckoned
from checker.columnar.standing import named, places, plain
from checker.columnar.stepping import entries, latest, ordered, previous
from coagent.table import KIND, Table, among

OK, FAILED, UNKNOWN = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """`doubted` are the operations, `strayed` the paths (numbers of `meaning`) that a closer look is due to."""

    doubted: np.ndarray
    strayed: np.ndarray
    meaning: Meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What the columns say of each operation: rows of its last answer and its last write (-1: none), and whether it
    counts in the end."""

    acted: np.ndarray
    wrote: np.ndarray
    standing: np.ndarray


def screened(table: Table) -> Screened | None:
    """What is left to look at; None when all of it is (attempts that were aborted, names out of the ordinary)."""
    if not plain(table):
        return None
    meaning = meanings(table)
    if meaning is None:
        return None
    doubted = named(table)
    place = None if doubted is None else places(table, meaning)
    return None if place is None else _Screening(table, meaning, doubted, place).screened()


class _Screening:
    def __init__(self, table: Table, meaning: Meaning, doubted: np.ndarray, place: np.ndarray) -> None:
        self.table, self.meaning, self.doubted, self.place = table, meaning, doubted, place
        self.columns: Mapping[str, np.ndarray] = table.columns
        self.kind, self.op = self.columns["kind"], self.columns["op"]
        self.ops = len(doubted)
        self.first = table.first()
        self.start = {name: table.starts(name) for name in ("args", "saw", "captured", "wrote", "ops")}

    def screened(self) -> Screened:
        with ThreadPoolExecutor(1) as beside:
            physical = beside.submit(self.physical)
            counted = self.counted()
            known = (self.table, self.meaning, self.start, self.table.owners, counted.acted, counted.wrote)
            escaped = beside.submit(escapes, *known)
            final = self.declared(counted)
            self.doubted |= (misreckoned(*known) | escaped.result()) & counted.standing
            live, strayed, doubted = physical.result()
        self.doubted |= doubted
        strayed |= (live != final) | (live != self.meaning.final)
        return Screened(doubted=self.doubted, strayed=strayed, meaning=self.meaning)

    # what each operation comes to

    def rows(self, *kinds: str) -> np.ndarray:
        """Rows of these kinds; `call` alone means one that writes where `writing` is meant."""
        return np.flatnonzero(among(self.kind, kinds))

    def last(self, rows: np.ndarray) -> np.ndarray:
        """The last of these rows for each operation, or -1."""
        found = np.full(self.ops, -1, np.int64)
        found[self.op[rows]] = rows
        return found

    def counted(self) -> Counted:
        columns, op = self.columns, self.op
        results = self.rows("call", "result")
        answered = self.last(results)
        acted = self.last(self.rows("call", "result", "redo", "refresh"))
        self.doubted |= (np.bincount(op[results], minlength=self.ops) != 1) | (acted < 0)
        outcome = columns["status"].astype(np.int64) * len(self.table.texts) + columns["value"]
        self.doubted |= self.unlike(outcome, answered, acted)
        asked = columns["status"] == UNKNOWN
        self.doubted[op[asked & (op >= 0)]] = True
        self.doubted |= columns["saw"][acted] < 0
        gone = np.zeros(self.ops, bool)
        repairs = self.rows("repair")
        took = np.isin(columns["word"][repairs], [self.meaning.text(word) for word in ("rewrite", "retract")])
        gone[op[repairs[took]]] = True
        at = self.place[~gone]
        self.doubted |= ~gone & (np.bincount(at, minlength=self.ops)[self.place] > 1)
        return Counted(acted=acted, wrote=self.written(gone), standing=~gone)

    def unlike(self, outcome: np.ndarray, answered: np.ndarray, acted: np.ndarray) -> np.ndarray:
        """Operations of which it is not plain that their agent believes what they last came to."""
        columns, op = self.columns, self.op
        notices = self.rows("notify")
        downward = self.place[columns["other"][notices]] >= self.place[op[notices]]
        self.doubted[op[notices[(columns["flag"][notices] == 1) | downward]]] = True
        self.doubted[op[notices[np.isin(columns["agent"][notices], self.waiting())]]] = True
        told = self.last(notices)
        consuming = self.rows("consume")
        row, entry = entries(self.start["ops"], consuming)
        names = columns["ops_op"][entry]
        agent = columns["agent"]
        own = agent[consuming[row]] == agent[self.table.owners[names]]
        consumed = np.full(self.ops, -1, np.int64)
        consumed[names[own]] = consuming[row[own]]
        noticed = np.flatnonzero(told >= 0)
        plain = outcome[answered] == outcome[acted]
        then, now = told[noticed], acted[noticed]
        plain[noticed] = (
            (consumed[noticed] > then) & (outcome[then] == outcome[now]) & ((now > then) | self.alike(then, now))
        )
        return ~plain

    def waiting(self) -> np.ndarray:
        """Agents with calls that cannot be undone, which wait for notices to be consumed."""
        owners = self.table.owners
        final = np.array([not one.recoverable for one in self.table.forms], bool)[self.columns["form"][owners]]
        self.doubted |= final
        return np.unique(self.columns["agent"][owners[final]])

    def alike(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Whether rows saw the same cells."""
        count, start = self.columns["saw"], self.start["saw"]
        same = (count[left] == count[right]) & (count[left] >= 0) & (right >= 0)
        row, mine = entries(start, left[same])
        _, other = entries(start, right[same])
        differs = np.zeros(same.sum(), bool)
        for name in ("saw_path", "saw_value", "saw_writer"):
            column = self.columns[name]
            np.logical_or.at(differs, row, column[mine] != column[other])
        same[np.flatnonzero(same)[differs]] = False
        return same

    def written(self, gone: np.ndarray) -> np.ndarray:
        """The row of each operation's last write, masked ones too; those undone and redone out of turn are doubted."""
        kind, op, columns = self.kind, self.op, self.columns
        writing = (kind == KIND["call"]) & (columns["captured"] >= 0)
        change = writing | among(kind, ("exec", "redo", "mask"))
        wrote = self.last(np.flatnonzero(change))
        failed = change & (columns["status"] != OK) & (kind != KIND["mask"]) & (columns["wrote"] > 0)
        self.doubted[op[failed]] = True
        step = np.flatnonzero(change | among(kind, ("undo", "inherit")))
        often = np.bincount(op[step], minlength=self.ops)[op[step]] > 1
        step = step[often | ~change[step]]
        step = step[np.argsort(op[step], kind="stable")]
        undone = np.zeros(self.ops, bool)
        if len(step):
            wrong, ends = self.out_of_turn(step)
            self.doubted[op[wrong]] = True
            undone[op[ends]] = True
        self.doubted |= undone & ~gone & (columns["wrote"][wrote] > 0)
        return wrote

    def out_of_turn(self, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of the rows that write, mask, undo or leave, by operation: those out of turn, and those that leave it undone.

        A write comes first or after an undo, or after a write that changed nothing; an undo comes after a write.
        """
        kind, op = self.kind[step], self.op[step]
        back, masked = among(kind, ("undo", "inherit")), kind == KIND["mask"]
        begins = np.concatenate(([True], op[1:] != op[:-1]))
        ends = np.concatenate((begins[1:], [True]))
        after_back, after_mask = (np.concatenate(([False], one[:-1])) for one in (back, masked))
        after_change = np.concatenate(([False], self.columns["wrote"][step[:-1]] > 0)) & ~after_back & ~after_mask
        wrong = np.where(begins, back, (back & (after_back | after_mask)) | (~back & after_change) | masked)
        return step[wrong], step[ends & back]

    # the live store

    def physical(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What each path holds in the end by the recorded effects; paths and operations where that is not plain."""
        columns, kind, op, first = self.columns, self.kind, self.op, self.first
        calls = (kind == KIND["call"]) & (columns["captured"] >= 0)
        prepared = np.flatnonzero(calls | (kind == KIND["prepare"]))
        changed = np.flatnonzero(calls | among(kind, ("exec", "redo")))
        undone = self.rows("undo")
        doubted = np.zeros(self.ops, bool)
        basis, doubtful = self.bases(prepared, changed, undone)
        doubted[op[undone[doubtful]]] = True
        undone, basis = undone[~doubtful], basis[~doubtful]
        parts = []
        for rows, source, after, check in ((prepared, prepared, 0, 2), (changed, changed, 1, 0), (undone, basis, 0, 1)):
            name = "wrote" if check == 0 else "captured"
            at, entry = entries(self.start[name], source)
            moment = first[rows] + (after if after else 0) * (kind[rows] == KIND["call"])
            writer = op[rows[at]] if check == 0 else columns["captured_writer"][entry]
            parts.append(
                (
                    columns[f"{name}_path"][entry],
                    moment[at],
                    columns[f"{name}_value"][entry],
                    writer,
                    np.full(len(at), check, np.int8),
                    op[rows[at]],
                )
            )
        path, moment, value, writer, check, by = (np.concatenate(many) for many in zip(*parts, strict=True))
        order = ordered(path, moment)
        path, value, writer, check, by = path[order], value[order], writer[order], check[order], by[order]
        before = previous(path, check < 2)
        was = np.where(before >= 0, value[before], self.meaning.initial[path])
        whose = np.where(before >= 0, writer[before], -1)
        wrong = (check == 2) & (was != value) | (check == 1) & (whose != by)
        doubted[by[wrong]] = True
        live = self.meaning.initial.copy()
        change = check < 2
        live[path[change]] = value[change]
        strayed = np.zeros(len(live), bool)
        strayed[path[wrong]] = True
        return live, strayed, doubted

    def bases(self, prepared: np.ndarray, changed: np.ndarray, undone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For each undo, the row whose captured cells it puts back; and whether these are not just what was written."""
        op = self.op
        basis = latest(op[prepared], prepared, op[undone], undone)
        write = latest(op[changed], changed, op[undone], undone)
        basis = self.inherited(prepared, basis, undone)
        columns = self.columns
        doubtful = (basis < 0) | (write < 0) | (columns["captured"][basis] != columns["wrote"][write])
        sure = np.flatnonzero(~doubtful)
        row, left = entries(self.start["captured"], basis[sure])
        _, right = entries(self.start["wrote"], write[sure])
        doubtful[sure[row[columns["captured_path"][left] != columns["wrote_path"][right]]]] = True
        return basis, doubtful

    def inherited(self, prepared: np.ndarray, basis: np.ndarray, undone: np.ndarray) -> np.ndarray:
        """The bases, of an heir those of the operation that left under it; -1 where more than that went on."""
        op, left = self.op, self.rows("inherit")
        heir = self.columns["other"][left]
        came = latest(heir, left, op[undone], undone)
        came = np.where(came > basis, came, -1)
        again = latest(heir, left, op[undone], came)
        lower = latest(op[prepared], prepared, op[came], came)
        deeper = latest(heir, left, op[came], came)
        return np.where(came < 0, basis, np.where((again > basis) | (deeper > lower), -1, lower))

    # the declared order

    def declared(self, counted: Counted) -> np.ndarray:
        """Doubt whoever saw what its place in the order does not show; what each path comes to in that order."""
        columns = self.columns
        ops = np.flatnonzero(counted.standing & (counted.acted >= 0))
        acted, wrote = counted.acted[ops], counted.wrote[ops]
        seen, entry = entries(self.start["saw"], acted)
        path, value = columns["saw_path"][entry], columns["saw_value"][entry]
        place = self.place[ops]
        listing = self.meaning.listing[path]
        missed_op, missed_path = self.missed(ops[seen[listing]], path[listing], acted[seen[listing]])
        changing = np.flatnonzero(wrote >= 0)
        left, there = entries(self.start["wrote"], wrote[changing])
        left = changing[left]
        paths = np.concatenate((path[~listing], missed_path, columns["wrote_path"][there]))
        values = np.concatenate((value[~listing], np.full(len(missed_path), -1), columns["wrote_value"][there]))
        moment = np.concatenate((place[seen[~listing]], self.place[missed_op], place[left])).astype(np.int64)
        by = np.concatenate((ops[seen[~listing]], missed_op, ops[left]))
        writes = np.arange(len(paths)) >= len(paths) - len(there)
        order = ordered(paths, moment * 2 + writes)
        paths, values, by, writes = paths[order], values[order], by[order], writes[order]
        before = previous(paths, writes)
        due = np.where(before >= 0, values[before], self.meaning.initial[paths])
        self.doubted[by[~writes & (due != values)]] = True
        final = self.meaning.initial.copy()
        final[paths[writes]] = values[writes]
        return final

    def missed(self, op: np.ndarray, folder: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Operations and paths that they listed without seeing, so that nothing may be there at their place."""
        found: tuple[list[int], list[int]] = [], []
        members = {where: set(self.meaning.below(self.meaning.paths[where])) for where in np.unique(folder).tolist()}
        start = self.start["saw"]
        for who, where, at in zip(op.tolist(), folder.tolist(), row.tolist(), strict=True):
            unseen = members[where].difference(self.columns["saw_path"][start[at] : start[at + 1]].tolist())
            found[0].extend([who] * len(unseen))
            found[1].extend(unseen)
        return np.array(found[0], np.int64), np.array(found[1], np.int64)
