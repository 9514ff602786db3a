"""Whatever cannot be used ends with exit code 3 and one line of what and where; nothing is printed or written."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coagent.cli import main

ROOT = Path(__file__).resolve().parents[1]
STEPS = '[{"get": "x", "as": "v"}, {"put": "x", "value": "v + 1"}]'


def agents(*scripts: str) -> str:
    return '{"state": {"x": 1},\n "agents": [\n' + ",\n".join(scripts) + "]}"


def one(step: str) -> str:
    return agents(f'{{"name": "A", "steps": [\n{step}]}}')


SCENARIOS = {
    "not JSON": ("{state: 1}", ":1: "),
    "cut JSON": (agents('{"name": "A", "steps": []}')[:-3], ""),
    "empty": ("", "the file is empty"),
    "blank": (" \n ", "the file is empty"),
    "a list": ("[]", ""),
    "binary": (b"\x00\xff\xfe\x01", ""),
    "latin-1": ('{"state": {"ä": 1}}'.encode("latin-1"), ":1: the file is not UTF-8"),
    "unknown call": (one('{"fetch": "x"}'), ":4: "),
    "missing key": ('{"state": {"x": 1}}', "agents"),
    "missing value": (one('{"put": "x"}'), ":4: "),
    "expression not allowed": (one('{"put": "x", "value": "open(1)"}'), ":4: "),
    "expression with a slip": (one('{"put": "x", "value": "1 +"}'), ":4: "),
    "unbound name": (one('{"put": "x", "value": "w + 1"}'), ":4: "),
    "duplicate agent": (agents(f'{{"name": "A", "steps": {STEPS}}}', f'{{"name": "A", "steps": {STEPS}}}'), ":4: "),
    "no agents": ('{"state": {}, "agents": []}', ""),
    "own schedule no list": ('{"schedule": "clock", "state": {}, "agents": [{"name": "A", "steps": []}]}', ":1: "),
}


def refused(answer, *words: str) -> None:
    assert answer.code == 3
    assert answer.out == ""
    assert answer.err.startswith("coagent: ") and answer.err.endswith("\n") and answer.err.count("\n") == 1, answer.err
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err


@pytest.mark.parametrize("command", ["run", "explore", "compare"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_is_refused_with_its_place(coagent, tmp_path, name, command):
    content, word = SCENARIOS[name]
    file = tmp_path / "bad.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(coagent(command, file, "--json"), word, str(file))


def test_own_schedule_of_a_scenario_has_to_fit(coagent, tmp_path):
    file = tmp_path / "far.json"
    file.write_text(agents(f'{{"name": "A", "steps": {STEPS}}}').replace('"state"', '"schedule": [0, 9], "state"'))
    refused(coagent("run", file), "index 1 of the schedule is 9")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no command given"),
        (["rnu", "lost-update"], "No such command"),
        (["run"], "Missing argument"),
        (["run", "lost-update", "write-skew"], "unexpected extra argument"),
        (["run", "lost-update", "--protocoll", "mtpo"], "No such option"),
        (["--verbose"], "No such option"),
        (["run", "lost-update", "--protocol"], "requires an argument"),
        (["run", "lost-update", "--seed", "one"], "--seed"),
        (["run", "lost-update", "--seed", "-1"], "--seed"),
        (["run", "lost-update", "--max-steps", "0"], "--max-steps"),
        (["run", "lost-updat"], "did you mean 'lost-update'?"),
        (["run", "none.json"], "there is no such file"),
        (["run", "folder/none"], "there is no such file"),
        (["run", "lost-update", "--agents", "3"], "has its own agents"),
        (["run", "slots", "--agents", "1"], "2 to 64 agents"),
        (["run", "slots", "--agents", "65"], "2 to 64 agents"),
        (["run", "lost-update", "--protocol", "mtop"], "did you mean 'mtpo'?"),
        (["run", "lost-update", "--schedule", "0,1,two"], "'two' at index 2 is no choice"),
        (["run", "lost-update", "--schedule", "clok"], "'clok'"),
        (["run", "lost-update", "--schedule", "0,-1"], "'-1' at index 1"),
        (["run", "lost-update", "--schedule", ""], "--schedule"),
        (["run", "lost-update", "--schedule", "0,7"], "index 1 of the schedule is 7, but only 2 choices are open"),
        (["explore", "lost-update", "--max-states", "x"], "--max-states"),
        (["compare", "lost-update", "--protocols", "mtpo,occc"], "did you mean 'occ'?"),
        (["compare", "lost-update", "--protocols", "mtpo,,occ"], "there is no protocol ''"),
        (["compare", "lost-update", "--trials", "0"], "--trials"),
        (["compare", "lost-update", "--miss", "1.5"], "--miss is 1.5"),
        (["compare", "lost-update", "--over", "-1"], "--over is -1.0"),
        (["compare", "lost-update", "--rank", "2,2"], "--rank '2,2' is no order"),
        (["compare", "lost-update", "--rank", "shortest"], "--rank is 'shortest'"),
        (["compare", "lost-update", "--irrelevant"], "no irrelevant write to add"),
        (["compare", "lost-update", "--agents", "3"], "has its own agents"),
        (["compare", "o5-double-booked", "--tables", "nowhere"], "there is no such folder"),
        (["run", "o5-double-booked", "--tables", "nowhere"], "there is no such folder"),
        (["explore", "o5-double-booked", "--tables", "nowhere"], "there is no such folder"),
        (["compare"], "Missing argument"),
        (["check"], "Missing argument"),
        (["check", "none"], "there is no such file"),
        (["check", "none", "--order", "some"], "--order is 'some'"),
        (["check", "none", "--format", "xml"], "--format is 'xml'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_slip_on_the_command_line_is_named(coagent, words, said):
    refused(coagent(*words), said)


class TestRecord:
    def test_what_is_there_is_never_written_over(self, coagent, tmp_path):
        file = tmp_path / "h"
        file.write_text("precious")
        refused(coagent("run", "lost-update", "--record", file), str(file), "nothing is written over")
        assert file.read_text() == "precious" and list(tmp_path.iterdir()) == [file]

    def test_dangling_link_counts_as_there(self, coagent, tmp_path):
        (tmp_path / "link").symlink_to(tmp_path / "nowhere")
        refused(coagent("run", "lost-update", "--record", tmp_path / "link"), "already exists")
        assert not (tmp_path / "nowhere").exists()

    def test_folder_has_to_be_there(self, coagent, tmp_path):
        refused(coagent("run", "lost-update", "--record", tmp_path / "no" / "h"), "there is no folder")

    def test_refused_input_records_nothing(self, coagent, tmp_path):
        refused(coagent("run", "lost-update", "--schedule", "0,7", "--record", tmp_path / "h"))
        assert list(tmp_path.iterdir()) == []


class TestHistory:
    @pytest.fixture
    def recorded(self, coagent, tmp_path) -> Path:
        coagent("run", "lost-update", "--record", tmp_path / "h")
        return tmp_path / "h"

    def test_cut_in_the_middle_of_a_line(self, coagent, recorded):
        recorded.write_bytes(recorded.read_bytes()[:-40])
        refused(coagent("check", recorded), "does not end in a newline")

    def test_cut_between_lines(self, coagent, recorded):
        recorded.write_text("".join(recorded.read_text().splitlines(keepends=True)[:-1]))
        refused(coagent("check", recorded), "stops without its 'end' record")

    def test_line_left_out(self, coagent, recorded):
        rows = recorded.read_text().splitlines(keepends=True)
        recorded.write_text("".join(rows[:10] + rows[11:]))
        refused(coagent("check", recorded), f"{recorded}:11: ", "checksum")

    def test_edited(self, coagent, recorded):
        recorded.write_text(recorded.read_text().replace('"value": 7', '"value": 9', 1))
        refused(coagent("check", recorded), "checksum")

    def test_from_a_newer_version(self, coagent, recorded):
        recorded.write_text(recorded.read_text().replace('"version": 1', '"version": 2'))
        refused(coagent("check", recorded), f"{recorded}:1: ", "upgrade coagent")

    def test_order_that_there_is_not(self, coagent, recorded):
        recorded.write_text(recorded.read_text().replace('"order": "declared"', '"order": "perhaps"'))
        refused(coagent("check", recorded), f"{recorded}:1: ")

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\n\n",
            b"\x00\x01\x02",
            b"\x1f\x8b\x08rest",
            b"hello world\n",
            b'{"history": "coagent"}\n',
            b'{"a": 1}\n',
            b"[1]\n",
        ],
        ids=repr,
    )
    def test_what_is_no_history(self, coagent, tmp_path, content):
        (tmp_path / "h").write_bytes(content)
        refused(coagent("check", tmp_path / "h"), str(tmp_path / "h"))

    def test_folder(self, coagent, tmp_path):
        refused(coagent("check", tmp_path), "folder")

    def test_bad_ones_do_not_hide_the_others(self, coagent, recorded, tmp_path):
        (tmp_path / "bad").write_text("{}\n")
        answer = coagent("check", tmp_path / "bad", recorded, tmp_path / "none", "--json")
        assert answer.code == 3 and answer.err.count("\n") == 2
        assert [json.loads(line)["file"] for line in answer.out.splitlines()] == [str(recorded)]


class TestOwnProtocol:
    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("raise RuntimeError('two\\nlines')", ":1: cannot be imported: RuntimeError: two lines"),
            ("import nowhere_to_be_found", "ModuleNotFoundError"),
            ("import sys\nsys.exit(0)", ":2: cannot be imported: SystemExit"),
            ("def (", ":1: is not Python"),
            ("Other = 1", "defines no 'Mine'; it has nothing with a step() at all"),
            ("class Others:\n    def step(self, run, event): pass", "defines no 'Mine'; it has Others"),
            ("Mine = 1", "no protocol"),
            ("class Mine:\n    name = 'mine'", "no protocol, for want of a proper .promises"),
            ("class Mine:\n    def __init__(self, k): pass", "the protocol failed with TypeError"),
            (
                "class Mine:\n name, promises = 'mine', 'any'\n def start(self): return None\n"
                " def step(self, run, event):\n  return 1 / 0",
                ":5: the protocol failed with ZeroDivisionError",
            ),
            (
                "class Mine:\n name, promises = 'mine', 'any'\n def start(self): return None\n"
                " def step(self, run, event): return run",
                "protocol 'mine': the step at Launched(A) answered None; return (run, effects)",
            ),
        ],
        ids=range(11),
    )
    def test_fault_in_it_is_named_with_its_line(self, coagent, tmp_path, source, said):
        file = tmp_path / "own.py"
        file.write_text(source)
        refused(coagent("run", "lost-update", "--protocol", f"{file}:Mine", "--json"), str(file), said)

    def test_file_that_is_not_there(self, coagent, tmp_path):
        refused(coagent("run", "lost-update", "--protocol", f"{tmp_path}/own.py:Mine"), "there is no such file")

    def test_name_left_out(self, coagent):
        refused(coagent("run", "lost-update", "--protocol", "own.py"), "write file.py:Name")


@pytest.mark.parametrize(
    "words",
    [
        ["run", "none.json"],
        ["run", "--nope"],
        ["check", "none"],
        ["explore", "slot"],
        ["compare", "slots", "--protocols", "x"],
    ],
    ids=" ".join,
)
def test_process_ends_with_three_and_one_line(words, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "coagent", *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)


def test_a_package_of_an_extra_that_is_not_there_is_named_with_its_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    assert main(["run", "lost-update", "--target", "memory"]) == 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "coagent-mtpo[live]" in said and "jsonschema" in said
