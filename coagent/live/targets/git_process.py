"""Runs git so that nothing of it runs anything else: no hooks, filters, pagers, prompts, monitors or transports.

Neither the user's settings nor those of the repository can name a program that these calls would start: what could is
set here for each call, and commands that look at files of the working tree (and so at filters) are not for this.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from coagent.bad_input import BadInput

_SETTINGS = {
    "core.alternateRefsCommand": "",
    "core.autocrlf": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.ignoreCase": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    "core.splitIndex": "false",
    "core.untrackedCache": "false",
    "commit.gpgSign": "false",
    "gc.auto": "0",
    "i18n.commitEncoding": "UTF-8",
    "init.defaultBranch": "base",
    "maintenance.auto": "false",
    "merge.conflictStyle": "merge",
    "protocol.allow": "never",
}
_WHO = {"NAME": "coagent", "EMAIL": "coagent@localhost", "DATE": "2023-08-01T09:00:00+0000"}
_CLOSED = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ASKPASS": "false",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
}


class GitFailed(RuntimeError):
    """Git ended otherwise than expected; the message is git's own."""


def git(
    root: Path,
    *words: str,
    given: bytes = b"",
    expected: tuple[int, ...] = (0,),
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """What git prints, told `given`. Raises GitFailed, and BadInput when git is not installed."""
    program = shutil.which("git")
    if program is None:
        raise BadInput("this needs real repositories, and git is not on the PATH; install git")
    settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    command = [program, "--no-pager", *settings, *words]
    everything = {**clean_environment(), **(environment or {})}
    done = subprocess.run(command, cwd=root, env=everything, input=given, capture_output=True)
    if done.returncode not in expected:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise GitFailed(f"git {words[0]} ended with {done.returncode}: {said}")
    return done.stdout


def clean_environment() -> dict[str, str]:
    """Nothing of the user's but the PATH: no settings, no names, no time, so that equal trees get equal commits."""
    people = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _WHO.items()}
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC", **people, **_CLOSED}
