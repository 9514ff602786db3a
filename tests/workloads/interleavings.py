"""Every interleaving of agents' atomic calls on a plain dictionary: no engine, no protocol, no clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from checker.oracle import Ledger, serial
from coagent.operation import Value
from coagent.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one interleaving ended: `order` has the index of the agent of each call, in the order of the calls."""

    order: tuple[int, ...]
    state: Mapping[str, Value]
    reports: Mapping[str, object]

    @property
    def outcome(self) -> str:
        """State and reports in a form that keeps True and 1 apart."""
        return repr((sorted(self.state.items()), sorted(self.reports.items())))


def endings(workload: Workload, order: tuple[int, ...] = ()) -> Iterator[Ending]:
    """The endings of all interleavings that begin with `order`."""
    ledger, waiting, reports = _after(workload, order)
    if not waiting:
        state = {path: cell[0] for path, cell in ledger.cells.items()}
        yield Ending(order=order, state=state, reports=reports)
    for index in waiting:
        yield from endings(workload, (*order, index))


def serial_endings(workload: Workload) -> tuple[Ending, Ending]:
    """The two serial runs of two agents: the first before the second, and the other way round."""
    first, second = workload.agents
    orders = ((first, second), (second, first))
    runs = (serial(workload.state, [(one.name, one.program) for one in order], workload.tools) for order in orders)
    return tuple(Ending(order=(), state=state, reports=reports) for state, reports in runs)


def kept(workload: Workload) -> tuple[int, int]:
    """How many interleavings keep the invariant, and how many there are."""
    held = [workload.invariant(one.state, one.reports) for one in endings(workload)]
    return sum(held), len(held)


def _after(workload: Workload, order: tuple[int, ...]) -> tuple[Ledger, list[int], dict[str, object]]:
    """The ledger after the calls of `order`, who still has a call to make, and the reports of the others.

    Who dies makes no call after its last and reports nothing; what it did stays, as without any control.
    """
    ledger, reports, pending = Ledger(workload.state), {}, {}
    made = [0] * len(workload.agents)
    running = [agent.program() for agent in workload.agents]

    def advance(index: int, sent: object) -> None:
        try:
            pending[index] = running[index].send(sent)
        except StopIteration as stop:
            reports[workload.agents[index].name] = stop.value

    for index in range(len(running)):
        advance(index, None)
    for index in order:
        call = pending.pop(index).call
        result = ledger.run(workload.tools[call.tool], dict(call.args))
        made[index] += 1
        if made[index] != workload.agents[index].dies_after:
            advance(index, result)
    return ledger, sorted(pending), reports
