"""A live session as a service over HTTP: agents of other processes act in it, each as the token says and no other.

Routes are thin: what they answer is the session's. Everything is below `/v1`, in JSON; long waits are cut short with
`pending`, and whoever asks goes on asking.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from coagent.bad_input import BadInput
from coagent.history import lines
from coagent.live.admission import rank_for
from coagent.live.desk import Desk, Refusal
from coagent.live.feed import Feed
from coagent.live.gate import NORMAL, Asking, Bounds, Gate, GatedServer, Route, answered
from coagent.live.opening import history_of
from coagent.live.session import Session
from coagent.live.token import OPERATOR, Tokens, check_name
from coagent.live.trouble import Stuck
from coagent.live.wire import act_in, checked, declaration_out, text, tool_out, turn_out

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})

MOST_TOKENS = 2**53
"""Of one inference."""


class Service:
    """The routes over one session. `stopping` is set when the operator asks for the end, or the session broke."""

    def __init__(self, session: Session, tokens: Tokens, bounds: Bounds) -> None:
        self.session, self.tokens, self.bounds = session, tokens, bounds
        self.desk, self.feed = Desk(session), Feed(session)
        self.stopping = asyncio.Event()
        waiting = {"wait_ms": str}
        self.routes: Mapping[tuple[str, str], Route] = {
            ("GET", "/v1/tools"): Route(answer=self._tools),
            ("GET", "/v1/seat"): Route(answer=self._seat),
            ("GET", "/v1/turn"): Route(answer=self._turn, optional={"after": str, **waiting}),
            ("GET", "/v1/events"): Route(answer=self._events),
            ("POST", "/v1/declare"): Route(answer=self._declare, required={"tool": str, "args": dict}),
            ("POST", "/v1/act"): Route(
                answer=self._act,
                required={"turn": int, "request": str, "act": dict},
                optional={"usage": dict, "log": str, "wait_ms": int},
            ),
            ("POST", "/v1/launch"): Route(
                answer=self._launch, by="operator", required={"agent": str}, optional={"rank": list}
            ),
            ("GET", "/v1/agents"): Route(answer=self._agents, by="operator"),
            ("GET", "/v1/history"): Route(answer=self._history, by="operator"),
            ("GET", "/v1/quiet"): Route(answer=self._quiet, by="operator", optional=waiting),
            ("POST", "/v1/bury"): Route(answer=self._bury, by="operator", required={"agent": str}),
            ("GET", "/v1/stuck"): Route(answer=self._stuck, by="operator"),
            ("POST", "/v1/retry"): Route(answer=self._retry, by="operator", required={"op": str}),
            ("POST", "/v1/shutdown"): Route(answer=self._shutdown, by="operator"),
        }

    # agents

    async def _tools(self, asking: Asking) -> web.Response:
        return answered({"tools": [tool_out(tool) for tool in self.session.tools.values()]})

    async def _declare(self, asking: Asking) -> web.Response:
        call = self.session.registry.checked(asking.body["tool"], asking.body["args"])
        return answered(declaration_out(self.desk.declared(call)))

    async def _seat(self, asking: Asking) -> web.Response:
        seat = self.desk.seat(asking.who)
        return answered({"name": seat.name, "rank": list(seat.rank), "mode": seat.mode, **self._where(asking.who)})

    async def _turn(self, asking: Asking) -> web.Response:
        seat = self.desk.seat(asking.who)
        after = _number(asking.query, "after", 2**53)
        if after is None:
            after = seat.turns if seat.mode in ("waiting", "resting") else seat.turns - 1
        if after > seat.turns:
            raise Refusal(409, f"{asking.who} has had {seat.turns} turns, and not {after}")
        waited = self.session.turn(asking.who, after)
        if not await self._waited(asyncio.ensure_future(waited), _number(asking.query, "wait_ms", 2**53)):
            return answered({"pending": True, "after": after}, 202)
        return answered(self._where(asking.who))

    async def _act(self, asking: Asking) -> web.Response:
        body, who = asking.body, asking.who
        if not 0 < len(body["request"]) <= 64:
            raise Refusal(400, "the field 'request' has to be a text of 1 to 64 letters")
        counts = dict.fromkeys(("prompt_tokens", "cached_tokens", "output_tokens"), int)
        usage = dict(checked(body.get("usage", {}), {}, counts))
        if any(not 0 <= many <= MOST_TOKENS for many in usage.values()):
            raise Refusal(400, "the usage has a number of tokens that cannot be")
        answer = self.desk.act(who, body["turn"], body["request"], act_in(body["act"]), usage)
        if not await self._waited(asyncio.shield(answer), body.get("wait_ms")):
            return answered({"pending": True, "after": body["turn"]}, 202)
        return answered({"answer": turn_out(answer.result()), "log": self.desk.log(who, body.get("log"))})

    def _where(self, name: str) -> dict[str, object]:
        """Where an agent is: its turn, and its whole log."""
        return {"answer": turn_out(self.session.seat(name).turn), "log": self.desk.log(name, None)}

    async def _events(self, asking: Asking) -> web.StreamResponse:
        """Server-Sent Events: the agent's own notices, from the one after Last-Event-ID."""
        self.desk.seat(asking.who)
        last = _number(asking.request.headers, "Last-Event-ID", 2**53) or 0
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await stream.prepare(asking.request)
        async for one in self.feed.after(asking.who, last, self.bounds.wait_s):
            shown = f"id: {one[0]}\nevent: {one[1]}\ndata: {text(one[2])}\n\n" if one else ": nothing yet\n\n"
            await stream.write(shown.encode())
        return stream

    # the operator

    async def _launch(self, asking: Asking) -> web.Response:
        name, rank = asking.body["agent"], asking.body.get("rank")
        if name == OPERATOR:
            raise Refusal(409, f"an agent cannot be named {OPERATOR!r}")
        if rank is not None and not (rank and all(type(one) is int and 0 < one < 2**53 for one in rank)):
            raise Refusal(400, "the rank has to be a list of positive integers, such as [3] or [1, 5]")
        wanted = None if rank is None else tuple(rank)
        try:
            # A launch stays in the journal, so that whatever may be refused is looked at before.
            check_name(name)
            rank_for(self.session.ledger.seats, name, wanted)
            token = self.tokens.issue(name)
            await self.session.launch(name, wanted)
        except BadInput as error:
            raise Refusal(409, str(error)) from None
        except OSError as error:
            raise Refusal(503, f"the token cannot be kept ({error.strerror}); nothing was launched") from None
        return answered({"agent": name, "rank": list(self.session.seat(name).rank), "token": token})

    async def _bury(self, asking: Asking) -> web.Response:
        self.desk.seat(asking.body["agent"])
        try:
            buried = asyncio.ensure_future(self.session.bury(asking.body["agent"]))
            done = await self._waited(buried, None)
        except BadInput as error:
            raise Refusal(409, str(error)) from None
        return answered({"buried": asking.body["agent"]}) if done else answered({"pending": True}, 202)

    async def _agents(self, asking: Asking) -> web.Response:
        seats = sorted(self.session.ledger.seats.values(), key=lambda one: one.rank)
        shown = [{"name": one.name, "rank": list(one.rank), "mode": one.mode, "turns": one.turns} for one in seats]
        return answered({"agents": shown})

    async def _history(self, asking: Asking) -> web.Response:
        try:
            history = await history_of(self.session)
        except BadInput as error:
            raise Refusal(503, str(error)) from None
        text = await asyncio.to_thread("".join, lines(history))
        return web.Response(
            text=text,
            content_type="application/x-ndjson",
            headers={"Cache-Control": "no-store"},
        )

    async def _quiet(self, asking: Asking) -> web.Response:
        waited = asyncio.ensure_future(self.session.quiet())
        try:
            done = await self._waited(waited, _number(asking.query, "wait_ms", 2**53))
        except Stuck as error:
            raise Refusal(409, f"a person has to look first: {error}") from None
        return answered({"quiet": True}) if done else answered({"pending": True}, 202)

    async def _stuck(self, asking: Asking) -> web.Response:
        return answered({"stuck": dict(self.session.stuck)})

    async def _retry(self, asking: Asking) -> web.Response:
        try:
            self.session.retry(asking.body["op"])
        except BadInput as error:
            raise Refusal(409, str(error)) from None
        return answered({"retried": asking.body["op"]})

    async def _shutdown(self, asking: Asking) -> web.Response:
        asyncio.get_running_loop().call_soon(self.stopping.set)
        return answered({"stopping": True})

    async def _waited(self, waited: asyncio.Future, wait_ms: int | None) -> bool:
        """Whether it came within so many milliseconds, at most `wait_s` seconds; raises what it raises."""
        most = self.bounds.wait_s if wait_ms is None else min(self.bounds.wait_s, max(0, wait_ms) / 1000)
        done, _ = await asyncio.wait({waited}, timeout=most)
        if not done:
            waited.cancel()
            return False
        waited.result()
        return True


