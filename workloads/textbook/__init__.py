"""The textbook anomalies as scenario files: two agents, as few calls as show one, and its nearest innocent neighbour.

An invariant holds in both serial orders; under naive interleavings an anomaly breaks its own, and an
innocent neighbour comes to a serial outcome whatever the schedule.
"""

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files

from coagent.operation import Value
from coagent.scenario import load_scenario
from coagent.workload import Invariant, Workload, from_scenario

ANOMALIES = ("dirty-read", "lost-update", "read-skew", "write-skew", "phantom", "livelock", "unrecoverable-send")
NAMES = (*(name for anomaly in ANOMALIES for name in (anomaly, f"{anomaly}-innocent")), "livelock-finite")

State = Mapping[str, Value]
Reports = Mapping[str, object]


def workload(name: str) -> Workload:
    """The textbook workload of this name, one of NAMES."""
    text = files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    return replace(from_scenario(load_scenario(text, f"textbook/{name}.json")), invariant=INVARIANTS[name])


def _packed_if_paid(state: State, reports: Reports) -> bool:
    """A parcel is packed only for an order that is still paid."""
    return state.get("parcel") == "waiting" or state.get("order/status") == "paid"


def _five_apples(state: State, reports: Reports) -> bool:
    """Both took theirs: five apples are left of ten."""
    return state.get("stock/apples") == 5


def _one_snapshot(state: State, reports: Reports) -> bool:
    """B's total is that of before A or of after A."""
    after = state["accounts/checking"] + state["accounts/savings"]
    return reports.get("B") in (100, after)


def _somebody_on_call(state: State, reports: Reports) -> bool:
    """Ann or Bob, or Eve if there is one, is on call."""
    return any(on for path, on in state.items() if path.startswith("on-call/"))


def _counted(state: State, reports: Reports) -> bool:
    """The number written down is the number of orders."""
    return state.get("totals/orders") == sum(path.startswith("orders/") for path in state)


def _halved_one_after_the_other(state: State, reports: Reports) -> bool:
    """Whoever came second started from the other's result."""
    return sorted((state["x"], state["y"])) == [1, 2]


def _halved_from_z(state: State, reports: Reports) -> bool:
    """B halved z, and A halved y, as it was or as B left it."""
    return state["y"] == 1 and state["x"] in (1, 2)


def _one_true_mail(state: State, reports: Reports) -> bool:
    """There is exactly one mail, and it went to who owns the ticket in the end."""
    return state.get("mails") == (state.get("ticket/owner"),)


INVARIANTS: Mapping[str, Invariant] = {
    "dirty-read": _packed_if_paid,
    "dirty-read-innocent": _packed_if_paid,
    "lost-update": _five_apples,
    "lost-update-innocent": _five_apples,
    "read-skew": _one_snapshot,
    "read-skew-innocent": _one_snapshot,
    "write-skew": _somebody_on_call,
    "write-skew-innocent": _somebody_on_call,
    "phantom": _counted,
    "phantom-innocent": _counted,
    "livelock": _halved_one_after_the_other,
    "livelock-innocent": _halved_from_z,
    "livelock-finite": _halved_one_after_the_other,
    "unrecoverable-send": _one_true_mail,
    "unrecoverable-send-innocent": _one_true_mail,
}
"""What must hold at the end, by workload; the docstring of each says it."""
