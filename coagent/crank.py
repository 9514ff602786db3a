"""Turns the crank of a world once: one choice is taken, the engine hears of it, its effects are carried out.

Works on scratch copies and gives back a new world. The simulated agents' inferences begin here, the
simulated store changes here, and every record of the history is written here.
"""

from typing import TYPE_CHECKING

from coagent import actor, effect, event, inference, performer
from coagent.actor import DIED, Actor, Ask, Entry, Report, TakeBack
from coagent.bad_input import BadInput
from coagent.change import changed
from coagent.operation import Notice, Result
from coagent.program import Failure, report_out
from coagent.recording import args_out, cells_out, invoked_out, outcome_out

if TYPE_CHECKING:
    from coagent.world import Choice, World


def launched(world: "World") -> "World":
    """The world when every agent that does not come late has been launched, and whoever may begin is inferring."""
    step = _Step(world, 0.0)
    for one in world.setting.workload.agents:
        if world.actors[one.name].mode != "absent":
            step.launch(one.name)
    step.wake()
    return step.world()


def taken(world: "World", choice: "Choice", at: float, flight: int | None = None) -> "World":
    """The world after a choice, at a time in seconds. Raises ValueError when it is not among the choices.

    `flight` is the ticket of the effect that completes, when the caller has just seen that it is ready.
    """
    step = _Step(world, at)
    if choice.act == "infer":
        if choice.name not in world.actors or world.actors[choice.name].mode != "inferring":
            raise ValueError(f"{choice.name} is not inferring")
        step.end_inference(choice.name)
    elif choice.act == "launch":
        if (choice, None) not in world.moves():
            raise ValueError(f"{choice.name} is not the next to be launched")
        step.set_actor(choice.name, mode="waiting")
        step.launch(choice.name)
        step.wake()
    elif flight is not None:
        step.complete(flight)
    else:
        found = [ticket for ticket, flight in world.flights.ready() if (flight.act, flight.op) == choice]
        if not found:
            raise ValueError(f"no {choice.act} of {choice.name} may complete now")
        step.complete(found[0])
    return step.world()


