"""The middleware: one engine between many agents and real targets, on asyncio.

Events go through the engine one at a time; what comes of them is in the journal before anything is done; effects whose
footprints overlap are carried out in the order asked for and all others at once (C2). Knows nothing of models.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from coagent import effect, event
from coagent.bad_input import BadInput
from coagent.history import Record
from coagent.live.actuator import PATIENCE, Actuator, Limits, Probe, Stuck, no_probe
from coagent.live.agent import Agent
from coagent.live.joined import JoinedTarget
from coagent.live.journal import Journal, JournalFailed
from coagent.live.ledger import NO_USAGE, Ledger, Seat, Step, Turn
from coagent.live.registry import Registry
from coagent.operation import Call, Position, Value
from coagent.tool import Tool


class Ended(Exception):
    """The session is over, or broke: nothing more can be asked of it. The message says why."""


@dataclass(frozen=True, slots=True)
class _Fed:
    """A step on its way to the journal, and what may go on when it is there: effects below a ticket, and an agent."""

    step: Step
    ticket: int
    agent: str | None = None
    turns: int = 0


class Session:
    """A live run. Open it with `session` (a new run) or `resumed` (one that a journal holds).

    `stuck` are the effects that a person has to look at, by operation, with the reason.
    """

    def __init__(
        self,
        ledger: Ledger,
        target: JoinedTarget,
        journal: Journal,
        *,
        limits: Limits = PATIENCE,
        probe: Probe = no_probe,
        began: float = 0.0,
    ) -> None:
        self.ledger, self.target, self.journal = ledger, target, journal
        self.registry = Registry.of(ledger.tools)
        loop = asyncio.get_running_loop()
        self._zero = loop.time() - began
        self.actuator = Actuator(ledger, target, self._write_ahead, self.now, limits, probe)
        self.stuck: dict[str, str] = {}
        self._probe = probe
        self._fed: list[_Fed] = []
        self._under_way: dict[int, asyncio.Task] = {}
        self._shown: dict[str, int] = {name: seat.turns for name, seat in ledger.seats.items()}
        self._over: set[str] = {name for name, seat in ledger.seats.items() if seat.mode == "done"}
        self._watchers: dict[str, list[asyncio.Future]] = {}
        self._listeners: list[Callable[[Step], None]] = []
        self._locks: dict[str, asyncio.Lock] = {}
        self._writing = asyncio.Lock()
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()
        self._broken: Exception | None = None
        self._allowed = ledger.flights.next
        self._pump = asyncio.ensure_future(self._run())
        self._start_free()

    def now(self) -> float:
        """Seconds since the run began."""
        return asyncio.get_running_loop().time() - self._zero

    @property
    def tools(self) -> Mapping[str, Tool]:
        """The tools that there are, by name."""
        return self.ledger.tools

    # agents

    async def launch(self, name: str, rank: int | Position | None = None) -> Agent:
        """Let an agent join; without a rank it is appended to the order.

        A child's rank is its parent's, longer: (1, 5) lies inside the slot of (1,). Raises BadInput for a name or a
        rank that is taken.
        """
        wanted = self._rank(name, rank)
        self._feed(event.Launched(agent=name, rank=wanted))
        await self._settled()
        return self.agent(name)

    def agent(self, name: str) -> Agent:
        """The handle of an agent that was launched, also after the runtime was started again."""
        if name not in self.ledger.seats:
            raise BadInput(f"no agent {name!r} was launched; there are {', '.join(self.ledger.seats) or 'none'}")
        return Agent(name, self)

    def call(self, tool: str, args: Mapping[str, Value]) -> Call:
        """A call of a registered tool. Raises BadCall, in a sentence for the agent."""
        return self.registry.checked(tool, args)

    def seat(self, name: str) -> Seat:
        """What is known of an agent."""
        return self.ledger.seats[name]

    def listen(self, listener: Callable[[Step], None]) -> Callable[[], None]:
        """Have a function called with every step when it is in the journal; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def turn(self, name: str, after: int | None = None) -> Turn:
        """What an agent infers on: its turn number `after` + 1 or a later one, as soon as it is there.

        None: the one that it infers on now, or, when it waits for an answer, the next.
        """
        if after is None:
            seat = self.seat(name)
            after = seat.turns if seat.mode in ("waiting", "resting") else seat.turns - 1
        while self._shown.get(name, 0) <= after and name not in self._over:
            self._check()
            watcher = asyncio.get_running_loop().create_future()
            self._watchers.setdefault(name, []).append(watcher)
            await watcher
        self._check()
        return self.seat(name).turn

    async def act(self, name: str, what: event.Event, turn: int, usage: Mapping[str, int] = NO_USAGE) -> Turn:
        """Let the inference of a turn, by its number, end in a call, a retraction or the report; returns the next turn.

        One at a time for each agent, in the order in which they were asked for. When the turn is past (the attempt was
        aborted meanwhile) nothing is done, and the turn that the agent is to infer on instead is returned. Raises
        IllegalEvent when the agent waits for an answer, Ended when the session is over.
        """
        async with self._locks.setdefault(name, asyncio.Lock()):
            self._check()
            if turn != self.seat(name).turns:
                return await self.turn(name)
            self._feed(what, usage)
            if isinstance(what, event.Retracted) and not what.last and self.seat(name).turns == turn:
                await self._settled()
                return Turn(kind="result", op=what.op, attempt=self.seat(name).attempt, number=turn)
            return await self.turn(name, turn)

    async def quiet(self) -> None:
        """Wait for GlobalQuiet: every agent has committed or given up, and nothing is in flight. Raises Stuck when a
        person has to look first, Ended when the session broke."""
        while True:
            self._check()
            if not self._fed and self.ledger.quiescent and not self._under_way:
                return
            if self.stuck and not self._under_way:
                raise Stuck("; ".join(self.stuck.values()))
            self._changed.clear()
            await self._changed.wait()

    async def idle(self) -> None:
        """Wait until nothing is under way but what waits for agents, or for a person."""
        while self._fed or self._under_way:
            self._check()
            self._changed.clear()
            await self._changed.wait()
        self._check()

    def retry(self, op: str) -> None:
        """Try again what was stuck, after a person has seen to it. Raises BadInput when it is not."""
        if op not in self.stuck:
            raise BadInput(f"{op} is not stuck; stuck are {', '.join(self.stuck) or 'none'}")
        del self.stuck[op]
        self._start_free()

    async def close(self) -> None:
        """End: what is under way is waited for, agents that wait are told that the session is over."""
        while self._under_way and not self._broken:
            await asyncio.wait(self._under_way.values())
        self._broken = self._broken or Ended("the session was closed")
        self._pump.cancel()
        await asyncio.gather(self._pump, return_exceptions=True)
        self._tell_all()
        await self.target.close()
        await self.journal.close()

    # the engine

    def _rank(self, name: str, rank: int | Position | None) -> Position:
        taken = {seat.rank: seat.name for seat in self.ledger.seats.values()}
        if rank is None:
            rank = max((one[0] for one in taken), default=0) + 1
        wanted = (rank,) if isinstance(rank, int) else tuple(rank)
        if not name or "#" in name or "." in name or not name.isprintable():
            raise BadInput(f"{name!r} is no name for an agent; use letters, digits, '-' and '_'")
        if name in self.ledger.seats:
            raise BadInput(f"an agent {name!r} was launched already; names are not used twice")
        if wanted in taken:
            raise BadInput(f"rank {list(wanted)} is {taken[wanted]!r}'s; every agent needs a rank of its own")
        return wanted

    def _feed(self, what: event.Event, usage: Mapping[str, int] = NO_USAGE) -> None:
        """Give the engine an event, and let whoever may infer now begin."""
        self._check()
        self._take(what, usage)
        while self.ledger.ready:
            self._take(event.Inferring(agent=self.ledger.ready.pop(0)), NO_USAGE)
        self._wake.set()

    def _take(self, what: event.Event, usage: Mapping[str, int]) -> None:
        step, ticket = self.ledger.feed(what, self.now(), usage), self.ledger.flights.next
        if isinstance(what, event.Inferring):
            self._fed.append(_Fed(step, ticket, what.agent, self.seat(what.agent).turns))
            return
        self._fed.append(_Fed(step, ticket))
        for one in step.effects:
            if isinstance(one, effect.Commit | effect.GiveUp | effect.Bury):
                self._fed.append(_Fed(Step(records=(), effects=()), ticket, one.agent))

    async def _run(self) -> None:
        """Write down what came of events, then let it happen; for as long as the session lasts."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._fed:
                    await self._write_down()
                self._changed.set()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._break(error)

    async def _write_down(self) -> None:
        fed = tuple(self._fed)
        await self._journal([record for one in fed for record in one.step.records])
        del self._fed[: len(fed)]
        self._allowed = fed[-1].ticket
        self._start_free()
        for one in fed:
            for listener in tuple(self._listeners):
                listener(one.step)
            if one.agent is not None:
                self._show(one.agent, one.turns)

    async def _journal(self, records: list[Record]) -> None:
        async with self._writing:
            self._probe("before journal")
            await self.journal.append(records)
            self._probe("after journal")

    async def _write_ahead(self, record: Record) -> None:
        self._check()
        try:
            await self._journal([record])
        except JournalFailed as error:
            self._break(error)
            raise

    async def _settled(self) -> None:
        """Wait until all that was fed so far is in the journal."""
        while self._fed or self._wake.is_set():
            self._check()
            self._changed.clear()
            await self._changed.wait()
        self._check()

    # effects

    def _start_free(self) -> None:
        """Begin every effect that waits for no earlier one and whose asking is in the journal."""
        for ticket, flight in self.ledger.flights.ready():
            if ticket in self._under_way or ticket >= self._allowed or flight.op in self.stuck:
                continue
            if isinstance(flight, effect.Merge):
                raise BadInput("a live target cannot be forked; choose another protocol than fork-merge")
            task = asyncio.ensure_future(self._carry_out(ticket, flight))
            self._under_way[ticket] = task

    async def _carry_out(self, ticket: int, flight: effect.Perform) -> None:
        try:
            done = await self.actuator.perform(flight)
            del self._under_way[ticket]
            self._feed(done)
        except Stuck as error:
            self._under_way.pop(ticket, None)
            await self._hold(flight, str(error))
        except Exception as error:
            self._under_way.pop(ticket, None)
            self._break(error)
        finally:
            self._changed.set()

    async def _hold(self, flight: effect.Perform, because: str) -> None:
        """Keep an effect, and whatever overlaps it, for a person; say so in the history."""
        self.stuck[flight.op] = because
        record = self.ledger.trouble(self.now(), because, flight.act, flight.op)
        try:
            await self._write_ahead(record)
        except (JournalFailed, Ended):
            return

    # waking

    def _show(self, name: str, turns: int) -> None:
        """Let an agent see a turn (0: its last words) that is in the journal now."""
        if turns:
            self._shown[name] = turns
        else:
            self._over.add(name)
        for watcher in self._watchers.pop(name, ()):
            if not watcher.done():
                watcher.set_result(None)

    def _tell_all(self) -> None:
        for watchers in self._watchers.values():
            for watcher in watchers:
                if not watcher.done():
                    watcher.set_result(None)
        self._watchers.clear()
        self._changed.set()

    def _break(self, error: Exception) -> None:
        """Nothing can be done any more: everybody who waits is told."""
        if self._broken is None:
            self._broken = error
        self._tell_all()

    def _check(self) -> None:
        if self._broken is not None:
            raise Ended(str(self._broken) or type(self._broken).__name__) from self._broken
