"""A damaged file is one clear sentence with its place, and nothing but that."""

import json
import random

import pytest

from checker import FORMATS, check_file
from checker.formats import detect, load
from coagent.bad_input import BadInput

GOOD = (
    "{:type :invoke, :f :txn, :process 0, :value [[:w :x 1]]}\n{:type :ok, :f :txn, :process 0, :value [[:w :x 1]]}\n"
)

BROKEN = {
    "empty": b"",
    "blank": b" \n\n",
    "binary": b"\x00\x01\x02",
    "compressed": b"\x1f\x8b\x08\x00rest",
    "latin-1": b"{:type \xff}",
    "words": b"hello world",
    "bare number": b"17",
    "unclosed map": b"{:type :ok",
    "unclosed string": b'{:type "ok',
    "stray bracket": b"{:type :ok, :value []}}",
    "crossed brackets": b"[{:type :ok]}",
    "odd map": b"{:type}",
    "deep edn": b"[" * 5000,
    "deep json": b'{"ops": ' + b"[" * 200_000,
    "long number": b"{:type :ok :value [[:r :x " + b"9" * 5000 + b"]]}",
    "long json number": b'{"type": "ok", "value": [["r", "x", ' + b"9" * 5000 + b"]]}",
    "map key": b"{{:a 1} 2}",
    "unknown kind": b"{:type :ok, :process 0, :value [[:cas :x 1]]}",
    "unknown type": b"{:type :maybe, :process 0, :value []}",
    "unhashable type": b"{:type {:a 1}, :process 0, :value []}",
    "no value": b"{:type :ok, :process 0}",
    "value is text": b'{"type": "ok", "process": 0, "value": "r x"}',
    "step is a number": b"{:type :ok :process 0 :value [3]}",
    "both models": b"{:type :ok, :process 0, :value [[:w :x 1] [:append :y 1]]}",
    "read of a word": b'{"type":"ok","value":[["append","x",1],["r","x","y"]]}',
    "other function": b"{:type :ok, :f :read, :process 0, :value [[:r :x 1]]}",
    "only the nemesis": b"{:type :info, :process :nemesis, :value []}",
    "end without start": GOOD.encode() + b"{:type :ok, :process 5, :value []}",
    "started twice": b"{:type :invoke, :process 5, :value []}" * 2,
    "empty array": b"[]",
    "array of numbers": b"[1, 2]",
    "json array cut": b'[{"type": "ok"',
    "schedule without operations": b'{"id": "a", "ops": []}',
    "schedule of another kind": b'{"id": "a", "ops": [[1, "x", "y"]]}',
    "schedule of pairs": b'{"ops": [[1, "r"]]}',
    "schedule of lists": b'{"ops": [[[], "r", "x"]]}',
    "second schedule wrong": b'{"ops": [[1, "r", "x"]]}\n{"op": 1}',
    "suite of nothing": b'{"history": []}',
    "json but no history": b'{"a": 1}',
    "nothing discarded": b"#_",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_in_one_sentence_with_its_name(tmp_path, name):
    path = tmp_path / "h.txt"
    path.write_bytes(BROKEN[name])
    with pytest.raises(BadInput) as refused:
        check_file(str(path))
    assert str(path) in refused.value.where
    assert len(refused.value.what) < 300 and "\n" not in refused.value.what


def test_missing_files_and_folders_are_refused(tmp_path):
    for path in (tmp_path / "none.edn", tmp_path, "a\0b"):
        with pytest.raises(BadInput):
            check_file(str(path))


def test_the_place_of_a_fault_is_its_line(tmp_path):
    path = tmp_path / "h.edn"
    for text, line in ((GOOD + "{:type :ok]", 3), (GOOD + "{:type :odd}", 3), ("; note\n" + GOOD + "\n{:type", 5)):
        path.write_text(text)
        with pytest.raises(BadInput) as refused:
            load(path)
        assert refused.value.where == f"{path}:{line}"


def test_what_another_format_was_asked_for_is_refused(tmp_path):
    path = tmp_path / "h.edn"
    path.write_text(GOOD)
    assert check_file(path, format="elle-register")[0][1].verdict == "ok"
    for options in (
        {"format": "elle-append"},
        {"format": "schedule"},
        {"format": "nonsense"},
        {"order": "declared"},
        {"order": "up"},
    ):
        with pytest.raises(BadInput):
            check_file(path, **options)


def test_formats_are_told_apart_by_content():
    texts = {
        '{"history": "coagent", "version": 1}\n': "coagent",
        '{"id": 1, "ops": []}': "schedule",
        '{"history": []}': "elle-suite",
        "{:type :ok}": "elle",
        "; note\n[{:type :ok}]": "elle",
        '[{"type": "ok"}]': "elle",
        '{"type": "ok"}': "elle",
        "#jepsen.history.Op{:type :ok}": "elle",
    }
    assert {text: detect(text, "h") for text in texts} == texts
    assert detect(b'{"history": "coagent"', "h") == "coagent" and "coagent" in FORMATS


def test_edn_of_every_layout_gives_the_same_history(tmp_path):
    rows = ["{:type :ok :value [[:r :x nil] [:append :x 1]]}", "{:type :ok, :value ((:r :x [1]))} ; seen"]
    texts = [
        "\n".join(rows),
        "[" + "\n".join(rows) + "\n]",
        " ".join(row.split(";")[0] for row in rows),
        "#tag " + rows[0] + "\n#_{:type :odd} #_ #_ 1 2\n" + rows[1],
        json.dumps(
            [
                {"type": "ok", "value": [["r", ":x", None], ["append", ":x", 1]]},
                {"type": "ok", "value": [["r", ":x", [1]]]},
            ]
        ),
    ]
    path, found = tmp_path / "h", []
    for text in texts:
        path.write_text(text)
        found.append(load(path)[0].content)
    assert all(one == found[0] for one in found) and len(found[0]) == 2


def test_a_cut_or_damaged_history_is_refused_or_judged_and_nothing_else(histories, tmp_path):
    chance = random.Random(1)
    files = [
        *sorted(histories.glob("simulated/*-00.edn")),
        *(path for path in sorted(histories.glob("elle/*")) if "huge" not in path.name),
    ]
    refused = 0
    for file in [*files, histories / "schedules" / "textbook.jsonl"]:
        raw = file.read_bytes()
        cuts = [raw[: chance.randrange(len(raw))] for _ in range(5)] + [
            raw[chance.randrange(len(raw)) :] for _ in range(2)
        ]
        for _ in range(5):
            place = chance.randrange(len(raw))
            cuts.append(raw[:place] + bytes([chance.randrange(256)]) + raw[place + 1 :])
        for text in cuts:
            path = tmp_path / file.name
            path.write_bytes(text)
            try:
                assert all(verdict.verdict in ("ok", "violated", "unknown") for _, verdict in check_file(path))
            except BadInput as error:
                refused += 1
                assert "\n" not in str(error)
    assert refused > 100
