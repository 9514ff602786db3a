"""Whether calls that list a folder saw the whole of it and answered with the names in it.

What lies right in a folder is compared by number; anything deeper, call by call, once for each that is alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from checker.columnar.call import NONE, Calls
from checker.columnar.meaning import Meaning
from checker.columnar.stepping import entries
from coagent.table import Form, Table

OK = 0
_FOLDER = -2


@dataclass(frozen=True, slots=True, kw_only=True)
class Housed:
    """By path: the text that spells the folder that it lies right in (`home`; for the path that says that a folder was
    listed, that folder), -1 when nobody lists that one; and its name there by number (`name`). `names` has the numbers.
    """

    home: np.ndarray
    name: np.ndarray
    names: Mapping[str, int]


def housed(table: Table, meaning: Meaning, of: Calls) -> Housed:
    """Where the paths lie below the folders that calls of `list` ask for."""
    home, name = (np.full(len(meaning.paths), -1, np.int32) for _ in range(2))
    names: dict[str, int] = {}
    asked = [
        of.argument(table, form, "path", np.flatnonzero(of.form == number))
        for number, form in enumerate(table.forms)
        if form.tool == "list" and form.args == ("path",)
    ]
    listing = {meaning.paths[at]: at for at in np.flatnonzero(meaning.listing).tolist()}
    for text in np.unique(np.concatenate(asked)).tolist() if asked else ():
        folder = meaning.values[text]
        if not isinstance(folder, str) or f"{folder}/" not in listing:
            continue
        folder = f"{folder}/"
        home[listing[folder]], name[listing[folder]] = text, _FOLDER
        for at in meaning.below(folder):
            if "/" not in meaning.paths[at][len(folder) :]:
                home[at], name[at] = text, names.setdefault(meaning.paths[at][len(folder) :], len(names))
    return Housed(home=home, name=name, names=names)


def listed(
    table: Table, form: Form, meaning: Meaning, start: Mapping[str, np.ndarray], of: Calls, within: Housed
) -> np.ndarray:
    """Whether calls of `list` saw a whole folder and answered with the names in it; what one did not see is not asked
    here."""
    if form.args != ("path",):
        return np.zeros(len(of.acted), bool)
    plain = (of.status == OK) & (of.wrote_path == NONE)
    asked = table.columns["args_value"][of.given]
    which, at = entries(start["saw"], of.acted)
    path, there = table.columns["saw_path"][at], table.columns["saw_value"][at] >= 0
    right = _right(meaning, within, asked, of.value, (which, path, there))
    ends = np.searchsorted(which, np.arange(len(plain) + 1))
    for one in np.flatnonzero(plain & ~right).tolist():
        folder, answer = meaning.values[asked[one]], meaning.values[of.value[one]]
        mine = slice(ends[one], ends[one + 1])
        cells = dict(zip((meaning.paths[at] for at in path[mine].tolist()), there[mine].tolist(), strict=True))
        plain[one] = isinstance(folder, str) and answer == _names(folder + "/", cells)
    return plain


def _right(
    meaning: Meaning,
    within: Housed,
    asked: np.ndarray,
    answer: np.ndarray,
    seen: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> np.ndarray:
    """The calls that plainly saw the folder that they asked for, each path once, and answered as they should."""
    which, path, there = seen
    calls, name = len(asked), within.name[path]
    foreign = (within.home[path] != asked[which]) | (there & (name == _FOLDER))
    right = np.bincount(which[foreign], minlength=calls) == 0
    right &= np.bincount(which[name == _FOLDER], minlength=calls) == 1
    alike = np.sort(which << 32 | path)
    right[alike[1:][alike[1:] == alike[:-1]] >> 32] = False
    sizes, pairs = np.full(len(meaning.values), -1, np.int64), []
    for text in np.unique(answer).tolist():
        told = meaning.values[text]
        if isinstance(told, list) and all(isinstance(one, str) for one in told) and told == sorted(set(told)):
            sizes[text] = len(told)
            pairs += [text << 32 | within.names[one] for one in told if one in within.names]
    present = np.flatnonzero(there)
    named = np.isin(answer[which[present]].astype(np.int64) << 32 | np.maximum(name[present], 0), pairs)
    right &= np.bincount(which[present[~named]], minlength=calls) == 0
    return right & (np.bincount(which[present], minlength=calls) == sizes[answer])


def _names(below: str, cells: dict[str, bool]) -> list[str] | None:
    """The sorted names in a folder by the cells seen and whether something is there; None when it was not just
    listed."""
    if cells.pop(below, None) is None or not all(name.startswith(below) for name in cells):
        return None
    return sorted({name[len(below) :].split("/", 1)[0] for name, there in cells.items() if there})
