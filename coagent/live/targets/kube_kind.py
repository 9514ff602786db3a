"""The kinds of Kubernetes objects that are shown as cells: where a manifest keeps which field, and what that may be.

As the API has them; it knows nothing of servers, versions or who asks.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from coagent.operation import Value

Manifest = dict[str, object]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_SURROGATE = re.compile("[\ud800-\udfff]")
CONTAINER = ("spec", "template", "spec", "containers", 0)
"""Where a deployment's first container is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Where a manifest keeps a field, and what that may be; `keyed` fields are maps with one cell for each key.

    `takes` says what is wanted, for the message, and `fits` whether a value is that: what does not come back from
    the server as it was written fits nowhere. `shown` and `stored` turn the manifest's form into the cell's and back.
    """

    where: tuple[str | int, ...]
    takes: str
    fits: Callable[[Value], bool]
    keyed: bool = False
    shown: Callable[[object], Value] = lambda stored: stored
    stored: Callable[[Value], object] = lambda shown: shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of object: its name in the API, its slots by field, and the fields that none can be without.

    `new` is the manifest of an object of some name and fields before the fields are laid in. The patch type is
    `strategic` where a field is inside a list.
    """

    kind: str
    group: str
    slots: Mapping[str, Slot]
    new: Callable[[str], Manifest]
    essential: tuple[str, ...] = ()
    namespaced: bool = True
    strategic: bool = False


def is_text(value: Value) -> bool:
    """Text that survives JSON: no halves of surrogate pairs, which the server would replace."""
    return isinstance(value, str) and not _SURROGATE.search(value)


def _is_count(value: Value) -> bool:
    """A number of 32 bits: of a larger one some servers keep the lower bits without a word."""
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


def _is_words(value: Value) -> bool:
    """A command: its one word as text, or two words and more as a list. So every command has one form."""
    return is_text(value) or (isinstance(value, tuple) and len(value) > 1 and all(is_text(word) for word in value))


def _is_base64(value: Value) -> bool:
    try:
        return is_text(value) and base64.b64encode(base64.b64decode(value, validate=True)).decode() == value
    except (binascii.Error, ValueError):
        return False


def _text(*where: str | int, keyed: bool = False) -> Slot:
    return Slot(where=where, takes="text", fits=is_text, keyed=keyed)


_LABELS = _text("metadata", "labels", keyed=True)
_META = {"labels": _LABELS, "annotations": _text("metadata", "annotations", keyed=True)}
_SHARE = {
    "takes": "a number, or a percentage as text",
    "fits": lambda value: _is_count(value) or is_text(value),
}


def _deployment(name: str) -> Manifest:
    labels, container = {"app": name}, {"name": name.replace(".", "-")[:63].rstrip("-")}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {"spec": {"selector": {"matchLabels": labels}, "template": template}}


KINDS: Mapping[str, Kind] = {
    "configmaps": Kind(
        kind="ConfigMap",
        group="",
        slots={
            **_META,
            "data": _text("data", keyed=True),
            "binaryData": Slot(where=("binaryData",), takes="base64", fits=_is_base64, keyed=True),
        },
        new=lambda name: {},
    ),
    "deployments": Kind(
        kind="Deployment",
        group="apps",
        slots={
            **_META,
            "image": _text(*CONTAINER, "image"),
            "command": Slot(
                where=(*CONTAINER, "command"),
                takes="one word as text, or a list of two words and more",
                fits=_is_words,
                shown=lambda words: words[0] if len(words) == 1 else tuple(words),
                stored=lambda words: [words] if isinstance(words, str) else list(words),
            ),
            "replicas": Slot(where=("spec", "replicas"), takes="a number", fits=_is_count),
            "nodeName": Slot(
                where=("spec", "template", "spec", "nodeName"),
                takes="a node's name",
                fits=lambda name: isinstance(name, str) and is_name(name),
            ),
        },
        new=_deployment,
        essential=("image", "replicas"),
        strategic=True,
    ),
    "nodes": Kind(
        kind="Node",
        group="",
        slots={
            "labels": _LABELS,
            "unschedulable": Slot(
                where=("spec", "unschedulable"), takes="true or false", fits=lambda value: isinstance(value, bool)
            ),
        },
        new=lambda name: {"spec": {}},
        essential=("unschedulable",),
        namespaced=False,
    ),
    "poddisruptionbudgets": Kind(
        kind="PodDisruptionBudget",
        group="policy",
        slots={
            **_META,
            "selector": _text("spec", "selector", "matchLabels", keyed=True),
            "minAvailable": Slot(where=("spec", "minAvailable"), **_SHARE),
            "maxUnavailable": Slot(where=("spec", "maxUnavailable"), **_SHARE),
        },
        new=lambda name: {"spec": {}},
        essential=("selector",),
    ),
    "services": Kind(
        kind="Service",
        group="",
        slots={**_META, "selector": _text("spec", "selector", keyed=True)},
        # A service without ports must be headless.
        new=lambda name: {"spec": {"clusterIP": "None"}},
        essential=("selector",),
    ),
}
"""The kinds that are shown, by the API's word for many of them."""


def is_name(text: str) -> bool:
    """Whether an object can be called so."""
    return _NAME.fullmatch(text) is not None


def escaped(key: str) -> str:
    """A key of a label, an annotation or a text as one part of a path."""
    return key.replace("%", "%25").replace("/", "%2F")


def unescaped(part: str) -> str:
    """The key again, of a part that `escaped` gave."""
    return part.replace("%2F", "/").replace("%25", "%")
