"""Follows a run record by record beside a model of the live store, and notes what was not as it should be.

Each finding names the assumption or the rule that it breaks, and the record. What a finding comes to, and
which of several is to blame, `checker.blame` decides.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from checker.effective import Reduced
from checker.height import Heights
from checker.told import Seen, cells, nth, said, seen
from coagent.history import History, Record, frozen
from coagent.operation import Cell, Position
from coagent.path import any_overlap

Entry = tuple[Cell, str | None]
ABSENT: Entry = ((), None)
PHYSICAL = ("live", "undo")
"""The routes on which a call sees the live store itself."""

ESCAPE, INVERSE, UNREAD, RULE = "escape", "inverse", "unread", "rule"
UPWARD = "notices go up"
"""How a finding about a notice that went down begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that was not as it should be, at a record. `kind` is `escape` (an effect outside the declared
    footprint), `inverse` (an undo that did not restore), `unread` (a notice not consumed), `rule` (of MTPO)."""

    kind: str
    at: int
    says: str


@dataclass(slots=True, kw_only=True)
class _Touched:
    """The last thing that happened to a cell."""

    entry: Entry = ABSENT
    act: str = "start"
    op: str = ""
    at: int = 0


def findings(history: History, run: Reduced) -> list[Finding]:
    """Everything that was not as it should be, in the order of the records."""
    watch = Watch(history, run.positions)
    for number, record in history.numbered():
        watch.take(nth(number), record)
    watch.compare_end()
    return watch.found


class Watch:
    """The model: cells with the last thing that happened to each, applied writes by path, notices not consumed."""

    def __init__(self, history: History, positions: Mapping[str, Position]) -> None:
        self.history, self.positions = history, positions
        self.found: list[Finding] = []
        self.invokes: dict[str, Record] = {}
        self.versions: dict[str, set[tuple[str, str | None]]] = defaultdict(lambda: {(repr(()), None)})
        self.cells: dict[str, _Touched] = defaultdict(_Touched)
        for path, value in history.header["state"].items():
            self.cells[path].entry = ((frozen(value),), None)
            self.versions[path] = {(repr((frozen(value),)), None)}
        self.captured: dict[str, dict[str, Entry]] = {}
        self.before: dict[str, dict[str, Entry]] = {}
        self.wrote: dict[str, set[str]] = defaultdict(set)
        self.doubtful: dict[str, list[tuple[str, Entry, str]]] = {}
        self.unclear: dict[str, set[str]] = {}
        self.readers, self.writers = Heights(), Heights()
        self.applied: set[str] = set()
        self.covers: dict[str, str] = {}
        self.sent: dict[str, dict[str, int]] = defaultdict(dict)
        self.due: dict[str, dict[str, int]] = {}
        self.began: dict[str, int] = {}
        self.passed: dict[tuple[str, str], int] = {}
        self.overtaken: list[tuple[int, str]] | None = []
        self.tainted: set[str] = set()
        self.owed: dict[str, tuple[str, int]] = {}
        self.unanswered: dict[str, None] = {}

    def take(self, at: int, record: Record) -> None:
        """One record, by its number."""
        op = record.get("op", "")
        match record["event"]:
            case "invoke":
                self.invokes[op] = record
                self.acts(at, record["agent"], f"called {record['tool']}")
            case "finish":
                self.acts(at, record["agent"], "reported")
            case "repair" if record["action"] == "retract":
                self.acts(at, record["agent"], f"took {op} back")
            case "infer":
                self.due[record["agent"]], self.began[record["agent"]] = dict(self.sent[record["agent"]]), at
            case "consume":
                self.consumed(record)
            case "notify":
                self.sent[record["agent"]][op] = at
                self.told(at, record)
            case "prepare":
                self.prepared(at, op, seen(record["captured"]))
            case "exec" | "redo":
                self.applies(at, record)
            case "mask":
                self.wrote[op].update(record["wrote"])
                self.masked(at, op, record["by"])
            case "forked":
                self.writes(at, op, record["wrote"])
            case "merge":
                self.merged(at, record)
            case "undo":
                self.undone(at, op)
            case "inherit":
                self.inherited(op, record["heir"])
            case "result" | "refresh":
                self.looked(at, record)

    def add(self, kind: str, at: int, says: str) -> None:
        self.found.append(Finding(kind=kind, at=at, says=f"{says} (record {at})"))

    # notices

    def acts(self, at: int, agent: str, did: str) -> None:
        """An agent acts: every notice sent before its inference began should have been consumed (A2).

        One that came in the middle of an inference should have held its call back, or be consumed by the next:
        unless some such notice was, it was the protocol that lost it.
        """
        since = self.began.get(agent, 0)
        for op, sent in self.due.pop(agent, {}).items():
            about = f"the notice about {op} of record {sent}"
            if self.overtaken is not None and self.passed.get((agent, op)) == sent:
                self.overtaken.append((at, f"a notice holds a call back or is consumed next: {agent} got past {about}"))
            else:
                says = f"{agent} {did} in an inference begun at record {since}, without having consumed {about}"
                self.add(UNREAD, at, says)
        self.passed |= {(agent, op): sent for op, sent in self.sent[agent].items() if sent > since}

    def consumed(self, record: Record) -> None:
        for op in record["ops"]:
            if self.invokes[op]["agent"] == record["agent"]:
                if self.passed.get((record["agent"], op)) == self.sent[record["agent"]].get(op, 0):
                    self.late_delivery()
                self.sent[record["agent"]].pop(op, None)
                self.due.get(record["agent"], {}).pop(op, None)

    def late_delivery(self) -> None:
        """Notices reach agents that they did not hold back, so one that was not consumed is its agent's affair."""
        for at, says in self.overtaken or ():
            self.add(UNREAD, at, says)
        self.overtaken = None

    def told(self, at: int, record: Record) -> None:
        op, cause = record["op"], record["cause"]
        if self.positions[cause] >= self.positions[op]:
            says = f"{UPWARD}: {record['agent']} was told of {op} because of {cause}, which is not below it"
            self.add(RULE, at, says)

    # the live store

    def prepared(self, at: int, op: str, captured: Seen) -> None:
        self.named(at, op, captured)
        self.before[op] = {path: self.cells[path].entry for path in captured}
        wrong = [(path, entry) for path, entry in captured.items() if repr(entry[0]) != repr(self.before[op][path][0])]
        self.doubtful[op], self.unclear[op] = [], {path for path, _ in wrong}
        for path, entry in wrong:
            last = self.cells[path]
            if last.act == "undo":
                self.unrestored(at, path, entry[0], f"{op} found")
            else:
                is_, was = said(entry[0]), said(last.entry[0])
                says = f"{op} captured {is_} of {path} for undo, and {was} was there (record {at})"
                self.doubtful[op].append((path, entry, says))
        self.captured[op] = dict(captured)

    def unrestored(self, at: int, path: str, cell: Cell, found: str) -> None:
        """A cell that was last brought back by an undo is not what it was."""
        last = self.cells[path]
        if path in self.tainted:
            return
        self.tainted.add(path)
        says = f"undoing {last.op} at record {last.at} should have brought {path} back to {said(last.entry[0])}"
        self.add(INVERSE, at, f"{says}; {found} {said(cell)}")

    def observed(self, at: int, op: str, entries: Iterable[tuple[str, Entry]], model: Mapping[str, Entry]) -> None:
        """The live store as a call saw it, beside the model."""
        for path, entry in entries:
            last = self.cells[path]
            due = model.get(path, last.entry)
            if path.endswith("/") or path in self.tainted or repr(entry[0]) == repr(due[0]):
                continue
            if last.act == "undo":
                self.unrestored(at, path, entry[0], f"{op} saw")
            elif (repr(entry[0]), entry[1]) in self.versions[path]:
                says = f"reads show what is there: {op} saw {path} as {said(entry[0])}, an older version"
                self.add(RULE, at, says)
            elif path not in self.unclear.get(op, ()):
                self.tainted.add(path)
                says = f"{op} saw {path} as {said(entry[0])}, and by every recorded effect it was {said(due[0])}"
                self.add(ESCAPE, at, says)

    def decide_captured(self, op: str, saw: Seen) -> None:
        """What was captured otherwise than it was: the call itself saw what was there."""
        for path, entry, says in self.doubtful.pop(op, ()):
            there = path in saw and repr(saw[path][0]) == repr(entry[0])
            self.found.append(Finding(kind=ESCAPE if there else INVERSE, at=0, says=says))

    def applies(self, at: int, record: Record) -> None:
        op, wrote = record["op"], cells(record["wrote"])
        if "saw" in record:
            self.looked(at, record)
        self.unanswered.pop(op, None)
        self.unanswered.update({op: None} if record["status"] == "unknown" else {})
        self.writes(at, op, wrote)
        if wrote:
            self.lands(at, op)
        for path, cell in wrote.items():
            self.cells[path] = _Touched(entry=(cell, op), act=record["event"], op=op, at=at)
            self.versions[path].add((repr(cell), op))
            self.tainted.discard(path)

    def writes(self, at: int, op: str, paths: Iterable[str]) -> None:
        self.wrote[op].update(paths)
        outside = [path for path in sorted(paths) if not any_overlap([path], self.invokes[op]["writes"])]
        if outside:
            self.add(ESCAPE, at, f"{op} wrote {', '.join(outside)}, outside the footprint that it declared")

    def merged(self, at: int, record: Record) -> None:
        """The live store gets what a merge took of a fork, also where the writer named had not written."""
        for path, entry in seen(record["wrote"]).items():
            self.cells[path] = _Touched(entry=entry, act="merge", op=entry[1] or "", at=at)
            self.versions[path].add((repr(entry[0]), entry[1]))
            self.wrote[entry[1] or ""].add(path)
            self.tainted.discard(path)

    def undone(self, at: int, op: str) -> None:
        self.check_last(at, op)
        self.leaves(op)
        for path, entry in self.captured.pop(op, {}).items():
            self.cells[path] = _Touched(entry=entry, act="undo", op=op, at=at)
            self.tainted.discard(path)

    def inherited(self, op: str, heir: str) -> None:
        below = self.captured.pop(op, {})
        self.captured[heir] = {path: below.get(path, entry) for path, entry in self.captured.get(heir, {}).items()}
        self.leaves(op)

    def looked(self, at: int, record: Record) -> None:
        """What a call saw: inside what it declared, by writers that are known, live as it was, and not from above."""
        op, saw = record["op"], seen(record.get("saw", {}))
        declared = self.invokes[op]["reads"]
        outside = sorted({path.rstrip("/") for path in saw if not any_overlap([path.rstrip("/")], declared)})
        if outside:
            self.add(ESCAPE, at, f"{op} looked at {', '.join(outside)}, outside the footprint that it declared")
        self.named(at, op, saw)
        model = {} if record["event"] == "redo" else self.before.get(op, {})
        self.decide_captured(op, saw)
        if record.get("route") in PHYSICAL:
            self.observed(at, op, saw.items(), model)
        for path, (_, writer) in saw.items():
            if writer in self.positions and self.positions[writer] > self.positions[op]:
                says = f"reads are filtered: {op} saw {path} as {writer}, which is above it, wrote it"
                self.add(RULE, at, says)

    def named(self, at: int, op: str, entries: Seen) -> None:
        """Whoever is seen as the writer of a cell is recorded to have written it."""
        for path, (_, writer) in entries.items():
            if writer is not None and path not in self.wrote.get(writer, ()):
                says = f"{op} saw {path} as {writer} wrote it, and {writer} is not recorded to have written that"
                self.add(ESCAPE, at, says)

    def compare_end(self) -> None:
        """The final state beside the model, and the undos and notices that are still owed."""
        for at, says in self.overtaken or ():
            self.add(RULE, at, says)
        for op in [*self.doubtful]:
            self.decide_captured(op, {})
        for op, (low, at) in self.owed.items() if self.history.end["quiescent"] else ():
            says = (
                f"a late write is slotted in: {low} was carried out below {op}, which had read, and {op} was not undone"
            )
            self.add(RULE, at, says)
        final = {path: (frozen(value),) for path, value in self.history.end["final_state"].items()}
        at = nth(max(number for number, _ in self.history.numbered()))
        open_ = [path for op in self.unanswered for path in self.invokes[op]["writes"]]
        for path in sorted({*final, *self.cells}):
            last, is_ = self.cells[path], final.get(path, ())
            if path in self.tainted or repr(last.entry[0]) == repr(is_) or any_overlap([path], open_):
                continue
            if last.act == "undo":
                self.unrestored(at, path, is_, "it ends as")
            else:
                says = f"{path} ends as {said(is_)}, and by every recorded effect it is {said(last.entry[0])}"
                self.add(ESCAPE, at, says)

    # the order of what is applied

    def lands(self, at: int, op: str) -> None:
        """A write acts under nothing above it that it conflicts with (P1 section 4.4).

        What is above and only read what is written here may be undone a little later, for its undo touches
        nothing of this: it is owed an undo.
        """
        for other, writes in self.above(op):
            if writes:
                says = (
                    f"a late write is slotted in: {op} was carried out while {other}, which is above it, was in place"
                )
                self.add(RULE, at, says)
                break
            self.owed.setdefault(other, (op, at))
        if op not in self.applied:
            self.applied.add(op)
            self.readers.add(self.invokes[op]["reads"], self.positions[op], op)
            self.writers.add(self.invokes[op]["writes"], self.positions[op], op)

    def leaves(self, op: str) -> None:
        self.owed.pop(op, None)
        if op in self.applied:
            self.applied.discard(op)
            self.readers.remove(self.invokes[op]["reads"], self.positions[op], op)
            self.writers.remove(self.invokes[op]["writes"], self.positions[op], op)

    def check_last(self, at: int, op: str) -> None:
        """Undo is last in, first out among what conflicts (contract C5)."""
        for path in self.captured.get(op, {}) if op in self.applied else ():
            last = self.cells[path]
            if last.entry[1] != op and last.entry[1] is not None:
                says = f"undo is last in, first out: {op} was undone while {path} was as {last.entry[1]} had written it"
                self.add(RULE, at, says)
                break

    def above(self, op: str) -> Iterator[tuple[str, bool]]:
        """The applied writes above an operation that conflict with it, and whether they write what it touches."""
        invoke, here = self.invokes[op], self.positions[op]
        writing = self.writers.above((*invoke["reads"], *invoke["writes"]), here)
        for other in sorted(writing | self.readers.above(invoke["writes"], here)):
            if self.invokes[other]["recoverable"]:
                yield other, other in writing

    def masked(self, at: int, op: str, by: str) -> None:
        """A masked write is hidden by a blind write above it that stands (Thomas' write rule)."""
        cover, mine = self.invokes[by], self.invokes[op]
        stands = by in self.applied and self.positions[by] > self.positions[op] and cover["blind"]
        if not (stands and set(mine["writes"]) <= set(cover["writes"])):
            self.add(RULE, at, f"only a blind write above may hide another: {op} was left out under {by}")