class _Step:
    """One taken choice, on a working copy: feeds the engine, carries out its effects, wakes agents."""

    def __init__(self, world: "World", at: float) -> None:
        self.before, self.at, self.setting = world, at, world.setting
        self.run, self.actors, self.live = world.run, world.actors, world.live
        self.flights, self.recorder = world.flights, world.recorder
        self.awake: list[str] = []

    def world(self) -> "World":
        return type(self.before)(
            setting=self.setting,
            run=self.run,
            actors=self.actors,
            live=self.live,
            flights=self.flights,
            recorder=self.recorder,
        )

    def record(self, kind: str, **fields: object) -> None:
        if self.recorder.listens or kind in self.recorder.notes:
            self.recorder = self.recorder.add(kind, self.at, **fields)

    def set_actor(self, name: str, **changes: object) -> Actor:
        one = changed(self.actors[name], changes)
        self.actors = self.actors.set(name, one)
        return one

    def feed(self, what: event.Event) -> tuple[effect.Effect, ...]:
        """Give the engine an event and carry out what it asks for."""
        self.run, effects = self.setting.protocol.step(self.run, what)
        if isinstance(what, event.Finished) and not _holds(effects, what.agent):
            self.record("finish", agent=what.agent, report=report_out(what.report))
            self.set_actor(what.agent, mode="resting", report=what.report)
        for one in effects:
            self.obey(one, what)
        return effects

    def wake(self) -> None:
        """Let everyone who may infer begin."""
        while self.awake:
            name = self.awake.pop(0)
            if self.actors[name].mode == "waiting":
                self.begin_inference(name)

    # agents

    def launch(self, name: str) -> None:
        """An agent joins, above all who are there."""
        rank = (self.actors[name].index + 1,)
        self.record("launch", agent=name, rank=list(rank))
        self.feed(event.Launched(agent=name, rank=rank))

    def begin_inference(self, name: str) -> None:
        """Consume what was delivered, and work out what the inference will come to; unless the agent dies instead."""
        if self.calls_left(name) == 0:
            self.feed(event.Died(agent=name))
            return
        self.record("infer", agent=name, attempt=self.actors[name].attempt)
        self.set_actor(name, mode="inferring", fresh=(), inferences=self.actors[name].inferences + 1)
        self.feed(event.Inferring(agent=name))
        one = self.actors[name]
        workload = self.setting.workload
        spec, cost = workload.agents[one.index], workload.cost
        action = actor.next_action(spec.program, one.log, workload.tools)
        if one.doubts and inference.decision(action) == "keep":
            entry = next((entry for entry in one.log if entry.op == one.doubts[0] and entry.result), None)
            one = self.set_actor(name, doubts=one.doubts[1:])
            if entry:
                declared = actor.declare(workload.tools, entry.call)
                action = Ask(call=entry.call, declaration=declared, think_s=None, decision="rewrite", replaces=entry.op)
        think_s = inference.seconds(one, action, spec, cost, self.setting.draw)
        self.set_actor(name, action=action, think_s=think_s)

    def calls_left(self, name: str) -> int | None:
        one = self.actors[name]
        return inference.calls_left(one, self.setting.workload.agents[one.index])

    def end_inference(self, name: str) -> None:
        """The inference comes to a call, a retraction or the report, unless the gate holds it."""
        one = self.actors[name]
        cost = self.setting.workload.cost
        output = round(one.think_s * cost.output_tokens_per_s)
        self.record(
            "inferred",
            agent=name,
            prompt_tokens=one.context_tokens - one.cached_tokens,
            cached_tokens=one.cached_tokens,
            output_tokens=output,
        )
        again = isinstance(one.action, Report) or (isinstance(one.action, Ask) and one.action.decision == "append")
        one = self.set_actor(
            name,
            mode="waiting",
            held=() if again else one.held,
            cached_tokens=one.context_tokens,
            context_tokens=one.context_tokens + cost.step_tokens,
        )
        if one.fresh:
            self.record("judge", agent=name, ops=list(one.fresh), decision=inference.decision(one.action))
        for op in one.action.drops:
            if _holds(self.feed(event.Retracted(agent=name, op=op, last=False)), name):
                break
            self.record("repair", agent=name, op=op, action="retract")
            self.drop_entry(name, op)
        else:
            self.feed(self.outcome(one))
        self.wake()

    def outcome(self, one: Actor) -> event.Event:
        """The event that an ended inference is to the engine."""
        match one.action:
            case Ask(call=call, declaration=declaration, before=before, replaces=replaces):
                return event.Invoked(
                    agent=one.name,
                    call=call,
                    declaration=declaration,
                    before=before,
                    replaces=replaces,
                )
            case TakeBack(op=op):
                return event.Retracted(agent=one.name, op=op)
            case Report(report=report):
                return event.Finished(agent=one.name, report=report)

    def drop_entry(self, name: str, op: str) -> None:
        self.set_actor(name, log=tuple(entry for entry in self.actors[name].log if entry.op != op))

    # the engine's effects

    def obey(self, what: effect.Effect, cause: event.Event) -> None:
        match what:
            case effect.Perform() | effect.Merge():
                self.launch_flight(what)
            case effect.Fork(agent=agent):
                self.live = performer.forked(self.live, agent)
                self.record("fork", agent=agent, attempt=self.actors[agent].attempt)
            case effect.Place():
                self.placed(what, cause)
            case effect.Reply():
                self.replied(what)
            case effect.Notify(notice=notice):
                self.notified(notice)
            case effect.Deliver():
                self.delivered(what)
            case effect.Hold(agent=agent, call=call):
                shown = {"tool": call.tool, "args": args_out(call)} if call and self.recorder.listens else {}
                self.record("hold", agent=agent, **shown)
                self.set_actor(agent, mode="waiting", held=(call,))
                self.awake.append(agent)
            case effect.Start(agent=agent):
                self.awake.append(agent)
            case effect.Mask():
                self.masked(what, cause)
            case effect.Bury(agent=agent):
                self.record("abort", agent=agent, attempt=self.actors[agent].attempt, because=DIED)
                self.record("give-up", agent=agent, because=DIED)
                self.live = performer.dropped(self.live, agent)
                self.set_actor(agent, mode="done", log=(), held=(), fresh=(), report=Failure(DIED), died=True)
            case effect.Restart() | effect.GiveUp():
                self.restarted(what)
            case effect.Commit(agent=agent):
                self.record("commit", agent=agent)
                self.live = performer.dropped(self.live, agent)
                self.set_actor(agent, mode="done")
            case effect.Park() | effect.Release() | effect.Withdraw():
                self.record(type(what).__name__.lower(), agent=what.agent, op=what.op)
            case effect.Cancel(op=op, by=by):
                self.record("cancel", op=op, by=by)

    def launch_flight(self, what: effect.Perform | effect.Merge) -> None:
        if what.act == "resolve":
            self.flights = self.flights.resolve(what.op)
        else:
            self.flights = self.flights.add(what)

    def placed(self, what: effect.Place, cause: event.Invoked) -> None:
        if not self.recorder.listens:
            self.record("invoke", agent=what.agent, op=what.op)
            return
        self.record("invoke", **invoked_out(what, cause))
        action = self.actors[what.agent].action
        if action.decision in ("rewrite", "insert", "reissue"):
            verb = "insert" if action.decision == "insert" else "rewrite"
            self.record("repair", agent=what.agent, op=what.replaces or what.op, action=verb, by=what.op)

    def replied(self, what: effect.Reply) -> None:
        one = self.actors[what.agent]
        match one.action:
            case TakeBack(op=op) if op == what.op:
                self.record("repair", agent=what.agent, op=op, action="retract")
                self.drop_entry(what.agent, op)
            case Ask(call=call, before=before, replaces=replaces):
                if what.op not in self.live.results:
                    raise BadInput(
                        f"protocol {self.setting.protocol.name!r} replies to {what.agent} about {what.op}, which has "
                        "no result yet; emit Reply when the execution has been Performed"
                    )
                result, saw, route = self.live.results[what.op]
                if self.recorder.listens:
                    self.record("result", op=what.op, agent=what.agent, **outcome_out(result, route, saw))
                entry = Entry(what.op, call, result)
                self.set_actor(what.agent, log=inference.entered(one.log, entry, before, replaces))
            case Report():
                raise BadInput(
                    f"protocol {self.setting.protocol.name!r} replies to {what.agent} about {what.op}, and nothing was "
                    "asked for; emit Reply once for each call"
                )
        self.awake.append(what.agent)

    def notified(self, notice: Notice) -> None:
        cancelled = notice.result is None
        told = outcome_out(notice.result or Result("ok", None), "", notice.saw) if self.recorder.listens else {}
        self.record("notify", agent=notice.agent, op=notice.op, cause=notice.cause, cancelled=cancelled, **told)
        if self.actors[notice.agent].mode == "resting":
            self.set_actor(notice.agent, mode="waiting", held=(None,))
            self.awake.append(notice.agent)

    def delivered(self, what: effect.Deliver) -> None:
        """Put notices into the agent's context; an erring judge overlooks some, or doubts what it need not."""
        one, setting = self.actors[what.agent], self.setting
        self.record("consume", agent=what.agent, ops=[notice.op for notice in what.notices])
        log, doubts = inference.consumed(one, what.notices, setting.judge, setting.draw, setting.workload.tools)
        tokens = one.context_tokens + setting.workload.cost.notice_tokens * len(what.notices)
        fresh = tuple(notice.op for notice in what.notices)
        self.set_actor(what.agent, log=log, doubts=doubts, fresh=fresh, context_tokens=tokens)

    def masked(self, what: effect.Mask, cause: event.Invoked) -> None:
        """A masked write answers without touching the store: a blind result needs nothing but the arguments."""
        self.live, wrote = performer.answer_blind(self.live, what.op, cause.call, self.setting.workload.tools)
        self.record("mask", op=what.op, by=what.by, wrote=cells_out(wrote))

    def restarted(self, what: effect.Restart | effect.GiveUp) -> None:
        one = self.actors[what.agent]
        told = self.setting.workload.cost.notice_tokens
        self.record("abort", agent=what.agent, attempt=one.attempt, because=what.because)
        gone = isinstance(what, effect.GiveUp)
        self.set_actor(
            what.agent,
            attempt=one.attempt + (not gone),
            mode="done" if gone else "waiting",
            log=(),
            held=(),
            fresh=(),
            report=None,
            gave_up=gone,
            context_tokens=one.context_tokens + told,
        )
        if gone:
            self.record("give-up", agent=what.agent, because=what.because)
        else:
            self.awake.append(what.agent)

    # the store

    def complete(self, ticket: int) -> None:
        """An effect completes: the store changes, and the engine hears of it."""
        flight = self.flights.of(ticket)
        lost, live = self.setting.lost, flight.act == "exec" and flight.place is None
        if live and self.calls_left(flight.op.rpartition(".")[0]) == 1:
            lost = {**lost, flight.op: True}
        unknown = live and flight.op in lost
        self.flights = self.flights.lose(ticket) if unknown else self.flights.remove(ticket)
        workload = self.setting.workload
        if isinstance(flight, effect.Merge):
            done = performer.merge(self.live, flight, self.actors[flight.agent].attempt, workload.merge)
        else:
            done = performer.perform(self.live, flight, workload.tools, lost, self.recorder.listens)
        self.live = done.live
        for kind, fields in done.records:
            self.record(kind, **fields)
        self.feed(done.event)
        self.wake()


def _holds(effects: tuple[effect.Effect, ...], agent: str) -> bool:
    """Whether the gate held back what this agent was about to do."""
    return any(isinstance(one, effect.Hold) and one.agent == agent for one in effects)