def _number(given: Mapping[str, str], name: str, most: int) -> int | None:
    """A number of a query or a header, or None. Raises Refusal."""
    if name not in given:
        return None
    said = given[name]
    if not (said.isascii() and said.isdecimal() and len(said) < 17 and int(said) <= most):
        raise Refusal(400, f"{name} has to be a whole number")
    return int(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A service that is up: its address, and what is set when the operator asks for its end or the session broke."""

    url: str
    stopping: asyncio.Event


@asynccontextmanager
async def serve(
    session: Session,
    *,
    tokens: Tokens,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: tuple[str, str] | None = None,
    plain: bool = False,
    names: tuple[str, ...] = (),
    bounds: Bounds = NORMAL,
) -> AsyncIterator[Served]:
    """Serve a session at an address (port 0: any that is free), as long as the context lasts; the session stays open.

    `tls` are the files of certificate and key; beyond this machine it has to be there, unless `plain` says that the
    network is trusted. `names` are host names besides `host` that clients may use. Raises BadInput.
    """
    if host not in LOOPBACK and not tls and not plain:
        raise BadInput(f"{host} is seen from other machines, and tokens would be too; give certificate and key for TLS")
    context = _context(*tls) if tls else None
    service = Service(session, tokens, bounds)
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    hosts = frozenset(name.lower() for name in (*LOOPBACK, shown, host, *names))
    server = GatedServer(Gate(service.routes, tokens, hosts, bounds, service.stopping), bounds)
    runner = web.ServerRunner(server, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host.strip("[]"), port, ssl_context=context, backlog=1024)
        await _begun(site, host, port)
        at = runner.addresses[0][1]
        yield Served(url=f"{'https' if tls else 'http'}://{shown}:{at}", stopping=service.stopping)
    finally:
        service.feed.close()
        await runner.cleanup()


async def _begun(site: web.TCPSite, host: str, port: int) -> None:
    try:
        await site.start()
    except OSError as error:
        raise BadInput(f"{host}:{port} cannot be listened at ({error.strerror}); choose another port") from error


def _context(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        why = f"certificate and key cannot be used ({error.strerror or error}); both have to be PEM files"
        raise BadInput(why, certificate) from error
    return context
