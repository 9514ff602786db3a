"""Proves that undoing a call puts back all of its footprint and touches nothing else, also after later calls elsewhere.

The runtime's inverse restores the cells that prepare captured. A compensating call, which many systems use
instead, is refuted where the call forgot what it replaced (P1 section 3: prepare captures before exec).
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from checker.proof.lemma import Acted, Lemma, State, lemma
from checker.proof.proof import Proof
from checker.proof.sample_call import Live, Sample, compared, inside, opening, samples, universe
from checker.proof.symbolic_expression import Reader
from checker.proof.symbolic_tool import perform
from checker.proof.tracked import GONE, Cells, Trace, Tracked
from coagent.operation import Cell, Result
from coagent.tool import TOOLS, Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensation:
    """An inverse that is a call: the tool, and its arguments as expressions over those of the call and its `result`.

    It is made when the call succeeded, or `always`.
    """

    tool: str
    args: Mapping[str, str]
    always: bool = False


def prove_inverse(
    tool: Tool,
    inverse: Compensation | None = None,
    *,
    tools: Mapping[str, Tool] = TOOLS,
    seconds: float = 5.0,
) -> Proof:
    """The proof that the inverse of a tool (None: restoring what was captured) restores, whatever happens elsewhere."""
    how = "restoring what was captured" if inverse is None else f"{inverse.tool} as its inverse"
    what = f"{tool.name}, then {how}, leaves every cell as it was"
    return lemma(what, tool, lambda: [_Undone(one, inverse, tools).lemma() for one in samples(tool)], seconds=seconds)


class _Undone:
    """A call, anything at all in the cells outside its footprint, and then the inverse."""

    def __init__(self, sample: Sample, inverse: Compensation | None, tools: Mapping[str, Tool]) -> None:
        self.sample, self.inverse, self.tools = sample, inverse, tools
        self.paths = sorted(universe(opening([sample]), [sample]))
        footprint = sample.declared().footprint
        self.later = {path: f"{path}, later" for path in self.paths if not inside(path, footprint)}

    def lemma(self) -> Lemma:
        return Lemma([self.sample], self.run, dict.fromkeys(self.later.values(), (0,)))

    def run(self, trace: Trace, state: State) -> Acted:
        cells = Cells(trace, {path: state[path] for path in self.paths})
        later = Cells(trace, {path: state[name] for path, name in self.later.items()}, self.later)
        live: dict[str, Cell] = {}
        result, wrote = self.sample.act(cells, live, state)
        live.update({path: _settled(later, path) for path in self.later})
        if self.inverse is None:
            live.update({path: cells.start(path) for path, _ in wrote})
        elif result.status == "ok" or self.inverse.always:
            self.compensate(cells, live, state, result)
        pairs, differs = [], []
        for path in self.paths:
            due = (cells, {path: _settled(later, path)} if path in self.later else {})
            pair, words = compared("after the inverse", path, (cells, live), due)
            pairs.append(pair)
            differs += words
        return pairs, differs

    def compensate(self, cells: Cells, live: dict[str, Cell], state: State, result: Result) -> None:
        given = self.sample.arguments(cells, state)
        names = {name: one if isinstance(one, Tracked) else cells.trace.tracked(one) for name, one in given.items()}
        reader = Reader({**names, "result": result.value}, cells.trace)
        args = {name: reader.read(ast.parse(source, mode="eval").body) for name, source in self.inverse.args.items()}
        args = {name: given.get(self.inverse.args[name], one) for name, one in args.items()}
        _, wrote = perform(self.tools[self.inverse.tool], cells, Live(cells, live), args)
        live.update(wrote)


def _settled(later: Cells, path: str) -> Cell:
    """Whatever somebody else left in a cell meanwhile; absence too is known for what it is."""
    return later.look(path, later.start(path)) or GONE
