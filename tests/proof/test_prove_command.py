"""`coagent prove`: exit codes 0 proved, 1 refuted, 2 unknown, 3 bad input; JSON with the same in it."""

import json
from pathlib import Path

import pytest

BLIND = """
from dataclasses import dataclass
from coagent.protocols.mtpo import Mtpo

@dataclass(frozen=True, slots=True, kw_only=True)
class Blind(Mtpo):
    name: str = "blind"

    def _above(self, turn, op):
        return []
"""
"""The README's own broken protocol."""

SLOW = {
    "state": {"x": 1},
    "agents": [
        {
            "name": "A",
            "steps": [
                {"get": "x", "as": "v"},
                {"put": "y", "value": "v * v * v"},
                {"get": "y", "as": "w"},
                {"if": "w % 7 == 3", "then": [{"put": "z", "value": "1"}]},
            ],
        }
    ],
}


def test_a_workload_is_proved(coagent) -> None:
    answer = coagent("prove", "lost-update")
    assert (answer.code, answer.err) == (0, "")
    assert "by value numbering; 8 of 8 paths" in answer.out


def test_a_refuted_protocol_exits_1_with_a_run_that_coagent_run_replays(coagent, tmp_path: Path) -> None:
    path = tmp_path / "blind.py"
    path.write_text(BLIND, encoding="utf-8")
    scenario = {
        "state": {"x": 0},
        "agents": [
            {"name": "A", "think_s": 9.0, "steps": [{"get": "x", "as": "v"}, {"report": "v"}]},
            {"name": "B", "think_s": 1.0, "steps": [{"put": "x", "value": "7"}]},
        ],
    }
    file = tmp_path / "late.json"
    file.write_text(json.dumps(scenario), encoding="utf-8")
    answer = coagent("prove", file, "--protocol", f"{path}:Blind", "--json")
    found = json.loads(answer.out)
    assert (answer.code, found["verdict"], found["counterexample"]["replayed"]) == (1, "refuted", True)
    shown = found["counterexample"]
    file.write_text(json.dumps({**scenario, "state": shown["state"]}), encoding="utf-8")
    schedule = ",".join(map(str, shown["schedule"]))
    assert coagent("run", file, "--protocol", f"{path}:Blind", "--schedule", schedule).code == 1
    assert coagent("prove", file).code == 0


def test_a_start_state_that_only_the_solver_finds(coagent) -> None:
    found = json.loads(coagent("prove", "dirty-read-innocent", "--protocol", "naive", "--json").out)
    assert found["verdict"] == "refuted"
    assert found["counterexample"]["state"]["order/status"] == "open"


def test_a_recorded_run_is_proved_and_its_needless_notices_are_told(coagent, tmp_path: Path) -> None:
    file = tmp_path / "slots.ndjson"
    assert coagent("run", "slots", "--protocol", "mtpo-footprint", "--record", file).code == 0
    answer = coagent("prove", file)
    assert answer.code == 0
    assert "for all start states and all meanings of the calls" in answer.out
    assert "agent-01.3 was needless: it told nothing new here" in answer.out
    assert len(json.loads(coagent("prove", file, "--json").out)["needless"]) == 4


def test_a_recorded_naive_run_is_refuted(coagent, tmp_path: Path) -> None:
    file = tmp_path / "lost.ndjson"
    coagent("run", "lost-update", "--protocol", "naive", "--record", file)
    answer = coagent("prove", file)
    assert answer.code == 1
    assert "counterexample, replayed" in answer.out


@pytest.mark.nightly
def test_the_tools_are_a_table(coagent) -> None:
    answer = coagent("prove", "--tools")
    assert answer.code == 0
    assert "add p by 1 | add p by 2" in answer.out
    assert "when value 1 = value 2" in answer.out


def test_the_proposition_is_proved(coagent) -> None:
    found = json.loads(coagent("prove", "--proposition", "--json").out)
    assert [one["verdict"] for one in found["proofs"]] == ["proved"] * 3


def test_time_that_runs_out_leaves_paths_open(coagent, tmp_path: Path) -> None:
    file = tmp_path / "slow.json"
    file.write_text(json.dumps(SLOW), encoding="utf-8")
    found = json.loads(coagent("prove", file, "--time-limit", "0.001", "--paths", "40", "--json").out)
    assert found["complete"] is False
    assert "z3 gives up" in " ".join([*found["notes"], *found["missing"]])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to prove"),
        (("nope",), "no workload named"),
        (("lost-update", "--protocol", "nope"), "there is no protocol"),
        (("missing.json",), "no such file"),
        (("missing.ndjson",), "No such file"),
        (("--tools", "nope"), "no workload named"),
        (("lost-update", "--paths", "0"), "--paths"),
        (("lost-update", "--schedule", "0,x"), "--schedule"),
    ],
)
def test_bad_input_is_one_clear_line(coagent, words: tuple[str, ...], said: str) -> None:
    answer = coagent("prove", *words)
    assert (answer.code, answer.out) == (3, "")
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_a_cut_history_is_bad_input(coagent, tmp_path: Path) -> None:
    file = tmp_path / "cut.ndjson"
    coagent("run", "lost-update", "--record", file)
    file.write_text(file.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    answer = coagent("prove", file)
    assert answer.code == 3
    assert "cut" in answer.err
