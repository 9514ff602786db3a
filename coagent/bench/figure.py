"""A number that was measured here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured number, its unit, and what it is of."""

    name: str
    value: float
    unit: str
    of: str
