"""A Kubernetes cluster keeps the laws of a target: on a real API server, with the controllers at work beside it."""

import asyncio
import json
import urllib.request
from collections.abc import Awaitable, Mapping

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from coagent.bad_input import BadInput
from coagent.live.target import Conflict, Gone, Refused
from coagent.live.targets.kube import KubeTarget, fresh_namespace
from coagent.live.targets.kube_lens import KINDS
from coagent.operation import Cell, Value
from tests.live.kube_raw import GEO, NODE, Server, furnished, look, put
from tests.live.laws import check_laws
from workloads import (
    k1_canary_of_trial_image,
    k2_canary,
    k3_flag_blob,
    k4_pdb_during_bluegreen,
    k5_pin_vs_cordon,
    x3_scale_restore_vs_double,
    x4_page_on_stale_binary,
)

pytest_plugins = ("tests.live.kube_server",)
pytestmark = [
    pytest.mark.xdist_group("kube"),
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
]
SEVERAL = (
    *(k1_canary_of_trial_image, k2_canary, k3_flag_blob, k4_pdb_during_bluegreen, k5_pin_vs_cordon),
    *(x3_scale_restore_vs_double, x4_page_on_stale_binary),
)


@pytest.mark.parametrize("module", SEVERAL, ids=lambda module: module.__name__.split(".")[1][:2])
def test_every_start_state_of_the_cluster_workloads_is_real_as_it_stands(kube: Server, module) -> None:
    state = dict(module.workload().state)
    target = asyncio.run(fresh_namespace(tuple(state.items()), prefix="test-", kubeconfig=kube.kubeconfig))
    cells = look(target, "cluster").cells
    beside = {path for path in cells if path.startswith("cluster/nodes/")} - set(state)
    assert {path: repr(value) for path, value in cells.items() if path not in beside} == {
        path: repr(value) for path, value in state.items()
    }


LABEL = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,10}[A-Za-z0-9])?", fullmatch=True)
KEY = st.sampled_from(("tier", "example.org%2Fteam", "a.b-c_d", "new"))
KEYS = {"data": st.sampled_from(("flags.json", "new")), "binaryData": st.sampled_from(("blob", "new-blob"))}
"""Keys of a ConfigMap, without slashes, those of the two maps different."""

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES: Mapping[str, st.SearchStrategy[Value]] = {
    "labels": LABEL,
    "annotations": TEXT,
    "data": TEXT,
    "binaryData": st.sampled_from(("", "AAEC", "/w==")),
    "image": st.sampled_from(("geo:1", "geo:2", "registry.example.org:5000/a/b@sha256:00")),
    "command": WORD | st.lists(WORD, min_size=2, max_size=4).map(tuple),
    "replicas": st.integers(0, 2),
    "nodeName": st.sampled_from(("node-0", "node-1.example.org")),
    "unschedulable": st.booleans(),
    "selector": LABEL,
    "minAvailable": st.integers(0, 9) | st.sampled_from(("10%", "100%")),
}
"""What each field may get. `maxUnavailable` is not there: a budget has it or `minAvailable`, not both."""

NAMES = {"configmaps": "config", "deployments": "geo", "nodes": "law-node", "poddisruptionbudgets": "budget"}
NAMES["services"] = "front"


@st.composite
def one_object(draw: st.DrawFn, many: str, whole: Mapping[str, Value]) -> dict[str, Cell]:
    """Cells of one object: a new one, one that goes whole, or one of which some fields change, come or go."""
    kind, way = KINDS[many], draw(st.sampled_from(("create", "delete", "patch", "patch")))
    start = f"cluster/{many}/{NAMES[many]}/"
    if way == "delete":
        return {path: () for path in whole if path.startswith(start)}
    start = (
        f"cluster/{many}/{draw(st.sampled_from(['new-1'] + ['new.dotted'] * (many != 'services')))}/"
        if way == "create"
        else start
    )
    cells: dict[str, Cell] = {}
    for name, slot in kind.slots.items():
        needed = way == "create" and name in (kind.essential or ("data",))
        if name not in VALUES or not (needed or draw(st.booleans())):
            continue
        value = (draw(VALUES[name]),)
        goes = way == "patch" and name not in kind.essential and draw(st.booleans())
        key = f"/{draw(KEYS.get(name, KEY))}" if slot.keyed else ""
        cells[f"{start}{name}{key}"] = () if goes else value
    return cells


