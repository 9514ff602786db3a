"""Random scenarios through the real middleware on a rough target, in virtual time: every run is what it promises.

Delays, lost answers and conflicts are drawn; the nightly profile draws more.
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.oracle import serial
from coagent import naming
from coagent.history import History, lines
from coagent.live import virtual_clock
from coagent.live.limits import Limits
from coagent.live.running import LiveRun, run_live
from coagent.running import equal
from coagent.testing.strategy import random_scenario
from coagent.workload import Workload, from_scenario
from tests.live.live_check import is_serial, judged
from tests.live.rough_target import RoughTarget

ROOT = Path(__file__).resolve().parents[2]
PROTOCOLS = ("serial", "2pl", "occ", "mtpo", "mtpo-reissue")
PATIENT = Limits(read_s=1e6, write_s=1e6, tries=60, pause_s=0.01)
HASTY = Limits(read_s=1e6, write_s=1.5, tries=60, pause_s=0.01)
"""Less patient than the target is slow, so that writes land after they were given up."""


def ran(protocol: str, seed: int, limits: Limits = PATIENT, **rough: float) -> tuple[LiveRun, Workload, object]:
    """A random workload's run on a target that is rough by the same seed."""
    workload, engine = from_scenario(random_scenario(seed)), naming.protocol(protocol)
    target = RoughTarget(workload.state, seed=seed, **rough)
    run = virtual_clock.run(run_live(workload, engine, target, think_s=3.0, limits=limits))
    assert target.overlaps == 0, "effects with overlapping footprints keep apart (C2)"
    assert not any(run.history.of("trouble")), "nobody has to look at anything, and no stranger is seen"
    return run, workload, engine


def check(protocol: str, seed: int, limits: Limits = PATIENT, **rough: float) -> History:
    """The run is what its protocol promises, by the checker and by the serial oracle."""
    run, workload, engine = ran(protocol, seed, limits, **rough)
    verdict = judged(run, workload, engine)
    assert verdict.verdict == "ok", verdict.sentences()
    assert undone_last_in_first_out(run.history)
    if engine.promises == "declared":
        assert is_serial(run, workload)
        return run.history
    order = [one.split("#")[0] for one in verdict.order]
    programs = {one.name: one.program for one in workload.agents}
    state, reports = serial(workload.state, [(one, programs[one]) for one in order], workload.tools)
    assert equal(run.final_state, state)
    assert equal({one: run.reports[one] for one in order}, reports)
    return run.history


def undone_last_in_first_out(history: History) -> bool:
    """C5: what is undone is the last that landed, among those whose written cells overlap."""
    landed: dict[str, set[str]] = {}
    for record in history.records:
        match record["event"]:
            case "exec" | "redo" if record["wrote"]:
                landed.pop(record["op"], None)
                landed[record["op"]] = {*record["wrote"]}
            case "undo":
                at = [*landed].index(record["op"]) if record["op"] in landed else len(landed)
                mine = landed.pop(record["op"], set())
                if any(cells & mine for cells in islice(landed.values(), at, None)):
                    return False
    return True


seeds = st.integers(0, 10_000_000)
rates = st.sampled_from([0.0, 0.1, 0.3])
roughness = st.fixed_dictionaries({"lose": rates, "clash": rates, "slow_s": st.sampled_from([0.2, 2.0, 12.0])})
lateness = st.fixed_dictionaries({"lose": rates, "clash": rates, "slow_s": st.sampled_from([2.0, 4.0])})


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(seed=seeds, rough=roughness)
@settings(max_examples=25, derandomize=True)
def test_delays_losses_and_conflicts_change_nothing_of_what_is_promised(protocol, seed, rough):
    check(protocol, seed, **rough)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(seed=seeds, rough=lateness)
@settings(max_examples=25, derandomize=True)
def test_writes_that_land_after_they_were_given_up_change_nothing(protocol, seed, rough):
    check(protocol, seed, HASTY, detached=True, **rough)


@pytest.mark.nightly
@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(seed=seeds, rough=roughness, late=lateness)
@settings(max_examples=1500)
def test_they_change_nothing_at_length(protocol, seed, rough, late):
    check(protocol, seed, **rough)
    check(protocol, seed, HASTY, detached=True, **late)


def test_an_agent_whose_run_is_over_while_it_infers_is_told_so_when_it_acts():
    check("occ", 14, lose=0.3, clash=0.1, slow_s=2.0)


def test_the_random_runs_do_meet_every_fault_and_repair():
    """A sometimes-property beside the always-properties above."""
    seen: set[tuple[str, str]] = set()
    withdrawn = 0
    for seed in range(15):
        for protocol in PROTOCOLS:
            run, _, _ = ran(protocol, seed, lose=0.3, clash=0.3, slow_s=5.0)
            for record in run.history.records:
                seen.add((record["event"], record.get("status", "")))
                withdrawn += record["event"] == "intent" and not record["wrote"]
    assert {("exec", "unknown"), ("redo", "ok"), ("undo", ""), ("notify", "ok"), ("abort", "")} <= seen
    assert withdrawn, "a conflict takes back what was written ahead"


def digest(seeds: Iterable[int]) -> str:
    """Of the histories of some runs, byte by byte."""
    found = sha256()
    for seed in seeds:
        for protocol in PROTOCOLS:
            run, _, _ = ran(protocol, seed, HASTY, lose=0.2, clash=0.2, slow_s=3.0, detached=True)
            found.update("".join(lines(run.history)).encode())
    return found.hexdigest()


def test_the_same_seed_gives_byte_equal_histories_whatever_the_hash_seed():
    words = "from tests.live.test_random_live import digest; print(digest(range(3)))"
    told = set()
    for hashes in ("0", "1", "31337"):
        more = {**os.environ, "PYTHONHASHSEED": hashes}
        done = subprocess.run([sys.executable, "-c", words], cwd=ROOT, env=more, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        told.add(done.stdout)
    assert told == {digest(range(3)) + "\n"}
    assert digest(range(3)) != digest(range(1, 4))
