"""Targets by kind: made from their spec, as a journal or a configuration has it, or from a word of the command line."""

import tomllib
from collections.abc import Iterable, Mapping
from importlib import import_module

from coagent.bad_input import BadInput
from coagent.live.joined import ANY, JoinedTarget
from coagent.live.target import Target
from coagent.live.targets.option import check_options

KINDS: Mapping[str, tuple[str, str]] = {
    "memory": ("memory", "MemoryTarget"),
    "files": ("files", "FileTarget"),
    "git": ("git", "GitTarget"),
    "sql": ("sql", "SqlTarget"),
    "kube": ("kube", "KubeTarget"),
    "dav": ("dav", "DavTarget"),
    "mail": ("mail", "MailTarget"),
    "document": ("document", "DocumentTarget"),
}
"""By kind: the module and the class."""

_ONE_WORD = {"files": "folder", "git": "folder", "kube": "namespace", "document": "file"}
"""The kinds that one option says enough of."""


def opened(spec: Mapping[str, object]) -> Target:
    """The target of a spec: `kind` and the options of its class. Raises BadInput for a kind or option there is not."""
    options = {name: value for name, value in spec.items() if name != "kind"}
    kind = spec.get("kind")
    if not isinstance(kind, str) or kind not in (*KINDS, "joined"):
        raise BadInput(f"there is no target of kind {kind!r}; kinds are {', '.join(KINDS)}")
    check_options(kind, options)
    if kind == "joined":
        if not all(isinstance(one, Mapping) for one in options["targets"]):
            raise BadInput("the option 'targets' of the target 'joined' has to be a list of tables")
        return JoinedTarget(opened(one) for one in options["targets"])
    module, name = KINDS[kind]
    try:
        return getattr(import_module(f"coagent.live.targets.{module}"), name)(**options)
    except ModuleNotFoundError as error:
        raise BadInput(f"the target {kind!r} needs {error.name}; install coagent-mtpo[live]") from error
    except (OSError, ValueError) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(f"the target {kind!r} cannot be opened ({error}); check its options") from error


def named(word: str, roots: Iterable[str] = ()) -> list[Target]:
    """The targets that a word of the command line means.

    `memory`, `git:FOLDER`, `files:FOLDER`, `kube:NAMESPACE`, `document:FILE`, a database's URL (a table `cells` in it
    then holds every path with one of these first parts), or a TOML file with a `[[target]]` table for each target.
    Raises BadInput in one sentence.
    """
    kind, _, rest = word.partition(":")
    if word.endswith(".toml"):
        return described(word)
    if rest.startswith("//") and kind not in KINDS:
        return [opened({"kind": "sql", "url": word, "cells": {"roots": list(roots)}})]
    if kind == "memory":
        return [opened({"kind": kind, "roots": [ANY]})]
    if kind not in _ONE_WORD:
        known = ", ".join(("memory", *(f"{one}:{option.upper()}" for one, option in _ONE_WORD.items())))
        raise BadInput(
            f"{word!r} names no target; write {known}, a database's URL, or a TOML file of [[target]] tables"
        )
    if not rest:
        raise BadInput(f"{word!r} does not say where; write {kind}:{_ONE_WORD[kind].upper()}")
    return [opened({"kind": kind, _ONE_WORD[kind]: rest})]


def described(file: str) -> list[Target]:
    """The targets that a TOML file describes, each in a table `[[target]]` with `kind` and options."""
    try:
        with open(file, "rb") as source:
            tables = tomllib.load(source).get("target", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"this is no TOML ({error})", file) from error
    if not isinstance(tables, list) or not all(isinstance(one, Mapping) for one in tables) or not tables:
        raise BadInput("there is no target in it; write a table [[target]] with kind and options for each", file)
    try:
        return [opened(one) for one in tables]
    except BadInput as error:
        raise BadInput(str(error), file) from error
