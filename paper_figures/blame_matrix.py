"""Faults put into real runs against what the checker blames: a row for each kind of fault, a column for each answer.

`python -m paper_figures.blame_matrix` writes the table into `checker/README.md`, in a minute or two. A fault counts
when it took effect, by a judge who knows nothing of blame: the run did not end as the agents' programs do one after
the other, did not end at all, or broke its workload's invariant.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from checker.verdict import Verdict
from coagent.running import equal, serial_outcome
from coagent.simulate import Outcome
from coagent.stepper import verdict
from coagent.workload import Workload
from paper_figures.readme_blocks import CHECKER, replaced
from workloads import names, workload
from workloads.fault import KINDS, outcome

BLAMED = ("A1", "A2", "A3", "inverse", "protocol", "nobody")
TRIES = 60
"""Runs tried for each that is wanted, before a kind gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """A fault that took effect: its kind, the assumption that it breaks, how it was put in, and the judgement."""

    kind: str
    broken: str
    how: str
    workload: str
    seed: int
    verdict: Verdict

    @property
    def blamed(self) -> str:
        """What the checker blames."""
        return self.verdict.blame or "nobody"


def own_workloads(seed: int) -> Workload:
    """The workload of a seed: each that comes along in turn."""
    every = names()
    return workload(every[seed % len(every)][0])


def injections(kind: str, source: Callable[[int], Workload] = own_workloads) -> Iterator[Injection]:
    """Runs with faults of this kind that took effect, without end; `source` gives the workload of a seed."""
    broken, ways = KINDS[kind]
    seed = 0
    while True:
        given = source(seed // len(ways))
        way = ways[seed % len(ways)]
        run = outcome(way(given, seed), seed)
        if took_effect(run):
            yield Injection(
                kind=kind, broken=broken, how=way.__name__, workload=given.name, seed=seed, verdict=verdict(run)
            )
        seed += 1


def took_effect(run: Outcome) -> bool:
    """Whether a run is a bad one, in the eyes of the oracle and the invariant."""
    given = run.world.setting.workload
    if not run.quiescent:
        return True
    if given.invariant is not None and not given.invariant(run.final_state, run.reports):
        return True
    expected = serial_outcome(given, run.world.order)
    end = run.history.end
    return expected is None or not (equal(end["final_state"], expected[0]) and equal(end["reports"], expected[1]))


def counted(per_kind: int, source: Callable[[int], Workload] = own_workloads) -> dict[str, Counter[str]]:
    """By kind of fault, how often each answer was given."""
    return {kind: Counter(one.blamed for one in islice(injections(kind, source), per_kind)) for kind in KINDS}


def table(counts: Mapping[str, Mapping[str, int]]) -> str:
    """The matrix in Markdown; what should be blamed is in bold."""
    head = ["injected", "breaks", *(f"blamed: {one}" for one in BLAMED)]
    rows = [head, ["---"] * len(head)]
    for kind, answers in counts.items():
        broken = KINDS[kind][0]
        shown = [f"**{answers.get(one, 0)}**" if one == broken else f"{answers.get(one, 0)}" for one in BLAMED]
        rows.append([kind, broken, *shown])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def exact(counts: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """By kind, the share of injections for which the right assumption was blamed."""
    return {kind: answers.get(KINDS[kind][0], 0) / max(sum(answers.values()), 1) for kind, answers in counts.items()}


if __name__ == "__main__":
    CHECKER.write_text(replaced(CHECKER.read_text(encoding="utf-8"), "blame", table(counted(100))), encoding="utf-8")
