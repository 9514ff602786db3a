"""The answer of every proof: proved, refuted with a counterexample that was replayed, or unknown with what is missing.

Decides nothing; it is what the command line prints, and the exit code that goes with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from coagent.history import plain
from coagent.operation import Cell, Value, show

EXIT = {"proved": 0, "refuted": 1, "unknown": 2}

NUMBERING, SOLVER = "value numbering", "z3"
"""How something was proved: equal numbers for equal values and no solver, or by the solver too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """A start state (values by path; a path that is not there is absent), calls, and what then differs, in sentences.

    It was replayed before it was believed. `schedule` are choice indexes of the engine, None where none ran.
    """

    state: Mapping[str, Value]
    calls: tuple[str, ...] = ()
    schedule: tuple[int, ...] | None = None
    order: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """As JSON has it; what does not apply is left out."""
        shape: dict[str, object] = {"state": {path: plain(value) for path, value in self.state.items()}}
        shape |= {"calls": list(self.calls)} if self.calls else {}
        shape |= {"schedule": list(self.schedule)} if self.schedule is not None else {}
        shape |= {"order": list(self.order)} if self.order else {}
        return {**shape, "differs": list(self.differs), "replayed": True}

    def sentences(self) -> list[str]:
        """In lines that a person reads."""
        held = ", ".join(f"{path} = {show(value)}" for path, value in self.state.items())
        lines = [f"counterexample, replayed: from {held or 'nothing at all'}"]
        lines += [f"calls: {'; '.join(self.calls)}"] if self.calls else []
        lines += [f"schedule: {','.join(map(str, self.schedule))}"] if self.schedule is not None else []
        return lines + list(self.differs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was to be shown, and what came of it.

    `paths` counts the ways of going on that were covered (0: there is no such thing), `complete` says whether there
    are no more within `domain`, the start states that are spoken of. `condition` is what the statement holds
    under, when not always; `notes` are further sentences; `queries` went to the solver; `seconds` are wall clock.
    """

    verdict: str
    what: str
    how: str = NUMBERING
    counterexample: Counterexample | None = None
    missing: tuple[str, ...] = ()
    condition: str = ""
    domain: str = ""
    paths: int = 1
    complete: bool = True
    notes: tuple[str, ...] = ()
    queries: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.verdict not in EXIT:
            raise ValueError(f"a proof is proved, refuted or unknown, not {self.verdict!r}")
        if (self.verdict == "refuted") is not (self.counterexample is not None):
            raise ValueError("a counterexample is what refutes, and nothing else has one")
        if self.verdict == "unknown" and not self.missing:
            raise ValueError("an unknown proof must say what was missing")

    @property
    def exit_code(self) -> int:
        """0 proved, 1 refuted, 2 unknown."""
        return EXIT[self.verdict]

    def to_json(self) -> dict[str, object]:
        """As `prove --json` prints it."""
        return {
            "verdict": self.verdict,
            "what": self.what,
            "how": self.how,
            "condition": self.condition or None,
            "domain": self.domain or None,
            "paths": self.paths,
            "complete": self.complete,
            "counterexample": self.counterexample.to_json() if self.counterexample else None,
            "missing": list(self.missing),
            "notes": list(self.notes),
            "queries": self.queries,
            "seconds": round(self.seconds, 6),
        }

    def sentences(self) -> list[str]:
        """In lines that a person reads: the answer, on what it rests, the rest."""
        under = f", when {self.condition}" if self.condition else ""
        tried = " on the paths that were tried" if self.verdict == "proved" and not self.complete else ""
        lines = [f"{self.verdict}{tried}: {self.what}{under}"]
        if self.verdict == "proved":
            lines.append("; ".join([f"by {self.how}", *([self.covered()] if self.paths else [])]))
        lines += [f"for {self.domain}"] if self.domain and self.verdict == "proved" else []
        lines += self.counterexample.sentences() if self.counterexample else []
        return [*lines, *(f"missing: {one}" for one in self.missing), *self.notes]

    def covered(self) -> str:
        """How many paths, of how many."""
        if self.complete:
            return f"{self.paths} of {self.paths} paths"
        if self.paths == 1:
            return "the path that was taken, and others are open"
        return f"{self.paths} paths, the bound, and more are open"


def named_cells(cells: Mapping[str, Cell]) -> dict[str, Value]:
    """The values of the cells that hold one, by path."""
    return {path: cells[path][0] for path in sorted(cells) if cells[path]}
