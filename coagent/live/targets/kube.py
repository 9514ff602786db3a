"""A Kubernetes cluster as cells, `cluster/KIND/NAME/FIELD`: one namespace's objects, and the cluster's nodes.

It talks to the API server as the official client is configured to, in threads, and knows nothing of agents.
"""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from coagent.bad_input import BadInput
from coagent.live.target import Conflict, Gone, Memo, Reading, Refused
from coagent.live.targets import kube_lens as lens
from coagent.live.targets.kube_api import TIMEOUT_S, Answer, asked, opened
from coagent.live.targets.kube_kind import KINDS, Manifest, is_name
from coagent.live.targets.kube_lens import Seen, Step
from coagent.operation import Cell, Value

ROOT = "cluster"
TRIES = 25
"""How often a write begins again because the object got a new version that is the same in all that was read."""


class _Stale(Exception):
    """The object is not what the request was made for: another version, already there, or gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A path taken apart; what it does not have is empty."""

    many: str = ""
    name: str = ""
    field: str = ""

    @property
    def path(self) -> str:
        return "/".join(part for part in (ROOT, self.many, self.name) if part)


def _placed(path: str) -> _Place:
    root, *parts = path.split("/", 3)
    if root != ROOT or (parts and parts[0] not in KINDS):
        raise Refused(f"{path}: paths are {ROOT}/KIND/NAME/FIELD, and kinds {', '.join(KINDS)}")
    return _Place(**dict(zip(("many", "name", "field"), parts, strict=False)))


