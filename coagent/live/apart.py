"""Keeps what a runtime writes for itself, its journal and its tokens, out of the state that its agents write.

Looks at names and specs only; opens nothing.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.live.reaching import words
from coagent.live.target import Target

_FOLDERS = ("folder", "sent")
_SQLITE = "sqlite+pysqlite:///"


def check_apart(place: str | Path, targets: Iterable[Target], what: str = "the journal") -> None:
    """Raises BadInput for a file or folder that lies in a target's folder, or is a target's own file.

    A journal in a database (`postgresql://...`) is in nobody's folder.
    """
    if str(place).startswith(("postgresql://", "postgres://")):
        return
    resolved = Path(place).resolve()
    for spec in (target.spec for target in targets):
        folders = [Path(str(spec[name])).resolve() for name in _FOLDERS if spec.get(name)]
        if any(resolved.is_relative_to(one) for one in folders) or resolved == _own_file(spec):
            raise BadInput(f"{what} lies in {words(spec)}; name a place elsewhere", str(place))


def _own_file(spec: Mapping[str, object]) -> Path | None:
    url = str(spec.get("url") or "")
    found = spec.get("file") or (url.removeprefix(_SQLITE).partition("?")[0] if url.startswith(_SQLITE) else None)
    return Path(str(found)).resolve() if found else None
