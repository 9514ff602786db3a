"""The generated parts of the README, each made by running what it shows.

`python -m paper_figures.readme_blocks` writes them in; a test holds the README to them.
"""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

from coagent.explore import explore
from coagent.protocols import PROTOCOLS
from coagent.simulate import Clock, Outcome, simulate
from coagent.world import Setting
from workloads import workload

README = Path(__file__).parent.parent / "README.md"
PAPERS_S = {"serial": 50.2, "naive": 31.8, "2pl": 53.1, "occ": 63.7, "mtpo": 32.8}
"""Wall seconds of the canary case in the papers (P1, case study)."""

SESSION = """\
>>> from coagent import Setting, follow, protocol, verdict
>>> from coagent.explore import explore
>>> from workloads import workload
>>> naive, mtpo = (Setting(workload=workload("lost-update"), protocol=protocol(name)) for name in ("naive", "mtpo"))
>>> run = follow(naive, (0, 0, 1))
>>> run.final_state
>>> print(*verdict(run).sentences(), sep="\\n")
>>> found = explore(mtpo)
>>> found.states, [ending.final_state for ending in found.endings]
>>> verdict(follow(mtpo, (0, 0, 1))).order
"""


def session() -> str:
    """The session with what it prints."""
    names: dict[str, object] = {}
    shown = []
    for line in SESSION.splitlines():
        shown.append(line)
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(line.removeprefix(">>> "), "<session>", "single"), names)
        shown += printed.getvalue().splitlines()
    return "\n".join(["```pycon", *shown, "```"])


def protocols() -> str:
    """A row for each protocol: what it may do, and what the canary and the lost update cost under it."""
    head = (
        "| protocol | waits | restarts | notifies | undoes | invariant | seconds (simulated) | the papers' | "
        "tokens over serial (simulated) | states of `lost-update` |"
    )
    rows = [head, "| --- |" + " --- |" * 9]
    canary, update = workload("k2-canary"), workload("lost-update")
    runs = {
        name: simulate(Setting(workload=canary, protocol=one), Clock(canary.cost.tool_s))
        for name, one in PROTOCOLS.items()
    }
    for name, one in PROTOCOLS.items():
        run = runs[name]
        found = explore(Setting(workload=update, protocol=one), max_states=2000)
        holds = "holds" if canary.invariant(run.final_state, run.reports) else "**broken**"
        cells = [
            f"`{name}`",
            "unrecoverable calls" if "Mask" in one.emits else _yes(one.emits, "Park"),
            *(_yes(one.emits, effect) for effect in ("Restart", "Notify")),
            "yes" if one.emits & {"Restart", "Notify"} else "-",
            holds,
            f"{run.seconds:.1f}",
            f"{PAPERS_S[name]}" if name in PAPERS_S else "",
            f"{tokens(run) / tokens(runs['serial']):.2f}",
            f"{found.states}" if found.complete else "no end",
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _yes(emits: frozenset[str], effect: str) -> str:
    return "yes" if effect in emits else "-"


def tokens(run: Outcome) -> int:
    """All tokens of a run, read and written; simulated."""
    kinds = ("prompt_tokens", "cached_tokens", "output_tokens")
    return sum(record[kind] for record in run.history.of("inferred") for kind in kinds)


BLOCKS = {"session": session, "protocols": protocols}


def filled(text: str) -> str:
    """The README's text with every generated part made anew."""
    for name, made in BLOCKS.items():
        mark = re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not mark.search(text):
            raise ValueError(f"the README has no place for the generated part {name!r}")
        body = made()
        text = mark.sub(lambda found, body=body: found[1] + body + "\n" + found[2], text)
    return text


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {README.name}")
