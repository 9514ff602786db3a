"""Every tool over its real system, called by an agent and taken back: nothing of it is left, by another way of looking.

The fingerprints are of all that the system holds, also what is in no cell: modes, commits, defaults, foreign fields.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

import pytest

from coagent.live.agent import Agent
from coagent.live.opening import session
from coagent.live.target import Target
from coagent.live.targets.git_tool import GIT_TOOLS
from coagent.live.targets.kube_tool import KUBE_TOOLS
from coagent.live.targets.office_tool import OFFICE_TOOLS
from coagent.operation import Value
from coagent.tool import TOOLS, Tool
from workloads.document import DOCUMENT_TOOLS

pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

Calls = Sequence[tuple[str, Mapping[str, Value]]]
Look = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Tools, calls of all of them, and where: `furnished` gives a target and what looks at everything it holds."""

    tools: Mapping[str, Tool]
    calls: Calls
    furnished: Callable[[pytest.FixtureRequest], Iterator[tuple[Target, Look]]]
    group: str = ""


@contextmanager
def _cluster(request: pytest.FixtureRequest) -> Iterator[tuple[Target, Look]]:
    from tests.live.kube_raw import GEO, furnished, put

    target, raw = furnished(request.getfixturevalue("kube"), node=True)
    put(target, {f"{GEO}/nodeName": ("old-node",), "cluster/nodes/closed-node/unschedulable": (True,)})
    yield target, raw.fingerprint


@contextmanager
def _repository(request: pytest.FixtureRequest) -> Iterator[tuple[Target, Look]]:
    from coagent.live.targets.git import GitTarget
    from tests.live.test_git import DATE, committed, git, state

    tree = {"a.py": (b"one = 1\n", 0o755), "deep/er/b": (b"\xff\x00", 0o640), "test_a.py": (TEST, 0o644)}
    root = committed(request.getfixturevalue("tmp_path") / "tree", tree)
    (root / "a.py").write_text("one = 2\n")
    git(root, "add", "a.py")
    (root / "a.py").write_text("one = 2\ntwo = one\n")
    (root / "new").write_text("not yet known to git")
    yield GitTarget(root, date=DATE), partial(state, root)


TEST = b"import unittest\n\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        pass\n"


@contextmanager
def _rows(name: str, request: pytest.FixtureRequest) -> Iterator[tuple[Target, Look]]:
    from tests.live.sql_base import Base

    if name == "sqlite":
        base = Base(kind=name, url=f"sqlite:///{request.getfixturevalue('tmp_path')}/base.db")
    else:
        base = Base(kind=name, url=request.getfixturevalue("database"))
    base.fill()
    asyncio.run(base.target().write({"x": (1,), "stock/figs": (2,)}, seen={}, restore={}))
    yield base.target(), lambda: base.whole("orders", "lines", "cells")


@contextmanager
def _calendar(request: pytest.FixtureRequest) -> Iterator[tuple[Target, Look]]:
    from coagent.live.targets.dav import DavTarget
    from tests.live.accept.ground import dav
    from tests.live.radicale_server import PASSWORD_ENV, USER
    from tests.live.test_dav import curl

    with dav(request.getfixturevalue("tmp_path")) as server:
        for name, body in FOREIGN.items():
            curl(server, "PUT", name, body)
        places = {"calendar": "calendar", "tasks": "tasks", "contacts": "customers"}
        collections = {name: f"{USER}/{folder}/" for name, folder in places.items()}
        where = f"http://127.0.0.1:{server.port}/"
        yield DavTarget(where, user=USER, password_env=PASSWORD_ENV, collections=collections), server.files


