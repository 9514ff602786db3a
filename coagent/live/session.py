"""The middleware: one engine between many agents and real targets, on asyncio.

Events go through the engine one at a time; what comes of them is in the journal before anything is done; effects whose
footprints overlap are carried out in the order asked for and all others at once (C2). Knows nothing of models.
"""

import asyncio
from collections.abc import Callable, Mapping

from coagent import effect, event
from coagent.bad_input import BadInput
from coagent.history import Record
from coagent.live.actuator import Actuator, Probe, no_probe
from coagent.live.admission import check_act, rank_for
from coagent.live.agent import Agent
from coagent.live.joined import JoinedTarget
from coagent.live.journal import Journal, JournalFailed
from coagent.live.ledger import Ledger
from coagent.live.limits import PATIENCE, Limits
from coagent.live.registry import BadCall, Registry
from coagent.live.seat import NO_USAGE, Seat, Turn
from coagent.live.step import Fed, Step
from coagent.live.trouble import Ended, Stuck
from coagent.operation import Call, Declaration, Position, Value
from coagent.tool import Tool, declare


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
        self._fed: list[Fed] = []
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

    @property
    def broken(self) -> Exception | None:
        """Why nothing can be asked of the session any more; None: it goes on."""
        return self._broken

    # agents

    async def launch(self, name: str, rank: int | Position | None = None) -> Agent:
        """Let an agent join; without a rank it is appended to the order.

        A child's rank is its parent's, longer: (1, 5) lies inside the slot of (1,). Raises BadInput for a name or a
        rank that is taken.
        """
        wanted = rank_for(self.ledger.seats, name, rank, ordered=self.ledger.protocol.promises == "declared")
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

    def declared(self, call: Call) -> Declaration:
        """The footprint of a call, by its tool's own rule."""
        try:
            return declare(self.tools, call)
        except Exception as error:
            raise BadCall(f"{call.tool} cannot say what this call touches ({type(error).__name__}: {error})") from error

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
            after = seat.turns if seat.mode in ("waiting", "resting", "done") else seat.turns - 1
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
        BadCall for an operation that is not the agent's, a report that no history could hold, a turn that was acted
        on already, and while the agent waits for an answer; Ended when the session is over.
        """
        async with self._locks.setdefault(name, asyncio.Lock()):
            self._check()
            seat = self.seat(name)
            if turn < seat.began or seat.mode == "done":
                return await self.turn(name)
            check_act(seat, turn, what)
            self._feed(what, usage)
            if isinstance(what, event.Retracted) and not what.last and self.seat(name).turns == turn:
                await self._settled()
                return Turn(kind="result", op=what.op, attempt=self.seat(name).attempt, number=turn)
            return await self.turn(name, turn)

    async def bury(self, name: str, because: str = "") -> Turn:
        """Say that an agent is gone for good: what it did is taken back, and nobody waits for it any longer.

        When it waits for an answer, that is awaited first. What it is `because` of is kept in the history, as something
        that a person has to look at. Raises BadInput when it is done already.
        """
        while self.seat(name).mode != "inferring":
            if self.seat(name).mode == "done":
                raise BadInput(f"{name} is done; there is nothing to take back")
            if self.seat(name).mode == "resting":
                raise BadInput(f"{name} has given its report, and waits for others; it can still be woken")
            await self.turn(name)
        if because:
            await self._write_ahead(self.ledger.trouble(self.now(), f"{name} is gone: {because}"))
        self._feed(event.Died(agent=name))
        return await self.turn(name, self.seat(name).turns)

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

    @property
    def busy(self) -> bool:
        """Whether anything is under way but what waits for agents, or for a person."""
        return bool(self._fed or self._under_way)

    async def idle(self) -> None:
        """Wait until it is not busy."""
        while self.busy:
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
        while under_way := [one for one in self._under_way.values() if not one.done()]:
            await asyncio.wait(under_way)
        await self.actuator.writing.all_ended()
        self._broken = self._broken or Ended("the session was closed")
        self._pump.cancel()
        await asyncio.gather(self._pump, return_exceptions=True)
        self._tell_all()
        await self.target.close()
        await self.journal.close()

    # the engine

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
            self._fed.append(Fed(step, ticket, what.agent, self.seat(what.agent).turns))
            return
        self._fed.append(Fed(step, ticket))
        for one in step.effects:
            if isinstance(one, effect.Commit | effect.GiveUp | effect.Bury):
                self._fed.append(Fed(Step(records=(), effects=()), ticket, one.agent))

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
