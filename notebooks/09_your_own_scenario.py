# %% [markdown]
# # Your own scenario: how do you put your own agents and state to the test?
#
# There are two ways, and the engine cannot tell them apart. A scenario is *data*: a start state, and agents whose
# programs are small trees. Or an agent is a Python *generator*, with tools of your own.

# %%
import json
from pathlib import Path

import polars as pl

from coagent import Setting, from_scenario, load_scenario_file, protocol
from coagent.bad_input import BadInput
from coagent.exploring import explored
from coagent.notebook import view
from coagent.operation import Call, Declaration, Result
from coagent.program import Intent
from coagent.running import run
from coagent.state_graph import state_graph
from coagent.telling import told
from coagent.tool import TOOLS, Tool
from coagent.workload import Agent, Workload

pl.Config(
    fmt_str_lengths=90,
    tbl_hide_column_data_types=True,
    tbl_hide_dataframe_shape=True,
    tbl_rows=40,
)
SEED = 0

# %% [markdown]
# ## As data
#
# Two editors and a list of sections. Ann adds a section and counts them all; Bo, who comes second, deletes the drafts.
# Calls are `get list put create delete add copy send`; steps besides are `if`, `for` and `report`.

# %%
EDITORS = {
    "name": "two editors",
    "story": "Ann adds a section and counts them all, while Bo deletes the drafts.",
    "state": {"book/1": "intro", "book/2": "draft", "book/3": "draft", "total": 3},
    "agents": [
        {
            "name": "Ann",
            "think_s": 4,
            "steps": [
                {"create": "book/4", "value": "'end'"},
                {"list": "book", "as": "names"},
                {"put": "total", "value": "len(names)"},
            ],
        },
        {
            "name": "Bo",
            "think_s": 3,
            "steps": [
                {"list": "book", "as": "names"},
                {
                    "for": "n",
                    "in": "names",
                    "do": [
                        {"get": "book/{n}", "as": "text"},
                        {
                            "if": "text == 'draft'",
                            "then": [
                                {"delete": "book/{n}"},
                                {"add": "total", "by": "-1"},
                            ],
                        },
                    ],
                },
                {"get": "total", "as": "t"},
                {"report": "t"},
            ],
        },
    ],
}
Path("editors.json").write_text(json.dumps(EDITORS, indent=1))
editors = from_scenario(load_scenario_file("editors.json"))

# %% [markdown]
# The file works with every command as well: `coagent run editors.json`, `explore`, `prove`. One run without
# coordination, and one under MTPO, side by side:

# %%
naive = run(editors, protocol("naive"), seed=SEED)
mtpo = run(editors, protocol("mtpo"), seed=SEED)
view(mtpo, naive)

# %%
print(*naive.verdict.sentences(), "", *mtpo.verdict.sentences(), sep="\n")

# %% [markdown]
# What is no scenario is refused with line and reason:

# %%
wrong = json.dumps(EDITORS, indent=1).replace("len(names)", "size(names)")
Path("wrong.json").write_text(wrong)
try:
    load_scenario_file("wrong.json")
except BadInput as error:
    print(error)

# %% [markdown]
# ## In Python
#
# An agent is a generator: it yields what it wants to call, is sent the result, and returns its report. It must depend
# on nothing but what it was sent, for it may be asked to think again, with other results.
#
# A tool says before it runs what it will read and write, by its arguments. This one takes a seat, if one is free.


# %%
def take_seat(view, args):
    """Reads cells through the view; gives its result, and the cells that it writes."""
    free = [path for path in view.below("seats") if view.cell(path) == ("free",)]
    if not free:
        return Result("failed", "full"), ()
    seat = min(free)
    return Result("ok", seat), ((seat, (args["who"],)),)


def guest(who, friend):
    """Takes a seat, looks where the friend sits, notes its own seat. Reports both."""
    mine = yield Intent(call=Call("take_seat", (("who", who),)), think_s=3.0)
    theirs = yield Intent(
        call=Call("get", (("path", f"guests/{friend}"),)), think_s=2.0
    )
    yield Intent(
        call=Call("put", (("path", f"guests/{who}"), ("value", mine.value))),
        think_s=2.0,
    )
    return [mine.value, theirs.value]


SEAT = Tool(
    "take_seat",
    lambda args: Declaration(reads=("seats",), writes=("seats",)),
    take_seat,
    "take the first free seat, or fail with 'full'",
)
DINNER = Workload(
    name="dinner for two",
    state=(("seats/1", "free"), ("seats/2", "free")),
    agents=(
        Agent(name="Cy", program=lambda: guest("Cy", "Di")),
        Agent(name="Di", program=lambda: guest("Di", "Cy")),
    ),
    tools={**TOOLS, "take_seat": SEAT},
    invariant=lambda state, reports: (
        {state["seats/1"], state["seats/2"]} == {"Cy", "Di"}
    ),
)

# %% [markdown]
# The invariant says which ends you would accept. Every schedule, under two protocols:

# %%
pl.DataFrame(
    [
        {
            "protocol": rule,
            "states": one.exploration.states,
            "ends": len(one.endings),
            "right": sum(bool(end.right) for end in one.endings),
            "why not": next((end.why for end in one.endings if not end.right), ""),
        }
        for rule in ("naive", "fork-merge", "2pl", "mtpo")
        for one in [explored(DINNER, protocol(rule))]
    ]
)

# %%
state_graph(Setting(workload=DINNER, protocol=protocol("mtpo"), seed=SEED))

# %%
dinner = run(DINNER, protocol("mtpo"), seed=SEED)
told(dinner.outcome.history)

# %% [markdown]
# ## The answer
#
# Write it down as data, where expressions suffice: then it can be proved and shrunk too. Or write generators and tools
# in Python, and say what must hold. Then run it, explore it and step through it, under any protocol.

# %%
assert naive.verdict.verdict == "violated" and mtpo.verdict.verdict == "ok"
assert (
    mtpo.order_exact
    and mtpo.outcome.final_state["total"] == 2
    and mtpo.outcome.reports["Bo"] == 2
)
assert dinner.invariant and explored(DINNER, protocol("mtpo")).exit_code == 0
print("editors:", dict(mtpo.outcome.final_state))
print("dinner:", dict(dinner.outcome.final_state))
