# %% [markdown]
# # Your own protocol: how do you find out that a rule of yours is wrong, and that its repair is right?
#
# A protocol is a value with `name`, `promises` (`any`: as in some serial order), `emits`, `start()` and
# `step(run, event)`, a pure function that gives the next run and the effects it asks for. Let us invent one.

# %%
import sys

import polars as pl

from coagent import Setting, from_scenario
from coagent.explore import explore
from coagent.naming import protocol
from coagent.notebook import view
from coagent.testing import Budget, check_protocol

pl.Config(
    fmt_str_lengths=90,
    tbl_hide_column_data_types=True,
    tbl_hide_dataframe_shape=True,
    tbl_rows=40,
)
sys.path.insert(0, ".")
SEED = 0
BUDGET = Budget(name="notebook", states=400, examples=0, schedules=0, runs=4)

# %% [markdown]
# ## First try: what I have written is mine
#
# Reading harms nobody, so only writers wait: a call waits while somebody else, who is not done yet, has written what it
# writes. The next cell is saved as a file beside this notebook.

# %%
# %%writefile claims.py
"""Claims: whoever has written something keeps others from writing it until it is done."""

from dataclasses import dataclass

from coagent.effect import Park, Release, Start
from coagent.event import Finished, Inferring, Invoked, Launched, Performed
from coagent.protocols.naive import answered, refuse_repair
from coagent.protocols.run import CALLS, WAITS, Phase, Run, Standing, Turn, check_legal


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """A call waits while somebody else, who is not done, has written what it writes."""

    name: str = "claims"
    promises: str = "any"
    emits: frozenset[str] = CALLS | WAITS
    anonymous = True  # what operations are called decides nothing

    def start(self):
        return Run(
            extra=()
        )  # the names of the operations that ask to go ahead, in order of arrival

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
                turn.extra += (turn.place(event).name,)
            case Finished():
                self.let_go(turn, event.agent)
                turn.commit(event.agent)
            case Performed():
                answered(turn, event)
            case _:
                refuse_repair(event)
        self.admit(turn)
        return turn.result()

    def in_the_way(self, turn, op):
        """The agents for whom this operation has to wait."""
        return {other.agent for other in turn.writing(op.writes)} - {op.agent}

    def admit(self, turn):
        """Let go ahead what nobody stands in the way of, and let the rest wait."""
        for name in turn.extra:
            if name not in turn.extra:
                continue
            waits, op = self.in_the_way(turn, turn.ops[name]), turn.ops[name]
            if waits and op.standing is not Standing.PARKED:
                turn.set_op(name, standing=Standing.PARKED)
                turn.set_agent(op.agent, phase=Phase.PARKED)
                turn.emit(Park(agent=op.agent, op=name))
            elif not waits:
                turn.extra = tuple(other for other in turn.extra if other != name)
                if op.standing is Standing.PARKED:
                    op = turn.set_op(name, standing=Standing.FLYING)
                    turn.set_agent(op.agent, phase=Phase.WAITING)
                    turn.emit(Release(agent=op.agent, op=name))
                turn.index(op)
                turn.perform(name, "exec")

    def let_go(self, turn, agent):
        """Give up all that an agent has claimed or asked for."""
        for name in turn.agents[agent].ops:
            turn.unindex(turn.ops[name])
        turn.extra = tuple(name for name in turn.extra if turn.ops[name].agent != agent)


# %% [markdown]
# ## Break it
#
# `check_protocol` looks at the contract first (pure steps, no effects but the declared ones), then takes *every*
# schedule of some forty small worlds, and makes the first counterexample as small as it can. (A small budget, so that
# this takes seconds; `coagent test claims.py:Claims` looks further.)

# %%
claims = check_protocol("claims.py:Claims", budget=BUDGET)
print(claims)

# %% [markdown]
# There it is, in a handful of steps: what somebody read was changed before it acted on it. Step through it.

# %%
view(claims)

