"""Requests to a service, sent until they are answered: through cut connections, and while it is started again.

Turns refusals back into the exceptions that the session itself raises. Knows nothing of what is asked.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from time import monotonic
from urllib.parse import urlsplit

import aiohttp

from coagent.bad_input import BadInput
from coagent.event import IllegalEvent
from coagent.live.registry import BadCall
from coagent.live.trouble import Ended
from coagent.live.wire import Body, text

PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
"""Before the second attempt, then doubled, up to the longest."""

ANSWER_S = 45.0
"""How long a request may take: longer than any service lets one wait."""

CUT = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, asyncio.TimeoutError, ConnectionError)


class Denied(Exception):
    """The token is nobody's, or does not allow this. The message says which."""


class Connection:
    """To one service, as whoever the token says. `ca` is a file of certificates to trust instead of the system's;
    `patience_s` the seconds after which a service that does not answer counts as gone."""

    def __init__(self, url: str, token: str, *, ca: str | None = None, patience_s: float = 60.0) -> None:
        _check(url, token)
        self.url, self.patience_s = url.rstrip("/"), patience_s
        self.headers = {"Authorization": f"Bearer {token}"}
        try:
            self.tls = ssl.create_default_context(cafile=ca) if self.url.startswith("https:") else None
        except OSError as error:
            raise BadInput(
                f"the certificates cannot be used ({error.strerror or error}); give a PEM file", ca
            ) from None
        connector = aiohttp.TCPConnector(ssl=self.tls if self.tls else True)
        # Proxies of the environment and redirects are not for tokens.
        self._http = aiohttp.ClientSession(connector=connector, headers=self.headers, trust_env=False)

    async def ask(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        query: Mapping[str, str] | None = None,
        again: bool = True,
    ) -> dict[str, object]:
        """What the service answers. `again`: it may be asked more than once. Raises BadCall, IllegalEvent, Denied,
        BadInput, as refused; Ended when it is gone."""
        until, pause_s = monotonic() + self.patience_s, PAUSE_S
        while True:
            try:
                return await self._asked(method, path, body, query)
            except (*CUT, Ended) as error:
                if not again or monotonic() > until:
                    raise Ended(f"{self.url} does not answer ({error or type(error).__name__})") from error
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _asked(self, method: str, path: str, body: Body | None, query: object) -> dict[str, object]:
        sent = {} if body is None else {"data": text(body).encode(), "headers": {"Content-Type": "application/json"}}
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        asked = self._http.request(
            method, self.url + path, params=query, timeout=timeout, allow_redirects=False, **sent
        )
        async with asked as answer:
            if answer.content_type != "application/json":
                return {"text": await answer.text()} if answer.status == 200 else _refused(answer.status, "")
            found = await answer.json()
        return found if answer.status < 300 else _refused(answer.status, found.get("error", ""))

    async def stream(self, path: str, last: int) -> AsyncIterator[tuple[int, str, str]]:
        """The Server-Sent Events from the one after `last` on, as number, kind and data; until the connection ends."""
        headers = {"Last-Event-ID": str(last)}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=ANSWER_S)
        asked = self._http.get(self.url + path, headers=headers, timeout=timeout, allow_redirects=False)
        async with asked as answer:
            if answer.status != 200:
                _refused(answer.status, (await answer.json()).get("error", ""))
            fields: dict[str, str] = {}
            async for line in answer.content:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                elif "id" in fields:
                    yield int(fields["id"]), fields["event"], fields["data"]
                    fields = {}

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.close()


def _check(url: str, token: str) -> None:
    """Raises BadInput for what is no address of a service, or no token; the token is not in the sentence."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise BadInput(f"{url[:80]!r} is no address of a service; write http://HOST:PORT, as coagent serve says it")
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise BadInput("this is no token: it has a character that none has; read it from its file, and strip it")


def _refused(status: int, sentence: str) -> dict[str, object]:
    match status:
        case 401 | 403:
            raise Denied(sentence)
        case 422:
            raise BadCall(sentence)
        case 409 | 410:
            raise IllegalEvent(sentence)
        case 502 | 503 | 504:
            raise Ended(sentence)
        case _:
            raise BadInput(sentence or f"the service answered with status {status}; is it one of coagent's?")
