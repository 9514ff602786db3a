"""A run as a person reads it: one lane an agent, notices as arrows, everything within the page."""

import pytest

from coagent.history import History
from coagent.lanes import LEGEND, lanes
from coagent.protocols import PROTOCOLS, protocol
from coagent.simulate import chooser_of, simulate
from coagent.world import Setting
from workloads import names, workload

LOST_UPDATE = """\
           A (rank 1)                                  B (rank 2)
     5.1 s ● get stock/apples → 10                     ┊
           ┃                                           ● get stock/apples → 10
    10.2 s ● put stock/apples 7 → ok                   ┊
    10.3 s ┃                                           ● put stock/apples 8 → ok
    10.4 s ● notice ───────────────────────────────────▶
           ┃                                           ! get stock/apples is now 7
    15.2 s ● reports null, commits                     ┃
    15.3 s                                             ● held: its report, for a notice came first
    17.3 s                                             ● judges the notice: rewrite
    17.4 s                                             ● undone: put stock/apples 8
    17.5 s                                             ● repair: put stock/apples 5 → ok
    19.5 s                                             ● reports null, commits
    19.5 s quiescent: everyone has committed or given up, and nothing is under way
"""


def recorded(name: str, by: str, schedule: object = "clock", max_steps: int = 300, **more: int) -> History:
    setting = Setting(workload=workload(name, **more), protocol=protocol(by))
    return simulate(setting, chooser_of(schedule, 1, 0.1), schedule=schedule, max_steps=max_steps).history


def test_lost_update_repaired_is_told_in_lanes():
    assert lanes(recorded("lost-update", "mtpo")) == [*LOST_UPDATE.splitlines(), LEGEND]


def test_waiting_for_a_lock_and_losing_to_a_deadlock_are_told():
    text = "\n".join(lanes(recorded("lost-update", "2pl")))
    assert "● waits with put stock/apples 7" in text
    assert "aborts and starts again (deadlock" in text


def test_many_agents_share_one_column():
    found = lanes(recorded("slots", "mtpo", agents=6))
    assert "     5.1 s agent-01  list slots → ['0']" in found
    assert any("agent-06  ◀ notice from agent-01: list slots is now" in line for line in found)


def test_notice_crosses_the_lanes_between():
    found = lanes(recorded("slots", "mtpo"))
    assert any("● notice ──" in line and line.count("─") > 40 and line.endswith("▶") for line in found)


def test_a_run_that_is_stopped_says_so():
    assert any("stopped before quiescence" in line for line in lanes(recorded("lost-update", "mtpo", max_steps=3)))


@pytest.mark.parametrize("by", PROTOCOLS)
def test_every_line_fits_the_page(by):
    for name, _ in names():
        history = recorded(name, by, "random", max_steps=100)
        for width in (60, 80, 100, 140):
            assert max(map(len, lanes(history, width))) <= max(width, len(LEGEND), 82), name


@pytest.mark.parametrize("by", PROTOCOLS)
def test_every_answered_call_is_on_the_page(by):
    history = recorded("lost-update", by, "random")
    text = "\n".join(lanes(history))
    assert text.count("→") == sum(1 for _ in history.of("result", "redo"))