# %% [markdown]
# ## Repair it
#
# So reading has to count too: a call waits for whoever wrote what it touches, and a write for whoever read what it
# changes. Databases call this two-phase locking.

# %%
# %%writefile locking.py
"""Claims on what is read as well."""

from dataclasses import dataclass

from claims import Claims


@dataclass(frozen=True, slots=True, kw_only=True)
class Locking(Claims):
    """A call waits for whoever has written what it touches or read what it writes."""

    name: str = "locking"

    def in_the_way(self, turn, op):
        touching = (*turn.writing(op.declaration.footprint), *turn.reading(op.writes))
        return {other.agent for other in touching} - {op.agent}


# %%
locking = check_protocol("locking.py:Locking", budget=BUDGET)
print(locking)

# %% [markdown]
# Nothing wrong is done any more; at times nothing is done at all. The two wait for each other, and the run is *stuck*.

# %%
view(locking)

# %% [markdown]
# ## Repair the repair
#
# Waiting in a circle needs somebody who waits for a younger one. So let only the younger wait for the older: when an
# older one meets a younger in its way, the younger is undone and begins again. (Wound-wait; Rosenkrantz, Stearns and
# Lewis, 1978.) What cannot be undone waits until everybody older is done, so that nobody can be wounded after it.

# %%
# %%writefile wounding.py
"""The older one goes first."""

from dataclasses import dataclass

from coagent.protocols.run import CALLS, RESTARTS, WAITS, Phase
from locking import Locking


@dataclass(frozen=True, slots=True, kw_only=True)
class Wounding(Locking):
    """Locking, in which the older undoes the younger in its way, and the younger waits."""

    name: str = "wounding"
    emits: frozenset[str] = CALLS | WAITS | RESTARTS

    def in_the_way(self, turn, op):
        mine = turn.agents[op.agent].rank
        for name in sorted(Locking.in_the_way(self, turn, op)):
            if turn.agents[name].rank > mine:
                self.let_go(turn, name)
                turn.abort(
                    name, f"{op.agent} is older and needs what it has", restarts=5
                )
        waits = Locking.in_the_way(self, turn, op)
        if not op.declaration.recoverable:
            waits |= {
                one.name
                for one in turn.agents.values()
                if one.rank < mine and one.phase is not Phase.DONE
            }
        return waits


# %%
wounding = check_protocol("wounding.py:Wounding", budget=BUDGET)
print(wounding)

# %% [markdown]
# ## The same counterexamples, under all three
#
# What convicted the first two, explored again: every schedule of both worlds.

# %%
rules = ("claims.py:Claims", "locking.py:Locking", "wounding.py:Wounding")
table = []
for title, report in (("convicted claims", claims), ("convicted locking", locking)):
    world = from_scenario(report.witness.scenario)
    for rule in rules:
        found = explore(Setting(workload=world, protocol=protocol(rule), seed=SEED))
        ends = sorted({one.kind for one in found.endings})
        restarts = any(one.gave_up for one in found.endings)
        table.append(
            (title, rule, found.states, len(found.endings), ", ".join(ends), restarts)
        )
pl.DataFrame(
    table,
    schema=["world", "protocol", "states", "ends", "kinds of end", "somebody gave up"],
    orient="row",
)

# %% [markdown]
# ## The answer
#
# By letting every schedule of small worlds be taken, and every end be compared with the programs run one after the
# other: that needs no proof and no luck, and hands back the smallest run that is wrong. A repair is right as far as
# that goes, and the report says how far it went. What wounding costs is another matter: whole attempts.

# %%
assert claims.verdict == "convicted" and claims.witness.kind == "ending"
assert locking.verdict == "convicted" and locking.witness.kind == "stuck"
assert wounding.verdict == "acquitted" and wounding.witness is None
print(
    *(
        f"{one.protocol}: {one.verdict}, {one.states:,} states"
        for one in (claims, locking, wounding)
    ),
    sep="\n",
)
