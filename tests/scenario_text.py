"""Texts of scenarios to read in tests, and the refusal of one."""

import pytest

from coagent.bad_input import BadInput
from coagent.scenario import load_scenario

DOCUMENTED = """{"name": "lost update", "state": {"x": 1, "stock/apples": 3},
 "agents": [
  {"name": "A", "steps": [{"get": "x", "as": "v"}, {"put": "x", "value": "v + 1"}, {"report": "v"}]},
  {"name": "B", "think_s": 8.0, "steps": [
    {"list": "stock", "as": "names"},
    {"for": "n", "in": "names", "do": [{"add": "stock/{n}", "by": "1", "think_s": 2.5}]},
    {"if": "len(names) > 1", "then": [{"delete": "x"}], "else": [{"copy": "x", "to": "y"}]},
    {"send": "outbox/kofi", "value": "'done'"}]}]}
"""
"""The example of the format's description."""


def with_steps(*steps: str) -> str:
    """A scenario of one agent whose first step is on line 2, the next on line 3, and so on."""
    return '{"state": {}, "agents": [{"name": "A", "steps": [\n' + ",\n".join(steps) + "]}]}"


def refusal(text: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        load_scenario(text, "f.json")
    assert str(caught.value) == f"{caught.value.where}: {caught.value.what}"
    assert "\n" not in str(caught.value) and len(caught.value.what) < 400
    return caught.value
