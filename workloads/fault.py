"""Faults to put into a run, one at a time: an agent, a tool, a reader of notices, a judge, an inverse, or a rule of
MTPO that does not do what it should.

Decides where a fault strikes, by draws keyed to (seed, what it may strike); what it comes to is the run's
business, and whose fault that is the checker's, who is told nothing of this.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from coagent.actor import Program
from coagent.effect import Deliver, Effect
from coagent.event import Event
from coagent.judge import PERFECT, Judge, drawn
from coagent.operation import Call, Cell, Declaration, Notice, Result, Value
from coagent.program import Intent
from coagent.protocols import VARIANTS
from coagent.protocols.mtpo import Mtpo
from coagent.recording import Recorder
from coagent.simulate import Chance, Outcome, finished
from coagent.tool import Args
from coagent.workload import Workload
from coagent.world import Choice, Setting, World, opened

RATE = 0.6
"""Share of what a fault may strike that it does strike."""
MOST_STEPS = 1_500
"""Choices before a run counts as not ending."""
BROKEN = tuple(one for one in VARIANTS.values() if one.expects)
"""The variants of MTPO that are wrong."""

Tamper = Callable[[World, Choice, World], World]
"""From the world before a choice, the choice and the world after it to the world that there is instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is put in the place of what is sound; everything left out stays sound."""

    workload: Workload
    protocol: object = Mtpo()
    judge: Judge = PERFECT
    tamper: Tamper = lambda before, choice, after: after
    most_steps: int = MOST_STEPS


def outcome(fault: Fault, seed: int) -> Outcome:
    """The run with the fault in it, under a random schedule."""
    setting = Setting(workload=fault.workload, protocol=fault.protocol, seed=seed, judge=fault.judge)
    chooser, world, taken, now = Chance(seed), opened(setting), [], 0.0
    while len(taken) < fault.most_steps and (choices := world.choices()):
        index, now = chooser(world, choices)
        world = fault.tamper(world, choices[index], world.take(choices[index], at=now))
        taken.append(index)
    return finished(world, tuple(taken), now, "random")


# A1: an agent that fails alone


def endless(workload: Workload, seed: int) -> Fault:
    """One agent never finishes: it goes on looking at what it looked at first."""
    return _one_agent(workload, seed, _for_ever)


def halfway(workload: Workload, seed: int) -> Fault:
    """One agent stops before it has done what the invariant asks of it."""
    return _one_agent(workload, seed, partial(_up_to, seed % 3))


def _one_agent(workload: Workload, seed: int, how: Callable) -> Fault:
    place = int(drawn("agent", seed) * len(workload.agents))
    agents = list(workload.agents)
    agents[place] = replace(agents[place], program=partial(how, agents[place].program))
    return Fault(workload=replace(workload, agents=tuple(agents)), most_steps=300)


def _for_ever(program: Program) -> Generator[Intent, Result, Value]:
    yield from program()
    while True:
        yield Intent(call=Call("get", (("path", "waiting"),)), think_s=1.0)


def _up_to(calls: int, program: Program) -> Generator[Intent, Result, Value]:
    running, sent = program(), None
    for _ in range(calls):
        try:
            sent = yield running.send(sent)
        except StopIteration as stop:
            return stop.value
    return None


# A2: an effect outside the declared footprint, a notice that is not consumed


def hidden_reads(workload: Workload, seed: int) -> Fault:
    """A tool looks at what it does not declare that it reads."""
    return _one_tool(workload, seed, lambda declared: replace(declared, reads=()), lambda declared: declared.reads)


def hidden_writes(workload: Workload, seed: int) -> Fault:
    """A tool writes what it does not declare that it writes."""
    bare = {"writes": (), "image": (), "blind": False}
    return _one_tool(workload, seed, lambda declared: replace(declared, **bare), lambda declared: declared.writes)


def _one_tool(
    workload: Workload, seed: int, narrow: Callable, touches: Callable[[Declaration], tuple[str, ...]]
) -> Fault:
    names = sorted(_tools_used(workload, touches))
    if not names:
        return Fault(workload=workload)
    tool = workload.tools[names[int(drawn("tool", seed) * len(names))]]

    def declare(args: Args) -> Declaration:
        return narrow(tool.declare(args))

    return Fault(workload=replace(workload, tools={**workload.tools, tool.name: replace(tool, declare=declare)}))


def _tools_used(workload: Workload, touches: Callable[[Declaration], tuple[str, ...]]) -> set[str]:
    """The tools that the agents call when each is answered with null, and that touch something."""
    found = set()
    for agent in workload.agents:
        running, sent = agent.program(), None
        for _ in range(20):
            try:
                call = running.send(sent).call
            except StopIteration:
                break
            found |= {call.tool} if touches(workload.tools[call.tool].declare(dict(call.args))) else set()
            sent = Result("ok", ())
    return found


def unread(workload: Workload, seed: int) -> Fault:
    """Notices are delivered and not consumed."""
    return Fault(workload=workload, protocol=Twisted(twist=partial(_overlook, seed)))


def _overlook(seed: int, what: Effect) -> Effect | None:
    match what:
        case Deliver(agent=agent, notices=notices):
            kept = tuple(one for one in notices if drawn("unread", (seed, agent, one.op, one.cause)) >= RATE)
            return replace(what, notices=kept) if kept else None
    return what


# A3: a notice that is misjudged


def kept(workload: Workload, seed: int) -> Fault:
    """Notices are consumed and judged to change nothing."""
    return Fault(workload=workload, judge=Judge(miss=RATE))


def misread(workload: Workload, seed: int) -> Fault:
    """Notices are consumed and revised by, with another value than they hold."""
    return Fault(workload=workload, protocol=Twisted(twist=partial(_misread, seed)))


def _misread(seed: int, what: Effect) -> Effect:
    match what:
        case Deliver(agent=agent, notices=notices):
            struck = [drawn("misread", (seed, agent, one.op, one.cause)) < RATE for one in notices]
            changed = tuple(_with_other(one) if hit else one for one, hit in zip(notices, struck, strict=True))
            return replace(what, notices=changed)
    return what


def _with_other(notice: Notice) -> Notice:
    if notice.result is None or notice.result.status != "ok":
        return notice
    return replace(notice, result=Result("ok", other(notice.result.value)))


def other(value: Value) -> Value:
    """Another value of the same kind."""
    match value:
        case bool() | None:
            return not value
        case int():
            return value + 1
        case str():
            return value + "?"
        case _:
            return value[:-1] if value else (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twisted:
    """MTPO, its effects twisted on their way to the world (None: lost)."""

    twist: Callable[[Effect], Effect | None]
    inner: Mtpo = Mtpo()
    name: str = "mtpo"
    promises: str = "declared"

    def start(self) -> object:
        """An empty run."""
        return self.inner.start()

    def step(self, run: object, event: Event) -> tuple[object, tuple[Effect, ...]]:
        """The engine's own step, its effects twisted."""
        run, effects = self.inner.step(run, event)
        twisted = (self.twist(one) for one in effects)
        return run, tuple(one for one in twisted if one is not None)


