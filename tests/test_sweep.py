"""A sweep's rows depend on its cases alone; its folder holds whole parts, and takes up where it was left."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from coagent import provenance
from coagent.bad_input import BadInput
from coagent.compare import compared
from coagent.sweep import PART, cases, frame, load, sweep_to, swept
from coagent.trial import Trial, trial

ROOT = Path(__file__).resolve().parents[1]
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
GRID = cases(["lost-update", "k3-flag"], ["serial", "naive", "mtpo"], trials=100, miss=(0.0, 0.2), check_every=50)
"""1,200 trials, which are five parts."""

WORDS = ("lost-update", "k3-flag", "--protocols", "serial,naive,mtpo", "--trials", "100", "--miss", "0,0.2")
WORDS += ("--check-every", "50")


@pytest.fixture(scope="module")
def whole() -> pl.DataFrame:
    return swept(GRID)


def parts(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.glob("part-*"))}


def started(*words: object) -> subprocess.Popen:
    command = [sys.executable, "-m", "coagent", "sweep", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV)


class TestRows:
    def test_there_is_one_for_each_combination_in_order(self, whole):
        assert len(whole) == len(GRID) == 2 * 3 * 2 * 100
        told = [tuple(row) for row in whole.select("protocol", "miss", "seed").rows()]
        assert told == [(one.protocol, one.miss, one.seed) for one in GRID]
        assert whole.row(777, named=True) == {
            name: getattr(trial(GRID[777]), name) for name in Trial.__dataclass_fields__
        }

    def test_the_checker_judges_the_seeds_that_check_every_divides(self, whole):
        judged = whole.filter(pl.col("verdict").is_not_null())
        assert set(judged["seed"]) == {50, 100} and judged["checked"].all()
        assert not whole.filter(pl.col("verdict").is_null())["checked"].any()
        assert whole["serial_outcome"].null_count() == whole["invariant"].null_count() == 0

    @pytest.mark.parametrize("executor", ["process", "thread", "concurrent.futures:ThreadPoolExecutor"])
    def test_they_do_not_depend_on_who_works(self, executor):
        some = GRID[::12]
        assert swept(some, workers=2, executor=executor).equals(swept(some))

    def test_any_executor_will_do_and_is_left_open(self):
        some = GRID[::40]
        with ThreadPoolExecutor(2) as pool:
            assert swept(some, workers=2, executor=pool).equals(swept(some))
            assert pool.submit(int, "7").result() == 7

    def test_they_do_not_depend_on_dask(self):
        pytest.importorskip("distributed", reason="distributed is missing; pip install '.[sweeps]' to test with it")
        some = GRID[::40]
        assert swept(some, workers=2, executor="dask").equals(swept(some))

    def test_a_table_of_none_has_its_columns_all_the_same(self):
        assert frame([]).schema == frame([trial(GRID[0])]).schema


class TestFolder:
    def test_shards_fill_one_folder_with_what_one_machine_makes(self, tmp_path, whole):
        alone = sweep_to(tmp_path / "alone", GRID)
        for index in (2, 1, 3):
            shared = sweep_to(tmp_path / "shared", GRID, shard=(index, 3), workers=2)
        assert parts(alone) == parts(shared) and len(parts(alone)) == -(-len(GRID) // PART)
        assert load(alone).equals(load(shared)) and load(alone).equals(whole)

    def test_folders_of_shards_are_read_together(self, tmp_path, whole):
        folders = [sweep_to(tmp_path / str(index), GRID, shard=(index, 2)) for index in (1, 2)]
        assert load(*folders).equals(whole) and len(load(folders[0])) == 2 * PART + len(GRID) % PART
        other = sweep_to(tmp_path / "other", GRID[:10])
        with pytest.raises(BadInput, match="another sweep"):
            load(folders[0], other)

    def test_what_is_there_is_not_done_again(self, tmp_path):
        folder = sweep_to(tmp_path / "rows", GRID)
        before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
        gone = folder / "part-000003.parquet"
        content = gone.read_bytes()
        gone.unlink()
        told = []
        sweep_to(folder, GRID, progress=lambda done, what: told.append(done))
        after = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
        assert {file for file in before if before[file] != after[file]} == {gone} and gone.read_bytes() == content
        assert told == [len(GRID) - PART, len(GRID)]

    def test_a_part_says_by_itself_what_made_it(self, tmp_path):
        folder = sweep_to(tmp_path / "rows", GRID[:300], command=["coagent", "sweep"])
        text = (folder / provenance.NAME).read_text()
        said = json.loads(text)
        assert pl.read_parquet_metadata(folder / "part-000001.parquet")["coagent"] == text
        assert said["simulated"] and said["command"] == ["coagent", "sweep"] and said["seeds"] == [1, 100]
        assert said["grid"]["workload"] == ["lost-update"] and said["trials"] == 300
        assert str(tmp_path) not in text

    def test_nothing_but_parts_and_their_provenance_is_left(self, tmp_path):
        folder = sweep_to(tmp_path / "rows", GRID[:300], workers=2)
        names = sorted(file.name for file in folder.iterdir())
        assert names == ["part-000000.parquet", "part-000001.parquet", provenance.NAME]

    def test_a_file_that_a_case_names_may_not_change_meanwhile(self, tmp_path):
        file = tmp_path / "one.json"
        text = '{"state": {"x": 1}, "agents": [{"name": "A", "steps": [{"put": "x", "value": "%d"}]}]}'
        grid = cases([str(file)], ["mtpo"], trials=3)
        file.write_text(text % 1)
        folder = sweep_to(tmp_path / "rows", grid)
        file.write_text(text % 2)
        with pytest.raises(BadInput, match="another sweep"):
            sweep_to(folder, grid)

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
    def test_a_sweep_that_is_cut_off_leaves_whole_parts_and_goes_on(self, tmp_path, how):
        words = ("k3-flag", "slots", "--protocols", "naive,mtpo", "--trials", "750", "--workers", 2, "--out")
        running = started(*words, tmp_path / "rows")
        while len(parts(tmp_path / "rows")) < 3:
            assert running.poll() is None, running.communicate()
            time.sleep(0.02)
        running.send_signal(how)
        out, err = running.communicate(timeout=120)
        assert running.returncode == (-9 if how == signal.SIGKILL else 130)
        assert how == signal.SIGKILL or (out, err) == ("", "coagent: interrupted; nothing was concluded\n")
        kept = parts(tmp_path / "rows")
        assert 3 <= len(kept) < 12
        assert all(len(pl.read_parquet(tmp_path / "rows" / name)) == PART for name in kept)
        again = started(*words, tmp_path / "rows")
        assert again.communicate()[1] == "" and again.returncode == 0
        after = parts(tmp_path / "rows")
        assert len(after) == 12 and {name: after[name] for name in kept} == kept
        wanted = cases(["k3-flag", "slots"], ["naive", "mtpo"], trials=750, check_every=10)
        assert load(tmp_path / "rows")[2900:].equals(swept(wanted[2900:]))

    def test_workers_end_with_who_started_them(self, tmp_path):
        words = ["o2-sick-cover", "--trials", "5000", "--workers", "2", "--out", str(tmp_path / "rows")]
        command = [sys.executable, "-m", "coagent", "sweep", *words]
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENV)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        if not children.exists():
            running.kill()
            pytest.skip("this system does not tell whose children its processes are")
        while len(own := children.read_text().split()) < 3:
            time.sleep(0.05)
        time.sleep(1)
        running.kill()
        running.wait()
        try:
            wait_for(lambda: not any(map(alive, own)))
        finally:
            left = [one for one in own if alive(one)]
            for one in left:
                os.kill(int(one), signal.SIGKILL)
        assert not left

    def test_whoever_is_interrupted_does_not_wait_for_parts_under_way(self, tmp_path):
        running = started(
            "o2-sick-cover", "--check-every", 1, "--workers", 2, "--trials", 1000, "--out", tmp_path / "rows"
        )
        wait_for(lambda: (tmp_path / "rows" / provenance.NAME).exists(), 60.0)
        time.sleep(4)
        asked = time.monotonic()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=120)
        assert time.monotonic() - asked < 10 and running.returncode == 130 and err.count("\n") == 1
        assert [file.name for file in (tmp_path / "rows").iterdir()] == [provenance.NAME]


def wait_for(done: Callable[[], bool], most_s: float = 10.0) -> None:
    """Wait until something is so, or for so long."""
    end = time.monotonic() + most_s
    while not done() and time.monotonic() < end:
        time.sleep(0.05)


def alive(pid: str) -> bool:
    """Whether a process still runs: one that has ended and that nobody has asked after is in state Z."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class TestSummary:
    def test_ratios_are_within_a_seed_and_lines_as_many_as_combinations(self, whole):
        lines = compared(whole)
        assert [(one.workload, one.miss, one.protocol) for one in lines][:4] == [
            ("lost-update", 0.0, "serial"),
            ("lost-update", 0.0, "naive"),
            ("lost-update", 0.0, "mtpo"),
            ("lost-update", 0.2, "serial"),
        ]
        naive = next(one for one in lines if (one.workload, one.protocol, one.miss) == ("lost-update", "naive", 0.0))
        rows = whole.filter(pl.col("workload") == "lost-update", pl.col("miss") == 0.0)
        serial, own = (rows.filter(pl.col("protocol") == by).sort("seed") for by in ("serial", "naive"))
        assert naive.speedup == round((serial["seconds"] / own["seconds"]).median(), 4)
        assert naive.trials == 100 and naive.ok == own["passes"].mean() < 0.1 and lines[0].speedup == 1.0

    def test_misses_make_mtpo_fail_as_often_as_they_come(self, whole):
        lines = {(one.workload, one.miss): one.ok for one in compared(whole) if one.protocol == "mtpo"}
        assert lines["lost-update", 0.0] == lines["k3-flag-blob", 0.0] == 1.0
        assert 0.65 < lines["k3-flag-blob", 0.2] < 0.95

    def test_a_workload_under_two_names_is_set_beside_itself_once(self):
        both = swept(cases(["k3-flag", "k3-flag-blob"], ["serial", "mtpo"], trials=3))
        assert [one.trials for one in compared(both)] == [6, 6]

    def test_without_a_serial_run_there_is_nothing_to_set_beside(self, whole):
        [line] = compared(whole.filter(pl.col("protocol") == "mtpo", pl.col("workload") == "lost-update").head(100))
        assert line.speedup is line.tokens is None and line.seconds > 0


