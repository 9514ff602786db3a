"""The text formats of register histories: read as their tools read them, refused with the line when damaged."""

import gzip
import random

import pytest

from checker import check_file
from checker.formats import compressed, detect, load
from coagent.bad_input import BadInput

TEXT = "w(1,1,0,0)\nw(2,1,0,0)\nr(1,1,1,1)\nr(2,0,1,1)\n"


def content(tmp_path, text, name="h.txt"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    [source] = load(path)
    return source


def test_register_text_is_known_by_its_lines_and_grouped_by_transaction(tmp_path):
    source = content(tmp_path, TEXT)
    assert source.format == "register-text"
    assert [(one.name, one.session, one.steps) for one in source.content] == [
        ("T0", 0, (("w", 1, 1), ("w", 2, 1))),
        ("T1", 1, (("r", 1, 1), ("r", 2, None))),
    ]


def test_zero_is_the_initial_value_unless_somebody_writes_it(tmp_path):
    initial = content(tmp_path, "r(1,0,0,0)\nw(2,0,1,1)\nr(2,0,2,2)\n").content
    assert initial[0].steps == (("r", 1, None),)
    assert initial[1].steps == (("w", 2, 0),) and initial[2].steps == (("r", 2, 0),)


def test_transaction_minus_one_was_aborted_and_its_writes_must_not_be_read(tmp_path):
    path = tmp_path / "h.txt"
    path.write_text("w(1,5,0,-1)\nr(1,0,0,-1)\nr(1,5,1,0)\n")
    [source] = load(path)
    assert [(one.name, one.status, one.steps) for one in source.content] == [
        ("aborted-0", "aborted", (("w", 1, 5),)),
        ("T0", "committed", (("r", 1, 5),)),
    ]
    for level in ("serializable", "snapshot-isolation", "causal", "read-atomic", "read-committed"):
        [(_, verdict)] = check_file(path, level=level)
        assert [one.name for one in verdict.anomalies] == ["aborted read"]


def test_these_formats_count_sessions_at_every_level(tmp_path):
    path = tmp_path / "h.txt"
    path.write_text("w(1,1,0,0)\nr(1,0,0,1)\n")
    for level in ("serializable", "snapshot-isolation", "read-atomic", "causal"):
        [(_, verdict)] = check_file(path, level=level)
        assert verdict.verdict == "violated", level
    [(_, verdict)] = check_file(path, level="serializable")
    assert verdict.criterion == "strong-session-serializable"
    with pytest.raises(BadInput, match="no real time"):
        check_file(path, level="strict-serializable")


def test_awdits_text_has_sessions_and_transactions_between_lines(tmp_path):
    source = content(tmp_path, "w 0 0\nw 1 1\n=====\nw 0 2\n-----\nr 0 2")
    assert source.format == "awdit"
    assert [(one.name, one.session, len(one.steps)) for one in source.content] == [
        ("T0", 0, 2),
        ("T1", 1, 1),
        ("T2", 1, 1),
    ]
    path = tmp_path / "unwritten.txt"
    path.write_text("r 0 0\n")
    [(_, verdict)] = check_file(path, level="read-committed")
    assert [one.name for one in verdict.anomalies] == ["garbage read"]


@pytest.mark.parametrize(
    "text, line",
    [
        ("w(1,1,0,0)\nw(1,2,0)\n", 2),
        ("w(1,1,0,0)\n\nx(1,2,0,1)\n", 3),
        ("w(1,1,0,0)\nw(1,2.5,0,1)\n", 2),
        ("w(1,1,0,0)\nw(1,9999999999999999999999,0,1)\n", 2),
        ("w(1,1,0,0)\nw(1,2,0,-7)\n", 2),
        ("w(1,1,0,0)\nw(1,2,1,0)\n", 2),
        ("w(1,1,0,0)\nw(1,2,0,1)\nr(1,2,0,0)\n", 3),
        ("w(1,1,0,0)\nr(1,1,", 2),
        ("w 1 1\n-----\nr 1\n", 3),
        ("w 1 1\n=====\nr 1 x\n", 3),
        ("w 1 1\n=-\nr 1 1\n", 2),
    ],
)
def test_a_damaged_line_is_refused_with_its_place(tmp_path, text, line):
    path = tmp_path / "h.txt"
    path.write_text(text)
    with pytest.raises(BadInput) as refused:
        load(path)
    assert refused.value.where == f"{path}:{line}" and len(refused.value.what) < 200


def test_what_forces_a_format_reads_it_or_refuses_it(tmp_path):
    path = tmp_path / "h.txt"
    path.write_text(TEXT)
    assert load(path, "register-text")[0].format == "register-text"
    for wrong in ("awdit", "elle", "schedule"):
        with pytest.raises(BadInput):
            load(path, wrong)
    assert detect("-----\nw 1 1", "h") == "awdit" and detect(" r ( 1 , 2 , 3 , 4 )", "h") == "register-text"


def test_every_format_may_be_gzip(tmp_path):
    texts = {
        TEXT: "register-text",
        "w 0 1\n": "awdit",
        '{"id": 1, "ops": [[1, "r", "x"]]}': "schedule",
        "{:type :ok, :value [[:w :x 1]]}": "elle-register",
        '{"type": "ok", "value": [["append", "x", 1]]}': "elle-append",
    }
    for text, format in texts.items():
        assert content(tmp_path, gzip.compress(text.encode())).format == format
    assert content(tmp_path, gzip.compress(b"w 0 1\n") + gzip.compress(b"r 0 1\n")).content[0].steps[1] == ("r", 0, 1)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(compressed, "MOST", 3 << 20)
    path = tmp_path / "bomb.txt.gz"
    path.write_bytes(gzip.compress(b"w(1,1,0,0)\n" * 2_000_000))
    with pytest.raises(BadInput, match="unpacks to more than"):
        load(path)
    monkeypatch.undo()
    twice = gzip.compress(gzip.compress(TEXT.encode()))
    path.write_bytes(twice)
    with pytest.raises(BadInput):
        load(path)


def test_damaged_gzip_is_refused(tmp_path):
    whole = gzip.compress(TEXT.encode() * 50)
    path = tmp_path / "h.gz"
    chance = random.Random(3)
    for _ in range(60):
        place = chance.randrange(len(whole))
        for raw in (whole[: max(2, place)], whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :]):
            path.write_bytes(raw)
            try:
                assert load(path)[0].content
            except BadInput as refused:
                assert "\n" not in str(refused)
            else:
                assert gzip.decompress(raw) == TEXT.encode() * 50


def test_a_line_more_or_less_is_the_right_answer_or_a_refusal(histories, tmp_path):
    text = (histories / "register-text" / "pg_ser_bug.txt").read_text()
    lines = text.splitlines()
    for place in range(0, len(lines), 5):
        path = tmp_path / "h.txt"
        path.write_text("\n".join([*lines[:place], lines[place], *lines[place:]]))
        try:
            [(_, verdict)] = check_file(path)
        except BadInput as refused:
            assert "\n" not in str(refused)
        else:
            assert verdict.verdict == "violated"
