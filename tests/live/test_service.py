"""A session behind HTTP is the session: agents of other processes act in it, across cut connections and restarts."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from checker.notified import check_history
from coagent import naming
from coagent.bad_input import BadInput
from coagent.event import IllegalEvent
from coagent.history import History, parse
from coagent.live.client import RemoteSession, connect
from coagent.live.connection import Connection, Denied
from coagent.live.gate import Bounds
from coagent.live.journal import JournalFailed, MemoryJournal
from coagent.live.opening import history_of, resumed, session
from coagent.live.operating import operating
from coagent.live.registry import BadCall
from coagent.live.running import LiveRun, run_live, seed
from coagent.live.service import serve
from coagent.live.session import Session
from coagent.live.sqlite_journal import SqliteJournal
from coagent.live.targets import opened
from coagent.live.targets.memory import MemoryTarget
from coagent.live.token import OPERATOR, TokenFolder, Tokens
from coagent.live.trouble import Ended
from coagent.tool import TOOLS
from tests.live.cutting_proxy import cutting_proxy
from tests.live.live_check import check_replay, is_serial, judged
from tests.live.other_process import plan_on, remote_agents, service_process
from tests.live.rough_target import RoughTarget

ANOMALIES = ("lost-update", "dirty-read", "read-skew", "write-skew", "phantom")
PROTOCOLS = ("mtpo", "serial", "2pl")


async def by_other_processes(workload, protocol, agents) -> LiveRun:
    """The workload's agents, each in a process of its own, through a service."""
    tokens, state = Tokens(), MemoryTarget([""], workload.state)
    known = {"tools": workload.tools, "protocol": protocol, "name": workload.name, "whole": True}
    async with session(state, **known) as live, serve(live, tokens=tokens) as served:
        async with operating(served.url, tokens.issue(OPERATOR)) as operator:
            given = [await operator.launch(one.name) for one in workload.agents]
            fields = {"url": served.url, "workload": workload.name}
            plays = [
                process.do("play", token=token, agent=one.name, **fields)
                for process, token, one in zip(agents, given, workload.agents, strict=True)
            ]
            assert await asyncio.gather(*plays) == [["committed", one.name] for one in workload.agents]
            await operator.quiet()
            told = parse(await operator.history(), "the service's answer")
        history = await history_of(live)
        assert [one["event"] for one in told.records] == [one["event"] for one in history.records]
        reports = {one.name: one.report for one in live.ledger.seats.values()}
        return LiveRun(history=history, final_state=dict(state.cells), reports=reports, gave_up=())


def shape(history: History) -> set[tuple[str, ...]]:
    """The kinds of records with their fields."""
    return {(one["event"], *sorted(one)) for one in history.records}


@pytest.mark.xdist_group("service")
def test_the_anomalies_over_http_end_as_in_one_process_and_the_checker_agrees():
    async def all_of_them() -> None:
        async with remote_agents(2) as agents:
            for name in ANOMALIES:
                workload = naming.target(name)
                for by in PROTOCOLS:
                    protocol = naming.protocol(by)
                    run = await by_other_processes(workload, protocol, agents)
                    verdict = judged(run, workload, protocol)
                    assert verdict.verdict == "ok", (name, by, verdict.sentences())
                    assert protocol.promises != "declared" or is_serial(run, workload), (name, by)
                    assert workload.invariant is None or workload.invariant(run.final_state, run.reports), (name, by)
                    if by == "serial":
                        inside = await run_live(workload, protocol, MemoryTarget([""], workload.state))
                        assert shape(run.history) == shape(inside.history)
                        assert list(run.history.header) == list(inside.history.header)

    asyncio.run(all_of_them())