def test_the_laws_hold_for_every_field_of_every_kind(kube: Server) -> None:
    target, raw = furnished(kube, node=True)
    whole = look(target, "cluster").cells

    async def fingerprint() -> object:
        return await asyncio.to_thread(raw.fingerprint)

    objects = st.lists(st.sampled_from(sorted(NAMES)), min_size=1, max_size=3, unique=True).flatmap(
        lambda kinds: st.tuples(*(one_object(many, whole) for many in kinds))
    )

    # Without shrinking: what a failed example leaves behind would let the smaller ones fail too.
    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(objects)
    def check(several: tuple[dict[str, Cell], ...]) -> None:
        writes = {path: cell for cells in several for path, cell in cells.items()}
        asyncio.run(check_laws(target, writes, fingerprint))

    check()


def test_a_deleted_object_comes_back_with_all_it_had_by_another_target_from_the_memo_alone(kube: Server) -> None:
    target, raw = furnished(kube, node=True)
    before = raw.fingerprint()
    for many, name in NAMES.items():
        row = f"cluster/{many}/{name}"
        reading = look(target, row)
        put(target, {path: () for path in reading.cells}, reading)
        assert (many, name) not in raw.fingerprint()
        other = KubeTarget(namespace=target.namespace, kubeconfig=kube.kubeconfig)
        put(other, {path: (value,) for path, value in reading.cells.items()}, was=reading)
    assert raw.fingerprint() == before


def test_many_fields_of_one_object_written_at_once_all_survive(kube: Server) -> None:
    target, raw = furnished(kube)

    async def everything() -> None:
        async def one(path: str, value: Value) -> None:
            reading = await target.read((path,))
            await target.write({path: (value,)}, seen=reading.memo, restore={})

        labels = ((f"{GEO}/labels/k{number}", "v") for number in range(8))
        await asyncio.gather(*(one(path, value) for path, value in (*labels,)), one(f"{GEO}/replicas", 0))
        await asyncio.gather(one(f"{GEO}/image", "geo:9"), one(f"{GEO}/command", "run"), one(f"{GEO}/replicas", 2))

    asyncio.run(everything())
    cells = look(target, GEO).cells
    assert all(cells[f"{GEO}/labels/k{number}"] == "v" for number in range(8))
    assert [cells[f"{GEO}/{field}"] for field in ("image", "command", "replicas")] == ["geo:9", "run", 2]


def test_what_was_read_and_changed_outside_is_a_conflict_and_nothing_is_written(kube: Server) -> None:
    target, raw = furnished(kube)
    image, whole = look(target, f"{GEO}/image"), look(target, GEO)
    raw.patch("deployments", "geo", {"spec": {"replicas": 2}})
    changed = raw.fingerprint()
    with pytest.raises(Conflict):
        put(target, {f"{GEO}/image": ("geo:3",)}, whole)
    assert raw.fingerprint() == changed
    put(target, {f"{GEO}/image": ("geo:3",)}, image)
    cells = look(target, GEO).cells
    assert (cells[f"{GEO}/image"], cells[f"{GEO}/replicas"]) == ("geo:3", 2)


def test_a_write_that_changes_nothing_is_a_conflict_too_when_it_was_worked_out_from_other_cells(kube: Server) -> None:
    target, raw = furnished(kube)
    image = look(target, f"{GEO}/replicas")
    raw.patch("deployments", "geo", {"spec": {"replicas": 0}})
    with pytest.raises(Conflict):
        put(target, {f"{GEO}/replicas": (1,)}, image)


