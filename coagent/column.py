"""The columns that a history may be held in, by name: what `coagent.table` fills and the short NDJSON spells out."""

from collections.abc import Mapping

TIMES = ("at_end", "at_infer", "at_inferred", "at_invoke")
"""Seconds: of the row, and of the earlier parts of a call."""

LISTS: Mapping[str, tuple[str, ...]] = {
    "args": ("args_value",),
    "saw": ("saw_path", "saw_value", "saw_writer"),
    "captured": ("captured_path", "captured_value", "captured_writer"),
    "wrote": ("wrote_path", "wrote_value"),
    "ops": ("ops_op",),
}
"""Columns of counts by row (-1: the record has no such field), and the columns that hold the entries, row after row."""

SCALARS = (
    "kind",
    "skip",
    "agent",
    "op",
    "other",
    "attempt",
    "number",
    "key",
    "place",
    "form",
    "reads",
    "writes",
    "status",
    "value",
    "route",
    "word",
    "flag",
    "prompt",
    "cached",
    "output",
    "before_infer",
    "before_inferred",
    "before_invoke",
    *LISTS,
)
"""Integers, -1 where the record has no such field. `skip` counts the earlier parts of later calls that stood between
the row before and this one, `before_*` how many records before the row's own first one a part of the call stood.
`op` and `other` (a cause, an heir) number the operations as they are invoked. An operation is called `agent.number`,
or, below -1, by the text at -2 - number. A position is the agent's rank and `key`, or the list that is text `place`.
`reads` and `writes` are texts where the form does not give them by the arguments; `value`, `route` and `word`
(a decision or an action) are texts too."""

FLAT = tuple(name for names in LISTS.values() for name in names)
COLUMNS = (*SCALARS, *TIMES, *FLAT)
BESIDE = (*TIMES, "prompt", "cached", "output")
"""What nothing else in the columns depends on, so that it may be fetched when it is first asked for."""
