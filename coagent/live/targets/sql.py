"""A database as cells: rows of tables as `TABLE/KEY/COLUMN`, and a table of paths and JSON values as plain paths.

Decides what a memo holds and when a write is a conflict. Who writes, and in which order, it does not know.
"""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext

from coagent.bad_input import BadInput
from coagent.live.target import Conflict, Memo, Reading, Refused
from coagent.live.targets.path_part import part
from coagent.live.targets.sql_engine import opened_engine, usable
from coagent.live.targets.sql_error import said
from coagent.live.targets.sql_table import (
    Place,
    Row,
    Shape,
    create_cells,
    delete,
    has_table,
    insert,
    lock_tables,
    place,
    reflected,
    row_at,
    rows_below,
    sql,
    update,
)
from coagent.live.targets.sql_value import brought_back, digest, kept
from coagent.operation import Cell, Value, same, show

TRIES = 3
"""How often a blind insert looks again when somebody else inserted the row meanwhile."""

Tables = Sequence[str] | Mapping[str, Sequence[str] | None]


class SqlTarget:
    """Tables of an SQLite file (`sqlite:///FILE`) or of PostgreSQL (`postgresql://...`); one write is one transaction.

    `tables` are names, or a mapping to the columns shown (None: all but the key's and generated ones; the key's, of a
    table that has no others). `cells` shows a table of paths and JSON values: `{"roots": [...]}`, with `table`, `path`
    and `value` where they are called otherwise; it is made if it is not there. Integers, text, booleans, lists in JSON
    and null are values. All else is a text that says it without loss: PostgreSQL's own; on SQLite Python's shortest of
    a number, and `\\x68` of a blob; of other JSON its text. A value that does not read back as it was written is
    refused, and so is a write along which the database would change other cells.

    Columns of a new row that are not named get the database's defaults; those not shown come back with a row that is
    put back. `patience_s` is how long to wait for a lock; a wait in vain raises the driver's OperationalError.
    """

    def __init__(
        self, url: str, *, tables: Tables = (), cells: Mapping[str, object] | None = None, patience_s: float = 5.0
    ) -> None:
        self._url = usable(url)
        self._tables = dict(tables) if isinstance(tables, Mapping) else dict.fromkeys(tables)
        self._cells = {"table": "cells", "path": "path", "value": "value", "roots": [], **cells} if cells else {}
        self._patience_s = patience_s
        self.roots = (*(part(name) for name in self._tables), *self._cells.get("roots", ()))
        if len(set(self.roots)) < len(self.roots):
            raise BadInput("two tables would have the same root; give the plain paths other first parts", "tables")
        self._engine = opened_engine(self._url, patience_s)
        self._found: tuple[Shape, ...] | None = None
        self._reflecting = threading.Lock()
        # SQLite's own waiting is unfair among many, so that we queue those of this process ourselves.
        self._turn = threading.Lock() if self._url.get_backend_name() == "sqlite" else nullcontext()

    @property
    def spec(self) -> Mapping[str, object]:
        """Everything but the password, which libpq also takes from PGPASSWORD or a password file."""
        url = self._url._replace(password=None).difference_update_query(("password", "sslpassword"))
        return {
            "kind": "sql",
            "url": url.render_as_string(hide_password=False),
            "tables": {name: shown if shown is None else list(shown) for name, shown in self._tables.items()},
            "cells": self._cells or None,
            "patience_s": self._patience_s,
        }

    async def read(self, paths: Sequence[str]) -> Reading:
        """Every cell at or below these paths, of one moment."""
        return await asyncio.to_thread(_answered, self._read, tuple(dict.fromkeys(paths)))

    async def write(self, cells: Mapping[str, Cell], *, seen: Memo, restore: Memo) -> None:
        """Let these cells be so in one transaction: Refused and Conflict leave nothing behind."""
        if cells or seen:
            await asyncio.to_thread(_answered, self._write, cells, seen, restore)

    async def close(self) -> None:
        """Let go of connections."""
        await asyncio.to_thread(self._engine.dispose)

    def _shapes(self) -> tuple[Shape, ...]:
        with self._reflecting:
            if self._found is None:
                self._make_cells()
                with self._engine.begin() as connection:
                    self._found = self._reflected(connection)
            return self._found

    def _make_cells(self) -> None:
        """The table of plain paths, if it is not there; somebody else may make it at the same moment."""
        if not self._cells:
            return
        table, path, value = (self._cells[name] for name in ("table", "path", "value"))
        try:
            with self._turn, self._engine.connect().execution_options(coagent_writing=True) as connection:
                with connection.begin():
                    if not has_table(connection, table):
                        create_cells(connection, table, path, value)
        except sql.exc.DBAPIError:
            with self._engine.begin() as connection:
                if not has_table(connection, table):
                    raise

    def _reflected(self, connection: sql.Connection) -> tuple[Shape, ...]:
        found = [reflected(connection, name, shown) for name, shown in self._tables.items()]
        if self._cells:
            roots, value = self._cells["roots"], self._cells["value"]
            found.append(reflected(connection, self._cells["table"], (value,), roots))
        return tuple(found)

    def _read(self, paths: Sequence[str]) -> Reading:
        shapes = self._shapes()
        rows: dict[str, Row | None] = {}
        asked: dict[str, tuple[Shape, set[str] | None]] = {}
        memo: dict[str, object] = {}
        with self._engine.connect().execution_options(coagent_snapshot=True) as connection:
            for at in filter(None, (place(shapes, path) for path in paths)):
                within = _members(connection, at)
                rows.update(within)
                asked.update(dict.fromkeys(within, (at.shape, None)))
                row = None if at.key is None else row_at(connection, at)
                # A plain path that holds a value and has none below it is no listing, and needs no lock on the table.
                if at.key is None or (at.shape.roots is not None and (within or row is None)):
                    memo[at.name + "/"] = digest(list(within))
                if at.key is not None:
                    rows[at.name] = row
                    before = asked.get(at.name, (at.shape, set()))[1]
                    wanted = None if before is None or at.column is None else before | {at.column}
                    asked[at.name] = at.shape, wanted
        cells: dict[str, Value] = {}
        for name, (shape, wanted) in asked.items():
            memo[name] = _entry(shape, rows[name], wanted)
            cells.update(_cells_of(shape, name, rows[name], wanted))
        return Reading(cells=cells, memo=memo)

    def _write(self, cells: Mapping[str, Cell], seen: Memo, restore: Memo) -> None:
        shapes = self._shapes()
        plan: dict[str, tuple[Place, dict[str, Cell]]] = {}
        for path, cell in cells.items():
            at = place(shapes, path)
            if at is None or at.column is None:
                raise Refused(f"{path} is no cell of a row")
            plan.setdefault(at.name, (at, {}))[1][at.column] = cell
        for _ in range(TRIES):
            with self._turn, self._engine.connect().execution_options(coagent_writing=True) as connection:
                with connection.begin() as transaction:
                    if self._written(connection, plan, seen, restore):
                        return
                    transaction.rollback()
        raise Refused(f"{min(plan)} is not there, and something that the database holds equal is")

    def _written(self, connection: sql.Connection, plan: Mapping, seen: Memo, restore: Memo) -> bool:
        """Check, write and read back, in a transaction; False to begin again, as a row has just appeared."""
        shapes = self._shapes()
        places = {name: place(shapes, name.removesuffix("/")) for name in (*seen, *plan)}
        if None in places.values():
            raise Refused("this memo is of another target")
        members = {name for name in seen if name.endswith("/")}
        if members:
            touched = {at.shape.name: at.shape for at in places.values()}
            lock_tables(connection, touched, {places[name].shape.name for name in members})
        rows = _checked(connection, places, seen)
        for name in sorted(plan):
            at, cells = plan[name]
            if not _apply(connection, at, rows[name], cells, restore.get(name, {})):
                if name in seen:
                    raise Conflict(f"{name} has appeared since it was read")
                return False
        for name, (at, cells) in plan.items():
            _read_back(at, rows[name], row_at(connection, at), cells)
        return True


