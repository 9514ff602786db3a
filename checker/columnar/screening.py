"""Screens a history in columns for the operations that a closer look is due to, in the declared order.

Decides for no operation that it is wrong: an operation that passes is one that the careful checker (`effective`,
`notified`) would pass, by the same rules over whole columns; any other, and any that these rules do not know, is
handed on. Knows single cells and listings, notices that were consumed, undo and redo in turn, masked writes.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import numpy as np

from checker.columnar.call import SEVERAL, Calls, calls
from checker.columnar.effect import Effects, effects, settled
from checker.columnar.footprint import escapes
from checker.columnar.listing import housed
from checker.columnar.meaning import Meaning, meanings
from checker.columnar.reckoning import misreckoned
from checker.columnar.standing import named, places, plain
from checker.columnar.stepping import entries, ordered, previous
from coagent.column import LISTS
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
    with ThreadPoolExecutor(1) as beside:
        usual, happened = beside.submit(plain, table), beside.submit(effects, table)
        meaning = meanings(table)
        if meaning is None or not usual.result():
            return None
        doubted = named(table)
        place = None if doubted is None else places(table, meaning)
        return None if place is None else _Screening(table, meaning, doubted, place).screened(beside, happened)


class _Screening:
    def __init__(self, table: Table, meaning: Meaning, doubted: np.ndarray, place: np.ndarray) -> None:
        self.table, self.meaning, self.doubted, self.place = table, meaning, doubted, place
        self.columns: Mapping[str, np.ndarray] = table.columns
        self.kind, self.op = self.columns["kind"], self.columns["op"]
        self.ops = len(doubted)
        self.start = {name: table.starts(name) for name in ("args", "saw", "captured", "wrote", "ops")}

    def screened(self, beside: ThreadPoolExecutor, happened: Future[Effects]) -> Screened:
        counted = self.counted()
        of = calls(self.table, self.start, counted.acted, counted.wrote)
        known = (self.table, self.meaning, self.start, of, housed(self.table, self.meaning, of))
        escaped, wrong = beside.submit(escapes, *known), beside.submit(misreckoned, *known)
        final = self.declared(counted, of)
        live, strayed, doubted = settled(happened.result(), self.meaning.initial)
        self.doubted |= doubted | ((wrong.result() | escaped.result()) & counted.standing)
        strayed |= (live != final) | (live != self.meaning.final)
        return Screened(doubted=self.doubted, strayed=strayed, meaning=self.meaning)

    # what each operation comes to

    def rows(self, *kinds: str) -> np.ndarray:
        """Rows of these kinds; `call` alone means one that writes where `writing` is meant."""
        return np.flatnonzero(self.table.among(kinds))

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
        self.doubted |= self.unlike(answered, acted)
        asked = op[np.flatnonzero(columns["status"] == UNKNOWN)]
        self.doubted[asked[asked >= 0]] = True
        self.doubted |= columns["saw"][acted] < 0
        gone = np.zeros(self.ops, bool)
        repairs = self.rows("repair")
        took = np.isin(columns["word"][repairs], [self.meaning.text(word) for word in ("rewrite", "retract")])
        gone[op[repairs[took]]] = True
        at = np.bincount(self.place[np.flatnonzero(~gone)], minlength=self.ops)
        if at.max(initial=0) > 1:
            self.doubted |= ~gone & (at[self.place] > 1)
        return Counted(acted=acted, wrote=self.written(gone), standing=~gone)

    def unlike(self, answered: np.ndarray, acted: np.ndarray) -> np.ndarray:
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
        again = np.flatnonzero(answered != acted)
        plain = np.ones(self.ops, bool)
        plain[again] = self.same(answered[again], acted[again])
        then, now = told[noticed], acted[noticed]
        plain[noticed] = (consumed[noticed] > then) & self.same(then, now) & ((now > then) | self.alike(then, now))
        return ~plain

    def same(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Whether rows have the same status and value."""
        status, value = self.columns["status"], self.columns["value"]
        return (status[left] == status[right]) & (value[left] == value[right])

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
        change = writing | self.table.among(("exec", "redo", "mask"))
        wrote = self.last(np.flatnonzero(change))
        failed = change & (columns["status"] != OK) & (kind != KIND["mask"]) & (columns["wrote"] > 0)
        self.doubted[op[failed]] = True
        step = np.flatnonzero(change | self.table.among(("undo", "inherit")))
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

    # the declared order

    def declared(self, counted: Counted, of: Calls) -> np.ndarray:
        """Doubt whoever saw what its place in the order does not show; what each path comes to in that order."""
        standing = counted.standing & (of.acted >= 0)
        ops, path, value = self.touched("saw", standing, of.acted, (of.saw_path, of.saw))
        listing = self.meaning.listing[path]
        single, folder = np.flatnonzero(~listing), np.flatnonzero(listing)
        missed_op, missed_path = self.missed(ops[folder], path[folder], of.acted[ops[folder]])
        left, there, became = self.touched("wrote", standing, of.changed, (of.wrote_path, of.wrote))
        paths = np.concatenate((path[single], missed_path, there))
        values = np.concatenate((value[single], np.full(len(missed_path), -1, np.int32), became))
        by = np.concatenate((ops[single], missed_op, left))
        writes = np.zeros(len(paths), bool)
        writes[len(paths) - len(left) :] = True
        order = ordered(paths, self.place[by] * 2 + writes)
        paths, values, writes = paths[order], values[order], writes[order]
        before = previous(paths, writes)
        due = np.where(before >= 0, values[before], self.meaning.initial[paths])
        self.doubted[by[order[np.flatnonzero(~writes & (due != values))]]] = True
        final = self.meaning.initial.copy()
        changes = np.flatnonzero(writes)
        final[paths[changes]] = values[changes]
        return final

    def touched(
        self, name: str, standing: np.ndarray, rows: np.ndarray, one: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, ...]:
        """Operations, paths and values of the cells that those standing saw or wrote, most of which were single."""
        path, value = one
        alone, several = np.flatnonzero(standing & (path >= 0)), np.flatnonzero(standing & (path == SEVERAL))
        which, entry = entries(self.start[name], rows[several])
        parts = [self.columns[part][entry] for part in LISTS[name][:2]]
        ops = np.concatenate((alone, several[which]))
        return ops, np.concatenate((path[alone], parts[0])), np.concatenate((value[alone], parts[1]))

    def missed(self, op: np.ndarray, folder: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Operations and paths that they listed without seeing, so that nothing may be there at their place."""
        members = {where: set(self.meaning.below(self.meaning.paths[where])) for where in np.unique(folder).tolist()}
        begins, ends = self.start["saw"][row], self.start["saw"][row + 1]
        known: dict[tuple[int, bytes], list[int]] = {}
        unseen = []
        for where, low, high in zip(folder.tolist(), begins.tolist(), ends.tolist(), strict=True):
            seen = self.columns["saw_path"][low:high]
            key = where, seen.tobytes()
            if key not in known:
                known[key] = sorted(members[where].difference(seen.tolist()))
            unseen.append(known[key])
        found = np.fromiter(chain.from_iterable(unseen), np.int32)
        return np.repeat(op, np.fromiter(map(len, unseen), np.int64, len(unseen))), found
