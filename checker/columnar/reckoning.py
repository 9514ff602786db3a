"""Carries out whole columns of calls: which did not return and write what they come to, by what they saw.

Knows `get`, `put`, `create`, `delete`, `add`, `copy` and `list` as `coagent.tool` has them; of a tool that is in no
table nothing can be said, and any other known one is left to a closer look.
"""

from collections.abc import Callable, Mapping

import numpy as np

from checker.columnar.call import NONE, Calls
from checker.columnar.listing import Housed, listed
from checker.columnar.meaning import Meaning
from coagent.table import Table
from coagent.tool import TOOLS

OK, FAILED = 0, 1

Args = Mapping[str, np.ndarray]


def misreckoned(
    table: Table, meaning: Meaning, start: Mapping[str, np.ndarray], of: Calls, within: Housed
) -> np.ndarray:
    """The operations whose last answer and last write are not plainly what the call comes to."""
    wrong = np.zeros(len(of.form), bool)
    for number, shape in enumerate(table.forms):
        ops = np.flatnonzero((of.form == number) & (of.acted >= 0))
        if not len(ops) or shape.tool not in TOOLS:
            continue
        if shape.tool == "list":
            wrong[ops] = ~listed(table, shape, meaning, start, of.among(ops), within)
        elif shape.tool not in RULES or set(shape.args) != set(RULES[shape.tool][0]):
            wrong[ops] = True
        else:
            args = {name: of.argument(table, shape, name, ops) for name in shape.args}
            wrong[ops] = ~RULES[shape.tool][1](of.among(ops), args, meaning)
    return wrong


def _answers(calls: Calls, meaning: Meaning, word: str) -> np.ndarray:
    """Where the call failed with this word and wrote nothing."""
    return (calls.status == FAILED) & (calls.value == meaning.text(word)) & (calls.wrote_path == NONE)


def _writes(calls: Calls, path: np.ndarray, value: np.ndarray | int) -> np.ndarray:
    return (calls.status == OK) & (calls.wrote_path == path) & (calls.wrote == value)


def _sees(calls: Calls, args: Args, meaning: Meaning) -> tuple[np.ndarray, np.ndarray]:
    """The path that each call names, and where it is the one path that the call saw."""
    path = meaning.path[args["path"]]
    return path, (path >= 0) & (calls.saw_path == path)


def _get(calls: Calls, args: Args, meaning: Meaning) -> np.ndarray:
    due = np.where(calls.saw >= 0, calls.saw, meaning.text(None))
    return _sees(calls, args, meaning)[1] & (calls.status == OK) & (calls.value == due) & (calls.wrote_path == NONE)


def _put(calls: Calls, args: Args, meaning: Meaning) -> np.ndarray:
    path = meaning.path[args["path"]]
    done = _writes(calls, path, args["value"]) & (calls.value == meaning.text("ok"))
    return (calls.saw_path == NONE) & (path >= 0) & done


def _create(calls: Calls, args: Args, meaning: Meaning) -> np.ndarray:
    path, sees = _sees(calls, args, meaning)
    done = _writes(calls, path, args["value"]) & (calls.value == meaning.text("ok"))
    return sees & np.where(calls.saw >= 0, _answers(calls, meaning, "exists"), done)


def _delete(calls: Calls, args: Args, meaning: Meaning) -> np.ndarray:
    path, sees = _sees(calls, args, meaning)
    done = _writes(calls, path, NONE) & (calls.value == meaning.text("ok"))
    return sees & np.where(calls.saw >= 0, done, _answers(calls, meaning, "missing"))


def _add(calls: Calls, args: Args, meaning: Meaning) -> np.ndarray:
    path, sees = _sees(calls, args, meaning)
    by = args["by"]
    saw, value = np.maximum(calls.saw, 0), np.maximum(calls.value, 0)
    whole = meaning.whole[saw] & meaning.whole[by] & meaning.whole[value]
    total = meaning.integer[saw] + meaning.integer[by] == meaning.integer[value]
    done = whole & total & _writes(calls, path, calls.value)
    wrong = ~(meaning.number[saw] & meaning.number[by]) & _answers(calls, meaning, "type")
    return sees & np.where(calls.saw >= 0, done | wrong, _answers(calls, meaning, "missing"))


def _copy(calls: Calls, args: Args, meaning: Meaning) -> np.ndarray:
    to = meaning.path[args["to"]]
    done = (to >= 0) & (calls.value == calls.saw) & _writes(calls, to, calls.saw)
    return _sees(calls, args, meaning)[1] & np.where(calls.saw >= 0, done, _answers(calls, meaning, "missing"))


RULES: Mapping[str, tuple[tuple[str, ...], Callable[[Calls, Args, Meaning], np.ndarray]]] = {
    "get": (("path",), _get),
    "put": (("path", "value"), _put),
    "create": (("path", "value"), _create),
    "delete": (("path",), _delete),
    "add": (("path", "by"), _add),
    "copy": (("path", "to"), _copy),
}
"""The arguments of a tool that is carried out in columns, and where its calls plainly come to what is recorded."""
