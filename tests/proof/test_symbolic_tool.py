"""What a tool's meaning says is what the tool does, here and wherever the path of a call goes."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest

from checker.oracle import Ledger
from checker.proof.sample_call import Sample, opening, samples, universe
from checker.proof.solver import Solver
from checker.proof.symbolic_tool import plain_cell
from checker.proof.term import Numbering
from checker.proof.tracked import Cells, Trace, WrongTerm
from coagent.operation import Cell, Result, same
from coagent.tool import TOOLS, Case, Meaning, Tool
from workloads.cluster import CLUSTER_TOOLS
from workloads.o5_double_booked_slot import CREATE_EVENT, EVENTS_ON

TOLD = {**CLUSTER_TOOLS, CREATE_EVENT.name: CREATE_EVENT}
VALUES = (0, 1, -2, 5, True, False, None, "", "a", "v1", (), (1,), (1, "a"), (True, None))
CELLS: tuple[Cell, ...] = ((), (), *((value,) for value in VALUES))


def random_state(random: Random, sample: Sample, near: Mapping[str, Cell] | None = None) -> dict[str, Cell]:
    """Cells and arguments of a call, half of them as in `near`."""
    cells = universe(opening([sample]), [sample])
    found = {}
    for name in opening([sample]):
        keeps = near is not None and random.random() < 0.6
        found[name] = near[name] if keeps else random.choice(CELLS if name in cells else CELLS[2:])
    return found


def acted(tool: Tool, sample: Sample, state: Mapping[str, Cell]) -> tuple[Result, dict[str, Cell]]:
    """What the tool itself does on plain cells: its result, and every cell afterwards."""
    paths = universe(opening([sample]), [sample])
    ledger = Ledger((path, state[path][0]) for path in paths if state[path])
    result = ledger.run(tool, dict(sample.call(state).args))
    return result, {path: ledger.cells.get(path, ()) for path in paths}


def assert_faithful(random: Random, tool: Tool, sample: Sample, tries: int) -> int:
    """Result and cells as terms come to the tool's own, wherever the path goes; returns in how many other states."""
    here, terms, elsewhere = random_state(random, sample), Numbering(), 0
    trace, live = Trace(terms), {}
    cells = Cells(trace, {path: here[path] for path in universe(opening([sample]), [sample])})
    result, _ = sample.act(cells, live, here)
    solver = Solver(terms)
    for turn in range(tries):
        state = random_state(random, sample, here) if turn else here
        holds = [solver.value(truth, state) for truth in trace.condition()]
        assert turn or all(holds)
        if False in holds:
            continue
        elsewhere += turn > 0 and state != here
        due, after = acted(tool, sample, state)
        assert due.status == result.status, (tool.name, here, state)
        assert same(solver.value(result.value.number, state), (due.value,)), (tool.name, here, state)
        for path, cell in after.items():
            number = cells.number(path, live.get(path, cells.start(path)))
            assert same(solver.value(number, state), cell), (tool.name, path, here, state)
    return elsewhere


@pytest.mark.parametrize("name", TOLD)
def test_a_meaning_is_what_the_tool_does_in_every_state_of_the_path(name: str) -> None:
    random, tool = Random(name), TOLD[name]
    calls = samples(tool)
    assert sum(assert_faithful(random, tool, random.choice(calls), 6) for _ in range(12)) > 0


@pytest.mark.nightly
@pytest.mark.parametrize("name", TOLD)
def test_a_meaning_is_what_the_tool_does_at_length(name: str) -> None:
    random, tool = Random(f"{name} at length"), TOLD[name]
    calls = samples(tool)
    assert sum(assert_faithful(random, tool, random.choice(calls), 10) for _ in range(400)) > 100


def test_a_meaning_that_is_not_the_tools_is_found_out() -> None:
    wrong = replace(TOOLS["delete"], meaning=Meaning((Case(writes=(("{path}", None),)),)))
    [sample] = samples(wrong)
    state = opening([sample])
    with pytest.raises(WrongTerm, match="does not do what its meaning says"):
        sample.act(Cells(Trace(Numbering()), universe(state, [sample])), {}, state)


def test_a_tool_without_a_meaning_is_carried_out_with_all_that_it_looks_at_pinned() -> None:
    state = {f"calendar/1/{field}": (value,) for field, value in (("start", "2023-08-01 09:30"), ("minutes", 30))}
    state |= {"calendar/1/participant": ("ann",), "notes": (1,)}
    sample = Sample(tool=EVENTS_ON, known={"person": "ann", "date": "2023-08-01"}, unknown={}, templates=())
    trace = Trace(Numbering())
    result, wrote = sample.act(Cells(trace, state), {}, state)
    assert (plain_cell((result.value,)), wrote) == (((("09:30", 30),),), ())
    pinned = trace.numbering.symbols(trace.condition())
    assert set(pinned) == set(state) - {"notes"}
