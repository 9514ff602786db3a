"""What the command line prints, in both forms, and the exit code it ends with."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coagent import __version__
from coagent.history import parse

ROOT = Path(__file__).resolve().parents[1]
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}

RUN_KEYS = {
    "workload",
    "protocol",
    "seed",
    "schedule",
    "agents",
    "order",
    "order_exact",
    "quiescent",
    "final_state",
    "reports",
    "invariant",
    "gave_up",
    "verdict",
    "simulated",
    "seconds",
    "tokens",
    "cost",
    "inferences",
    "notifications",
    "undos",
    "redos",
    "restarts",
    "deadlocks",
}
CHECK_KEYS = {
    "file",
    "verdict",
    "criterion",
    "order",
    "anomalies",
    "blame",
    "transactions",
    "operations",
    "seconds",
}

SCENARIO = """{"name": "lost update", "state": {"x": 1}, "schedule": [0, 0, 0, 0], "agents": [
 {"name": "A", "steps": [{"get": "x", "as": "v"}, {"put": "x", "value": "v + 1"}, {"report": "v"}]},
 {"name": "B", "steps": [{"get": "x", "as": "v"}, {"put": "x", "value": "v * 2"}, {"report": "v"}]}]}
"""

OWN = """
import sys
print("imported")
from coagent.protocols import protocol

class Mine:
    name, promises = "mine", "any"
    def __init__(self):
        self.inner = protocol("serial")
    def start(self):
        print("started")
        return self.inner.start()
    def step(self, run, event):
        return self.inner.step(run, event)