_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class KubeTarget:
    """The deployments, services, poddisruptionbudgets and configmaps of a namespace, and the nodes, as cells.

    `kubeconfig` is a file's path; without one the client's own rule holds (KUBECONFIG, the home folder, in-cluster).
    An image and a command are those of a deployment's first container. What an object has besides its cells is left
    alone, and comes back when a deleted object is put back. Needs the verbs list, create, patch and delete.
    """

    roots = (ROOT,)

    def __init__(self, *, namespace: str = "default", kubeconfig: str | None = None) -> None:
        if not _NAMESPACE.fullmatch(namespace):
            raise BadInput(f"{namespace!r} is no namespace; one is of a-z, 0-9 and '-', at most 63 of them")
        self.namespace, self.kubeconfig = namespace, kubeconfig
        self._client = opened(kubeconfig)
        self._policy = ""

    @property
    def spec(self) -> Mapping[str, object]:
        """Kind, namespace and the kubeconfig's path."""
        return {"kind": "kube", "namespace": self.namespace, "kubeconfig": self.kubeconfig}

    async def close(self) -> None:
        """Let go of connections."""
        await asyncio.to_thread(self._client.rest_client.pool_manager.clear)

    async def read(self, paths: Sequence[str]) -> Reading:
        """Every cell at or below these paths; one request for each kind or object that they name."""
        places = [_placed(path) for path in paths]
        kinds = {many for place in places for many in ([place.many] if place.many else KINDS) if not place.name}
        single: dict[tuple[str, str], list[str]] = {}
        for place in places:
            if place.name and place.many not in kinds and is_name(place.name):
                single.setdefault((place.many, place.name), []).append(place.field)
        asked_for = [*((many, "") for many in sorted(kinds)), *sorted(single)]
        found = await asyncio.gather(*(self._list(many, name) for many, name in asked_for))
        memo: dict[str, object] = {}
        cells: dict[str, Value] = {}
        for (many, name), (listed, objects) in zip(asked_for, found, strict=True):
            if not name:
                memo[_Place(many=many).path] = {"listed": listed}
            for one in [name] if name else objects:
                read = tuple(sorted(set(single[many, one]))) if name else ("",)
                seen = replace(objects.get(one, Seen(manifest=None, listed=listed)), read=read)
                memo[_Place(many=many, name=one).path] = {**asdict(seen), "read": list(read)}
                cells.update(_cells(many, one, seen, paths))
        return Reading(cells=cells, memo=memo)

    async def write(self, cells: Mapping[str, Cell], *, seen: Memo, restore: Memo) -> None:
        """Let these cells be so, object by object; an object without cells goes, one without its essential ones cannot.

        Where one of several objects turns out to be changed by others, those already written are put back.
        """
        objects: dict[tuple[str, str], dict[str, Cell]] = {}
        for path, cell in cells.items():
            place = _placed(path)
            if cell and not (place.field and is_name(place.name)):
                raise Refused(f"{path}: an object's name is of a-z, 0-9, - and ., and values are in its fields")
            if place.field and is_name(place.name):
                objects.setdefault((place.many, place.name), {})[place.field] = cell
        objects = {(many, name): lens.checked(many, fields) for (many, name), fields in objects.items()}
        before = await self._unchanged(objects, seen) if len(objects) > 1 else {}
        for done, ((many, name), fields) in enumerate(objects.items()):
            start = before.get((many, name))
            try:
                await self._write(many, name, fields, start, _entry(seen, many, name), _entry(restore, many, name))
            except Conflict:
                for known in list(objects)[:done]:
                    old = lens.fields_of(known[0], before[known].manifest)
                    fields = {path: (old[path],) if path in old else () for path in objects[known]}
                    await self._write(*known, fields, None, None, before[known])
                raise

    async def read_at(self, path: str, memo: Memo) -> Cell:
        """The cell as it was then, from the server's own history (etcd keeps it until it is compacted)."""
        place = _placed(path)
        seen = _entry(memo, place.many, place.name)
        if seen is None or not seen.listed:
            raise Gone(f"{path} was not read then")
        exact = (("resourceVersion", seen.listed), ("resourceVersionMatch", "Exact"))
        try:
            _, objects = await self._list(place.many, place.name, exact)
        except Answer as answer:
            # Some servers report the compaction of a single object's history as an error of their own.
            if answer.status == 410 or "compacted" in answer.message:
                raise Gone(answer.message) from None
            raise
        one = objects.get(place.name)
        fields = lens.fields_of(place.many, one.manifest if one else None)
        return (fields[place.field],) if place.field in fields else ()

    async def _unchanged(self, objects: Mapping[tuple[str, str], object], seen: Memo) -> dict[tuple[str, str], Seen]:
        """The objects as they are. Raises Conflict when one is not as it was seen."""
        now = await asyncio.gather(*(self._fetch(many, name) for many, name in objects))
        for (many, name), one in zip(objects, now, strict=True):
            known = _entry(seen, many, name)
            if known is not None and lens.differs(many, known, one.manifest):
                raise Conflict(f"{many}/{name} was changed by others")
        return dict(zip(objects, now, strict=True))

    async def _write(
        self,
        many: str,
        name: str,
        fields: lens.Fields,
        start: Seen | None,
        seen: Seen | None,
        was: Seen | None,
    ) -> None:
        """One object, beginning with what is known of it: `start`, else as seen, else as it is."""
        fresh = start if start is not None or seen is not None else await self._fetch(many, name)
        for _ in range(TRIES):
            known = fresh or seen
            try:
                step = lens.step(many, name, known.manifest, fields, was)
                if step is not None:
                    return await self._do(step, many, name, known.version)
                if fresh is not None:
                    return None
            except _Stale:
                pass
            except Refused:
                if fresh is not None:
                    raise
            fresh = await self._fetch(many, name)
            if seen is not None and lens.differs(many, seen, fresh.manifest):
                raise Conflict(f"{many}/{name} was changed by others")
        raise Conflict(f"{many}/{name} has a new version each time")

    async def _do(self, step: Step, many: str, name: str, version: str) -> None:
        url, body = await self._url(many), step.body
        match step.method:
            case "POST":
                version = url.split("/namespaces/")[0].removesuffix(f"/{many}").removeprefix("/apis/")
                body = {"apiVersion": version.removeprefix("/api/"), "kind": KINDS[many].kind, **body}
            case "PATCH":
                meta = {**body.get("metadata", {}), "resourceVersion": version}
                url, body = f"{url}/{name}", {**body, "metadata": meta}
            case "DELETE":
                preconditions = {"resourceVersion": version}
                url, body = f"{url}/{name}", {"propagationPolicy": "Background", "preconditions": preconditions}
        form = "strategic-merge-patch" if KINDS[many].strategic else "merge-patch"
        try:
            answer = await self._ask(step.method, url, body=body, form=form if step.method == "PATCH" else "")
        except Answer as no:
            gone = no.status == 404 and step.method != "POST"
            if gone or no.status == 409:
                raise _Stale from None
            if no.status == 404:
                raise Refused(no.message) from None
            raise
        if step.method == "DELETE" and answer.get("kind") != "Status":
            await self._gone(many, name)

    async def _gone(self, many: str, name: str) -> None:
        """Wait for an object that finalizers hold. Raises TimeoutError."""
        end = time.monotonic() + TIMEOUT_S
        while (await self._fetch(many, name)).manifest is not None:
            if time.monotonic() > end:
                raise TimeoutError(f"{many}/{name} is being deleted for {TIMEOUT_S:g} s")
            await asyncio.sleep(0.1)

    async def _fetch(self, many: str, name: str) -> Seen:
        listed, objects = await self._list(many, name)
        return objects.get(name, Seen(manifest=None, listed=listed))

    async def _list(self, many: str, name: str, query: tuple[tuple[str, str], ...] = ()) -> tuple[str, dict[str, Seen]]:
        """The version of the answer, and the objects by name: those of a kind, or only the one called `name`.

        One object is listed too and not fetched, since a list has a version even when the object is not there.
        """
        chosen = (("fieldSelector", f"metadata.name={name}"),) if name else ()
        answer = await self._ask("GET", await self._url(many), (*chosen, *query))
        listed = answer["metadata"]["resourceVersion"]
        return listed, {
            (meta := one["metadata"])["name"]: Seen(
                manifest=lens.bare(many, one), version=meta["resourceVersion"], listed=listed
            )
            for one in answer["items"]
        }

    async def _url(self, many: str) -> str:
        """Where objects of a kind are. Budgets moved from v1beta1 to v1 in Kubernetes 1.21."""
        kind = KINDS[many]
        if kind.group == "policy" and not self._policy:
            offered = [one["version"] for one in (await self._ask("GET", "/apis/policy"))["versions"]]
            self._policy = "v1" if "v1" in offered else offered[0]
        version = self._policy if kind.group == "policy" else "v1"
        start = f"/apis/{kind.group}/{version}" if kind.group else "/api/v1"
        return f"{start}/namespaces/{self.namespace}/{many}" if kind.namespaced else f"{start}/{many}"

    async def _ask(
        self, method: str, url: str, query: Sequence[tuple[str, str]] = (), body: Manifest | None = None, form: str = ""
    ) -> Manifest:
        return await asyncio.to_thread(asked, self._client, method, url, query, body, form)


