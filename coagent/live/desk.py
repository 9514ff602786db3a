"""Where agents from outside hand in what they do: each act is taken once, however often it is handed in.

An act names the turn that it answers. What the last act of every agent was is known from the journal too, so that this
holds across a restart of the runtime. Knows nothing of HTTP or tokens.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, replace
from secrets import token_hex

from coagent.actor import Entry
from coagent.bad_input import BadInput
from coagent.event import Event, Finished, Invoked, Retracted
from coagent.event_json import event_in
from coagent.history import Record
from coagent.live.seat import NO_USAGE, Seat, Turn
from coagent.live.session import Session
from coagent.live.wire import Body, act_out, log_change, report_in, text
from coagent.operation import Call, Declaration
from coagent.tool import declare

Answer = asyncio.Task[Turn]
"""What comes of an act."""


class Refusal(Exception):
    """What is asked is refused: an HTTP status, and one sentence for whoever asked."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An act: the turn that it answers, what it is, whether it `ends` the turn (it may drop operations before), and,
    unless it was read from the journal, its request and what waits for the answer."""

    turn: int
    act: str
    ends: bool
    request: str | None = None
    answer: Answer | None = None


class Desk:
    """The acts of a session's agents. Not shared between sessions."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._last: dict[str, Asked] = last_acts(session.journal.records())
        self._logs: dict[str, tuple[str, tuple[Entry, ...]]] = {}

    def seat(self, name: str) -> Seat:
        """What is known of an agent. Raises Refusal before it is launched."""
        if name not in self.session.ledger.seats:
            raise Refusal(409, f"{name} was not launched yet; the operator launches agents")
        return self.session.seat(name)

    def act(self, name: str, turn: int, request: str, act: Body, usage: Mapping[str, int]) -> Answer:
        """Take an act, or find that it was taken; what waits for the answer.

        Raises Refusal for an act on a turn that was answered otherwise, BadCall for a call that is none.
        """
        seat, last = self.seat(name), self._last.get(name)
        if last and last.turn == turn and last.request in (None, request):
            asked = _asked(turn, self._event(name, act), request=request)
            if last.act == asked.act:
                return last.answer or self._taken(name, asked, self._answer(name, turn, act))
            if last.request:
                raise Refusal(409, "this request was used for another act; every act needs a request of its own")
        if seat.turn.over:
            raise Refusal(410, f"{name} has {'committed' if not seat.gave_up else 'given up'}; nothing is left to do")
        if last and last.answer and not last.answer.done():
            raise Refusal(409, f"{name} waits for the answer to another act; one at a time")
        if not 0 < turn <= seat.turns:
            raise Refusal(409, f"there is no turn {turn} of {name}'s; it is at turn {seat.turns}")
        if turn < seat.turns and (last is None or last.turn < turn or (last.turn == turn and not last.ends)):
            # An abort took the turn from under the agent: what it came to is void, and it goes on from what is now.
            return _heard(self.session.turn(name, turn))
        if turn != seat.turns or seat.mode != "inferring":
            raise Refusal(409, f"turn {turn} was answered already; {name} is at turn {seat.turns} now")
        what = self._event(name, act)
        asked = _asked(turn, what, request=request)
        return self._taken(name, asked, self.session.act(name, what, turn, usage or NO_USAGE))

    def _taken(self, name: str, asked: Asked, coming: Awaitable[Turn]) -> Answer:
        answer = _heard(coming)
        self._last[name] = replace(asked, answer=answer)
        return answer

    async def _answer(self, name: str, turn: int, act: Body) -> Turn:
        """The answer to an act that an earlier runtime took."""
        seat = self.session.seat(name)
        if act["kind"] == "drop" and seat.turns == turn:
            return Turn(kind="result", op=act["op"], attempt=seat.attempt, number=turn)
        return await self.session.turn(name, turn)

    def _event(self, name: str, act: Body) -> Event:
        """The event of an act, its footprint worked out here."""
        match act["kind"]:
            case "call":
                call = self.session.registry.checked(act["tool"], act["args"])
                places = {place: act.get(place) for place in ("before", "replaces")}
                return Invoked(agent=name, call=call, declaration=self.declared(call), **places)
            case "finish":
                return Finished(agent=name, report=report_in(act["report"]))
            case kind:
                return Retracted(agent=name, op=act["op"], last=kind == "retract")

    def declared(self, call: Call) -> Declaration:
        """The footprint of a call, by its tool's own rule. Raises Refusal for paths that no target has."""
        declaration = declare(self.session.tools, call)
        try:
            for path in declaration.footprint:
                self.session.target.of(path)
        except BadInput as error:
            raise Refusal(422, str(error)) from None
        return declaration

    def log(self, name: str, known: str | None) -> dict[str, object]:
        """An agent's log, as a change of the version that it knows; the whole when that is not the last one told."""
        log, held = self.session.seat(name).log, self._logs.get(name)
        if held is None or held[1] is not log:
            self._logs[name] = token_hex(8), log
        old = held[1] if held and held[0] == known else ()
        return {"version": self._logs[name][0], **log_change(old, log)}


def last_acts(records: Iterable[Record]) -> dict[str, Asked]:
    """The last act of each agent, with the turn that it answered, as a journal has it."""
    turns: dict[str, int] = {}
    found: dict[str, Asked] = {}
    for record in records:
        if record["event"] != "step":
            continue
        match record["input"]:
            case {"kind": "inferring", "agent": agent}:
                turns[agent] = turns.get(agent, 0) + 1
            case {"kind": "invoked" | "retracted" | "finished", "agent": agent} as what:
                found[agent] = _asked(turns[agent], event_in(what))
    return found


def _asked(turn: int, what: Event, **more: object) -> Asked:
    ends = not (isinstance(what, Retracted) and not what.last)
    return Asked(turn=turn, act=text(act_out(what)), ends=ends, **more)


def _heard(coming: Awaitable[Turn]) -> Answer:
    """A task of it; whoever waited may be gone when it fails, and the next who asks is told."""
    answer = asyncio.ensure_future(coming)
    answer.add_done_callback(lambda done: done.cancelled() or done.exception())
    return answer
