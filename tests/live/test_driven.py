"""Workloads run with a model: recorded over the socket and played again offline, measured, and by command."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from checker.notified import check_history
from coagent import naming
from coagent.bad_input import BadInput
from coagent.checking import verdicts
from coagent.cli import main
from coagent.driven import ModelPlan, ran_models, trials_of
from coagent.history import lines
from coagent.live import virtual_clock
from coagent.live.agents.price import price
from coagent.live.agents.recorded import Recorded
from coagent.measured import measured
from coagent.program import Intent
from coagent.saving import save_history
from coagent.stepper import rerun
from tests.live.acting import Thinking, among
from tests.live.model_server import KEY, Say, Slow, Status, said, served
from tests.live.test_recalled import played
from tests.live.test_worker import slow_for
from workloads.cluster import create_deployment, get

PRICE = "0.27,0.07,1.1"


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def cell_of(name, protocol="mtpo"):
    cell = naming.target(name, None)
    return cell, naming.protocol(protocol), among({one.name: one.program for one in cell.agents}, cell.tools)


def timeless(history):
    """A history without its times, and the seals over them."""
    return [{key: value for key, value in one.items() if key not in ("at", "crc")} for one in history.records]


# recorded and played again


@pytest.mark.parametrize("name", ("k2-canary", "x1-handover", "o5-double-booked", "g2-migration"))
@pytest.mark.parametrize("protocol", ("occ", "mtpo"))
def test_a_recording_played_again_offline_is_the_same_run(name, protocol, tmp_path):
    cell, engine, script = cell_of(name, protocol)
    file = str(tmp_path / "models.ndjson")
    with served(script, split=1000) as server:
        there = ran_models(cell, engine, ModelPlan(name="small", base_url=server.url, record=file))
    offline = ModelPlan(name="small", base_url="http://127.0.0.1:1/v1", replay=file, key_variable="NOT_SET")
    again, and_again = (ran_models(cell, engine, offline) for _ in range(2))
    assert timeless(again.live.history) == timeless(there.live.history)
    assert "".join(lines(again.live.history)) == "".join(lines(and_again.live.history)), "the same bytes"
    assert again.bill == there.bill and again.replayed and not there.replayed
    assert there.right and there.exit_code == 0 and not there.failed


@pytest.mark.parametrize("name", ("k2-canary", "x1-handover", "k5-pin", "o1-onboard"))
def test_on_virtual_time_a_replay_has_the_same_bytes(name, tmp_path):
    cell, engine, _ = cell_of(name)
    file, real = tmp_path / "models.ndjson", Thinking(workload=cell)
    recorded, _ = virtual_clock.run(played(cell, engine, Recorded(real, file, "record")))
    silent = Thinking(workload=cell, breaks_at=0)
    model = Recorded(silent, file, "replay", sleep=asyncio.sleep)
    again, _ = virtual_clock.run(played(cell, engine, model))
    assert "".join(lines(again.history)) == "".join(lines(recorded.history))
    assert real.asked and not silent.asked


def test_a_recording_of_another_run_is_said_to_be_one(tmp_path):
    file = str(tmp_path / "models.ndjson")
    cell, engine, script = cell_of("k2-canary")
    with served(script, split=1000) as server:
        ran_models(cell, engine, ModelPlan(name="small", base_url=server.url, record=file))
    other = naming.target("k3-flag", None)
    with pytest.raises(BadInput, match="was not recorded"):
        ran_models(other, engine, ModelPlan(name="small", replay=file))


# judged


def larger():
    """A canary of a size that nobody asked for, after a look at the image only."""
    image = yield Intent(call=get("geo", "image"))
    yield Intent(call=create_deployment("geo-canary", image.value, 7))
    return "made"


def test_a_model_run_is_checked_by_its_history_and_not_by_the_programs(tmp_path):
    cell, engine, _ = cell_of("k2-canary")
    script = among({"A": cell.agents[0].program, "B": larger}, cell.tools)
    with served(slow_for("B", script), split=1000) as server:
        ran = ran_models(cell, engine, ModelPlan(name="small", base_url=server.url))
    history = ran.live.history
    assert history.end["final_state"]["cluster/deployments/geo-canary/replicas"] == 7
    assert history.header["models"] == {"A": "small", "B": "small"} and list(history.of("consume"))
    assert ran.right and ran.exit_code == 0 and ran.live.order_exact is None
    assert check_history(history, order="declared", rerun=rerun(cell)).verdict == "violated", "by the programs"
    file = str(tmp_path / "h.ndjson")
    save_history(history, file)
    ((_, verdict),), error = verdicts(file, "auto", None, "serializable")
    assert verdict.verdict == "ok" and error is None


def test_trials_are_summed_up_beside_the_serial_ones():
    cell, _, script = cell_of("k2-canary")
    engines = [naming.protocol(name) for name in ("serial", "mtpo")]
    slow = lambda messages, before: Slow(say=script(messages, before), wait_s=0.02)  # noqa: E731
    with served(slow, split=1000) as server:
        plan = ModelPlan(name="small", base_url=server.url, price=price(PRICE))
        runs = trials_of([(cell, one) for _ in range(3) for one in engines], plan, lambda done, what: None)
    serial, mtpo = measured(runs)
    assert (serial.protocol, serial.trials, serial.right, serial.invariant) == ("serial", 3, 1.0, 1.0)
    assert serial.speedup == serial.tokens_ratio == serial.money_ratio == 1.0
    assert mtpo.right == 1.0 and mtpo.speedup > 0 and mtpo.tokens == sorted(one.tokens for one in runs[1::2])[1]
    total = runs[0].bill.total
    fresh = total.prompt_tokens - total.cached_tokens
    money = (0.27 * fresh + 0.07 * total.cached_tokens + 1.1 * total.output_tokens) / 1e6
    assert runs[0].money == pytest.approx(money) and runs[0].live.seconds > 0.02 * total.completions


# the command line


def coagent(folder, *words, key=KEY, code=0):
    """The command as a process of its own in a folder; what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI")}
    env = {**kept, "PYTHONPATH": str(Path(__file__).parents[2]), **({"OPENAI_API_KEY": key} if key else {})}
    command = [sys.executable, "-m", "coagent", *words]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stdout if code != 3 else done.stderr


