"""What a person sees of a run, an exploration, a comparison: plain sentences and tables, numbers with their unit.

Decides nothing but the looks; every simulated number says so.
"""

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from threading import Timer
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from checker.verdict import Verdict
from coagent.compare import Compared
from coagent.exploring import Explored, Judged
from coagent.history import frozen
from coagent.lanes import WIDTH, lanes
from coagent.operation import show
from coagent.running import Ran

MOST_LINES = 150
"""Lines of a picture that are shown; the middle of a longer one is left out."""

MOST_ENDINGS = 20
MOST_ROUND = 20
"""Sentences about a way round for ever that are shown."""
_COLOURS = {0: "green", 1: "red", 2: "yellow"}


class Page(Console):
    """Where people read; as wide as the terminal, or as a page when there is none. A broken pipe is the caller's."""

    def __init__(self) -> None:
        super().__init__(highlight=False, emoji=False, markup=False)
        if not self.is_terminal:
            self.width = WIDTH

    def print(self, *objects: object, **how: object) -> None:
        """Print, with what would move a terminal's cursor spelled out in texts."""
        super().print(*(legible(one) if isinstance(one, str) else one for one in objects), **how)

    def on_broken_pipe(self) -> None:
        """Raise what Rich would turn into an exit code that means something else here."""
        raise BrokenPipeError


def legible(text: str) -> str:
    """Text with what no terminal should be sent spelled out; line breaks stay."""
    return "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text)


def verdict_colour(code: int) -> str:
    """The colour of an exit code."""
    return _COLOURS[code]


def print_report(sentences: Sequence[str], code: int) -> None:
    """A report's sentences, its answer on top."""
    to = Page()
    to.print(sentences[0], style=f"bold {_COLOURS.get(code, 'red')}", soft_wrap=True)
    for line in sentences[1:]:
        to.print(line, soft_wrap=True)


def print_run(ran: Ran, note: str = "") -> None:
    """The lanes, what is there at the end, and the judgement."""
    to, outcome = Page(), ran.outcome
    header, end = outcome.history.header, outcome.history.end
    to.print(f"{header['workload']} under {header['protocol']}", style="bold", soft_wrap=True)
    for line in middle_out(lanes(outcome.history, max(to.width, 60))):
        to.print(line, soft_wrap=True)
    to.print()
    print_pairs(to, "final state", end["final_state"])
    print_pairs(to, "reports", end["reports"])
    _print_judgement(to, ran)
    counts = ran.counts
    to.print(
        f"simulated: {outcome.seconds:.1f} s, {counts.tokens:,} tokens (cost {counts.cost:,}); {counts.inferences} "
        f"inferences, {counts.notifications} notifications, {counts.undos} undos, {counts.redos} redos, "
        f"{counts.restarts} restarts, {counts.deadlocks} deadlocks",
        soft_wrap=True,
    )
    to.print(f"schedule: {_schedule(outcome.schedule)}", style="dim", soft_wrap=True)
    if note:
        to.print(note, soft_wrap=True)


def print_verdict(name: str, verdict: Verdict) -> None:
    """One history's verdict: the answer, then the reasons."""
    to = Page()
    to.print(f"{name}: {verdict.verdict}", style=_COLOURS[verdict.exit_code], soft_wrap=True)
    for sentence in verdict.sentences():
        to.print(f"  {sentence}", soft_wrap=True)


def print_explored(found: Explored, replay: Sequence[str]) -> None:
    """States and endings; `replay` is the command that runs one again, but for its schedule."""
    to, all_ = Page(), found.exploration
    whole = "every schedule explored" if all_.complete else f"explored to depth {all_.depth}, {all_.open:,} states open"
    kind = "states, like ones counted once" if all_.reduced else "states, all told apart"
    kind += "".join(f", whoever of {', '.join(names)} is where" for names in all_.alike)
    rate = all_.states / max(found.seconds, 1e-6)
    to.print(
        f"{all_.states:,} {kind}, {all_.transitions:,} transitions, depth {all_.depth}; {whole}; "
        f"{'some schedule sends a notice' if all_.notified else 'no notice was sent'}; "
        f"{found.seconds:.1f} s, {rate:,.0f} states/s",
        soft_wrap=True,
    )
    if all_.note:
        to.print(all_.note, soft_wrap=True)
    to.print(f"{len(found.endings)} ending{'' if len(found.endings) == 1 else 's'}:", soft_wrap=True)
    shown = sorted(found.endings, key=lambda one: one.right is not False)[:MOST_ENDINGS]
    for one in shown:
        _print_ending(to, one, replay)
    if len(found.endings) > len(shown):
        to.print(f"  and {len(found.endings) - len(shown)} more (--json lists them all)")
    if lines := found.round_told():
        _print_round(to, found, lines, replay)
    _print_conclusion(to, found)