# inverse: an undo that does not restore


def undo_leaves(workload: Workload, seed: int) -> Fault:
    """Undoing leaves the store as it is."""
    return Fault(workload=workload, tamper=partial(_unrestored, seed, lambda entry, there: there))


def undo_garbles(workload: Workload, seed: int) -> Fault:
    """Undoing puts another value back."""
    return Fault(
        workload=workload, tamper=partial(_unrestored, seed, lambda entry, there: (_garbled(entry[0]), entry[1]))
    )


def capture_garbles(workload: Workload, seed: int) -> Fault:
    """Preparing captures another value than there is."""
    return Fault(workload=workload, tamper=partial(_miscaptured, seed))


def _garbled(cell: Cell) -> Cell:
    return (other(cell[0]),) if cell else (0,)


def _unrestored(seed: int, how: Callable, before: World, choice: Choice, after: World) -> World:
    struck = choice.act == "undo" and drawn("undo", (seed, choice.name)) < RATE
    cells = after.live.cells
    for path, entry in before.live.captured.get(choice.name, ()) if struck else ():
        cells = cells.set(path, how(entry, before.live.cells.get(path, ((), None))))
    return replace(after, live=replace(after.live, cells=cells))


def _miscaptured(seed: int, before: World, choice: Choice, after: World) -> World:
    wrote = after.live.captured.get(choice.name, ()) if choice.act in ("exec", "redo") else ()
    if not wrote or drawn("capture", (seed, choice.name)) >= RATE:
        return after
    wrong = tuple((path, (_garbled(cell), writer)) for path, (cell, writer) in wrote)
    recorder = before.recorder
    for record in after.recorder.since(before.recorder):
        if record["event"] == "prepare":
            captured = {path: {"value": cell[0], "writer": writer} for path, (cell, writer) in wrong}
            record = {**record, "captured": captured}
        recorder = Recorder(recorder, record, recorder.count + 1)
    live = replace(after.live, captured=after.live.captured.set(choice.name, wrong))
    return replace(after, live=live, recorder=recorder)


# protocol: a rule that is not followed


def broken_rule(workload: Workload, seed: int) -> Fault:
    """MTPO with one of its rules left out or bent."""
    rule = BROKEN[int(drawn("rule", seed) * len(BROKEN))]
    return Fault(workload=workload, protocol=rule, most_steps=600)


KINDS: Mapping[str, tuple[str, tuple[Callable[[Workload, int], Fault], ...]]] = {
    "an agent fails alone": ("A1", (endless, halfway)),
    "an effect is not declared": ("A2", (hidden_reads, hidden_writes)),
    "a notice is not consumed": ("A2", (unread,)),
    "a notice is judged to change nothing": ("A3", (kept,)),
    "a notice is revised by wrongly": ("A3", (misread,)),
    "an inverse does not restore": ("inverse", (undo_leaves, undo_garbles, capture_garbles)),
    "a rule is not followed": ("protocol", (broken_rule,)),
}
"""By kind of fault: the assumption that it breaks, and the ways of breaking it."""
