"""The tools of a Kubernetes cluster: list, fetch, create, delete and patch objects, and what one does most often.

Pure functions over the cells of `cluster/KIND/NAME/FIELD`; they know neither the API nor a server.
"""

from collections.abc import Iterable, Mapping

from coagent.live.targets.kube_kind import KINDS
from coagent.operation import Cell, Declaration, Result
from coagent.tool import OK, Args, Case, Meaning, Tool, View, Writes, children, failed

Schema = Mapping[str, object]

_TEXT: Schema = {"type": "string"}
_NAME: Schema = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253}
_KEY: Schema = {"type": "string", "pattern": "^[-._A-Za-z0-9]+$", "maxLength": 253}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_KIND: Schema = {"enum": sorted(KINDS)}
_FIELDS: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "array", "prefixItems": [_TEXT, {}], "minItems": 2, "maxItems": 2},
    "description": (
        "[field, value] pairs. Fields: "
        + "; ".join(
            f"{many}: {', '.join(name + '/KEY' if slot.keyed else name for name, slot in kind.slots.items())}"
            for many, kind in KINDS.items()
        )
        + ". In a KEY, / is written %2F. The value null takes a field away."
    ),
}


def _schema(**arguments: Schema) -> Schema:
    return {
        "type": "object",
        "properties": arguments,
        "required": list(arguments),
        "additionalProperties": False,
    }


def row(kind: str, name: str, field: str = "") -> str:
    """The path of an object, or of a field of it."""
    return "/".join(part for part in ("cluster", kind, name, field) if part)


def _holds(view: View, path: str) -> bool:
    return bool(view.cell(path)) or next(iter(view.below(path)), None) is not None


def _identity(kind: str, name: str) -> str:
    """What must be read to know whether an object is there: a field that none is without, or else all of it."""
    first = next((one for one in KINDS[kind].essential if not KINDS[kind].slots[one].keyed), "")
    return row(kind, name, first)


def _list_objects(view: View, args: Args) -> tuple[Result, Writes]:
    return Result("ok", children(view, row(args["kind"], ""))), ()


def _get_object(view: View, args: Args) -> tuple[Result, Writes]:
    path = row(args["kind"], args["name"])
    found = tuple((field[len(path) + 1 :], view.cell(field)[0]) for field in view.below(path))
    return (Result("ok", found), ()) if found else (failed("missing"), ())


def _create_object(view: View, args: Args) -> tuple[Result, Writes]:
    kind, name, fields = args["kind"], args["name"], args["fields"]
    if _holds(view, row(kind, name)):
        return failed("exists"), ()
    given = {field for field, value in fields if value is not None}
    lacks = [one for one in KINDS[kind].essential if not _has(given, one)]
    if lacks or not given:
        return failed(f"needs {', '.join(lacks) or 'a field'}"), ()
    return OK, tuple((row(kind, name, field), (value,)) for field, value in fields if value is not None)


def _delete_object(view: View, args: Args) -> tuple[Result, Writes]:
    gone = tuple((path, ()) for path in view.below(row(args["kind"], args["name"])))
    return (OK, gone) if gone else (failed("missing"), ())


def _patch_object(view: View, args: Args) -> tuple[Result, Writes]:
    kind, name, fields = args["kind"], args["name"], dict(args["fields"])
    known, start = _identity(kind, name), len(row(kind, name)) + 1
    before = {path[start:] for path in view.below(known)} | ({known[start:]} if view.cell(known) else set())
    if not before:
        return failed("missing"), ()
    gone = {field for field, value in fields.items() if value is None}
    left = before - gone | fields.keys() - gone
    lost = [one for one in KINDS[kind].essential if _has(before | gone, one) and not _has(left, one)]
    if lost or not left:
        return failed(f"needs {', '.join(lost) or 'a field'}"), ()
    return OK, tuple((row(kind, name, field), () if value is None else (value,)) for field, value in fields.items())


def _has(fields: Iterable[str], root: str) -> bool:
    return any(f"{field}/".startswith(f"{root}/") for field in fields)


def _whole(args: Args) -> Declaration:
    path = (row(args["kind"], args["name"]),)
    return Declaration(reads=path, writes=path)


def _patching(args: Args) -> Declaration:
    kind, name = args["kind"], args["name"]
    paths = tuple(dict.fromkeys(row(kind, name, field) for field, _ in args["fields"]))
    return Declaration(reads=tuple(dict.fromkeys((_identity(kind, name), *paths))), writes=paths)


_SEVERAL = (
    Tool(
        "list_objects",
        lambda args: Declaration(reads=(row(args["kind"], ""),)),
        _list_objects,
        "the names of all objects of a kind",
        Meaning((Case(value="children('cluster/{kind}')"),)),
        _schema(kind=_KIND),
    ),
    Tool(
        "get_object",
        lambda args: Declaration(reads=(row(args["kind"], args["name"]),)),
        _get_object,
        "an object's fields as [field, value] pairs, or fail with 'missing'",
        schema=_schema(kind=_KIND, name=_NAME),
    ),
    Tool(
        "create_object",
        _whole,
        _create_object,
        "create an object with these fields, or fail with 'exists' or with what it needs",
        schema=_schema(kind=_KIND, name=_NAME, fields=_FIELDS),
    ),
    Tool(
        "delete_object",
        _whole,
        _delete_object,
        "delete an object, or fail with 'missing'",
        schema=_schema(kind=_KIND, name=_NAME),
    ),
    Tool(
        "patch_object",
        _patching,
        _patch_object,
        "set several fields of an object at once, or fail with 'missing'",
        schema=_schema(kind=_KIND, name=_NAME, fields=_FIELDS),
    ),
)


