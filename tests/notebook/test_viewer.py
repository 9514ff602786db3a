"""A view shows any kind of run, says in a sentence what is none, forks without running anything again, and grows."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from coagent.bad_input import BadInput
from coagent.history import History, lines
from coagent.notebook import view
from coagent.notebook.drawing import picture
from coagent.notebook.replay import replay
from coagent.notebook.scene import scene
from coagent.protocols import protocol
from coagent.running import run
from coagent.simulate import Chance, Clock, Outcome, simulate
from coagent.stepper import Stepper, follow
from coagent.testing import every_schedule, random_scenario
from coagent.workload import from_scenario
from coagent.world import Setting
from workloads import workload

ROOT = Path(__file__).parents[2]


def setting(name: str = "mtpo", case: str = "lost-update") -> Setting:
    return Setting(workload=workload(case), protocol=protocol(name))


def canary(name: str = "mtpo") -> Outcome:
    return simulate(setting(name, "k2-canary"), Clock(0.1))


def test_a_path_a_history_an_outcome_and_a_judged_run_show_the_same_steps(tmp_path: Path) -> None:
    outcome = canary()
    file = tmp_path / "run.ndjson"
    file.write_text("".join(lines(outcome.history)), encoding="utf-8")
    judged = run(workload("k2-canary"), protocol("mtpo"))
    texts = [view(one).replay.texts for one in (str(file), file, outcome.history)]
    assert texts[0] == texts[1] == texts[2]
    assert view(outcome).replay.texts == view(judged).replay.texts
    assert [one for text in texts for one in text if "is told by a notice from A" in one]


def test_a_world_and_a_stepper_show_what_was_recorded_so_far() -> None:
    stepper = Stepper(setting())
    stepper.take(0)
    stepper.take(1)
    assert len(view(stepper.world).history) == len(stepper.world.recorder.records()) + 1
    assert view(stepper).history.records == stepper.outcome().history.records
    assert view(stepper).schedule == stepper.schedule == (0, 1)


def test_a_counterexample_of_the_testing_kit_is_stepped_to_its_verdict() -> None:
    tried = (every_schedule(random_scenario(seed), protocol("naive"), max_states=5_000) for seed in range(20))
    witness = next(trial.witness for trial in tried if trial.witness and trial.witness.ran.verdict.anomalies)
    shown = view(witness)
    assert shown.problem == ""
    assert shown.verdict().verdict == witness.ran.verdict.verdict == "violated"
    assert any(edge["witness"] for edge in shown._made()["verdict"]["edges"])


BAD = {
    "notes.txt": ("just some notes\n", "history"),
    "newer.ndjson": ('{"history": "coagent", "version": 99}\n', "upgrade coagent"),
    "empty.ndjson": ("", "empty"),
    "cut.ndjson": ('{"history": "coagent", "version": 1', ""),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_history_is_shown_as_a_sentence(tmp_path: Path, name: str) -> None:
    text, says = BAD[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    shown = view(tmp_path / name)
    assert says in shown.problem and "Traceback" not in shown.problem
    assert shown._repr_mimebundle_()["text/plain"].startswith("nothing to step through")
    assert shown.save(tmp_path / "run.html").read_text(encoding="utf-8").count("coagent-root")
    ElementTree.fromstring(shown.svg())


def test_an_empty_run_and_a_thing_that_is_no_run_are_sentences() -> None:
    whole = canary().history
    nothing = History(whole.header, ({**whole.end, "records": 0},))
    assert "no events" in view(nothing).problem
    assert "is no run" in view(42).problem
    assert "no such file" in view("nowhere.ndjson").problem
    with pytest.raises(BadInput):
        view(42).verdict()


def test_another_choice_forks_the_run_and_keeps_the_old_one_beside_it() -> None:
    outcome = follow(setting("naive"), (0, 0, 1))
    shown = view(outcome)
    before = shown.schedule
    shown._answer({"do": "take", "after": 0, "choice": 1})
    assert shown.schedule[0] == 1 and shown.schedule != before
    made = shown._made()
    assert made["other"]["at"] and made["parts"] >= 1
    assert follow(setting("naive"), shown.schedule).final_state == shown._run.worlds[-1].final_state
    rows = {row[0]: row[1:] for row in made["compare"]["rows"]}
    assert "verdict" in rows and rows["calls"] == ["4", "4"]


def test_the_choice_that_was_taken_only_steps_there() -> None:
    shown = view(follow(setting(), (0, 0, 1)))
    before = shown.schedule
    shown._answer({"do": "take", "after": 2, "choice": before[2]})
    assert shown.schedule == before and shown.step > 0 and "other" not in shown._made()


def test_a_setting_is_driven_choice_by_choice_and_then_to_the_end() -> None:
    shown = view(setting())
    assert shown.schedule == () and shown._made()["choices"]["open"][0]
    for after in range(3):
        shown._answer({"do": "take", "after": after, "choice": 0})
    assert shown.schedule == (0, 0, 0)
    shown._answer({"do": "finish", "after": 3})
    assert shown.history.end["quiescent"] and shown.schedule[:3] == (0, 0, 0)
    assert shown.verdict().verdict == "ok"
    assert follow(setting(), shown.schedule).final_state == {"stock/apples": 5}


def test_a_schedule_that_does_not_fit_is_a_sentence_and_the_run_stays() -> None:
    shown = view(follow(setting(), ()))
    before = shown.schedule
    for written in ("7", "0,x"):
        shown._answer({"do": "follow", "schedule": written})
        assert shown._made()["refused"] and shown.schedule == before
    shown._answer({"do": "follow", "schedule": "1"})
    assert shown.schedule[0] == 1 and not shown._made()["refused"]


def test_forking_takes_no_choice_that_was_taken_before(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = view(follow(setting(), ()))
    worlds, length = shown._run.worlds, len(shown.schedule)
    taken = []
    real = type(worlds[0]).take

    def counted(world: object, *choice: object, **at: object) -> object:
        taken.append(choice)
        return real(world, *choice, **at)

    monkeypatch.setattr(type(worlds[0]), "take", counted)
    shown.step = 3
    assert taken == []
    shown._answer({"do": "take", "after": length - 3, "choice": len(worlds[length - 3].choices()) - 1})
    assert len(taken) < 12 and shown._run.worlds[: length - 2] == worlds[: length - 2]


def test_a_live_run_grows_and_the_reader_stays_where_he_is() -> None:
    whole = canary().history
    start = replace(whole, records=whole.records[:20])
    shown = view(start)
    shown.step = 4
    for at in range(20, len(whole), 7):
        shown.extend(whole.records[at : at + 7])
    assert shown.step == 4
    assert scene(shown.replay) == scene(replay(whole))
    shown.step = len(shown.replay) - 1
    assert shown.verdict().verdict == "ok"


def test_many_threads_may_ask_at_once() -> None:
    shown = view(follow(setting("naive"), (0, 0, 1)))
    asked = [{"do": "follow", "schedule": f"{at % 2},{at % 2}"} for at in range(24)] + [{"do": "verdict"}] * 8
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(shown._answer, asked))
    assert shown.schedule == tuple(follow(setting("naive"), shown.schedule).schedule)
    assert shown._made()["refused"] == ""


def test_the_static_picture_has_every_call_of_a_short_run_inside_it() -> None:
    for name in ("mtpo", "naive", "2pl", "occ"):
        shown = view(canary(name))
        root = ElementTree.fromstring(shown.svg())
        words = {one.text for one in root.iter("{http://www.w3.org/2000/svg}text")}
        assert {record["op"] for record in shown.history.of("result")} <= words
        width, height = float(root.get("width")), float(root.get("height"))
        for one in root.iter("{http://www.w3.org/2000/svg}text"):
            assert 0 <= float(one.get("x")) <= width and 0 <= float(one.get("y")) <= height, one.text


def test_a_picture_of_many_steps_says_what_it_leaves_out() -> None:
    case = workload("slots", agents=16)
    outcome = simulate(Setting(workload=case, protocol=protocol("mtpo")), Chance(1))
    svg = picture(replay(outcome.history))
    ElementTree.fromstring(svg)
    assert "more steps; open the run" in svg and "the first 12 of 16 agents" in svg


def test_the_same_run_is_the_same_page_whatever_the_hash_seed() -> None:
    program = (
        "from coagent.notebook import view; from coagent.running import run; from coagent.protocols import protocol;"
        "from workloads import workload; from zlib import crc32; from pathlib import Path; import tempfile;"
        "v = view(run(workload('k2-canary'), protocol('naive')));"
        "p = v.save(Path(tempfile.mkdtemp()) / 'run.html'); print(crc32(p.read_bytes()), crc32(v.svg().encode()))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "PATH": ""},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(found) == 1


def test_everything_sent_to_the_page_is_json_and_survives_it() -> None:
    for seed in range(10):
        chosen = Setting(workload=from_scenario(random_scenario(seed)), protocol=protocol("mtpo"), seed=seed)
        made = view(simulate(chosen, Chance(seed)))._made()
        assert json.loads(json.dumps(made, allow_nan=False))["at"] == made["at"]


def test_a_view_offers_a_widget_and_a_picture_beside_it() -> None:
    pytest.importorskip("anywidget")
    bundle = view(canary())._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "image/svg+xml", "text/plain"} <= set(bundle)
