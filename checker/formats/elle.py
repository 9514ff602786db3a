"""Reads Jepsen histories of transactions, as Elle takes them: list-append and rw-register, from EDN or JSON.

Decides which invocation ended how, and which of the two models a history is of; judges nothing.
`:ok` committed, `:fail` aborted, `:info` or no end at all may have happened.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from checker.formats.edn import read_all
from checker.transaction import Step, Transaction, token
from coagent.bad_input import BadInput

Row = tuple[int, object]
"""A line number and the operation on it, as read."""

_TYPES = {"invoke": "invoke", "ok": "committed", "fail": "aborted", "info": "unknown"}
_KINDS = {"r": "r", "append": "append", "w": "w"}
_MODELS = {"append": "elle-append", "w": "elle-register"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One line of a Jepsen history: `type` is `invoke` or a status, `value` the micro-operations."""

    number: object
    type: str
    process: object
    value: Sequence
    where: str


def rows_of_edn(text: str, where: str) -> list[Row]:
    """The operations of an EDN history, one map after the other or all in one vector."""
    forms = read_all(text, where)
    if len(forms) == 1 and isinstance(forms[0][1], tuple):
        line, inner = forms[0]
        first = line - text.rstrip().count("\n")
        return [(max(first, 1), row) for row in inner]
    return forms


def rows_of_json(text: str, where: str) -> list[Row]:
    """The operations of a JSON history: an array, or one object a line. Raises BadInput naming the line."""
    if text.lstrip().startswith("["):
        rows = load_json(text, where, 1)
        return [(1, row) for row in rows]
    return [(line, load_json(row, where, line)) for line, row in enumerate(text.split("\n"), 1) if row.strip()]


def load_json(text: str, where: str, line: int) -> object:
    """JSON text as Python has it; `line` is where the text starts. Raises BadInput."""
    try:
        return json.loads(text)
    except RecursionError:
        raise BadInput("nests too deeply for a history; is it another kind of file?", f"{where}:{line}") from None
    except json.JSONDecodeError as error:
        what = f"not JSON ({error.msg}); the file may have been cut, copy or record it again"
        raise BadInput(what, f"{where}:{line + error.lineno - 1}") from None
    except ValueError:
        raise BadInput(
            "a number is too long to read; no history has one of thousands of digits", f"{where}:{line}"
        ) from None


def transactions(rows: Iterable[Row], where: str, *, sketch: bool = False) -> tuple[str, tuple[Transaction, ...]]:
    """The model (`elle-append` or `elle-register`) and the transactions in the order of their invocations.

    Named `T` and the index of the operation that ended them (or invoked them, when nothing did). In
    a `sketch`, written by hand for a test, a process may invoke again and leave its last end open;
    in a recorded history that means lost lines. Raises BadInput for anything that is not such a
    history, or is one of both models.
    """
    operations = [found for line, row in rows if (found := _operation(row, f"{where}:{line}"))]
    if not operations:
        raise BadInput(
            "holds no transaction; a history has one operation a line, such as {:type :ok, :value [[:r :x 1]]}", where
        )
    names = _names(operations)
    pairs = _paired(operations, sketch)
    model = _model(operations, where)
    built = []
    for begun, ended in pairs:
        last = ended if ended is not None else begun
        status = _TYPES["info"] if ended is None else operations[ended].type
        steps = _steps(operations, begun, ended, status, model)
        built.append(
            Transaction(
                name=names[last],
                status=status,
                steps=steps,
                session=operations[last].process,
                begun=begun if operations[begun].type == "invoke" else None,
                ended=None if ended is None or operations[begun].type != "invoke" else ended,
            )
        )
    return model, tuple(built)


def _operation(row: object, where: str) -> Operation | None:
    """The operation on a row; None for the nemesis, which is no client."""
    if not isinstance(row, Mapping):
        raise BadInput("not an operation: a history has one map a line, such as {:type :ok, :value [[:r :x 1]]}", where)
    row = {str(name).removeprefix(":"): value for name, value in row.items()}
    if _word(row.get("process")) == "nemesis":
        return None
    kind = _word(row.get("type"))
    if not isinstance(kind, str) or kind not in _TYPES:
        raise BadInput(f"the operation's type is {_brief(kind)}; it should be one of {', '.join(_TYPES)}", where)
    if _word(row.get("f", "txn")) not in ("txn", None):
        raise BadInput(
            f"the operation's :f is {_brief(_word(row['f']))}; only transactions (:f :txn) can be judged", where
        )
    value = row.get("value")
    if not isinstance(value, list | tuple):
        raise BadInput(
            "the operation's :value is not a list of reads and writes such as [[:r :x nil] [:append :x 1]]", where
        )
    process = row.get("process")
    if not isinstance(process, int | str | None):
        raise BadInput("the operation's :process is neither a number nor a name", where)
    return Operation(
        number=row.get("index"),
        type="invoke" if kind == "invoke" else _TYPES[kind],
        process=process,
        value=value,
        where=where,
    )


