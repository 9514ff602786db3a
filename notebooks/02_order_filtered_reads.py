# %% [markdown]
# # Order-filtered reads: what does an agent see when somebody of a higher rank has already written?
#
# Writes land in place at once: there is one live state and nobody works on a copy. So an agent that is slow may come
# to read a value that belongs to its future, written by an agent that comes after it in the agreed order.

# %%
import json

import polars as pl

from coagent import from_scenario, load_scenario, protocol
from coagent.notebook import view
from coagent.protocols.mtpo import Mtpo
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
# A makes a quote of three pieces, and thinks for eight seconds before it looks at the price. B, who comes second,
# raises the price from 10 to 12 after two seconds.

# %%
QUOTE = {
    "name": "a quote and a price",
    "state": {"price": 10},
    "agents": [
        {
            "name": "A",
            "steps": [
                {"get": "price", "as": "p", "think_s": 8},
                {"put": "quote", "value": "3 * p"},
                {"report": "p"},
            ],
        },
        {"name": "B", "steps": [{"put": "price", "value": "12", "think_s": 2}]},
    ],
}
quote = from_scenario(load_scenario(json.dumps(QUOTE), "this cell"))

# %% [markdown]
# ## Two readers of one cell
#
# B's write is there when A reads. A serial run in the order A, B would have shown A the price of before.

# %%
filtered = run(quote, protocol("mtpo"), seed=SEED)
told(filtered.outcome.history, "result")

# %% [markdown]
# A read 10 although the cell held 12: the read was served *as of its place in the order*. Step to A's read and look at
# the table of objects: beside the live value it says what each agent would read at that moment.

# %%
view(filtered)

# %% [markdown]
# ## Where the old value comes from
#
# Nothing was copied beforehand. Before a write is carried out, what it replaces is captured, for its own undo; the
# lowest write above the reader has therefore kept exactly what the reader needs. The history notes the route.

# %%
pl.DataFrame(
    [
        {
            "op": one["op"],
            "agent": one["agent"],
            "value": str(one["value"]),
            "route": one["route"],
        }
        for one in filtered.outcome.history.of("result")
    ]
)

# %% [markdown]
# ## Without the filter
#
# A variant of the protocol leaves this one rule out. Same agents, same think times.

# %%
unfiltered = run(quote, protocol("mtpo-without-filtered-reads"), seed=SEED)
print(*unfiltered.verdict.sentences(), sep="\n")
view(filtered, unfiltered)

# %% [markdown]
# ## By step, not by agent
#
# It would not do to filter by agents. An agent that reads, writes and reads again must see its own write the second
# time and not the first, whoever else has written meanwhile. So every call has its own place in the order.

# %%
AGAIN = {
    "name": "read, write, read",
    "state": {"x": 1},
    "agents": [
        {
            "name": "A",
            "steps": [
                {"get": "x", "as": "before", "think_s": 8},
                {"put": "x", "value": "before + 1"},
                {"get": "x", "as": "after"},
                {"report": "[before, after]"},
            ],
        },
        {"name": "B", "steps": [{"put": "x", "value": "12", "think_s": 2}]},
    ],
}
again = run(
    from_scenario(load_scenario(json.dumps(AGAIN), "this cell")),
    protocol("mtpo"),
    seed=SEED,
)
print(
    "A read",
    again.outcome.reports["A"],
    "and the cell ends at",
    again.outcome.final_state["x"],
)
told(again.outcome.history)

# %% [markdown]
# ## When no version is kept
#
# A mailbox or a search service keeps no old versions. Then there is a slower way: what lies above is undone, the read
# is made on the live state, and what was undone is done again, without a notice to anybody, as nothing has changed.
# The rule takes the routes in the order in which they are given; here it is given only the last one.

# %%
slow = run(quote, Mtpo(routes=("undo",)), seed=SEED)
told(slow.outcome.history)

# %%
view(slow)

# %% [markdown]
# ## The answer
#
# It sees what the serial run would show it: all that lies below its own place in the order, committed or not, and
# nothing from above. Nobody waits for that, and the writer is not asked.

# %%
assert filtered.outcome.reports["A"] == 10 and filtered.outcome.final_state == {
    "price": 12,
    "quote": 30,
}
assert (
    slow.outcome.reports["A"] == 10
    and slow.outcome.final_state == filtered.outcome.final_state
)
assert unfiltered.outcome.reports["A"] == 12 and unfiltered.verdict.blame == "protocol"
assert again.outcome.reports["A"] == (1, 2) and again.outcome.final_state["x"] == 12
print(*filtered.verdict.sentences(), sep="\n")
