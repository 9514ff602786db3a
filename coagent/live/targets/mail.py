"""Mails as cells: writing `outbox/ID` sends one, once, and reading tells what was sent.

A mail cannot be taken back, so an entry in a ledger goes before every conversation with the mail server; what a crash
leaves open is asked of whoever can know, or is undecided. How a mail is sent is the business of `smtp`.
"""

import asyncio
import mailbox
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from coagent.live.target import Conflict, Memo, Reading, Refused, Undecided
from coagent.live.targets.ledger import BEGUN, DONE, Entry, Ledger
from coagent.live.targets.smtp import Door, Mail, NotSent, domain_of, hand_in, headers_have, mail
from coagent.operation import Cell, Value

ROOT = "outbox"
FINAL = "a sent mail cannot be taken back"

Delivered = Callable[[str], bool | None]
"""Whether a Message-ID has arrived, for good: None when that cannot be told either."""


class MailTarget:
    """Mails handed in at an SMTP server: `outbox/ID/{to,cc,subject,body}`, `to` an address or a list of them.

    `sent` is a Maildir for copies of what was sent, with the ledger in a folder `coagent` in it. `delivered` tells
    whether a Message-ID arrived: a function, or the path of the receiving Maildir or mbox. Message-IDs are made from
    the id and `namespace`, which should differ between runs that send to the same people: servers drop what they know.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sent: str,
        sender: str,
        tls: str = "starttls",
        user: str = "",
        password_env: str = "",
        delivered: str | Delivered = "",
        namespace: str = "",
        timeout_s: float = 30.0,
    ) -> None:
        self._door = Door(
            host=host, port=port, tls=tls, user=user, password_env=password_env, timeout_s=timeout_s
        ).checked()
        self._sender, self._domain, self._namespace = sender, domain_of(sender), namespace
        self._sent, self._delivered = Path(sent), delivered
        self._ledger = Ledger(folder=self._sent / "coagent", timeout_s=timeout_s)

    @property
    def roots(self) -> tuple[str, ...]:
        """The outbox."""
        return (ROOT,)

    @property
    def spec(self) -> Mapping[str, object]:
        """All options but the password, and but a `delivered` that is a function."""
        door = self._door
        return {
            "kind": "mail",
            "host": door.host,
            "port": door.port,
            "sent": str(self._sent),
            "sender": self._sender,
            "tls": door.tls,
            "user": door.user,
            "password_env": door.password_env,
            "delivered": self._delivered if isinstance(self._delivered, str) else "",
            "namespace": self._namespace,
            "timeout_s": door.timeout_s,
        }

    async def close(self) -> None:
        """Nothing is kept open."""

    async def read(self, paths: Sequence[str]) -> Reading:
        """The mails at or below these paths that were sent. Raises Undecided where that cannot be told."""
        return await asyncio.to_thread(self._read, tuple(paths))

    async def write(self, cells: Mapping[str, Cell], *, seen: Memo, restore: Memo) -> None:
        """Send the mails that are not sent yet, one after the other. Raises Refused for any other change."""
        await asyncio.to_thread(self._write, dict(cells), dict(seen))

    async def decide(self, name: str, *, sent: bool) -> None:
        """A person's word on a mail that is undecided."""
        await asyncio.to_thread(self._decide, name, sent)

    def message_id(self, name: str) -> str:
        """The Message-ID of the mail with an id."""
        return f"<coagent.{sha256(f'{self._namespace}/{name}'.encode()).hexdigest()[:40]}@{self._domain}>"

    def _read(self, paths: tuple[str, ...]) -> Reading:
        names = {name for path in paths for name in (self._ledger.names() if path == ROOT else [_name(path)])}
        cells: dict[str, Value] = {}
        memo = {}
        for name in sorted(names):
            entry = self._found(name)
            memo[f"{ROOT}/{name}"] = {"sent": entry is not None}
            for field, value in (entry.cells if entry else {}).items():
                cells[f"{ROOT}/{name}/{field}"] = value
        wanted = {
            path: value
            for path, value in cells.items()
            if any(path == asked or path.startswith(asked + "/") for asked in paths)
        }
        return Reading(cells=wanted, memo=memo)

    def _found(self, name: str) -> Entry | None:
        """The entry of a mail that was sent, None for one that was not; waits for one that is being sent."""
        entry = self._ledger.find(name)
        if entry is None or entry.state == DONE:
            return entry
        with self._ledger.held(name):
            return self._settled(name)

    def _settled(self, name: str) -> Entry | None:
        """What became of a mail that nobody is sending just now."""
        entry = self._ledger.find(name)
        if entry is None or entry.state == DONE:
            return entry
        arrived = True if self._holds(self._sent, name) else self._arrived(name)
        if arrived is None:
            raise Undecided(
                f"whether the mail {name} was sent cannot be told; look for the Message-ID {self.message_id(name)} and "
                "say what became of it"
            )
        return entry if arrived else None

    def _arrived(self, name: str) -> bool | None:
        if callable(self._delivered):
            return self._delivered(self.message_id(name))
        return self._holds(Path(self._delivered), name) if self._delivered else None

    def _holds(self, box: Path, name: str) -> bool:
        """Whether a Maildir or an mbox has the mail."""
        wanted = self.message_id(name)
        if box.is_file():
            found = mailbox.mbox(box, create=False)
            return any(headers_have(found.get_bytes(key), wanted) for key in found.keys())
        files = [file for part in ("new", "cur") for file in (box / part).glob("*")]
        return any(headers_have(file.read_bytes(), wanted) for file in files)

    def _write(self, cells: dict[str, Cell], seen: Memo) -> None:
        wanted: dict[str, dict[str, Cell]] = {}
        for path, cell in cells.items():
            name = _name(path)
            field = path.removeprefix(f"{ROOT}/{name}").removeprefix("/")
            if not field:
                raise Refused(f"{path} is a whole mail; write its fields")
            wanted.setdefault(name, {})[field] = cell
        mails = {name: self._mail(name, fields) for name, fields in wanted.items()}
        for name, fields in wanted.items():
            with self._ledger.held(name):
                entry = self._settled(name)
                if entry is None and (what := mails[name]):
                    self._send(name, {field: cell[0] for field, cell in fields.items() if cell}, what)
                elif entry is not None and any(_cell(entry, field) != cell for field, cell in fields.items()):
                    if seen.get(f"{ROOT}/{name}") == {"sent": False}:
                        raise Conflict(f"the mail {name} has been sent by somebody else")
                    raise Refused(FINAL)

    def _mail(self, name: str, fields: Mapping[str, Cell]) -> Mail | None:
        """The mail that these cells mean; None for none."""
        said = {field: cell[0] for field, cell in fields.items() if cell}
        sent = self._ledger.find(name)
        if not said or (sent and sent.state == DONE):
            return None
        return mail(self._sender, self.message_id(name), said)

    def _send(self, name: str, cells: Mapping[str, Value], what: Mail) -> None:
        """Send a mail: the entry first, the copy after it, then the entry that says so."""
        self._door.password()  # what a person has to mend is found before anything is begun
        self._ledger.put(Entry(name=name, cells=cells, state=BEGUN))
        try:
            hand_in(self._door, what)
        except Refused:
            self._ledger.remove(name)
            raise
        except NotSent as error:
            self._ledger.remove(name)
            raise ConnectionError(str(error)) from None
        self._keep(what)
        self._ledger.put(Entry(name=name, cells=cells, state=DONE))

    def _keep(self, what: Mail) -> None:
        """Put a copy into the Maildir, as read."""
        for part in ("new", "cur", "tmp"):
            (self._sent / part).mkdir(parents=True, exist_ok=True)
        copy = mailbox.MaildirMessage(what.content)
        copy.set_subdir("cur")
        copy.set_flags("S")
        mailbox.Maildir(self._sent, create=False).add(copy)

    def _decide(self, name: str, sent: bool) -> None:
        with self._ledger.held(name):
            entry = self._ledger.find(name)
            if entry is None or entry.state == DONE:
                raise Refused(f"the mail {name} is not undecided")
            if sent:
                self._ledger.put(Entry(name=name, cells=entry.cells, state=DONE))
            else:
                self._ledger.remove(name)


def _name(path: str) -> str:
    """The id of a path. Raises Refused for what is no mail's."""
    root, _, rest = path.partition("/")
    name = rest.partition("/")[0]
    if root != ROOT or not name:
        raise Refused(f"{path} is no mail; write outbox/ID/to and outbox/ID/subject")
    return name


def _cell(entry: Entry, field: str) -> Cell:
    return (entry.cells[field],) if field in entry.cells else ()
