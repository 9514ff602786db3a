"""Small changes to a recorded history, drawn by a seed: a field, a line less, a line twice, a line elsewhere."""

import json
from collections.abc import Iterator
from random import Random

from coagent.history import History

SPOKEN = ("result", "exec", "prepare", "notify", "consume", "redo", "refresh", "mask", "invoke", "end", "repair")
VALUES = (1, 2, 0, "ok", "x", None, True, "missing", "failed", [])


def mutated(history: History, draw: Random) -> History | None:
    """The history after one or two changes, its count put right; None when its end record went."""
    records = [json.loads(json.dumps(record)) for record in history.records]
    for _ in range(draw.choice((1, 1, 2))):
        change(records, draw)
    if records[-1]["event"] != "end":
        return None
    records[-1]["records"] = len(records) - 1
    return History({**history.header, "sealed": False}, tuple(records))


def change(records: list[dict], draw: Random) -> None:
    at, lot = draw.randrange(len(records) - 1), draw.random()
    if lot < 0.15:
        records.pop(at)
    elif lot < 0.25:
        records.insert(draw.randrange(len(records) - 1), json.loads(json.dumps(records[at])))
    elif lot < 0.35:
        records.insert(draw.randrange(len(records)), records.pop(at))
    else:
        spoken = [record for record in records if record["event"] in SPOKEN]
        edit(draw.choice(spoken if draw.random() < 0.7 else records), draw.choice(records), draw)


def edit(record: dict, other: dict, draw: Random) -> None:
    """Change, or drop, one field somewhere in a record, to something that another one has, or to any value."""
    places = [place for place, _ in leaves(record) if place and place[0] not in ("at", "event")]
    if not places:
        return
    *way, last = draw.choice(places)
    holder = record
    for step in way:
        holder = holder[step]
    alike = [one for place, one in leaves(other) if len(place) > 0 and type(one) is type(holder[last])]
    if isinstance(holder, dict) and draw.random() < 0.3:
        del holder[last]
    else:
        new = draw.choice(alike) if alike and draw.random() < 0.6 else draw.choice(VALUES)
        holder[last] = json.loads(json.dumps(new))


def leaves(thing: object, place: tuple = ()) -> Iterator[tuple[tuple, object]]:
    """Everything inside, with where it is."""
    inside = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, one in inside:
        yield from leaves(one, (*place, key))
    yield place, thing