mine = Mine()
"""


@pytest.fixture
def scenario(tmp_path) -> Path:
    file = tmp_path / "lost.json"
    file.write_text(SCENARIO)
    return file


def process(*argv: object, **more: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "coagent", *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, env=ENV, **more)


def only_object(text: str) -> dict:
    assert text.endswith("\n") and text.count("\n") == 1
    return json.loads(text)


class TestRun:
    def test_json_has_the_keys_of_the_contract(self, coagent):
        answer = coagent("run", "lost-update", "--json")
        found = only_object(answer.out)
        assert (answer.code, answer.err, set(found)) == (0, "", RUN_KEYS)
        assert set(found["verdict"]) == CHECK_KEYS - {"file"}
        assert found["order"] == ["A", "B"] and found["order_exact"] is True and found["invariant"] is True
        assert found["final_state"] == {"stock/apples": 5}
        assert (found["notifications"], found["undos"], found["inferences"]) == (1, 1, 8)

    def test_naive_lost_update_is_violated_in_any_order(self, coagent):
        answer = coagent("run", "lost-update", "--protocol", "naive", "--json")
        found = only_object(answer.out)
        assert answer.code == 1
        assert (found["verdict"]["criterion"], found["verdict"]["verdict"]) == ("serializable", "violated")
        assert found["order"] is None and found["order_exact"] is False and found["invariant"] is False

    def test_serializable_in_another_order_holds_and_says_so(self, coagent):
        found = [coagent("run", "write-skew", "--protocol", "occ", "--seed", seed, "--json") for seed in range(6)]
        seen = {(answer.code, only_object(answer.out)["order_exact"]) for answer in found}
        assert seen == {(0, True), (0, False)}

    def test_people_see_lanes_and_judgement_and_that_it_is_simulated(self, coagent):
        answer = coagent("run", "lost-update")
        assert "A (rank 1)" in answer.out and "● notice" in answer.out
        assert "notified-serializable: 2 transactions" in answer.out
        assert "simulated: 19.5 s, 18,150 tokens" in answer.out
        assert answer.code == 0 and answer.err == ""

    def test_schedule_of_a_scenario_is_taken_unless_another_is_given(self, coagent, scenario):
        own = only_object(coagent("run", scenario, "--protocol", "naive", "--json").out)
        assert own["schedule"] == [0, 0, 0, 0] and own["invariant"] is None
        assert only_object(coagent("run", scenario, "--schedule", "clock", "--json").out)["schedule"] == "clock"
        given = only_object(coagent("run", scenario, "--schedule", "0, 1,0", "--json").out)
        assert given["schedule"] == [0, 1, 0]

    def test_tokens_and_cost_add_up_from_the_records(self, coagent, tmp_path):
        file = tmp_path / "h"
        found = only_object(coagent("run", "lost-update", "--record", file, "--json").out)
        records = list(parse(file.read_text(), str(file)).of("inferred"))
        anew = sum(one["prompt_tokens"] + one["output_tokens"] for one in records)
        cached = sum(one["cached_tokens"] for one in records)
        assert cached > 0 and found["tokens"] == anew + cached and found["cost"] == round(anew + cached / 10)

    @pytest.mark.parametrize("form", [["--json"], []])
    def test_step_bound_reached_cannot_be_told(self, coagent, form):
        answer = coagent("run", "livelock", "--protocol", "broadcast", "--max-steps", 200, *form)
        assert answer.code == 2
        assert only_object(answer.out)["quiescent"] is False if form else "cannot tell" in answer.out

    def test_giving_up_is_never_ok(self, coagent, tmp_path):
        steps = '[{"get": "x", "as": "v"}, {"put": "x", "value": "v + 1"}]'
        file = tmp_path / "crowd.json"
        agents = ", ".join(f'{{"name": "A{index}", "steps": {steps}}}' for index in range(9))
        file.write_text(f'{{"state": {{"x": 0}}, "agents": [{agents}]}}')
        answer = coagent("run", file, "--protocol", "occ", "--json")
        found = only_object(answer.out)
        assert found["gave_up"] and answer.code == 1
        assert found["restarts"] > 5
        assert "never ok" in coagent("run", file, "--protocol", "occ").out

    def test_deadlocks_are_counted(self, coagent):
        found = only_object(coagent("run", "lost-update", "--protocol", "2pl", "--json").out)
        assert (found["deadlocks"], found["restarts"]) == (1, 1)

    def test_families_take_a_number_of_agents(self, coagent):
        assert len(only_object(coagent("run", "slots", "--agents", 5, "--json").out)["agents"]) == 5

    @pytest.mark.parametrize("name", ["Mine", "mine"])
    def test_own_protocol_runs_and_its_prints_stay_off_stdout(self, coagent, tmp_path, name):
        file = tmp_path / "own.py"
        file.write_text(OWN)
        answer = coagent("run", "lost-update", "--protocol", f"{file}:{name}", "--json")
        assert only_object(answer.out)["protocol"] == "mine" and answer.code == 0
        assert "imported" in answer.err and "started" in answer.err
        assert sorted(tmp_path.iterdir()) == [file]


class TestRecord:
    def test_recorded_run_is_checked_in_the_order_it_promises(self, coagent, tmp_path):
        mtpo, naive = tmp_path / "mtpo", tmp_path / "naive"
        coagent("run", "lost-update", "--record", mtpo)
        coagent("run", "lost-update", "--protocol", "naive", "--record", naive)
        answer = coagent("check", mtpo, naive, "--json")
        first, second = map(json.loads, answer.out.splitlines())
        assert set(first) == CHECK_KEYS and answer.code == 1
        assert (first["file"], first["verdict"], first["criterion"]) == (str(mtpo), "ok", "notified-serializable")
        assert (second["file"], second["verdict"], second["criterion"]) == (str(naive), "violated", "serializable")
        assert only_object(coagent("check", mtpo, "--order", "any", "--json").out)["criterion"] == "serializable"

    def test_nothing_else_is_left_in_the_folder(self, coagent, tmp_path):
        coagent("run", "lost-update", "--record", tmp_path / "h")
        assert [file.name for file in tmp_path.iterdir()] == ["h"]

    @pytest.mark.parametrize("schedule", ["clock", "random", "0,1,1,0"])
    def test_same_seed_gives_the_same_bytes_whatever_the_hash_seed(self, tmp_path, schedule):
        texts = set()
        for hash_seed in ("0", "1", "4711"):
            file = tmp_path / hash_seed
            command = ("run", "slots", "--schedule", schedule, "--seed", 7, "--record", file, "--json")
            subprocess.run(
                [sys.executable, "-m", "coagent", *map(str, command)],
                env={**ENV, "PYTHONHASHSEED": hash_seed},
                check=True,
                capture_output=True,
            )
            texts.add(file.read_bytes())
        assert len(texts) == 1

    def test_other_seed_gives_another_random_run(self, coagent, tmp_path):
        for seed in (1, 2):
            coagent("run", "slots", "--schedule", "random", "--seed", seed, "--record", tmp_path / str(seed))
        assert (tmp_path / "1").read_bytes() != (tmp_path / "2").read_bytes()


class TestCheck:
    def test_several_files_are_all_told_and_the_worst_decides(self, coagent, tmp_path):
        names = {}
        for name, more in {"ok": [], "violated": ["--protocol", "naive"], "unknown": ["--max-steps", 3]}.items():
            names[name] = tmp_path / name
            coagent("run", "lost-update", *more, "--record", names[name])
        names["bad"] = tmp_path / "none"
        for given, code in [("ok", 0), ("ok unknown", 2), ("ok unknown violated", 1), ("bad violated ok", 3)]:
            answer = coagent("check", *(names[one] for one in given.split()), "--json")
            assert answer.code == code
            assert [json.loads(line)["verdict"] for line in answer.out.splitlines()] == [
                one for one in given.split() if one != "bad"
            ]
            assert answer.err.count("\n") == ("bad" in given)

    def test_foreign_history_is_judged_in_any_order(self, coagent, tmp_path):
        file = tmp_path / "log"
        file.write_text('{"id": "one", "ops": [[1, "r", "x"], [2, "w", "x"], [1, "w", "x"]]}\n')
        found = only_object(coagent("check", file, "--json").out)
        assert (found["file"], found["verdict"]) == ("one", "violated")
        assert coagent("check", file, "--order", "declared").code == 3

    def test_people_read_the_reasons(self, coagent, tmp_path):
        coagent("run", "lost-update", "--protocol", "naive", "--record", tmp_path / "h")
        answer = coagent("check", tmp_path / "h")
        assert "lost update (G-single): A before B, because" in answer.out and answer.code == 1


class TestExplore:
    def test_mtpo_always_ends_in_the_pre_order(self, coagent):
        found = only_object(coagent("explore", "lost-update", "--json").out)
        assert found["complete"] and found["notified"] and found["verdict"] == "ok"
        assert [one["final_state"] for one in found["endings"]] == [{"stock/apples": 5}]

    def test_naive_has_a_counterexample_and_its_schedule_replays(self, coagent):
        answer = coagent("explore", "lost-update", "--protocol", "naive", "--json")
        found = only_object(answer.out)
        assert answer.code == 1 and found["verdict"] == "violated"
        assert {one["right"] for one in found["endings"]} == {True, False}
        assert found["counterexample"]["verdict"]["anomalies"][0]["name"] == "lost update"
        for one in found["endings"]:
            words = [*found["replay"][1:], "--schedule", ",".join(map(str, one["schedule"]))]
            again = only_object(coagent(*words, "--json").out)
            assert (again["final_state"], again["reports"]) == (one["final_state"], one["reports"])

    def test_any_serial_order_is_right_where_that_is_the_promise(self, coagent, scenario):
        answer = coagent("explore", scenario, "--protocol", "2pl", "--json")
        whys = {one["why"] for one in only_object(answer.out)["endings"]}
        assert answer.code == 0 and whys == {"as A, B one after the other", "as B, A one after the other"}

    def test_too_few_states_cannot_tell(self, coagent):
        answer = coagent("explore", "lost-update", "--max-states", 20)
        assert answer.code == 2 and "cannot tell" in answer.out and "states open" in answer.out

    def test_people_get_the_command_that_shows_it_again(self, coagent):
        out = coagent("explore", "lost-update", "--protocol", "naive").out
        assert "coagent run lost-update --protocol naive --schedule 0,1," in out
        assert "wrong: " in out and "right: as A, B one after the other" in out


class TestCompare:
    def test_numbers_do_not_depend_on_the_workers(self, coagent):
        words = ("compare", "lost-update", "slots", "--trials", 3, "--json")
        alone, together = coagent(*words), coagent(*words, "--workers", 3)
        assert alone.out == together.out and alone.code == together.code == 0
        assert len(only_object(alone.out)["rows"]) == 12

    def test_serial_is_the_measure_and_naive_is_fast_and_wrong(self, coagent):
        out = coagent("compare", "lost-update", "--protocols", "naive,serial", "--trials", 4, "--seed", 1, "--json").out
        naive, serial = only_object(out)["rows"]
        assert (serial["speedup"], serial["tokens"], serial["ok"]) == (1.0, 1.0, 1.0)
        assert naive["speedup"] > 1.5 and naive["ok"] == 0.0

    def test_serial_is_run_for_the_ratios_and_not_shown_unless_asked_for(self, coagent):
        rows = only_object(coagent("compare", "k3-flag", "--protocols", "mtpo,naive", "--trials", 2, "--json").out)[
            "rows"
        ]
        assert [one["protocol"] for one in rows] == ["mtpo", "naive"] and all(one["speedup"] > 1 for one in rows)

    def test_agents_that_overlook_every_notice_are_wrong(self, coagent):
        words = ("compare", "k2-canary", "--protocols", "mtpo", "--trials", 3, "--json")
        fine, blind = (only_object(coagent(*words, "--miss", miss).out)["rows"][0] for miss in (0, 1))
        assert (fine["ok"], blind["ok"]) == (1.0, 0.0) and blind["miss"] == 1.0

    def test_rank_agents_and_the_irrelevant_write_change_what_is_run(self, coagent):
        words = ("compare", "slots", "--agents", 4, "--rank", "4,3,2,1", "--irrelevant", "--trials", 2)
        found = only_object(coagent(*words, "--protocols", "mtpo", "--json").out)["rows"]
        assert [(one["agents"], one["rank"], one["irrelevant"]) for one in found] == [(4, "4,3,2,1", True)]
        assert "slots, 4 agents, with an irrelevant write, rank 4,3,2,1" in coagent(*words).out
        plain = only_object(coagent("compare", "slots", "--protocols", "mtpo", "--trials", 2, "--json").out)["rows"]
        assert plain[0]["undos"] != found[0]["undos"]

    def test_tables_are_those_of_the_folder(self, coagent, tmp_path):
        heading = "event_id,event_name,participant_email,event_start,duration\n"
        rows = [f"{hour},talk,ann@x.example,2023-08-01 {hour:02}:00:00,60\n" for hour in (9, 10)]
        (tmp_path / "calendar_events.csv").write_text(heading + "".join(rows))
        words = ("o5-double-booked", "--tables", tmp_path)
        state = only_object(coagent("run", *words, "--record", tmp_path / "h", "--json").out)["final_state"]
        assert state["calendar/new-A/start"] == "2023-08-01 11:00" and len(state) == 16
        assert coagent("check", tmp_path / "h", "--tables", tmp_path).code == 0
        assert coagent("compare", *words, "--trials", 2, "--protocols", "mtpo").code == 0
        explored = only_object(coagent("explore", *words, "--json").out)
        assert explored["replay"][-2:] == ["--tables", str(tmp_path)] and explored["verdict"] == "ok"

    def test_people_are_told_that_agents_are_simulated(self, coagent):
        out = coagent("compare", "lost-update", "--trials", 1, "--protocols", "mtpo").out
        assert "simulated agents" in out and "mtpo" in out and max(map(len, out.splitlines())) <= 100


class TestRest:
    def test_list_names_every_workload_and_protocol_with_a_sentence(self, coagent):
        found = only_object(coagent("list", "--json").out)
        assert {"lost-update", "k2-canary-on-bad-image", "slots"} <= set(found["workloads"])
        assert {"serial", "naive", "2pl", "occ", "mtpo", "mtpo-reissue", "broadcast"} <= set(found["protocols"])
        sentences = [*found["workloads"].values(), *found["protocols"].values()]
        assert all(sentences) and len(set(sentences)) == len(sentences)
        people = coagent("list").out
        assert all(name in people for name in (*found["workloads"], *found["protocols"]))

    def test_version_and_help(self, coagent):
        assert coagent("--version").out == f"coagent {__version__}\n"
        answer = coagent("run", "--help")
        assert answer.code == 0 and "--schedule" in answer.out

    def test_module_and_function_are_the_same_command(self, coagent):
        done = process("list", "--json")
        assert (done.returncode, done.stdout) == (0, coagent("list", "--json").out)

    def test_whoever_reads_may_stop_reading(self):
        command = f"{sys.executable} -m coagent run slots | head -n 1; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=ENV)
        assert done.stdout.split("\n")[0] == "slots under mtpo"
        assert done.stdout.split("\n")[1] in ("0", "141") and done.stderr == ""

    def test_full_disk_is_said_in_one_line(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "coagent", "list"], stdout=full, stderr=subprocess.PIPE, text=True, env=ENV
            )
        assert done.returncode == 3 and done.stderr.count("\n") == 1 and "No space left" in done.stderr

    def test_interrupted_in_one_line(self):
        words = ["run", "livelock", "--protocol", "broadcast", "--max-steps", "9999999"]
        command = [sys.executable, "-m", "coagent", *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV) as running:
            time.sleep(2)
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=30)
        assert (running.returncode, out, err) == (130, "", "coagent: interrupted; nothing was concluded\n")
