"""Small histories as tests write them, and a judge by brute force that shares only values with the checker."""

import random
from itertools import permutations

from checker.transaction import Transaction


def history(*rows: str) -> list[Transaction]:
    """Transactions from rows such as `A: r x 1; w y 2`, `B!: append x 3` (aborted), `C?: w x 1` (end unknown).

    A list is written `[1 2]`, nil `nil`.
    """
    found = []
    for row in rows:
        name, _, body = row.partition(":")
        status = {"!": "aborted", "?": "unknown"}.get(name[-1], "committed")
        steps = tuple(_step(step) for step in body.split(";") if step.strip())
        found.append(Transaction(name=name.rstrip("!?"), status=status, steps=steps))
    return found


def _step(text: str) -> tuple[str, str, object]:
    kind, key, value = text.split(maxsplit=2)
    if value.strip().startswith("["):
        return kind, key, tuple(int(one) for one in value.strip(" []").split())
    return kind, key, None if value.strip() == "nil" else int(value)


def explains(order: tuple[Transaction, ...]) -> bool:
    """True when running these one after the other shows every read its value."""
    lists: dict[str, tuple] = {}
    cells: dict[str, object] = {}
    for one in order:
        for kind, key, value in one.steps:
            if kind == "append":
                lists[key] = (*lists.get(key, ()), value)
            elif kind == "w":
                cells[key] = value
            elif value != (lists.get(key, ()) if isinstance(value, tuple) else cells.get(key)):
                return False
    return True


def serializable(transactions: list[Transaction]) -> bool:
    """By trying every serial order of the committed transactions; none here has an unknown end."""
    return any(explains(order) for order in permutations([one for one in transactions if one.status == "committed"]))


def random_history(seed: int, model: str) -> list[Transaction]:
    """Up to five transactions over two keys, interleaved on one shared store, some aborted, some reads stale."""
    chance = random.Random(f"{model}-{seed}")
    count, fresh = chance.randint(2, 5), iter(range(1, 100))
    left = {name: chance.randint(1, 3) for name in "ABCDE"[:count]}
    steps: dict[str, list] = {name: [] for name in left}
    past: dict[str, list] = {key: [() if model == "append" else None] for key in "xy"}
    while left:
        name, key = chance.choice(sorted(left)), chance.choice("xy")
        if chance.random() < 0.5:
            versions = past[key]
            steps[name].append(("r", key, versions[-1] if chance.random() < 0.85 else chance.choice(versions)))
        else:
            value = next(fresh)
            steps[name].append((model, key, value))
            past[key].append((*past[key][-1], value) if model == "append" else value)
        left[name] -= 1
        if not left[name]:
            del left[name]
    return [
        Transaction(name=name, status="aborted" if chance.random() < 0.08 else "committed", steps=tuple(own))
        for name, own in steps.items()
    ]
