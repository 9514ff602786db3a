"""Files of a figure: tables to CSV and back, the picture to SVG and PDF. Same tables, same bytes.

Knows nothing of what a figure means.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import polars

from coagent import __version__
from paper_figures.figure import Tables
from paper_figures.style import applied, captioned

DIGITS = 6
"""Decimals that a number keeps in a table."""


def write_tables(folder: Path, name: str, tables: Tables) -> None:
    """Write a figure's tables to `data/NAME.TABLE.csv`, in place of all that it had there."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for old in data.glob(f"{name}.*.csv"):
        old.unlink()
    for table, frame in tables.items():
        rounded = frame.with_columns(polars.col(polars.Float64, polars.Float32).round(DIGITS))
        rounded.write_csv(data / f"{name}.{table}.csv")


def read_tables(folder: Path, name: str) -> Tables:
    """A figure's tables as they were written; empty when there are none."""
    found = sorted((folder / "data").glob(f"{name}.*.csv"))
    return {path.name.split(".")[1]: polars.read_csv(path, infer_schema_length=None) for path in found}


def write_picture(folder: Path, module: ModuleType, tables: Tables) -> list[Path]:
    """Draw a figure from its tables, and write it to `figures/NAME.svg` and `.pdf`."""
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    paths = [figures / f"{module.NAME}.svg", figures / f"{module.NAME}.pdf"]
    with applied():
        drawn = captioned(module.draw(tables), module.caption(tables))
        for path, metadata in zip(paths, ({"Date": None}, {"CreationDate": None}), strict=True):
            drawn.savefig(path, metadata=metadata, bbox_inches="tight", pad_inches=0.05)
    return paths


def note_origin(folder: Path, name: str, profile: str) -> None:
    """Note in `data/origin.json` with which version and profile a figure's tables were measured."""
    path = folder / "data" / "origin.json"
    origins = {**read_origins(folder), name: {"coagent": __version__, "profile": profile}}
    path.write_text(json.dumps(origins, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_origins(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """By figure, the version and profile that its tables come from."""
    path = folder / "data" / "origin.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
