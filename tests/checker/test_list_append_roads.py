"""The fast reader and the careful one give the same history or the same refusal, and what is planted is found."""

import json
import random
import resource
from dataclasses import replace
from time import process_time

import pytest

from checker import check_file
from checker.columns import columns
from checker.formats import decoded, load, read_bytes
from checker.formats.elle import rows_of_edn, rows_of_json, transactions
from checker.formats.elle_columns import load_columns
from checker.level import level
from checker.list_append import check_list_append
from checker.sample import PLANTS, Shape, history
from coagent.bad_input import BadInput

SHAPES = [
    Shape(transactions=60, processes=4, keys=3, appends=6, seed=1),
    Shape(transactions=60, processes=4, keys=3, appends=6, failing=8, seed=2),
    *(Shape(transactions=40, processes=3, planted=plant, seed=3) for plant in PLANTS[1:]),
]
ADYA = {
    "dirty write": "G0",
    "circular information flow": "G1c",
    "read skew": "G-single",
    "write skew": "G2-item",
    "long fork": "G-nonadjacent",
}


def careful(raw: bytes, name: str = "h"):
    """The transactions as the careful reader reads them."""
    text = decoded(raw, name)
    rows = rows_of_json(text, name) if text.lstrip().startswith(('{"', "[")) else rows_of_edn(text, name)
    return transactions(rows, name)[1]


def answers(found) -> list:
    """The verdicts at a few levels, times and counts aside."""
    names = ("strict-serializable", "serializable", "snapshot-isolation", "read-committed", "read-uncommitted")
    return [replace(check_list_append(found, level(name)), seconds=0.0) for name in names]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.planted or 'plain'}-{shape.failing}")
@pytest.mark.parametrize("format", ["json", "edn"])
def test_both_roads_read_the_same_history_and_judge_it_alike(shape, format):
    raw = "".join(history(shape, format)).encode()
    fast, slow = load_columns(raw), careful(raw)
    assert tuple(fast.transactions()) == slow
    assert answers(fast) == answers(slow)
    assert tuple(columns(slow).transactions()) == tuple(
        replace(one, session=place) for one, place in zip(slow, columns(slow).session.tolist(), strict=True)
    )


def test_both_roads_judge_every_simulated_history_alike(histories):
    for path in sorted(histories.glob("simulated/la-*-0[0369].edn")):
        raw = path.read_bytes()
        fast = load_columns(raw)
        assert fast is not None, path
        assert tuple(fast.transactions()) == careful(raw) and answers(fast) == answers(careful(raw)), path


@pytest.mark.parametrize("format", ["json", "edn"])
def test_a_damaged_history_is_the_same_by_both_roads(format):
    chance = random.Random(format)
    lines = list(history(Shape(transactions=12, processes=3, keys=2, appends=5, failing=5), format))
    whole, taken, left = "".join(lines).encode(), 0, 0
    for number in range(1500):
        raw = bytearray(whole)
        place = chance.randrange(len(raw))
        digits = [at for at, byte in enumerate(raw) if 48 <= byte <= 57]
        match number % 6:
            case 0:
                raw[place] = chance.randrange(256)
            case 1:
                del raw[place:]
            case 2:
                del raw[place : place + chance.randint(1, 40)]
            case 3:
                row = chance.randrange(len(lines))
                raw = bytearray("".join([*lines[: row + 1], *lines[row:]]).encode())
            case 4:
                raw[place:place] = chance.choice(
                    [b" ", b",", b"\n", b"0", b"-", b"[", b"]", b"{", b"}", b"nil", b":r "]
                )
            case _:
                raw[chance.choice(digits)] = 48 + chance.randrange(10)
        fast = load_columns(bytes(raw))
        if fast is None:
            left += 1
            continue
        taken += 1
        assert tuple(fast.transactions()) == careful(bytes(raw)), bytes(raw)
    assert taken > 100 and left > 300


ODD = {
    "a map for a step": b"{:type :ok, :process 0, :value [{:append 4 1}]}\n",
    "a map for the steps": b"{:type :ok, :process 0, :value {[:r 1 nil] [:append 1 2]}}\n",
    "two maps on a line": b"{:type :ok, :process 0, :value [[:append 4 1]]} {:type :ok, :process 0, :value []}\n",
    "a float": b'{"type":"ok","process":0,"value":[["append",4,1.0]]}\n',
    "true": b'{"type":"ok","process":0,"value":[["append",4,true]]}\n',
    "a true process": b'{"type":"ok","process":true,"value":[["append",4,1]]}\n',
    "a float read": b'{"type":"ok","process":0,"value":[["append",4,1],["r",4,[1.0]]]}\n',
    "true read": b'{"type":"ok","process":0,"value":[["append",4,1],["r",4,[true]]]}\n',
    "a huge element": b'{"type":"ok","process":0,"value":[["append",4,99999999999999999999999]]}\n',
    "a huge index": b'{"index":99999999999999999999999,"type":"ok","process":0,"value":[["append",4,1]]}\n',
    "a word": b'{"type":"ok","process":0,"value":[["append","x",1]]}\n',
    "another field": b'{"type":"ok","process":0,"value":[["append",4,1]],"node":[[[1]]]}\n',
    "the nemesis": b'{"type":"ok","process":0,"value":[["append",4,1]]}\n{"type":"info","process":"nemesis"}',
    "a list in a list": b'{"type":"ok","process":0,"value":[["append",4,1],["r",4,[[1]]]]}\n',
    "a register": b'{"type":"ok","process":0,"value":[["append",4,1],["w",4,1]]}\n',
    "nothing": b"",
    "only reads": b'{"type":"ok","process":0,"value":[["r",4,[1]]]}\n',
}


