"""Carries out effects on real targets in three phases: prepare (read, work out), exec (write), reverse (put back).

What an effect will do is written ahead before it does it, so that at any moment, in this process or a later one,
reading the target tells what is left to do. Knows no agents and no order: whoever starts an effect has seen to C2.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from coagent.effect import Perform
from coagent.event import Performed
from coagent.history import Record
from coagent.live.joined import JoinedTarget
from coagent.live.ledger import Intent, Ledger, within
from coagent.live.target import Conflict, Gone, Reading, Refused, Undecided
from coagent.operation import Cell, Result, same
from coagent.store import ABSENT, Entry, Glass
from coagent.tool import failed

Probe = Callable[[str], None]
"""Called with the name of each point that a run passes between two steps that can be cut apart; for fault tests."""

WriteAhead = Callable[[Record], Awaitable[None]]
"""Puts a record into the journal; returns when it is there for good."""


def no_probe(point: str) -> None:
    """Nothing happens at this point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How patient the runtime is with its targets. `read_s` and `write_s` are seconds for one attempt; `tries` the
    attempts at a read, an undo, or a write that met a conflict; `pause_s` the seconds before the second, then doubled.
    """

    read_s: float = 30.0
    write_s: float = 60.0
    tries: int = 5
    pause_s: float = 0.05


PATIENCE = Limits()
"""How patient the runtime is unless told otherwise."""


class Stuck(Exception):
    """An effect that can neither be done nor left undone: a person has to look. The message says why."""


class Escape(Exception):
    """A tool looked or wrote outside its declared footprint (A2)."""


class Window:
    """A view of what an operation declared to read, and of nothing else."""

    def __init__(self, cells: Mapping[str, Entry], corrected: Mapping[str, Entry], reads: tuple[str, ...]) -> None:
        self._glass, self._reads = Glass(cells, corrected), reads

    def cell(self, path: str) -> Cell:
        """The cell at a path. Raises Escape outside the declared reads."""
        self._check(path)
        return self._glass.cell(path)

    def below(self, path: str) -> Iterator[str]:
        """Every path strictly below. Raises Escape outside the declared reads."""
        self._check(path)
        return self._glass.below(path)

    def sightings(self) -> tuple:
        """What was looked at."""
        return self._glass.sightings()

    def _check(self, path: str) -> None:
        if not any(within(path, read) for read in self._reads):
            raise Escape(f"looked at {path!r}, and it declares to read {', '.join(self._reads) or 'nothing'}")


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
        self.escaped: dict[str, str] = {}
        self._late: dict[str, asyncio.Task] = {}

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
                self.ledger.intents.pop(flight.op, None)
                await asyncio.sleep(pause_s)
        return _answer(flight, failed(f"conflict: {because}"))

    async def _prepared(self, flight: Perform) -> tuple[Intent, Reading] | Performed:
        """What the call will do, written ahead; or its answer, when it writes nothing."""
        tool = self.ledger.tools[flight.call.tool]
        if tool.name in self.escaped:
            return _answer(flight, failed(f"quarantined: {self.escaped[tool.name]}"))
        self._probe(f"before prepare {flight.act} {flight.op}")
        paths = (*flight.reads, *flight.writes)
        try:
            reading = await self._read(paths)
        except Refused as refusal:
            return _answer(flight, failed(str(refusal)))
        except Exception as error:
            return _answer(flight, failed(f"unreachable: {_sentence(error)}"))
        cells = self.ledger.entries(reading.cells, paths)
        view = Window(cells, await self._corrected(flight), flight.reads)
        try:
            result, wrote = tool.exec(view, dict(flight.call.args))
        except Escape:
            raise
        except Exception as error:
            return _answer(flight, failed(f"error: {_sentence(error)}"), saw=view.sightings())
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

    async def _written(self, flight: Perform, found: tuple[Intent, Reading]) -> Performed:
        """Execute what was written ahead. Raises Conflict when the target is not what it was read as."""
        intent, reading = found
        writing = asyncio.ensure_future(self.target.write(dict(intent.wrote), seen=reading.memo, restore={}))
        try:
            await asyncio.wait_for(asyncio.shield(writing), self.limits.write_s)
        except Conflict:
            raise
        except Refused as refusal:
            return await self._refused(flight, intent, str(refusal))
        except Exception:
            self._late[flight.op] = writing
            return _answer(flight, Result("unknown"))
        self._probe(f"after exec {flight.act} {flight.op}")
        return _answer(flight, intent.result, intent.wrote, intent.saw)

    async def _refused(self, flight: Perform, intent: Intent, word: str) -> Performed:
        """A refused write may be half there: put back what stood, so that it has had no effect."""
        if recoverable(self.ledger, flight):
            await self._put_back(flight, intent.captured, intent.memo)
        self.ledger.intents.pop(flight.op, None)
        return _answer(flight, failed(word), saw=intent.saw)

    async def _settle(self, flight: Perform, intent: Intent) -> Performed:
        """Find out by reading whether what was written ahead has happened; if not in full, let it happen now.

        Writing twice is writing once, so that this holds of calls that cannot be taken back too: where a target cannot
        tell whether such a write happened, it says so (Undecided) instead of doing it again.
        """
        self._probe(f"before settle {flight.op}")
        await self._ended(flight.op)
        paths = [path for path, _ in intent.wrote]
        try:
            now = (await self._read(paths)).cells
            if all(same(_cell(now, path), cell) for path, cell in intent.wrote):
                return _answer(flight, intent.result, intent.wrote, intent.saw)
            before = dict(intent.captured)
            for path, cell in intent.wrote:
                if not same(_cell(now, path), cell) and not same(_cell(now, path), before[path][0]):
                    raise Stuck(f"{flight.op} ({flight.call}) met {path!r} changed by somebody else while it was open")
            await self._insist(dict(intent.wrote), restore={})
        except Refused as refusal:
            return await self._refused(flight, intent, str(refusal))
        except Undecided as error:
            raise Stuck(f"nobody can tell whether {flight.op} ({flight.call}) happened: {error}") from error
        except Stuck:
            raise
        except Exception as error:
            raise Stuck(f"{flight.op} ({flight.call}) cannot be settled: {_sentence(error)}") from error
        return _answer(flight, intent.result, intent.wrote, intent.saw)

    async def _ended(self, op: str) -> None:
        """Wait until a write that took too long has ended, or give it up: it must not land behind our back."""
        if writing := self._late.pop(op, None):
            await asyncio.wait({writing}, timeout=self.limits.write_s)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    async def _undo(self, flight: Perform) -> None:
        self._probe(f"before undo {flight.op}")
        await self._put_back(flight, self.ledger.captured.get(flight.op, ()), self.ledger.memos.get(flight.op, {}))
        self._probe(f"after undo {flight.op}")

    async def _put_back(self, flight: Perform, captured: tuple[tuple[str, Entry], ...], memo: Mapping) -> None:
        if not captured:
            return
        try:
            await self._insist({path: held[0] for path, held in captured}, restore=memo)
        except Exception as error:
            raise Stuck(f"what {flight.op} ({flight.call}) did cannot be undone: {_sentence(error)}") from error

    async def _insist(self, cells: Mapping[str, Cell], *, restore: Mapping) -> None:
        """Write until it is so; the last error is raised."""
        last: Exception | None = None
        for pause_s in self._pauses():
            try:
                await self._write(cells, seen={}, restore=restore)
                return
            except (Refused, Undecided):
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

    async def _write(self, cells: Mapping[str, Cell], *, seen: Mapping, restore: Mapping) -> None:
        await asyncio.wait_for(self.target.write(cells, seen=seen, restore=restore), self.limits.write_s)

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
                    kept = await self.target.read_at(path, self.ledger.memos.get(override.op, {}))
                except Gone:
                    kept = None
                if kept is not None and not same(kept, held[0]):
                    raise Stuck(f"the target's version of {path!r} before {override.op} is not what was captured")
        return found

    async def _quarantined(self, flight: Perform, because: str) -> Performed:
        tool = flight.call.tool
        self.escaped[tool] = because
        await self._write_ahead(self.ledger.trouble(self.clock(), f"tool {tool!r} {because}", flight.act, flight.op))
        return _answer(flight, failed(f"quarantined: {because}"))

    def _pauses(self) -> Iterator[float]:
        return (self.limits.pause_s * 2**attempt for attempt in range(self.limits.tries))


def recoverable(ledger: Ledger, flight: Perform) -> bool:
    """Whether the call of an effect can be undone."""
    return ledger.tools[flight.call.tool].declare(dict(flight.call.args)).recoverable


def _cell(cells: Mapping, path: str) -> Cell:
    return (cells[path],) if path in cells else ()


def _answer(flight: Perform, result: Result, wrote: tuple = (), saw: tuple = ()) -> Performed:
    return Performed(op=flight.op, act=flight.act, result=result, wrote=wrote, saw=saw, cause=flight.cause)


def _sentence(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
