"""Model-driven agents on live runs, over the socket: the programs in the model's place, and models that misbehave."""

import asyncio

import pytest

from coagent import naming
from coagent.history import plain
from coagent.live.agents.openai_backend import OpenaiModel
from coagent.live.agents.patience import Patience
from coagent.live.agents.team import drive
from coagent.live.agents.worker import BOUNDS
from coagent.live.opening import history_of, session
from coagent.live.running import LiveRun
from coagent.live.targets.memory import MemoryTarget
from tests.live.acting import among
from tests.live.live_check import is_serial, judged
from tests.live.model_server import KEY, serving
from workloads import CELLS


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


async def driven(cell, engine, script, *, bounds=BOUNDS, model=None):
    """A cell's agents driven by what the script says: the run, what was driven, the requests."""
    async with serving(script, split=1000) as server:
        asked = OpenaiModel(
            name="small", base_url=server.url, patience=Patience(first_s=0.01), timeout_s=20.0, **(model or {})
        )
        target = MemoryTarget([""], cell.state)
        async with session(target, tools=cell.tools, protocol=engine, name=cell.name, whole=True) as live:
            for rank, one in enumerate(cell.agents, 1):
                await live.launch(one.name, rank)
            tasks = {one.name: one.task for one in cell.agents}
            did = await drive(live, tasks, asked, bounds=bounds)
            await live.quiet()
            seats = live.ledger.seats.values()
            run = LiveRun(
                history=await history_of(live),
                final_state=dict(target.cells),
                reports={one.name: plain(one.report) for one in seats},
                gave_up=tuple(one.name for one in seats if one.gave_up),
            )
        await asked.close()
    return run, did, server.requests


def acting_cell(name, protocol="mtpo"):
    cell = naming.target(name, None)
    return cell, naming.protocol(protocol), among({one.name: one.program for one in cell.agents}, cell.tools)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("protocol", ("serial", "mtpo"))
def test_a_cell_driven_by_models_ends_right(name, protocol):
    cell, engine, script = acting_cell(name, protocol)
    run, did, _ = asyncio.run(driven(cell, engine, script))
    verdict = judged(run, cell, engine)
    assert verdict.verdict == "ok", verdict.sentences()
    assert not did.failed and not run.gave_up
    assert is_serial(run, cell)
    assert cell.invariant is None or cell.invariant(run.final_state, run.reports)
