# %% [markdown]
# # One conflict: what can happen when two agents update one value?
#
# A takes three apples from a stock of ten and B takes two. Each reads the stock, thinks, and writes back what is left.
# Ten less five is five; but thinking takes time, and somebody else may act meanwhile.

# %%
import polars as pl

from coagent import Setting, follow, protocol, verdict
from coagent.explore import explore
from coagent.notebook import view
from coagent.state_graph import state_graph
from workloads import workload

pl.Config(tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True)
SEED = 0
STOCK = workload("lost-update")
NAIVE = Setting(workload=STOCK, protocol=protocol("naive"), seed=SEED)
MTPO = Setting(workload=STOCK, protocol=protocol("mtpo"), seed=SEED)

# %% [markdown]
# ## Everything that can happen
#
# First without any coordination. The world is small enough to draw whole: a dot for each state, an arrow for each
# choice that somebody else (a clock, chance, you) makes between the two agents. Point at an arrow to read it.

# %%
state_graph(NAIVE)

# %% [markdown]
# Three ways to end, and only one of them is right. A *schedule* is the list of choices that leads there: small
# numbers, each the place of a choice among those that were open. Any end can be visited again by its schedule.

# %%
naive = explore(NAIVE)
pl.DataFrame(
    {
        "apples": [ending.final_state["stock/apples"] for ending in naive.endings],
        "schedule": [str(ending.schedule) for ending in naive.endings],
    }
)

# %% [markdown]
# ## One of the wrong ones, step by step
#
# Go along the second schedule: click into the view, then use the arrow keys. Both agents read ten before either has
# written, so each writes what would have been right had it been alone.

# %%
lost = follow(NAIVE, naive.endings[1].schedule)
view(lost)

# %% [markdown]
# The checker saw nothing but the recorded history, and says why no serial order explains it: each of the two would
# have to come before the other.

# %%
print(*verdict(lost).sentences(), sep="\n")

# %% [markdown]
# ## The same under MTPO
#
# Now the order is agreed before anybody starts: A, then B. Nobody waits; but when A's write lands after B has
# read, B is told (the thick red arrows), and repairs the one write that depended on it. More states, one outcome.

# %%
state_graph(MTPO)

# %% [markdown]
# Step through a run in which both have read before A writes, and look for the notice (press `n`).

# %%
repaired = follow(MTPO, naive.endings[1].schedule[:4])
view(repaired)

# %% [markdown]
# ## The answer
#
# Without coordination the stock ends at 5, 7 or 8, as the schedule has it. Under MTPO it ends at 5 whatever the
# schedule, because the agent whose premise changed was told, and repaired just what depended on it.

# %%
mtpo = explore(MTPO)
assert sorted(ending.final_state["stock/apples"] for ending in naive.endings) == [
    5,
    7,
    8,
]
assert [ending.final_state["stock/apples"] for ending in mtpo.endings] == [5]
print(
    f"naive: {naive.states} states, {len(naive.endings)} outcomes;",
    f"mtpo: {mtpo.states} states, one outcome",
)
print(*verdict(repaired).sentences(), sep="\n")
