"""Whether a test may be skipped because something is not installed: on somebody's machine yes, in CI no."""

import os

import pytest


def unless(absent: str, *, needed: bool) -> None:
    """Go on when nothing is absent; else skip, saying what is. With CI=true, what is `needed` there fails instead."""
    if absent and needed and os.environ.get("CI") == "true":
        pytest.fail(absent, pytrace=False)
    if absent:
        pytest.skip(absent)
