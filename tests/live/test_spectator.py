"""A live run that is watched is the run that would have been, and the view holds all of it in the end."""

import asyncio

import pytest

from coagent import protocol
from coagent.bad_input import BadInput
from coagent.live import virtual_clock
from coagent.live.running import run_live
from coagent.live.targets.memory import MemoryTarget
from coagent.spectator import EVERY_S, Spectator
from workloads import workload

CANARY = workload("k2-canary")


def target() -> MemoryTarget:
    return MemoryTarget(["cluster"], CANARY.state)


def test_the_view_grows_while_the_run_goes_on_and_is_judged_at_its_end() -> None:
    async def watch() -> tuple[list[int], object, object]:
        watched = Spectator(CANARY)
        with pytest.raises(BadInput, match="nothing has happened in this run yet"):
            watched.view()
        task = asyncio.create_task(run_live(CANARY, protocol("mtpo"), target(), journal=watched, think_s=1.0))
        await watched.begun()
        view, seen = watched.view(), []
        while not task.done():
            seen.append(len(view.replay))
            await asyncio.sleep(2 * EVERY_S)
        live = await task
        assert watched.ended(live.history) is view
        return seen, view, live

    seen, view, live = virtual_clock.run(watch())
    assert seen == sorted(seen) and len(set(seen)) > 5
    assert len(view.replay) > seen[-1]
    assert view.history.records == live.history.records
    assert view.verdict().verdict == "ok" and view.replay.next("notice", 0) is not None


def test_watching_changes_nothing_of_the_run() -> None:
    watched = Spectator(CANARY)
    plain = virtual_clock.run(run_live(CANARY, protocol("mtpo"), target(), think_s=1.0))
    seen = virtual_clock.run(run_live(CANARY, protocol("mtpo"), target(), journal=watched, think_s=1.0))
    assert seen.history.records == plain.history.records
    assert tuple(watched.records()) == tuple(
        one for one in seen.history.records if one["event"] not in ("quiescent", "end")
    )
