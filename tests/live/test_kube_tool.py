"""The tools of a cluster keep to their footprints and are undone exactly, on a real API server."""

from collections.abc import Iterator, Mapping
from random import Random

import jsonschema
import pytest

from checker.proof.sample_call import samples
from coagent.live.targets.kube_tool import KUBE_TOOLS
from coagent.operation import Result, Value
from coagent.path import overlap
from tests.live.kube_raw import GEO, NODE, Server, furnished, look, put
from tests.proof.test_symbolic_tool import assert_faithful

pytest_plugins = ("tests.live.kube_server",)
pytestmark = [
    pytest.mark.xdist_group("kube"),
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
]
CALLS: tuple[tuple[str, Mapping[str, Value], Result], ...] = (
    ("list_objects", {"kind": "deployments"}, Result("ok", ("geo",))),
    ("get_object", {"kind": "services", "name": "front"}, Result("ok", (("labels/a", "1"), ("selector/app", "geo")))),
    ("get_object", {"kind": "services", "name": "back"}, Result("failed", "missing")),
    (
        "create_object",
        {"kind": "deployments", "name": "canary", "fields": (("image", "geo:1"), ("replicas", 1), ("nodeName", None))},
        Result("ok", "ok"),
    ),
    ("create_object", {"kind": "services", "name": "back", "fields": (("selector/app", "x"),)}, Result("ok", "ok")),
    (
        "create_object",
        {"kind": "services", "name": "front", "fields": (("selector/app", "x"),)},
        Result("failed", "exists"),
    ),
    (
        "create_object",
        {"kind": "deployments", "name": "canary", "fields": (("image", "x"),)},
        Result("failed", "needs replicas"),
    ),
    (
        "create_object",
        {"kind": "configmaps", "name": "new", "fields": (("data/a", None),)},
        Result("failed", "needs a field"),
    ),
    ("delete_object", {"kind": "deployments", "name": "geo"}, Result("ok", "ok")),
    ("delete_object", {"kind": "poddisruptionbudgets", "name": "budget"}, Result("ok", "ok")),
    ("delete_object", {"kind": "nodes", "name": "law-node"}, Result("ok", "ok")),
    ("delete_object", {"kind": "nodes", "name": "no-node"}, Result("failed", "missing")),
    (
        "patch_object",
        {
            "kind": "deployments",
            "name": "geo",
            "fields": (("image", "geo:2"), ("command", None), ("labels/tier", None), ("annotations/a%2Fb", "c")),
        },
        Result("ok", "ok"),
    ),
    (
        "patch_object",
        {"kind": "services", "name": "front", "fields": (("selector/app", None),)},
        Result("failed", "needs selector"),
    ),
    (
        "patch_object",
        {"kind": "services", "name": "front", "fields": (("selector/app", None), ("selector/run", "geo"))},
        Result("ok", "ok"),
    ),
    (
        "patch_object",
        {"kind": "deployments", "name": "geo", "fields": (("replicas", None),)},
        Result("failed", "needs replicas"),
    ),
    ("patch_object", {"kind": "nodes", "name": "no-node", "fields": (("labels/a", "b"),)}, Result("failed", "missing")),
    ("get_config", {"name": "config", "key": "flags.json"}, Result("ok", '{"a": 1}')),
    ("set_config", {"name": "config", "key": "empty", "value": "no more"}, Result("ok", "ok")),
    ("set_config", {"name": "unheard-of", "key": "a", "value": ""}, Result("ok", "ok")),
    ("delete_config", {"name": "config", "key": "empty"}, Result("ok", "ok")),
    ("delete_config", {"name": "config", "key": "none"}, Result("failed", "missing")),
    ("set_image", {"name": "geo", "image": "geo:2"}, Result("ok", "ok")),
    ("scale", {"name": "geo", "replicas": 0}, Result("ok", "ok")),
    ("scale", {"name": "gone", "replicas": 0}, Result("failed", "missing")),
    ("repoint", {"name": "front", "app": "geo-green"}, Result("ok", "ok")),
    ("pin", {"name": "geo", "node": "law-node"}, Result("ok", "ok")),
    ("unpin", {"name": "geo"}, Result("ok", "ok")),
    ("cordon_node", {"name": "law-node"}, Result("ok", "ok")),
    ("uncordon_node", {"name": "law-node"}, Result("ok", "ok")),
    ("uncordon_node", {"name": "no-node"}, Result("failed", "missing")),
)


