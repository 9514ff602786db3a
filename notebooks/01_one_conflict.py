# %% [markdown]
# # One conflict: what can happen when two agents update one value?
#
# A takes three apples from a stock of ten and B takes two. Each reads the stock and writes back what is left.
# Run the cells in order; nothing here is random.

# %%
from coagent import Setting, Stepper, follow, protocol, verdict
from coagent.explore import explore
from workloads import workload

SEED = 0
STOCK = workload("lost-update")
NAIVE = Setting(workload=STOCK, protocol=protocol("naive"), seed=SEED)
MTPO = Setting(workload=STOCK, protocol=protocol("mtpo"), seed=SEED)

# %% [markdown]
# Without coordination, every schedule of the two agents' calls. Three ways to end; only 5 is right.

# %%
naive = explore(NAIVE)
for ending in naive.endings:
    print(ending.final_state, "by the schedule", ending.schedule)

# %% [markdown]
# Along the second schedule, what would a checker say that sees nothing but the recorded history?

# %%
lost = follow(NAIVE, naive.endings[1].schedule)
print(*verdict(lost).sentences(), sep="\n")

# %% [markdown]
# Under MTPO the order is fixed before anybody starts: A before B. Again every schedule.

# %%
mtpo = explore(MTPO)
print(mtpo.states, "states,", len(mtpo.endings), "ending:", mtpo.endings[0].final_state)

# %% [markdown]
# Step through one of them by hand: both have read the stock when A's write lands, so B's premise is stale.

# %%
stepper = Stepper(MTPO)
while stepper.choices():
    for record in stepper.take(0):
        if record["event"] in ("result", "notify", "hold", "judge", "repair", "undo", "commit"):
            shown = {key: record[key] for key in ("agent", "op", "value", "decision", "by") if key in record}
            print(f"{record['event']:8}", shown)

# %% [markdown]
# The answer: without coordination the stock ends at 5, 7 or 8, as chance has it. Under MTPO it ends at 5, whatever
# the schedule, because the agent whose premise changed was told and repaired the one write that depended on it.

# %%
print(*stepper.verdict().sentences(), sep="\n")
assert [ending.final_state for ending in mtpo.endings] == [{"stock/apples": 5}]
assert sorted(ending.final_state["stock/apples"] for ending in naive.endings) == [5, 7, 8]