@pytest.mark.xdist_group("service")
def test_a_service_killed_again_and_again_loses_nothing_and_clients_go_on_by_themselves(tmp_path):
    names, times, kills = ("ann", "bob"), 30, 4

    async def killed() -> History:
        roots = ["shared", *names]
        spec = {"kind": "sql", "url": f"sqlite:///{tmp_path / 'state.sqlite'}", "cells": {"roots": roots}}
        target = opened(spec)
        await seed(target, [(root, 0) for root in roots])
        plan = plan_on(tmp_path, roots, {name: rank for rank, name in enumerate(names, 1)})
        async with service_process(tmp_path, plan) as service, remote_agents(len(names)) as agents:
            fields = {"url": service.url, "times": times, "think_s": 0.05}
            acting = [
                asyncio.ensure_future(agent.do("add", token=service.token(name), paths=[name, "shared"], **fields))
                for agent, name in zip(agents, names, strict=True)
            ]
            for _ in range(kills):
                await asyncio.sleep(0.7)
                assert not any(one.done() for one in acting), "the kills come while agents act"
                await service.end(signal.SIGKILL)
                await service.start()
            assert await asyncio.gather(*acting) == [["committed", 2 * times]] * len(names)
            async with operating(service.url, service.token(OPERATOR)) as operator:
                await operator.quiet()
                text = await operator.history()
            assert await service.end() == 0
        left = (await target.read(roots)).cells
        assert left == {"ann": times, "bob": times, "shared": 2 * times}, "nothing lost, nothing done twice"
        await target.close()
        return parse(text, "history")

    history = asyncio.run(killed())
    assert check_history(history, order="declared").verdict == "ok"
    assert sum(one["event"] == "invoke" for one in history.records) == 2 * times * len(names)


@asynccontextmanager
async def serving(
    *names: str, target=None, protocol: str = "mtpo", bounds: Bounds | None = None
) -> AsyncIterator[tuple[Session, str, Tokens, dict[str, str]]]:
    """A session on two counters, at a service; its address, and the tokens of the agents and the operator."""
    tokens, target = Tokens(), target or MemoryTarget([""], [("x", 0), ("y", 0)])
    async with session(target, protocol=naming.protocol(protocol), whole=True) as live:
        for name in names:
            await live.launch(name)
        given = {who: tokens.issue(who) for who in (*names, OPERATOR)}
        async with serve(live, tokens=tokens, bounds=bounds or Bounds()) as served:
            yield live, served.url, tokens, given


def test_a_request_whose_answer_is_lost_is_asked_again_and_done_once():
    async def cut() -> None:
        async with serving("ann") as (live, url, _, given), cutting_proxy(int(url.rpartition(":")[2])) as proxy:
            async with connect(f"http://127.0.0.1:{proxy.port}", given["ann"]) as remote:
                agent = remote.agent()
                proxy.cut_every = 3
                for number in range(1, 31):
                    turn = await agent.call("add", path="x", by=1)
                    assert (turn.result.value, len(agent.log)) == (number, number)
                assert (await agent.finish("done")).kind == "committed"
            assert proxy.cut >= 10
            assert live.target.targets[0].cells["x"] == 30
            history = await history_of(live)
            assert sum(one["event"] == "invoke" for one in history.records) == 30
            check_replay(history, naming.target("lost-update"), naming.protocol("mtpo"))

    asyncio.run(cut())


@pytest.mark.parametrize("last", ["call", "drop", "retract", "finish"])
def test_an_act_whose_answer_died_with_the_runtime_is_answered_by_the_next_and_not_done_again(last, tmp_path):
    acts = {
        "call": {"kind": "call", "tool": "add", "args": {"path": "x", "by": 1}},
        "drop": {"kind": "drop", "op": "ann.1"},
        "retract": {"kind": "retract", "op": "ann.1"},
        "finish": {"kind": "finish", "report": ["done", 1]},
    }
    begun = {"turn": 1, "request": "r1", "act": acts["call"]}
    asked = {"turn": 2, "request": "r2", "act": acts[last]}
    target, file, events = MemoryTarget([""], [("x", 0)]), tmp_path / "run.journal", []

    async def ask(live: Session, *bodies: object) -> list:
        tokens = Tokens()
        async with serve(live, tokens=tokens) as served:
            connection = Connection(served.url, tokens.issue("ann"), patience_s=0)
            answers = [(await connection.ask("POST", "/v1/act", body))["answer"] for body in bodies]
            await connection.close()
            return answers

    async def restarted() -> None:
        async with session(target, journal=SqliteJournal(file)) as live:
            await live.launch("ann")
            *_, first = await ask(live, begun, asked)
            events.append(sum(one["event"] == "step" for one in live.journal.records()))
        async with resumed(target, journal=SqliteJournal(file)) as live:
            assert await ask(live, asked, asked) == [first, first]
            assert sum(one["event"] == "step" for one in live.journal.records()) == events[0]
            other = {**asked, "act": {**acts["call"], "args": {"path": "x", "by": 5}}}
            if last == "drop":
                assert (await ask(live, {**other, "request": "r3"}))[0]["result"]["value"] == 6, "a drop ends no turn"
            else:
                with pytest.raises(IllegalEvent):
                    await ask(live, {**other, "request": "r3"})
        assert target.cells["x"] == {"call": 2, "drop": 6, "retract": 0, "finish": 1}[last]

    asyncio.run(restarted())


