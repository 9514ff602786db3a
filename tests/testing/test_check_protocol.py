"""The kit convicts what is wrong, acquits what is right, refuses what is no protocol; its witness replays."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from coagent import naming
from coagent.bad_input import BadInput
from coagent.protocols import PROTOCOLS, VARIANTS
from coagent.protocols.mtpo import Mtpo
from coagent.testing import CI, QUICK, check, check_protocol, every_schedule, small_worlds
from coagent.testing.small_world import calls, world
from tests.testing import planted, subtle

CORRECT = ("serial", "2pl", "occ", "mtpo", "mtpo-reissue", "mtpo-footprint", "mtpo-pass")
HARMLESS = {name for name, one in VARIANTS.items() if not one.expects}


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_protocol_is_acquitted(name: str) -> None:
    report = check_protocol(name, budget=QUICK)
    assert report.verdict == "acquitted", str(report)
    assert report.notified or not name.startswith("mtpo"), "no world sends a notice, so nothing was tried"
    assert not report.conformance.remarks


@pytest.mark.nightly
@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_protocol_is_acquitted_within_the_ci_budget(name: str) -> None:
    assert check_protocol(name, budget=CI).verdict == "acquitted"


@pytest.mark.parametrize("name", ("naive", "broadcast", *sorted(VARIANTS.keys() - HARMLESS)))
def test_a_wrong_protocol_is_convicted_by_a_small_counterexample(name: str) -> None:
    report = check_protocol(name, budget=QUICK)
    assert report.verdict == "convicted", str(report)
    assert report.witness.calls <= 4 and report.witness.agents <= 3, str(report)
    assert report.witness.judges


@pytest.mark.parametrize("name", sorted(HARMLESS))
def test_a_variant_that_only_works_more_is_acquitted(name: str) -> None:
    assert check_protocol(name, budget=QUICK).verdict == "acquitted"


@pytest.mark.parametrize("protocol", planted.PLANTED, ids=lambda one: one.name)
def test_a_users_protocol_with_a_fault_is_convicted(protocol: object) -> None:
    report = check_protocol(protocol)
    assert report.verdict == "convicted", str(report)
    assert report.witness.agents <= 2 and report.witness.calls <= 4, str(report)
    assert "checker" in report.witness.judges


@pytest.mark.parametrize("where, protocol", subtle.SUBTLE, ids=lambda one: getattr(one, "name", ""))
def test_a_fault_in_one_line_of_the_bookkeeping_shows_in_a_small_world(where: str, protocol: object) -> None:
    witness = every_schedule(world(where), protocol, max_states=QUICK.states).witness
    assert witness is not None and {"oracle", "checker"} <= set(witness.judges)
    assert every_schedule(world(where), Mtpo(), max_states=QUICK.states).witness is None


def test_random_scenarios_alone_convict_within_five_hundred_of_them() -> None:
    report = check_protocol(subtle.TwoReaders(), budget=replace(QUICK, examples=500), worlds=())
    assert report.verdict == "convicted" and report.found.kind == "ending", str(report)


def test_random_scenarios_hardly_ever_come_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    monkeypatch.setattr(check, "one_schedule", lambda scenario, *rest: tried.append(repr(scenario)))
    check_protocol("mtpo", budget=replace(QUICK, examples=300, schedules=1, runs=1), worlds=())
    assert len(tried) == 300 and len(set(tried)) > 280


REFUSED = {
    planted.Fickle: "is not pure: made again for the same run it emitted nothing instead of Start",
    planted.Remembering: "is not pure: the same 0 events from the start come to something else",
    planted.Mutable: "cannot be hashed",
    planted.Loud: "emits 'done', which is no effect",
    planted.Overreaching: "emits Commit, which its table forbids",
    planted.Listing: "return (run, effects), the effects as a tuple",
    planted.Failing: "it failed with ZeroDivisionError: division by zero (planted.py:",
    planted.Hasty: "about A.1, which has no result yet",
    planted.Chatty: "nothing was asked for; emit Reply once for each call",
    planted.Identical: "start() is a Kept, which equals nothing but itself",
    planted.Leaving: "it failed with SystemExit: 7 (planted.py:",
    planted.InVain: "InVain sets .promises, and the dataclass that it extends sets it back to 'any'",
}


@pytest.mark.parametrize("kind", REFUSED, ids=lambda one: one.__name__)
def test_what_is_no_protocol_is_refused_with_the_reason(kind: type) -> None:
    report = check_protocol(kind(), budget=QUICK)
    assert (report.verdict, report.exit_code) == ("refused", 3)
    assert REFUSED[kind] in str(report)


@pytest.mark.parametrize("command", ("run", "explore", "test"))
@pytest.mark.parametrize("kind", ("Fickle", "Mutable", "Loud", "Overreaching", "Listing"))
def test_the_command_line_refuses_it_too_in_one_line_with_its_file(coagent, command: str, kind: str) -> None:
    name = f"{Path(planted.__file__)}:{kind}"
    answer = coagent(*([command, name] if command == "test" else [command, "lost-update", "--protocol", name]))
    said = answer.err or answer.out
    assert answer.code == 3
    assert REFUSED[getattr(planted, kind)] in said and "Traceback" not in said


def test_the_lifecycle_that_a_protocol_does_not_keep_is_a_remark() -> None:
    report = check_protocol(planted.Trusting(), budget=QUICK)
    assert report.verdict == "convicted"
    assert any(
        "before anything was asked of A; call check_legal(run, event) first" in one for one in report.sentences()
    )


def test_a_protocol_that_starts_nobody_is_convicted_of_being_stuck() -> None:
    report = check_protocol(planted.Idle(), budget=QUICK)
    assert report.verdict == "convicted" and report.witness.kind == "stuck"
    assert "counterexample: 1 agent, 0 calls" in str(report)


def test_a_protocol_that_always_begins_anew_is_convicted_in_the_first_world_too_large_to_explore() -> None:
    report = check_protocol(planted.Starting(), budget=replace(QUICK, states=300, runs=0), worlds=small_worlds()[:2])
    assert report.verdict == "convicted" and report.witness.kind == "endless"
    assert len(report.worlds) == 1 and report.witness.agents == 1


def test_the_same_protocol_and_budget_give_the_same_report() -> None:
    one, other = (check_protocol("mtpo-without-reader-notices", budget=QUICK) for _ in range(2))
    assert one.to_json() == other.to_json() and str(one) == str(other)


def test_the_counterexample_is_written_and_replays_to_the_same_verdict(coagent, tmp_path: Path) -> None:
    report = check_protocol("mtpo-without-filtered-reads", budget=QUICK, folder=tmp_path)
    scenario, history = report.files
    _, *replay = report.replay.split()
    answer = coagent(*replay, "--json")
    again = json.loads(answer.out)
    assert answer.code == 1
    assert [one["name"] for one in again["verdict"]["anomalies"]] == list(report.witness.anomalies)
    own = json.loads(coagent("run", scenario, "--protocol", report.command, "--json").out)
    assert own["final_state"] == again["final_state"] and own["reports"] == again["reports"]
    answer = coagent("check", history, "--json")
    assert answer.code == 1 and json.loads(answer.out)["blame"] == "protocol"
    assert coagent("run", scenario, "--schedule", "clock").code == 0, "under mtpo itself nothing goes wrong"


def test_nothing_is_written_over_and_nothing_is_searched_then(tmp_path: Path) -> None:
    check_protocol("naive", budget=QUICK, folder=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert len(before) == 2
    with pytest.raises(BadInput, match="already exists"):
        check_protocol("naive", budget=QUICK, folder=tmp_path)
    assert before == {path: path.read_bytes() for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    "args, said",
    [
        (("mtpx",), "did you mean 'mtpo'"),
        (("mtpo", "--budget", "huge"), "there is no budget 'huge'; there are quick, ci, nightly"),
        (("mtpo", "--folder", "/there/is/no/such"), "there is no folder"),
    ],
)
def test_what_cannot_be_tested_is_said_in_one_line(coagent, args: tuple[str, ...], said: str) -> None:
    answer = coagent("test", *args)
    assert answer.code == 3 and said in answer.err and answer.err.count("\n") == 1


def test_a_thing_that_has_no_step_is_no_protocol() -> None:
    with pytest.raises(BadInput, match="has no .name"):
        check_protocol(42)


def test_worlds_of_ones_own_are_explored_instead() -> None:
    worlds = small_worlds()[:3]
    report = check_protocol("mtpo", budget=QUICK, worlds=worlds)
    assert [one.name for one in report.worlds] == [one.name for one in worlds]


def test_the_small_worlds_are_small_and_fewest_calls_come_first() -> None:
    sizes = [calls(one) for one in small_worlds()]
    assert sizes == sorted(sizes) and sizes[-1] <= 6
    assert all(len(one.agents) <= 3 for one in small_worlds())


def test_a_protocol_from_a_notebook_cell_goes_through_the_same_kit() -> None:
    cell: dict[str, object] = {}
    exec(
        "from dataclasses import dataclass\n"
        "from coagent.protocols.mtpo import Mtpo\n"
        "@dataclass(frozen=True, slots=True, kw_only=True)\n"
        "class Mine(Mtpo):\n"
        "    name: str = 'mine'\n"
        "    def _above(self, turn, op):\n"
        "        return []\n",
        cell,
    )
    assert check_protocol(cell["Mine"](), budget=QUICK).verdict == "convicted"


def test_a_protocol_is_known_by_the_name_that_the_command_line_has_for_it() -> None:
    assert check_protocol(PROTOCOLS["naive"], budget=QUICK).command == "naive"
    assert naming.protocol("naive") is PROTOCOLS["naive"]
