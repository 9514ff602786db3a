"""Times the trials of a sweep: the ten cells under six protocols, the checker on every tenth seed.

Processor time of this process, which is what one core of a sweep spends whatever else the machine does; what is
worked out once for a workload is not counted.
"""

from collections.abc import Sequence
from statistics import mean
from time import process_time

from coagent.bench.figure import Figure
from coagent.sweep import cases
from coagent.trial import trial
from workloads import CELLS

TEN = tuple(name for name in CELLS if name[0] in "ko")
SIX = ("serial", "naive", "2pl", "occ", "mtpo", "mtpo-reissue")
SEEDS, CHECK_EVERY, CORES, WHOLE = 10, 10, 2, 1000


def trial_figures(cells: Sequence[str] = TEN, protocols: Sequence[str] = SIX, seeds: int = SEEDS) -> list[Figure]:
    """Trials a second on one core, the mean over cells and protocols, and the minutes that a whole sweep comes to."""
    spent = []
    for name in cells:
        for by in protocols:
            wanted = cases([name], [by], trials=seeds, check_every=CHECK_EVERY)
            trial(wanted[0]), trial(wanted[-1])
            start = process_time()
            for one in wanted:
                trial(one)
            spent.append((process_time() - start) / seeds)
    of = f"{len(cells)} cells, {len(protocols)} protocols, one trial in {CHECK_EVERY} checked"
    whole = WHOLE * len(spent) * mean(spent) / CORES / 60
    return [
        Figure(name="sweep_trials_per_s", value=round(1 / mean(spent)), unit="/s", of=f"trials on one core, {of}"),
        Figure(name="sweep_min", value=round(whole, 2), unit="min", of=f"{WHOLE:,} trials of each on {CORES} cores"),
    ]
