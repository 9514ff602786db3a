"""Looking at runs: `view(thing)` steps through one in a notebook, `view(thing).save("run.html")` anywhere."""

from importlib import import_module

__all__ = ["view"]


def view(
    thing: object, other: object = None, *, step: int | None = None, closely: tuple[float, float] | None = None
) -> object:
    """See `coagent.notebook.viewer.view`, which is imported when it is asked for."""
    return import_module("coagent.notebook.viewer").view(thing, other, step=step, closely=closely)
