"""Keys of worlds: equal where only names differ, or the order of what does not conflict; unequal where it matters."""

from dataclasses import dataclass

import pytest

from coagent.canonical import Canon, nameless
from coagent.explore import explore
from coagent.judge import Judge
from coagent.part import Opaque
from coagent.protocols import protocol
from coagent.protocols.naive import Naive
from coagent.protocols.run import Run
from coagent.world import Choice, Setting, World, opened
from tests.driving import driven, setting
from workloads import workload

ONE = {"A": [{"put": "x", "value": "1"}], "B": [{"put": "y", "value": "2"}]}


def keyed(where: Setting, *worlds: World) -> list:
    canon = Canon(where)
    return [canon.key(world) for world in worlds]


def test_worlds_that_differ_in_the_order_of_what_does_not_conflict_are_one() -> None:
    where = setting(ONE, protocol("mtpo"))
    here, there = (driven(where, moves) for moves in ("AB", "BA"))
    assert here.actors["A"].log != () and len(set(keyed(where, here, there))) == 1


def test_flights_that_do_not_conflict_have_no_order_and_those_that_do_have_one() -> None:
    for path, count in (("y", 1), ("x", 2)):
        steps = {"A": [{"put": "x", "value": "1"}], "B": [{"put": path, "value": "2"}]}
        where = setting(steps, protocol("naive"))
        start = opened(where)
        worlds = [
            start.take(Choice("infer", one)).take(Choice("infer", other)) for one, other in (("A", "B"), ("B", "A"))
        ]
        assert len(set(keyed(where, *worlds))) == count, path


def test_true_and_one_are_two_states() -> None:
    settings = [setting({"A": [{"put": "x", "value": value}]}, protocol("naive")) for value in ("1", "true")]
    canon = Canon(settings[0])
    one, other = (canon.key(driven(where, "A")) for where in settings)
    assert one != other


def test_a_repaired_world_is_the_one_that_needed_no_repair_but_for_names() -> None:
    """B reads too early, is told, and writes again: apart from the count of its calls it is as if it had waited."""
    steps = {
        "A": [{"put": "x", "value": "1"}],
        "B": [{"get": "x", "as": "v"}, {"put": "y", "value": "v"}],
    }
    where = setting(steps, protocol("mtpo"), {"x": 0})
    early, late = driven(where, "BBAABB"), driven(where, "ABBA")
    assert set(early.run.ops) > set(late.run.ops)
    assert len(set(keyed(where, early, late))) == 1
    assert len(set(keyed(where, driven(where, "BBAAB"), late))) == 2


@pytest.mark.parametrize(
    "more", [{"judge": Judge(miss=0.5)}, {"judge": Judge(over=0.5)}, {"lost": {"A.1": False}}], ids=str
)
def test_names_are_no_labels_where_something_is_keyed_by_them(more: dict) -> None:
    assert nameless(setting(ONE, protocol("mtpo")))
    assert not nameless(setting(ONE, protocol("mtpo"), **more))


class Sealed:
    """Something that cannot be looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secretive(Naive):
    """Keeps something that cannot be looked into."""

    def start(self) -> Run:
        """A run with it."""
        return Run(extra=SEALED)


SEALED = Sealed()


def test_a_protocols_own_state_that_cannot_be_looked_into_is_not_guessed_at() -> None:
    where = Setting(workload=workload("lost-update"), protocol=Secretive())
    with pytest.raises(Opaque):
        Canon(where).key(opened(where))
    found = explore(where)
    assert not found.reduced and "cannot be looked into" in found.note
    assert found.states == explore(where, reduced=False).states


def test_a_key_that_leaves_out_what_matters_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    where = Setting(workload=workload("lost-update"), protocol=protocol("naive"))
    whole = explore(where, reduced=False)
    monkeypatch.setattr("coagent.canonical._Naming._agent", lambda *_: ())
    found = explore(where, sample=1)
    assert not found.reduced and found.note
    assert [one.final_state for one in found.endings] == [one.final_state for one in whole.endings]
