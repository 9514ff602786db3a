"""MTPO: order fixed at launch, control advisory; reads are filtered by the order, writes land at once, notices repair.

The rule in one sentence: whatever lands below what others already did is slotted in where the
pre-order puts it, and whoever is above and saw otherwise is told. The cost in one sentence: no one
waits for another's inference, and each late write pays for the undoing and redoing of what
conflicts with it above. (P1 sections 4 and 5; P2 section 4.)
"""

from dataclasses import dataclass

from coagent.effect import Cancel, Effect, Mask, Park, Release, Remove, Start
from coagent.event import Died, Event, Finished, Inferring, Invoked, Launched, Performed, Retracted
from coagent.operation import Call, Declaration, Notice, Result, Sighting
from coagent.path import any_overlap
from coagent.protocols import notices, standing, trajectory
from coagent.protocols.private_step import private_step
from coagent.protocols.run import CALLS, NOTICES, SLOTS, WAITS, Operation, Phase, Run, Standing, Turn, check_legal
from coagent.tool import outcome_equal

ROUTES = ("snapshot", "recorded", "undo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mtpo:
    """The protocol and its choices.

    late: `replay` redoes what a late write displaced (P1), `reissue` cancels it and asks its agents (P2).
        Under `reissue` each cancellation costs inferences at every rank above: with n agents of k conflicting
        calls and the highest always first, (k+1)^n of them; under `replay` the same worlds cost about (nk)^2.
    notify: `change` tells readers whose filtered value changed, `footprint` every overlapping reader (P1).
    gate: `hold` re-judges a call inferred before a notice came (A2), `pass` lets it through.
    routes: which ways of serving a filtered read may be used, in order of preference; undo always works.
    """

    name: str = "mtpo"
    late: str = "replay"
    notify: str = "change"
    gate: str = "hold"
    routes: tuple[str, ...] = ROUTES
    promises: str = "declared"
    emits: frozenset[str] = CALLS | WAITS | NOTICES | SLOTS
    anonymous = True
    private = private_step

    def start(self) -> Run:
        """An empty run."""
        return Run()

    def step(self, run: Run, event: Event) -> tuple[Run, tuple[Effect, ...]]:
        """One event: the new run and the effects, in the order in which conflicting ones must complete."""
        check_legal(run, event)
        turn = Turn(run)
        match event:
            case Launched():
                turn.launch(event.agent, event.rank)
                turn.emit(Start(agent=event.agent))
            case Inferring():
                notices.begin_inference(turn, event.agent)
            case Invoked():
                self._invoked(turn, event)
            case Retracted():
                self._retracted(turn, event)
            case Finished():
                self._finished(turn, event)
            case Died():
                self._died(turn, event)
            case Performed():
                self._performed(turn, event)
        return turn.result()

    def _held(self, turn: Turn, agent: str, call: Call, declaration: Declaration) -> bool:
        """The gate for a call; `pass` lets through what a later repair can still take back."""
        if self.gate == "pass" and declaration.recoverable:
            return False
        return notices.held_back(turn, agent, call)

    def _invoked(self, turn: Turn, event: Invoked) -> None:
        if self._held(turn, event.agent, event.call, event.declaration):
            return
        replaced = [turn.ops[event.replaces]] if event.replaces else []
        op = turn.place(event)
        if op.declaration.recoverable:
            self._land(turn, op, replaced)
        else:
            turn.set_op(op.name, standing=Standing.PARKED)
            turn.set_agent(op.agent, phase=Phase.PARKED)
            turn.emit(Park(agent=op.agent, op=op.name))
            self._settle(turn)

    def _retracted(self, turn: Turn, event: Retracted) -> None:
        op, agent = turn.ops[event.op], turn.agents[event.agent]
        if self._held(turn, event.agent, op.call, op.declaration):
            return
        turn.set_agent(event.agent, ops=tuple(name for name in agent.ops if name != op.name))
        if not event.last:
            self._remove(turn, op, None)
            return
        turn.set_agent(event.agent, phase=Phase.WAITING, awaits=op.name)
        if not self._take_back(turn, op):
            turn.reply(op)

    def _take_back(self, turn: Turn, op: Operation) -> bool:
        """Take an operation out for good. Returns whether it has an undo, or the like, to wait for."""
        if op.standing not in trajectory.LIVE:
            self._remove(turn, op, None)
            return False
        return self._inherit(turn, op, None) or self._arrange(turn, None, [op])

    def _died(self, turn: Turn, event: Died) -> None:
        """Retract for the dead agent, last in first out, as it would itself; its readers are told as of any write."""
        for name in reversed(turn.agents[event.agent].ops):
            self._take_back(turn, turn.ops[name])
        turn.bury(event.agent)
        self._settle(turn)

    def _finished(self, turn: Turn, event: Finished) -> None:
        if not notices.held_back(turn, event.agent, None):
            turn.set_agent(event.agent, phase=Phase.FINISHED)
            self._settle(turn)

    def _land(self, turn: Turn, op: Operation, replaced: list[Operation]) -> None:
        """Let an operation act at its own position, now."""
        if op.writes:
            self._write(turn, op, replaced)
            return
        for old in replaced:
            self._remove(turn, old, op.name)
        turn.index(op)
        self._read(turn, op, "exec", None)

    def _read(
        self, turn: Turn, op: Operation, act: str, cause: str | None, stale: frozenset[str] = frozenset()
    ) -> None:
        """Rule 1, wr: a read sees its own position's past, by the first route that can show it (P1 section 4.3).

        `stale` names operations whose recorded results are in doubt.
        """
        above = self._above(turn, op)
        if not above:
            turn.perform(op.name, act, cause=cause)
            return
        if "snapshot" in self.routes and all(other.declaration.versioned for other in above):
            found = trajectory.overrides(turn, op, above)
            turn.perform(op.name, act, route="snapshot", overrides=found, cause=cause)
        elif "recorded" in self.routes and (twin := trajectory.twin(turn, op, stale)):
            turn.perform(op.name, act, route="recorded", recorded=twin, cause=cause)
        else:
            self._arrange(turn, op, [], act=act, cause=cause)

    def _above(self, turn: Turn, op: Operation) -> list[Operation]:
        return trajectory.landed_above(turn, op)

    def _write(self, turn: Turn, op: Operation, replaced: list[Operation]) -> None:
        """Rule 3, ww: a late write is slotted in under what already took effect above it (P1 section 4.4)."""
        in_place = [old for old in replaced if not self._leaves(turn, old, op.name)]
        by = None if in_place else self._cover(turn, op)
        if by is None:
            self._arrange(turn, op, in_place)
            return
        op = turn.set_op(op.name, standing=Standing.MASKED, cover=by.name, wrote=op.declaration.image)
        turn.index(op)
        turn.emit(Mask(op=op.name, by=by.name))
        turn.reply(op)
        self._refresh_readers(turn, op, below=by)

    def _cover(self, turn: Turn, op: Operation) -> Operation | None:
        return trajectory.cover(turn, op) if op.declaration.blind and op.declaration.image else None

    def _leaves(self, turn: Turn, old: Operation, by: str | None) -> bool:
        """Take an operation out if that needs no undo: it is not in the live store, or a higher write covers it."""
        if old.standing in trajectory.LIVE:
            return self._inherit(turn, old, by)
        self._remove(turn, old, by)
        return True

    def _inherit(self, turn: Turn, old: Operation, by: str | None) -> bool:
        """Take out a write that a higher blind write covers, without touching the live state; False when none does."""
        heir = trajectory.heir(turn, old)
        if heir is None:
            return False
        for masked in trajectory.uncovered(turn, [old]):
            turn.set_op(masked.name, cover=heir.name)
        self._remove(turn, old, by)
        turn.perform(old.name, "inherit", heir=heir.name)
        return True

    def _arrange(
        self, turn: Turn, op: Operation | None, removed: list[Operation], *, act: str = "exec", cause: str | None = None
    ) -> bool:
        """Undo what is in the way, last in first out; let `op` act; bring back what belongs above it.

        Returns whether a removed operation has an undo to wait for.
        """
        reading = op is not None and not op.writes
        gone = [one for one in removed if one.writes and one.declaration.recoverable]
        moved = self._displaced(turn, [*gone, *([op] if op else [])])
        undone = sorted((*moved, *gone), key=lambda one: one.position)
        bare = [one for one in trajectory.uncovered(turn, undone) if one not in undone]
        reason = op.name if op else removed[0].name
        taken = [one for one in undone if one.standing in trajectory.LIVE]
        for old in removed:
            self._remove(turn, old, op.name if op else None)
        for one in self._undoing(taken):
            turn.perform(one.name, "undo", cause=reason)
        cancelled = [] if self.late == "replay" or reading else moved
        for one in cancelled:
            self._cancel(turn, one, reason)
        if op and not reading:
            turn.index(op)
        for one in self._redoing(op, [one for one in (*moved, *bare) if one not in cancelled]):
            if op and one.name == op.name:
                turn.perform(op.name, act, route="undo" if reading else "live", cause=cause)
            else:
                turn.set_op(one.name, standing=Standing.FLYING, cover=None)
                turn.perform(one.name, "redo", cause=None if reading else reason)
        return bool(gone)

    def _displaced(self, turn: Turn, seeds: list[Operation]) -> list[Operation]:
        return trajectory.displaced(turn, seeds)

    def _undoing(self, taken: list[Operation]) -> list[Operation]:
        return taken[::-1]

    def _redoing(self, op: Operation | None, back: list[Operation]) -> list[Operation]:
        return sorted((*back, *([op] if op else [])), key=lambda one: one.position)

    def _remove(self, turn: Turn, op: Operation, by: str | None) -> None:
        """Take an operation out of the run; its readers are told when its undo is done, or now if it has none."""
        if op.standing is not Standing.CANCELLED:
            turn.unindex(op)
        if op.standing in trajectory.LIVE and op.writes and op.declaration.recoverable:
            turn.leaving = turn.leaving.add(op.writes, op.name)
        elif op.standing is Standing.MASKED:
            self._refresh_readers(turn, op, below=turn.ops[op.cover])
        turn.set_op(op.name, standing=Standing.REMOVED)
        turn.emit(Remove(op=op.name, by=by))

    def _cancel(self, turn: Turn, op: Operation, by: str) -> None:
        turn.unindex(op)
        if op.standing in trajectory.LIVE:
            turn.leaving = turn.leaving.add(op.writes, op.name)
        turn.set_op(op.name, standing=Standing.CANCELLED, told=None)
        turn.emit(Cancel(op=op.name, by=by))
        notices.send(turn, Notice(agent=op.agent, op=op.name, cause=by, result=None))

    def _performed(self, turn: Turn, event: Performed) -> None:
        op = turn.landed(event)
        match event.act:
            case "exec" | "resolve" if event.result.status == "unknown":
                turn.perform(op.name, "resolve")
                return
            case "exec" | "resolve":
                self._executed(turn, op, event)
            case "undo" | "inherit":
                self._undone(turn, op)
            case "redo":
                self._redone(turn, op, event)
            case "refresh":
                self._refreshed(turn, op, event)
        self._settle(turn)

    def _executed(self, turn: Turn, op: Operation, event: Performed) -> None:
        gone = op.standing in (Standing.CANCELLED, Standing.REMOVED)
        stands, told = (op.standing, None) if gone else (standing.stands(op, event.result), event.result)
        op = turn.set_op(op.name, standing=stands, wrote=event.wrote, told=told)
        turn.reply(op)
        if not gone and event.wrote:
            self._refresh_readers(turn, op)

    def _undone(self, turn: Turn, op: Operation) -> None:
        if op.standing not in (Standing.CANCELLED, Standing.REMOVED):
            return
        turn.leaving = turn.leaving.remove(op.writes, op.name)
        self._refresh_readers(turn, op)
        if turn.agents[op.agent].awaits == op.name:
            turn.reply(op)

    def _redone(self, turn: Turn, op: Operation, event: Performed) -> None:
        if op.standing in (Standing.CANCELLED, Standing.REMOVED):
            return
        stands = standing.stands(op, event.result)
        changed = repr(op.wrote) != repr(event.wrote)
        # A masked write was answered without being done: if it cannot be done now, its agent was told otherwise.
        told = op.told or (event.result if event.result.status == "ok" else Result("ok"))
        op = turn.set_op(op.name, standing=stands, wrote=event.wrote, told=told)
        if event.cause:
            self._tell(turn, op, event.cause, event.result, event.saw)
        if changed:
            self._refresh_readers(turn, op)

    def _refreshed(self, turn: Turn, op: Operation, event: Performed) -> None:
        again = op.stale
        op = turn.set_op(op.name, refreshing=False, stale=None)
        if op.standing is Standing.REMOVED:
            return
        self._tell(turn, op, event.cause, event.result, event.saw)
        if again:
            self._refresh(turn, turn.ops[op.name], again, frozenset({op.name}))

    def _refresh_readers(self, turn: Turn, write: Operation, below: Operation | None = None) -> None:
        """Rule 2, rw: look again at what higher positions (up to `below`) read where this write landed or went.

        P1 section 4.5.
        """
        stale = [op for op in turn.reading(write.writes) if not op.writes and op.position > write.position]
        if below is not None:
            stale = [op for op in stale if op.position < below.position]
        names = frozenset(op.name for op in stale)
        for op in sorted(stale, key=lambda one: one.position):
            self._refresh(turn, op, write.name, names)

    def _refresh(self, turn: Turn, op: Operation, cause: str, stale: frozenset[str]) -> None:
        """Read again, or once more when the read under way has come back."""
        if op.refreshing:
            turn.set_op(op.name, stale=cause)
            return
        turn.set_op(op.name, refreshing=True)
        self._read(turn, turn.ops[op.name], "refresh", cause, stale)

    def _tell(self, turn: Turn, op: Operation, cause: str, result: Result, saw: tuple[Sighting, ...]) -> None:
        """Send a notice if the receiver was told otherwise, or (`footprint`) in any case."""
        changed = op.told is not None and not outcome_equal(op.told, result)
        touched = self.notify == "footprint" and any_overlap(op.reads, turn.ops[cause].writes)
        if changed or (touched and op.told is not None):
            turn.set_op(op.name, told=result)
            notices.send(turn, Notice(agent=op.agent, op=op.name, cause=cause, result=result, saw=saw))

    def _settle(self, turn: Turn) -> None:
        """Commit, in pre-order, who is finished and quiet; let the lowest agent's unrecoverable call go."""
        while turn.settled < len(turn.order):
            agent = turn.agents[turn.order[turn.settled]]
            if agent.inbox or agent.flights:
                return
            if agent.phase is Phase.DONE:  # it died
                turn.settled += 1
                continue
            if agent.phase is Phase.PARKED:
                op = next(turn.ops[name] for name in agent.ops if turn.ops[name].standing is Standing.PARKED)
                op = turn.set_op(op.name, standing=Standing.FLYING)
                turn.set_agent(agent.name, phase=Phase.WAITING)
                turn.emit(Release(agent=agent.name, op=op.name))
                self._land(turn, op, [])
            if agent.phase is not Phase.FINISHED:
                return
            for name in agent.ops:
                standing.forget(turn, turn.ops[name])
            turn.commit(agent.name)
            turn.settled += 1
