"""The JSON Schema beside the history format is made from its table, and recorded histories satisfy it."""

import json
from pathlib import Path

import jsonschema
import pytest

from coagent import schema
from coagent.history import lines
from coagent.protocols import PROTOCOLS, protocol
from coagent.simulate import Chance, simulate
from coagent.world import Setting
from workloads import workload

VALIDATOR = jsonschema.Draft202012Validator(schema.history_schema())


def test_file_is_up_to_date():
    file = Path(schema.__file__).with_name("history.schema.json")
    assert file.read_text(encoding="utf-8") == schema.schema_text(), "run python -m coagent.schema > that file"


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(schema.history_schema())


@pytest.mark.parametrize("name", ["lost-update", "unrecoverable-send", "k2-canary", "slots"])
@pytest.mark.parametrize("by", PROTOCOLS)
def test_recorded_histories_satisfy_it(by, name):
    setting = Setting(workload=workload(name), protocol=protocol(by))
    for line in lines(simulate(setting, Chance(3), schedule="random", max_steps=100).history):
        VALIDATOR.validate(json.loads(line))


@pytest.mark.parametrize(
    "record",
    [
        {"at": 1.0, "event": "undo"},
        {"at": 1.0, "event": "undo", "op": "A.1", "why": "no such field"},
        {"at": "soon", "event": "undo", "op": "A.1"},
        {"at": 1.0, "event": "redu", "op": "A.1"},
        {"at": 1.0, "event": "prepare", "op": "A.1", "captured": {"x": {"value": 1.5, "writer": None}}},
        {"at": 1.0, "event": "prepare", "op": "A.1", "captured": {"x": {"value": 1}}},
    ],
)
def test_what_is_no_record_does_not(record):
    assert not VALIDATOR.is_valid(record)
