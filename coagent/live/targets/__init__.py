"""Targets by kind: made from their spec, as a journal or a configuration has it, or from a word of the command line."""

from collections.abc import Mapping
from importlib import import_module

from coagent.bad_input import BadInput
from coagent.live.target import Target

KINDS: Mapping[str, tuple[str, str, str]] = {
    "memory": ("memory", "MemoryTarget", "roots"),
    "files": ("files", "FileTarget", "folder"),
    "git": ("git", "GitTarget", "folder"),
    "sql": ("sql", "SqlTarget", "url"),
    "kube": ("kube", "KubeTarget", "namespace"),
    "dav": ("dav", "DavTarget", "url"),
    "mail": ("mail", "MailTarget", "sent"),
    "document": ("document", "DocumentTarget", "file"),
}
"""By kind: the module, the class, and the option that stands behind the colon on a command line."""


def opened(spec: Mapping[str, object]) -> Target:
    """The target of a spec: `kind` and the options of its class. Raises BadInput for a kind or option there is not."""
    options = {name: value for name, value in spec.items() if name != "kind"}
    kind = spec.get("kind")
    if kind not in KINDS:
        raise BadInput(f"there is no target of kind {kind!r}; kinds are {', '.join(KINDS)}")
    module, name, _ = KINDS[kind]
    try:
        return getattr(import_module(f"coagent.live.targets.{module}"), name)(**options)
    except ModuleNotFoundError as error:
        raise BadInput(f"the target {kind!r} needs {error.name}; install coagent-mtpo[live]") from error
    except TypeError as error:
        raise BadInput(f"the target {kind!r} does not take these options ({error})") from error


def named(word: str) -> Target:
    """The target that a word of the command line means: `git:FOLDER`, `kube:NAMESPACE`, `memory`, a database's URL."""
    kind, _, rest = word.partition(":")
    if rest.startswith("//") and kind not in KINDS:
        return opened({"kind": "sql", "url": word, "cells": "cell"})
    if kind not in KINDS:
        raise BadInput(
            f"{word!r} names no target; write KIND:WHERE with a kind of {', '.join(KINDS)}, or a database's URL"
        )
    option = KINDS[kind][2]
    if kind == "memory":
        return opened({"kind": kind, "roots": [""]})
    if not rest:
        raise BadInput(f"{word!r} does not say where; write {kind}:{option.upper()}")
    return opened({"kind": kind, option: rest})
