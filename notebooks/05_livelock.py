# %% [markdown]
# # Livelock: why do notices need an order?
#
# Telling whoever is concerned sounds enough: every write is announced to all who have read what it changes, and they
# correct themselves. No locks, no aborts. Here is why that alone does not end.

# %%
import polars as pl

from coagent import Setting, protocol
from coagent.exploring import explored
from coagent.notebook import view
from coagent.running import run
from coagent.simulate import Clock, simulate
from coagent.telling import told
from workloads import workload

pl.Config(
    fmt_str_lengths=90,
    tbl_hide_column_data_types=True,
    tbl_hide_dataframe_shape=True,
    tbl_rows=40,
)
SEED = 0

# %% [markdown]
# ## Half of the other
#
# A sets x to half of y, and B sets y to half of x. (A value here counts how often 1 has been halved.) Each correction
# changes what the other one has read, so each is news for the other, for ever. We stop it after 60 choices.

# %%
HALVES = workload("livelock")
both_ways = Setting(workload=HALVES, protocol=protocol("broadcast"), seed=SEED)
endless = simulate(both_ways, Clock(HALVES.cost.tool_s), max_steps=60)
told(endless.history, "result", "notify", "judge").head(24)

# %%
view(endless)

# %% [markdown]
# The two have agreed on nothing, and their values run away:

# %%
print(
    "quiescent:",
    endless.quiescent,
    "after",
    round(endless.seconds),
    "simulated seconds;",
    dict(endless.final_state),
)

# %% [markdown]
# ## Not bad luck, a cycle
#
# One might hope for a lucky schedule. So let the values come round (0, 1, 2 and 0 again): now the world is finite and
# all of it can be searched for a way that leads back to where it was, leaving no choice waiting for ever.

# %%
ROUND = workload("livelock-finite")
found = explored(ROUND, protocol("broadcast"))
print(f"{found.exploration.states} states, {len(found.endings)} ends")
print(*found.round_told(), sep="\n")

# %% [markdown]
# Not one of the states is an end: under broadcast, no schedule at all lets these two finish. Step twice round:

# %%
view(found.worst)

# %% [markdown]
# ## With ranks
#
# Let notices go only upward, from lower ranks to higher ones. B hears of A's write; A never hears of B's, because its
# read is served as of its own place in the order. The chain of corrections climbs and has to stop at the top.

# %%
ranked = explored(ROUND, protocol("mtpo"))
print(
    f"{ranked.exploration.states} states, {len(ranked.endings)} end:",
    ranked.endings[0].ending.final_state,
)
print("notices are sent on some schedule:", ranked.exploration.notified)

# %%
settled = run(HALVES, protocol("mtpo"), seed=SEED)
view(settled)

# %% [markdown]
# ## Where there is no ring
#
# Broadcast is not always lost. B relies on z here, which nobody changes, and it ends. It is the ring that kills it, and
# rings are common: two handovers, three agents that want one slot. A bound on steps stands in for patience.

# %%
plain = explored(workload("livelock-innocent"), protocol("broadcast"))
print(
    f"without the ring: {plain.exploration.states} states, {len(plain.endings)} end(s)"
)
rows = [
    {
        "workload": name,
        "protocol": rule,
        "ends within 600 choices": (
            one := simulate(
                Setting(workload=workload(name, agents=3), protocol=protocol(rule)),
                Clock(0.1),
                max_steps=600,
            )
        ).quiescent,
        "notices": sum(1 for _ in one.history.of("notify")),
    }
    for name in ("disjoint", "slots", "ring", "pushes")
    for rule in ("broadcast", "mtpo")
]
pl.DataFrame(rows)

# %% [markdown]
# ## The answer
#
# Because two corrections can each invalidate the other, and then nothing ends. In an order, the lowest agent is never
# corrected, the next only by it, and so on: repairs climb, at most one rank at a time, and the top one is the last.

# %%
assert (
    not endless.quiescent and not found.endings and found.exploration.cycle is not None
)
assert (
    ranked.exploration.complete
    and ranked.exploration.cycle is None
    and len(ranked.endings) == 1
)
assert (
    settled.outcome.quiescent
    and len(plain.endings) == 1
    and plain.exploration.cycle is None
)
print(
    "after",
    len(list(settled.outcome.history.of("notify"))),
    "notice:",
    dict(settled.outcome.final_state),
)