def test_a_conflict_in_one_of_several_objects_leaves_the_others_as_they_were(
    kube: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, raw = furnished(kube)
    writes = {"cluster/configmaps/config/data/empty": ("full",), f"{GEO}/image": ("geo:4",)}
    seen, do = look(target, *writes), target._do

    async def outrun(step: object, many: str, name: str, version: str) -> None:
        if many == "deployments":
            await asyncio.to_thread(
                raw.ask,
                *("PATCH", raw.url(many, name), [{"op": "replace", "path": IMAGE, "value": "geo:8"}]),
                "application/json-patch+json",
            )
        await do(step, many, name, version)

    monkeypatch.setattr(target, "_do", outrun)
    with pytest.raises(Conflict):
        put(target, writes, seen)
    cells = look(target, "cluster").cells
    assert [cells[path] for path in writes] == ["", "geo:8"]


IMAGE = "/spec/template/spec/containers/0/image"


def test_what_the_control_plane_itself_keeps_is_no_conflict(kube: Server) -> None:
    target, raw = furnished(kube, node=True)
    reading = look(target, GEO, NODE)
    raw.patch("deployments", "geo", {"metadata": {"annotations": {"deployment.kubernetes.io/revision": "77"}}})
    raw.patch("nodes", "law-node/status", {"status": {"capacity": {"cpu": str(len(target.namespace))}}})
    put(target, {f"{GEO}/image": ("geo:5",), f"{NODE}/unschedulable": (True,)}, reading)
    cells = look(target, "cluster").cells
    assert (cells[f"{GEO}/image"], cells[f"{NODE}/unschedulable"]) == ("geo:5", True)
    assert not [path for path in cells if "revision" in path]


def test_what_others_created_meanwhile_is_a_conflict_for_who_saw_nothing_there(kube: Server) -> None:
    target, raw = furnished(kube)
    cells = {"cluster/deployments/new/image": ("a:1",), "cluster/deployments/new/replicas": (0,)}
    one, several = look(target, "cluster/deployments/new"), look(target, "cluster/deployments")
    put(target, cells)
    for seen in (one, several):
        with pytest.raises(Conflict):
            put(target, {**cells, "cluster/deployments/new/image": ("b:1",)}, seen)
    assert look(target, "cluster/deployments/new").cells["cluster/deployments/new/image"] == "a:1"


def test_without_a_reading_what_is_there_is_patched_and_what_is_not_there_need_not_go(kube: Server) -> None:
    target, raw = furnished(kube)
    put(target, {f"{GEO}/image": ("geo:6",), f"{GEO}/replicas": (0,)})
    put(target, {"cluster/deployments/none/image": (), "cluster/deployments/none/replicas": ()})
    after = raw.fingerprint()
    spec = after["deployments", "geo"]["spec"]
    assert (spec["replicas"], spec["template"]["spec"]["containers"][0]["image"]) == (0, "geo:6")
    assert spec["strategy"] == {"type": "Recreate"} and ("deployments", "none") not in after


def test_undoing_a_key_of_a_config_map_leaves_the_key_that_somebody_else_added(kube: Server) -> None:
    target, raw = furnished(kube)
    first, second = "cluster/configmaps/shared/data/a", "cluster/configmaps/shared/data/b"
    before_first, before_second = look(target, first), look(target, second)
    put(target, {first: ("1",)}, before_first)
    put(target, {second: ("2",)}, before_second)
    put(target, {first: ()}, was=before_first)
    assert look(target, "cluster/configmaps/shared").cells == {second: "2"}
    put(target, {second: ()}, was=before_second)
    assert ("configmaps", "shared") not in raw.fingerprint()


def test_a_write_done_by_half_is_put_back(kube: Server) -> None:
    target, raw = furnished(kube)
    before = raw.fingerprint()
    writes = {"cluster/configmaps/config/data/new": ("x",), f"{GEO}/replicas": (-1,)}
    seen = look(target, *writes)
    with pytest.raises(Refused, match="must be greater than or equal to 0"):
        put(target, writes, seen)
    assert raw.fingerprint() != before, "the first object was written"
    put(target, {path: (seen.cells[path],) if path in seen.cells else () for path in writes}, was=seen)
    assert raw.fingerprint() == before


NONSENSE: tuple[tuple[str, Cell], ...] = (
    (f"{GEO}/replicas", ("1",)),
    (f"{GEO}/replicas", (True,)),
    (f"{GEO}/replicas", (2**40,)),
    (f"{GEO}/image", ("",)),
    (f"{GEO}/image", (None,)),
    (f"{GEO}/image", ()),
    (f"{GEO}/command", (("alone",),)),
    (f"{GEO}/command", ((),)),
    (f"{GEO}/nodeName", ("",)),
    (f"{GEO}/labels/tier", (None,)),
    (f"{GEO}/labels/tier", ("not a label!",)),
    (f"{GEO}/labels/not%2fcanonical", ("x",)),
    (f"{GEO}/labels/a/b", ("x",)),
    (f"{GEO}/labels", ("x",)),
    (f"{GEO}/annotations/note", ("\ud800",)),
    (f"{GEO}/annotations/deployment.kubernetes.io%2Frevision", ("9",)),
    (f"{GEO}/status", ("x",)),
    (GEO, ("x",)),
    ("cluster/pods/p/image", ("x",)),
    ("elsewhere/deployments/geo/image", ("x",)),
    ("cluster/configmaps/config/binaryData/blob", ("AAE",)),
    ("cluster/configmaps/config/binaryData/empty", ("AAEC",)),
    ("cluster/configmaps/..%2F..%2Fsecrets/data/a", ("x",)),
    ("cluster/configmaps/a,metadata.namespace=b/data/a", ("x",)),
    ("cluster/deployments/unheard-of/labels/tier", ("x",)),
    ("cluster/services/front/selector/app", ()),
    ("cluster/poddisruptionbudgets/budget/maxUnavailable", (1,)),
    ("cluster/poddisruptionbudgets/budget/minAvailable", ("half",)),
    ("cluster/nodes/law-node/unschedulable", (1,)),
)


def test_nonsense_is_refused_and_changes_nothing(kube: Server) -> None:
    target, raw = furnished(kube, node=True)
    before = raw.fingerprint()
    for path, cell in NONSENSE:
        with pytest.raises(Refused):
            put(target, {path: cell})
            pytest.fail(f"{path} took {cell}")
    assert raw.fingerprint() == before


def test_a_name_that_no_object_can_have_shows_no_cells_of_others(kube: Server) -> None:
    target, raw = furnished(kube)
    assert not look(target, "cluster/configmaps/config,metadata.name=x", "cluster/deployments/../geo").cells


def test_what_a_reading_saw_can_be_seen_again_after_it_has_changed_and_gone(kube: Server) -> None:
    target, raw = furnished(kube)
    image, new = f"{GEO}/image", "cluster/configmaps/later/data/a"
    memos = [look(target, GEO, new).memo]
    put(target, {image: ("geo:2",), new: ("1",)})
    memos.append(look(target, "cluster").memo)
    put(target, {path: () for path in look(target, GEO).cells})
    memos.append(look(target, GEO, "cluster/configmaps").memo)
    put(target, {new: ("2",)})

    async def seen_at() -> list[tuple[Cell, Cell]]:
        return [(await target.read_at(image, memo), await target.read_at(new, memo)) for memo in memos]

    assert asyncio.run(seen_at()) == [(("geo:1",), ()), (("geo:2",), ("1",)), ((), ("1",))]


def test_a_version_that_the_store_has_compacted_is_gone(kube: Server) -> None:
    if not kube.etcd:
        pytest.skip("the store of this cluster is not ours to compact")
    target, raw = furnished(kube)
    memo = look(target, GEO).memo
    put(target, {f"{GEO}/image": ("geo:2",)})
    put(target, {f"{GEO}/image": ("geo:3",)})
    now = look(target, GEO).memo[GEO]["version"]
    body = json.dumps({"revision": now}).encode()
    urllib.request.urlopen(f"{kube.etcd}/v3/kv/compaction", body).read()
    with pytest.raises(Gone):
        asyncio.run(target.read_at(f"{GEO}/image", memo))
    with pytest.raises(Gone, match="not read"):
        asyncio.run(target.read_at("cluster/services/front/selector/app", memo))


def test_a_deletion_is_done_when_the_object_has_gone_and_not_when_it_is_granted(kube: Server) -> None:
    target, raw = furnished(kube)
    held = {"metadata": {"name": "held", "finalizers": ["example.org/hold"]}, "data": {"a": "1"}}
    raw.ask("POST", raw.url("configmaps"), held)

    async def freed() -> list[str]:
        order: list[str] = []

        async def marked(name: str, work: Awaitable[object]) -> None:
            await work
            order.append(name)

        async def free() -> None:
            await asyncio.sleep(0.5)
            order.append("still held")
            await asyncio.to_thread(raw.patch, "configmaps", "held", {"metadata": {"finalizers": None}})

        write = target.write({"cluster/configmaps/held/data/a": ()}, seen={}, restore={})
        await asyncio.gather(marked("gone", write), free())
        return order

    assert asyncio.run(freed()) == ["still held", "gone"]


def test_a_server_that_does_not_answer_is_neither_refusal_nor_conflict(kube: Server, tmp_path) -> None:
    import yaml

    config = yaml.safe_load(open(kube.kubeconfig))
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    target = KubeTarget(kubeconfig=str(tmp_path / "config"))
    with pytest.raises(Exception) as raised:
        look(target, GEO)
    assert not isinstance(raised.value, Refused | Conflict)


def test_without_a_cluster_or_the_package_the_way_out_is_said(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="KUBECONFIG"):
        KubeTarget(kubeconfig=str(tmp_path / "none"))
    monkeypatch.setitem(__import__("sys").modules, "kubernetes", None)
    with pytest.raises(BadInput, match="extra `live`"):
        KubeTarget()


def test_a_target_is_made_again_from_what_it_says_of_itself(kube: Server) -> None:
    target, raw = furnished(kube)
    options = {name: option for name, option in json.loads(json.dumps(target.spec)).items() if name != "kind"}
    assert look(KubeTarget(**options), GEO).cells == look(target, GEO).cells
    asyncio.run(target.close())
    assert look(target, GEO).cells, "closed connections open again"
