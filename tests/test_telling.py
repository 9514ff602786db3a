"""A run told as a table: a row for what can be noticed, in order, and only the kinds that were asked for."""

from coagent import protocol
from coagent.lanes import rows
from coagent.running import run
from coagent.telling import told
from workloads import workload


def test_each_row_is_one_of_the_lanes_and_notices_name_their_cause() -> None:
    history = run(workload("k2-canary"), protocol("mtpo")).outcome.history
    table = told(history)
    assert table["says"].to_list() == [row.text for _, row in rows(history) if row]
    assert table["at"].is_sorted()
    [notice] = told(history, "notify").to_dicts()
    assert (notice["agent"], notice["op"], notice["because_of"]) == ("B", "B.1", "A")
    assert set(told(history, "result", "undo")["event"]) == {"result", "undo"}


def test_a_run_without_such_events_is_an_empty_table_with_the_same_columns() -> None:
    history = run(workload("lost-update"), protocol("naive")).outcome.history
    assert told(history, "undo").is_empty() and told(history, "undo").columns == told(history).columns
