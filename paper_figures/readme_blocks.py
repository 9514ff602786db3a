"""The generated parts of the README and of the pages on checking and testing, each made by running what it shows.

`python -m paper_figures.readme_blocks` writes them in; a test holds the pages to them.
"""

import io
import re
from contextlib import chdir, redirect_stdout
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap

from checker.anomaly import TABLE
from checker.level import LEVELS
from coagent.explore import explore
from coagent.protocols import PROTOCOLS
from coagent.simulate import Clock, Outcome, simulate
from coagent.testing import check_protocol
from coagent.world import Setting
from paper_figures.variant_table import table as variants
from workloads import workload

README = Path(__file__).parent.parent / "README.md"
CHECKER = README.parent / "checker" / "README.md"
TESTING = README.parent / "coagent" / "testing" / "README.md"
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
            "yes" if one.emits & {"Restart", "Notify"} and "Merge" not in one.emits else "-",
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


def levels() -> str:
    """A row for each phenomenon, a column for each level that forbids others than its neighbours; then the variants."""
    plain = [one for one in LEVELS.values() if not one.name.startswith("str") and not one.name.startswith(ALIKE)]
    heads = [f"{one.name}{f' ({one.adya})' if one.adya else ''}" for one in plain]
    named = dict.fromkeys(kind.adya for kind in TABLE)
    forbidden = {name for one in plain for name in one.forbids}
    phenomena = [*(name for name in named if name in forbidden), *sorted(forbidden - set(named))]
    rows = ["| forbidden | " + " | ".join(heads) + " |", "| --- |" + " --- |" * len(heads)]
    rows += [
        f"| {name} | " + " | ".join("x" if name in one.forbids else "" for one in plain) + " |" for name in phenomena
    ]
    strong = ", ".join(f"`{name}`" for name in LEVELS if name.startswith("str"))
    return "\n".join([*rows, "", f"The same with the order of sessions or of real time besides: {strong}."])


def anomalies() -> str:
    """A row for each anomaly that the checker names."""
    rows = ["| anomaly | Adya, or our own | what it is |", "| --- | --- | --- |"]
    return "\n".join([*rows, *(f"| {one.name} | {one.adya} | {one.says} |" for one in TABLE)])


def examples(page: Path = TESTING) -> dict[str, str]:
    """The protocols of the worked example by the name of the file that each is to be saved in."""
    found = re.findall(r"```python\n(from dataclasses .*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return dict(zip(("restarting.py", "cascading.py"), found, strict=True))


def tested(name: str, budget: str = "ci") -> str:
    """What testing a protocol of the worked example prints, saved as the page says."""
    with TemporaryDirectory() as folder:
        for file, code in examples().items():
            (Path(folder) / file).write_text(code, encoding="utf-8")
        with chdir(folder):
            report = check_protocol(name, budget=budget)
    return "\n".join(["```text", *wrapped(report.sentences()), "```"])


def wrapped(lines: list[str]) -> list[str]:
    """Lines broken where a page would have to be scrolled."""
    return [part for line in lines for part in wrap(line, 118, subsequent_indent="  ", break_on_hyphens=False)]


ALIKE = ("view-", "conflict-")
"""Levels of schedules, which forbid what serializable does."""

PAGES = {
    README: {"session": session, "protocols": protocols, "variants": variants},
    CHECKER: {"levels": levels, "anomalies": anomalies},
    TESTING: {
        "restarting": partial(tested, "restarting.py:Restarting"),
        "cascading": partial(tested, "cascading.py:Cascading", "quick"),
    },
}
"""What is generated into which page on every change; what takes minutes is written by modules of its own."""


def filled(page: Path) -> str:
    """The page's text with every generated part made anew."""
    text = page.read_text(encoding="utf-8")
    for name, made in PAGES[page].items():
        text = replaced(text, name, made())
    return text


def replaced(text: str, name: str, body: str) -> str:
    """The text with another body in the place of the generated part of this name. Raises ValueError without one."""
    mark = re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not mark.search(text):
        raise ValueError(f"there is no place for the generated part {name!r}")
    return mark.sub(lambda found: found[1] + body + "\n" + found[2], text)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(filled(page), encoding="utf-8")
        print(f"wrote {page.relative_to(README.parent)}")
