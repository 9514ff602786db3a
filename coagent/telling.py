"""What happened in a run as a table, a row for each thing that an agent or an onlooker can notice, in words.

The words are those of `coagent.lanes`; reads nothing but the history.
"""

from typing import TYPE_CHECKING

from coagent.history import History
from coagent.lanes import rows

if TYPE_CHECKING:
    import polars as pl


def told(history: History, *events: str) -> "pl.DataFrame":
    """The history as a table with `at` (seconds), `agent`, `event`, `op`, `says` and `because_of`, oldest first.

    With `events` (`result`, `notify`, `undo` and so on), only rows of those kinds. `because_of` is the agent whose
    doing a notice tells of, and null in other rows.
    """
    import polars as pl

    found = [
        (row.at, row.agent, record["event"], record.get("op"), row.text, row.source)
        for record, row in rows(history)
        if row is not None and (not events or record["event"] in events)
    ]
    kinds = {"at": pl.Float64, "agent": pl.String, "event": pl.String, "op": pl.String, "says": pl.String}
    return pl.DataFrame(found, schema={**kinds, "because_of": pl.String}, orient="row")