def test_a_client_goes_on_by_itself_when_the_runtime_dies_with_its_answer(tmp_path):
    target, file = MemoryTarget([""], [("x", 0)]), tmp_path / "run.journal"

    async def restarted() -> None:
        tokens = Tokens()
        token = tokens.issue("ann")
        async with session(target, journal=SqliteJournal(file)) as live:
            await live.launch("ann")
            async with serve(live, tokens=tokens) as served, cutting_proxy(0) as proxy:
                proxy.upstream = int(served.url.rpartition(":")[2])
                async with connect(f"http://127.0.0.1:{proxy.port}", token) as remote:
                    agent = remote.agent()
                    await agent.turn()
                    proxy.cut_every = 1
                    adding = asyncio.ensure_future(agent.call("add", path="x", by=1))
                    while not proxy.cut:
                        await asyncio.sleep(0.001)
                    proxy.upstream = 1
                    await live.close()
                    async with resumed(target, journal=SqliteJournal(file)) as again, serve(again, tokens=tokens) as at:
                        proxy.cut_every, proxy.upstream = 0, int(at.url.rpartition(":")[2])
                        assert (await adding).result.value == 1
                        assert (await agent.call("add", path="x", by=1)).result.value == 2

    asyncio.run(restarted())
    assert target.cells["x"] == 2


def test_two_agents_in_one_program_see_each_other_and_their_notices_in_turns():
    async def told() -> None:
        async with serving("low", "high") as (_, url, _, given):
            async with connect(url, given["low"]) as first, connect(url, given["high"]) as second:
                low, high = first.agent(), second.agent()
                assert (await high.call("get", path="x")).result.value == 0
                assert (await low.call("put", path="x", value=7)).result.value == "ok"
                turn = await high.call("get", path="y")
                assert turn.kind == "held", "what was inferred on the old value is not carried out"
                assert [(one.op, one.cause, one.result.value) for one in turn.notices] == [("high.1", "low.1", 7)]
                assert (await high.call("get", path="y")).result.value == 0
                assert [entry.result.value for entry in high.log] == [7, 0]
                assert [entry.call.tool for entry in low.log] == ["put"]

    asyncio.run(told())


def test_a_repair_takes_back_rewrites_and_inserts_and_the_log_follows():
    async def repaired() -> None:
        async with serving("low", "high") as (live, url, _, given):
            async with connect(url, given["low"]) as first, connect(url, given["high"]) as second:
                low, high = first.agent(), second.agent()
                await high.call("get", path="x")
                await high.call("put", path="y", value=1)
                await low.call("put", path="x", value=7)
                turn = await high.finish("early")
                assert turn.kind == "held" and [one.op for one in turn.notices] == ["high.1"]
                await high.rewrite("high.2", "put", path="y", value=8)
                await high.insert(high.log[-1].op, "put", path="z", value=9)
                assert [one.call.args[0][1] for one in high.log] == ["x", "z", "y"]
                assert (await high.drop("high.1")).kind == "result"
                assert (await high.retract(high.log[0].op)).kind == "result"
                assert high.log == live.seat("high").log and len(high.log) == 1
                assert (await low.finish("one")).kind == "committed"
                assert (await high.finish("two")).kind == "committed"
                assert live.target.targets[0].cells == {"x": 7, "y": 8}

    asyncio.run(repaired())


def test_a_wait_is_cut_short_and_asked_again():
    async def waited() -> None:
        async with serving("low", "high", protocol="serial", bounds=Bounds(wait_s=0.05)) as (_, url, _, given):
            async with connect(url, given["low"]) as first, connect(url, given["high"]) as second:
                later = asyncio.ensure_future(second.agent().call("add", path="x", by=1))
                await asyncio.sleep(0.3)
                assert not later.done()
                await first.agent().call("add", path="x", by=10)
                await first.agent().finish()
                assert (await later).result.value == 11

    asyncio.run(waited())


