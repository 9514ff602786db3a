# %% [markdown]
# # A3 and beyond: what if agents misjudge their notices, and what if there are many of them?
#
# That a run comes out right rests on assumptions. A3 says: an agent that is told what has changed sees whether that
# matters, and redoes what it must. A model will sometimes fail at that. And two agents are not a team.

# %%
import polars as pl

from coagent import Setting, protocol
from coagent.judge import Judge
from coagent.notebook import view
from coagent.simulate import Clock, simulate
from coagent.stepper import verdict
from coagent.sweep import cases, swept
from coagent.trial import Case, setting, trial
from workloads import workload

pl.Config(
    fmt_str_lengths=110,
    tbl_hide_column_data_types=True,
    tbl_hide_dataframe_shape=True,
    tbl_rows=40,
)
SEED = 1
TRIALS = 10

# %% [markdown]
# ## One misjudged notice
#
# A judge that overlooks every notice: B is told that the image has changed, and lets its canary stand.

# %%
CANARY = workload("k2-canary")
blind = simulate(
    Setting(workload=CANARY, protocol=protocol("mtpo"), seed=0, judge=Judge(miss=1.0)),
    Clock(CANARY.cost.tool_s),
)
print(*verdict(blind).sentences(), sep="\n")
view(blind)

# %% [markdown]
# The verdict does not blame the protocol: it says *A3*, and which notice was misjudged. Who looks after a team of
# agents wants to know just that: whether to mend the rule or the model.

# %% [markdown]
# ## How much it takes
#
# A sweep is a table with a row for each trial. Error rates are per notice; everything is simulated and seeded, and the
# same seed meets the same errors under every protocol. (A small sweep; `coagent sweep` makes large ones.)

# %%
grid = cases(
    ["k2-canary", "k3-flag"],
    ["mtpo"],
    trials=TRIALS,
    seed=SEED,
    miss=[0.0, 0.1, 0.3, 1.0],
)
errors = swept(grid, workers=1, executor="thread")
errors.group_by("workload", "miss", maintain_order=True).agg(
    pl.len().alias("trials"),
    (100 * pl.col("passes").mean()).round(0).alias("passes, %"),
    pl.col("notifications").sum().alias("notices"),
    (100 * (pl.col("verdict") == "violated").mean())
    .round(0)
    .alias("judged violated, %"),
)

# %% [markdown]
# Overlooking leaves something wrong behind. The other error, redoing what needed no repair, costs tokens and breaks
# nothing. It needs notices of no use, which only the papers' own test (any overlap of footprints) sends here:

# %%
grid = cases(
    ["k2-canary"],
    ["mtpo-footprint"],
    trials=TRIALS,
    seed=SEED,
    over=[0.0, 0.3, 1.0],
    irrelevant=[True],
)
eager = swept(grid, workers=1, executor="thread")
eager.group_by("over", maintain_order=True).agg(
    (100 * pl.col("passes").mean()).round(0).alias("passes, %"),
    pl.col("seconds").mean().round(1).alias("seconds (simulated)"),
    pl.col("tokens").mean().round(0).alias("tokens (simulated)"),
)

# %% [markdown]
# ## Many agents
#
# N agents each book the first free slot of one day. One after the other takes N times as long; without coordination
# they all book the same slot; locks and validation begin again and again, until somebody gives up.

# %%
grid = cases(
    ["slots"],
    ["serial", "naive", "2pl", "occ", "mtpo"],
    trials=2,
    seed=SEED,
    agents=[2, 4, 8],
    check_every=100,
)
many = swept(grid, workers=1, executor="thread")
many.group_by("agents", "protocol", maintain_order=True).agg(
    (100 * pl.col("passes").mean()).round(0).alias("passes, %"),
    pl.col("seconds").mean().round(1).alias("seconds (simulated)"),
    pl.col("tokens").mean().round(0).alias("tokens (simulated)"),
    pl.col("notifications").mean().round(1).alias("notices"),
    pl.col("restarts").mean().round(1).alias("restarts"),
)

# %% [markdown]
# On one hot object, notices grow with the square of N: each who books tells all above it. Eight agents under MTPO:

# %%
case = Case(workload="slots", protocol="mtpo", seed=SEED, agents=8)
crowded = setting(case)
view(simulate(crowded, Clock(crowded.workload.cost.tool_s)))

# %% [markdown]
# ## Who comes first
#
# The order is fixed at launch, and any order is right; but not all cost the same. In `chain` each agent copies what the
# one before it has made, and the first of them mends what all of them have copied. Compare seconds and tokens:

# %%
orders = ["launch", "shortest-first", "critical-path", "fewest-conflicts", "4,3,2,1"]
ranks = swept(
    cases(["chain"], ["mtpo"], trials=3, seed=SEED, agents=[4], rank=orders),
    workers=1,
    executor="thread",
)
ranks.group_by("rank", maintain_order=True).agg(
    (100 * pl.col("passes").mean()).round(0).alias("passes, %"),
    pl.col("seconds").mean().round(1).alias("seconds (simulated)"),
    pl.col("tokens").mean().round(0).alias("tokens (simulated)"),
    pl.col("notifications").mean().round(1).alias("notices"),
    pl.col("undos").mean().round(1).alias("undos"),
)

# %% [markdown]
# ## The answer
#
# A misjudged notice leaves a wrong result, in proportion to how often it happens, and the checker names it as the
# agent's error and not the protocol's. More agents make more notices, not longer waits; and the choice of the order is
# free for correctness and not for cost.

# %%
assert verdict(blind).blame == "A3"
assert (
    errors.filter(pl.col("miss") == 0.0)["passes"].all()
    and not errors.filter(pl.col("miss") == 1.0)["passes"].all()
)
assert (
    eager["passes"].all()
    and many.filter(pl.col("protocol") == "mtpo")["passes"].all()
    and ranks["passes"].all()
)
print(
    "misjudged at",
    trial(Case(workload="k2-canary", protocol="mtpo", seed=SEED, miss=1.0)).verdict,
    "- blame A3",
)
