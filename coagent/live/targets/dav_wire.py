"""Requests to a WebDAV server and what it answers: statuses, lists of ETags, several bodies at once.

Knows nothing of cells. Passwords are looked up when they are needed and are in no message.
"""

import asyncio
import netrc as netrc_file
import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from coagent.bad_input import BadInput
from coagent.live.target import Refused

AT_ONCE = 8
"""Connections, as many as a browser would open."""

BODIES_AT_ONCE = 200
"""Bodies asked for in one request: servers have limits."""

RETRIED = (408, 425, 429)
"""Client errors that are not for good; they are raised as a connection error."""

SPACES = {"D": "DAV:", "C": "urn:ietf:params:xml:ns:caldav", "R": "urn:ietf:params:xml:ns:carddav"}
_NAMES = " ".join(f'xmlns:{short}="{name}"' for short, name in SPACES.items())
_LISTING = f"<D:propfind {_NAMES}><D:prop><D:getetag/><D:resourcetype/></D:prop></D:propfind>"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Wire:
    """Requests to places below one address. Raises BadInput for an address that would give the password away."""

    def __init__(self, url: str, *, user: str, password_env: str, netrc: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInput("the address of the server is no http or https address; write it as https://HOST/")
        if parts.username or parts.password:
            raise BadInput("the address has a user in it; give user and password_env, so that no password is recorded")
        self._secret = bool(password_env or netrc)
        if self._secret and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise BadInput("the password would go over the network in the clear; use https")
        self._url, self._host = f"{url.rstrip('/')}/", parts.hostname
        self._user, self._password_env, self._netrc, self._timeout_s = user, password_env, netrc, timeout_s
        self._session = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None and self._loop is asyncio.get_running_loop():
            await self._session.close()
        self._session = None

    async def ask(
        self, method: str, place: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and content of an answer. Raises TimeoutError or ConnectionError."""
        session, (aiohttp, yarl) = await self._opened(), _libraries()
        address = yarl.URL(self._url + place, encoded=True)
        try:
            # a redirection would carry the password, and what is written, to somewhere else
            async with session.request(
                method, address, headers=dict(headers), data=content or None, allow_redirects=False
            ) as answer:
                return answer.status, answer.headers, await answer.read()
        except TimeoutError:
            raise TimeoutError(f"{method} {place}: no answer within {self._timeout_s:g} s") from None
        except aiohttp.ClientError as error:
            raise ConnectionError(f"{method} {place}: {type(error).__name__}") from None

    def check(self, status: int, what: str) -> None:
        """Raises Refused for a status that is for good, ConnectionError for one that may pass."""
        if 200 <= status < 300:
            return
        if status in (401, 403):
            raise Refused(f"{what}: the server does not let {self._user or 'nobody'} do that ({status})")
        if status >= 500 and status != 507 or status in RETRIED:
            raise ConnectionError(f"{what}: the server failed ({status})")
        raise Refused(f"{what}: the server said {status}")

    async def etags(self, collection: str) -> dict[str, str]:
        """The ETags of a collection's resources, by their names as addresses have them."""
        headers = {"Depth": "1", "Content-Type": "application/xml; charset=utf-8"}
        status, _, content = await self.ask("PROPFIND", collection, headers, _LISTING.encode())
        self.check(status, f"PROPFIND {collection}")
        found = {}
        for name, answer in self._answers(collection, content):
            etag = answer.find(".//D:getetag", SPACES)
            if name and answer.find(".//D:collection", SPACES) is None and etag is not None and etag.text:
                found[name] = etag.text
        return found

    async def bodies(self, collection: str, names: Sequence[str], *, cards: bool) -> dict[str, tuple[str, str]]:
        """ETag and body of named resources of a collection; those that are gone are left out."""
        space, report, data = ("R", "addressbook", "address") if cards else ("C", "calendar", "calendar")
        found = {}
        for start in range(0, len(names), BODIES_AT_ONCE):
            base = urlsplit(self._url + collection).path
            asked = "".join(f"<D:href>{escape(base + name)}</D:href>" for name in names[start : start + BODIES_AT_ONCE])
            wanted = f"<D:prop><D:getetag/><{space}:{data}-data/></D:prop>"
            text = f"<{space}:{report}-multiget {_NAMES}>{wanted}{asked}</{space}:{report}-multiget>"
            headers = {"Depth": "1", "Content-Type": "application/xml; charset=utf-8"}
            status, _, content = await self.ask("REPORT", collection, headers, text.encode())
            self.check(status, f"REPORT {collection}")
            for name, answer in self._answers(collection, content):
                etag, body = (answer.find(f".//{one}", SPACES) for one in ("D:getetag", f"{space}:{data}-data"))
                if etag is not None and body is not None and etag.text and body.text:
                    found[name] = (etag.text, body.text)
        return found

    def _answers(self, collection: str, content: bytes) -> list[tuple[str, ElementTree.Element]]:
        """The answers of a multistatus, by name; the collection itself has an empty one."""
        try:
            root = ElementTree.fromstring(content)
        except ElementTree.ParseError:
            raise ConnectionError(f"{collection}: the answer is not XML") from None
        base, found = unquote(urlsplit(self._url + collection).path), []
        for answer in root.findall("D:response", SPACES):
            if "507" in (answer.findtext("D:status", "", SPACES) or ""):
                raise Refused(f"{collection}: the server does not list everything")
            href = urlsplit(urljoin(self._url, answer.findtext("D:href", "", SPACES))).path
            parent, _, name = href.rpartition("/")
            if unquote(parent) + "/" == base:
                found.append((name, answer))
        return found

    async def _opened(self):
        """The session of this event loop."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            aiohttp, _ = _libraries()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=AT_ONCE),
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                # a proxy that compresses gives weak ETags, which no write can be bound to
                headers={"Accept-Encoding": "identity"}
                | ({"Authorization": self._authorization()} if self._secret else {}),
                trust_env=False,
            )
            self._loop = loop
        return self._session

    def _authorization(self) -> str:
        user, password = self._user, os.environ.get(self._password_env) if self._password_env else None
        if self._password_env and password is None:
            raise BadInput(f"the environment variable {self._password_env} is not set; it should hold the password")
        if password is None:
            try:
                entry = netrc_file.netrc(os.path.expanduser(self._netrc)).authenticators(self._host)
            except (OSError, netrc_file.NetrcParseError) as error:
                raise BadInput(f"the netrc file cannot be read ({type(error).__name__})", self._netrc) from None
            if entry is None or (user and entry[0] != user):
                raise BadInput(f"the netrc file has no password of {user or 'anybody'} for {self._host}", self._netrc)
            user, password = entry[0], entry[2]
        return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _libraries():
    """What the extra `live` brings. Raises BadInput without it."""
    try:
        import aiohttp
        import icalendar  # noqa: F401  durations and zones need it, only later
        import yarl
    except ImportError as error:
        raise BadInput(f"{error.name} is missing; install coagent-mtpo[live]") from None
    return aiohttp, yarl
