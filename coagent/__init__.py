"""Concurrency control for teams of LLM agents, small enough to read in an evening, exact enough to prove.

The names that a notebook needs are here; each is imported when first asked for, so that `import coagent` stays light.
"""

from importlib import import_module

__version__ = "0.1.0"

_FROM = {
    "load_scenario": "coagent.scenario",
    "load_scenario_file": "coagent.scenario",
    "from_scenario": "coagent.workload",
    "Setting": "coagent.world",
    "protocol": "coagent.protocols",
    "follow": "coagent.stepper",
    "verdict": "coagent.stepper",
    "Stepper": "coagent.stepper",
}

__all__ = ["__version__", *_FROM]


def __getattr__(name: str) -> object:
    """A public name, from the module that defines it."""
    if name not in _FROM:
        raise AttributeError(f"module 'coagent' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_FROM[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
