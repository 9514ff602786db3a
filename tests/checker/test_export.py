"""A history written for Elle and read back is the same history, and what is not kept is said."""

import json

import pytest
from sketch import random_history

from checker import check_source
from checker.formats import Source, load
from checker.formats.elle_export import exported
from checker.transaction import Transaction, token
from coagent.bad_input import BadInput


def there_and_back(source: Source, folder) -> Source:
    path = folder / "exported.jsonl"
    lines, _ = exported(source)
    path.write_text("".join(lines))
    [found] = load(str(path), source.format)
    return found


def transactions(source: Source) -> tuple[Transaction, ...]:
    return tuple(source.content.transactions() if hasattr(source.content, "transactions") else source.content)


def test_recorded_lists_and_registers_come_back_equal_and_with_the_same_verdict(histories, tmp_path):
    files = [*sorted(histories.glob("simulated/*-0[0-1].edn")), *sorted(histories.glob("elle/[!eh]*"))]
    assert len(files) > 20
    for path in files:
        [source] = load(str(path))
        back = there_and_back(source, tmp_path)
        assert transactions(back) == transactions(source), path
        assert check_source(back).anomalies == check_source(source).anomalies
        assert exported(source)[1] == []


@pytest.mark.parametrize("model", ["append", "w"])
def test_histories_without_times_keep_status_and_steps_and_say_what_is_lost(model, tmp_path):
    for seed in range(40):
        found = tuple(random_history(seed, model))
        source = Source(
            name="h", format={"append": "elle-append", "w": "elle-register"}[model], content=found, where="h"
        )
        lines, lost = exported(source)
        assert any("began and ended" in sentence for sentence in lost) and any("T0" in one for one in lost)
        if not any(one[0] != "r" for each in found for one in each.steps):
            continue
        back = transactions(there_and_back(source, tmp_path))
        told = [tuple(step for step in one.steps if one.status == "committed" or step[0] != "r") for one in found]
        assert [(one.status, one.steps) for one in back] == [
            (one.status, steps) for one, steps in zip(found, told, strict=True)
        ]


def test_odd_values_come_back_as_they_were(tmp_path):
    values = [token(value) for value in (True, False, 1.5, "a\nb", ":word", "x y", 10**30, -1)]
    steps = tuple(("w", f"k{place}", value) for place, value in enumerate(values))
    one = Transaction(name="T0", status="committed", steps=(*steps, ("r", "k0", None)), session=0)
    back = there_and_back(Source(name="h", format="elle-register", content=(one,), where="h"), tmp_path)
    assert transactions(back)[0].steps == one.steps


def test_what_elle_cannot_hold_is_refused_in_a_sentence(tmp_path, coagent):
    path = tmp_path / "s.jsonl"
    path.write_text('{"id": "a", "ops": [[1, "r", "x"], [1, "w", "x"]]}\n')
    answer = coagent("export", path, tmp_path / "out.jsonl")
    assert answer.code == 3 and "wants the value of every read" in answer.err and not (tmp_path / "out.jsonl").exists()
    with pytest.raises(BadInput, match="cannot hold"):
        exported(
            Source(
                name="h",
                format="elle-register",
                content=(Transaction(name="A", status="committed", steps=(("w", token((1, 2)), 1),)),),
                where="h",
            )
        )


def test_the_command_writes_a_new_file_that_checks_alike(tmp_path, coagent):
    rows = [
        {"type": "invoke", "process": 0, "value": [["r", "x", None], ["append", "x", 1]]},
        {"type": "invoke", "process": 1, "value": [["r", "x", None], ["append", "x", 2]]},
        {"type": "ok", "process": 0, "value": [["r", "x", []], ["append", "x", 1]]},
        {"type": "ok", "process": 1, "value": [["r", "x", []], ["append", "x", 2]]},
    ]
    first, second = tmp_path / "h.jsonl", tmp_path / "out.jsonl"
    first.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answer = coagent("export", first, second)
    assert (answer.code, answer.err) == (0, "")
    assert coagent("check", first).out.replace(str(first), "") == coagent("check", second).out.replace(str(second), "")
    assert coagent("export", first, second).code == 3
    assert coagent("export", first, tmp_path / "o", "--to", "porcupine").code == 3
