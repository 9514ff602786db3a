"""Mails over a real SMTP server are sent once or not at all, and reading tells which, or says that it cannot."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coagent.bad_input import BadInput
from coagent.live.target import Conflict, Refused, Undecided
from coagent.live.targets.mail import MailTarget
from coagent.operation import Call
from tests.live.smtp_server import PASSWORD, PASSWORD_ENV, USER, SmtpServer, smtp
from workloads.office_tool import OFFICE_TOOLS

pytestmark = pytest.mark.xdist_group("mail")

SENDER = "coagent@office.example"
NAG = {"outbox/nag/to": ("kofi@office.example",), "outbox/nag/subject": ("Overdue tasks",)}
SENT = {path: cell[0] for path, cell in NAG.items()}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    pytest.importorskip("aiosmtpd", reason="the SMTP server aiosmtpd is not installed")
    with smtp(tmp_path) as running:
        yield running


def target(server: SmtpServer, **options) -> MailTarget:
    sent = server.box.parent / "sent"
    return MailTarget(
        "127.0.0.1", server.port, **({"sent": str(sent), "sender": SENDER, "tls": "none", "timeout_s": 1.0} | options)
    )


def write(to: MailTarget, cells: dict, seen: dict | None = None) -> None:
    asyncio.run(to.write(cells, seen=seen or {}, restore={}))


def read(of: MailTarget, *paths: str) -> dict:
    return dict(asyncio.run(of.read(paths or ("outbox",))).cells)


def arrived(server: SmtpServer) -> list[EmailMessage]:
    parser = BytesParser(policy=default)
    return [parser.parsebytes(file.read_bytes()) for file in sorted((server.box / "new").iterdir())]


def copies(server: SmtpServer) -> list[Path]:
    return list((server.box.parent / "sent" / "cur").glob("*"))


def test_mail_is_sent_once_however_often_it_is_written(server: SmtpServer) -> None:
    sends = target(server)
    assert read(sends) == {}
    for _ in range(3):
        write(sends, NAG)
        write(target(server), NAG)
    assert read(sends) == read(target(server), "outbox/nag") == SENT
    assert read(sends, "outbox/nag/to") == {"outbox/nag/to": "kofi@office.example"}
    (mail,) = arrived(server)
    assert (mail["To"], mail["Subject"], mail["From"]) == ("kofi@office.example", "Overdue tasks", SENDER)
    assert mail["Message-ID"] == sends.message_id("nag") == target(server).message_id("nag")
    assert target(server, namespace="other").message_id("nag") != mail["Message-ID"]
    assert len(copies(server)) == 1


def test_many_who_send_the_same_mail_at_once_send_one(server: SmtpServer) -> None:
    server.delay_s = 0.05

    async def many() -> None:
        sides = [target(server, timeout_s=10.0) for _ in range(6)]
        await asyncio.gather(*(side.write(NAG, seen={}, restore={}) for side in sides))

    asyncio.run(many())
    assert len(arrived(server)) == 1 and len(copies(server)) == 1


def test_mail_of_the_office_workloads_is_sent_by_their_own_tool(server: SmtpServer) -> None:
    tool, args = OFFICE_TOOLS["send_mail"], {"name": "mail-of-B", "to": "kofi@office.example", "subject": "Good work"}

    class Cells(dict):
        def cell(self, path: str) -> tuple:
            return (self[path],) if path in self else ()

    sends = target(server)
    result, writes = tool.exec(Cells(read(sends, *tool.declare(args).footprint)), args)
    assert result.status == "ok"
    write(sends, dict(writes))
    (mail,) = arrived(server)
    assert (mail["To"], mail["Subject"]) == ("kofi@office.example", "Good work")
    assert tool.exec(Cells(read(sends, *tool.declare(args).footprint)), args)[0].value == "exists"
    assert Call("send_mail", tuple(args.items()))


def test_sent_mail_is_neither_changed_nor_taken_back(server: SmtpServer) -> None:
    sends = target(server)
    write(sends, NAG)
    for cells in (
        {path: () for path in NAG},
        {"outbox/nag/subject": ("other",)},
        {"outbox/nag/body": ("more",)},
    ):
        with pytest.raises(Refused, match="taken back"):
            write(sends, cells)
    with pytest.raises(Conflict):
        write(sends, {"outbox/nag/subject": ("other",)}, {"outbox/nag": {"sent": False}})
    write(sends, {"outbox/none/to": ()})
    assert read(sends) == SENT and len(arrived(server)) == 1


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=120).filter(
    str.isprintable
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=WORDS, body=st.lists(WORDS, max_size=4).map("\n".join), number=st.integers(1, 40))
def test_any_words_arrive_at_everybody(server: SmtpServer, subject: str, body: str, number: int) -> None:
    sends, name = target(server), f"m{time.monotonic_ns()}"
    to = tuple(f"person{one}@office.example" for one in range(number))
    cells = {f"outbox/{name}/to": (to,), f"outbox/{name}/subject": (subject,), f"outbox/{name}/body": (body,)}
    write(sends, cells)
    assert read(sends, f"outbox/{name}") == {path: cell[0] for path, cell in cells.items()}
    (mail,) = [mail for mail in arrived(server) if mail["Message-ID"] == sends.message_id(name)]
    assert server.recipients[-1] == list(to) == [one.addr_spec for one in mail["To"].addresses]
    assert mail["Subject"].split() == subject.split()
    assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == body.rstrip("\n")


@pytest.mark.parametrize(
    "fields",
    [
        {"to": "kofi@office.example\r\nBcc: all@office.example", "subject": "x"},
        {"to": ("kofi@office.example", "a@b.example\nX: y"), "subject": "x"},
        {"to": "kofi@office.example", "subject": "x\r\nBcc: all@office.example"},
        {"to": "kofi@office.example", "subject": "x\n\nA body"},
        {"to": "kofi@office.example", "subject": "x", "Bcc": "all@office.example"},
        {"to": "kofi@office.example> RCPT TO:<all@office.example", "subject": "x"},
        {"to": "nobody", "subject": "x"},
        {"to": "köfi@office.example", "subject": "x"},
        {"to": "", "subject": "x"},
        {"to": (), "subject": "x"},
        {"to": 5, "subject": "x"},
        {"subject": "x"},
        {"to": "kofi@office.example", "subject": None},
        {"to": "kofi@office.example", "subject": "x", "body": "\x00"},
        {"to": "kofi@office.example", "subject": "\ud800"},
    ],
    ids=repr,
)
def test_nonsense_and_injected_headers_are_refused(server: SmtpServer, fields: dict) -> None:
    sends = target(server)
    with pytest.raises(Refused):
        write(sends, {f"outbox/nag/{field}": (value,) for field, value in fields.items()})
    assert arrived(server) == [] and read(sends) == {}


def test_line_of_a_single_dot_does_not_end_a_mail(server: SmtpServer) -> None:
    write(target(server), NAG | {"outbox/nag/body": ("before\n.\n..\nRSET\nafter",)})
    (mail,) = arrived(server)
    assert mail.get_content().replace("\r\n", "\n") == "before\n.\n..\nRSET\nafter\n"


@pytest.mark.parametrize("fault, raised", [("550", Refused), ("451", ConnectionError), ("cut early", ConnectionError)])
def test_mail_that_was_not_taken_reads_as_not_sent_and_can_be_sent_again(
    server: SmtpServer, fault: str, raised: type
) -> None:
    sends, server.fault = target(server), fault
    with pytest.raises(raised):
        write(sends, NAG)
    assert read(sends) == {} and arrived(server) == [] and copies(server) == []
    server.fault = ""
    write(sends, NAG)
    assert read(sends) == SENT and len(arrived(server)) == 1


def test_mail_goes_to_all_recipients_or_to_none(server: SmtpServer) -> None:
    server.refuses = ("b@office.example",)
    sends = target(server)
    with pytest.raises(Refused, match="550"):
        write(sends, NAG | {"outbox/nag/cc": (("a@office.example", "b@office.example"),)})
    assert arrived(server) == [] and read(sends) == {}


def test_server_that_is_not_there_has_sent_nothing(tmp_path: Path) -> None:
    sends = MailTarget("127.0.0.1", 1, sent=str(tmp_path / "sent"), sender=SENDER, tls="none")
    with pytest.raises(ConnectionError):
        write(sends, NAG)
    assert read(sends) == {}


@pytest.mark.parametrize("fault", ["cut before", "cut after", "silence"])
def test_mail_without_an_answer_is_undecided_until_somebody_knows(server: SmtpServer, fault: str) -> None:
    sends, server.fault = target(server), fault
    with pytest.raises((ConnectionError, TimeoutError)):
        write(sends, NAG)
    server.fault, there = "", fault != "cut before"
    for attempt in (lambda: read(sends), lambda: read(target(server), "outbox/nag"), lambda: write(sends, NAG)):
        with pytest.raises(Undecided, match=sends.message_id("nag")):
            attempt()
    assert read(sends, "outbox/other") == {}
    assert len(arrived(server)) == there, "an undecided mail is not sent again"
    knows = target(server, delivered=str(server.box))
    assert read(knows) == (SENT if there else {})
    write(knows, NAG)
    assert read(sends if not there else knows) == SENT and len(arrived(server)) == 1


@pytest.mark.parametrize("sent", [True, False])
def test_person_decides_what_is_undecided(server: SmtpServer, sent: bool) -> None:
    sends, server.fault = target(server), "cut after" if sent else "cut before"
    with pytest.raises(ConnectionError):
        write(sends, NAG)
    server.fault = ""
    asyncio.run(sends.decide("nag", sent=sent))
    assert read(sends) == (SENT if sent else {})
    write(sends, NAG)
    assert len(arrived(server)) == 1 and read(sends) == SENT
    with pytest.raises(Refused):
        asyncio.run(sends.decide("nag", sent=sent))


def test_function_may_know_what_was_delivered(server: SmtpServer) -> None:
    server.fault, asked = "cut after", []
    with pytest.raises(ConnectionError):
        write(target(server), NAG)
    for answer in (True, False):
        knows = target(server, delivered=lambda one: asked.append(one) or answer)  # noqa: B023
        assert read(knows) == (SENT if answer else {})
    with pytest.raises(Undecided):
        read(target(server, delivered=lambda one: None))
    assert asked == [target(server).message_id("nag")] * 2


SENDING = """
import asyncio, json, sys
from coagent.live.targets.mail import MailTarget
options = json.loads(sys.argv[1])
options.pop("kind")
cells = {path: (value,) for path, value in json.loads(sys.argv[2]).items()}
asyncio.run(MailTarget(**options).write(cells, seen={}, restore={}))
"""


def test_process_killed_while_it_sends_leaves_an_undecided_mail_and_never_two(server: SmtpServer) -> None:
    server.delay_s = 1.0
    spec = json.dumps(dict(target(server, timeout_s=20.0).spec))
    process = subprocess.Popen([sys.executable, "-c", SENDING, spec, json.dumps(SENT)])
    ledger = server.box.parent / "sent" / "coagent"
    until = time.monotonic() + 20
    while not list(ledger.glob("*.json")) and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with pytest.raises(Undecided):
        read(target(server))
    time.sleep(1.2)
    assert len(arrived(server)) == 1, "the server had the mail already"
    knows = target(server, delivered=str(server.box))
    write(knows, NAG)
    assert read(knows) == SENT and len(arrived(server)) == 1


def test_reading_waits_for_a_mail_that_is_being_sent(server: SmtpServer) -> None:
    server.delay_s = 0.3

    async def both() -> dict:
        sends, reads = target(server, timeout_s=10.0), target(server, timeout_s=10.0)
        writing = asyncio.create_task(sends.write(NAG, seen={}, restore={}))
        await asyncio.sleep(0.15)
        found = dict((await reads.read(("outbox",))).cells)
        await writing
        return found

    assert asyncio.run(both()) == SENT


def test_password_is_used_and_nowhere_written(server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_ENV, PASSWORD)
    sends = target(server, user=USER, password_env=PASSWORD_ENV)
    write(sends, NAG)
    assert len(arrived(server)) == 1 and PASSWORD not in repr(sends.spec) and PASSWORD not in repr(vars(sends))
    monkeypatch.setenv(PASSWORD_ENV, PASSWORD + "-wrong")
    other = {path.replace("nag", "other"): cell for path, cell in NAG.items()}
    with pytest.raises(Refused) as refused:
        write(sends, other)
    assert PASSWORD not in repr(refused.value)
    monkeypatch.delenv(PASSWORD_ENV)
    with pytest.raises(BadInput):
        write(sends, other)
    assert read(sends) == SENT and len(arrived(server)) == 1


@pytest.mark.parametrize(
    "options", [{"tls": "maybe"}, {"sender": "nobody"}, {"host": "mail.example", "user": "nadia", "tls": "none"}]
)
def test_options_that_cannot_be_are_bad_input(options: dict, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        MailTarget(
            **{"host": "127.0.0.1", "port": 25, "sent": str(tmp_path), "sender": SENDER, "tls": "none"} | options
        )
