"""A history is the same in full, in short lines and as Parquet, and damage to any of them is one clear sentence."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pytest

from checker import check_file
from checker.columnar import screened_verdict
from checker.formats import load, parquet
from checker.formats.own import whole
from coagent import packed
from coagent.bad_input import BadInput
from coagent.column import SCALARS, TIMES
from coagent.compaction import compacted
from coagent.expansion import expanded
from coagent.history import History, lines, parse, sealed
from coagent.protocols import PROTOCOLS, protocol
from coagent.saving import save_history
from coagent.simulate import Chance, Clock, simulate
from coagent.table import KIND, NEEDED
from coagent.table_check import fault
from coagent.testing import random_scenario
from coagent.workload import from_scenario
from coagent.world import Setting
from workloads import workload

FORMS = ("h.parquet", "h.rows.ndjson", "h.ndjson")


def recorded(seed: int, rule: str = "mtpo", lost: bool = False) -> History:
    given = from_scenario(random_scenario(seed))
    gone = {f"{one.name}.{number}": bool(seed % 2) for one in given.agents for number in (1, 3)} if lost else {}
    return simulate(Setting(workload=given, protocol=protocol(rule), seed=seed, lost=gone), Chance(seed)).history


def canary() -> History:
    given = workload("k2-canary")
    return simulate(Setting(workload=given, protocol=protocol("mtpo")), Clock(given.cost.tool_s)).history


def short(history: History, block: int = packed.BLOCK) -> str:
    table = compacted(history)
    return "".join(sealed((table.header, *packed.packed(table, block))))


def unsealed(history: History) -> tuple[dict, ...]:
    return tuple({name: value for name, value in one.items() if name != "crc"} for one in history.records)


# nothing is lost


@pytest.mark.parametrize("rule", [name for name in PROTOCOLS if name != "broadcast"])
def test_compacted_and_expanded_again_a_history_has_the_same_bytes(rule: str) -> None:
    for seed in range(12):
        history = recorded(seed, rule, lost=rule == "mtpo" and seed % 3 == 0)
        table = compacted(history)
        assert not fault(table)
        assert [*lines(expanded(table))] == [*lines(history)]


def test_a_straight_call_is_one_row() -> None:
    table = compacted(canary())
    rows = (table.columns["kind"] == KIND["call"]).sum()
    assert rows == 9 and len(table) == len(canary().records) - rows * 3 - 4 * 2


@pytest.mark.parametrize("block", [1, 7, 50_000])
def test_short_lines_read_back_as_the_same_records_either_way(block: int) -> None:
    for history in (canary(), *(recorded(seed, lost=seed == 3) for seed in range(5))):
        text = short(history, block)
        assert unsealed(parse(text, "h")) == history.records
        assert expanded(packed.read(text.encode(), "h")).records == history.records


def test_a_history_in_full_reads_into_the_same_columns() -> None:
    history = recorded(4)
    table = packed.read_full("".join(lines(history)).encode(), "h")
    assert expanded(table).records == history.records


@pytest.mark.parametrize("name", FORMS)
def test_saved_and_loaded_a_history_is_the_same_and_gets_the_same_answer(name: str, tmp_path: Path) -> None:
    for seed in range(4):
        history, file = recorded(seed), str(tmp_path / f"{seed}.{name}")
        save_history(history, file)
        (source,) = load(file)
        assert unsealed(whole(source.content, file)) == history.records
        for order in ("declared", "any"):
            assert check_file(file, order=order)[0][1].verdict == "ok"


def test_a_hold_that_lacks_half_its_call_is_kept_as_it_is() -> None:
    history = canary()
    for half in ("tool", "args"):
        records = [{k: v for k, v in one.items() if one["event"] != "hold" or k != half} for one in history.records]
        changed = History(history.header, tuple(records))
        assert [*lines(expanded(compacted(changed)))] == [*lines(changed)]


@pytest.mark.parametrize("name", FORMS[:2])
def test_columns_have_no_certificate_and_the_command_line_says_so(coagent, name: str, tmp_path: Path) -> None:
    save_history(canary(), str(tmp_path / name))
    done = coagent("check", tmp_path / name, "--certificate", tmp_path / "c")
    assert done.code == 3 and "holds columns" in done.err and done.err.count("\n") == 1


def test_parquet_reads_in_words_elsewhere(tmp_path: Path) -> None:
    file = str(tmp_path / "h.parquet")
    save_history(canary(), file)
    frame = pl.read_parquet(file)
    assert frame["kind"].cast(pl.String).value_counts(sort=True)["kind"][0] == "call"
    assert set(frame["agent"].drop_nulls().cast(pl.String)) == {"A", "B"}
    assert frame["paths"].drop_nulls().to_list() == sorted(compacted(canary()).paths)


def test_the_command_line_records_and_checks_each_form(coagent, tmp_path: Path) -> None:
    answers = set()
    for name in FORMS:
        file = tmp_path / name
        assert coagent("run", "lost-update", "--record", file).code == 0
        done = coagent("check", file, "--json")
        answers.add((done.code, json.dumps(json.loads(done.out)["order"])))
    assert answers == {(0, '["A", "B"]')}


# damage


def refused_or_the_same(raw: bytes, file: Path, history: History) -> str:
    """The place of the refusal; or nothing, when the records are those that were written."""
    file.write_bytes(raw)
    try:
        (source,) = load(str(file))
        assert unsealed(whole(source.content, str(file))) == history.records
    except BadInput as error:
        assert "\n" not in str(error) and len(str(error)) < 400
        return error.where
    return ""


@pytest.mark.parametrize("name", FORMS[:2])
def test_a_flipped_byte_is_refused(name: str, tmp_path: Path) -> None:
    history, draw, file = canary(), Random(name), tmp_path / name
    save_history(history, str(file))
    raw = file.read_bytes()
    for _ in range(150):
        at = draw.randrange(len(raw))
        damaged = raw[:at] + bytes([raw[at] ^ (1 << draw.randrange(8))]) + raw[at + 1 :]
        assert refused_or_the_same(damaged, file, history).startswith(str(file))


@pytest.mark.parametrize("name", FORMS[:2])
def test_a_cut_file_is_refused(name: str, tmp_path: Path) -> None:
    history, file = canary(), tmp_path / name
    save_history(history, str(file))
    raw = file.read_bytes()
    for part in range(1, 20):
        assert refused_or_the_same(raw[: len(raw) * part // 20], file, history).startswith(str(file))


def test_a_line_twice_or_missing_or_moved_is_refused_with_its_line(tmp_path: Path) -> None:
    history, file = canary(), tmp_path / "h.rows.ndjson"
    rows = short(history, 20).splitlines(keepends=True)
    for at in range(1, len(rows)):
        for changed in (
            [*rows[:at], rows[at], *rows[at:]],
            [*rows[:at], *rows[at + 1 :]],
            [*rows[: at - 1], rows[at], rows[at - 1], *rows[at + 1 :]],
        ):
            where = refused_or_the_same("".join(changed).encode(), file, history)
            assert where.startswith(f"{file}:"), (at, where)


def test_parquet_of_somebody_else_is_refused(tmp_path: Path) -> None:
    file = str(tmp_path / "other.parquet")
    pl.DataFrame({"a": [1, 2]}).write_parquet(file)
    with pytest.raises(BadInput, match="without our checksum"):
        load(file)


# what does not fit together, in a history that is not sealed


def changed_rows(change) -> str:
    """The canary's short lines, not sealed, with a change to the only rows line."""
    history = canary()
    text = short(History({**history.header, "sealed": False}, history.records))
    head, rows, *rest = text.splitlines()
    record = json.loads(rows)
    change(record)
    return "\n".join((head, json.dumps(record), *rest)) + "\n"


