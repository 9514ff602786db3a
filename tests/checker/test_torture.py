"""Damaged and hostile files are refused in one sentence with their place, or judged rightly, without a crash."""

import gzip
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from checker import check_source
from checker.certificate import claimed
from checker.formats import load
from coagent.bad_input import BadInput

UNKNOWN = ((b":append", b":cas"), (b'"append"', b'"cas"'), (b":w ", b":cas "), (b'"w"', b'"cas"'), (b"w(", b"cas("))


def damaged(raw: bytes, chance: random.Random, cuts: int = 20) -> Iterator[tuple[str, bytes]]:
    """The file cut at random places, with a byte flipped, with a line twice, and with an operation nobody knows."""
    for _ in range(cuts):
        yield "cut", raw[: chance.randrange(1, len(raw))]
    for _ in range(max(1, cuts // 4)):
        at = chance.randrange(len(raw))
        yield "flipped", raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]
    lines = raw.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    yield "doubled", b"".join([*lines[: at + 1], *lines[at:]])
    for known, odd in UNKNOWN:
        if known in raw:
            yield "unknown", raw.replace(known, odd, 1)


def outcome(path: Path, raw: bytes) -> str:
    """What became of the file: refused, or its verdicts, each ok confirmed by the verifier, which reads by itself."""
    path.write_bytes(raw)
    try:
        sources = load(str(path))
        answers = [(source, check_source(source)) for source in sources]
    except BadInput as error:
        assert len(error.what) < 300 and "\n" not in error.what and str(path) in error.where, error
        return "refused"
    rows = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig").split("\n")
    numbers = [number for number, row in enumerate(rows) if row.strip()]
    for place, (source, verdict) in enumerate(answers):
        if verdict.verdict == "ok":
            several = source.format == "schedule" or len(answers) > 1
            line = numbers[place] if several else None
            try:
                claimed(source, verdict, line, rows[line] if several else "\n".join(rows))
            except BadInput as error:
                assert "verifier" in error.what, (path, verdict.order)
                return "unconfirmed"
    return "judged"


def tortured(files: list[Path], folder: Path, cuts: int) -> Counter:
    found: Counter = Counter()
    for file in files:
        chance = random.Random(file.name)
        for kind, raw in damaged(file.read_bytes(), chance, cuts):
            found[kind, outcome(folder / file.name, raw)] += 1
    return found


def test_damaged_histories_are_refused_or_judged_rightly(histories, tmp_path):
    files = [*sorted(histories.glob("simulated/*-0[0-2].edn")), histories / "schedules" / "textbook.jsonl"]
    files += [path for path in sorted(histories.glob("elle/*")) if path.stat().st_size < 10_000]
    found = tortured(files, tmp_path, cuts=4)
    assert found["cut", "refused"] > 100 and found["flipped", "judged"] > 5
    assert not found["unknown", "judged"] and found["unknown", "refused"] > 40
    assert sum(n for (_, how), n in found.items() if how == "unconfirmed") <= 2, found


@pytest.mark.nightly
def test_every_history_is_tortured(histories, tmp_path):
    files = [path for path in sorted(histories.rglob("*")) if path.suffix in (".edn", ".json", ".jsonl", ".txt", ".gz")]
    found = tortured(files, tmp_path, cuts=20)
    print(found)
    assert sum(found.values()) > 2_000


_MEASURED = """
import sys
from coagent.cli import main
code = main(["check", sys.argv[1]])
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
sys.stdout.write("\\n" + peak)
sys.exit(code)
"""


def checked(path: Path) -> tuple[int, str, float, int]:
    """Exit code, standard error, seconds, and the most memory in MB of `coagent check` on the file.

    The process says itself what it took: what its parent is told counts the parent's own memory as well.
    """
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _MEASURED, str(path)], capture_output=True, text=True)
    return done.returncode, done.stderr, time.perf_counter() - start, int(done.stdout.split()[-1]) >> 10


HOSTILE = {
    "deep.edn": b"[" * 3_000_000,
    "deep-in-place.edn": b"{:type :ok :process 0 :value " + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}",
    "deep.json": b'{"type": "ok", "process": 0, "value": ' + b"[" * 1_000_000,
    "deep-schedule.jsonl": b'{"id": "a", "ops": ' + b"[" * 500_000 + b"]" * 500_000 + b"}",
    "deep-ours.ndjson": b'{"history": "coagent", "version": 1, "state": ' + b'{"a":' * 500_000,
    "huge-integer.edn": b"{:type :ok :process 0 :value [[:append :x " + b"7" * 2_000_000 + b"]]}",
    "huge-integer.json": b'{"type": "ok", "process": 0, "value": [["append", "x", ' + b"7" * 2_000_000 + b"]]}",
    "huge-integer.jsonl": b'{"id": "a", "ops": [[' + b"7" * 2_000_000 + b', "r", "x"]]}',
    "bomb.txt.gz": gzip.compress(b"w(1,1,0,0)\n" * 1_000_000, 9) * 300,
    "bomb.edn.gz": gzip.compress(b"{:type :ok}\n" * 1_000_000, 9) * 300,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_within_memory_and_seconds(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(HOSTILE[name])
    code, said, seconds, megabytes = checked(path)
    assert code == 3 and said.count("\n") == 1 and len(said) < 500, (code, said[-500:])
    assert seconds < 20 and megabytes < 1_000, (seconds, megabytes)


@pytest.mark.parametrize(
    "start", [b"{:type :ok, :value [", b'{"type": "ok", "value": ["', b"w(", b'{"history": "coagent"']
)
def test_a_line_of_100_megabytes_is_refused_within_memory_and_seconds(tmp_path, start):
    path = tmp_path / "line.txt"
    with open(path, "wb") as file:
        file.write(start)
        for _ in range(100):
            file.write(b"[:r 1 1]" * 131_072)
    code, said, seconds, megabytes = checked(path)
    assert code == 3 and said.count("\n") == 1, (code, said[-500:])
    assert seconds < 20 and megabytes < 1_000, (seconds, megabytes)


def test_a_cut_at_the_end_of_a_line_is_a_shorter_history_and_is_judged_as_that(tmp_path):
    """The first of two writers alone is no lost update: what is not in the file is not judged."""
    rows = [
        {"type": kind, "process": who, "value": [["r", "x", None if kind == "invoke" else []], ["append", "x", who]]}
        for who in (1, 2)
        for kind in ("invoke", "ok")
    ]
    path = tmp_path / "h.jsonl"
    lines = [json.dumps(row) + "\n" for row in rows]
    verdicts = []
    for count in (2, 3, 4):
        path.write_text("".join(lines[:count]))
        [source] = load(str(path))
        verdicts.append(check_source(source).verdict)
    assert verdicts == ["ok", "ok", "violated"]
