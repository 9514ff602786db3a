"""Points inside of a target's own steps: between files, git's changes, SQL statements, requests, the parts of a mail.

For the process that calls `probed` only, from then on: the functions at the seams are replaced there.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module
from inspect import iscoroutinefunction

Probe = Callable[[str], None]

GIT_CHANGES = ("update-index", "update-ref", "hash-object", "write-tree", "commit-tree", "symbolic-ref")
SQL_CHANGES = ("INSERT", "UPDATE", "DELETE", "CREATE", "LOCK")
REQUESTS = ("PUT", "DELETE", "POST", "PATCH")
INSIDE = "inside"
"""How the names of these points begin."""


def probed(kinds: Iterable[str], probe: Probe) -> None:
    """Pass a probe before and after each step of the targets of these kinds that changes something."""
    for kind in kinds:
        _SEAMS[kind](probe)


def _around(owner: object, name: str, probe: Probe, wanted: Callable[..., bool] = lambda *args: True) -> None:
    whole = getattr(owner, name)
    label = name.strip("_")

    @wraps(whole)
    async def awaited(*args: object, **more: object) -> object:
        if not wanted(*args):
            return await whole(*args, **more)
        probe(f"{INSIDE} before {label}")
        found = await whole(*args, **more)
        probe(f"{INSIDE} after {label}")
        return found

    @wraps(whole)
    def called(*args: object, **more: object) -> object:
        if not wanted(*args):
            return whole(*args, **more)
        probe(f"{INSIDE} before {label}")
        found = whole(*args, **more)
        probe(f"{INSIDE} after {label}")
        return found

    setattr(owner, name, awaited if iscoroutinefunction(whole) else called)


def _target(name: str) -> object:
    return import_module(f"coagent.live.targets.{name}")


def _files(probe: Probe) -> None:
    for name in ("put", "_fill", "remove"):
        _around(_target("folder").Folder, name, probe)


def _git(probe: Probe) -> None:
    _files(probe)
    _around(_target("git_store").Store, "_git", probe, lambda store, *words: words[0] in GIT_CHANGES)


def _sql(probe: Probe) -> None:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def passed(when: str) -> Callable[..., None]:
        def at(connection, cursor, statement, *rest: object) -> None:
            if statement.lstrip().upper().startswith(SQL_CHANGES):
                probe(f"{INSIDE} {when} statement")

        return at

    event.listen(Engine, "before_cursor_execute", passed("before"))
    event.listen(Engine, "after_cursor_execute", passed("after"))
    event.listen(Engine, "commit", lambda connection: probe(f"{INSIDE} before commit"))


def _dav(probe: Probe) -> None:
    _around(_target("dav_wire").Wire, "ask", probe, lambda wire, method, *rest: method in REQUESTS)


def _mail(probe: Probe) -> None:
    for name in ("put", "remove"):
        _around(_target("mail_log").MailLog, name, probe)
    _around(_target("mail"), "hand_in", probe)
    _around(_target("mail").MailTarget, "_keep", probe)
    for name in ("_prepare", "_deliver"):
        _around(_target("smtp"), name, probe)


def _kube(probe: Probe) -> None:
    _around(_target("kube"), "asked", probe, lambda api, method, *rest: method in REQUESTS)


_SEAMS = {"files": _files, "git": _git, "sql": _sql, "dav": _dav, "mail": _mail, "kube": _kube}
