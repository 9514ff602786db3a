"""`python -m paper_figures`: measure, draw and write the figures, then the page of them all.

Bad input is one line on standard error and exit code 3.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from coagent.bad_input import BadInput
from paper_figures.figure import chosen
from paper_figures.page import page
from paper_figures.writing import note_origin, read_tables, write_picture, write_tables

HERE = Path(__file__).parent
QUICK = HERE.parent / "build" / "paper_figures_quick"
BAD_INPUT = 3


class _Parser(argparse.ArgumentParser):
    """argparse, but what it dislikes is a BadInput."""

    def error(self, message: str) -> None:
        raise BadInput(f"{message}; python -m paper_figures --help says what there is")


def made(only: str | None, *, quick: bool, workers: int, folder: Path, redraw: bool = False) -> None:
    """Measure, draw and write these figures, saying each as it comes, and write the page anew.

    With `redraw` nothing is measured: the tables are those in the folder. Raises BadInput where there are none.
    """
    for letter, module in chosen(only).items():
        start = perf_counter()
        if not redraw:
            write_tables(folder, module.NAME, module.data(quick, workers))
            note_origin(folder, module.NAME, "quick" if quick else "full")
        tables = read_tables(folder, module.NAME)
        if not tables:
            raise BadInput(f"no tables of {module.NAME} are there to draw; leave --redraw out", str(folder / "data"))
        paths = write_picture(folder, module, tables)
        print(f"({letter}) {module.NAME}: {perf_counter() - start:.1f} s, {', '.join(map(str, paths))}", flush=True)
    (folder / "README.md").write_text(page(folder), encoding="utf-8")
    print(folder / "README.md")


def main(argv: Sequence[str] | None = None) -> int:
    """The command; gives its exit code."""
    parser = _Parser(prog="python -m paper_figures", description="Rebuild the figures of the evaluation.")
    parser.add_argument("--quick", action="store_true", help="few trials: a look in a minute, not the evaluation")
    parser.add_argument("--only", metavar="a,c", help="letters or names of the figures to make (default: all)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes that simulate (default: 2)")
    parser.add_argument(
        "--folder", type=Path, help=f"where to write (default: {HERE.name}, with --quick build/{QUICK.name})"
    )
    parser.add_argument("--redraw", action="store_true", help="measure nothing: draw again what was measured")
    try:
        asked = parser.parse_args(argv)
        if asked.workers < 1:
            raise BadInput(f"--workers is {asked.workers}, and somebody has to simulate; give 1 or more")
        folder = asked.folder or (QUICK if asked.quick else HERE)
        how = {"quick": asked.quick, "workers": asked.workers, "redraw": asked.redraw}
        made(asked.only, folder=folder, **how)
    except (BadInput, OSError) as error:
        print(f"paper_figures: {error}", file=sys.stderr)
        return BAD_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
