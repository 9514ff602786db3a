"""What a folder of results was made by: version, command, grid, seeds, and the files that cases name.

Says whether more results may go into a folder. No dates and no machine's own paths but those that were asked for, so
that the same sweep gives the same bytes.
"""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from hashlib import sha256
from pathlib import Path

from coagent import __version__
from coagent.bad_input import BadInput
from coagent.trial import Case, files

NAME = "provenance.json"
MARK = "coagent sweep"
SAME = ("coagent", "grid", "seeds", "trials", "part", "files", "cases")
"""What has to agree before results may be added, in the order in which a difference is told."""


def provenance(cases: Sequence[Case], *, part: int, command: Sequence[str] | None = None) -> dict[str, object]:
    """What there is to say of a sweep; `part` is the number of trials in a part of it.

    `cases` is a checksum of all of them, `files` of each file that they name.
    """
    seeds = [one.seed for one in cases]
    return {
        "results": MARK,
        "simulated": True,
        "coagent": __version__,
        "python": platform.python_version(),
        "command": list(command) if command else None,
        "grid": {one.name: _values(cases, one.name) for one in fields(Case) if one.name != "seed"},
        "seeds": [min(seeds), max(seeds)],
        "trials": len(cases),
        "part": part,
        "files": {str(file): sha256(file.read_bytes()).hexdigest() for file in files(cases)},
        "cases": sha256("\n".join(repr(astuple(one)) for one in cases).encode()).hexdigest(),
    }


def text(said: Mapping[str, object]) -> str:
    """A provenance as its file holds it."""
    return json.dumps(said, indent=1) + "\n"


def read(folder: Path) -> dict[str, object]:
    """A folder's provenance. Raises BadInput for a folder without, and for one of another version."""
    file = folder / NAME
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise BadInput(f"no {NAME} is there, so this is no folder of a sweep", str(folder)) from None
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("results") != MARK:
        raise BadInput("is no provenance of a sweep; name the folder given to --out", str(file))
    if found.get("coagent") != __version__:
        raise BadInput(
            f"the results are of coagent {found.get('coagent')} and this is {__version__}; take a new folder", str(file)
        )
    return found


def check_same(found: Mapping[str, object], wanted: Mapping[str, object], where: Path) -> None:
    """Raise BadInput, naming the first difference, when the folder's sweep is another than the one wanted."""
    for key in SAME:
        if found.get(key) == wanted[key]:
            continue
        before, now = found.get(key), wanted[key]
        if isinstance(before, dict) and isinstance(now, dict):
            key = next(name for name in {**before, **now} if before.get(name) != now.get(name))
            before, now = before.get(key), now.get(key)
        raise BadInput(
            f"the folder holds another sweep, with {key} {_brief(before)}, not {_brief(now)}; ask for that one, or "
            "take a new folder",
            str(where),
        )


def _values(cases: Iterable[Case], name: str) -> list[object]:
    return list(dict.fromkeys(getattr(one, name) for one in cases))


def _brief(value: object) -> str:
    shown = json.dumps(value)
    return shown if len(shown) < 80 else shown[:77] + "..."
