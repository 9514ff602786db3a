"""What options each kind of target takes, and of which form: so that a slip is named before anything is opened.

Knows nothing of what the options mean; that is the target's business.
"""

from collections.abc import Mapping
from difflib import get_close_matches

from coagent.bad_input import BadInput

OPTIONS: Mapping[str, Mapping[str, str]] = {
    "memory": {"roots": "!texts", "state": "list"},
    "files": {"folder": "!text", "root": "part", "durable": "bool"},
    "git": {"folder": "!text", "date": "text?", "durable": "bool"},
    "sql": {"url": "!text", "tables": "tables", "cells": "cells?", "patience_s": "number"},
    "kube": {"namespace": "text", "kubeconfig": "text?"},
    "dav": {
        "url": "!text",
        "collections": "!table",
        **dict.fromkeys(("user", "password_env", "netrc"), "text"),
        "timeout_s": "number",
    },
    "mail": {
        "host": "!text",
        "port": "!int",
        **dict.fromkeys(("sent", "sender"), "!text"),
        **dict.fromkeys(("tls", "user", "password_env", "delivered", "namespace"), "text"),
        "timeout_s": "number",
    },
    "document": {"file": "!text"},
    "joined": {"targets": "!list"},
}
"""By kind and option, the form: `!` must be there, `?` may be null."""

_CELLS: Mapping[str, str] = {"roots": "!texts", **dict.fromkeys(("table", "path", "value"), "text")}

_WORDS: Mapping[str, str] = {
    "text": "a text",
    "texts": 'a list of texts, such as ["stock"]',
    "part": "a text without slashes",
    "bool": "true or false",
    "number": "a positive number",
    "int": "an integer",
    "list": "a list",
    "table": "a table of texts",
    "tables": "a list of tables' names, or a table of the columns shown by name",
    "cells": 'a table such as {roots = ["stock"]}',
}


def check_options(kind: str, options: Mapping[str, object]) -> None:
    """Raises BadInput for an option that a kind has not, that is missing, or that has another form."""
    _check(f"the target {kind!r}", "option", options, OPTIONS[kind])
    if kind == "sql" and options.get("cells"):
        _check("the option 'cells' of the target 'sql'", "entry", options["cells"], _CELLS)


def _check(whose: str, what: str, given: Mapping[str, object], forms: Mapping[str, str]) -> None:
    known = ", ".join(forms) or "none"
    for name, value in given.items():
        if name not in forms:
            near = get_close_matches(str(name), forms, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise BadInput(f"{whose} has no {what} {name!r}; {hint}it takes {known}")
        form = forms[name]
        if not (form.endswith("?") and value is None) and not _fits(form.strip("!?"), value):
            raise BadInput(f"the {what} {name!r} of {whose} has to be {_WORDS[form.strip('!?')]}")
    if missing := [name for name, form in forms.items() if form.startswith("!") and name not in given]:
        raise BadInput(f"{whose} needs the {what} {missing[0]!r}; it takes {known}")


def _fits(form: str, value: object) -> bool:
    match form:
        case "text":
            return isinstance(value, str) and "\0" not in value
        case "texts":
            return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
        case "part":
            return isinstance(value, str) and value not in ("", ".", "..") and "/" not in value and "\0" not in value
        case "bool":
            return isinstance(value, bool)
        case "int":
            return type(value) is int
        case "number":
            return type(value) in (int, float) and value > 0
        case "list":
            return isinstance(value, list | tuple)
        case "table":
            return isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values())
        case "tables" if isinstance(value, Mapping):
            return all(one is None or _fits("texts", one) for one in value.values())
        case "tables":
            return _fits("texts", value)
        case _:
            return isinstance(value, Mapping)