class TestCommand:
    def test_people_see_the_table_and_what_is_there(self, coagent, tmp_path):
        half = coagent("sweep", *WORDS, "--out", tmp_path / "rows", "--shard", "1/2", "--workers", 1)
        assert half.code == 0 and "700 trials in 3 of 5 parts" in half.out
        answer = coagent("sweep", *WORDS, "--out", tmp_path / "rows", "--workers", 1)
        assert "1,200 trials in 5 of 5 parts" in answer.out and "k3-flag-blob, miss 0.2" in answer.out
        assert answer.err == "" and max(map(len, answer.out.splitlines()[1:])) <= 100

    def test_json_has_a_row_for_each_line(self, coagent, tmp_path):
        words = ("blob", "--agents", "2,5", "--rank", "launch", "--rank", "shortest-first", "--trials", 3)
        answer = coagent("sweep", *words, "--irrelevant", "--out", tmp_path / "rows", "--workers", 1, "--json")
        found = json.loads(answer.out)
        assert (found["trials"], found["parts"], found["of"], found["simulated"]) == (72, 1, 1, True)
        assert len(found["rows"]) == 2 * 2 * 6 and all(one["irrelevant"] for one in found["rows"])
        assert {(one["agents"], one["rank"]) for one in found["rows"]} == {
            (many, rank) for many in (2, 5) for rank in ("launch", "shortest-first")
        }

    def test_the_command_that_is_kept_makes_the_same_results(self, coagent, tmp_path):
        words = ("k3-flag", "--protocols", "mtpo", "--trials", 4, "--miss", "0,0.1", "--rank", "2,1", "--irrelevant")
        coagent("sweep", *words, "--out", tmp_path / "first", "--workers", 1)
        kept = json.loads((tmp_path / "first" / provenance.NAME).read_text())["command"]
        assert coagent(*kept[1:], "--out", tmp_path / "second", "--workers", 1).code == 0
        first, second = (
            {file.name: file.read_bytes() for file in (tmp_path / one).iterdir()} for one in ("first", "second")
        )
        assert first == second