def _members(connection: sql.Connection, at: Place) -> dict[str, Row]:
    return rows_below(connection, at) if at.key is None or at.shape.roots is not None else {}


def _entry(shape: Shape, row: Row | None, wanted: set[str] | None) -> Mapping[str, object]:
    """The memo of a row: a digest of each column asked for (`*`: of the whole row), and what cells do not say."""
    if row is None:
        return {"absent": True}
    shown = shape.shown if wanted is None else sorted(wanted)
    unsaid = [name for name in shown if not shape.shown[name].says_all(row[name])]
    # Who reads every column may go on to delete the row.
    hidden = shape.hidden if wanted is None or len(wanted) == len(shape.shown) else ()
    return {
        "digest": {name: _digest(shape, row, name) for name in (("*",) if wanted is None else shown)},
        "kept": {name: kept(row[name]) for name in (*unsaid, *hidden)},
    }


def _digest(shape: Shape, row: Row, name: str) -> str:
    names = shape.columns if name == "*" else (name,)
    return digest([kept(row[each]) for each in names])


def _cells_of(shape: Shape, name: str, row: Row | None, wanted: set[str] | None) -> dict[str, Value]:
    if row is None:
        return {}
    columns = shape.shown if wanted is None else wanted
    return {shape.cell_of(name, column): shape.shown[column].decode(row[column]) for column in columns}


