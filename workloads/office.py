"""The office world as cells: WorkBench's own tables from a folder, or generated ones of the same shape.

A row becomes cells `TABLE/ID/FIELD` that hold integers and strings. WorkBench is Styles et al., 2024.
"""

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from coagent.bad_input import BadInput
from coagent.operation import Value
from coagent.path_template import path_problem
from workloads.office_names import DOMAIN, EMPLOYEES, MEETINGS

FIRST_DAY, LAST_DAY = date(2023, 8, 1), date(2023, 12, 21)
OPENS_MIN, LAST_START_MIN, CLOSES_MIN, SLOT_MIN = 9 * 60, 15 * 60 + 30, 18 * 60, 30
"""Minutes of the day: generated events start on the half hour, from nine to half past three; all is over at six."""

DURATIONS_MIN = (30, 60, 90, 120)

Row = Mapping[str, str]
"""A line of a table: text by the column's heading."""

State = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: its CSV file, the column of the ids, and for every other column the field and how its text is read.

    The empty field is for a column that is not kept.
    A reader raises ValueError for text that it cannot read. `generate` gives rows of the same columns.
    """

    name: str
    file: str
    key: str
    fields: tuple[tuple[str, str, Callable[[str], Value]], ...]
    generate: Callable[[Random], list[Row]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The headings, in the file's order."""
        return (self.key, *(column for column, _, _ in self.fields))


def minute_of_day(start: str) -> int:
    """Minutes since midnight of a start such as `2023-08-01 09:30`."""
    return int(start[-5:-3]) * 60 + int(start[-2:])


def clock(minute: int) -> str:
    """A minute of the day as `09:30`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _start(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M")


def _minutes(text: str) -> int:
    if not 0 < int(text) <= 24 * 60:
        raise ValueError(text)
    return int(text)


def _generate_calendar(random: Random) -> list[Row]:
    """300 events on working days, sorted by start, no two at one time, ids in no order."""
    days = [FIRST_DAY + timedelta(days=ahead) for ahead in range((LAST_DAY - FIRST_DAY).days + 1)]
    days = [day for day in days if day.weekday() < 5]
    booked: dict[date, list[tuple[int, int]]] = {day: [] for day in days}
    ids = [f"{number:08}" for number in range(300)]
    random.shuffle(ids)
    while sum(map(len, booked.values())) < len(ids):
        day, minutes = random.choice(days), random.choice(DURATIONS_MIN)
        start = random.randrange(OPENS_MIN, LAST_START_MIN + 1, SLOT_MIN)
        if all(start + minutes <= other or other + length <= start for other, length in booked[day]):
            booked[day].append((start, minutes))
    events = [(day, start, minutes) for day in days for start, minutes in sorted(booked[day])]
    return [
        {
            "event_id": name,
            "event_name": random.choice(MEETINGS),
            "participant_email": f"{random.choice(EMPLOYEES)}@{DOMAIN}",
            "event_start": f"{day} {clock(start)}:00",
            "duration": str(minutes),
        }
        for name, (day, start, minutes) in zip(ids, events, strict=True)
    ]


CALENDAR = Table(
    name="calendar",
    file="calendar_events.csv",
    key="event_id",
    generate=_generate_calendar,
    fields=(
        ("event_name", "name", str),
        ("participant_email", "participant", str),
        ("event_start", "start", _start),
        ("duration", "minutes", _minutes),
    ),
)


def state(tables: Iterable[Table], *, folder: Path | None, seed: int = 0) -> State:
    """The cells of the tables, sorted by path: read from a folder of CSV files, or generated from a seed.

    `start` is `YYYY-MM-DD HH:MM`, `minutes` a length. Raises BadInput, with file and line.
    """
    cells: dict[str, Value] = {}
    for table in tables:
        rows = generated(table, seed) if folder is None else read_table(table, folder)
        where = "generated" if folder is None else str(folder / table.file)
        for line, row in enumerate(rows, 2):
            cells |= _cells(table, row, f"{where}:{line}", cells)
    return tuple(sorted(cells.items()))


def generated(table: Table, seed: int = 0) -> list[Row]:
    """The generated rows: the same for the same seed, on every machine."""
    return table.generate(Random(f"{seed} {table.name}"))


def read_table(table: Table, folder: Path) -> list[Row]:
    """The rows of a table's CSV file. Raises BadInput for a file that is not there or has other columns."""
    path = folder / table.file
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            columns, rows = tuple(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"the {table.name} cannot be read ({error}); check --tables", str(path)) from None
    if columns != table.columns:
        found = ", ".join(columns) or "missing"
        raise BadInput(f"the columns are {found}, not {', '.join(table.columns)}", f"{path}:1")
    return rows


def _cells(table: Table, row: Row, where: str, taken: Mapping[str, Value]) -> dict[str, Value]:
    """The cells of one row."""
    name = row[table.key]
    if None in row or None in row.values():
        raise BadInput(f"the row has not the {len(table.columns)} values that the heading names", where)
    if path_problem(name) or "/" in name or "{" in name or "}" in name:
        raise BadInput(f"the {table.key} {name!r} cannot be part of a path; use letters and digits", where)
    kept = next(field for _, field, _ in table.fields if field)
    if f"{table.name}/{name}/{kept}" in taken:
        raise BadInput(f"the {table.key} {name!r} is there twice; ids name one row", where)
    cells = {}
    for column, field, read in table.fields:
        try:
            value = read(row[column])
        except ValueError:
            raise BadInput(f"{row[column]!r} cannot be the {column}", where) from None
        if field:
            cells[f"{table.name}/{name}/{field}"] = value
    return cells


def person(state: Mapping[str, Value], first_name: str) -> str:
    """The address, of those that own or attend something, that begins with this first name.

    Raises BadInput where there is none, or more than one.
    """
    who = {value for path, value in state.items() if path.endswith(("/owner", "/participant"))}
    found = sorted(one for one in who if one.startswith(f"{first_name.lower()}."))
    if len(found) != 1:
        said = ", ".join(found) or "nobody"
        raise BadInput(f"the story is about one {first_name}, and the tables have {said}; check --tables")
    return found[0]


def below(state: Mapping[str, Value], table: str, field: str) -> dict[str, Value]:
    """One field of a table's rows, by id, the ids in order."""
    start, end = f"{table}/", f"/{field}"
    least = len(start) + len(end)
    found = sorted(path for path in state if path.startswith(start) and path.endswith(end) and len(path) >= least)
    return {path[len(start) : -len(end)]: state[path] for path in found}