def _print_round(to: Page, found: Explored, lines: Sequence[str], replay: Sequence[str]) -> None:
    to.print("livelock: a way round for ever", style="red")
    for line in lines[:MOST_ROUND]:
        to.print(f"  {line}", soft_wrap=True)
    taken = found.worst.outcome.schedule
    most = ["--max-steps", str(len(taken))]
    command = shlex.join([*replay, "--schedule", ",".join(map(str, taken)), *most])
    to.print(f"    {command}", style="dim", soft_wrap=True)


def print_compared(lines: Iterable[Compared], trials: str) -> None:
    """The comparison, a table for each workload and set of parameters; `trials` says how many there are."""
    to = Page()
    to.print(f"simulated agents, {trials}; seconds and tokens are simulated\n", soft_wrap=True)
    heads = ("right", "pre-order", "seconds", "speedup", "tokens", "notices", "undos", "restarts", "deadlocks")
    for name, group in groupby(lines, key=_of):
        to.print(name, style="bold", soft_wrap=True)
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column("protocol", no_wrap=True, min_width=14)
        for head in heads:
            table.add_column(head, justify="right", no_wrap=True)
        for one in group:
            table.add_row(*_compared(one))
        to.print(table)
        to.print()
    to.print(
        "right: judged ok, invariant kept, nobody gave up; pre-order: the declared order's outcome;\n"
        "speedup, tokens: median ratio to the serial run of the same seed; then means per trial."
    )


def _of(one: Compared) -> str:
    """A workload with what is said of it besides."""
    more = [
        f"{one.agents} agents" if one.agents else "",
        "with an irrelevant write" if one.irrelevant else "",
        f"miss {one.miss:g}" if one.miss else "",
        f"over {one.over:g}" if one.over else "",
        f"rank {one.rank}" if one.rank != "launch" else "",
    ]
    return ", ".join([one.workload, *filter(None, more)])


def _compared(one: Compared) -> tuple[str, ...]:
    events = (one.notifications, one.undos, one.restarts, one.deadlocks)
    return (
        one.protocol,
        _share(one.ok),
        _share(one.order_exact),
        _number(one.seconds, 1),
        _number(one.speedup, 2),
        _number(one.tokens, 2),
        *(_number(value, 1) for value in events),
    )


