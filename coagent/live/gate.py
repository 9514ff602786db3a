"""The door of the service: what gets in at all, who it is, and that every answer is JSON with one sentence at most.

Decides on hosts, origins, tokens, sizes and time before anybody looks at what is asked. Knows no session.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from coagent.event import IllegalEvent
from coagent.live.desk import Refusal
from coagent.live.registry import BadCall
from coagent.live.token import Tokens
from coagent.live.trouble import Ended
from coagent.live.wire import Body, Malformed, checked, parsed, text

LOG = logging.getLogger("coagent.live.service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much the service takes: `body_bytes` of a body, `line_bytes` of the request line and of each header,
    `headers` of them; `head_s` seconds for the head of a connection's first request and `body_s` for a body; `wait_s`
    at most that a request is left waiting for an answer, and between two signs of life on a stream.
    """

    body_bytes: int = 1_048_576
    line_bytes: int = 8_190
    headers: int = 64
    head_s: float = 10.0
    body_s: float = 10.0
    wait_s: float = 20.0


NORMAL = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A request that got in: whose token it has, its query, and its body (None: it has none)."""

    who: str
    query: Mapping[str, str]
    body: Body
    request: web.BaseRequest


Answering = Callable[[Asking], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who may ask for what (`agent` or `operator`), and which fields its body or its query has."""

    answer: Answering
    by: str = "agent"
    required: Mapping[str, type] = field(default_factory=dict)
    optional: Mapping[str, type] = field(default_factory=dict)


class Gate:
    """Lets requests in to their routes, by (method, path). `stopping` is set when a session is found to be over."""

    def __init__(
        self,
        routes: Mapping[tuple[str, str], Route],
        tokens: Tokens,
        hosts: frozenset[str],
        bounds: Bounds,
        stopping: asyncio.Event,
    ) -> None:
        self._routes, self._tokens, self._hosts, self._bounds = routes, tokens, hosts, bounds
        self._stopping = stopping
        self._paths = {path for _, path in routes}

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request, whatever it is."""
        try:
            return await self._let_in(request)
        except Refusal as refusal:
            return refused(refusal.status, refusal.sentence)
        except Malformed as error:
            return refused(400, str(error))
        except BadCall as error:
            return refused(422, str(error))
        except IllegalEvent as error:
            return refused(409, str(error))
        except Ended as error:
            LOG.warning("asked of a session that is over: %s", error)
            self._stopping.set()
            return refused(503, "the session is over, or broke; the operator can say more")
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            LOG.exception("a fault of the service itself")
            return refused(500, "a fault of the service itself; its own log says more")

    async def _let_in(self, request: web.BaseRequest) -> web.StreamResponse:
        self._check_host(request)
        who = self._who(request)
        route = self._routes.get((request.method, request.path))
        if route is None:
            known = request.path in self._paths
            raise Refusal(*((405, "that is not how this is asked for") if known else (404, "there is nothing here")))
        if (route.by == "operator") != (who == "operator"):
            raise Refusal(403, f"this is for the {route.by}; the token is another's")
        if request.method == "POST":
            body = checked(parsed(await self._body(request)), route.required, route.optional)
            if request.query_string:
                raise Refusal(400, "a query has no place here; all fields are in the body")
            return await route.answer(Asking(who=who, query={}, body=body, request=request))
        if request.body_exists:
            raise Refusal(400, "a body has no place here")
        query = request.query
        checked(query, route.required, route.optional) if query else None
        return await route.answer(Asking(who=who, query=query, body={}, request=request))

    def _check_host(self, request: web.BaseRequest) -> None:
        """A page in somebody's browser can reach a loopback address, also under a name of its own (DNS rebinding)."""
        if "Origin" in request.headers:
            raise Refusal(403, "requests from web pages are not answered")
        named = request.headers.getall("Host", [])
        if len(named) != 1 or _without_port(named[0]).lower() not in self._hosts:
            raise Refusal(421, "this service does not go by that host name")

    def _who(self, request: web.BaseRequest) -> str:
        given = request.headers.getall("Authorization", [])
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        who = self._tokens.whose(token.strip()) if scheme.lower() == "bearer" else None
        if who is None:
            raise Refusal(401, "the token is missing or nobody's; send the header Authorization: Bearer TOKEN")
        return who

    async def _body(self, request: web.BaseRequest) -> bytes:
        if request.content_type != "application/json" or "Content-Encoding" in request.headers:
            raise Refusal(415, "the body has to be application/json, not encoded any further")
        if (request.content_length or 0) > self._bounds.body_bytes:
            raise self._too_large()
        try:
            return await asyncio.wait_for(request.read(), self._bounds.body_s)
        except web.HTTPRequestEntityTooLarge:
            raise self._too_large() from None
        except TimeoutError:
            raise Refusal(408, f"the body did not arrive within {self._bounds.body_s:g} seconds") from None
        except web.RequestPayloadError:
            raise Refusal(400, "the body is not as long, or not in such chunks, as its head says") from None

    def _too_large(self) -> Refusal:
        return Refusal(413, f"the body is larger than {self._bounds.body_bytes:,} bytes")


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if name and port.isdecimal() else host


def answered(data: object, status: int = 200) -> web.Response:
    """An answer in JSON."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(text=text(data), status=status, content_type="application/json", headers=headers)


def refused(status: int, sentence: str) -> web.Response:
    """A refusal: one sentence. The connection is closed where it is not sure that the request was read to its end."""
    answer = answered({"error": sentence}, status)
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if status in (400, 401, 403, 408, 413, 415, 421):
        answer.force_close()
    return answer


class _Connection(RequestHandler):
    """A connection that has to begin its first request in time, and is answered in JSON when it sends no HTTP."""

    __slots__ = ("_first",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._first = self._loop.call_later(self._manager.bounds.head_s, self._late)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._first.cancel()
        super().connection_lost(exc)

    def _late(self) -> None:
        if self._request_count == 0 and self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        LOG.info("no HTTP from a connection (%s)", type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun already")
        answer = refused(status, "this is no HTTP that is understood here")
        answer.force_close()
        return answer


class GatedServer(web.Server):
    """The server whose requests go through a gate."""

    def __init__(self, gate: Gate, bounds: Bounds) -> None:
        super().__init__(gate, request_factory=self._request)
        self.bounds = bounds
        self._kwargs = {
            "max_line_size": bounds.line_bytes,
            "max_field_size": bounds.line_bytes,
            "max_headers": bounds.headers,
            "auto_decompress": False,
            "access_log": None,
            "keepalive_timeout": 75.0,
        }

    def _request(self, message: object, payload: object, protocol: object, writer: object, task: object) -> object:
        most = self.bounds.body_bytes
        return web.BaseRequest(message, payload, protocol, writer, task, self._loop, client_max_size=most)

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)
