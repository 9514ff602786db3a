"""An agent's side of a session in another process: what `coagent.live.agent.Agent` needs of a runtime, over HTTP.

An act is handed in until it is answered, and is carried out once. The runtime works out footprints by itself,
whatever is said of them here.
"""

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from secrets import token_urlsafe

from coagent.event import Event
from coagent.live.agent import Agent, Usage
from coagent.live.connection import CUT, LONGEST_PAUSE_S, PAUSE_S, Connection
from coagent.live.registry import BadCall
from coagent.live.seat import NO_USAGE, Seat, Turn
from coagent.live.trouble import Ended
from coagent.live.wire import Body, act_out, declaration_in, log_changed, notice_in, text, turn_in
from coagent.operation import Call, Declaration, Notice, Result, Value
from coagent.tool import Args, Tool

UNKNOWN = Declaration()
"""What is said of a call's footprint here, where nobody relies on it."""


class RemoteSession:
    """The session as one agent's client sees it: its own seat, and the tools. Open it with `connect`."""

    def __init__(self, connection: Connection, tools: Mapping[str, Tool] | None) -> None:
        self._connection = connection
        self._tools, self._local = dict(tools or {}), tools is not None
        self._seat: Seat | None = None
        self._version = ""
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Learn who this is, where it stands, and which tools there are."""
        found = await self._connection.ask("GET", "/v1/seat")
        self._seat = Seat(name=found["name"], rank=tuple(found["rank"]))
        self._heard(found)
        if not self._local:
            listed = (await self._connection.ask("GET", "/v1/tools"))["tools"]
            self._tools = {one["name"]: _shown(one, self._declarer(one["name"])) for one in listed}

    @property
    def name(self) -> str:
        """Whose token it is."""
        return self._seat.name

    @property
    def tools(self) -> Mapping[str, Tool]:
        """The tools that there are, by name, as the runtime shows them (or as they were given to `connect`)."""
        return self._tools

    def agent(self) -> Agent:
        """The handle of the agent whose token it is."""
        return Agent(self.name, self)

    def call(self, tool: str, args: Mapping[str, Value]) -> Call:
        """A call; whether it is one the runtime says."""
        return Call(tool, tuple(args.items()))

    def declared(self, call: Call) -> Declaration:
        """Nothing: the runtime works it out."""
        return UNKNOWN

    def seat(self, name: str) -> Seat:
        """What is known of the agent, as of its last turn."""
        return self._seat

    async def turn(self, name: str, after: int | None = None) -> Turn:
        """What the agent infers on, as of `coagent.live.session.Session.turn`."""
        while True:
            query = {} if after is None else {"after": str(after)}
            found = await self._connection.ask("GET", "/v1/turn", query=query)
            if "pending" not in found:
                return self._heard(found)
            after = found["after"]

    async def act(self, name: str, what: Event, turn: int, usage: Usage = NO_USAGE) -> Turn:
        """Hand in what an inference ended in until it is answered. Raises BadCall, IllegalEvent, Denied, Ended."""
        async with self._lock:
            body = {
                "turn": turn,
                "request": token_urlsafe(12),
                "act": _sendable(what),
                "log": self._version,
                **({} if usage is NO_USAGE else {"usage": dict(usage)}),
            }
            while True:
                found = await self._connection.ask("POST", "/v1/act", body)
                if "pending" not in found:
                    return self._heard(found)

    async def notices(self) -> AsyncIterator[Notice]:
        """The agent's notices as they are sent, each once, until its run is over; a turn brings them as well."""
        last = 0
        while True:
            try:
                async for number, kind, data in self._connection.stream("/v1/events", last):
                    if number <= last:
                        continue
                    last = number
                    if kind == "over":
                        return
                    yield notice_in(json.loads(data))
            except (*CUT, Ended):
                await asyncio.sleep(LONGEST_PAUSE_S)
            else:
                await asyncio.sleep(PAUSE_S)

    def _heard(self, found: Body) -> Turn:
        """Note where the agent is now."""
        turn, change, seat = turn_in(found["answer"]), found["log"], self._seat
        self._version = change["version"]
        self._seat = Seat(
            name=seat.name,
            rank=seat.rank,
            mode="done" if turn.over else "inferring",
            attempt=turn.attempt,
            log=log_changed(seat.log, change),
            turn=turn,
            turns=turn.number,
        )
        return turn

    def _declarer(self, tool: str) -> Callable[[Args], Declaration]:
        """The footprint of a tool's calls as the runtime tells it; a program that mends itself waits for that."""
        known: dict[str, Declaration] = {}

        def asked(args: Args) -> Declaration:
            body = text({"tool": tool, "args": dict(args)})
            if body not in known:
                known[body] = declaration_in(self._now("/v1/declare", body))
            return known[body]

        return asked

    def _now(self, path: str, body: str) -> Body:
        headers = {**self._connection.headers, "Content-Type": "application/json"}
        asked = urllib.request.Request(self._connection.url + path, body.encode(), headers)
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self._connection.tls)]
        with urllib.request.build_opener(*handlers).open(asked, timeout=10) as answer:
            return json.loads(answer.read())


def _sendable(what: Event) -> Body:
    """An act as it is sent. Raises BadCall, before anything is sent, for what cannot be said in JSON."""
    try:
        act = act_out(what)
        json.dumps(act, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        problem = f"what was handed in cannot be sent ({error})"
        raise BadCall(f"{problem}; values are texts, integers, true, false, null and lists of those") from error
    return act


def _shown(found: Body, declare: Callable[[Args], Declaration]) -> Tool:
    """A tool that is carried out elsewhere."""

    def nowhere(view: object, args: Args) -> tuple[Result, tuple]:
        raise RuntimeError(f"{found['name']} is carried out by the runtime")

    return Tool(found["name"], declare, nowhere, found["says"], schema=found["schema"])


@asynccontextmanager
async def connect(
    url: str,
    token: str,
    *,
    tools: Mapping[str, Tool] | None = None,
    ca: str | None = None,
    patience_s: float = 60.0,
) -> AsyncIterator[RemoteSession]:
    """The session at a service, for the agent whose token it is.

    `tools`: the tools whose code is here too, for scripted programs, which look at footprints to mend themselves;
    without, a program asks the runtime for each, and stands still meanwhile. `ca`, `patience_s`: see `Connection`.
    Raises BadInput for what is no address, Denied for a token that is nobody's, Ended when nobody answers.
    """
    connection = Connection(url, token, ca=ca, patience_s=patience_s)
    try:
        live = RemoteSession(connection, tools)
        await live.open()
        yield live
    finally:
        await connection.close()