class Cells:
    """What was read of a footprint, as tools look at it; looking elsewhere is an error."""

    def __init__(self, cells: Mapping[str, Value], declared: tuple[str, ...]) -> None:
        self.cells, self.declared = cells, declared

    def cell(self, path: str) -> tuple[Value, ...]:
        assert any(f"{path}/".startswith(f"{root}/") for root in self.declared), f"{path} was not declared"
        return (self.cells[path],) if path in self.cells else ()

    def below(self, path: str) -> Iterator[str]:
        assert any(f"{path}/".startswith(f"{root}/") for root in self.declared), f"{path} was not declared"
        return iter(sorted(name for name in self.cells if name.startswith(f"{path}/")))


def test_every_tool_is_tried() -> None:
    assert {name for name, _, _ in CALLS} == set(KUBE_TOOLS)


def test_every_call_writes_what_it_declared_and_is_undone_exactly(kube: Server) -> None:
    target, raw = furnished(kube, node=True)
    before = raw.fingerprint()
    for name, args, due in CALLS:
        declared = KUBE_TOOLS[name].declare(args)
        reading = look(target, *declared.footprint)
        result, writes = KUBE_TOOLS[name].exec(Cells(reading.cells, declared.reads), args)
        assert result == due, (name, args)
        if declared.image:
            assert declared.image == writes
        assert all(any(overlap(path, root) for root in declared.writes) for path, _ in writes), (name, args)
        put(target, dict(writes), reading)
        whole = look(target, "cluster").cells
        assert all(whole.get(path) == (cell[0] if cell else None) for path, cell in writes), (name, args)
        changed = {path: (reading.cells[path],) if path in reading.cells else () for path, _ in writes}
        assert bool(writes) is (result.value == "ok"), (name, args)
        put(target, changed, was=reading)
        assert raw.fingerprint() == before, (name, args)


def test_every_tool_has_a_schema_that_takes_its_calls_and_no_other_arguments() -> None:
    for name, args, _ in CALLS:
        validator = jsonschema.Draft202012Validator(KUBE_TOOLS[name].schema)
        plain = {key: listed(value) for key, value in args.items()}
        validator.validate(plain)
        for wrong in ({**plain, "more": 1}, dict(list(plain.items())[1:]), {**plain, next(iter(plain)): "Not A Name"}):
            assert not validator.is_valid(wrong), (name, wrong)


def listed(value: Value) -> object:
    return [listed(item) for item in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", [name for name, tool in KUBE_TOOLS.items() if tool.meaning is not None])
def test_a_meaning_is_what_the_tool_does(name: str) -> None:
    random, tool = Random(name), KUBE_TOOLS[name]
    calls = samples(tool)
    assert sum(assert_faithful(random, tool, random.choice(calls), 6) for _ in range(12)) > 0


def test_cordoning_and_pinning_show_in_the_real_objects(kube: Server) -> None:
    target, raw = furnished(kube, node=True)
    put(target, dict(KUBE_TOOLS["cordon_node"].exec(Cells(look(target, NODE).cells, (NODE,)), {"name": "law-node"})[1]))
    put(
        target,
        dict(KUBE_TOOLS["pin"].exec(Cells(look(target, GEO).cells, (GEO,)), {"name": "geo", "node": "law-node"})[1]),
    )
    real = raw.fingerprint()
    assert real["nodes", "law-node"]["spec"]["unschedulable"] is True
    assert real["deployments", "geo"]["spec"]["template"]["spec"]["nodeName"] == "law-node"
    put(target, {f"{NODE}/unschedulable": (False,)})
