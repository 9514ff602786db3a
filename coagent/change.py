"""Copies a frozen value with some fields changed, as `dataclasses.replace` does but several times as fast.

Only for slotted dataclasses without checks of their own: the constructor is not run.
"""

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import TypeVar

Value = TypeVar("Value")


def changed(value: Value, changes: dict[str, object]) -> Value:
    """The value with these fields changed. Raises TypeError for a field that it does not have."""
    return _copier(type(value))(value, **changes)


@cache
def _copier(kind: type) -> Callable:
    """A function written for one class, as dataclasses writes constructors, which `replace` has to go through."""
    names = [one.name for one in fields(kind)]
    known = {"kind": kind, "new": object.__new__, "same": object()}
    known |= {f"set_{name}": getattr(kind, name).__set__ for name in names}
    lines = [f"  set_{name}(made, old.{name} if {name} is same else {name})" for name in names]
    heading = f"def copy(old, {', '.join(f'{name}=same' for name in names)}):"
    exec("\n".join([heading, "  made = new(kind)", *lines, "  return made"]), known)
    return known["copy"]
