"""Fork and merge: every attempt works on a fork of the live state, and its fork is merged three-way when it finishes.

The rule in one sentence: who finishes merges, and who meets a conflict there begins again from a fresh fork. The cost
in one sentence: a conflict throws a whole run away, inference included, and a clean merge promises nothing, because
what the fork's owner had read is not looked at (write skew and phantoms go through). This is what teams of coding
agents do with worktrees and `git merge`.

A call that cannot be undone cannot be forked either: what it does happens outside, once, and at once. So it acts on the
live state when it comes, sees there what others have merged and not what its own fork holds, and its fork takes over
the cells that it leaves. It stays when the attempt is thrown away, and the next attempt may repeat it. (To keep it
back until the merge would be kinder than the tools are: its result is wanted before, and no mail server holds mail
for a merge.)
"""

from dataclasses import dataclass

from coagent.effect import Effect, Fork, Merge, Perform, Start
from coagent.event import Died, Event, Finished, Inferring, Invoked, Launched, Merged, Performed, Retracted
from coagent.protocols.naive import answered, refuse_repair
from coagent.protocols.run import CALLS, FORKS, RESTARTS, Phase, Run, Standing, Turn, check_legal


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkMerge:
    """The protocol; `restarts` is how often an agent may begin again before it gives up."""

    name: str = "fork-merge"
    restarts: int = 5
    promises: str = "any"
    emits: frozenset[str] = CALLS | RESTARTS | FORKS
    anonymous = True
    symmetric = True

    def start(self) -> Run:
        """An empty run."""
        return Run()

    def private(self, run: Run, what: Perform | Merge | Event) -> bool:
        """What an agent does on its own fork, up to the merge; a fork is taken when a merge fails, so that the time of
        everything that changes the live state matters."""
        match what:
            case Perform():
                return what.place is not None
            case Invoked():
                return what.declaration.recoverable
            case Finished():
                return not _forked_writes(run, what.agent)
        return False

    def step(self, run: Run, event: Event) -> tuple[Run, tuple[Effect, ...]]:
        """One event: the new run and the effects."""
        check_legal(run, event)
        turn = Turn(run)
        match event:
            case Launched():
                turn.launch(event.agent, event.rank)
                turn.emit(Fork(agent=event.agent))
                turn.emit(Start(agent=event.agent))
            case Inferring():
                turn.set_agent(event.agent, phase=Phase.INFERRING)
            case Invoked():
                route = "fork" if event.declaration.recoverable else "live"
                turn.perform(turn.place(event).name, "exec", route=route, fork=event.agent)
            case Finished():
                _finish(turn, event.agent)
            case Died():
                _withdraw(turn, event.agent)
                turn.bury(event.agent)
            case Performed():
                answered(turn, event)
            case Merged():
                self._merged(turn, event)
            case Retracted():
                refuse_repair(event)
        return turn.result()

    def _merged(self, turn: Turn, event: Merged) -> None:
        if not event.conflicts:
            turn.commit(event.agent)
            return
        _withdraw(turn, event.agent)
        if turn.again(event.agent, f"merge conflict at {', '.join(event.conflicts)}", self.restarts):
            turn.emit(Fork(agent=event.agent))


def _finish(turn: Turn, agent: str) -> None:
    """Merge what the fork holds; one that nothing was written on needs no merge."""
    paths = _forked_writes(turn, agent)
    if paths:
        turn.set_agent(agent, phase=Phase.MERGING)
        turn.emit(Merge(agent=agent, reads=paths, writes=paths))
    else:
        turn.commit(agent)


def _withdraw(turn: Turn, agent: str) -> None:
    """Throw away what an attempt did on its fork."""
    for name in turn.agents[agent].ops:
        turn.set_op(name, standing=Standing.REMOVED)


def _forked_writes(run: Run | Turn, agent: str) -> tuple[str, ...]:
    """The paths that an attempt's calls on its fork declared to write, sorted."""
    ops = [run.ops[name] for name in run.agents[agent].ops]
    return tuple(sorted({path for op in ops if op.declaration.recoverable for path in op.writes}))
