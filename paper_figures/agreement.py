"""How far the checker agrees with histories whose verdict somebody else knows: a row a collection and level.

`python -m paper_figures.agreement FOLDER` judges them all and writes the table into `checker/README.md`;
the folder is the one that the tests read (see its MANIFEST.md). Takes minutes.
"""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from checker import check_file
from paper_figures.readme_blocks import CHECKER, replaced

AWDIT = ("none", "read-committed", "read-atomic", "causal")
DBCOP = {
    "ser": "serializable",
    "si": "snapshot-isolation",
    "cc": "causal",
    "ra": "read-atomic",
    "rc": "read-committed",
}
TEXTS = ("galera", "yugabyte", "yugabyte_tcc", "dgraph_si", "pg_ser_bug", "sample_history")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A history and what is known of it: the verdict that is due at a level."""

    collection: str
    file: Path
    name: str | None
    level: str
    due: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What came of a collection at a level; `astray` names the histories with another verdict than is due."""

    collection: str
    level: str
    histories: int
    violated: int
    agree: int
    unknown: int
    astray: tuple[str, ...]
    seconds: float


def known(folder: Path) -> Iterator[Known]:
    """Every history of the folder with every verdict that is known of it."""
    yield from _schedules(folder / "schedules")
    yield from _simulated(folder / "simulated")
    yield from _awdit(folder / "awdit")
    yield from _texts(folder / "register-text")


def _schedules(folder: Path) -> Iterator[Known]:
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            truth = json.loads(line)
            for level, field in (("conflict-serializable", "csr"), ("view-serializable", "vsr")):
                yield _one("schedules", file, level, truth[field], name=str(truth["id"]))


def _simulated(folder: Path) -> Iterator[Known]:
    for line in (folder / "VERDICTS.tsv").read_text(encoding="utf-8").splitlines():
        name, level, valid, *_ = line.split("\t")
        if name.startswith("la-"):
            yield _one("simulated, list-append (Elle)", folder / name, level, valid == "true")
    with (folder / "EXACT.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for level in ("serializable", "strong_session_serializable"):
                yield _one(
                    "simulated, registers (exact)",
                    folder / f"{row['file']}.edn",
                    level.replace("_", "-"),
                    row[level] == "True",
                )


def _awdit(folder: Path) -> Iterator[Known]:
    for strongest, name in enumerate(AWDIT):
        for file in sorted((folder / name).rglob("*.txt")):
            for place, level in enumerate(AWDIT[1:], 1):
                yield _one("AWDIT", file, level, place <= strongest)


def _texts(folder: Path) -> Iterator[Known]:
    for name in TEXTS:
        yield _one("register text (real bugs)", folder / f"{name}.txt", "serializable", name == "sample_history")
    with (folder / "dbcop" / "VERDICTS.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for short, level in DBCOP.items():
                yield _one("dbcop (CockroachDB, Galera)", folder / "dbcop" / row["file"], level, row[short] == "true")


def _one(collection: str, file: Path, level: str, valid: bool, *, name: str | None = None) -> Known:
    return Known(collection=collection, file=file, name=name, level=level, due="ok" if valid else "violated")


def agreements(truths: Iterable[Known]) -> Iterator[Agreement]:
    """A line for each collection and level, in the order of the truths."""
    groups: dict[tuple[str, str], list[Known]] = {}
    for one in truths:
        groups.setdefault((one.collection, one.level), []).append(one)
    for (collection, level), members in groups.items():
        yield _agreement(collection, level, members)


def _agreement(collection: str, level: str, members: list[Known]) -> Agreement:
    start = perf_counter()
    found: dict[tuple[Path, str | None], str] = {}
    for file in dict.fromkeys(one.file for one in members):
        several = any(one.name for one in members)
        for name, verdict in check_file(file, level=level):
            found[file, name if several else None] = verdict.verdict
    said = [(one, found[one.file, one.name]) for one in members]
    return Agreement(
        collection=collection,
        level=level,
        histories=len(members),
        violated=sum(one.due == "violated" for one in members),
        agree=sum(one.due == answer for one, answer in said),
        unknown=sum(answer == "unknown" for _, answer in said),
        astray=tuple(one.name or one.file.name for one, answer in said if answer not in (one.due, "unknown")),
        seconds=perf_counter() - start,
    )


def table(lines: Iterable[Agreement]) -> str:
    """The lines as Markdown."""
    rows = ["| histories | level | how many | of them violated | agree | unknown | astray |", "| --- |" + " --- |" * 6]
    for one in lines:
        astray = ", ".join(one.astray) or "-"
        cells = (one.collection, one.level, one.histories, one.violated, one.agree, one.unknown or "-", astray)
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(rows)


def main(folder: str) -> None:
    """Judge everything in the folder and write the table; says each line as it comes."""
    lines = []
    for one in agreements(known(Path(folder))):
        print(f"{one.collection}, {one.level}: {one.agree} of {one.histories} in {one.seconds:.1f} s", *one.astray)
        lines.append(one)
    text = CHECKER.read_text(encoding="utf-8")
    CHECKER.write_text(replaced(text, "agreement", table(lines)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
