"""What a person sees of a live run: the same as of a simulated one, with measured seconds."""

from coagent.lanes import lanes
from coagent.living import LiveRan
from coagent.screen import Page, middle_out, print_pairs, verdict_colour


def print_live(ran: LiveRan, note: str = "") -> None:
    """The lanes, what is there at the end, and the judgement."""
    to, header, end = Page(), ran.history.header, ran.history.end
    to.print(f"{header['workload']} under {header['protocol']}, live", style="bold", soft_wrap=True)
    for line in middle_out(lanes(ran.history, max(to.width, 60))):
        to.print(line, soft_wrap=True)
    to.print()
    print_pairs(to, "final state", end["final_state"])
    print_pairs(to, "reports", end["reports"])
    if ran.invariant is not None:
        to.print(f"invariant: {'holds' if ran.invariant else 'is broken'}", style="green" if ran.invariant else "red")
    if ran.gave_up:
        to.print(f"gave up: {', '.join(ran.gave_up)}; a run that somebody gave up is never ok", style="red")
    for trouble in ran.history.of("trouble"):
        to.print(f"for a person to look at: {trouble['because']}", style="red", soft_wrap=True)
    for sentence in ran.verdict.sentences():
        to.print(sentence, style=verdict_colour(ran.verdict.exit_code), soft_wrap=True)
    if ran.order_exact is not None:
        met = "is" if ran.order_exact else "is not"
        to.print(f"the outcome {met} that of the declared order", soft_wrap=True)
    counts = ran.counts
    to.print(
        f"measured: {ran.seconds:.2f} s, {counts.tokens:,} tokens; {counts.inferences} inferences, "
        f"{counts.notifications} notifications, {counts.undos} undos, {counts.redos} redos, {counts.restarts} restarts",
        soft_wrap=True,
    )
    if note:
        to.print(note, soft_wrap=True)