def _setting(name: str, kind: str, field: str, argument: str, value: Schema, says: str) -> Tool:
    """Sets a field that every object of a kind has: reads and writes that field alone."""
    path = row(kind, "{name}", field)

    def declare(args: Args) -> Declaration:
        cell = (row(kind, args["name"], field),)
        return Declaration(reads=cell, writes=cell)

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        cell = row(kind, args["name"], field)
        return (OK, ((cell, (args[argument],)),)) if view.cell(cell) else (failed("missing"), ())

    missing = Case(f"not present('{path}')", "failed", "'missing'")
    meaning = Meaning((missing, Case(writes=((path, argument),))))
    return Tool(
        name, declare, run, f"{says}, or fail with 'missing'", meaning, _schema(name=_NAME, **{argument: value})
    )


def _giving(name: str, kind: str, field: str, given: str, says: str, **arguments: Schema) -> Tool:
    """Gives a field of an object that is there a value, or takes it away; `given` is an argument, true, false or null.

    What is read is only whether the object is there, by a field that none of its kind is without.
    """
    first = KINDS[kind].essential[0]
    path, known = row(kind, "{name}", field), row(kind, "{name}", first)
    fixed: Mapping[str, Cell] = {"true": (True,), "false": (False,), "null": ()}

    def declare(args: Args) -> Declaration:
        write = row(kind, args["name"], field)
        return Declaration(reads=tuple(dict.fromkeys((row(kind, args["name"], first), write))), writes=(write,))

    def run(view: View, args: Args) -> tuple[Result, Writes]:
        if not view.cell(row(kind, args["name"], first)):
            return failed("missing"), ()
        cell = fixed[given] if given in fixed else (args[given],)
        return OK, ((row(kind, args["name"], field), cell),)

    missing = Case(f"not present('{known}')", "failed", "'missing'")
    meaning = Meaning((missing, Case(writes=((path, None if given == "null" else given),))))
    schema = _schema(name=_NAME, **arguments)
    return Tool(name, declare, run, f"{says}, or fail with 'missing'", meaning, schema)


_KEY_PATH = row("configmaps", "{name}", "data/{key}")
_NO_KEY = Case(f"not present('{_KEY_PATH}')", "failed", "'missing'")


def _key(args: Args) -> str:
    return row("configmaps", args["name"], f"data/{args['key']}")


def _get_key(view: View, args: Args) -> tuple[Result, Writes]:
    cell = view.cell(_key(args))
    return (Result("ok", cell[0]), ()) if cell else (failed("missing"), ())


def _set_key(view: View, args: Args) -> tuple[Result, Writes]:
    return OK, ((_key(args), (args["value"],)),)


def _delete_key(view: View, args: Args) -> tuple[Result, Writes]:
    return (OK, ((_key(args), ()),)) if view.cell(_key(args)) else (failed("missing"), ())


def _setting_key(args: Args) -> Declaration:
    path = _key(args)
    return Declaration(writes=(path,), blind=True, image=((path, (args["value"],)),))


_CONFIG = (
    Tool(
        "get_config",
        lambda args: Declaration(reads=(_key(args),)),
        _get_key,
        "the text under a key of a ConfigMap, or fail with 'missing'",
        Meaning((_NO_KEY, Case(value=f"value('{_KEY_PATH}')"))),
        _schema(name=_NAME, key=_KEY),
    ),
    Tool(
        "set_config",
        _setting_key,
        _set_key,
        "set the text under a key of a ConfigMap, which is created if there is none",
        Meaning((Case(writes=((_KEY_PATH, "value"),)),)),
        _schema(name=_NAME, key=_KEY, value=_TEXT),
    ),
    Tool(
        "delete_config",
        lambda args: Declaration(reads=(_key(args),), writes=(_key(args),)),
        _delete_key,
        "delete a key of a ConfigMap, and with its last key the ConfigMap, or fail with 'missing'",
        Meaning((_NO_KEY, Case(writes=((_KEY_PATH, None),)))),
        _schema(name=_NAME, key=_KEY),
    ),
)

_OFTEN: tuple[Tool, ...] = (
    _setting("set_image", "deployments", "image", "image", {**_TEXT, "minLength": 1}, "set a deployment's image"),
    _setting("scale", "deployments", "replicas", "replicas", _COUNT, "set a deployment's replicas"),
    _setting("repoint", "services", "selector/app", "app", _TEXT, "let a service select another app"),
    _giving("cordon_node", "nodes", "unschedulable", "true", "close a node to new pods"),
    _giving("uncordon_node", "nodes", "unschedulable", "false", "open a node to new pods"),
    _giving("pin", "deployments", "nodeName", "node", "let a deployment's pods run on one node", node=_NAME),
    _giving("unpin", "deployments", "nodeName", "null", "let a deployment's pods run on any node"),
)

KUBE_TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in (*_SEVERAL, *_CONFIG, *_OFTEN)}
"""The tools of a Kubernetes cluster, by name."""
