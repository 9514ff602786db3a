"""Proves that a call depends on nothing outside its declared reads and changes nothing outside its declared writes.

Two states that agree on the reads, and on nothing else, must give the same result and the same writes (A2 of P1).
A failed call must leave no writes.
"""

from checker.proof.lemma import Acted, Lemma, State, lemma
from checker.proof.proof import Proof
from checker.proof.sample_call import Sample, inside, opening, plain_result, samples, universe
from checker.proof.symbolic_tool import plain_cell
from checker.proof.tracked import Cells, Trace
from coagent.operation import Cell
from coagent.tool import Tool, outcome_equal


def prove_frame(tool: Tool, *, seconds: float = 5.0) -> Proof:
    """The proof that a tool keeps to the footprint that it declares."""
    what = f"{tool.name} depends on nothing outside its reads and changes nothing outside its writes"
    return lemma(what, tool, lambda: [_Framed(one).lemma() for one in samples(tool)], seconds=seconds)


class _Framed:
    """A call in two states that agree on what it declares to read."""

    def __init__(self, sample: Sample) -> None:
        self.sample, self.declared = sample, sample.declared()
        self.paths = sorted(universe(opening([sample]), [sample]))
        self.other = {path: f"{path}, otherwise" for path in self.paths if not inside(path, self.declared.reads)}

    def lemma(self) -> Lemma:
        return Lemma([self.sample], self.run, dict.fromkeys(self.other.values(), (0,)))

    def run(self, trace: Trace, state: State) -> Acted:
        here = Cells(trace, {path: state[path] for path in self.paths})
        there = Cells(trace, {path: state[self.other.get(path, path)] for path in self.paths}, self.other)
        (one, wrote), (two, written) = (self.sample.act(cells, {}, state) for cells in (here, there))
        differs = [f"it writes {path}, which it does not declare" for path, _ in wrote if not self.may_write(path)]
        if wrote and one.status != "ok":
            differs.append(f"it has {one.status}, and writes {wrote[0][0]}")
        said, says = plain_result(one), plain_result(two)
        if not outcome_equal(said, says):
            differs.append(f"it gives {said}, and {says} in a state that differs outside its reads only")
        if differs or _spelled(wrote) != _spelled(written):
            more = f"it leaves {_spelled(wrote)}, and {_spelled(written)} where the state differs outside its reads"
            return [], differs or [more]
        pairs = [("its result", one.value.number, two.value.number)]
        for (path, cell), (_, other) in zip(wrote, written, strict=True):
            pairs.append((f"what it leaves at {path}", here.number(path, cell), there.number(path, other)))
        return pairs, []

    def may_write(self, path: str) -> bool:
        return inside(path, self.declared.writes)


def _spelled(wrote: tuple[tuple[str, Cell], ...]) -> list[tuple[str, Cell]]:
    return [(path, plain_cell(cell)) for path, cell in wrote]
