"""An SMTP server on a free loopback port that puts what it takes into a Maildir, and fails as it is told to."""

import asyncio
import mailbox
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

USER, PASSWORD, PASSWORD_ENV = "nadia", "nobody-says-this", "COAGENT_TEST_SMTP_PASSWORD"


@dataclass
class SmtpServer:
    """`fault` is for the next mails, until it is changed.

    A status (`550`, `451`), `cut early` (before the content), `cut before` or `cut after` taking the mail, `silence`
    (it is taken and not answered). It answers `delay_s` after taking a mail; `refuses` are recipients it does not know.
    """

    box: Path
    port: int = 0
    fault: str = ""
    delay_s: float = 0.0
    refuses: tuple[str, ...] = ()
    recipients: list[list[str]] = field(default_factory=list, repr=False)

    def mails(self) -> list[mailbox.MaildirMessage]:
        """What has arrived, in order."""
        box = mailbox.Maildir(self.box)
        return [box[key] for key in sorted(box.keys())]

    async def handle_MAIL(self, server, session, envelope, address, options) -> str:
        if self.fault == "cut early":
            server.transport.abort()
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address in self.refuses:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.fault.isdigit():
            return f"{self.fault} not this one"
        if self.fault == "cut before":
            server.transport.abort()
            return "451 gone"
        mailbox.Maildir(self.box).add(envelope.content)
        self.recipients.append(list(envelope.rcpt_tos))
        await asyncio.sleep(self.delay_s)
        if self.fault == "cut after":
            server.transport.abort()
        if self.fault == "silence":
            await asyncio.sleep(60)
        return "250 taken"


@contextmanager
def smtp(folder: Path) -> Iterator[SmtpServer]:
    """Run a server until the block ends."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    def authenticate(server, session, envelope, mechanism, data) -> AuthResult:
        known = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=known, handled=False)

    for part in ("new", "cur", "tmp"):
        (folder / "received" / part).mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = SmtpServer(box=folder / "received", port=port)
    controller = Controller(server, hostname="127.0.0.1", port=port, authenticator=authenticate, auth_require_tls=False)
    controller.start()
    yield server
    controller.stop()