def _checked(connection: sql.Connection, places: Mapping[str, Place], seen: Memo) -> dict[str, Row | None]:
    """The rows by path, locked in one order for everybody. Raises Conflict where one is not as it was seen."""
    rows: dict[str, Row | None] = {}
    for name in sorted(places):
        at = places[name]
        if not name.endswith("/"):
            rows[name] = rows[name] if name in rows else row_at(connection, at, lock=True)
            if not _as_seen(at.shape, rows[name], seen.get(name)):
                raise Conflict(f"{name} has changed since it was read")
            continue
        within = rows_below(connection, at, lock=True)
        if digest(list(within)) != seen[name]:
            raise Conflict(f"what is below {at.name} has changed since it was read")
        rows.update(within)
    return rows


def _as_seen(shape: Shape, row: Row | None, entry: object) -> bool:
    match entry:
        case None:
            return True
        case {"absent": True}:
            return row is None
        case {"digest": dict(digests)}:
            return row is not None and all(_digest(shape, row, name) == one for name, one in digests.items())
        case _:
            raise Refused("this memo is of another target")


def _apply(connection: sql.Connection, at: Place, row: Row | None, cells: Mapping[str, Cell], entry: Mapping) -> bool:
    """Insert, update or delete a row; False when the insert found the key taken."""
    present = {name: cell[0] for name, cell in cells.items() if cell}
    if not present:
        whole = len(cells) == len(at.shape.shown) or "absent" in entry
        if row is not None and not whole:
            raise Refused(f"a row has all its columns, and {at.name} would lose some; write null, or delete the row")
        if row is not None:
            delete(connection, at, row)
        return True
    if len(present) < len(cells) and row is not None:
        raise Refused(f"a row has all its columns, and {at.name} would lose some; write null, or delete the row")
    raws = {name: _raw(at.shape, name, value, entry) for name, value in present.items()}
    if row is None:
        key = dict(zip(at.shape.keys, at.key, strict=True))
        hidden = {name: brought_back(raw) for name, raw in _kept(entry).items() if name in at.shape.hidden}
        return insert(connection, at.shape, {**hidden, **raws, **key})
    changed = {name: raw for name, raw in raws.items() if not same(raw, row[name])}
    if changed:
        update(connection, at, changed)
    return True


def _kept(entry: Mapping) -> Mapping[str, object]:
    return entry.get("kept", {})


def _raw(shape: Shape, name: str, value: Value, entry: Mapping) -> object:
    """The raw value of a cell: what was kept of it, if that is shown so, or what its form makes of it."""
    form = shape.shown[name]
    if name in _kept(entry):
        raw = brought_back(_kept(entry)[name])
        if same(form.decode(raw), value):
            return raw
    return form.encode(value)


def _read_back(at: Place, before: Row | None, after: Row | None, cells: Mapping[str, Cell]) -> None:
    """Raise Refused where the row does not show the cells that were written, or shows another cell otherwise."""
    present = {name: cell[0] for name, cell in cells.items() if cell}
    if not present or after is None:
        if bool(present) != (after is not None):
            raise Refused(f"the database did not let {at.name} be so")
        return
    for name, form in at.shape.shown.items():
        value = form.decode(after[name])
        path = at.shape.cell_of(at.name, name)
        if name in present and not same(value, present[name]):
            raise Refused(f"{path} cannot be {show(present[name])[:80]}; it would read {show(value)[:80]}")
        if name not in cells and before is not None and not same(after[name], before[name]):
            raise Refused(f"{path} would change too, as the database does more than was asked")


def _answered(function, *args):
    """Call, and say in our words what the database says for good; what leaves open what happened goes on as it is."""
    try:
        return function(*args)
    except (sql.exc.DBAPIError, UnicodeError, OverflowError) as error:
        raise said(error) from error
    except Exception as error:
        if hasattr(error, "sqlstate"):
            raise said(error) from error
        raise
