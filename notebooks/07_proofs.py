# %% [markdown]
# # Proofs: can one know that a protocol is right for every value, and not just for the values that were tried?
#
# A run tells of one start state and one schedule. Exploring tells of every schedule, from one start state. Here the
# start state is unknown as well: agents run on *terms* in the place of values, and a solver (z3) answers what is left.

# %%
import json

import polars as pl

from checker.proof.commutativity import needless
from checker.proof.tool_table import proved_tools
from coagent import follow, from_scenario, load_scenario, protocol
from coagent.claim import of_proposition
from coagent.notebook import view
from coagent.proving import prove_workload
from coagent.running import run
from coagent.tool import TOOLS
from coagent.workload import Setting
from workloads import workload

pl.Config(
    fmt_str_lengths=110,
    tbl_hide_column_data_types=True,
    tbl_hide_dataframe_shape=True,
    tbl_rows=40,
)
SEED = 0

# %% [markdown]
# ## Was it luck?
#
# A copies a reading to the log if it is above 100. B resets the reading. Without coordination, from a reading of 7,
# everything goes well: A has nothing to write.

# %%
METER = {
    "name": "log it, reset it",
    "state": {"reading": 7, "log": 0},
    "agents": [
        {
            "name": "A",
            "steps": [
                {"get": "reading", "as": "r"},
                {
                    "if": "r > 100",
                    "then": [
                        {"put": "log", "value": "r"},
                        {"put": "reading", "value": "r - 100"},
                    ],
                },
            ],
        },
        {
            "name": "B",
            "think_s": 6.0,
            "steps": [
                {"put": "reading", "value": "0"},
                {"get": "log", "as": "seen"},
                {"report": "seen"},
            ],
        },
    ],
}
meter = from_scenario(load_scenario(json.dumps(METER), "this cell"))
lucky = run(meter, protocol("naive"), seed=SEED)
print(*lucky.verdict.sentences(), sep="\n")

# %% [markdown]
# The proof asks for all readings at once. It finds one from which the same schedule goes wrong, and replays it before
# it is believed.

# %%
refuted = prove_workload(meter, protocol("naive"), seed=SEED)
print(*refuted.sentences(), sep="\n")

# %% [markdown]
# That state, and that schedule, to step through:

# %%
found = refuted.counterexample
other = from_scenario(
    load_scenario(
        json.dumps({**METER, "state": dict(found.state)}), "the counterexample"
    )
)
view(follow(Setting(workload=other, protocol=protocol("naive")), found.schedule))

# %% [markdown]
# ## The same under MTPO
#
# Each *path* is a way that the programs can go, by what they find. On every one of them the run ends as the serial run
# does, for all values.

# %%
proved = prove_workload(meter, protocol("mtpo"), seed=SEED, paths=40)
print(*proved.sentences(), sep="\n")

# %% [markdown]
# Some more, all with their own schedule by the clock. Equal values get equal numbers first, which settles most; z3 gets
# the rest. Where paths are left open, that is said. (A proof is about one schedule. In the last one the clock happens
# to let A go first, so that even `naive` is right along it.)

# %%
names = ("lost-update", "write-skew", "livelock", "read-skew")
rules = ("naive", "2pl", "mtpo")
proofs = {
    (name, rule): prove_workload(workload(name), protocol(rule), seed=SEED)
    for name in names
    for rule in rules
}
pl.DataFrame(
    [
        {
            "workload": name,
            rule: one.verdict
            + ("" if one.complete or one.verdict == "refuted" else ", paths open"),
        }
        for (name, rule), one in proofs.items()
    ]
).group_by("workload", maintain_order=True).agg(pl.all().drop_nulls().first())

# %% [markdown]
# ## Tools
#
# What an undo relies on can be proved of the tools themselves. *inverse*: restoring what was captured leaves every
# cell as it was, whatever happened elsewhere. *frame*: nothing outside the declared footprint is touched. *commute*:
# in which states two calls on one object may change places.

# %%
lines = list(proved_tools({name: TOOLS[name] for name in ("put", "add")}))
pl.DataFrame(
    [
        {"of": one.subject, "question": one.question, "answer": one.answer()}
        for one in lines
    ]
)

# %% [markdown]
# Two additions leave the same cell in either order, but each tells its caller the sum: their *results* do not commute.
# This is why a redone call whose result has changed is told to its agent.

# %% [markdown]
# ## Notices that nobody needed
#
# The papers' own test notifies whoever has read something that overlaps. Commutativity shows afterwards which of those
# notices could not have mattered. Here A also sets a label on the deployment whose image B has read.

# %%
careful = workload("k2-canary", irrelevant=True)
for rule in ("mtpo-footprint", "mtpo"):
    ran = run(careful, protocol(rule), seed=SEED)
    print(f"{rule}: {ran.counts.notifications} notices")
    print(
        *(
            "  " + one.sentence()
            for one in needless(ran.outcome.history, careful.tools)
        ),
        sep="\n",
    )

# %% [markdown]
# ## Any number of agents
#
# And two statements that speak of no program at all: edges that only go up in rank have no cycle, and the two laws by
# which a repaired run is as good as one that was right in the first place.

# %%
proposition = of_proposition(seconds=5.0)
print(*proposition.sentences(), sep="\n")

# %% [markdown]
# ## The answer
#
# Yes, within a domain that is stated: for all values of the cells that a scenario names and every path of its programs
# along a schedule; for tools, in every state; for the order itself, for any number of agents. A refutation is better
# still: it is a start state and a schedule, and you can watch it.

# %%
assert lucky.verdict.verdict == "ok" and refuted.verdict == "refuted"
assert proved.verdict == "proved" and proved.complete and proposition.exit_code == 0
assert all(proofs[name, "mtpo"].verdict == "proved" for name in names)
print(
    f"lucky from {METER['state']}; wrong from {dict(found.state)};",
    f"proved under mtpo on {proved.paths} paths",
)
