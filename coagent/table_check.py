"""Whether the columns of a table fit together: every number in range, every record in one place.

Judges nothing of what they say. Rows are taken by blocks that stay in the processor's cache.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from coagent.column import BESIDE, LISTS, SCALARS
from coagent.table import INVOKED, KIND, KINDS, NEEDED, STATUSES, USERS, Table, bits_of, nothing

_BLOCK = 1 << 16
"""Rows that are looked at together."""


def fault(table: Table) -> str:
    """What keeps the columns from fitting together, or nothing: every number in range, every record in one place.

    Columns that nothing depends on (`coagent.column.BESIDE`) are whoever's who reads them in.
    """
    columns, rows = table.columns, len(table)
    for name in SCALARS:
        if name not in BESIDE and len(columns[name]) != rows:
            return f"{name} has {len(columns[name])} entries for {rows} rows"
    for name, parts in LISTS.items():
        total = int(table.starts(name)[-1])
        for part in parts:
            if len(columns[part]) != total:
                return f"{part} has {len(columns[part])} entries, and {name} counts {total}"
    if table.values() is None:
        return "a text is no JSON"
    wrong = _numbers_fault(table)
    if wrong:
        return wrong
    with ThreadPoolExecutor(1) as beside:
        placed = beside.submit(_places_fault, table)
        return _ranges_fault(table) or placed.result()


def _numbers_fault(table: Table) -> str:
    kind, op = table.columns["kind"], table.columns["op"]
    if len(kind) and not 0 <= kind.min() <= kind.max() < len(KINDS):
        return "a row is of an unknown kind"
    if (kind == KIND["verbatim"]).sum() != len(table.records):
        return "some verbatim records have no row, or rows no record"
    invoking = op[table.among(INVOKED)]
    named = np.zeros(len(invoking), bool)
    if len(invoking) and not 0 <= invoking.min() <= invoking.max() < len(invoking):
        return "the operations are not numbered one by one"
    named[invoking] = True
    if not named.all():
        return "two operations have one number"
    return ""


def _ranges_fault(table: Table) -> str:
    columns, texts = table.columns, len(table.texts)
    ops, paths = len(table.owners), len(table.paths)
    tops = dict.fromkeys(("value", "route", "word", "place", "reads", "writes", "saw_value", "captured_value"), texts)
    tops |= dict.fromkeys(("wrote_value", "args_value"), texts) | {"form": len(table.forms)}
    tops |= dict.fromkeys(("op", "other", "saw_writer", "captured_writer", "ops_op"), ops)
    tops |= dict.fromkeys(("saw_path", "captured_path", "wrote_path"), paths)
    tops |= {"agent": len(table.header["agents"]), "status": len(STATUSES), "flag": 2}
    for name, top in tops.items():
        column = columns[name]
        least = 0 if name in ("ops_op", "args_value") or name.endswith("_path") else -1
        if len(column) and not least <= column.min() <= column.max() < top:
            return f"{name} names what is not there"
    if len(table) and columns["number"].min() < -1 - texts:
        return "number names what is not there"
    return _kinds_fault(table) or _forms_fault(table)


def _kinds_fault(table: Table) -> str:
    """Every kind of row has what it needs, and nothing where it says nothing; by blocks that stay in the cache."""
    columns = table.columns
    said, lacking = dict.fromkeys(USERS, 0), dict.fromkeys(NEEDED, 0)
    for start in range(0, len(table), _BLOCK):
        block = slice(start, start + _BLOCK)
        bits = table.bits[block]
        for name in USERS.keys() - set(BESIDE):
            present = columns[name][block] != nothing(name)
            said[name] |= int(np.bitwise_or.reduce(bits * present))
            if name in NEEDED:
                lacking[name] |= int(np.bitwise_or.reduce(bits * (columns[name][block] < 0)))
    for name, kinds in lacking.items():
        if kinds & bits_of(NEEDED[name]):
            return f"{name} is missing where it is needed"
    for name, kinds in said.items():
        if kinds & ~bits_of(USERS[name]):
            return f"{name} is where it says nothing"
    return ""


def _forms_fault(table: Table) -> str:
    columns = table.columns
    sizes = np.array([len(form.args) for form in table.forms] + [-1], np.int64)
    spelled = [(form.reads is None) | (form.writes is None) << 1 for form in table.forms]
    spelled = np.array([*spelled, 0], np.int8)
    for start in range(0, len(table), _BLOCK):
        block = slice(start, start + _BLOCK)
        form = columns["form"][block].astype(np.int64)
        if np.any(columns["args"][block] != sizes[form]):
            return "args are not as many as the form has"
        invoking = (table.bits[block] & bits_of(INVOKED)) > 0
        due = spelled[form]
        if np.any(invoking & (((due & 1) > 0) & (columns["reads"][block] < 0))) or np.any(
            invoking & (((due & 2) > 0) & (columns["writes"][block] < 0))
        ):
            return "a call does not say what it declares"
        if np.any(invoking & (columns["key"][block] == -1) & (columns["number"][block] == -1)):
            return "a call has no shape or no name"
    return ""


def _places_fault(table: Table) -> str:
    """Every place among the records in full is taken exactly once, and a call's parts stand in their order."""
    columns, late = table.columns, table.late
    if len(table) == 0:
        return ""
    if columns["skip"].min() < 0:
        return "parts of a call stand at what is no call"
    first = table.first()
    total = int(first[-1] + late[-1])
    parts = sum(int(np.count_nonzero(columns[f"before_{part}"])) for part in ("infer", "inferred", "invoke"))
    if int(late.sum(dtype=np.int64)) + parts != total:
        return "two records stand in one place, or a place is empty"
    taken = np.zeros(total, bool)
    for start in range(0, len(table), _BLOCK):
        block = slice(start, start + _BLOCK)
        begin = first[block]
        infer, inferred, invoke = (columns[f"before_{part}"][block] for part in ("infer", "inferred", "invoke"))
        call = table.columns["kind"][block] == KIND["call"]
        thought = infer > 0
        if not np.array_equal(invoke > 0, call) or not np.array_equal(thought, inferred > 0):
            return "a call lacks parts"
        if np.any(thought & ~((infer > inferred) & (inferred > invoke))):
            return "the parts of a call are out of order"
        if np.any(thought & ~call):
            return "parts of a call stand at what is no call"
        three = late[block] == 3
        places = [begin, begin[three] + 1, begin[three] + 2]
        places += [(begin - part)[part > 0] for part in (infer, inferred, invoke)]
        for place in places:
            if len(place) and not 0 <= place.min() <= place.max() < total:
                return "a part of a call stands outside the history"
            taken[place] = True
    return "" if taken.all() else "two records stand in one place, or a place is empty"