@pytest.mark.parametrize("name", ODD)
def test_whatever_is_odd_is_left_to_the_careful_reader(name):
    assert load_columns(ODD[name]) is None


def test_an_end_that_tells_nothing_leaves_what_was_invoked():
    rows = [
        {"type": "invoke", "process": 0, "value": [["append", 1, 1], ["r", 1, None]]},
        {"type": "invoke", "process": 1, "value": [["append", 1, 2]]},
        {"type": "info", "process": 0, "value": []},
        {"type": "fail", "process": 1, "value": []},
        {"type": "invoke", "process": 1, "value": [["append", 1, 3]]},
        {"type": "invoke", "process": 2, "value": [["r", 1, None]]},
        {"type": "ok", "process": 2, "value": [["r", 1, [1, 3]]]},
    ]
    raw = "\n".join(map(json.dumps, rows)).encode()
    found = tuple(load_columns(raw).transactions())
    assert found == careful(raw)
    assert [one.status for one in found] == ["unknown", "aborted", "unknown", "committed"]
    assert [len(one.steps) for one in found] == [1, 1, 1, 1]
    assert answers(load_columns(raw)) == answers(careful(raw))


def test_an_invocation_with_a_step_of_another_kind_is_refused_even_though_its_end_is_not(tmp_path):
    path = tmp_path / "h.json"
    path.write_text(
        '{"type":"invoke","process":0,"value":[["cas",1,2]]}\n{"type":"ok","process":0,"value":[["append",1,2]]}\n'
    )
    with pytest.raises(BadInput) as refused:
        check_file(str(path))
    assert refused.value.where == f"{path}:1"


def test_endless_lines_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / "h.json"
    for filling in (b"[", b"9", b" "):
        path.write_bytes(b'{"type":"ok"}\n{"value":[' + filling * 100_000_000)
        with pytest.raises(BadInput) as refused:
            load(path)
        assert refused.value.where == f"{path}:2" and "longer" in refused.value.what
    assert len(read_bytes(__file__)) > 100


@pytest.mark.parametrize("planted", PLANTS)
def test_what_is_planted_among_many_is_found_with_a_shortest_witness(planted):
    raw = "".join(history(Shape(transactions=8_000, planted=planted, seed=5))).encode()
    found = load_columns(raw)
    verdict = check_list_append(found, level("strict-serializable"))
    if not planted:
        assert verdict.verdict == "ok" and len(verdict.order) == 8_000
        return
    [anomaly] = verdict.anomalies
    assert len(anomaly.cycle) == len(anomaly.transactions) == (4 if planted == "long fork" else 2)
    if planted == "stale read":
        assert (anomaly.name, anomaly.adya) == ("outdated read", "G-single-realtime")
        assert check_list_append(found).verdict == "ok"
    else:
        assert (anomaly.name, anomaly.adya) == (planted, ADYA[planted])
        assert check_list_append(found).anomalies == verdict.anomalies
    assert "a contradiction" in anomaly.because[0]


def test_a_sample_is_the_same_each_time_and_in_both_formats():
    shape = Shape(transactions=30, seed=9)
    assert list(history(shape)) == list(history(shape)) != list(history(replace(shape, seed=10)))
    assert tuple(load_columns("".join(history(shape)).encode()).transactions()) == tuple(
        load_columns("".join(history(shape, "edn")).encode()).transactions()
    )
    assert all(json.loads(line)["f"] == "txn" for line in history(shape))
    with pytest.raises(BadInput):
        list(history(replace(shape, planted="nonsense")))


@pytest.mark.nightly
def test_a_million_steps_are_loaded_and_judged_in_seconds(tmp_path):
    took = {}
    for count in (25_000, 250_000):
        path = tmp_path / f"{count}.json"
        with open(path, "w") as file:
            file.writelines(history(Shape(transactions=count)))
        start = process_time()
        [(_, verdict)] = check_file(str(path))
        took[count] = process_time() - start
        assert verdict.verdict == "ok"
    assert took[250_000] < 12 and took[250_000] < 16 * took[25_000]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 3_000_000
