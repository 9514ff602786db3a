"""Kubernetes manifests seen as cells: an object's fields, and the step that makes them so.

Pure: it knows manifests as the API has them in JSON, and nothing of servers or who asks.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from coagent.live.target import Refused
from coagent.live.targets.kube_kind import CONTAINER, KINDS, Manifest, escaped, unescaped
from coagent.operation import Cell, Value, same

Fields = Mapping[str, Cell]
"""Cells of one object by path below it: `image`, `labels/tier`."""

CONTROLLER = "deployment.kubernetes.io/"
"""How the annotations begin that the deployment controller keeps on deployments."""

NODE_TAINTS = "node.kubernetes.io/"
"""How the taints begin that the control plane keeps on nodes."""

_KEPT = (
    *("uid", "resourceVersion", "generation", "managedFields", "selfLink"),
    *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"),
)


def bare(many: str, manifest: Manifest) -> Manifest:
    """A manifest without what the control plane keeps in it by itself: what can be put back, and must come back."""
    whole = copy.deepcopy(
        {name: part for name, part in manifest.items() if name not in ("apiVersion", "kind", "status")}
    )
    meta = {name: part for name, part in whole["metadata"].items() if name not in (*_KEPT, "namespace")}
    whole["metadata"] = meta
    if many == "deployments":
        notes = {key: text for key, text in meta.pop("annotations", {}).items() if not key.startswith(CONTROLLER)}
        meta.update({"annotations": notes} if notes else {})
    if many == "nodes":
        taints = whole["spec"].pop("taints", [])
        taints = [taint for taint in taints if not taint["key"].startswith(NODE_TAINTS)]
        whole["spec"].update({"taints": taints} if taints else {})
    return whole


def _at(manifest: object, where: Sequence[str | int]) -> object:
    for part in where:
        if isinstance(part, int):
            manifest = manifest[part] if isinstance(manifest, list) and len(manifest) > part else None
        else:
            manifest = manifest.get(part) if isinstance(manifest, Mapping) else None
    return manifest


def _shown(many: str, manifest: Manifest) -> Iterator[tuple[str, Value]]:
    for name, slot in KINDS[many].slots.items():
        found = _at(manifest, slot.where)
        if slot.keyed:
            yield from ((f"{name}/{escaped(key)}", text) for key, text in (found or {}).items())
        elif name == "unschedulable":
            yield name, bool(found)
        elif found is not None and found != []:
            yield name, slot.shown(found)


def fields_of(many: str, manifest: Manifest | None) -> dict[str, Value]:
    """The fields of an object, from its bare manifest; none where there is no object."""
    return dict(_shown(many, manifest)) if manifest is not None else {}


def checked(many: str, fields: Fields) -> dict[str, Cell]:
    """The fields without those that are absent anyway. Raises Refused where a value cannot be there."""
    known: dict[str, Cell] = {}
    for path, cell in fields.items():
        fault = _fault(many, path, cell)
        if fault and cell:
            raise Refused(f"{path}: {fault}")
        if not fault:
            known[path] = cell
    return known


def _fault(many: str, path: str, cell: Cell) -> str:
    name, _, part = path.partition("/")
    slot = KINDS[many].slots.get(name)
    if slot is None or slot.keyed is not bool(part) or "/" in part:
        return f"{many} have {', '.join(KINDS[many].slots)}, with a key for a label and its like"
    if escaped(unescaped(part)) != part:
        return "in a key, / is written %2F and % is written %25"
    if many == "deployments" and unescaped(part).startswith(CONTROLLER):
        return "the deployment controller keeps this"
    return f"this takes {slot.takes}" if cell and not slot.fits(cell[0]) else ""


def _lay(many: str, tree: dict, path: str, cell: Cell, *, absent: bool) -> None:
    """Put one field into a manifest or a merge patch; what is absent is null in a patch, and left out elsewhere."""
    name, _, part = path.partition("/")
    slot = KINDS[many].slots[name]
    where = (*slot.where, unescaped(part)) if slot.keyed else slot.where
    for step in where[:-1]:
        # A list stands in a patch as a mapping by index until the elements get their names.
        tree = tree[step] if isinstance(tree, list) else tree.setdefault(step, {})
    if cell:
        tree[where[-1]] = slot.stored(cell[0])
    elif absent:
        tree[where[-1]] = None
    else:
        tree.pop(where[-1], None)


def _laid(many: str, manifest: Manifest, fields: Fields) -> Manifest:
    whole = copy.deepcopy(manifest)
    for path, cell in fields.items():
        _lay(many, whole, path, cell, absent=False)
    return whole


def _patch(many: str, manifest: Manifest, fields: Fields) -> Manifest:
    patch: Manifest = {}
    for path, cell in fields.items():
        _lay(many, patch, path, cell, absent=True)
    pods = _at(patch, CONTAINER[:-2])
    if isinstance(pods, dict) and "containers" in pods:
        name = _at(manifest, (*CONTAINER, "name"))
        pods["containers"] = [{"name": name, **pods["containers"][0]}]
    return patch


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An object as it was read: its bare manifest (None: there was none), its version, the whole list's, and which
    of its fields the reading was about (`""`: all of it)."""

    manifest: Manifest | None
    version: str = ""
    listed: str = ""
    read: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one object needs: `POST`, `PATCH` or `DELETE`, and the body."""

    method: str
    body: Manifest = field(default_factory=dict)


def _under(path: str, root: str) -> bool:
    return not root or path == root or path.startswith(root + "/")


def differs(many: str, seen: Seen, now: Manifest | None) -> bool:
    """Whether what was read of an object is otherwise now. The same fields in another version are no difference."""
    if "" in seen.read:
        return seen.manifest != now
    before, after = (
        {path: value for path, value in fields_of(many, one).items() if any(_under(path, root) for root in seen.read)}
        for one in (seen.manifest, now)
    )
    return not same(sorted(before.items()), sorted(after.items()))


def step(many: str, name: str, manifest: Manifest | None, fields: Fields, was: Seen | None) -> Step | None:
    """What makes the fields of an object so, from its bare manifest (None: there is none); None when they are so.

    `was` is the object in the reading that is being put back, if any: one that was not there goes, and one that has
    gone comes back with all it had. Otherwise an object goes with its last field, and only so.
    """
    now = fields_of(many, manifest)
    left = {path for path in now if fields.get(path, True)} | {path for path, cell in fields.items() if cell}
    if manifest is None:
        return _created(many, name, left, fields, was) if left else None
    lost = [one for one in KINDS[many].essential if _any(now, one) and not _any(left, one)]
    was_absent, was_there = was is not None and was.manifest is None, was is not None and was.manifest is not None
    if (was_absent and lost) or (not left and (was_absent or (now and not was_there))):
        return Step(method="DELETE")
    if lost:
        raise Refused(f"{many}/{name} cannot be without {lost[0]}: delete all of it")
    changed = {path: cell for path, cell in fields.items() if not same((now[path],) if path in now else (), cell)}
    return Step(method="PATCH", body=_patch(many, manifest, changed)) if changed else None


def _any(paths: Sequence[str] | set[str] | Mapping[str, Value], root: str) -> bool:
    return any(_under(path, root) for path in paths)


def _created(many: str, name: str, left: set[str], fields: Fields, was: Seen | None) -> Step:
    if was is not None and was.manifest is not None:
        return Step(method="POST", body=_laid(many, was.manifest, fields))
    lacks = [one for one in KINDS[many].essential if not _any(left, one)]
    if lacks:
        raise Refused(f"missing: there is no {many}/{name}, and one has {' and '.join(KINDS[many].essential)}")
    body = {"metadata": {"name": name}, **KINDS[many].new(name)}
    return Step(method="POST", body=_laid(many, body, fields))
