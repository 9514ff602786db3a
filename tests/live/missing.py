"""Whether a test may be skipped because something is not installed: on somebody's machine yes, in CI no."""

import os
from importlib import util

import pytest


def packages(*names: str) -> str:
    """Which of these packages are not installed, and how to get them; empty when all are."""
    lacking = [name for name in names if util.find_spec(name) is None]
    return f"not installed: {', '.join(lacking)}; pip install -e '.[test,live]'" if lacking else ""


def unless(absent: str, *, needed: bool) -> None:
    """Go on when nothing is absent; else skip, saying what is. With CI=true, what is `needed` there fails instead."""
    if absent and needed and os.environ.get("CI") == "true":
        pytest.fail(absent, pytrace=False)
    if absent:
        pytest.skip(absent)
