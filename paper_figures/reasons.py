"""Why our numbers over the ten cells part from the papers', worked out from the tables of figure (a).

Each reason is a sentence made of measured numbers; the papers' side of it is in `papers`.
"""

import polars

from paper_figures import papers
from paper_figures.figure import Saying, Tables

RARE = 0.05
"""Events per trial below which a cell counts as having none."""


def over_all(tables: Tables, protocol: str) -> dict[str, float]:
    """A protocol's row over all cells."""
    [row] = tables["all"].filter(polars.col("protocol") == protocol).iter_rows(named=True)
    return row


def _cells(tables: Tables, protocol: str) -> polars.DataFrame:
    return tables["cells"].filter(polars.col("protocol") == protocol)


def _extra(tables: Tables, protocol: str, event: str) -> float:
    """Serial runs' worth of tokens that an event costs, if all that is over serial is due to events of this kind."""
    row = over_all(tables, protocol)
    return (row["tokens"] - 1) / row[event]


def naive_speedup(tables: Tables) -> str:
    """The longer agent of a cell bounds what running them together can gain."""
    ours, theirs = (100 / one for one in (over_all(tables, "naive")["speedup"], papers.SPEEDUP["naive"]))
    return (
        f"naive ends with its longer agent, which takes {ours:.0f} % of the serial time here and {theirs:.0f} % there: "
        "our cells' two agents are more nearly of one length"
    )


def locking_tokens(tables: Tables) -> str:
    """Some cells never deadlock, and where they do our victims lose little."""
    cells = _cells(tables, "2pl")
    calm, others = cells.filter(polars.col("deadlocks") < RARE), cells.filter(polars.col("deadlocks") >= RARE)
    ours, theirs = _extra(tables, "2pl", "deadlocks"), (papers.TOKENS["2pl"] - 1) / papers.DEADLOCKS_2PL
    never = (
        f"{', '.join(calm['cell'])} never deadlock ({calm['tokens'].mean():.2f}), the others"
        if calm.height
        else "all cells"
    )
    return (
        f"{never} come to {others['tokens'].mean():.2f}. A deadlock costs {ours:.2f} of a serial run here and "
        f"{theirs:.2f} there; with the papers' {papers.DEADLOCKS_2PL} deadlocks a trial ours would be "
        f"{1 + papers.DEADLOCKS_2PL * ours:.2f}. Our victim is caught halfway, as (k) counts and shows; theirs loses "
        "more than half of a serial run, which is more than all that one of two agents does"
    )


def optimistic_tokens(tables: Tables) -> str:
    """As many aborts, each a little cheaper."""
    ours, theirs = _extra(tables, "occ", "restarts"), (papers.TOKENS["occ"] - 1) / papers.ABORTS_OCC
    cells = _cells(tables, "occ").sort("tokens")
    least, most = cells.row(0, named=True), cells.row(-1, named=True)
    return (
        f"we abort as often ({over_all(tables, 'occ')['restarts']:.2f} and {papers.ABORTS_OCC} a trial), but an abort "
        f"costs {ours:.2f} of a serial run here and {theirs:.2f} there. Here it is the work of one agent again, read "
        f"on top of the first attempt: from {least['tokens'] - 1:.2f} in {least['cell']} to {most['tokens'] - 1:.2f} "
        f"in {most['cell']}, shown in (k), where it is the longer agent's"
    )


def mtpo_tokens(tables: Tables) -> str:
    """Cells with several notices pay for every judgement and every step of a repair."""
    cells = _cells(tables, "mtpo")
    few, many = cells.filter(polars.col("notifications") < 1.5), cells.filter(polars.col("notifications") >= 1.5)
    return (
        f"{', '.join(many['cell'])} send {many['notifications'].mean():.1f} notices a trial and cost "
        f"{many['tokens'].mean():.2f}; the others send {few['notifications'].mean():.1f} and cost "
        f"{few['tokens'].mean():.2f}. Every judgement and every step of a repair is an inference over the whole "
        "context, and our agents make few calls that this could be spread over"
    )


def any_other(tables: Tables) -> str:
    """For a number that nothing is known about; the cells and their spread are in the figure."""
    return "the cells differ as the left panel shows"


REASONS: dict[tuple[str, str], Saying] = {
    (protocol, what): any_other for protocol in ("naive", "2pl", "occ", "mtpo") for what in ("speedup", "tokens")
} | {
    ("naive", "speedup"): naive_speedup,
    ("2pl", "tokens"): locking_tokens,
    ("occ", "tokens"): optimistic_tokens,
    ("mtpo", "tokens"): mtpo_tokens,
}
"""By protocol and quantity, what a number outside its band comes from."""
