"""Carries out effects on real targets in three phases: prepare (read, work out), exec (write), reverse (put back).

What an effect will do is written ahead before it does it, so that at any moment, in this process or a later one,
reading the target tells what is left to do. Knows no agents and no order: whoever starts an effect has seen to C2.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace

from coagent.effect import Perform
from coagent.event import Performed
from coagent.history import Record
from coagent.live.intent import Intent
from coagent.live.joined import JoinedTarget
from coagent.live.ledger import Ledger
from coagent.live.limits import Limits
from coagent.live.target import Conflict, Gone, Reading, Refused, Undecided
from coagent.live.trouble import Stuck
from coagent.live.window import Escape, Window, escapes, sound, tool_said
from coagent.live.writing import Writing
from coagent.operation import Cell, Result, same, show
from coagent.path import within
from coagent.store import ABSENT, Entry
from coagent.tool import failed

Probe = Callable[[str], None]
"""Called with the name of each point that a run passes between two steps that can be cut apart; for fault tests."""

WriteAhead = Callable[[Record], Awaitable[None]]
"""Puts a record into the journal; returns when it is there for good."""


def no_probe(point: str) -> None:
    """Nothing happens at this point."""


class Actuator:
    """Carries out effects. `escaped` names the tools that left their footprint: they are not called again."""

    def __init__(
        self,
        ledger: Ledger,
        target: JoinedTarget,
        write_ahead: WriteAhead,
        clock: Callable[[], float],
        limits: Limits,
        probe: Probe = no_probe,
    ) -> None:
        self.ledger, self.target, self.clock, self.limits = ledger, target, clock, limits
        self._write_ahead, self._probe = write_ahead, probe
        self.escaped = escapes(ledger)
        self.writing = Writing(target, limits)
        self._strange: dict[str, Cell] = {}

    async def perform(self, flight: Perform) -> Performed:
        """Carry out an effect; the event that answers it. Raises Stuck when nobody can say what it comes to."""
        match flight.act:
            case "inherit":
                return _answer(flight, Result("ok"))
            case "undo":
                await self._undo(flight)
                return _answer(flight, Result("ok"))
            case _ if flight.route == "recorded":
                result, saw, _ = self.ledger.results[flight.recorded]
                return _answer(flight, result, saw=saw)
            case _:
                intent = self.ledger.intents.get(flight.op)
                return await (self._settle(flight, intent) if intent else self._execute(flight))

    async def _execute(self, flight: Perform) -> Performed:
        """Prepare and execute; a write that meets somebody else's change is worked out anew."""
        for pause_s in self._pauses():
            try:
                found = await self._prepared(flight)
            except Escape as escape:
                return await self._quarantined(flight, str(escape))
            if isinstance(found, Performed):
                return found
            try:
                return await self._written(flight, found)
            except Conflict as conflict:
                because = str(conflict) or "changed meanwhile"
                await self._withdrawn(found[0])
                await asyncio.sleep(pause_s)
        return _refusal(flight, f"conflict: {because}")

    async def _prepared(self, flight: Perform) -> tuple[Intent, Reading] | Performed:
        """What the call will do, written ahead; or its answer, when it writes nothing."""
        tool = self.ledger.tools[flight.call.tool]
        if tool.name in self.escaped:
            return _refusal(flight, f"quarantined: {self.escaped[tool.name]}")
        self._probe(f"before prepare {flight.act} {flight.op}")
        paths = (*flight.reads, *flight.writes)
        try:
            reading, corrected = await self._read(paths), await self._corrected(flight)
        except Refused as refusal:
            return _refusal(flight, str(refusal))
        except Stuck:
            raise
        except Exception as error:
            return _refusal(flight, f"unreachable: {_sentence(error)}")
        await self._told_of(flight, self.ledger.strange(reading.cells, paths))
        cells = self.ledger.entries(reading.cells, paths)
        view = Window(cells, corrected, flight.reads)
        try:
            args = dict(flight.call.args)
            came = await asyncio.to_thread(tool.exec, view, args) if tool.slow else tool.exec(view, args)
            result, wrote = sound(came)
        except Escape:
            raise
        except Exception as error:
            return _refusal(flight, f"error: {_sentence(error)}", view.sightings())
        for path, _ in wrote:
            if not any(within(path, one) for one in flight.writes):
                raise Escape(f"writes {path!r}, and it declares to write {', '.join(flight.writes) or 'nothing'}")
        if not wrote or not flight.writes:
            return _answer(flight, result, saw=view.sightings())
        captured = tuple((path, cells.get(path, ABSENT)) for path, _ in wrote)
        intent = Intent(
            op=flight.op,
            act="exec" if flight.act == "resolve" else flight.act,
            captured=captured,
            wrote=tuple(wrote),
            memo=self.target.kept(reading.memo, [path for path, _ in wrote]),
            result=result,
            saw=view.sightings(),
        )
        await self._ahead(intent)
        return intent, reading

    async def _ahead(self, intent: Intent) -> None:
        self._probe(f"before intent {intent.act} {intent.op}")
        await self._write_ahead(self.ledger.intend(intent, self.clock()))
        self._probe(f"after intent {intent.act} {intent.op}")

    async def _withdrawn(self, intent: Intent) -> None:
        """Take back what was written ahead, as none of it has happened, or will."""
        await self._write_ahead(self.ledger.intend(replace(intent, captured=(), wrote=(), memo={}), self.clock()))

    async def _written(self, flight: Perform, found: tuple[Intent, Reading]) -> Performed:
        """Execute what was written ahead. Raises Conflict when the target is not what it was read as.

        When the answer is lost, that of a call is unknown until the engine asks; a redo is asked about at once.
        """
        intent, reading = found
        try:
            await self.writing.write(flight.op, dict(intent.wrote), seen=reading.memo, restore={})
        except (Conflict, Stuck):
            raise
        except Refused as refusal:
            return await self._refused(flight, intent, str(refusal))
        except Exception:
            if flight.act not in ("exec", "resolve"):
                return await self._settle(flight, intent)
            return _answer(flight, Result("unknown"))
        self._probe(f"after exec {flight.act} {flight.op}")
        return _answer(flight, intent.result, intent.wrote, intent.saw)

    async def _refused(self, flight: Perform, intent: Intent, word: str) -> Performed:
        """A refused write may be half there: put back what stood, where it does not stand, so that it had no effect."""
        if recoverable(self.ledger, flight) and await self._happened(flight, intent) != "nothing":
            await self._put_back(flight, intent.captured, intent.memo)
        self.ledger.intents.pop(flight.op, None)
        return _refusal(flight, word, intent.saw)

    async def _settle(self, flight: Perform, intent: Intent) -> Performed:
        """Find out by reading whether what was written ahead has happened; if not in full, let it happen now.

        Writing twice is writing once, so that this holds of calls that cannot be taken back too: where a target cannot
        tell whether such a write happened, it says so (Undecided) instead of doing it again.
        """
        self._probe(f"before settle {flight.op}")
        last: Exception | None = None
        for pause_s in self._pauses():
            await self.writing.ended(flight.op)
            try:
                how = await self._happened(flight, intent)
                if how != "all":
                    seen = intent.memo if how == "nothing" else {}
                    await self.writing.write(flight.op, dict(intent.wrote), seen=seen, restore={})
                return _answer(flight, intent.result, intent.wrote, intent.saw)
            except Conflict as conflict:
                # The first may be due to our own write, which has landed since the reading.
                if isinstance(last, Conflict):
                    await self._withdrawn(intent)
                    return await self._execute(flight)
                last = conflict
            except Refused as refusal:
                return await self._refused(flight, intent, str(refusal))
            except Undecided as error:
                raise Stuck(f"nobody can tell whether {flight.op} ({flight.call}) happened: {error}") from error
            except Stuck:
                raise
            except Exception as error:
                last = error
                await asyncio.sleep(pause_s)
        raise Stuck(f"{flight.op} ({flight.call}) cannot be settled: {_sentence(last)}") from last

    async def _happened(self, flight: Perform, intent: Intent) -> str:
        """How much of what was written ahead is so: `all`, `some` or `nothing`. Raises Stuck where it is neither."""
        now, before = (await self._read([path for path, _ in intent.wrote])).cells, dict(intent.captured)
        there = {path: same(_cell(now, path), cell) for path, cell in intent.wrote}
        was = {path: same(_cell(now, path), before[path][0]) for path in there}
        if all(there.values()):
            return "all"
        if strange := [path for path in there if not there[path] and not was[path]]:
            raise Stuck(
                f"{flight.op} ({flight.call}) met {strange[0]!r} changed by somebody else while it was open; "
                "let it be as it was before or as it was to be, and try again"
            )
        return "nothing" if all(was.values()) else "some"

    async def _undo(self, flight: Perform) -> None:
        self._probe(f"before undo {flight.op}")
        captured = self.ledger.captured.get(flight.op, ())
        await self._look_before(flight, dict(captured))
        await self._put_back(flight, captured, self.ledger.memos.get(flight.op, {}))
        self._probe(f"after undo {flight.op}")

    async def _look_before(self, flight: Perform, captured: Mapping[str, Entry]) -> None:
        """Say what an undo is about to lose of somebody else's: what is neither as it was left nor put back already."""
        try:
            now = (await self._read(list(captured))).cells if captured else {}
        except Exception as error:
            raise Stuck(f"what {flight.op} ({flight.call}) did cannot be undone: {_sentence(error)}") from error
        strange = self.ledger.strange({path: value for path, value in now.items() if path in captured}, captured)
        await self._told_of(flight, [one for one in strange if not same(one[1], captured[one[0]][0])])

    async def _told_of(self, flight: Perform, strange: list[tuple[str, Cell, Cell]]) -> None:
        """Say what somebody outside changed (A2): once for each change, and what it was, as it may be lost."""
        for path, now, known in strange:
            if self._strange.get(path) != now:
                self._strange[path] = now
                because = f"somebody outside made {path!r} {_shown(now)}; it was {_shown(known)}"
                await self._write_ahead(self.ledger.trouble(self.clock(), because, flight.act, flight.op))

    async def _put_back(self, flight: Perform, captured: tuple[tuple[str, Entry], ...], memo: Mapping) -> None:
        if not captured:
            return
        try:
            await self._insist(flight.op, {path: held[0] for path, held in captured}, restore=memo)
        except Stuck:
            raise
        except Exception as error:
            raise Stuck(f"what {flight.op} ({flight.call}) did cannot be undone: {_sentence(error)}") from error

    async def _insist(self, op: str, cells: Mapping[str, Cell], *, restore: Mapping) -> None:
        """Write until it is so; the last error is raised."""
        last: Exception | None = None
        for pause_s in self._pauses():
            try:
                await self.writing.write(op, cells, seen={}, restore=restore)
                return
            except (Refused, Undecided, Stuck):
                raise
            except Exception as error:
                last = error
                await asyncio.sleep(pause_s)
        raise last

    async def _read(self, paths: tuple[str, ...] | list[str]) -> Reading:
        """Read, a few times if need be. Raises Refused at once, any other error at the last attempt."""
        last: Exception | None = None
        for pause_s in self._pauses():
            try:
                return await asyncio.wait_for(self.target.read(paths), self.limits.read_s)
            except (Refused, Undecided):
                raise
            except Exception as error:
                last = error
                await asyncio.sleep(pause_s)
        raise last

    async def _corrected(self, flight: Perform) -> dict[str, Entry]:
        """What an order-filtered read sees instead of the live cells; held against the target's own versions."""
        found = self.ledger.corrections(flight)
        for override in flight.overrides:
            if override.image:
                continue
            for path, held in self.ledger.captured.get(override.op, ()):
                if found.get(path) is not held:
                    continue
                try:
                    older = self.target.read_at(path, self.ledger.memos.get(override.op, {}))
                    kept = await asyncio.wait_for(older, self.limits.read_s)
                except Gone:
                    kept = None
                if kept is not None and not same(kept, held[0]):
                    raise Stuck(f"the target's version of {path!r} before {override.op} is not what was captured")
        return found

    async def _quarantined(self, flight: Perform, because: str) -> Performed:
        tool = flight.call.tool
        self.escaped[tool] = because
        await self._write_ahead(self.ledger.trouble(self.clock(), f"{tool_said(tool)}{because}", flight.act, flight.op))
        return _refusal(flight, f"quarantined: {because}")

    def _pauses(self) -> Iterator[float]:
        return (self.limits.pause_s * 2**attempt for attempt in range(self.limits.tries))


def recoverable(ledger: Ledger, flight: Perform) -> bool:
    """Whether the call of an effect can be undone."""
    return ledger.tools[flight.call.tool].declare(dict(flight.call.args)).recoverable


def _cell(cells: Mapping, path: str) -> Cell:
    return (cells[path],) if path in cells else ()


def _shown(cell: Cell) -> str:
    return show(cell[0])[:80] if cell else "absent"


def _answer(flight: Perform, result: Result, wrote: tuple = (), saw: tuple = ()) -> Performed:
    return Performed(op=flight.op, act=flight.act, result=result, wrote=wrote, saw=saw, cause=flight.cause)


def _refusal(flight: Perform, word: str, saw: tuple = ()) -> Performed:
    """A failure that is not the tool's own word."""
    return replace(_answer(flight, failed(word), saw=saw), refused=True)


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