CHANGES = {
    "count": lambda rows: rows.update(count=rows["count"] - 1),
    "a number too many": lambda rows: rows["agent"].append(0),
    "a number that is none": lambda rows: rows["agent"].__setitem__(3, "0"),
    "null": lambda rows: rows["agent"].__setitem__(3, None),
    "half a number": lambda rows: rows["op"].__setitem__(3, 1.5),
    "huge": lambda rows: rows["op"].__setitem__(3, 10**30),
    "no such kind": lambda rows: rows["kind"].__setitem__(3, 99),
    "no such agent": lambda rows: rows["agent"].__setitem__(3, 7),
    "no such path": lambda rows: rows["saw_path"].__setitem__(1, 10_000),
    "no such text": lambda rows: rows["saw_value"].__setitem__(1, 10_000),
    "two of one number": lambda rows: rows["op"].__setitem__(1, rows["op"][0]),
    "in one place": lambda rows: rows["before_infer"].__setitem__(0, rows["before_inferred"][0]),
    "a gap": lambda rows: rows["skip"].__setitem__(0, 40),
    "a column missing": lambda rows: rows.pop("skip"),
    "a column more": lambda rows: rows.update(extra=[1]),
    "a text that is no JSON": lambda rows: rows["texts"].__setitem__(0, "{"),
    "a text twice": lambda rows: rows["texts"].__setitem__(0, rows["texts"][1]),
    "a form that is none": lambda rows: rows["forms"].__setitem__(0, "[]"),
    "no list": lambda rows: rows.update(skip=3),
}


@pytest.mark.parametrize("name", CHANGES)
def test_rows_that_do_not_fit_together_are_refused(name: str, tmp_path: Path) -> None:
    text = changed_rows(CHANGES[name])
    assert packed.read(text.encode(), "h") is None
    with pytest.raises(BadInput, match="^h"):
        parse(text, "h")
    file = tmp_path / "h.rows.ndjson"
    file.write_text(text)
    with pytest.raises(BadInput):
        check_file(str(file), order="declared")


def test_rows_left_alone_are_read(tmp_path: Path) -> None:
    text = changed_rows(lambda rows: None)
    assert unsealed(parse(text, "h")) == canary().records