def _entry(memo: Memo, many: str, name: str) -> Seen | None:
    """What a memo says of an object: as it was, or, in a list that it was not in, that there was none."""
    place = _Place(many=many, name=name)
    match memo.get(place.path), memo.get(_Place(many=many).path):
        case Mapping() as known, _:
            return Seen(**{**known, "read": tuple(known["read"])})
        case None, Mapping() as all_of_them:
            return Seen(manifest=None, listed=all_of_them["listed"])
        case _:
            return None


def _cells(many: str, name: str, seen: Seen, paths: Sequence[str]) -> dict[str, Value]:
    """The cells of an object that are at or below one of the paths."""
    start = _Place(many=many, name=name).path
    shown = ((f"{start}/{path}", value) for path, value in lens.fields_of(many, seen.manifest).items())
    return {path: value for path, value in shown if any(path == at or path.startswith(at + "/") for at in paths)}


async def fresh_namespace(
    state: Sequence[tuple[str, Value]] = (), *, prefix: str = "coagent-", kubeconfig: str | None = None
) -> KubeTarget:
    """A target on a new namespace of its own, with these cells: where a workload's start state comes to be real.

    Nodes are the whole cluster's, so cells of nodes are seeded beside the nodes that there are.
    """
    target = KubeTarget(kubeconfig=kubeconfig)
    made = await target._ask("POST", "/api/v1/namespaces", body={"metadata": {"generateName": prefix}})
    target.namespace = made["metadata"]["name"]
    await target.write({path: (value,) for path, value in state}, seen={}, restore={})
    return target