def _object(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//somebody//else//EN", *lines, "END:VCALENDAR", ""))


FOREIGN = {
    "calendar/standup.ics": _object(
        "BEGIN:VEVENT",
        "UID:standup",
        "DTSTAMP:20230801T000000Z",
        "DTSTART;TZID=Europe/Berlin:20230801T093000",
        "DTEND;TZID=Europe/Berlin:20230801T094500",
        "SUMMARY;LANGUAGE=en:Stand-up",
        "ATTENDEE;CN=Ana;PARTSTAT=ACCEPTED:mailto:ana@x.example",
        "X-MOOD:fine",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "DESCRIPTION:soon",
        "TRIGGER:-PT15M",
        "END:VALARM",
        "END:VEVENT",
    ),
    "tasks/index.ics": _object(
        "BEGIN:VTODO",
        "UID:index",
        "DTSTAMP:20230801T000000Z",
        "SUMMARY:Make an index",
        "PRIORITY:3",
        "STATUS:NEEDS-ACTION",
        "END:VTODO",
    ),
    "customers/ana.vcf": "\r\n".join(
        ("BEGIN:VCARD", "VERSION:3.0", "UID:ana", "FN:Ana", "N:;Ana;;;", "EMAIL:ana@x.example", "END:VCARD", "")
    ),
}
"""Objects of another client, with much that is in no cell."""


@contextmanager
def _document(request: pytest.FixtureRequest) -> Iterator[tuple[Target, Look]]:
    from tests.live.test_document import begun, decoded, odd

    target, file = begun(request.getfixturevalue("tmp_path"), odd)
    yield target, partial(decoded, file)


def _kube_calls() -> Calls:
    from tests.live.test_kube_tool import CALLS

    return [*((name, args) for name, args, _ in CALLS), ("uncordon_node", {"name": "closed-node"})]


def _row_calls() -> Calls:
    from tests.live.test_sql_tool import CASES

    cases = [(name, args) for name, args, *_ in CASES.values()]
    return [*cases, ("select", {"table": "orders", "where": (("paid", True),)})]


def _row_tools() -> Mapping[str, Tool]:
    from tests.live.test_sql_tool import TOOLS as rows

    return rows


CELL_CALLS: Calls = (
    ("put", {"path": "stock/apples", "value": 3}),
    ("create", {"path": "stock/pears", "value": ("a", (1, None))}),
    ("create", {"path": "x", "value": 1}),
    ("add", {"path": "x", "by": 4}),
    ("add", {"path": "stock/figs", "by": 1}),
    ("copy", {"path": "x", "to": "stock/x"}),
    ("delete", {"path": "x"}),
    ("get", {"path": "x"}),
    ("list", {"path": "stock"}),
)
GIT_CALLS: Calls = (
    ("get", {"path": "repo/a.py"}),
    ("list", {"path": "repo"}),
    ("put", {"path": "repo/a.py", "value": "one = 3\n"}),
    ("put", {"path": "repo/deep/er/b", "value": "no bytes\n"}),
    ("create", {"path": "repo/very/new/file", "value": ""}),
    ("create", {"path": "repo/a.py", "value": ""}),
    ("delete", {"path": "repo/deep/er/b"}),
    ("search", {"text": "one"}),
    ("replace", {"name": "a.py", "old": "one", "new": "two"}),
    ("stage", {"name": "a.py"}),
    ("stage", {"name": "new"}),
    ("commit", {"author": "A"}),
    ("rename", {"name": "a.py", "to": "elsewhere/b.py"}),
    ("grep", {"text": "one"}),
    ("run_tests", {}),
)
OFFICE_CALLS: Calls = (
    ("list_events", {"date": "2023-08-01"}),
    ("create_event", {"id": "plan", "name": "Plan", "start": "2023-08-01 10:00", "minutes": 30, "place": "here"}),
    ("create_event", {"id": "standup", "name": "Plan", "start": "2023-08-01 10:00", "minutes": 30}),
    ("move_event", {"id": "standup", "start": "2023-08-02 09:00"}),
    ("move_event", {"id": "standup", "start": "2023-08-02 09:00", "minutes": 5}),
    ("delete_event", {"id": "standup"}),
    ("list_tasks", {}),
    ("create_task", {"id": "more", "name": "More", "owner": ("a@x.example", "b@x.example"), "due": "2023-08-03"}),
    ("complete_task", {"id": "index"}),
    ("complete_task", {"id": "none"}),
    ("find_contact", {"text": "ana"}),
)
DOCUMENT_CALLS: Calls = (
    ("get", {"path": "doc/order"}),
    ("list", {"path": "doc/sections"}),
    ("put", {"path": "doc/total", "value": 900}),
    ("put", {"path": "doc/sections/a/plain", "value": "no longer plain"}),
    ("create", {"path": "doc/rows/none/amount", "value": 1}),
    ("delete", {"path": "doc/sections/a/title"}),
    ("add", {"path": "doc/rows/hotel/amount", "by": 5}),
    ("copy", {"path": "doc/order", "to": "doc/again"}),
    ("outline", {}),
    ("search", {"text": "customer"}),
    ("text_of", {"name": "a"}),
    ("set_text", {"name": "a", "text": "Nothing that was there. 🎉"}),
    ("set_text", {"name": "z", "text": ""}),
    ("replace", {"name": "a", "old": "customer", "new": "client"}),
    ("insert", {"name": "c", "title": "Three", "text": "New.", "before": "b"}),
    ("amounts", {}),
    ("set_amount", {"name": "hotel", "amount": 1}),
)
BENCHES: Mapping[str, Callable[[], Bench]] = {
    "cluster": lambda: Bench(tools=KUBE_TOOLS, calls=_kube_calls(), furnished=_cluster),
    "git": lambda: Bench(tools=GIT_TOOLS, calls=GIT_CALLS, furnished=_repository),
    "rows, sqlite": lambda: Bench(tools=_row_tools(), calls=_row_calls(), furnished=partial(_rows, "sqlite")),
    "rows, postgresql": lambda: Bench(tools=_row_tools(), calls=_row_calls(), furnished=partial(_rows, "postgresql")),
    "cells, sqlite": lambda: Bench(tools=TOOLS, calls=CELL_CALLS, furnished=partial(_rows, "sqlite")),
    "cells, postgresql": lambda: Bench(tools=TOOLS, calls=CELL_CALLS, furnished=partial(_rows, "postgresql")),
    "calendar": lambda: Bench(tools=OFFICE_TOOLS, calls=OFFICE_CALLS, furnished=_calendar),
    "document": lambda: Bench(tools=DOCUMENT_TOOLS, calls=DOCUMENT_CALLS, furnished=_document),
}
GROUP = {"cluster": "kube", "rows, postgresql": "postgresql", "cells, postgresql": "postgresql", "calendar": "dav"}
EACH = [pytest.param(name, marks=[pytest.mark.xdist_group(GROUP[name])] if name in GROUP else []) for name in BENCHES]
UNRECOVERABLE = {"send", "send_mail"}


async def taken_back(agent: Agent, op: str) -> None:
    """Retract; what the agent is told meanwhile it takes note of."""
    while (await agent.retract(op)).kind == "held":
        pass


@pytest.mark.parametrize("name", EACH)
def test_every_tool_is_called(name: str) -> None:
    bench = BENCHES[name]()
    assert {tool for tool, _ in bench.calls} == set(bench.tools) - UNRECOVERABLE


@pytest.mark.parametrize("name", EACH)
def test_what_an_agent_calls_and_takes_back_leaves_nothing(name: str, request: pytest.FixtureRequest) -> None:
    bench = BENCHES[name]()

    async def called(target: Target, look: Look) -> None:
        async with session(target, tools=bench.tools) as live:
            agent = await live.launch("A")
            await target.read(target.roots)
            changed = set()
            for tool, args in bench.calls:
                before = look()
                turn = await agent.call(tool, **args)
                if look() != before:
                    assert turn.result.status == "ok" and bench.tools[tool].declare(args).writes, (tool, args)
                    changed.add(tool)
                await taken_back(agent, turn.op)
                assert look() == before, (tool, args, turn.result)
            assert not agent.log and not live.stuck
            assert changed == {tool for tool, args in bench.calls if bench.tools[tool].declare(args).writes}
            await agent.finish()

    with bench.furnished(request) as (target, look):
        asyncio.run(called(target, look))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", EACH)
def test_calls_on_top_of_each_other_are_taken_back_in_any_order(
    name: str, seed: int, request: pytest.FixtureRequest
) -> None:
    bench, random = BENCHES[name](), Random(f"{name}/{seed}")

    async def called(target: Target, look: Look) -> None:
        async with session(target, tools=bench.tools) as live:
            agent = await live.launch("A")
            await target.read(target.roots)
            before, ops = look(), []
            for tool, args in random.sample(list(bench.calls), 8):
                turn = await agent.call(tool, **args)
                if turn.kind == "held":
                    turn = await agent.call(tool, **args)
                ops.append(turn.op)
            random.shuffle(ops)
            for op in ops:
                await taken_back(agent, op)
            await live.idle()
            assert look() == before and not live.stuck and not agent.log
            await agent.finish()

    with bench.furnished(request) as (target, look):
        asyncio.run(called(target, look))


def test_a_mail_that_was_sent_is_not_taken_back_and_not_sent_again(tmp_path) -> None:
    from tests.live.accept.ground import arrived, mail_target
    from tests.live.smtp_server import smtp

    mail = {"id": "news", "to": ("li@x.example", "bo@x.example"), "subject": "News", "body": "None."}

    async def called(target: Target) -> None:
        async with session(target, tools=OFFICE_TOOLS) as live:
            agent = await live.launch("A")
            turn = await agent.call("send_mail", **mail)
            assert turn.result.status == "ok"
            turn = await agent.retract(turn.op)
            assert (await target.read(("outbox/news",))).cells
            assert (await agent.call("send_mail", **mail)).result.value == "exists"
            await agent.finish()

    with smtp(tmp_path) as post:
        asyncio.run(called(mail_target(post)))
        [one] = arrived(post)
    assert (one["To"], one["Subject"]) == ("li@x.example, bo@x.example", "News")
