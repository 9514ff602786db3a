"""What a figure of the evaluation is, and which there are; knows nothing of how they are written or run.

A figure is a module of this package with

    NAME, TITLE            the stem of its files, and its heading
    data(quick, workers)   tables by name, measured anew: polars frames of numbers, texts and truth values
    draw(tables)           a matplotlib figure, from the tables alone
    caption(tables)        what is seen and what is simulated, in one to three sentences
    CLAIMS                 rows of the page: the papers' number, ours, and why they differ
    notes(tables)          more of the page, in Markdown (may be left out)

Tables are written to CSV and read back before anything is drawn or said of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

import polars

from coagent.bad_input import BadInput

FIGURES = {
    "a": "correctness_speedup_tokens",
    "b": "cost_against_speed",
    "c": "canary_timelines",
    "d": "deadlocks_and_aborts",
    "e": "judge_errors",
    "f": "many_agents",
    "g": "rank_choice",
    "h": "exposure_before_quiet",
    "i": "policies",
    "j": "contention_crossover",
    "k": "where_we_part",
}
"""Modules of this package by the letter of the figure that each makes."""

Tables = Mapping[str, polars.DataFrame]
Saying = Callable[[Tables], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A row of the page: what is claimed, the papers' number (empty: they have none), and from our tables
    what was measured and why it is another number."""

    what: str
    papers: str = ""
    ours: Saying
    why: Saying = lambda tables: ""


def chosen(only: str | None) -> dict[str, ModuleType]:
    """The figures that a list of letters or names asks for, in alphabetical order; None asks for all.

    Raises BadInput for one that there is not.
    """
    words = list(FIGURES) if only is None else [word.strip() for word in only.split(",")]
    letters = {name: letter for letter, name in FIGURES.items()}
    for word in words:
        if word not in FIGURES and word not in letters:
            known = ", ".join(f"{letter} ({name})" for letter, name in FIGURES.items())
            raise BadInput(f"--only names the figure {word!r}, and there are {known}")
    asked = {letters.get(word, word) for word in words}
    return {letter: import_module(f"paper_figures.{FIGURES[letter]}") for letter in sorted(asked)}
