"""A transaction as the black-box formats record it: a name, how it ended, and its steps in program order.

Knows no file format and judges nothing.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

Key = Hashable
Step = tuple[str, Key, object]
"""`(kind, key, value)`: kind is `r`, `w` or `append`. A read of a list has a tuple; `None` is "nothing there yet"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One attempt of a transaction.

    `status` is `committed`, `aborted` (definitely no effect) or `unknown` (it may have happened: a
    timeout, a crash). Of an unknown one only the writes mean anything: nobody was told its reads.
    `session` is the process or session that ran it, transactions of one session being listed in its
    order (None: not recorded). `begun` and `ended` are the places of its invocation and of its end
    among all events of the history (None: not recorded, or it never ended): one that ended before
    another began came before it in real time.
    """

    name: str
    status: str
    steps: tuple[Step, ...]
    session: Hashable = None
    begun: int | None = None
    ended: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque:
    """A value that is neither integer, string nor nil, known by its text alone, so that `true` is never `1`."""

    text: str

    def __str__(self) -> str:
        return self.text


def token(value: object) -> Hashable:
    """A value to compare, hash and print: integers, printable strings and None as they are, others by their text."""
    if value is None or type(value) is int or (isinstance(value, str) and value.isprintable()):
        return value
    return Opaque(text=str(value).lower() if isinstance(value, bool) else ascii(value))


def shown(key: Key) -> str:
    """A key as a sentence names it: `x` for a word, `key 7` for a number."""
    return str(key).removeprefix(":") if isinstance(key, str) else f"key {key}"


def steps_in(transactions: Iterable[Transaction]) -> int:
    """How many steps the transactions have together."""
    return sum(len(one.steps) for one in transactions)