def test_the_stream_of_notices_goes_on_where_it_was_and_gives_each_once():
    async def streamed() -> None:
        async with serving("low", "high") as (_, url, _, given), cutting_proxy(int(url.rpartition(":")[2])) as proxy:
            through = f"http://127.0.0.1:{proxy.port}"
            async with connect(url, given["low"]) as first, connect(through, given["high"]) as second:
                low, high, seen = first.agent(), second.agent(), []

                async def listen(remote: RemoteSession) -> None:
                    async for notice in remote.notices():
                        seen.append((notice.op, notice.result.value))

                await high.call("get", path="x")
                listening = asyncio.ensure_future(listen(second))
                for value in range(1, 7):
                    await low.call("put", path="x", value=value)
                    while len(seen) < value:
                        await asyncio.sleep(0.01)
                    proxy.cut_all() if value % 2 else None
                await low.finish()
                turn = await high.finish()
                assert turn.kind == "held" and turn.notices[-1].result.value == 6
                assert (await high.finish()).kind == "committed"
                await asyncio.wait_for(listening, 10)
                assert seen == [("high.1", value) for value in range(1, 7)]

    asyncio.run(streamed())


def test_notices_that_come_twice_late_or_never_change_nothing():
    async def streamed() -> None:
        async with serving("low", "high") as (_, url, _, given):
            async with connect(url, given["low"]) as first, connect(url, given["high"]) as second:
                low, high, stream = first.agent(), second.agent(), second._connection.stream

                async def twice(path: str, last: int) -> AsyncIterator[tuple[int, str, str]]:
                    async for number, kind, data in stream(path, max(0, last - 2)):
                        yield number, kind, data
                        if number > last:
                            return

                second._connection.stream = twice
                await high.call("get", path="x")
                for value in range(1, 6):
                    await low.call("put", path="x", value=value)
                await low.finish()
                turn = await high.finish()
                assert [one.result.value for one in turn.notices][-1] == 5, "without the stream, the turn says it"
                await high.finish()
                assert [one.result.value async for one in second.notices()] == [1, 2, 3, 4, 5]

    asyncio.run(streamed())


def test_what_the_session_raises_comes_out_of_the_client():
    async def raised() -> None:
        async with serving("ann", protocol="naive") as (live, url, tokens, given):
            async with connect(url, given["ann"], patience_s=0) as remote:
                agent = remote.agent()
                with pytest.raises(BadCall, match="'path' is missing"):
                    await agent.call("get", pth="x")
                await agent.call("get", path="x")
                with pytest.raises(IllegalEvent, match="sends no notices"):
                    await agent.retract("ann.1")
                assert (await agent.call("add", path="y", by=2)).result.value == 2, "the turn is still open"
                assert (await agent.finish()).kind == "committed"
                with pytest.raises(IllegalEvent, match="committed"):
                    await agent.call("get", path="x")
            with pytest.raises(Denied):
                async with connect(url, "nobody's", patience_s=0):
                    pass
            tokens.issue("ann")
            with pytest.raises(Denied):
                async with connect(url, given["ann"], patience_s=0):
                    pass

    asyncio.run(raised())


