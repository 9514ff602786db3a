"""One mail over SMTP: what it looks like, and a conversation that says whether it was sent, was not, or may have been.

Knows nothing of cells, nor of what was sent before.
"""

import os
import re
import smtplib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from coagent.bad_input import BadInput
from coagent.live.target import Refused
from coagent.operation import Value

FIELDS = ("to", "cc", "subject", "body")
"""What a mail has; `to` and `cc` are an address or a list of them."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NotSent(Exception):
    """The server has not taken the mail, and will not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where mail is handed in. `tls` is `none`, `starttls` or `tls`; the password is in an environment variable."""

    host: str
    port: int
    tls: str
    user: str
    password_env: str
    timeout_s: float

    def checked(self) -> "Door":
        """Itself. Raises BadInput for a way that would give the password away."""
        if self.tls not in ("none", "starttls", "tls"):
            raise BadInput(f"tls is none, starttls or tls, not {self.tls!r}")
        if self.user and self.tls == "none" and self.host not in _LOOPBACK:
            raise BadInput("the password would go over the network in the clear; use tls or starttls")
        return self

    def password(self) -> str:
        """The password, empty when there is no user. Raises BadInput when it is not where it should be."""
        password = os.environ.get(self.password_env, None if self.user else "")
        if password is None:
            raise BadInput(f"the environment variable {self.password_env or 'password_env'} is not set")
        return password


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as it goes over the wire, to whom, from whom."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


def mail(sender: str, message_id: str, cells: Mapping[str, Value]) -> Mail:
    """The mail that cells mean. Raises Refused for what is none, or would put headers of its own in."""
    if unknown := sorted(set(cells) - set(FIELDS)):
        raise Refused(f"a mail has {', '.join(FIELDS)}, not {unknown[0]}")
    message = EmailMessage(policy=SMTP)
    message["From"], message["Date"], message["Message-ID"] = sender, formatdate(), message_id
    recipients = [one for field in ("to", "cc") for one in _addresses(message, field, cells.get(field, ()))]
    if not recipients:
        raise Refused("a mail needs somebody that it is to")
    subject, body = cells.get("subject", ""), cells.get("body", "")
    if not isinstance(subject, str) or not subject.isprintable():
        raise Refused("the subject is no single line of text")
    if not isinstance(body, str) or not all(one.isprintable() or one in "\n\t" for one in body):
        raise Refused("the body is no text")
    message["Subject"] = subject
    message.set_content(body)
    return Mail(sender=sender, recipients=tuple(dict.fromkeys(recipients)), content=message.as_bytes())


def _addresses(message: EmailMessage, field: str, value: Value) -> list[str]:
    """Put the addresses into their header, and give them bare."""
    items = value if isinstance(value, tuple) else (value,)
    if not items:
        return []
    if not all(isinstance(one, str) and one.isprintable() for one in items):
        raise Refused(f"{field} is no address")
    try:
        message[field.title()] = ", ".join(items)
        found = message[field.title()].addresses
    except (ValueError, IndexError):
        raise Refused(f"{field} is no address") from None
    for one in found:
        if not re.fullmatch(r"[!-~]+@[A-Za-z0-9.-]+|[!-~]+@\[[0-9A-Fa-f.:]+\]", one.addr_spec):
            raise Refused(f"{one.addr_spec!r} is no address that mail can be sent to")
    if message[field.title()].defects:
        raise Refused(f"{field} is no address")
    return [one.addr_spec for one in found]


def hand_in(door: Door, what: Mail) -> None:
    """Give a mail to the server, to all recipients or none; returns when it was taken.

    Raises NotSent or Refused when it was not; anything else leaves open whether it was.
    """
    smtp = _connected(door)
    try:
        _prepare(door, smtp, what)
        _deliver(smtp, what)
    except smtplib.SMTPResponseException as error:
        _answered(error.smtp_code, error.smtp_error)
    finally:
        smtp.close()  # without QUIT: what is said to that changes nothing, and must not look like an answer to the mail


def _connected(door: Door) -> smtplib.SMTP:
    kind = smtplib.SMTP_SSL if door.tls == "tls" else smtplib.SMTP
    more = {"context": ssl.create_default_context()} if door.tls == "tls" else {}
    try:
        return kind(door.host, door.port, local_hostname=socket.gethostname(), timeout=door.timeout_s, **more)
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(f"the mail server cannot be reached ({type(error).__name__})") from None


def _prepare(door: Door, smtp: smtplib.SMTP, what: Mail) -> None:
    """Everything before the mail itself: until then nothing is sent, whatever happens."""
    try:
        smtp.ehlo_or_helo_if_needed()
        if door.tls == "starttls":
            smtp.starttls(context=ssl.create_default_context())
        if door.user:
            smtp.login(door.user, door.password())
        _expect(smtp.mail(what.sender), 250)
        for recipient in what.recipients:
            _expect(smtp.rcpt(recipient), 250, 251)
        _expect(smtp.docmd("DATA"), 354)
    except smtplib.SMTPResponseException:
        raise
    except smtplib.SMTPNotSupportedError as error:
        raise Refused(f"the mail server cannot do that: {error}") from None
    except (OSError, ValueError, smtplib.SMTPException) as error:
        raise NotSent(f"the mail server broke off before the mail was given to it ({type(error).__name__})") from None


def _deliver(smtp: smtplib.SMTP, what: Mail) -> None:
    """The mail itself. When the answer is lost, it may have been taken."""
    try:
        smtp.send(re.sub(rb"(?m)^\.", b"..", what.content) + b".\r\n")
        answer = smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise ConnectionError(
            f"the mail server did not say whether it took the mail ({type(error).__name__})"
        ) from None
    _expect(answer, 250)


def _expect(answer: tuple[int, bytes], *codes: int) -> None:
    if answer[0] not in codes:
        raise smtplib.SMTPResponseException(answer[0], answer[1])


def _answered(code: int, said: bytes | str) -> None:
    """Raises Refused for an answer that is for good, NotSent for one that may pass."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    if 500 <= code < 600:
        raise Refused(f"the mail server said {code} {text}") from None
    raise NotSent(f"the mail server said {code} {text}") from None


def headers_have(content: bytes, message_id: str) -> bool:
    """Whether a mail as it was delivered has this Message-ID."""
    head = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0]
    found = re.search(rb"(?im)^message-id:\s*(\S+)", head)
    return found is not None and found[1].decode("ascii", "replace") == message_id


def domain_of(sender: str) -> str:
    """The domain of an address. Raises BadInput for what is none."""
    if not re.fullmatch(r"[!-~]+@[A-Za-z0-9.-]+", sender):
        raise BadInput(f"the sender {sender!r} is no address; write it as somebody@example.org")
    return sender.rpartition("@")[2]
