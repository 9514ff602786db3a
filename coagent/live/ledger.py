"""All that a live run knows, as a function of what happened so far: engine, effects under way, captures, agents' logs.

Fed with events and intents it says what to record and what to do; it does nothing itself. So the same code
carries a run, replays a recorded one, and finds out after a crash what was half-done.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from immutables import Map

from coagent import effect, event, inference
from coagent.actor import Entry
from coagent.event_json import event_in, event_out
from coagent.flights import Flights
from coagent.history import Record
from coagent.live.intent import Intent, intent_in
from coagent.live.seat import NO_USAGE, Seat, Turn
from coagent.live.step import Diverged, Step, checksum, done_blind, holds, named, reported
from coagent.live.target import Memo
from coagent.operation import Cell, Notice, Result, Sighting, Value, same
from coagent.path import within
from coagent.program import report_out
from coagent.recording import args_out, cells_out, entries_out, invoked_out, outcome_out
from coagent.store import ABSENT, Pane, corrections
from coagent.store import Entry as Held
from coagent.tool import Tool


class Ledger:
    """The state of a live run. Not shared between runs; every change goes through `feed`, `intend` or `trouble`."""

    def __init__(self, protocol: object, tools: Mapping[str, Tool]) -> None:
        self.protocol, self.tools = protocol, tools
        self.run = protocol.start()
        self.flights = Flights()
        self.seats: dict[str, Seat] = {}
        self.ready: list[str] = []
        self.cells: Map = Map()
        self.gone: set[str] = set()
        self.start: dict[str, Cell] = {}
        self.captured: Map = Map()
        self.memos: dict[str, Memo] = {}
        self.intents: dict[str, Intent] = {}
        self.results: dict[str, tuple[Result, tuple[Sighting, ...], str]] = {}
        self.refused: set[str] = set()
        self.troubles: list[Record] = []
        self._records: list[Record] = []
        self._at = 0.0

    # what is known

    @property
    def quiescent(self) -> bool:
        """GlobalQuiet: every agent has committed or given up, and nothing is in flight."""
        return not self.flights and all(one.mode == "done" for one in self.seats.values())

    def writer(self, path: str) -> str | None:
        """The operation that wrote a live cell; None: it stands as at the start."""
        return self.cells.get(path, ABSENT)[1]

    def entries(self, cells: Mapping[str, Value], paths: Iterable[str]) -> dict[str, Held]:
        """Cells as a target shows them below some paths, with their writers, and those that somebody deleted there."""
        found = {path: ((value,), self.writer(path)) for path, value in cells.items()}
        for path in self.gone:
            if path not in found and any(within(path, one) for one in paths):
                found[path] = self.cells[path]
        return found

    def strange(self, cells: Mapping[str, Value], paths: Iterable[str]) -> list[tuple[str, Cell, Cell]]:
        """What somebody outside changed, of what a target shows at some paths: path, cell, and the cell as it was."""
        found = []
        for path in sorted({*cells, *paths}):
            now = (cells[path],) if path in cells else ()
            known = self.cells[path][0] if path in self.cells else self.start.get(path)
            if known is not None and not same(known, now):
                found.append((path, now, known))
        return found

    def corrections(self, flight: effect.Perform) -> dict[str, Held]:
        """What an order-filtered read sees instead of the live cells."""
        return corrections(self.captured, flight.overrides)

    def see(self, path: str, cell: Cell) -> None:
        """Note how a cell stood at the start, the first time that it is looked at."""
        if path not in self.cells:
            self.start.setdefault(path, cell)

    # what happens

    def feed(self, what: event.Event, at: float, usage: Mapping[str, int] = NO_USAGE) -> Step:
        """Give the engine an event. Raises IllegalEvent where the lifecycle does not allow it; nothing changed then."""
        run, effects = self.protocol.step(self.run, what)
        self._at, self._records, self.run = round(at, 6), [], run
        told = {"usage": dict(usage)} if usage is not NO_USAGE else {}
        heard, names = event_out(reported(what)), [named(one) for one in effects]
        self._note("step", input=heard, effects=names, sum=checksum(effects), **told)
        self._before(what, usage, effects)
        for one in effects:
            self._obey(one, what)
        return Step(records=tuple(self._records), effects=effects)

    def intend(self, intent: Intent, at: float) -> Record:
        """Note what an effect is about to do; the record to write before it does. To do nothing is to take back."""
        self._intended(intent)
        return {"at": round(at, 6), "event": "intent", **intent.record()}

    def _intended(self, intent: Intent) -> None:
        if intent.wrote:
            self.intents[intent.op] = intent
        else:
            self.intents.pop(intent.op, None)

    def trouble(self, at: float, because: str, act: str | None = None, op: str | None = None) -> Record:
        """Note what a person has to look at."""
        named = {name: value for name, value in (("act", act), ("op", op)) if value}
        record = {"at": round(at, 6), "event": "trouble", "because": because, **named}
        self.troubles.append(record)
        return record

    def replay(self, records: Iterable[Record]) -> Iterator[Record]:
        """Feed again what a recorded run was fed; gives the records that come of it now, `step`s included.

        Raises Diverged at the first step that asks for other effects than it did.
        """
        for record in records:
            match record["event"]:
                case "step":
                    step = self.feed(event_in(record["input"]), record["at"], record.get("usage", NO_USAGE))
                    if step.records[0]["sum"] != record["sum"]:
                        now, then = step.records[0]["effects"], record["effects"]
                        raise Diverged(f"{record['input']} asked for {then} when it was recorded, and now for {now}")
                    yield from step.records
                case "intent":
                    self._intended(intent_in(record))
                case "trouble":
                    self.troubles.append(record)

    def _note(self, kind: str, **fields: object) -> None:
        self._records.append({"at": self._at, "event": kind, **fields})

    def _set(self, name: str, **changes: object) -> Seat:
        seat = replace(self.seats[name], **changes)
        self.seats[name] = seat
        return seat

    def _ready(self, name: str, turn: Turn) -> None:
        """The agent may begin its next inference, on this."""
        seat = self.seats[name]
        self._set(name, mode="done" if turn.over else "ready", turn=replace(turn, attempt=seat.attempt), asked=None)
        if not turn.over:
            self.ready.append(name)

    # before the effects

    def _before(self, what: event.Event, usage: Mapping[str, int], effects: tuple[effect.Effect, ...]) -> None:
        match what:
            case event.Launched(agent=agent, rank=rank):
                self.seats[agent] = Seat(name=agent, rank=rank)
                self._note("launch", agent=agent, rank=list(rank))
            case event.Inferring(agent=agent):
                self._note("infer", agent=agent, attempt=self.seats[agent].attempt)
                seat = self.seats[agent]
                turn = replace(seat.turn, number=seat.turns + 1)
                if turn.kind in ("started", "restarted"):
                    self._set(agent, began=turn.number)
                self._set(agent, mode="inferring", fresh=(), counted=False, turns=turn.number, turn=turn)
            case event.Invoked(agent=agent):
                self._inferred(agent, "rewrite" if what.replaces else "insert" if what.before else "keep", usage)
                self._set(agent, mode="waiting", asked=what)
            case event.Retracted(agent=agent, op=op, last=last):
                self._inferred(agent, "retract", usage)
                if last:
                    self._set(agent, mode="waiting", asked=what)
                elif not holds(effects, agent):
                    self._note("repair", agent=agent, op=op, action="retract")
                    self._drop(agent, op)
            case event.Finished(agent=agent, report=report):
                self._inferred(agent, "keep", usage)
                if not holds(effects, agent):
                    self._note("finish", agent=agent, report=report_out(report))
                    self._set(agent, mode="resting", report=report, asked=what)
            case event.Performed():
                self._performed(what)

    def _inferred(self, agent: str, decision: str, usage: Mapping[str, int]) -> None:
        """An inference ended; once for each, though it may take back several operations before its call."""
        seat = self.seats[agent]
        if not seat.counted:
            self._note("inferred", agent=agent, **{name: usage.get(name, 0) for name in NO_USAGE})
        if seat.fresh:
            self._note("judge", agent=agent, ops=list(seat.fresh), decision=decision)
        self._set(agent, fresh=(), counted=True)

    def _drop(self, agent: str, op: str) -> None:
        self._set(agent, log=tuple(entry for entry in self.seats[agent].log if entry.op != op))

    # the store

    def _performed(self, what: event.Performed) -> None:
        ticket, flight = next(
            (ticket, one) for ticket, one in self.flights.ready() if (one.act, one.op) == (what.act, what.op)
        )
        lost = what.result.status == "unknown"
        self.flights = self.flights.lose(ticket) if lost else self.flights.remove(ticket)
        if what.act == "undo":
            self._undone(what)
        elif what.act == "inherit":
            self._inherited(what.op, flight.heir)
        elif lost:
            if flight.writes:
                self._note("exec", op=what.op, status="unknown", wrote={})
        else:
            self._executed(what, flight)

    def _executed(self, what: event.Performed, flight: effect.Perform) -> None:
        for one in what.saw:
            if one.writer is None and not one.path.endswith("/"):
                self.see(one.path, one.cell)
        self.results[what.op] = (what.result, what.saw, flight.route)
        (self.refused.add if what.refused else self.refused.discard)(what.op)
        more = {"refused": True} if what.refused else {}
        shown = {**outcome_out(what.result, flight.route, what.saw), **more}
        if flight.writes:
            intent = self.intents.pop(what.op, None)
            captured = intent.captured if intent and what.wrote else ()
            for path, (cell, writer) in captured:
                if writer is None:
                    self.see(path, cell)
            self.captured = self.captured.set(what.op, captured)
            self.memos[what.op] = intent.memo if intent else {}
            self._note("prepare", op=what.op, captured=entries_out(captured))
            for path, cell in what.wrote:
                self._hold(path, (cell, what.op))
        if what.act == "redo":
            self._note("redo", op=what.op, wrote=cells_out(what.wrote), **shown)
        elif what.act == "refresh":
            self._note("refresh", op=what.op, **shown)
        elif flight.writes:
            self._note("exec", op=what.op, status=what.result.status, wrote=cells_out(what.wrote), **more)

    def _hold(self, path: str, held: Held) -> None:
        self.cells = self.cells.set(path, held)
        (self.gone.discard if held[0] else self.gone.add)(path)

    def _undone(self, what: event.Performed) -> None:
        for path, held in self.captured.get(what.op, ()):
            self._hold(path, held)
        self.captured = self.captured.delete(what.op) if what.op in self.captured else self.captured
        self._note("undo", op=what.op)

    def _inherited(self, op: str, heir: str) -> None:
        below = dict(self.captured[op])
        taken = tuple((path, below.get(path, held)) for path, held in self.captured[heir])
        self.captured = self.captured.delete(op).set(heir, taken)
        above, under = self.memos.get(heir, {}), self.memos.get(op, {})
        self.memos[heir] = {name: {**above.get(name, {}), **under.get(name, {})} for name in {*above, *under}}
        self._note("inherit", op=op, heir=heir)

    # the engine's effects, as far as they are bookkeeping

    def _obey(self, what: effect.Effect, cause: event.Event) -> None:
        match what:
            case effect.Perform(act="resolve"):
                self.flights = self.flights.resolve(what.op)
            case effect.Perform():
                self.flights = self.flights.add(what)
            case effect.Start(agent=agent):
                self._ready(agent, Turn(kind="started"))
            case effect.Place():
                self._placed(what, cause)
            case effect.Reply():
                self._replied(what)
            case effect.Notify(notice=notice):
                self._notified(notice)
            case effect.Deliver(agent=agent, notices=notices):
                self._delivered(agent, notices)
            case effect.Hold(agent=agent, call=call):
                shown = {"tool": call.tool, "args": args_out(call)} if call else {}
                self._note("hold", agent=agent, **shown)
                self._ready(agent, Turn(kind="held"))
            case effect.Mask():
                self._masked(what, cause)
            case effect.Bury(agent=agent):
                self._note("abort", agent=agent, attempt=self.seats[agent].attempt, because="died")
                self._note("give-up", agent=agent, because="died")
                self._set(agent, log=(), report={"error": "died"}, gave_up=True)
                self._ready(agent, Turn(kind="gave-up", because="died"))
            case effect.Restart() | effect.GiveUp():
                self._restarted(what)
            case effect.Commit(agent=agent):
                self._note("commit", agent=agent)
                self._ready(agent, Turn(kind="committed"))
            case effect.Park() | effect.Release() | effect.Withdraw():
                self._note(type(what).__name__.lower(), agent=what.agent, op=what.op)
            case effect.Cancel(op=op, by=by):
                self._note("cancel", op=op, by=by)

    def _placed(self, what: effect.Place, cause: event.Invoked) -> None:
        self._note("invoke", **invoked_out(what, cause))
        if cause.replaces or cause.before:
            verb = "rewrite" if cause.replaces else "insert"
            self._note("repair", agent=what.agent, op=what.replaces or what.op, action=verb, by=what.op)

    def _replied(self, what: effect.Reply) -> None:
        asked = self.seats[what.agent].asked
        if isinstance(asked, event.Retracted):
            self._note("repair", agent=what.agent, op=what.op, action="retract")
            self._drop(what.agent, what.op)
            self._ready(what.agent, Turn(kind="result", op=what.op, result=Result("ok", "ok")))
            return
        result, saw, route = self.results[what.op]
        more = {"refused": True} if what.op in self.refused else {}
        self._note("result", op=what.op, agent=what.agent, **outcome_out(result, route, saw), **more)
        entry = Entry(what.op, asked.call, result)
        log = inference.entered(self.seats[what.agent].log, entry, asked.before, asked.replaces)
        self._set(what.agent, log=log)
        self._ready(what.agent, Turn(kind="result", op=what.op, result=result))

    def _notified(self, notice: Notice) -> None:
        told = outcome_out(notice.result or Result("ok", None), "", notice.saw)
        cancelled = notice.result is None
        self._note("notify", agent=notice.agent, op=notice.op, cause=notice.cause, cancelled=cancelled, **told)
        if self.seats[notice.agent].mode == "resting":
            self._ready(notice.agent, Turn(kind="reopened"))

    def _delivered(self, agent: str, notices: tuple[Notice, ...]) -> None:
        seat = self.seats[agent]
        self._note("consume", agent=agent, ops=[notice.op for notice in notices])
        log = seat.log
        for notice in notices:
            log = tuple(replace(entry, result=notice.result) if entry.op == notice.op else entry for entry in log)
        fresh = tuple(notice.op for notice in notices)
        self._set(agent, log=log, fresh=fresh, turn=replace(seat.turn, notices=notices))

    def _masked(self, what: effect.Mask, cause: event.Invoked) -> None:
        """A masked write touches nothing: a blind result needs nothing but the arguments."""
        result, wrote, broken = done_blind(self.tools[cause.call.tool], cause, Pane(self.cells, {}))
        if broken:
            self.refused.add(what.op)
        self.results[what.op] = (result, (), "live")
        self._note("mask", op=what.op, by=what.by, wrote=cells_out(wrote))

    def _restarted(self, what: effect.Restart | effect.GiveUp) -> None:
        seat, gone = self.seats[what.agent], isinstance(what, effect.GiveUp)
        self._note("abort", agent=what.agent, attempt=seat.attempt, because=what.because)
        self._set(what.agent, attempt=seat.attempt + (not gone), log=(), fresh=(), report=None, gave_up=gone)
        if gone:
            self._note("give-up", agent=what.agent, because=what.because)
        self._ready(what.agent, Turn(kind="gave-up" if gone else "restarted", because=what.because))
