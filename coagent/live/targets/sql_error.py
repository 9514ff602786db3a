"""What an error of a database means for the cells: refused for good, in conflict and nothing done, or left open."""

import sqlite3

from coagent.live.target import Conflict, Refused

_REFUSING = (
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_RANGE,
)
"""SQLite's primary result codes that say no for good."""

_CONSTRAINTS = {
    "23502": "not null",
    "23503": "foreign key",
    "23505": "unique",
    "23514": "check",
    "23P01": "exclusion",
}

_REFUSED_CLASSES = ("22", "23", "42", "44", "P0", "0A")
"""SQLSTATE classes: data, integrity, access or syntax, view check, raised by a trigger, not supported."""


def said(error: Exception) -> Exception:
    """The exception to raise for one that a driver raised: Refused, Conflict, or itself, which leaves things open."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None)
    match cause:
        case UnicodeError():
            return Refused("this text has characters that the database cannot keep")
        case OverflowError():
            return Refused("this number is too large for the database")
        case sqlite3.Error() if (cause.sqlite_errorcode or 0) & 0xFF in _REFUSING:
            return Refused(str(cause)[:200])
        case sqlite3.DataError():
            return Refused(str(cause)[:200])
        case _ if state is not None and state.startswith("40"):
            return Conflict("another transaction was in the way; nothing was written")
        case _ if state is not None and state.startswith(_REFUSED_CLASSES):
            return Refused(_sentence(cause, state))
        case _ if state is None and type(cause).__name__ == "DataError":
            return Refused(str(cause)[:200])
        case _:
            return error


def _sentence(cause: Exception, state: str) -> str:
    if state in _CONSTRAINTS:
        where = cause.diag.constraint_name or cause.diag.column_name
        return f"the {_CONSTRAINTS[state]} constraint {where!r} of {cause.diag.table_name!r} forbids it"
    return (cause.diag.message_primary or str(cause))[:200]