def test_run_and_compare_with_a_model_from_the_command_line(tmp_path):
    _, _, script = cell_of("k2-canary")
    driven = ("--agents", "model", "--model", "small")
    with served(script, split=1000) as server:
        at = ("--base-url", server.url)
        said_ = coagent(
            tmp_path,
            "run",
            "k2-canary",
            *driven,
            *at,
            "--price",
            PRICE,
            "--record",
            "h.ndjson",
            "--record-models",
            "m.ndjson",
        )
        table = coagent(tmp_path, "compare", "k2-canary", *driven, *at, "--protocols", "serial,mtpo", "--trials", "2")
        found = json.loads(coagent(tmp_path, "compare", "k2-canary", *driven, *at, "--trials", "1", "--json"))
    assert "measured" in said_ and "simulated" not in said_ and "invariant: holds" in said_ and "cost" in said_
    assert "measured" in table and "simulated" not in table and "2 trials each" in table
    assert [row["protocol"] for row in found["rows"]] == ["serial", "naive", "2pl", "occ", "mtpo"]
    assert found["simulated"] is False and found["model"] == "small"
    again = json.loads(coagent(tmp_path, "run", "k2-canary", *driven, "--replay-models", "m.ndjson", "--json", key=""))
    assert again["replayed"] and again["invariant"] and again["bill"][-1]["agent"] is None
    assert "ok" in coagent(tmp_path, "check", "h.ndjson")
    for file in tmp_path.iterdir():
        assert KEY not in file.read_text(), file
    assert {file.name for file in tmp_path.iterdir()} == {"h.ndjson", "m.ndjson"}


def test_a_run_that_a_model_fails_is_exit_1_and_says_why(tmp_path):
    _, _, script = cell_of("k2-canary")

    def failing(messages, before):
        return Status(status=400) if len(messages) > 4 else script(messages, before)

    with served(failing, split=1000) as server:
        words = ("run", "k2-canary", "--agents", "model", "--model", "small", "--base-url", server.url)
        told = coagent(tmp_path, *words, code=1)
        found = json.loads(coagent(tmp_path, *words, "--json", code=1))
    assert "the model of A failed" in told and "refuses the request (400)" in " ".join(told.split())
    assert set(found["failed"]) == {"A", "B"} == set(found["gave_up"])


NOWHERE = "http://127.0.0.1:9/v1"
WRONG = (
    (("run", "k2-canary", "--agents", "model"), "needs the model's name"),
    (("run", "k2-canary", "--agents", "many"), "give a number of agents from 1, or the word model"),
    (("run", "k2-canary", "--agents", "0"), "give a number of agents from 1, or the word model"),
    (("run", "k2-canary", "--model", "small"), "say --agents model too"),
    (("run", "lost-update", "--agents", "model", "--model", "small"), "has no task in words"),
    (("run", "k2-canary", "--agents", "model", "--model", "small", "--seed", "3"), "--seed is for simulated agents"),
    (("run", "k2-canary", "--agents", "model", "--model", "small", "--price", "cheap"), "are no prices"),
    (("run", "k2-canary", "--agents", "model", "--model", "small", "--base-url", "here"), "is no address"),
    (("run", "k2-canary", "--agents", "model", "--model", "small", "--replay-models", "no"), "no such recording"),
    (
        (
            "run",
            "k2-canary",
            "--agents",
            "model",
            "--model",
            "s",
            "--base-url",
            "http://127.0.0.1:9/v1",
            "--tries",
            "2",
        ),
        "lost the connection",
    ),
    (("compare", "k2-canary", "--agents", "model"), "needs the model's name"),
    (("compare", "k2-canary", "--agents", "model", "--model", "s", "--miss", "0.5"), "--miss is for simulated"),
    (
        ("compare", "k2-canary", "--agents", "model", "--model", "s", "--protocols", "fork-merge"),
        "cannot be forked",
    ),
)


@pytest.mark.parametrize(("words", "why"), WRONG)
def test_what_cannot_be_run_is_one_sentence_and_exit_3(words, why, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 3
    told = capsys.readouterr()
    assert why in told.err and told.err.count("\n") == 1 and told.err.startswith("coagent: ") and not told.out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("key", "why"), (("", "OPENAI_API_KEY is not set"), ("sk-another-0123456789", "(401)")))
def test_a_key_that_is_missing_or_wrong_is_one_sentence_and_exit_3(key, why, tmp_path):
    with served(said(Say(text="never"))) as server:
        words = ("run", "k2-canary", "--agents", "model", "--model", "small", "--base-url", server.url)
        told = coagent(tmp_path, *words, key=key, code=3)
    assert why in told and told.count("\n") == 1 and "sk-another" not in told
    assert not server.requests
