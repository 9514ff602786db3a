"""The parts of the benchmark by name, each imported when it is run."""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

from coagent.bad_input import BadInput
from coagent.bench.figure import Figure


def _part(module: str, function: str) -> Callable[[], list[Figure]]:
    return lambda: getattr(import_module(f"coagent.bench.{module}"), function)()


PARTS: Mapping[str, Callable[[], list[Figure]]] = {
    "engine": _part("engine", "measured"),
    "explore": _part("exploration", "exploration_figures"),
    "list-append": _part("list_append", "list_append_figures"),
    "register": _part("register", "register_figures"),
    "history": _part("history", "history_figures"),
    "replay": _part("replay", "replay_figures"),
    "sweep": _part("trials", "trial_figures"),
}
"""What measures each part."""


def chosen(names: Iterable[str] | None) -> list[str]:
    """The parts asked for, in the order of PARTS; all when none is named. Raises BadInput for one that there is not."""
    wanted = set(names or PARTS)
    unknown = sorted(wanted - set(PARTS))
    if unknown:
        raise BadInput(f"there is no benchmark {unknown[0]!r}; known are {', '.join(PARTS)}")
    return [name for name in PARTS if name in wanted]