def test_short_lines_satisfy_the_schema() -> None:
    import jsonschema

    from coagent.schema import history_schema

    validator = jsonschema.Draft202012Validator(history_schema())
    for line in short(canary(), 20).splitlines():
        validator.validate(json.loads(line))


def test_a_seal_is_where_no_reader_of_parquet_looks() -> None:
    raw = parquet.dump(compacted(canary()))
    footer = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    assert raw[footer - 22 : footer - 8] == b"coagent-crc32:" and raw[:4] == raw[-4:] == b"PAR1"


@pytest.mark.parametrize("name", NEEDED)
def test_what_a_row_needs_is_missed(name: str) -> None:
    table = compacted(recorded(4))
    kinds = table.columns["kind"]
    for kind in sorted(set(NEEDED[name])):
        for row in np.flatnonzero(kinds == KIND[kind])[:1]:
            changed = table.columns[name].copy()
            changed[row] = -1
            assert fault(replace(table, columns={**table.columns, name: changed})), (name, kind)


# Parquet that is written otherwise


def written(frame: pl.DataFrame, said: dict, rows: int | None = None) -> bytes:
    out = BytesIO()
    frame.write_parquet(out, row_group_size=rows, metadata={"coagent.history": json.dumps(said)})
    return parquet._sealed(out.getvalue())


def parts(history: History) -> tuple[pl.DataFrame, dict]:
    raw = parquet.dump(compacted(history))
    return pl.read_parquet(raw), json.loads(pl.read_parquet_metadata(raw)["coagent.history"])


def test_parquet_of_other_widths_words_order_and_row_groups_is_the_same_history() -> None:
    for seed in range(4):
        history = recorded(seed)
        frame, said = parts(history)
        words = [pl.col(name).cast(pl.String) for name in ("kind", "agent", "status")]
        frame = frame.with_columns(pl.col(pl.Int8, pl.Int16, pl.Int32).cast(pl.Int64), *words)
        size, constant = said["sizes"]["rows"], said["constant"]
        rows = [name for name in constant if name in SCALARS or name in TIMES]
        spelled = {name: pl.repeat(constant[name], size, eager=True) for name in rows}
        frame = frame.with_columns(
            **{name: spelled[name].extend_constant(None, len(frame) - len(spelled[name])) for name in rows}
        )
        left = {name: value for name, value in constant.items() if name not in rows}
        count = said["sizes"]["paths"]
        paths = frame["paths"][:count].reverse().extend_constant(None, len(frame) - count)
        turned = [(count - 1 - pl.col(name)).alias(name) for name in packed.PATHS if name in frame.columns]
        frame = frame.with_columns(*turned, paths=paths)
        if left.keys() & set(packed.PATHS):
            left |= {name: count - 1 - left[name] for name in left.keys() & set(packed.PATHS)}
        table = parquet.read(written(frame, {**said, "constant": left}, rows=7), "h")
        assert expanded(table).records == history.records
        assert screened_verdict(table).verdict == "ok"


LIES = {
    "more rows": lambda said: said["sizes"].update(rows=said["sizes"]["rows"] + 1),
    "fewer rows": lambda said: said["sizes"].update(rows=said["sizes"]["rows"] - 1),
    "more entries": lambda said: said["sizes"].update(saw=said["sizes"]["saw"] + 1),
    "fewer texts": lambda said: said["sizes"].update(texts=1),
    "endless": lambda said: said["sizes"].update(ops=10**15),
    "beyond all": lambda said: said["sizes"].update(paths=10**30),
    "negative": lambda said: said["sizes"].update(forms=-1),
    "no size": lambda said: said["sizes"].pop("wrote"),
    "a constant out of range": lambda said: said["constant"].update(place=10**6),
    "a constant that is none": lambda said: said["constant"].update(place="x"),
    "a constant kind": lambda said: said["constant"].update(kind=1),
    "a huge constant": lambda said: said["constant"].update(place=10**30),
    "another column's constant": lambda said: said["constant"].update(op=3),
    "a header that is none": lambda said: said["header"].update(agents=[{"name": 3}]),
    "no header": lambda said: said.pop("header"),
}


@pytest.mark.parametrize("name", LIES)
def test_parquet_that_lies_of_itself_is_refused(name: str) -> None:
    frame, said = parts(canary())
    LIES[name](said)
    with pytest.raises(BadInput, match="^h"):
        parquet.read(written(frame, said), "h")


def test_times_that_are_none_are_refused_when_they_are_asked_for() -> None:
    frame, said = parts(canary())
    for wrong in (float("nan"), float("inf"), None):
        times = pl.Series([wrong, *frame["at_end"].to_list()[1:]], dtype=pl.Float64)
        table = parquet.read(written(frame.with_columns(at_end=times), said), "h")
        with pytest.raises(BadInput, match="^h.*at_end"):
            expanded(table)


def test_a_history_is_shown_in_one_short_line():
    history = canary()
    shown = repr(history)
    assert len(shown) < 100 and shown.endswith(f": {len(history)} records>") and history.header["workload"] in shown
