"""The tables of a database as they are found there, and the statements on them: identifiers only from the catalogue.

Values travel as bound parameters only, in their raw form (`sql_value`). Knows nothing of memos and conflicts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coagent.bad_input import BadInput
from coagent.live.target import Refused
from coagent.live.targets.path_part import key_part, name_of, part
from coagent.live.targets.sql_value import POSTGRESQL, SQLITE, Form, Raw

try:
    import sqlalchemy as sql
    from sqlalchemy.dialects import postgresql, sqlite
except ImportError:
    raise BadInput("databases need SQLAlchemy, which is not installed; pip install 'coagent-mtpo[live]'") from None

Row = Mapping[str, Raw]
"""The columns of a row by name: those of its key, those shown and those not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """A foreign key by which rows of another table go, or change, along with a row that is deleted."""

    table: sql.TableClause
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A table and how it is shown. `roots` are those of plain paths, None where rows are `TABLE/KEY/COLUMN`.

    `keys` and `shown` are forms by column; `hidden` columns are not shown and come back with a row that is put back.
    """

    name: str
    table: sql.TableClause
    keys: Mapping[str, Form]
    shown: Mapping[str, Form]
    hidden: tuple[str, ...]
    roots: tuple[str, ...] | None
    dependents: tuple[Dependent, ...]
    overriding: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, in the order of the statements."""
        return tuple(dict.fromkeys((*self.keys, *self.shown, *self.hidden)))

    def object_of(self, row: Row) -> str:
        """The path of a row: `TABLE/KEY`, or the plain path."""
        values = [form.decode(row[name]) for name, form in self.keys.items()]
        if self.roots is not None:
            return str(values[0])
        if None in values:
            raise Refused(f"a row of {self.name!r} has null in its key")
        return f"{part(self.name)}/{key_part(tuple(values))}"

    def cell_of(self, name: str, column: str) -> str:
        """The path of a column of the row whose path is `name`."""
        return name if self.roots is not None else f"{name}/{part(column)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a path is about: a table (`key` None), a row of it (`column` None) or a cell; `name` is the row's path."""

    shape: Shape
    name: str
    key: tuple[Raw, ...] | None = None
    column: str | None = None


def place(shapes: Sequence[Shape], path: str) -> Place | None:
    """What a path is about; None where there can be nothing at it. Raises Refused where no table has this root."""
    root, *rest = path.split("/")
    if "" in rest:
        return None
    for shape in shapes:
        if shape.roots is not None and root in shape.roots:
            return Place(shape=shape, name=path, key=(path,), column=next(iter(shape.shown)))
        if shape.roots is None and root == part(shape.name):
            return _within(shape, rest) if rest else Place(shape=shape, name=root)
    raise Refused(f"there is no {root!r} here")


def _within(shape: Shape, rest: Sequence[str]) -> Place | None:
    texts = tuple(name_of(text) for text in rest[0].split(","))
    if len(texts) != len(shape.keys) or len(rest) > 2:
        return None
    key = tuple(_key_raw(form, text) for form, text in zip(shape.keys.values(), texts, strict=True))
    try:
        name = shape.object_of(dict(zip(shape.keys, key, strict=True)))
    except ValueError:
        return None
    column = name_of(rest[1]) if len(rest) == 2 else None
    if name != f"{part(shape.name)}/{rest[0]}" or (column is not None and column not in shape.shown):
        return None
    return Place(shape=shape, name=name, key=key, column=column)


def _key_raw(form: Form, text: str) -> Raw:
    """The raw key that reads as this text: a number where the column shows numbers, and so on."""
    values = (True, False) if text in ("true", "false") else (int(text),) if _decimal(text) else ()
    for value in values:
        raw = form.encode(value)
        if repr(form.decode(raw)) == repr(value) and key_part(value) == text:
            return raw
    return form.encode(text)


