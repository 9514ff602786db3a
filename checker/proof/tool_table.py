"""What is proved of a set of tools, as a table: inverse, frame, and for every pair that can conflict, commutativity.

Says for each tool that is not declared as data that nothing is known of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

from checker.proof.commutativity import prove_commutativity
from checker.proof.frame import prove_frame
from checker.proof.inverse import prove_inverse
from checker.proof.proof import EXIT, Proof
from checker.proof.sample_call import Sample, inside, parameters, samples
from coagent.tool import Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: the subject (a tool, or two calls), the question, the proof."""

    subject: str
    question: str
    proof: Proof

    def to_json(self) -> dict[str, object]:
        """As JSON has it."""
        return {"subject": self.subject, "question": self.question, **self.proof.to_json()}

    def answer(self) -> str:
        """In a few words."""
        if self.proof.verdict == "unknown":
            return self.proof.missing[0]
        if self.question in ("commute", "commute, cells only"):
            always = f"when {self.proof.condition}" if self.proof.condition else "always"
            return always if self.proof.verdict == "proved" else "under no condition that was tried"
        return self.proof.verdict


def proved_tools(tools: Mapping[str, Tool], *, seconds: float = 5.0) -> Iterator[Line]:
    """The lines, each as soon as it is proved."""
    for tool in tools.values():
        yield Line(subject=tool.name, question="inverse", proof=prove_inverse(tool, seconds=seconds))
        yield Line(subject=tool.name, question="frame", proof=prove_frame(tool, seconds=seconds))
    known = [tool for tool in tools.values() if tool.meaning is not None]
    for left, right in combinations_with_replacement(known, 2):
        for one, other in conflicting(left, right):
            subject = f"{told(one)} | {told(other)}"
            both = prove_commutativity(one, other, seconds=seconds)
            yield Line(subject=subject, question="commute", proof=both)
            if both.verdict == "refuted" or both.condition:
                cells = prove_commutativity(one, other, results=False, seconds=seconds)
                if (cells.verdict, cells.condition) != (both.verdict, both.condition):
                    yield Line(subject=subject, question="commute, cells only", proof=cells)


def conflicting(left: Tool, right: Tool) -> Iterator[tuple[Sample, Sample]]:
    """Calls of the two tools on the same or nested objects of which one writes what the other touches."""
    # Unknowns of the same name would be one unknown.
    tagged = set(parameters(left).values) & set(parameters(right).values)
    one = _apart(samples(left, " 1" if tagged else ""))[0]
    lists = any("children(" in case.when + case.value for tool in (left, right) for case in tool.meaning.cases)
    for other in _apart(samples(right, " 2" if tagged else "", NESTED if lists else NESTED[:2])):
        first, second = one.declared(), other.declared()
        if _meet(first.writes, second.footprint) or _meet(second.writes, first.footprint):
            yield one, other


NESTED = ("p", "q", "p/a")
"""What the second call's paths are made of, where the first call's are `p`, then `q`; below only where one lists."""


def exit_code(lines: Iterable[Line]) -> int:
    """0 when every inverse and frame is proved, 1 when one is refuted, 2 when one is unknown; commutativity is news."""
    codes = {EXIT[line.proof.verdict] for line in lines if line.question in ("inverse", "frame")}
    return 1 if 1 in codes else 2 if 2 in codes else 0


def told(sample: Sample) -> str:
    """A sample call in words: its tool and what goes into its paths."""
    names = [str(value) for _, value in sorted(sample.known.items()) if isinstance(value, str)]
    unknown = [symbol for _, symbol in sorted(sample.unknown.items())]
    return " ".join([sample.tool.name, *names, *unknown])


def _apart(found: list[Sample]) -> list[Sample]:
    """Those whose own paths are different from each other, and not nested."""
    kept = [one for one in found if _own_apart([str(value) for value in one.known.values() if isinstance(value, str)])]
    return kept or found


def _own_apart(names: list[str]) -> bool:
    return not any(_meet([a], [b]) for place, a in enumerate(names) for b in names[place + 1 :])


def _meet(left: Iterable[str], right: Iterable[str]) -> bool:
    right = tuple(right)
    return any(inside(one, right) or inside(other, (one,)) for one in left for other in right)
