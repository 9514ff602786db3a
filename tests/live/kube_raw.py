"""The cluster by another way than the target's: plain HTTPS requests, and a fingerprint of all that must come back."""

import asyncio
import json
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from coagent.live.target import Reading
from coagent.live.targets.kube import KubeTarget, fresh_namespace
from coagent.operation import Cell

PLACES = {
    "configmaps": "/api/v1/namespaces/{}/configmaps",
    "deployments": "/apis/apps/v1/namespaces/{}/deployments",
    "nodes": "/api/v1/nodes",
    "poddisruptionbudgets": "/apis/policy/{}/namespaces/{}/poddisruptionbudgets",
    "services": "/api/v1/namespaces/{}/services",
}
REVISION = "deployment.kubernetes.io/revision"
PASSING = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A cluster for tests; `etcd` is the address of its store, empty where that is not ours to reach."""

    kubeconfig: str
    etcd: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """Requests to one namespace of the server of a kubeconfig with a token."""

    kubeconfig: str
    namespace: str

    def ask(self, method: str, url: str, body: object = None, form: str = "application/json") -> dict:
        """One request; raises urllib.error.HTTPError."""
        config = yaml.safe_load(Path(self.kubeconfig).read_text())
        request = urllib.request.Request(config["clusters"][0]["cluster"]["server"] + url, method=method)
        request.add_header("Authorization", f"Bearer {config['users'][0]['user']['token']}")
        request.add_header("Content-Type", form)
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, data, context=ssl._create_unverified_context()) as answer:
            return json.loads(answer.read())

    def url(self, many: str, name: str = "") -> str:
        """Where a kind's objects are, or one of them."""
        if many == "poddisruptionbudgets":
            versions = [one["version"] for one in self.ask("GET", "/apis/policy")["versions"]]
            start = PLACES[many].format("v1" if "v1" in versions else "v1beta1", self.namespace)
        else:
            start = PLACES[many].format(self.namespace)
        return f"{start}/{name}" if name else start

    def patch(self, many: str, name: str, body: object) -> dict:
        """A merge patch by somebody else."""
        return self.ask("PATCH", self.url(many, name), body, "application/merge-patch+json")

    def fingerprint(self) -> dict[tuple[str, str], object]:
        """Every object whole, but for what the server makes anew each time."""
        found = {}
        for many in PLACES:
            for one in self.ask("GET", self.url(many))["items"]:
                meta = {name: part for name, part in one["metadata"].items() if name not in PASSING}
                notes = {key: text for key, text in meta.pop("annotations", {}).items() if key != REVISION}
                rest = {name: part for name, part in one.items() if name not in ("metadata", "status")}
                found[many, meta["name"]] = {**rest, "metadata": {**meta, "annotations": notes}}
        return found

    def furnish(self) -> None:
        """Objects with much that is in no cell."""
        for many, body in FURNITURE.items():
            self.ask("POST", self.url(many), body)


_CONTAINERS = [
    {
        "name": "main",
        "image": "geo:1",
        "command": ["sh", "-c", "sleep 1"],
        "env": [{"name": "LEVEL", "value": "debug"}],
        "resources": {"limits": {"memory": "64Mi"}},
        "ports": [{"containerPort": 8080}],
    },
    {"name": "sidecar", "image": "proxy:2"},
]
FURNITURE = {
    "configmaps": {
        "metadata": {"name": "config", "labels": {"example.org/team": "a"}, "annotations": {"note": "café\n"}},
        "data": {"flags.json": '{"a": 1}', "empty": ""},
        "binaryData": {"blob": "AAEC/w=="},
    },
    "deployments": {
        "metadata": {"name": "geo", "labels": {"tier": "backend"}, "annotations": {"example.org/half": "half"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"run": "geo"}, "matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]},
            "strategy": {"type": "Recreate"},
            "minReadySeconds": 3,
            "template": {
                "metadata": {"labels": {"run": "geo"}},
                "spec": {"containers": _CONTAINERS, "volumes": [{"name": "v", "emptyDir": {}}]},
            },
        },
    },
    "poddisruptionbudgets": {
        "metadata": {"name": "budget"},
        "spec": {"minAvailable": "50%", "selector": {"matchLabels": {"app": "geo", "run": "geo"}}},
    },
    "services": {
        "metadata": {"name": "front", "labels": {"a": "1"}},
        "spec": {
            "selector": {"app": "geo"},
            "ports": [{"name": "http", "port": 80, "targetPort": 8080}, {"name": "dns", "port": 53, "protocol": "UDP"}],
            "sessionAffinity": "ClientIP",
        },
    },
}
"""By kind, an object with more than its cells."""

GEO = "cluster/deployments/geo"
NODE = "cluster/nodes/law-node"
"""What the tests look at most; the node is one for all of them, since nodes are in no namespace."""


def furnished(kube: Server, *, node: bool = False) -> tuple[KubeTarget, Raw]:
    """A namespace of its own with an object of each kind that has more than cells; with the node of the laws."""
    cells = ((f"{NODE}/unschedulable", False), (f"{NODE}/labels/example.org%2Fzone", "a")) if node else ()
    target = asyncio.run(fresh_namespace(cells, prefix="test-", kubeconfig=kube.kubeconfig))
    raw = Raw(kubeconfig=kube.kubeconfig, namespace=target.namespace)
    raw.furnish()
    return target, raw


def put(target: KubeTarget, cells: Mapping[str, Cell], seen: Reading | None = None, was: Reading | None = None) -> None:
    """One write by itself."""
    memos = {"seen": seen.memo if seen else {}, "restore": was.memo if was else {}}
    asyncio.run(target.write(cells, **memos))


def look(target: KubeTarget, *paths: str) -> Reading:
    """One reading by itself, through JSON as a journal would keep its memo."""
    reading = asyncio.run(target.read(paths))
    return Reading(cells=reading.cells, memo=json.loads(json.dumps(reading.memo)))
