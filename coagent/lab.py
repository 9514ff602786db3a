"""Opens JupyterLab on a copy of the notebooks. Decides what is copied: what somebody has edited is not written over.

What was written last is kept beside the notebooks by its checksum, so that an edited file is told from an old one.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from coagent.bad_input import BadInput

FOLDER = "coagent-notebooks"
"""Where the copy goes unless somebody says otherwise."""

WRITTEN = ".coagent-notebooks.json"
"""In the folder: the checksum of each file as it was last written."""

QUIET = ("--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate")
"""Options of JupyterLab by which it does not look for news and newer versions."""

NEEDED = ("jupyterlab", "ipywidgets", "anywidget", "hypothesis")
"""What the notebooks cannot do without, of the extra `notebooks`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What came of copying, by name: written for the first time or as nobody had touched them, left alone because
    they are the same, and edited ones that were kept, each with the new version's name."""

    folder: Path
    written: tuple[str, ...]
    same: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]

    def sentences(self) -> Iterator[str]:
        """What happened, in lines that a person reads."""
        yield f"the notebooks are in {self.folder}" + (f": {len(self.written)} written" if self.written else "")
        for name, beside in self.kept:
            yield f"kept your edited {name}; the new version is beside it as {beside}"


def check_extra() -> None:
    """Raise BadInput when something is missing that the notebooks need."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise BadInput(f"the notebooks need {', '.join(missing)}; pip install 'coagent-mtpo[notebooks]'")


def shipped() -> dict[str, bytes]:
    """The notebooks and what they read, by their path in the folder."""
    root = resources.files("notebooks")
    books = {one.name: one.read_bytes() for one in root.iterdir() if one.name.endswith(".ipynb")}
    read = {f"histories/{one.name}": one.read_bytes() for one in (root / "histories").iterdir() if one.is_file()}
    return dict(sorted({**books, **read}.items()))


def copied(folder: str | Path = FOLDER) -> Copied:
    """Copy the notebooks into a folder, which is made if need be. Raises BadInput where that cannot be.

    A file that is as it was last written is brought up to date; an edited one is kept, and the new version, if there
    is one, goes beside it as `NAME.new.ipynb`.
    """
    place = Path(folder)
    if place.exists() and not place.is_dir():
        raise BadInput("is a file, and the notebooks need a folder; name another one", str(place))
    try:
        return _copied(place)
    except OSError as error:
        raise BadInput(f"cannot be written ({error.strerror or error}); name a folder of yours", str(place)) from None


def _copied(place: Path) -> Copied:
    known = _known(place)
    written, same, kept = [], [], []
    for name, content in shipped().items():
        file, now = place / name, _sum(content)
        there = _sum(file.read_bytes()) if file.exists() else None
        if there == now:
            same.append(name)
        elif there is None or there == known.get(name):
            _write(file, content)
            written.append(name)
        elif known.get(name) != now:
            # The shipped version has changed since this one was copied and edited: both are wanted.
            kept.append((name, _beside(place, name, content, known)))
        else:
            same.append(name)
        known[name] = now
    _write(place / WRITTEN, json.dumps(known, indent=1, sort_keys=True).encode() + b"\n")
    return Copied(folder=place, written=tuple(written), same=tuple(same), kept=tuple(kept))


def _beside(place: Path, name: str, content: bytes, known: dict[str, str]) -> str:
    """Write a new version beside an edited file, over none that was edited as well; returns its name."""
    stem, suffix = Path(name).with_suffix(""), Path(name).suffix
    for number in count(1):
        beside = f"{stem}.new{number if number > 1 else ''}{suffix}"
        file = place / beside
        if not file.exists() or _sum(file.read_bytes()) in (known.get(beside), _sum(content)):
            _write(file, content)
            known[beside] = _sum(content)
            return beside
    raise AssertionError("counting came to an end")


def _known(place: Path) -> dict[str, str]:
    try:
        found = json.loads((place / WRITTEN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _sum(content: bytes) -> str:
    return sha256(content).hexdigest()


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    part.write_bytes(content)
    os.replace(part, file)


def command(folder: Path, *, browser: bool = True, port: int | None = None, root: bool = False) -> list[str]:
    """The command that opens JupyterLab there, with this Python, and without asking the network for news of itself."""
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}", *QUIET]
    words += [] if browser else ["--no-browser"]
    words += ["--allow-root"] if root else []
    return [*words, *([f"--port={port}"] if port is not None else [])]


def opened(words: list[str]) -> int:
    """Run JupyterLab until it is closed, in the same terminal; returns its exit code."""
    with subprocess.Popen(words) as process:
        # Ctrl-C is for JupyterLab, which asks before it stops.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return process.wait()
        finally:
            signal.signal(signal.SIGINT, before)
