"""Over the socket and in the words of the prompts, a program in a model's place does what it does by itself."""

import asyncio
import json

import pytest

from coagent.history import frozen
from coagent.live.agents.arguments import Malformed, checked, spec
from coagent.live.agents.completion import ToolCall, ToolSpec
from coagent.live.agents.judgement import Done, Insert, Rewrite, decided, offered, question
from coagent.live.agents.openai_backend import OpenaiModel
from coagent.live.agents.prompt import answered, notified, opening, premise, rejected
from coagent.operation import Call, Notice, Result
from tests.live.acting import acting
from tests.live.model_server import KEY, Say, serving
from tests.workloads.test_tasks import Cells, run_alone
from workloads import CELLS, workload


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def shown(tools):
    """The tools as a model is shown them; any arguments will do for one that has no schema."""
    return offered(spec(one) if one.schema else ToolSpec(name=one.name, says=one.says) for one in tools.values())


async def work(agent, tools, cells, script):
    """The agent alone, driven through the model: its report, its context, and what it did."""
    specs, context, done = shown(tools), [*opening(agent.name, agent.task)], []
    async with serving(script) as server:
        model = OpenaiModel(name="small", base_url=server.url)
        try:
            while True:
                said = await model.complete(context, list(specs.values()))
                context.append(said.message)
                (asked,) = said.calls
                call = checked(asked, specs)
                if isinstance(call, Malformed):
                    context.append(rejected(asked.id, call.why))
                    continue
                if call.tool == "report":
                    return dict(call.args)["report"], context, done
                result, writes = tools[call.tool].exec(cells, dict(call.args))
                cells.held = {
                    **{path: value for path, value in cells.held.items() if path not in dict(writes)},
                    **{path: cell[0] for path, cell in writes if cell},
                }
                done.append(Done(op=f"{agent.name}.{len(done) + 1}", call=call, result=result))
                context.append(answered(asked.id, done[-1].op, result))
        finally:
            await model.close()


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_driven_through_the_model_ends_as_its_programs_do(name):
    cell = workload(name)
    by_model, by_itself = Cells(dict(cell.state)), Cells(dict(cell.state))
    for agent in cell.agents:
        report, _, done = asyncio.run(work(agent, cell.tools, by_model, acting(agent.program, cell.tools)))
        *calls, (alone, _) = run_alone(agent, cell.tools, by_itself)
        assert frozen(report) == alone
        assert [(one.call.tool, dict(one.call.args)) for one in done] == [(c.tool, dict(c.args)) for c, _ in calls]
    assert by_model.held == by_itself.held


def after_notice(agent, cell, op, now):
    """What the program decides when the result of an operation has become another."""
    script = acting(agent.program, cell.tools)
    _, context, done = asyncio.run(work(agent, cell.tools, Cells(dict(cell.state)), script))
    context.append(taken(context))
    told = next(one for one in done if one.op == op)
    notice = Notice(agent=agent.name, op=op, cause="X.1", result=Result("ok", now))
    word = premise(notice, call=told.call, told=told.result, by="X")

    async def ask():
        async with serving(script) as server:
            model = OpenaiModel(name="small", base_url=server.url)
            messages = [*context, notified([word]), question([word], done)]
            said = await model.complete(messages, list(shown(cell.tools).values()))
            await model.close()
        return [decided(call, done, shown(cell.tools)) for call in said.calls]

    return asyncio.run(ask())


def taken(context):
    """The answer to the report, which the context ends with."""
    return answered(context[-1].calls[0].id, "report", Result("ok", None))


def test_a_changed_image_makes_the_canary_be_rewritten():
    cell = workload("k2-canary")
    (decision,) = after_notice(cell.agents[1], cell, "B.1", "hotel-reservation:latest")
    assert isinstance(decision, Rewrite) and decision.op == "B.3"
    assert dict(decision.call.args)["image"] == "hotel-reservation:latest"


def test_one_more_bad_image_makes_a_repair_be_inserted():
    cell = workload("k2-canary")
    bad = "hotel-reservation:v0-rc"
    listed = (("geo", bad), ("geo-canary", bad), ("profile", bad), ("rate", bad))
    (decision,) = after_notice(cell.agents[0], cell, "A.1", listed)
    assert isinstance(decision, Insert | Rewrite)
    assert dict(decision.call.args)["name"] == "geo-canary"


def test_malformed_arguments_are_answered_and_the_run_goes_on():
    cell = workload("k2-canary")
    agent = cell.agents[1]
    good = acting(agent.program, cell.tools)

    def script(messages, before):
        return Say(calls=(("get", '{"path": "cluster/depl'),)) if before == 0 else good(without_malformed(messages), 1)

    def without_malformed(messages):
        return [*messages[:2], *messages[4:]]

    report, context, done = asyncio.run(work(agent, cell.tools, Cells(dict(cell.state)), script))
    assert report == "hotel-reservation:v0-rc" and len(done) == 4
    assert "not JSON" in context[3].text and context[3].answers == context[2].calls[0].id
    assert json.loads(context[3].text.split("\n")[1])["status"] == "rejected"


def test_a_call_made_by_hand_is_checked_as_one_of_a_model():
    found = checked(ToolCall(id="1", name="get", arguments='{"path": "x"}'), shown(workload("k2-canary").tools))
    assert found == Call("get", (("path", "x"),))