def _word(value: object) -> object:
    return value.removeprefix(":") if isinstance(value, str) else value


def _names(operations: Sequence[Operation]) -> list[str]:
    """A name for each operation: its index when every one has its own, otherwise its place."""
    numbers = [one.number for one in operations]
    own = all(type(number) is int for number in numbers) and len(set(numbers)) == len(numbers)
    return [f"T{number}" for number in (numbers if own else range(len(numbers)))]


def _paired(operations: Sequence[Operation], sketch: bool) -> list[tuple[int, int | None]]:
    """For each transaction the places of its invocation and its end (None: it has none); all by process."""
    if all(one.type != "invoke" for one in operations):
        return [(place, place) for place in range(len(operations))]
    open_at: dict[object, int] = {}
    ended: dict[int, int | None] = {}
    for place, one in enumerate(operations):
        if one.type == "invoke":
            if one.process in open_at and not sketch:
                raise BadInput(
                    f"process {one.process} invokes again before its last operation ended; "
                    "lines may be missing, or two histories joined",
                    one.where,
                )
            open_at[one.process] = place
            ended[place] = None
        elif one.process in open_at:
            ended[open_at.pop(one.process)] = place
        else:
            raise BadInput(
                f"process {one.process} ends an operation that it never invoked; the start of the file may be missing",
                one.where,
            )
    return list(ended.items())


def _model(operations: Sequence[Operation], where: str) -> str:
    """Which model the micro-operations are of; a history of reads alone by what the reads hold."""
    kinds, lists = set(), False
    for one in operations:
        for step in one.value:
            if not isinstance(step, list | tuple) or len(step) not in (2, 3) or not isinstance(step[0], str):
                raise BadInput(
                    f"{_brief(step)} is not a read or write such as [:r :x nil]; the line may be damaged", one.where
                )
            kind = _KINDS.get(_word(step[0]))
            if kind is None:
                raise BadInput(
                    f"unknown operation kind {_brief(_word(step[0]))}; known are {', '.join(_KINDS)}", one.where
                )
            kinds.add(kind)
            lists = lists or (len(step) == 3 and kind == "r" and isinstance(step[2], list | tuple))
    if {"append", "w"} <= kinds:
        raise BadInput(
            "the history both appends and writes; keep list-append and register transactions in different files", where
        )
    return next((_MODELS[kind] for kind in kinds if kind in _MODELS), "elle-append" if lists else "elle-register")


def _steps(operations: Sequence[Operation], begun: int, ended: int | None, status: str, model: str) -> tuple[Step, ...]:
    """The steps of one transaction: what its end says it did, or the writes that it invoked."""
    told = operations[begun if ended is None else ended]
    if status != "committed" and len(told.value) == 0:
        told = operations[begun]
    steps = [_step(step, model, told.where) for step in told.value]
    return tuple(steps) if status == "committed" else tuple(step for step in steps if step[0] != "r")


def _step(step: Sequence, model: str, where: str) -> Step:
    kind = _KINDS[_word(step[0])]
    value = step[2] if len(step) == 3 else None
    if kind != "r" and len(step) == 2:
        raise BadInput(f"{_brief(step)} writes no value; the line may be damaged", where)
    if kind != "r" or model == "elle-register":
        if isinstance(value, list | tuple | dict):
            raise BadInput(f"{_brief(step)} holds a list or a map where a single value belongs", where)
        return kind, token(step[1]), token(value)
    if value is not None and not isinstance(value, list | tuple):
        raise BadInput(
            f"{_brief(step)} reads {_brief(value)}, not a list; in a list-append history a read returns a list", where
        )
    return kind, token(step[1]), tuple(map(token, value or ()))


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
