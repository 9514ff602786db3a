"""Carries out whole columns of calls: which did not return and write what they come to, by what they saw.

Knows `get`, `put`, `create`, `delete`, `add`, `copy` and `list` as `coagent.tool` has them; of a tool that is in no
table nothing can be said, and any other known one is left to a closer look.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from checker.columnar.meaning import Meaning
from coagent.column import LISTS
from coagent.table import Form, Table
from coagent.tool import TOOLS

OK, FAILED = 0, 1
NOTHING = -1


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of one form, by column: arguments, the one cell seen, answer, and the one cell written.

    `saw_path`, `saw` and so on are -2 where there is not just one; `wrote_path` is -1 where nothing was written.
    """

    args: Mapping[str, np.ndarray]
    saw_path: np.ndarray
    saw: np.ndarray
    blind: np.ndarray
    status: np.ndarray
    value: np.ndarray
    wrote_path: np.ndarray
    wrote: np.ndarray


def misreckoned(
    table: Table,
    meaning: Meaning,
    start: Mapping[str, np.ndarray],
    invoked: np.ndarray,
    acted: np.ndarray,
    wrote: np.ndarray,
) -> np.ndarray:
    """The operations whose last answer and last write, in these rows, are not plainly what the call comes to."""
    wrong = np.zeros(len(invoked), bool)
    form = table.columns["form"][invoked]
    for number, shape in enumerate(table.forms):
        ops = np.flatnonzero((form == number) & (acted >= 0))
        if not len(ops) or shape.tool not in TOOLS:
            continue
        if shape.tool == "list":
            wrong[ops] = ~_listed(table, shape, meaning, start, invoked[ops], acted[ops], wrote[ops])
        elif shape.tool not in RULES or set(shape.args) != set(RULES[shape.tool][0]):
            wrong[ops] = True
        else:
            calls = _calls(table, shape, start, invoked[ops], acted[ops], wrote[ops])
            wrong[ops] = ~RULES[shape.tool][1](calls, meaning)
    return wrong


def _calls(
    table: Table,
    form: Form,
    start: Mapping[str, np.ndarray],
    invoked: np.ndarray,
    acted: np.ndarray,
    wrote: np.ndarray,
) -> Calls:
    columns = table.columns
    args = {name: columns["args_value"][start["args"][invoked] + at] for at, name in enumerate(form.args)}
    saw = columns["saw"][acted]
    written = np.where(wrote >= 0, columns["wrote"][wrote], 0)
    saw_path, saw_value = _single(columns, start, "saw", acted, saw == 1)
    wrote_path, wrote_value = _single(columns, start, "wrote", wrote, written == 1)
    return Calls(
        args=args,
        saw_path=saw_path,
        saw=saw_value,
        blind=saw == 0,
        status=columns["status"][acted],
        value=columns["value"][acted],
        wrote_path=np.where(written == 0, -1, wrote_path),
        wrote=wrote_value,
    )


def _single(
    columns: Mapping[str, np.ndarray], start: Mapping[str, np.ndarray], name: str, rows: np.ndarray, one: np.ndarray
) -> list[np.ndarray]:
    """Path and value of the only entry of each row, -2 where there is not just one."""
    found = []
    for part in LISTS[name][:2]:
        column = np.full(len(rows), -2, np.int64)
        column[one] = columns[part][start[name][rows[one]]]
        found.append(column)
    return found


def _answers(calls: Calls, meaning: Meaning, word: str) -> np.ndarray:
    """Where the call failed with this word and wrote nothing."""
    return (calls.status == FAILED) & (calls.value == meaning.text(word)) & (calls.wrote_path == -1)


def _writes(calls: Calls, path: np.ndarray, value: np.ndarray | int) -> np.ndarray:
    return (calls.status == OK) & (calls.wrote_path == path) & (calls.wrote == value)


def _sees(calls: Calls, meaning: Meaning) -> tuple[np.ndarray, np.ndarray]:
    """The path that each call names, and where it is the one path that the call saw."""
    path = meaning.path[calls.args["path"]]
    return path, (path >= 0) & (calls.saw_path == path)