def _decimal(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 20


def _bound(value: Raw) -> sql.BindParameter:
    """A parameter without a type: the database gives it that of the column it meets."""
    return sql.bindparam(None, value, type_=sql.types.NullType(), unique=True)


def _where(shape: Shape, key: Sequence[Raw]) -> list[sql.ColumnElement]:
    return [shape.table.c[name] == _bound(raw) for name, raw in zip(shape.keys, key, strict=True)]


def _below(connection: sql.Connection, shape: Shape, path: str) -> list[sql.ColumnElement]:
    """Plain paths strictly below one, compared byte by byte whatever the column's collation; `0` comes after `/`."""
    column = shape.table.c[next(iter(shape.keys))]
    bytewise = sql.collate(column, "C" if _is_postgresql(connection) else "BINARY")
    return [bytewise >= _bound(path + "/"), bytewise < _bound(path + "0")]


def _is_postgresql(connection: sql.Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _select(connection: sql.Connection, shape: Shape, where: Sequence[sql.ColumnElement], lock: bool) -> list[Row]:
    columns = [shape.table.c[name] for name in shape.columns]
    if _is_postgresql(connection):
        columns = [sql.cast(column, sql.Text) for column in columns]
    query = sql.select(*columns).where(*where)
    # SQLite leaves this out: there the whole database is locked by BEGIN IMMEDIATE.
    query = query.with_for_update(key_share=True) if lock else query
    return [dict(zip(shape.columns, row, strict=True)) for row in connection.execute(query)]


def row_at(connection: sql.Connection, at: Place, *, lock: bool = False) -> Row | None:
    """The row of this key, locked until the end of the transaction if asked; None when there is none.

    A key that the database only holds equal (another case, say) is another key here.
    """
    found = _select(connection, at.shape, _where(at.shape, at.key), lock)
    return next((row for row in found if at.shape.object_of(row) == at.name), None)


def rows_below(connection: sql.Connection, at: Place, *, lock: bool = False) -> dict[str, Row]:
    """The rows of a table, or of the plain paths strictly below one, by path and sorted."""
    shape = at.shape
    where = [] if at.key is None else _below(connection, shape, at.name)
    found = [(shape.object_of(row), row) for row in _select(connection, shape, where, lock)]
    rows = dict(sorted(found, key=lambda pair: pair[0]))
    if len(rows) < len(found):
        raise Refused(f"two rows of {shape.name!r} have keys that look the same")
    return rows


def lock_tables(connection: sql.Connection, shapes: Mapping[str, Shape], whole: set[str]) -> None:
    """Keep other writers out of the tables in `whole` until the end, and take the others in a fixed order.

    A row lock cannot keep rows from appearing; the order keeps two of us from waiting for each other.
    """
    if not _is_postgresql(connection):
        return
    from psycopg.sql import SQL, Identifier

    cursor = connection.connection.cursor()
    for name in sorted(shapes):
        mode = SQL("SHARE ROW EXCLUSIVE" if name in whole else "ROW EXCLUSIVE")
        cursor.execute(SQL("LOCK TABLE {} IN {} MODE").format(Identifier(name), mode))


def insert(connection: sql.Connection, shape: Shape, row: Row) -> bool:
    """Insert a row; False, and nothing is done, when another has its key or something else that is unique."""
    if shape.overriding:
        return _insert_over_identity(connection, shape, row)
    make = (postgresql if _is_postgresql(connection) else sqlite).insert
    values = {name: _bound(raw) for name, raw in row.items()}
    keys = [shape.table.c[name] for name in shape.keys]
    statement = make(shape.table).values(values).on_conflict_do_nothing(index_elements=keys)
    return connection.execute(statement.execution_options(preserve_rowcount=True)).rowcount == 1


def _insert_over_identity(connection: sql.Connection, shape: Shape, row: Row) -> bool:
    """PostgreSQL gives a column `GENERATED ALWAYS AS IDENTITY` a value of ours only if told so in its own words."""
    from psycopg.sql import SQL, Identifier, Placeholder

    comma = SQL(", ")
    text = SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({}) ON CONFLICT ({}) DO NOTHING").format(
        Identifier(shape.name),
        comma.join(map(Identifier, row)),
        comma.join([Placeholder()] * len(row)),
        comma.join(map(Identifier, shape.keys)),
    )
    return connection.connection.cursor().execute(text, list(row.values())).rowcount == 1


def update(connection: sql.Connection, at: Place, row: Row) -> None:
    """Set these columns of a row."""
    values = {name: _bound(raw) for name, raw in row.items()}
    connection.execute(at.shape.table.update().where(*_where(at.shape, at.key)).values(values))


def delete(connection: sql.Connection, at: Place, row: Row) -> None:
    """Delete a row. Raises Refused when rows of other tables would go or change with it."""
    for dependent in at.shape.dependents:
        where = [dependent.table.c[theirs] == _bound(row[ours]) for theirs, ours in dependent.columns if ours in row]
        if connection.execute(sql.select(sql.literal(1)).select_from(dependent.table).where(*where).limit(1)).first():
            raise Refused(f"rows of {dependent.table.name!r} refer to {at.name} and would change with it")
    connection.execute(at.shape.table.delete().where(*_where(at.shape, at.key)))


def has_table(connection: sql.Connection, name: str) -> bool:
    """Whether there is a table of this name."""
    return sql.inspect(connection).has_table(name)


def create_cells(connection: sql.Connection, name: str, path: str, value: str) -> None:
    """Make the table of plain paths, empty. Raises what the driver raises where there is one of this name."""
    text = sql.Text(collation="C") if _is_postgresql(connection) else sql.Text()
    columns = sql.Column(path, text, primary_key=True), sql.Column(value, sql.Text, nullable=False)
    sql.Table(name, sql.MetaData(), *columns).create(connection, checkfirst=False)


def reflected(
    connection: sql.Connection, name: str, shown: Sequence[str] | None, roots: Sequence[str] | None = None
) -> Shape:
    """A table as it is in the database, showing these columns (None: all but the key's). Raises BadInput."""
    metadata = sql.MetaData()
    try:
        table = sql.Table(name, metadata, autoload_with=connection, resolve_fks=False)
    except sql.exc.NoSuchTableError:
        raise BadInput(f"the database has no table {name!r}; name one that it has") from None
    forms = POSTGRESQL if _is_postgresql(connection) else SQLITE
    found = {column.name: forms[_kind(column.type)] for column in table.columns if column.computed is None}
    keys = {column.name: found[column.name] for column in table.primary_key.columns if column.name in found}
    if not keys:
        raise BadInput(f"the table {name!r} has no primary key; rows are told apart by it, so give it one")
    if strange := sorted(set(shown or ()) - (found.keys() - keys.keys())):
        raise BadInput(f"the table {name!r} has no column {strange[0]!r} to show; the key and generated ones are not")
    names = list(shown) if shown is not None else [each for each in found if each not in keys]
    if roots is not None:
        cells = {names[0]: forms["any"]}
    else:
        cells = {each: found[each] for each in names or keys}
    return Shape(
        name=name,
        table=sql.table(name, *(sql.column(each) for each in table.columns.keys())),
        keys=keys,
        shown=cells,
        hidden=tuple(each for each in found if each not in keys and each not in cells),
        roots=None if roots is None else tuple(roots),
        dependents=_dependents(connection, name, tuple(keys)),
        overriding=any(column.identity is not None and column.identity.always for column in table.columns),
    )


def _kind(type_: object) -> str:
    kinds = sql.types
    match getattr(type_, "data_type", type_):
        case kinds.Boolean():
            return "boolean"
        case kinds.Integer():
            return "integer"
        case kinds.JSON():
            return "json"
        case kinds.Numeric() | kinds.Float():
            return "number"
        case kinds.LargeBinary():
            return "blob"
        case _:
            return "text"


_SQLITE_REFERENCES = """SELECT child.name, one.id, one."from", one."to", one.on_delete
    FROM sqlite_master child, pragma_foreign_key_list(child.name) one
    WHERE child.type = 'table' AND one."table" = ? COLLATE NOCASE ORDER BY child.name, one.id, one.seq"""


def _dependents(connection: sql.Connection, name: str, keys: Sequence[str]) -> tuple[Dependent, ...]:
    """The foreign keys to this table whose rows would be deleted or set otherwise along with one that they refer to."""
    found: dict[object, list[tuple[str, str]]] = {}
    if _is_postgresql(connection):
        for (_, child), every in sql.inspect(connection).get_multi_foreign_keys().items():
            for one in every:
                if one["referred_table"] == name and one["options"].get("ondelete") in _CARRIED:
                    pairs = zip(one["constrained_columns"], one["referred_columns"], strict=True)
                    found[child, one["name"]] = list(pairs)
    else:
        # The library reads the action out of the table's text, and misses it behind a column.
        for child, number, theirs, ours, action in connection.exec_driver_sql(_SQLITE_REFERENCES, (name,)):
            if action in _CARRIED:
                pairs = found.setdefault((child, number), [])
                pairs.append((theirs, ours or keys[len(pairs)]))
    return tuple(
        Dependent(table=sql.table(child, *(sql.column(theirs) for theirs, _ in pairs)), columns=tuple(pairs))
        for (child, _), pairs in found.items()
    )


_CARRIED = ("CASCADE", "SET NULL", "SET DEFAULT")
