"""The conformance battery: a protocol's steps along random runs against the engine's contract (C1 to C5).

What makes every later answer meaningless (a step that is impure, an effect that is none) is refused; what the closed
world never asks of a protocol, but a live one may, is a remark.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from coagent import event
from coagent.bad_input import BadInput
from coagent.event import IllegalEvent
from coagent.operation import Call, Result
from coagent.protocols.guard import Guard, told
from coagent.scenario import Scenario
from coagent.simulate import Chance, simulate
from coagent.testing.exchange import held_to_symmetry
from coagent.tool import TOOLS, declare
from coagent.workload import from_scenario
from coagent.world import Setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformance:
    """What the battery found: `refused` says why nothing else can be asked (empty: nothing), `remarks` the rest."""

    runs: int
    steps: int
    refused: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(slots=True)
class Tape:
    """A protocol that keeps what it was asked and what it answered."""

    inner: object
    steps: list[tuple[event.Event, tuple]] = field(default_factory=list)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def step(self, run: object, what: event.Event) -> tuple:
        """The inner protocol's step, kept."""
        answer = self.inner.step(run, what)
        self.steps.append((what, answer))
        return answer


def conformance(protocol: object, scenarios: Sequence[Scenario], *, steps: int = 600) -> Conformance:
    """Run each scenario once under a random schedule, guarded, and then its events again from the start.

    They are also given again for exchanged agents, when the protocol says that it is symmetric.
    """
    made = 0
    for seed, scenario in enumerate(scenarios):
        tape = Tape(Guard(protocol))
        try:
            simulate(Setting(workload=from_scenario(scenario), protocol=tape), Chance(seed), max_steps=steps)
            _replayed(protocol, tape)
            held_to_symmetry(protocol, tape.steps)
        except BadInput as error:
            return Conformance(runs=seed + 1, steps=made + len(tape.steps), refused=str(error))
        except (Exception, SystemExit) as error:
            why = f"{failure(error)} in a run of {scenario.name!r}, after {len(tape.steps)} steps{_last(tape)}"
            return Conformance(runs=seed + 1, steps=made + len(tape.steps), refused=why)
        made += len(tape.steps)
    return Conformance(runs=len(scenarios), steps=made, remarks=tuple(_remarks(protocol)))


def failure(error: BaseException) -> str:
    """An exception in words, with the line it came from."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    text = " ".join(str(error).split())
    place = f" ({trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno})" if trace else ""
    return f"it failed with {type(error).__name__}{': ' if text else ''}{text}{place}"


def _replayed(protocol: object, tape: Tape) -> None:
    """The same events from the start must come to the same runs, whatever the protocol did in the meantime."""
    run = protocol.start()
    for at, (what, answer) in enumerate(tape.steps):
        again = protocol.step(run, what)
        if again != answer:
            raise BadInput(
                f"protocol {protocol.name!r}: the step at {told(what)} is not pure: the same {at} events from the "
                "start come to something else the second time; keep what it has to remember in the run"
            )
        run = again[0]


def _last(tape: Tape) -> str:
    return f", the last at {told(tape.steps[-1][0])}" if tape.steps else ""


def _remarks(protocol: object) -> Iterator[str]:
    """C1: what the lifecycle does not allow raises IllegalEvent, and leaves the run as it was."""
    run, _ = protocol.step(protocol.start(), event.Launched(agent="A", rank=(1,)))
    call = Call("get", (("path", "x"),))
    for illegal in (
        event.Invoked(agent="A", call=call, declaration=declare(TOOLS, call)),
        event.Finished(agent="A", report=None),
        event.Inferring(agent="B"),
        event.Performed(op="A.1", act="exec", result=Result("ok")),
    ):
        before = hash(run)
        try:
            protocol.step(run, illegal)
        except IllegalEvent:
            continue
        except Exception as error:
            what = f"raises {type(error).__name__}, not IllegalEvent,"
        else:
            what = "takes" if hash(run) == before else "is changed by"
        yield f"it {what} {told(illegal)} before anything was asked of A; call check_legal(run, event) first (C1)"