def print_table(heads: Sequence[str], cells: Iterable[Sequence[str]], title: str = "") -> None:
    """A table of texts, the first column never broken."""
    table = Table(title=title or None, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for place, head in enumerate(heads):
        table.add_column(head, no_wrap=place == 0, overflow="fold")
    for row in cells:
        table.add_row(*row)
    Page().print(table)


MOST_CHOICES = 300
"""Choices of a schedule that are printed."""

PATIENCE_S = 2.0
"""Seconds before a progress bar appears."""

LINE_EVERY_S = 5.0
"""Seconds between the lines that say how far an exploration is where there is no terminal."""


class Ticker:
    """A progress bar on a terminal's stderr for what takes longer than two seconds; elsewhere silent, but for a line
    every five seconds of an exploration.

    `most` is how much there is to do, None when nobody knows.
    """

    def __init__(self, doing: str, most: int | None = None) -> None:
        self._doing, self._most, self._bar = doing, most, None
        self._console, self._start = Console(stderr=True), perf_counter()
        self._next = self._start + LINE_EVERY_S
        self._timer = Timer(PATIENCE_S, self._show)
        self._timer.daemon = True

    def __enter__(self) -> "Ticker":
        if self._console.is_terminal:
            self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()
        if self._timer.is_alive():
            self._timer.join()
        if self._bar:
            self._bar.stop()

    def __call__(self, done: int, what: str) -> None:
        """Show how far it is: so much of `most`, in words."""
        if self._bar and self._bar.task_ids:
            self._bar.update(self._bar.task_ids[0], completed=done, description=what)

    def states(self, found: int, frontier: int, depth: int) -> None:
        """Show how far an exploration is: states found, states waiting in the next layer, depth."""
        rate = found / (perf_counter() - self._start)
        line = f"{found:,} states, {rate:,.0f}/s, frontier {frontier:,}, depth {depth}"
        self(found, line)
        if not self._console.is_terminal and perf_counter() > self._next:
            self._next = perf_counter() + LINE_EVERY_S
            sys.stderr.write(f"coagent: {self._doing}: {line}\n")

    def _show(self) -> None:
        columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        bar = Progress(*columns, console=self._console, transient=True)
        bar.add_task(self._doing, total=self._most)
        bar.start()
        self._bar = bar


def _print_judgement(to: Page, ran: Ran) -> None:
    if ran.invariant is not None:
        kept = "holds" if ran.invariant else "is broken"
        to.print(f"invariant: {kept}", style=_COLOURS[0 if ran.invariant else 1])
    if ran.gave_up:
        to.print(f"gave up: {', '.join(ran.gave_up)}; a run that somebody gave up is never ok", style="red")
    if ran.stuck:
        to.print("stuck: nothing can happen any more, and not everyone has committed", style="red")
    elif not ran.outcome.quiescent:
        to.print("not quiescent within the step bound, so nothing is promised: cannot tell", style="yellow")
    for sentence in ran.verdict.sentences():
        to.print(sentence, style=_COLOURS[ran.verdict.exit_code], soft_wrap=True)
    if ran.outcome.quiescent and ran.order_exact is not None:
        met = "is" if ran.order_exact else "is not"
        to.print(f"the outcome {met} that of the declared order", soft_wrap=True)


def _print_ending(to: Page, one: Judged, replay: Sequence[str]) -> None:
    ending = one.ending
    mark = {True: "right", False: "wrong", None: "unknown"}[one.right]
    to.print(f"  {mark}: {one.why}", style={True: "green", False: "red", None: "yellow"}[one.right], soft_wrap=True)
    to.print(f"    final state {_pairs(ending.final_state)}; reports {_pairs(ending.reports)}", soft_wrap=True)
    taken = ["--schedule", ",".join(map(str, ending.schedule))] if ending.schedule else []
    command = shlex.join([*replay, *taken])
    to.print(f"    {command}", style="dim", soft_wrap=True)


def _print_conclusion(to: Page, found: Explored) -> None:
    match found.exit_code:
        case 0:
            to.print("every schedule comes to an end, and every ending is as promised", style="green")
        case 1:
            to.print("a counterexample; of the run along its schedule the checker says:", style="red")
            for sentence in found.worst.verdict.sentences():
                to.print(f"  {sentence}", soft_wrap=True)
        case _ if not found.exploration.complete:
            to.print("no counterexample so far, and not everything was explored: cannot tell", style="yellow")
        case _ if not found.endings:
            to.print("no schedule comes to an end: cannot tell", style="yellow")
        case _:
            to.print("cannot tell of every ending", style="yellow")


def print_pairs(to: Page, title: str, pairs: Mapping[str, object], most: int = 30) -> None:
    to.print(f"{title}:" + ("" if pairs else " nothing"))
    for name, value in list(pairs.items())[:most]:
        to.print(f"  {name} = {show(frozen(value))}", soft_wrap=True)
    if len(pairs) > most:
        to.print(f"  and {len(pairs) - most} more (--json lists them all)")


def _pairs(pairs: Mapping[str, object], most: int = 8) -> str:
    shown = [f"{name} = {show(frozen(value))}" for name, value in list(pairs.items())[:most]]
    return "{" + ", ".join(shown + ["..."] * (len(pairs) > most)) + "}"


def _schedule(taken: Sequence[int]) -> str:
    if len(taken) > MOST_CHOICES:
        return f"{len(taken):,} choices; the same command takes them again"
    return ",".join(map(str, taken))


def middle_out(lines: list[str]) -> list[str]:
    if len(lines) <= MOST_LINES:
        return lines
    left = len(lines) - MOST_LINES
    head, tail = MOST_LINES * 2 // 3, MOST_LINES // 3
    return [*lines[:head], f"{'...':>11} {left} lines left out; --record keeps everything", *lines[-tail:]]


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
