"""What a person sees of runs whose agents a model drove: what every live run shows, the bill, and the comparison."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.table import Table

from coagent.driven import ModelRan
from coagent.live_screen import print_live
from coagent.measured import Measured
from coagent.screen import Page, print_table

HEADS = ("agent", "completions", "prompt", "cached", "output", "inference s", "cost")


def print_driven(ran: ModelRan, note: str = "") -> None:
    """The run, whose model failed and why, and what it took."""
    print_live(ran.live)
    to = Page()
    for name, why in ran.failed.items():
        to.print(f"the model of {name} failed, and {name} was taken out of the run: {why}", style="red", soft_wrap=True)
    if ran.stuck:
        to.print(f"the run ended short: {ran.stuck}", style="red", soft_wrap=True)
    to.print(f"model {ran.model}, {_when(ran.replayed)}", soft_wrap=True)
    print_table(HEADS, [_row(one) for one in ran.bill.rows(ran.price)])
    if uncounted := ran.bill.total.uncounted:
        to.print(f"{uncounted} answers came without a count of tokens; they are missing above, not estimated")
    if note:
        to.print(note, soft_wrap=True)


def _row(found: dict[str, object]) -> tuple[str, ...]:
    counted = ("completions", "prompt_tokens", "cached_tokens", "output_tokens")
    cost = f"{found['cost']:.6f}" if "cost" in found else "-"
    return (found["agent"] or "all", *(f"{found[name]:,}" for name in counted), f"{found['inference_s']:.2f}", cost)


def _when(replayed: bool) -> str:
    return "from a recording: its numbers were measured when it was made" if replayed else "measured"


def print_measured(lines: Iterable[Measured], trials: str, model: str, replayed: bool) -> None:
    """The comparison, a table for each workload; `trials` says how many there are."""
    to = Page()
    to.print(f"model {model}, {trials}; seconds, tokens and cost {_when(replayed)}\n", soft_wrap=True)
    heads = ("right", "invariant", "seconds", "speedup", "tokens", "x serial", "cost", "x serial", "notices", "undos")
    for name, group in groupby(lines, key=lambda one: one.workload):
        to.print(name, style="bold", soft_wrap=True)
        table = Table(box=None, padding=(0, 1, 0, 0))
        table.add_column("protocol", no_wrap=True, min_width=9)
        for head in heads:
            table.add_column(head, justify="right", no_wrap=True)
        rows: Sequence[Measured] = list(group)
        for one in rows:
            table.add_row(*_measured(one))
        to.print(table)
        for one in rows:
            if one.unfinished or one.failed:
                what = f"{one.unfinished} did not end, {one.failed:g} models failed in a trial on average"
                to.print(f"{one.protocol}: of {one.trials} trials {what}", style="red", soft_wrap=True)
        to.print()
    to.print(
        "right: judged ok, invariant kept, nobody gave up; seconds, tokens, cost: medians of a trial;\n"
        "speedup, x serial: median ratio to the serial trial of the same number; then means per trial."
    )


def _measured(one: Measured) -> tuple[str, ...]:
    return (
        one.protocol,
        f"{100 * one.right:.0f} %",
        "-" if one.invariant is None else f"{100 * one.invariant:.0f} %",
        _number(one.seconds, 2),
        _number(one.speedup, 2),
        _number(one.tokens, 0),
        _number(one.tokens_ratio, 2),
        _number(one.money, 6),
        _number(one.money_ratio, 2),
        f"{one.notifications:.1f}",
        f"{one.undos:.1f}",
    )


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
