"""Cells lived on real systems, a row each: what every protocol makes of them, and whether four judges agree.

`python -m paper_figures.live_runs` starts the servers, lives every cell once under every protocol (without control
until it breaks) and writes `coagent/live/live_runs.md`. The seconds are measured; a second run has others.
"""

import os
import platform
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from coagent.live.running import LiveRun
from coagent.protocols.mtpo import ROUTES, Mtpo
from paper_figures.readme_blocks import README
from tests.live import missing
from tests.live.accept.cell import CELLS, PROTOCOLS, Lived, lived, until_broken
from tests.live.accept.ground import Grounds
from tests.live.accept.late_reader import STATES, of_reader, read_late
from tests.live.kube_server import absent as no_cluster
from tests.live.postgres_server import absent as no_database

PAGE = README.parent / "coagent" / "live" / "live_runs.md"

HEAD = """# Cells live on real systems

Made by `python -m paper_figures.live_runs`. The workloads' own programs act as agents through the middleware, on a
Kubernetes API server, a git repository, Radicale, an SMTP server, SQLite and PostgreSQL; only their think times are
set, to about what a call takes there. Each run is judged four times, by judges that do not trust each other: the
workload's invariant over the targets' cells; the checker over the history, which is also fed again to the engine and
must give the same effects; a second client, which reads the real system by other means than the target (HTTPS, files,
`git clone` and the tests in it, `icalendar`, the Maildir, the database's driver); and the serial run of the same
programs (*as in turn*: state and reports are those). *Agreed*: all cells are what the second client sees, and it,
invariant and checker say the same; of `x2-nag` also that exactly one mail arrived. Without control (`naive`) a cell is
lived with other and other think times until it breaks: `draw` says in which.

The seconds are **measured** wall seconds of one run each, {machine}.
The think times behind them are fractions of a second, so that they say nothing of what a protocol costs.
"""

ROUTE_HEAD = """## Reads of the past

B, second in the order, has written a cell before A, first in the order, reads it: A is shown what was there before.
`snapshot` is also held against the target's own old version where it keeps some (Kubernetes, git, CalDAV); `recorded`
takes the result of B's own earlier read; `undo` puts the real system back for the read, and does the write again.
"""


def cells(grounds: Grounds) -> Iterator[Lived]:
    """Every cell under every protocol."""
    for cell, place in CELLS:
        for protocol in PROTOCOLS:
            naive = protocol == "naive"
            yield until_broken(grounds, cell, place) if naive else lived(grounds, cell, place, protocol)
            print(cell, place, protocol, file=sys.stderr)


def shown(run: Lived) -> str:
    """A run in a few words."""
    invariant = "holds" if run.invariant else "**broken**"
    agreed = "agreed" if run.agree else "NOT AGREED"
    more = [f"draw {run.seed}"] if run.protocol == "naive" else []
    more += ["as in turn"] if run.serial else []
    return ", ".join((invariant, run.checker, agreed, *more, f"{run.wall_s:.2f} s"))


def table(runs: list[Lived]) -> str:
    """A row for each cell on a place, a column for each protocol."""
    rows = [["cell", "on", *(f"`{one}`" for one in PROTOCOLS)], ["---"] * (2 + len(PROTOCOLS))]
    for cell, place in CELLS:
        of_cell = {run.protocol: run for run in runs if (run.cell, run.place) == (cell, place)}
        rows.append([f"`{cell}`", place, *(shown(of_cell[one]) for one in PROTOCOLS)])
    return _markdown(rows)


def routes(grounds: Grounds) -> str:
    """A row for each place, a column for each route: the route in the history, and that A saw what was there before."""
    rows = [["on", *(f"only `{one}` allowed" for one in ROUTES)], ["---"] * (1 + len(ROUTES))]
    for place in STATES:
        runs = [read_late(grounds, place, Mtpo(routes=(route,))) for route in ROUTES]
        rows.append([place, *(_route(run) for run in runs)])
    return _markdown(rows)


def _route(run: LiveRun) -> str:
    route, seen = of_reader(run)
    undone = len([*run.history.of("undo")])
    return f"{route}, saw `{str(seen).strip()}`" + (f", {undone} undo" if undone else "")


def _markdown(rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def page() -> str:
    """The whole page, from runs of now. Raises RuntimeError where a server cannot be."""
    packages = missing.packages("sqlalchemy", "radicale", "icalendar", "aiosmtpd")
    if lacking := packages or no_cluster() or no_database():
        raise RuntimeError(lacking)
    # The cluster of the tests has a certificate that nobody signed.
    warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    with TemporaryDirectory() as folder:
        grounds = Grounds(folder=Path(folder))
        try:
            runs = list(cells(grounds))
            of_routes = routes(grounds)
        finally:
            grounds.close()
    machine = f"on {os.cpu_count()} cores ({platform.machine()}), with other work beside"
    agreed = sum(run.agree for run in runs)
    total = f"{len(runs)} runs, {agreed} agreed, {sum(run.wall_s for run in runs):.0f} s of them measured in all."
    return "\n".join((HEAD.format(machine=machine), table(runs), "", total, "", ROUTE_HEAD, of_routes, ""))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
