# %% [markdown]
# # Reading a verdict: why is a recorded history not serializable, and at which level would it have been fine?
#
# The checker needs no agents and no protocol, only a history: who read and wrote what. It reads those of other tools.
# In the folder `histories`, next to this notebook, are small files in their formats (its README says what each is).

# %%
from pathlib import Path

import polars as pl

from checker import check_file
from checker.formats import load
from coagent.bad_input import BadInput
from coagent.notebook import view

pl.Config(
    fmt_str_lengths=120,
    tbl_hide_column_data_types=True,
    tbl_hide_dataframe_shape=True,
    tbl_rows=40,
)
HISTORIES = Path("histories")
SEED = 0

# %% [markdown]
# ## A first one
#
# Two buyers read how many apples there are and write back how many are left. First at the same time, then one after
# the other. The format is told by the content.

# %%
print((HISTORIES / "two-buyers.jsonl").read_text())
for name, verdict in check_file(str(HISTORIES / "two-buyers.jsonl")):
    print(name, *verdict.sentences(), "", sep="\n")

# %% [markdown]
# A verdict is a contradiction spelled out: *A before B, because ...; however B before A, because ...*. Each "because"
# is an edge of the precedence graph, and the edges make a circle. The name and Adya's letters say what sort of circle.

# %% [markdown]
# ## A reader on a stale replica
#
# Elle's list-append, as Jepsen records it. A list that is read shows all appends so far in their order, so the order
# of versions need not be guessed. Follow the three edges of the witness with your finger.

# %%
print((HISTORIES / "stale-replica.edn").read_text())
[(_, stale)] = check_file(str(HISTORIES / "stale-replica.edn"))
print(*stale.sentences(), sep="\n")

# %% [markdown]
# ## Two doctors
#
# Registers, as dbcop and PolySI write them: `r(key,value,session,transaction)`. Each doctor sees that both are on call
# and goes off. They write different cells: nothing is lost, and yet nobody is left.

# %%
print((HISTORIES / "on-call.txt").read_text())
[(_, skew)] = check_file(str(HISTORIES / "on-call.txt"))
print(*skew.sentences(), sep="\n")

# %% [markdown]
# ## Levels
#
# Not everybody promises serializability. A level forbids some circles and lets others pass; so the same history may be
# a fault of one database and a feature of another. All files at six levels, from weak to strong:

# %%
LEVELS = (
    "read-committed",
    "causal",
    "consistent-view",
    "snapshot-isolation",
    "repeatable-read",
    "serializable",
)
rows = []
for path in sorted(HISTORIES.glob("*.*")):
    if path.suffix == ".md":
        continue
    for level in LEVELS:
        try:
            rows += [
                (path.name, name, level, one.verdict)
                for name, one in check_file(str(path), level=level)
            ]
        except BadInput:
            rows += [
                (path.name, source.name, level, "not judged")
                for source in load(str(path), "auto")
            ]
verdicts = pl.DataFrame(
    rows, schema=["file", "history", "level", "verdict"], orient="row"
)
verdicts.pivot("level", index=["file", "history"], values="verdict").with_columns(
    pl.col("history").replace({str(path): "" for path in HISTORIES.iterdir()})
)

# %% [markdown]
# `on-call.txt` passes at snapshot isolation: write skew is what that level lets through. `long-fork.txt` passes up to a
# consistent view, and not at snapshot isolation: two readers have seen two independent writes in opposite orders.

# %%
[(_, fork)] = check_file(str(HISTORIES / "long-fork.txt"))
print(*fork.sentences(), sep="\n")

# %% [markdown]
# ## A history of agents
#
# Our own histories know more: what was thought, notified, undone. So they can be stepped through, and the verdict
# can say whose fault it was. Press `v`, then Enter on an edge of the witness.

# %%
view(HISTORIES / "canary.ndjson")

# %% [markdown]
# ## What is no history
#
# A file that cannot be used is refused in a sentence with the place, and never half read.

# %%
Path("torn.edn").write_text((HISTORIES / "stale-replica.edn").read_text()[:300])
try:
    check_file("torn.edn")
except BadInput as error:
    print(error)

# %% [markdown]
# ## The answer
#
# Because some transactions would have to come before themselves, and the sentences name each step of that circle. The
# level decides whether such a circle counts: an update lost between two reads is a fault at snapshot isolation, write
# skew only at serializability. Put a file of your own into `histories` and run the cells again.

# %%
judged = {(file, level): verdict for file, _, level, verdict in rows}
assert (
    judged["on-call.txt", "snapshot-isolation"]
    == judged["long-fork.txt", "consistent-view"]
    == "ok"
)
assert (
    judged["on-call.txt", "serializable"]
    == judged["long-fork.txt", "snapshot-isolation"]
    == "violated"
)
assert all(
    judged["stale-replica.json", level] == judged["stale-replica.edn", level]
    for level in LEVELS
)
assert {one.name for one in stale.anomalies} == {"read skew"} and {
    one.name for one in skew.anomalies
} == {"write skew"}
print("write skew: ok at snapshot isolation, violated at serializable")
