"""The effects under way: which may complete is what pairwise conflict says, and a completion looks at few others."""

from random import Random

import pytest

from coagent import flights
from coagent.effect import Perform
from coagent.flights import Flights
from coagent.operation import Call
from coagent.world import conflict

PATHS = ("a", "a/b", "a/b/c", "a/d", "e", "e/f")


def performing(op: str, reads: tuple = (), writes: tuple = ()) -> Perform:
    return Perform(op=op, act="exec", call=Call("t"), reads=reads, writes=writes)


def drawn(chance: Random) -> Perform:
    reads, writes = (tuple(chance.sample(PATHS, chance.randrange(3))) for _ in range(2))
    return performing(f"A.{chance.randrange(12)}", reads, writes)


def free(here: Flights) -> list[Perform]:
    """Those that nothing earlier conflicts with and whose answer is not lost, by looking at every pair."""
    return [
        one
        for at, one in enumerate(here.all)
        if one.act != "unknown" and not any(conflict(before, one) for before in here.all[:at])
    ]


@pytest.mark.parametrize("seed", range(40))
def test_an_effect_is_free_exactly_when_nothing_earlier_conflicts(seed):
    chance, here = Random(seed), Flights()
    for _ in range(120):
        ready = here.ready()
        unknown = [one for one in here if one.act == "unknown"]
        if unknown and chance.random() < 0.3:
            here = here.resolve(unknown[0].op)
        elif ready and chance.random() < 0.45:
            ticket, one = chance.choice(ready)
            lost = one.act == "exec" and chance.random() < 0.3
            here = here.lose(ticket) if lost else here.remove(ticket)
        else:
            here = here.add(drawn(chance))
        assert [one for _, one in here.ready()] == free(here)
        assert len({*here.tickets}) == len(here) == len(here.tickets)


def test_flights_are_equal_when_their_effects_are_however_they_came():
    one, other = performing("A.1", writes=("a",)), performing("B.1", reads=("a",))
    longer = Flights().add(other).add(one).add(other)
    assert longer.remove(0) == Flights().add(one).add(other)
    assert hash(longer.remove(0)) == hash(Flights().add(one).add(other))
    assert longer.remove(0) != Flights().add(other).add(one)


@pytest.mark.parametrize("shape", ["all write one path", "reads between writes", "nothing in common"])
def test_completions_look_again_at_few_others_however_many_are_under_way(monkeypatch, shape):
    looks = []
    plain = flights.Flights._latest
    monkeypatch.setattr(flights.Flights, "_latest", lambda *given: looks.append(1) or plain(*given))
    here, many = Flights(), 400
    for at in range(many):
        match shape:
            case "all write one path":
                footprint = {"writes": ("a",)}
            case "reads between writes":
                footprint = {"writes": ("a/b",)} if at % 2 else {"reads": ("a",)}
            case _:
                footprint = {"writes": (f"a/{at}",)}
        here = here.add(performing(f"A.{at}", **footprint))
    while here:
        here = here.remove(here.ready()[-1][0])
    assert len(looks) < 3 * many
