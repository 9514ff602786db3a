"""Who is who at the service: random tokens, of which only the hash is kept.

A token says which agent asks, and so at which rank; nothing that a request says of itself does.
"""

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from coagent.bad_input import BadInput

OPERATOR = "operator"
"""Who launches and shuts down; no agent may have this name."""

BYTES = 32

_NAME = re.compile(r"[\w-]{1,64}")
MOST_BYTES = 240
"""Of a name in UTF-8, so that a file may be called after it."""


def check_name(who: str) -> None:
    """Raises BadInput for a name that no file can have everywhere."""
    if not _NAME.fullmatch(who) or len(who.encode(errors="replace")) > MOST_BYTES:
        shown = repr(who[:40]) + ("..." if len(who) > 40 else "")
        raise BadInput(f"{shown} cannot be the name of a file; use at most 64 letters, digits, '-' and '_'")


class Tokens:
    """The hashes of tokens by whose they are: an agent's name, or OPERATOR."""

    def __init__(self) -> None:
        self._hashes: dict[str, bytes] = {}

    def issue(self, who: str) -> str:
        """A new token; the one before, if there was any, is worth nothing any more."""
        token = secrets.token_urlsafe(BYTES)
        self.accept(who, token)
        return token

    def accept(self, who: str, token: str) -> None:
        """Let this be the token of somebody."""
        self._hashes[who] = _hash(token)

    def whose(self, token: str) -> str | None:
        """Who has this token. How long that takes says nothing about the tokens that there are."""
        asked, found = _hash(token), None
        for who, held in self._hashes.items():
            if hmac.compare_digest(held, asked):
                found = who
        return found


class TokenFolder(Tokens):
    """Tokens that outlive the service: one file for each, readable by its owner alone, `NAME.token`."""

    def __init__(self, folder: str | Path) -> None:
        """Read what is there. Raises BadInput for a folder or a file that others may read."""
        super().__init__()
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in sorted(self.folder.glob("*.token")):
            if file.stat().st_mode & 0o077:
                what = "others may read or write this token; chmod 600 it, or delete it for a new one"
                raise BadInput(what, str(file))
            self.accept(file.stem, file.read_text(encoding="ascii").strip())

    def file(self, who: str) -> Path:
        """Where somebody's token is."""
        return self.folder / f"{who}.token"

    def issue(self, who: str) -> str:
        """A new token, in its file."""
        check_name(who)
        token, place = super().issue(who), self.file(who)
        beside = place.with_suffix(".new")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(token + "\n")
        beside.replace(place)
        return token

    def kept(self, who: str) -> str:
        """The token that is there for somebody, or a new one."""
        place = self.file(who)
        return place.read_text(encoding="ascii").strip() if place.exists() else self.issue(who)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