def _get(calls: Calls, meaning: Meaning) -> np.ndarray:
    due = np.where(calls.saw >= 0, calls.saw, meaning.text(None))
    return _sees(calls, meaning)[1] & (calls.status == OK) & (calls.value == due) & (calls.wrote_path == -1)


def _put(calls: Calls, meaning: Meaning) -> np.ndarray:
    path = meaning.path[calls.args["path"]]
    done = _writes(calls, path, calls.args["value"]) & (calls.value == meaning.text("ok"))
    return calls.blind & (path >= 0) & done


def _create(calls: Calls, meaning: Meaning) -> np.ndarray:
    path, sees = _sees(calls, meaning)
    done = _writes(calls, path, calls.args["value"]) & (calls.value == meaning.text("ok"))
    return sees & np.where(calls.saw >= 0, _answers(calls, meaning, "exists"), done)


def _delete(calls: Calls, meaning: Meaning) -> np.ndarray:
    path, sees = _sees(calls, meaning)
    done = _writes(calls, path, NOTHING) & (calls.value == meaning.text("ok"))
    return sees & np.where(calls.saw >= 0, done, _answers(calls, meaning, "missing"))


def _add(calls: Calls, meaning: Meaning) -> np.ndarray:
    path, sees = _sees(calls, meaning)
    by = calls.args["by"]
    saw, value = np.maximum(calls.saw, 0), np.maximum(calls.value, 0)
    whole = meaning.whole[saw] & meaning.whole[by] & meaning.whole[value]
    total = meaning.integer[saw] + meaning.integer[by] == meaning.integer[value]
    done = whole & total & _writes(calls, path, calls.value)
    wrong = ~(meaning.number[saw] & meaning.number[by]) & _answers(calls, meaning, "type")
    return sees & np.where(calls.saw >= 0, done | wrong, _answers(calls, meaning, "missing"))


def _copy(calls: Calls, meaning: Meaning) -> np.ndarray:
    to = meaning.path[calls.args["to"]]
    done = (to >= 0) & (calls.value == calls.saw) & _writes(calls, to, calls.saw)
    return _sees(calls, meaning)[1] & np.where(calls.saw >= 0, done, _answers(calls, meaning, "missing"))


RULES: Mapping[str, tuple[tuple[str, ...], Callable[[Calls, Meaning], np.ndarray]]] = {
    "get": (("path",), _get),
    "put": (("path", "value"), _put),
    "create": (("path", "value"), _create),
    "delete": (("path",), _delete),
    "add": (("path", "by"), _add),
    "copy": (("path", "to"), _copy),
}
"""The arguments of a tool that is carried out in columns, and where its calls plainly come to what is recorded."""


def _listed(
    table: Table,
    form: Form,
    meaning: Meaning,
    start: Mapping[str, np.ndarray],
    invoked: np.ndarray,
    acted: np.ndarray,
    wrote: np.ndarray,
) -> np.ndarray:
    """Whether calls of `list` saw a whole folder and answered with the names in it; what one did not see is not asked
    here."""
    columns = table.columns
    if form.args != ("path",):
        return np.zeros(len(invoked), bool)
    changed = np.where(wrote >= 0, columns["wrote"][wrote], 0) > 0
    plain = (columns["status"][acted] == OK) & ~changed
    asked = columns["args_value"][start["args"][invoked]].tolist()
    begins, ends = start["saw"][acted].tolist(), start["saw"][acted + 1].tolist()
    for at, value in enumerate(columns["value"][acted].tolist()):
        path, answer = meaning.values[asked[at]], meaning.values[value]
        if plain[at]:
            seen = columns["saw_path"][begins[at] : ends[at]].tolist()
            there = columns["saw_value"][begins[at] : ends[at]].tolist()
            cells = {meaning.paths[one]: cell for one, cell in zip(seen, there, strict=True)}
            plain[at] = isinstance(path, str) and answer == _names(path + "/", cells)
    return plain


def _names(below: str, cells: dict[str, int]) -> list[str] | None:
    """The sorted names in a folder by the cells seen; None when it was not just listed."""
    if cells.pop(below, None) is None or not all(name.startswith(below) for name in cells):
        return None
    return sorted({name[len(below) :].split("/", 1)[0] for name, value in cells.items() if value >= 0})
