"""Every workload through the middleware, on a target in memory, at once and in drawn times."""

import pytest

from coagent import naming
from coagent.live import virtual_clock
from coagent.live.actuator import Limits
from coagent.live.running import run_live
from tests.live.live_check import is_serial, judged
from tests.live.rough_target import RoughTarget
from workloads import names

NAMES = [name for name, _ in names() if name != "dies"]
PROTOCOLS = ("serial", "2pl", "occ", "mtpo", "mtpo-reissue", "mtpo-footprint", "mtpo-pass")
PATIENT = Limits(read_s=1e6, write_s=1e6, tries=40)


def ran(name, protocol, seed=0, **rough):
    workload, engine = naming.target(name, None), naming.protocol(protocol)
    target = RoughTarget(workload.state, seed=seed, **rough)
    run = virtual_clock.run(run_live(workload, engine, target, think_s=5.0, limits=PATIENT))
    assert target.overlaps == 0, "effects with overlapping footprints keep apart (C2)"
    return run, workload, engine


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_workload_comes_out_as_its_protocol_promises(name, protocol):
    run, workload, engine = ran(name, protocol)
    verdict = judged(run, workload, engine)
    assert verdict.verdict == "ok", verdict.sentences()
    if engine.promises == "declared":
        assert is_serial(run, workload)
    if workload.invariant and not run.gave_up:
        assert workload.invariant(run.final_state, run.reports)