class TestRefused:
    def refused(self, answer, said):
        assert (answer.code, answer.out) == (3, "") and answer.err.count("\n") == 1 and said in answer.err

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["lost-update"], "--out"),
            (["lost-updat", "--out", "X"], "did you mean 'lost-update'?"),
            (["lost-update", "--out", "X", "--trials", "0"], "--trials"),
            (["lost-update", "--out", "X", "--protocols", "mtpo,occc"], "did you mean 'occ'?"),
            (["lost-update", "--out", "X", "--agents", "2"], "has its own agents"),
            (["slots", "--out", "X", "--agents", "2,many"], "--agents is '2,many'"),
            (["slots", "--out", "X", "--agents", "1"], "2 to 64 agents"),
            (["slots", "--out", "X", "--miss", "0,x"], "--miss is '0,x'"),
            (["slots", "--out", "X", "--miss", "nan"], "--miss is nan"),
            (["slots", "--out", "X", "--over", "1.5"], "--over is 1.5"),
            (["slots", "--out", "X", "--rank", "1,2"], "'slots' has 3"),
            (["slots", "--out", "X", "--rank", "first"], "known are launch"),
            (["lost-update", "--out", "X", "--irrelevant"], "no irrelevant write to add"),
            (["slots", "--out", "X", "--shard", "0/4"], "--shard is '0/4'"),
            (["slots", "--out", "X", "--shard", "5/4"], "--shard is '5/4'"),
            (["slots", "--out", "X", "--shard", "x"], "--shard is 'x'"),
            (["slots", "--out", "X", "--executor", "spark"], "--executor is 'spark'"),
            (["slots", "--out", "X", "--executor", "nowhere:Pool"], "nowhere"),
            (["slots", "--out", "X", "--executor", "json:dumps"], "cannot be had"),
            (["slots", "--out", "X", "--check-every", "0"], "--check-every"),
            (["slots", "--out", "X", "--tables", "nowhere"], "there is no such folder"),
            (["slots", "--out", "no/such/X"], "there is no folder"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_slip_is_named_and_nothing_is_made(self, coagent, tmp_path, monkeypatch, words, said):
        monkeypatch.chdir(tmp_path)
        self.refused(coagent("sweep", *words), said)
        assert not list(tmp_path.rglob("*.parquet"))

    def test_dask_that_is_not_installed(self, coagent, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "distributed", None)
        words = ("lost-update", "--trials", 1, "--workers", 1, "--out", tmp_path / "X")
        self.refused(coagent("sweep", *words, "--executor", "dask"), "pip install '.[sweeps]'")

    @pytest.fixture
    def made(self, coagent, tmp_path) -> Path:
        coagent("sweep", "lost-update", "--trials", 5, "--workers", 1, "--out", tmp_path / "rows")
        return tmp_path / "rows"

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            (["--miss", "0.1"], "miss [0.0], not [0.1]"),
            (["--seed", "2"], "seeds [1, 5], not [2, 6]"),
            (["--protocols", "mtpo"], 'protocol ["serial"'),
            (["--check-every", "5"], "checked [false], not [false, true]"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_a_folder_of_another_grid(self, coagent, made, more, said):
        before = parts(made)
        self.refused(coagent("sweep", "lost-update", "--trials", 5, "--workers", 1, "--out", made, *more), said)
        assert parts(made) == before

    def test_a_folder_of_the_same_values_in_other_combinations(self, tmp_path):
        by = [replace(one, checked=one.seed == 4) for one in GRID[:300]]
        folder = sweep_to(tmp_path / "one", by)
        with pytest.raises(BadInput, match="cases "):
            sweep_to(folder, [replace(one, checked=one.seed == 3) for one in by])

    def test_a_folder_of_another_version(self, coagent, made):
        file = made / provenance.NAME
        file.write_text(json.dumps({**json.loads(file.read_text()), "coagent": "0.0.1"}))
        words = ("sweep", "lost-update", "--trials", 5, "--workers", 1, "--out", made)
        self.refused(coagent(*words), "the results are of coagent 0.0.1")
        with pytest.raises(BadInput, match="0.0.1"):
            load(made)

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"results": "others"}', "\x00"])
    def test_a_provenance_that_is_none(self, coagent, made, content):
        (made / provenance.NAME).write_text(content)
        self.refused(coagent("sweep", "lost-update", "--trials", 5, "--out", made), "no provenance of a sweep")

    def test_a_folder_with_something_else_in_it(self, coagent, tmp_path):
        (tmp_path / "letters").write_text("precious")
        self.refused(coagent("sweep", "lost-update", "--out", tmp_path), "not empty")
        assert [file.name for file in tmp_path.iterdir()] == ["letters"]

    def test_a_file_in_its_place(self, coagent, tmp_path):
        (tmp_path / "rows").write_text("precious")
        self.refused(coagent("sweep", "lost-update", "--out", tmp_path / "rows"), "is a file")

    def test_a_part_that_is_cut(self, made):
        (made / "part-000000.parquet").write_bytes((made / "part-000000.parquet").read_bytes()[:-40])
        with pytest.raises(BadInput, match="delete it and sweep again"):
            load(made)

    def test_a_folder_that_is_not_there_is_not_read(self, tmp_path):
        with pytest.raises(BadInput, match="no folder of a sweep"):
            load(tmp_path / "none")

    def test_no_cases_at_all(self, tmp_path):
        for made in (lambda: swept([]), lambda: sweep_to(tmp_path / "rows", [])):
            with pytest.raises(BadInput, match="no trials"):
                made()

    def test_a_protocol_that_fails_is_blamed_in_every_process(self, coagent, tmp_path):
        own = tmp_path / "own.py"
        own.write_text(
            "class Mine:\n name, promises = 'mine', 'any'\n def start(self): return None\n"
            " def step(self, run, event): return 1 / 0\n"
        )
        words = ("lost-update", "--protocols", f"{own}:Mine", "--trials", 2, "--out", tmp_path / "rows")
        for workers in (1, 2):
            self.refused(coagent("sweep", *words, "--workers", workers), "ZeroDivisionError")


def test_what_is_listed_twice_counts_once():
    once = cases(["k3-flag"], ["mtpo"], trials=2, miss=(0.0, 0.1), rank=("launch",))
    assert cases(["k3-flag", "k3-flag"], ["mtpo"], trials=2, miss=(0.0, 0.1, -0.0), rank=("launch", "launch")) == once
