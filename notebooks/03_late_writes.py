# %% [markdown]
# # Late writes: what becomes of a write that should have come first and lands last?
#
# The order is agreed, but nobody waits for it. A slow agent of a low rank will write below others that have long
# acted, and what they did may stand on what it now changes.

# %%
import json

import polars as pl

from coagent import from_scenario, load_scenario, protocol
from coagent.notebook import view
from coagent.running import run
from coagent.telling import told

pl.Config(
    fmt_str_lengths=90,
    tbl_hide_column_data_types=True,
    tbl_hide_dataframe_shape=True,
    tbl_rows=30,
)
SEED = 0

# %% [markdown]
# A sets x to 1, after eight seconds of thinking. B has added 5 to it after two. In the order A, B the end is 6.

# %%
LATE = {
    "name": "set it, then add to it",
    "state": {"x": 10},
    "agents": [
        {"name": "A", "steps": [{"put": "x", "value": "1", "think_s": 8}]},
        {
            "name": "B",
            "steps": [
                {"add": "x", "by": "5", "as": "total", "think_s": 2},
                {"report": "total"},
            ],
        },
    ],
}
late = from_scenario(load_scenario(json.dumps(LATE), "this cell"))

# %% [markdown]
# ## Undo, apply, redo
#
# B's addition is undone with what was captured before it, A's write is applied, and the addition is done again. No
# model is asked for that. But B was told 15, and a returned result is a premise like any other: so B is told.

# %%
replayed = run(late, protocol("mtpo"), seed=SEED)
told(replayed.outcome.history)

# %% [markdown]
# Step to the undo (press `u`) and compare the two orders of x: that in which things were applied, and the serial one.

# %%
view(replayed)

# %% [markdown]
# ## Or ask again
#
# The other policy cancels what lies above and leaves it to its author to reissue it, with arguments worked out anew.
# The end is the same, for one more inference.

# %%
reissued = run(late, protocol("mtpo-reissue"), seed=SEED)
pl.DataFrame(
    [
        {
            "policy": name,
            "x": one.outcome.final_state["x"],
            "inferences": one.counts.inferences,
            "tokens": one.counts.tokens,
        }
        for name, one in (("replay", replayed), ("reissue", reissued))
    ]
)

# %% [markdown]
# ## A write that nobody would see
#
# If the later agent had *set* x and not added to it, the late write would be covered at once. Then the live state need
# not be touched: the write enters the order, and is kept back. (Databases know this as the Thomas write rule.)

# %%
COVERED = {**LATE, "name": "set it, then set it again"}
COVERED["agents"] = [
    LATE["agents"][0],
    {"name": "B", "steps": [{"put": "x", "value": "5", "think_s": 2}]},
]
covered = run(
    from_scenario(load_scenario(json.dumps(COVERED), "this cell")),
    protocol("mtpo"),
    seed=SEED,
)
told(covered.outcome.history)

# %% [markdown]
# ## A chain
#
# B copies x to y, C copies y to z, and only then A writes x. A's write conflicts with B's call alone; but C's call
# stands on B's. What has to be undone is closed over conflict: whoever conflicts with what is undone is undone too.

# %%
CHAIN = {
    "name": "a chain of copies",
    "state": {"x": 1, "y": 1, "z": 1},
    "agents": [
        {"name": "A", "steps": [{"put": "x", "value": "100", "think_s": 20}]},
        {"name": "B", "steps": [{"copy": "x", "to": "y", "think_s": 2}]},
        {
            "name": "C",
            "steps": [
                {"copy": "y", "to": "z", "as": "got", "think_s": 6},
                {"report": "got"},
            ],
        },
    ],
}
chain = from_scenario(load_scenario(json.dumps(CHAIN), "this cell"))
whole = run(chain, protocol("mtpo"), seed=SEED)
told(whole.outcome.history, "result", "undo", "redo", "notify", "judge")

# %% [markdown]
# Undone from the top, redone from the bottom. The variant that stops at what A's write itself touches leaves z behind:

# %%
short = run(chain, protocol("mtpo-without-transitive-closure"), seed=SEED)
print(*short.verdict.sentences(), sep="\n")
view(whole, short)

# %% [markdown]
# ## The answer
#
# It is slotted in at its own place: what conflicts with it above, and all that stands on that, is undone from the top,
# the write is applied, and the rest is redone in order or handed back to its authors. Who was told something else in
# the meantime is told the news. A write that is covered already is only entered in the order.

# %%
assert replayed.outcome.final_state["x"] == reissued.outcome.final_state["x"] == 6
assert covered.outcome.final_state["x"] == 5 and covered.counts.undos == 0
assert set(whole.outcome.final_state.values()) == {100} and whole.counts.undos == 2
assert short.outcome.final_state["z"] == 1 and short.verdict.blame == "protocol"
print(*whole.verdict.sentences(), sep="\n")
