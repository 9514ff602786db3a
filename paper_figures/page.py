"""The page of all figures: picture, caption, and a row for each claim with the papers' number beside ours.

Every number on it comes from the tables in `data/`, so page and data cannot drift apart.
"""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from paper_figures.figure import FIGURES, Tables, chosen
from paper_figures.writing import read_origins, read_tables

HEAD = """\
# The evaluation, figure by figure

All of this is made by `python -m paper_figures` (extra `figures`; `--quick` is for a look, with few trials, and writes
elsewhere; `--only a,c` makes some; `--redraw` draws what was measured). **The agents are simulated**: programs with
think times, a price list for tokens, and a judge that errs at a given rate. The numbers called *the papers'* were
measured there with a real model (deepseek-v4-flash, ten trials a cell); ours are what the protocols do to simulated
agents, and no number of ours is a model's. The think times and token prices were fitted once, to the papers' canary,
and are the same for every protocol. Intervals are 95 %. Numbers on this page are read from `data/` when it is made.
"""


def page(folder: Path) -> str:
    """The page for the figures whose tables are in a folder, as Markdown."""
    origins = read_origins(folder)
    parts = [HEAD]
    for letter, module in chosen(None).items():
        tables = read_tables(folder, FIGURES[letter])
        if tables:
            parts.append("\n".join(_section(letter, module, tables, origins[module.NAME])))
    return "\n".join(parts)


def _section(letter: str, module: ModuleType, tables: Tables, origin: dict[str, str]) -> Iterator[str]:
    name = module.NAME
    files = [f"[{table}](data/{name}.{table}.csv)" for table in sorted(tables)]
    yield f"## ({letter}) {module.TITLE}\n"
    yield f"![{module.TITLE}](figures/{name}.svg)\n"
    yield f"{module.caption(tables)}\n"
    yield (
        f"[SVG](figures/{name}.svg), [PDF](figures/{name}.pdf); data: {', '.join(files)}; "
        f"coagent {origin['coagent']}, {origin['profile']} profile.\n"
    )
    yield "| claim | the papers | ours (simulated) | why they differ |"
    yield "| --- | --- | --- | --- |"
    for claim in module.CLAIMS:
        cells = (claim.what, claim.papers or "-", claim.ours(tables), claim.why(tables) or "-")
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
    yield ""
    if hasattr(module, "notes"):
        yield module.notes(tables).rstrip() + "\n"
