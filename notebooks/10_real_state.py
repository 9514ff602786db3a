# %% [markdown]
# # Real state: does all this hold for a real git tree, and for a cluster?
#
# So far the state was simulated, and so was time. Now the same agents, under the same engine, act on a git repository
# on this disk, in real seconds. They are scripted: no model is asked, and nothing leaves this machine.

# %%
import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

from checker.notified import check_history
from coagent import protocol
from coagent.live.running import run_live, seed
from coagent.live.targets.git import GitTarget
from coagent.notebook import view
from coagent.spectator import Spectator
from coagent.stepper import rerun
from coagent.telling import told
from workloads import workload

pl.Config(
    fmt_str_lengths=90,
    tbl_hide_column_data_types=True,
    tbl_hide_dataframe_shape=True,
    tbl_rows=40,
)
SEED = 0
THINK_S = 0.15

# %% [markdown]
# ## Two agents, one free number
#
# A project keeps its database migrations in numbered files, and 0007 is the next. A and B each add one. Their files
# have other names, so that `git merge` would be clean; but two of them would call themselves number seven.

# %%
MIGRATIONS = workload("g2-migration")
print(MIGRATIONS.story)
folder = Path(tempfile.mkdtemp(prefix="coagent-git-"))
subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
repository = GitTarget(folder, date="2026-01-05T09:00:00+0000")
await seed(repository, MIGRATIONS.state)
sorted(
    path.name
    for path in folder.rglob("*")
    if ".git" not in path.parts and path.is_file()
)

# %% [markdown]
# ## Watch it happen
#
# The run is a task in the background; this cell returns at once, and the view grows while the agents act.

# %%
watched = Spectator(MIGRATIONS)
task = asyncio.create_task(
    run_live(MIGRATIONS, protocol("mtpo"), repository, journal=watched, think_s=THINK_S)
)
await watched.begun()
watched.view()

# %% [markdown]
# It takes a second or two. Then the view above holds all of it, and its verdict:

# %%
live = await task
watched.ended(live.history)
told(live.history, "result", "notify", "hold", "judge", "undo", "finish").with_columns(
    pl.col("at").round(2)
)

# %% [markdown]
# ## What is on the disk
#
# Real files. B's migration was written as 0007; when it heard of A's it was written anew as 0008, and the first one was
# taken back. Whether that is right is for the project's own tests to say.

# %%
migrations = sorted(path.name for path in (folder / "migrations").iterdir())
tests = subprocess.run(
    [sys.executable, "-B", "-m", "unittest", "discover"],
    cwd=folder,
    capture_output=True,
    text=True,
    check=False,
)
print(*migrations, tests.stderr.strip().splitlines()[-1], sep="\n")

# %% [markdown]
# ## The same judge
#
# The history of a live run is of the same kind as a simulated one, and the checker does not care which it is.

# %%
verdict = check_history(live.history, order="declared", rerun=rerun(MIGRATIONS))
print(*verdict.sentences(), sep="\n")

# %% [markdown]
# ## Without coordination
#
# In a second repository, for comparison:

# %%
other = Path(tempfile.mkdtemp(prefix="coagent-git-"))
subprocess.run(["git", "init", "--quiet", str(other)], check=True)
unguarded = GitTarget(other, date="2026-01-05T09:00:00+0000")
await seed(unguarded, MIGRATIONS.state)
naive = await run_live(MIGRATIONS, protocol("naive"), unguarded, think_s=THINK_S)
print(*sorted(path.name for path in (other / "migrations").iterdir()), sep="\n")
view(naive.history)

# %% [markdown]
# ## A cluster
#
# With a cluster at hand (the environment variable KUBECONFIG names it), the canary is run there, in a namespace of its
# own. Without one, this part is skipped.

# %%
cluster = None
if not os.environ.get("KUBECONFIG"):
    print("skipped: KUBECONFIG is not set, so there is no cluster to run the canary on")
else:
    from coagent.live.targets.kube import fresh_namespace

    CANARY = workload("k2-canary")
    deployments = await fresh_namespace(CANARY.state, prefix="coagent-")
    cluster = await run_live(CANARY, protocol("mtpo"), deployments, think_s=THINK_S)
    kept = CANARY.invariant(cluster.final_state, cluster.reports)
    print(
        deployments.namespace,
        "the invariant",
        "holds" if kept else "is broken",
        sep=": ",
    )

# %%
shown = (
    view(cluster.history)
    if cluster
    else "skipped: the run on a cluster, to step through"
)
shown

# %% [markdown]
# ## The answer
#
# For the git tree it does, and you have seen the files: the engine is the same value that the simulator turns, and only
# what carries out its effects is another. For a cluster it does where there is one.

# %%
assert verdict.verdict == "ok" and MIGRATIONS.invariant(live.final_state, live.reports)
assert not MIGRATIONS.invariant(naive.final_state, naive.reports)
assert [name[:4] for name in migrations] == [f"{number:04}" for number in range(1, 9)]
await repository.close()
await unguarded.close()
print("mtpo:", *migrations[-2:], "| cluster:", "run" if cluster else "skipped")