def test_tls_with_a_certificate_of_ones_own(tmp_path):
    async def secret() -> None:
        made = await asyncio.create_subprocess_shell(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
            " -keyout key.pem -out cert.pem -addext subjectAltName=DNS:localhost,IP:127.0.0.1",
            cwd=tmp_path,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert await made.wait() == 0
        plan, files = plan_on(tmp_path, ["x"], {"ann": 1}), (tmp_path / "cert.pem", tmp_path / "key.pem")
        async with service_process(tmp_path, plan, *files) as service:
            assert service.url.startswith("https://")
            token = service.token("ann")
            async with connect(service.url, token, ca=str(files[0])) as remote:
                turn = await remote.agent().call("create", path="x", value=1)
                assert turn.result.value == "ok"
                declared = remote.tools["add"].declare({"path": "x", "by": 1})
                assert (declared.reads, declared.writes) == (("x",), ("x",))
            with pytest.raises(Exception, match="certificate|does not answer"):
                async with connect(service.url, token, patience_s=0):
                    pass
            with pytest.raises(Exception, match="does not answer"):
                async with connect(service.url.replace("https", "http"), token, patience_s=0):
                    pass

    asyncio.run(secret())


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_service_told_to_end_ends_cleanly_and_goes_on_later(tmp_path, by):
    async def ended() -> None:
        async with service_process(tmp_path, plan_on(tmp_path, ["x"], {"ann": 1})) as service:
            async with connect(service.url, token := service.token("ann")) as remote:
                await remote.agent().call("create", path="x", value=1)
                assert await service.end(by) == 0
                await service.start()
                assert service.token("ann") == token
                assert (await remote.agent().call("add", path="x", by=1)).result.value == 2
                async with operating(service.url, service.token(OPERATOR)) as operator:
                    assert [one["turns"] for one in await operator.agents()] == [3]
                    await operator.shutdown()
                assert await service.end() == 0
        journal = SqliteJournal(tmp_path / "run.journal", new=False)
        assert sum(one["event"] == "invoke" for one in journal.records()) == 2
        await journal.close()

    asyncio.run(ended())


def test_an_effect_under_way_is_finished_before_the_end():
    async def ended() -> MemoryTarget:
        target = RoughTarget([("x", 0)], slow_s=0.3)
        async with serving("ann", target=target) as (_, url, _, given):
            async with connect(url, given["ann"], patience_s=0) as remote:
                calling = asyncio.ensure_future(remote.agent().call("add", path="x", by=1))
                while not target.writing:
                    await asyncio.sleep(0.001)
        with pytest.raises(Exception, match="does not answer"):
            await calling
        return target

    assert asyncio.run(ended()).cells == {"x": 1}


class FullJournal(MemoryJournal):
    """A journal on a disk that is full after some records."""

    async def append(self, records):
        if len([*self.records()]) > 12:
            raise JournalFailed("the journal /var/secret/run.journal cannot be written (disk full)")
        await super().append(records)


def test_a_service_whose_journal_broke_says_so_without_where_and_wants_to_end():
    async def broke() -> None:
        tokens = Tokens()
        async with session(MemoryTarget([""], [("x", 0)]), journal=FullJournal()) as live:
            await live.launch("ann")
            async with serve(live, tokens=tokens) as served:
                async with connect(served.url, tokens.issue("ann"), patience_s=0) as remote:
                    with pytest.raises(Ended, match="over, or broke") as ended:
                        while True:
                            await remote.agent().call("add", path="x", by=1)
                assert "secret" not in str(ended.value)
                await asyncio.wait_for(served.stopping.wait(), 5)
            assert "disk full" in str(live.broken)

    asyncio.run(broke())


def test_the_tokens_of_an_inference_are_in_the_history():
    async def used() -> None:
        async with serving("ann") as (live, url, _, given), connect(url, given["ann"]) as remote:
            usage = {"prompt_tokens": 7, "cached_tokens": 5, "output_tokens": 3}
            await remote.agent().call("get", path="x", usage=usage)
            inferred = next(one for one in live.journal.records() if one["event"] == "inferred")
            assert {name: inferred[name] for name in usage} == usage

    asyncio.run(used())


def test_the_operator_buries_an_agent_that_is_gone_and_launches_another():
    async def buried() -> None:
        async with serving("low", "gone") as (live, url, tokens, given):
            async with operating(url, given[OPERATOR]) as operator:
                async with connect(url, given["gone"]) as remote:
                    await remote.agent().call("add", path="x", by=5)
                await operator.bury("gone")
                with pytest.raises(IllegalEvent, match="done"):
                    await operator.bury("gone")
                token = await operator.launch("late")
                with pytest.raises(IllegalEvent, match="not used twice"):
                    await operator.launch("late")
                async with connect(url, given["low"]) as first, connect(url, token) as second:
                    await second.agent().call("add", path="x", by=1)
                    await first.agent().finish()
                    assert (await second.agent().finish()).kind == "committed"
                await operator.quiet()
                assert [one["mode"] for one in await operator.agents()] == ["done"] * 3
                assert await operator.stuck() == {}
                with pytest.raises(IllegalEvent, match="not stuck"):
                    await operator.retry("low.1")
            assert live.target.targets[0].cells["x"] == 1

    asyncio.run(buried())


@pytest.mark.parametrize("name", ["x/y", "n" * 300, "ä" * 200, ".hidden", "", "a b"])
def test_a_launch_that_is_refused_has_launched_nobody(name, tmp_path: Path):
    async def refused() -> None:
        tokens = TokenFolder(tmp_path / "tokens")
        async with session(MemoryTarget([""])) as live, serve(live, tokens=tokens) as served:
            async with operating(served.url, tokens.issue(OPERATOR)) as operator:
                with pytest.raises(IllegalEvent, match="name"):
                    await operator.launch(name)
                assert await operator.agents() == [] and list(live.journal.records()) == []
                await operator.launch("ann")
                was = tokens.file("ann").read_text()
                with pytest.raises(IllegalEvent, match="not used twice"):
                    await operator.launch("ann")
                assert tokens.file("ann").read_text() == was
        assert {file.name for file in tokens.folder.iterdir()} == {"ann.token", "operator.token"}

    asyncio.run(refused())


@pytest.mark.parametrize("url", ["nonsense", "ftp://x", "http://", "http://[bad", "http://x:99999", "http://a b", ""])
def test_what_is_no_address_is_refused_in_one_sentence(url):
    async def connected() -> None:
        with pytest.raises(BadInput, match="no address of a service"):
            async with connect(url, "token", patience_s=0):
                pass

    asyncio.run(connected())


@pytest.mark.parametrize("token", ["two\nlines", "", "ä", "a b"])
def test_what_is_no_token_is_refused_without_saying_it(token):
    async def connected() -> None:
        with pytest.raises(BadInput, match="this is no token") as refused:
            async with connect("http://127.0.0.1:1", token, patience_s=0):
                pass
        assert not token or token not in str(refused.value)

    asyncio.run(connected())


@pytest.mark.parametrize(
    "value", [b"bytes", object(), 10**5000, float("nan"), {1, 2}], ids=lambda one: type(one).__name__
)
def test_what_cannot_be_sent_is_a_bad_call_before_anything_is_sent(value):
    async def handed_in() -> None:
        async with serving("ann") as (live, url, _, given), connect(url, given["ann"]) as remote:
            agent = remote.agent()
            with pytest.raises(BadCall, match="cannot be sent"):
                await agent.call("put", path="x", value=value)
            with pytest.raises(BadCall, match="cannot be sent"):
                await agent.finish(value)
            assert not any(one["event"] == "inferred" for one in live.journal.records())
            assert (await agent.call("put", path="x", value=5)).result.status == "ok"

    asyncio.run(handed_in())


def test_a_service_that_others_could_listen_to_needs_tls_or_a_word():
    async def refused() -> None:
        async with session(MemoryTarget([""])) as live:
            with pytest.raises(BadInput, match="TLS"):
                async with serve(live, tokens=Tokens(), host="0.0.0.0"):
                    pass
            async with serve(live, tokens=Tokens(), host="0.0.0.0", plain=True) as served:
                assert served.url.startswith("http://0.0.0.0:")
            with pytest.raises(BadInput, match="PEM"):
                async with serve(live, tokens=Tokens(), tls=("/nowhere/cert.pem", "/nowhere/key.pem")):
                    pass

    asyncio.run(refused())


def test_token_files_are_their_owners_alone_and_hold_what_opens(tmp_path: Path):
    tokens = TokenFolder(tmp_path / "tokens")
    token = tokens.kept("ann")
    file = tmp_path / "tokens" / "ann.token"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert TokenFolder(tmp_path / "tokens").whose(token) == "ann" and tokens.kept("ann") == token
    assert tokens.whose(token + "x") is None and tokens.whose("") is None and tokens.whose("\udc80") is None
    assert tokens.issue("ann") != token and tokens.whose(token) is None
    file.chmod(0o640)
    with pytest.raises(BadInput, match="chmod 600"):
        TokenFolder(tmp_path / "tokens")
    for name in ("../ann", ".ann", "a/b"):
        with pytest.raises(BadInput):
            tokens.issue(name)


def test_the_tools_shown_are_the_runtimes_with_their_schemas():
    async def shown() -> None:
        async with serving("ann") as (_, url, _, given), connect(url, given["ann"]) as remote:
            assert {name: (tool.says, tool.schema) for name, tool in remote.tools.items()} == {
                name: (tool.says, tool.schema) for name, tool in TOOLS.items()
            }

    asyncio.run(shown())
