"""Protocols that somebody might have written, each with a fault, for the kit to find. It knows none of them."""

from dataclasses import dataclass, replace

from coagent.effect import Reply, Start
from coagent.event import Finished, IllegalEvent, Inferring, Invoked, Launched, Performed
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.naive import Naive, answered
from coagent.protocols.run import CALLS, RESTARTS, Phase, Run, Turn, check_legal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubbly(Mtpo):
    """Does not tell anybody about a change of a value to nothing: an absence is no news."""

    name: str = "bubbly"

    def _tell(self, turn, op, cause, result, saw):
        if result.value is not None:
            Mtpo._tell(self, turn, op, cause, result, saw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetful(Mtpo):
    """Takes an agent that has made three calls to be through with what it read first."""

    name: str = "forgetful"

    def _refresh(self, turn, op, cause, stale):
        agent = turn.agents[op.agent]
        if len(agent.ops) < 3 or agent.ops[0] != op.name:
            Mtpo._refresh(self, turn, op, cause, stale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Naive):
    """Commits nobody who read what is not committed yet, and takes that to be enough."""

    name: str = "checked"
    emits: frozenset[str] = Naive().emits | {"Restart", "GiveUp"}

    def step(self, run, event):
        check_legal(run, event)
        turn = Turn(run)
        match event:
            case Launched():
                turn.launch(event.agent, event.rank)
                turn.emit(Start(agent=event.agent))
            case Inferring():
                turn.set_agent(event.agent, phase=Phase.INFERRING)
            case Invoked():
                op = turn.place(event)
                turn.index(op)
                turn.perform(op.name, "exec")
            case Performed():
                answered(turn, event)
            case Finished():
                self.validate(turn, event.agent)
        return turn.result()

    def validate(self, turn, name):
        dirty = any(
            other.agent != name and turn.agents[other.agent].phase is not Phase.DONE
            for mine in turn.agents[name].ops
            for other in turn.writing(turn.ops[mine].reads)
        )
        if dirty:
            turn.abort(name, "it read what may yet be undone", 3)
        else:
            turn.commit(name)


PLANTED = (Bubbly(), Forgetful(), Checked())


@dataclass(frozen=True, slots=True, kw_only=True)
class Starting(Naive):
    """Lets everybody begin again who has come to an end."""

    name: str = "starting"
    emits: frozenset[str] = CALLS | RESTARTS

    def step(self, run, event):
        if not isinstance(event, Finished):
            return Naive.step(self, run, event)
        check_legal(run, event)
        turn = Turn(run)
        turn.abort(event.agent, "once more", 1_000_000)
        return turn.result()


# what is no protocol


class Remembering:
    """Keeps who has finished in itself, and in the run a copy of that."""

    name, promises = "remembering", "any"

    def __init__(self):
        self.seen = set()

    def start(self):
        return Run()

    def step(self, run, event):
        after, effects = Naive().step(run, event)
        if isinstance(event, Finished):
            self.seen.add(event.agent)
        return replace(after, extra=tuple(sorted(self.seen))), effects


class Fickle(Remembering):
    """Answers every second time without effects."""

    name = "fickle"

    def __init__(self):
        self.steps = 0

    def step(self, run, event):
        self.steps += 1
        after, effects = Naive().step(run, event)
        return after, effects if self.steps % 2 else ()


class Mutable(Remembering):
    """Has a dictionary for a run."""

    name = "mutable"

    def start(self):
        return {}


class Loud(Remembering):
    """Tells the world about it in words."""

    name = "loud"

    def step(self, run, event):
        after, effects = Naive().step(run, event)
        return after, (*effects, "done")


class Overreaching(Remembering):
    """Emits what its table does not have."""

    name = "overreaching"
    emits = frozenset({"Start", "Place", "Perform", "Reply"})

    def step(self, run, event):
        return Naive().step(run, event)


class Listing(Remembering):
    """Returns its effects as a list."""

    name = "listing"

    def step(self, run, event):
        after, effects = Naive().step(run, event)
        return after, list(effects)


class Failing(Remembering):
    """Divides by zero when somebody finishes."""

    name = "failing"

    def step(self, run, event):
        return Naive().step(run, event) if not isinstance(event, Finished) else 1 / 0


class Leaving(Remembering):
    """Ends the whole process."""

    name = "leaving"

    def step(self, run, event):
        raise SystemExit(7)


class InVain(Naive):
    """Promises the pre-order, in a way that a dataclass does not hear."""

    promises = "declared"


class Idle(Naive):
    """Does nothing at all."""

    def step(self, run, event):
        return run, ()


class Hasty(Remembering):
    """Answers before there is an answer."""

    name = "hasty"

    def step(self, run, event):
        after, effects = Naive().step(run, event)
        return after, (*effects, Reply(agent=event.agent, op="A.1")) if isinstance(event, Invoked) else effects


class Identical(Remembering):
    """Changes one and the same object from step to step."""

    name = "identical"

    class Kept:
        run = Run()

    def start(self):
        return self.Kept()

    def step(self, run, event):
        run.run, effects = Naive().step(run.run, event)
        return run, effects


class Chatty(Remembering):
    """Answers once more when its agent has come to its report."""

    name = "chatty"

    def step(self, run, event):
        after, effects = Naive().step(run, event)
        return after, (*effects, Reply(agent=event.agent, op="A.1")) if isinstance(event, Finished) else effects


class Trusting(Naive):
    """Takes every event as it comes."""

    def step(self, run, event):
        try:
            return super().step(run, event)
        except IllegalEvent:
            return run, ()
