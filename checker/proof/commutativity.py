"""Proves that two calls commute: same cells, and same results, in either order; always, or under a simple condition.

Where they do not commute in every state, single conditions are tried (a cell that is there, is not, holds an integer;
equal arguments; an amount that is not negative), then pairs; the weakest that suffice are told, not a complete answer.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from time import perf_counter
from typing import TYPE_CHECKING

from checker.proof.enumeration import Enumerated
from checker.proof.lemma import ITEMS_MAX, Acted, Lemma, State
from checker.proof.proof import Proof
from checker.proof.sample_call import Sample, compared, opening, parameters, plain_result, universe
from checker.proof.term import Numbering
from checker.proof.tracked import Cells, Trace, WrongTerm
from coagent.history import History, frozen
from coagent.operation import Call, Result
from coagent.tool import TOOLS, Tool, outcome_equal

if TYPE_CHECKING:
    from checker.proof.solver import Solver

SECONDS = 5.0
"""Seconds that one query may take."""

_AMOUNTS = ("by",)
"""Arguments of which it is worth asking whether they are negative."""


def prove_commutativity(
    left: Sample, right: Sample, *, results: bool = True, conditions: bool = True, seconds: float = SECONDS
) -> Proof:
    """The proof for two sample calls (`call_of` or `checker.proof.sample_call.samples` make them).

    Without `results` only the cells are compared; without `conditions` none is looked for when they do not always
    commute. Refuted when no condition that was tried suffices.
    """
    start = perf_counter()
    pair = _Pair(left, right, results)
    what = f"{pair.named(left)} and {pair.named(right)} commute" + ("" if results else " as far as cells go")
    try:
        found, condition = pair.answer(seconds, conditions)
    except WrongTerm as error:
        return Proof(verdict="unknown", what=what, missing=(str(error),), seconds=perf_counter() - start)
    size = {"what": what, "how": found.how, "paths": max(found.paths, 1), "seconds": perf_counter() - start}
    if found.verdict == "refuted":
        return Proof(verdict="refuted", counterexample=pair.lemma.counterexample(found), **size)
    domain = f"all cells and arguments, lists up to {ITEMS_MAX} items"
    return Proof(verdict=found.verdict, missing=found.missing, condition=condition, domain=domain, **size)


def call_of(call: Call, tools: Mapping[str, Tool] = TOOLS) -> Sample:
    """A call with its own arguments as a sample with nothing unknown. ValueError for a tool that is no data."""
    tool = tools[call.tool]
    return Sample(tool=tool, known=dict(call.args), unknown={}, templates=parameters(tool).templates)


class _Pair:
    def __init__(self, left: Sample, right: Sample, results: bool) -> None:
        if shared := set(left.unknown.values()) & set(right.unknown.values()):
            raise ValueError(f"both calls have an unknown {min(shared)!r}; give their samples different tags")
        self.calls, self.results = (left, right), results
        self.paths = sorted(universe(opening(self.calls), self.calls))
        self.lemma = Lemma(self.calls, self.run)

    @staticmethod
    def named(sample: Sample) -> str:
        args = {**sample.known, **sample.unknown}
        return str(Call(sample.tool.name, tuple((name, args[name]) for name in sorted(args, key=_paths_first))))

    def run(self, trace: Trace, state: State) -> Acted:
        """Both orders from the same state."""
        cells = Cells(trace, {path: state[path] for path in self.paths})
        one, other = {}, {}
        results = [self.calls[0].act(cells, one, state)[0], self.calls[1].act(cells, one, state)[0]]
        swapped = [self.calls[1].act(cells, other, state)[0], self.calls[0].act(cells, other, state)[0]][::-1]
        pairs, differs = [], []
        for path in sorted({*one, *other}):
            pair, words = compared("the one way", path, (cells, one), (cells, other))
            pairs.append(pair)
            differs += words
        for call, first, second in zip(self.calls, results, swapped, strict=True):
            if not self.results:
                continue
            said, says = plain_result(first), plain_result(second)
            if not outcome_equal(said, says):
                differs.append(f"{call.call(state)} gives {said.value!r} the one way, and {says.value!r} the other")
            pairs.append((f"what {call.tool.name} returns", first.value.number, second.value.number))
        return pairs, differs

    def answer(self, seconds: float, conditions: bool) -> tuple[Enumerated, str]:
        """The proof without a condition, else under the weakest that were found, else what refutes it."""
        plain = self.lemma.proved(seconds)
        if plain.verdict != "refuted" or not conditions:
            return plain, ""
        solver = self.lemma.solver(seconds)
        single = list(self.candidates(self.lemma.terms))
        suffices = list(self.sufficient(single, solver, seconds))
        if not suffices:
            both = ((f"{a} and {b}", self.lemma.terms.all_of((x, y))) for (a, x), (b, y) in combinations(single, 2))
            suffices = list(self.sufficient(both, solver, seconds))
        if not suffices:
            return plain, ""
        weakest = [one for one in suffices if not any(_implies(solver, one, two) for two in suffices if two != one)]
        weakest = weakest or suffices[:1]
        found = next(proof for _, _, proof in weakest)
        return found, ", or when ".join(label for label, _, _ in weakest)

    def sufficient(
        self, conditions: Iterable[tuple[str, int]], solver: "Solver", seconds: float
    ) -> Iterator[tuple[str, int, Enumerated]]:
        for label, truth in conditions:
            first = solver.ask([truth])
            if first.status != "sat":
                continue
            found = self.lemma.proved(seconds, given=[truth], start={**self.lemma.start, **first.cells})
            if found.verdict == "proved":
                yield label, truth, found

    def candidates(self, terms: Numbering) -> Iterator[tuple[str, int]]:
        """Conditions, in words and as truths, the likeliest first."""
        values = [(name, symbol) for one in self.calls for name, symbol in sorted(one.unknown.items())]
        for (_, one), (_, other) in combinations(values, 2):
            yield f"{one} = {other}", terms.same(terms.symbol(one), terms.symbol(other))
        for path in sorted(self.calls[0].touched() | self.calls[1].touched()):
            here = terms.symbol(path)
            yield f"{path} is absent", terms.is_a("absent", here)
            yield f"{path} is there", terms.negated(terms.is_a("absent", here))
            yield f"{path} holds an integer", terms.is_a("whole", here)
            for _, symbol in values:
                yield f"{path} = {symbol}", terms.same(here, terms.symbol(symbol))
        for name, symbol in values:
            if name in _AMOUNTS:
                amount, zero = terms.part("whole", terms.symbol(symbol)), terms.whole(0)
                whole = terms.is_a("whole", terms.symbol(symbol))
                yield f"{symbol} >= 0", terms.all_of((whole, terms.negated(terms.below(amount, zero))))
                yield f"{symbol} = 0", terms.all_of((whole, terms.equal_wholes(amount, zero)))


def _implies(solver: "Solver", one: tuple[str, int, object], other: tuple[str, int, object]) -> bool:
    return solver.ask([one[1], solver.terms.negated(other[1])]).status == "unsat"


def _paths_first(name: str) -> tuple[bool, str]:
    return name not in ("path", "name", "event"), name


@dataclass(frozen=True, slots=True, kw_only=True)
class Needless:
    """A notice that told nothing: `always`, whatever the state; else the result was the same in this run only."""

    agent: str
    op: str
    cause: str
    always: bool

    def sentence(self) -> str:
        """In words."""
        why = "its result is the same with and without, in every state" if self.always else "it told nothing new here"
        return f"the notice to {self.agent} about {self.op} because of {self.cause} was needless: {why}"


def needless(history: History, tools: Mapping[str, Tool] = TOOLS, *, seconds: float = SECONDS) -> list[Needless]:
    """The notices of a run that were of no use; of calls that are not data only those that told nothing new."""
    calls: dict[str, Call] = {}
    told: dict[str, Result] = {}
    known: dict[tuple[str, str], bool] = {}
    found = []
    for record in history.of("invoke", "result", "notify"):
        op = record["op"]
        if record["event"] == "invoke":
            calls[op] = Call(record["tool"], tuple((name, frozen(one)) for name, one in record["args"].items()))
            continue
        result = Result(record["status"], frozen(record["value"]))
        if record["event"] == "notify" and not record["cancelled"]:
            pair = (str(calls[record["cause"]]), str(calls[op]))
            if pair not in known:
                known[pair] = _unaffected(calls[record["cause"]], calls[op], tools, seconds)
            if known[pair] or (op in told and outcome_equal(told[op], result)):
                agent, cause = str(record["agent"]), str(record["cause"])
                found.append(Needless(agent=agent, op=op, cause=cause, always=known[pair]))
        told[op] = result
    return found


def _unaffected(cause: Call, call: Call, tools: Mapping[str, Tool], seconds: float) -> bool:
    """Whether a call gives the same result with and without another before it, in every state."""
    if any(one.tool not in tools or tools[one.tool].meaning is None for one in (cause, call)):
        return False
    before, reader = call_of(cause, tools), call_of(call, tools)
    paths = sorted(universe(opening([before, reader]), [before, reader]))

    def run(trace: Trace, state: State) -> Acted:
        cells = Cells(trace, {path: state[path] for path in paths})
        live: dict = {}
        before.act(cells, live, state)
        with_it, _ = reader.act(cells, live, state)
        without, _ = reader.act(cells, {}, state)
        differs = [] if outcome_equal(plain_result(with_it), plain_result(without)) else ["its result"]
        return [("its result", with_it.value.number, without.value.number)], differs

    try:
        return Lemma([before, reader], run).proved(seconds).verdict == "proved"
    except WrongTerm:
        return False
