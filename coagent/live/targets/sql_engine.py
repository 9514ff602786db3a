"""Connections to SQLite and PostgreSQL, set so that every value has one text,
a reading is of one moment, and waiting for locks ends.
"""

from pathlib import Path

from coagent.bad_input import BadInput
from coagent.live.targets.sql_table import sql


def usable(url: str) -> sql.URL:
    """The URL with the driver that is used; BadInput for another database, or one in memory."""
    try:
        made = sql.make_url(url)
    except sql.exc.ArgumentError:
        raise BadInput("this is no database URL; write sqlite:///FILE or postgresql://USER@HOST/NAME") from None
    except ValueError as error:
        raise BadInput(f"this is no database URL ({error}); write postgresql://USER@HOST/NAME") from None
    match made.get_backend_name():
        case "postgresql":
            return made.set(drivername="postgresql+psycopg")
        case "sqlite" if made.database and made.database != ":memory:" and not made.database.startswith("file:"):
            return made.set(drivername="sqlite+pysqlite", database=str(_file(made.database)))
        case "sqlite":
            raise BadInput("an SQLite database in memory ends with its connection; name a file, as sqlite:///FILE")
        case other:
            raise BadInput(f"{other} is no database that is known here; write sqlite:///FILE or postgresql://...")


def _file(name: str) -> Path:
    """A database's file, which need not be there yet. Raises BadInput where none can be."""
    file = Path(name).absolute()
    if file.is_dir():
        raise BadInput("this is a folder; name a file in it, as sqlite:///FOLDER/FILE", str(file))
    if not file.parent.is_dir():
        raise BadInput("there is no such folder for a database; make it, or name another", str(file.parent))
    return file


def opened_engine(url: sql.URL, patience_s: float) -> sql.Engine:
    """The engine of a usable URL; connects at first use. `patience_s` is how long a statement waits for a lock."""
    if url.get_backend_name() == "sqlite":
        engine = sql.create_engine(url, connect_args={"timeout": patience_s, "check_same_thread": False})
        sql.event.listen(engine, "connect", _open_sqlite)
        sql.event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        engine = sql.create_engine(url, pool_pre_ping=True, pool_size=16)
    except ImportError:
        raise BadInput("PostgreSQL needs psycopg, which is not installed; pip install 'coagent-mtpo[live]'") from None
    sql.event.listen(engine, "connect", lambda connection, _: _open_postgresql(connection, patience_s))
    sql.event.listen(engine, "begin", _begin_postgresql)
    return engine


def _open_sqlite(connection, _record) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sql.Connection) -> None:
    """The driver's own BEGIN comes too late for a snapshot, and as a reader's too weak for a writer."""
    writing = connection.get_execution_options().get("coagent_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


_TEXT_FORMS = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "xmlbinary": "base64",
}
"""What PostgreSQL's texts depend on."""


def _open_postgresql(connection, patience_s: float) -> None:
    settings = {**_TEXT_FORMS, "lock_timeout": f"{round(patience_s * 1000)}ms"}
    with connection.cursor() as cursor:
        for name, value in settings.items():
            cursor.execute("SELECT set_config(%s, %s, false)", (name, value))
    connection.commit()


def _begin_postgresql(connection: sql.Connection) -> None:
    if connection.get_execution_options().get("coagent_snapshot"):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
