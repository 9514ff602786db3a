"""A cell lived once on real systems under a protocol, and what four judges make of it: none of them trusts another.

The judges are the invariant over the targets' cells, the checker over the history, a second client of the real
system, and the serial run of the same programs.
"""

import asyncio
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from checker.verdict import Verdict
from coagent import naming
from coagent.live.limits import Limits
from coagent.live.running import LiveRun, run_live
from coagent.operation import Result, Value, same
from coagent.program import Intent, Program
from coagent.workload import Workload
from tests.live.accept.ground import Grounds
from tests.live.live_check import is_serial, judged
from workloads import workload

PROTOCOLS = ("serial", "naive", "2pl", "occ", "mtpo")
ANOMALIES = ("dirty-read", "lost-update", "read-skew", "write-skew", "phantom")
CELLS: tuple[tuple[str, str], ...] = (
    ("k2-canary", "kubernetes"),
    ("k3-flag", "kubernetes"),
    ("g1-rename", "git"),
    ("g2-migration", "git"),
    ("o5-double-booked", "radicale"),
    ("x2-nag", "radicale and SMTP"),
    *((name, "SQLite") for name in ANOMALIES),
    *((name, "PostgreSQL") for name in ANOMALIES),
)
"""What is lived where."""

THINK_S = {"kubernetes": 0.06, "git": 0.05, "radicale": 0.25, "radicale and SMTP": 0.25}
"""Seconds of inference on average, about what a call takes there, so that agents meet; 0.02 on databases."""

SEEDS = 40
"""How many draws of think times a run without control may take to break. The later ones are longer, so that they
decide, and not how busy the machine is: then a third of the interleavings break even the hardiest cell."""

LIMITS = Limits(read_s=20.0, write_s=20.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """One run: whether the invariant holds, the checker's verdict, in what the other client differs from the history's
    end (paths), and whether state and reports are the serial run's. `wall_s` are measured seconds."""

    cell: str
    place: str
    protocol: str
    seed: int
    invariant: bool
    verdict: Verdict
    differs: tuple[str, ...]
    serial: bool
    gave_up: tuple[str, ...]
    wall_s: float
    run: LiveRun

    @property
    def checker(self) -> str:
        """ok, violated or unknown."""
        return self.verdict.verdict

    @property
    def agree(self) -> bool:
        """Whether invariant, checker and the other client say the same of this run."""
        return not self.differs and self.invariant is (self.checker == "ok")


def lived(grounds: Grounds, cell: str, place: str, protocol: str, seed: int = 0) -> Lived:
    """Live a cell once; with seed 0 every inference takes as long, others draw times."""
    return asyncio.run(_lived(grounds, cell, place, protocol, seed))


async def _lived(grounds: Grounds, cell: str, place: str, protocol: str, seed: int) -> Lived:
    given, engine = workload(cell), naming.protocol(protocol)
    async with grounds.begun(place, given) as ground:
        began, mean_s = time.monotonic(), THINK_S.get(place, 0.02) * (1 + min(seed, 16) / 4)
        played = paced(given, seed, mean_s)
        run = await run_live(played, engine, *ground.targets, think_s=mean_s, limits=LIMITS)
        wall_s = time.monotonic() - began
        seen = ground.look()
        mine = {path: value for path, value in run.final_state.items() if not path.startswith(ground.beside)}
        run = replace(run, final_state=mine)
        holds = given.invariant(mine, run.reports)
        wrong = [path for path in sorted({*seen, *mine}) if not same(mine.get(path, ...), seen.get(path, ...))]
        if len({holds, given.invariant(seen, run.reports), ground.well()} - {None}) > 1:
            wrong.append("whether all is well in the end")
    return Lived(
        cell=cell,
        place=place,
        protocol=protocol,
        seed=seed,
        invariant=holds,
        verdict=judged(run, given, engine),
        differs=tuple(wrong),
        serial=is_serial(run, given),
        gave_up=run.gave_up,
        wall_s=wall_s,
        run=run,
    )


def until_broken(grounds: Grounds, cell: str, place: str, protocol: str = "naive") -> Lived:
    """Live a cell with other and other think times until its invariant breaks; the last run, if it never does."""
    for seed in range(SEEDS):
        one = lived(grounds, cell, place, protocol, seed)
        if not one.invariant:
            break
    return one


def paced(given: Workload, seed: int, mean_s: float) -> Workload:
    """The workload, of whose programs only the think times are changed."""
    agents = (replace(one, program=partial(_paced, one.program, f"{seed}/{one.name}", mean_s)) for one in given.agents)
    return replace(given, agents=tuple(agents))


def _paced(program: Program, draw: str, mean_s: float) -> Generator[Intent, Result, Value]:
    steps, random, told = program(), Random(draw), None
    while True:
        try:
            intent = steps.send(told)
        except StopIteration as end:
            return end.value
        spread = 0.0 if draw.startswith("0/") else 1.0
        told = yield replace(intent, think_s=mean_s * (1 + spread * random.uniform(-1, 1)))
