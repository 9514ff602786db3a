"""Calendars, task lists and address books on a CalDAV and CardDAV server, an object a resource, as cells.

Bodies are changed by `coagent.live.targets.dav_object`; what is on the wire is `coagent.live.targets.dav_wire`'s.
Writes are conditional on the version read, so that nothing of anybody is overwritten.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote
from weakref import WeakValueDictionary

from coagent.bad_input import BadInput
from coagent.live.target import Conflict, Gone, Memo, Reading, Refused
from coagent.live.targets.content_line import same_lines
from coagent.live.targets.dav_object import CONTACT, EVENT, TASK, Kind, cells_of, changed
from coagent.live.targets.dav_wire import Wire
from coagent.operation import Cell, Value

KINDS: Mapping[str, Kind] = {"calendar": EVENT, "tasks": TASK, "customers": CONTACT, "contacts": CONTACT}
"""What each collection holds, by the first part of its paths."""

GETS_AT_ONCE = 32
"""Up to so many named objects are got one by one, which gives their exact bytes; more are asked for together."""

ATTEMPTS = 5
"""How often a write is worked out again on what somebody has changed meanwhile."""

Object = tuple[str, str]
"""Root and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A resource as it was seen: its ETag and body, both None where there was none."""

    etag: str | None = None
    body: str | None = None


ABSENT = Version()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """A write that was made: what was there before, and the ETag now."""

    object: Object
    before: Version
    etag: str | None


class DavTarget:
    """Collections below one server address: `collections` has their paths, by the first part of the cells' paths.

    `calendar/ID/...` are events: name, participant, start (`YYYY-MM-DD HH:MM` on the wall clock of the event's own
    zone), minutes, place, notes; `tasks/ID/...`: name, owner, due, list, status, notes; `customers/ID/...` and
    `contacts/ID/...`: name, email, phone, notes. Any other field is kept in a property of our own. The password is the
    value of the environment variable `password_env`, or what the file `netrc` says for the host.
    """

    def __init__(
        self,
        url: str,
        *,
        collections: Mapping[str, str],
        user: str = "",
        password_env: str = "",
        netrc: str = "",
        timeout_s: float = 30.0,
    ) -> None:
        if unknown := sorted(set(collections) - set(KINDS)):
            raise BadInput(f"a collection is one of {', '.join(KINDS)}, not {unknown[0]}")
        self._wire = Wire(url, user=user, password_env=password_env, netrc=netrc, timeout_s=timeout_s)
        self.collections = {root: f"{path.strip('/')}/" for root, path in collections.items()}
        self._options = {"url": url, "user": user, "password_env": password_env, "netrc": netrc, "timeout_s": timeout_s}
        self._locks: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()
        self._versions: dict[Object, Version] = {}
        self._ours: dict[Object, list[str | None]] = {}

    @property
    def roots(self) -> tuple[str, ...]:
        """The collections."""
        return tuple(self.collections)

    @property
    def spec(self) -> Mapping[str, object]:
        """Address, user, and where the password is to be found; not the password."""
        return {"kind": "dav", **self._options, "collections": dict(self.collections)}

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    async def read(self, paths: Sequence[str]) -> Reading:
        """Every cell at or below these paths; a whole collection is listed, and what is new in it got at once."""
        whole = {path for path in paths if path in self.collections}
        named = {self._object(path) for path in paths if path not in whole}
        found: dict[Object, Version] = {}
        for root in sorted(whole):
            found |= await self._listed(root)
        found |= await self._now(named)
        cells: dict[str, Value] = {}
        for (root, name), version in found.items():
            for field, value in _cells(root, version.body).items():
                cells[f"{root}/{name}/{field}"] = value
        wanted = {path: value for path, value in cells.items() if any(_within(path, asked) for asked in paths)}
        memo = {f"{root}/{name}": {"etag": one.etag, "body": one.body} for (root, name), one in found.items()}
        return Reading(cells=wanted, memo=memo)

    async def read_at(self, path: str, memo: Memo) -> Cell:
        """The cell as the memo's body has it. Raises Gone when the memo has not the object."""
        root, name = self._object(path)
        kept = memo.get(f"{root}/{name}")
        if not isinstance(kept, Mapping):
            raise Gone(f"nothing was kept of {root}/{name}")
        cells = _cells(root, kept["body"])
        field = path.removeprefix(f"{root}/{name}").removeprefix("/")
        return (cells[field],) if field in cells else ()

    async def write(self, cells: Mapping[str, Cell], *, seen: Memo, restore: Memo) -> None:
        """Let these cells be so, an object at a time; an object without a cell is deleted."""
        wanted: dict[Object, dict[str, Cell]] = {}
        for path, cell in cells.items():
            root, name = self._object(path)
            field = path.removeprefix(f"{root}/{name}").removeprefix("/")
            if not field:
                raise Refused(f"{path} is a whole object; write its fields")
            wanted.setdefault((root, name), {})[field] = cell
        now = await self._now(wanted)
        for one, version in now.items():
            self._check(one, version, seen)
        for one, fields in wanted.items():  # what is refused is so before anything is changed
            changed(now[one].body, KINDS[one[0]], one[1], fields, _kept(restore, one).body)
        writes = [self._write(one, fields, now[one], seen, _kept(restore, one).body) for one, fields in wanted.items()]
        results = await asyncio.gather(*writes, return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if not failures:
            return
        worst = next((one for one in failures if not isinstance(one, Conflict)), failures[0])
        if isinstance(worst, Conflict):
            await self._take_back([done for done in results if isinstance(done, _Done)])
        raise worst

    async def _write(
        self, one: Object, fields: Mapping[str, Cell], now: Version, seen: Memo, source: str | None
    ) -> _Done | None:
        """Change one object, on what is there then; None when it was so already."""
        root, name = one
        kind, sent = KINDS[root], None
        async with self._lock(one):
            for _ in range(ATTEMPTS):
                body = changed(now.body, kind, name, fields, source)
                if body == now.body:
                    return None
                sent = body
                if (etag := await self._put(one, body, now)) is not False:
                    return _Done(object=one, before=now, etag=etag)
                now = await self._get(one)
                if _is_so(now.body, sent):
                    return None  # a repeated request finds its own effect
                self._check(one, now, seen)
        raise Conflict(f"{root}/{name} is being changed all the time")

    async def _put(self, one: Object, body: str | None, now: Version) -> str | None | bool:
        """Put or delete a resource that is still of this version: the new ETag, or False when it is not any more."""
        condition = {"If-Match": now.etag} if now.etag else {"If-None-Match": "*"}
        method = "DELETE" if body is None else "PUT"
        content_type = f"{KINDS[one[0]].content_type}; charset=utf-8"
        headers = condition if body is None else {**condition, "Content-Type": content_type}
        status, answer, _ = await self._wire.ask(method, self._place(one), headers, (body or "").encode())
        if status == 412:
            return False
        if status not in (404, 410) or body is not None:
            self._wire.check(status, f"{method} {'/'.join(one)}")
        self._versions.pop(one, None)
        etag = answer.get("ETag") if body is not None else None
        if body is not None and not etag:
            etag = (await self._get(one)).etag
        line = self._ours.setdefault(one, [now.etag])
        self._ours[one] = [*(line if line[-1] == now.etag else [now.etag])[-50:], etag]
        return etag

    async def _take_back(self, done: Iterable[_Done]) -> None:
        """Undo the other writes of one call, so that nothing has changed when it raises Conflict."""
        for one in done:
            async with self._lock(one.object):
                if await self._put(one.object, one.before.body, Version(etag=one.etag)) is False:
                    raise Refused("some of the objects had been changed by others, and one was changed twice")

    def _check(self, one: Object, now: Version, seen: Memo) -> None:
        """Raises Conflict unless the version is the one seen, or came from it by our own writes alone."""
        key = "/".join(one)
        if key not in seen:
            return
        etag, line = _kept(seen, one).etag, self._ours.get(one, [None])
        if now.etag != etag and not (line[-1] == now.etag and etag in line):
            raise Conflict(f"{key} has been changed by somebody else")

    async def _now(self, objects: Iterable[Object]) -> dict[Object, Version]:
        """Named objects as they are."""
        objects = sorted(objects)
        if len(objects) <= GETS_AT_ONCE:
            versions = await asyncio.gather(*map(self._get, objects))
            return dict(zip(objects, versions, strict=True))
        found = dict.fromkeys(objects, ABSENT)
        for root in sorted({root for root, _ in objects}):
            there = await self._listed(root, {name for start, name in objects if start == root})
            found |= {one: version for one, version in there.items() if one in found}
        return found

    async def _get(self, one: Object) -> Version:
        """A resource with its exact bytes."""
        status, answer, content = await self._wire.ask("GET", self._place(one), {}, b"")
        if status in (404, 410):
            return ABSENT
        self._wire.check(status, f"GET {'/'.join(one)}")
        etag = answer.get("ETag")
        if not etag or etag.startswith("W/"):
            raise Refused("the server gives no versions of its resources")
        try:
            version = Version(etag=etag, body=content.decode())
        except UnicodeDecodeError:
            raise Refused(f"{'/'.join(one)} is not in UTF-8") from None
        self._versions[one] = version
        return version

    async def _listed(self, root: str, names: Iterable[str] | None = None) -> dict[Object, Version]:
        """The objects of a collection, or those with some names: a listing, then all that is new in one request."""
        kind, at = KINDS[root], self.collections[root]
        etags = {(root, _id(quoted, kind)): (quoted, etag) for quoted, etag in (await self._wire.etags(at)).items()}
        if names is not None:
            etags = {one: etags[one] for name in names if (one := (root, name)) in etags}
        new = {quoted: one for one, (quoted, etag) in etags.items() if self._versions.get(one, ABSENT).etag != etag}
        for quoted, (etag, body) in (await self._wire.bodies(at, list(new), cards=kind is CONTACT)).items():
            # an XML parser makes a line end of CR LF; the formats have no other than CR LF
            self._versions[new[quoted]] = Version(etag=etag, body=re.sub(r"\r?\n", "\r\n", body))
        there = {one: self._versions[one] for one in etags if one in self._versions}
        return {one: version for one, version in there.items() if _cells(root, version.body)}

    def _object(self, path: str) -> Object:
        """Root and id of a path. Raises Refused for what no resource can be called."""
        root, _, rest = path.partition("/")
        name = rest.partition("/")[0]
        if root not in self.collections:
            raise Refused(f"there is no collection {root!r}")
        fine = (
            name and len(name.encode()) <= 200 and name.isprintable() and unquote(_quoted(name, KINDS[root]))[0] != "."
        )
        if not fine or _id(_quoted(name, KINDS[root]), KINDS[root]) != name:
            raise Refused(f"{name!r} cannot be the name of a resource")
        return root, name

    def _place(self, one: Object) -> str:
        return self.collections[one[0]] + _quoted(one[1], KINDS[one[0]])

    def _lock(self, one: Object) -> asyncio.Lock:
        return self._locks.setdefault((asyncio.get_running_loop(), one), asyncio.Lock())


def _id(quoted: str, kind: Kind) -> str:
    """The id of a resource name; one without the usual extension begins with `=`."""
    name = unquote(quoted)
    bare = not name.endswith(kind.extension)
    stem = name if bare else name.removesuffix(kind.extension)
    hidden = "".join(f"%{ord(one):02X}" if one in "/%{}" else one for one in stem)
    return f"={hidden}" if bare else f"%3D{hidden[1:]}" if hidden.startswith("=") else hidden


def _quoted(name: str, kind: Kind) -> str:
    """The resource name of an id, as an address has it."""
    return quote(unquote(name[1:]), safe="@") if name[:1] == "=" else quote(unquote(name) + kind.extension, safe="@")


def _cells(root: str, body: str | None) -> Mapping[str, Value]:
    return cells_of(body, KINDS[root].component) if body is not None else {}


def _kept(memo: Memo, one: Object) -> Version:
    """What a memo has of an object."""
    kept = memo.get("/".join(one))
    return Version(etag=kept["etag"], body=kept["body"]) if isinstance(kept, Mapping) else ABSENT


def _is_so(now: str | None, sent: str | None) -> bool:
    return now == sent or (now is not None and sent is not None and same_lines(now, sent))


def _within(path: str, asked: str) -> bool:
    return path == asked or path.startswith(asked + "/")
