"""The commands that run many trials, `compare` and `sweep`: their options, and what they print."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from coagent import model_option
from coagent.bad_input import BadInput

if TYPE_CHECKING:
    from coagent.trial import Case

Value = TypeVar("Value")
HOLDS = 0
SEED_MAX = 2**62
DEFAULT_PROTOCOLS = "serial,naive,2pl,occ,fork-merge,mtpo"
LIVE_PROTOCOLS = "serial,naive,2pl,occ,mtpo"
"""The default where a model acts: live state cannot be forked."""

Names = Annotated[list[str], typer.Argument(metavar="WORKLOAD...", help="Workloads, or scenario files.")]
Protocols = Annotated[str, typer.Option(help="Protocols, with commas between.")]
Trials = Annotated[int, typer.Option(min=1, max=1_000_000, help="Trials of each workload under each protocol.")]
Irrelevant = Annotated[
    bool, typer.Option("--irrelevant", help="With a write besides that others' reads declare and do not show.")
]
Tables = Annotated[str, typer.Option(metavar="FOLDER", help="The office's tables: WorkBench's folder, or generated.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Miss = "Share of notices that an agent overlooks, 0 to 1"
Over = "Share of notices that make it redo a write needlessly, 0 to 1"
Rank = "Pre-order: launch, shortest-first, critical-path, fewest-conflicts, or launch numbers like 2,1"
Listed = "; several with commas between."


def compare(
    workloads: Names,
    protocols: Protocols = DEFAULT_PROTOCOLS,
    trials: Trials = 10,
    workers: Annotated[int, typer.Option(min=1, help="Processes; the numbers do not depend on it.")] = 1,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=SEED_MAX, help="Seed of the first trial's think times.")
    ] = 0,
    agents: model_option.Agents = None,
    miss: Annotated[float, typer.Option(help=Miss + ".")] = 0.0,
    over: Annotated[float, typer.Option(help=Over + ".")] = 0.0,
    rank: Annotated[str, typer.Option(help=Rank + ".")] = "launch",
    irrelevant: Irrelevant = False,
    tables: Tables = "generated",
    model: model_option.Model = None,
    base_url: model_option.BaseUrl = None,
    key_variable: model_option.KeyVariable = model_option.KEY_VARIABLE,
    price: model_option.Price = None,
    record_models: model_option.RecordModels = None,
    replay_models: model_option.ReplayModels = None,
    tries: model_option.Tries = None,
    as_json: Json = False,
) -> int:
    """Set protocols side by side: simulated agents, the same draws for each protocol; or a model's, measured.

    Exits 0; it judges nobody.
    """
    from coagent import screen, sweep
    from coagent.compare import BASELINE, compared, to_json

    simulated = {"--seed": seed or None, "--miss": miss or None, "--over": over or None}
    simulated |= {"--rank": None if rank == "launch" else rank, "--workers": None if workers == 1 else workers}
    plan = model_option.plan_of(agents, model_option.given(locals()), simulated)
    if plan is not None:
        more = {"trials": trials, "irrelevant": irrelevant, "tables": tables, "as_json": as_json}
        live = LIVE_PROTOCOLS if protocols == DEFAULT_PROTOCOLS else protocols
        return model_option.compare(workloads, names(live), plan, **more)
    wanted = names(protocols)
    known = model_option.agents_of(agents)
    given = {"agents": (known,), "miss": (miss,), "over": (over,), "rank": (rank,), "irrelevant": (irrelevant,)}
    beside = [*dict.fromkeys((*wanted, BASELINE))]
    cases = sweep.cases([*dict.fromkeys(workloads)], beside, trials=trials, seed=seed, tables=tables, **given)
    with screen.Ticker("comparing", len(cases)) as ticker:
        rows = sweep.swept(cases, workers=workers, progress=ticker)
    lines = [one for one in compared(rows) if BASELINE in wanted or one.protocol != BASELINE]
    if as_json:
        _say_json(to_json(lines, trials=trials, seed=seed))
    else:
        screen.print_compared(lines, f"{trials} trial{'s' * (trials > 1)} each")
    return HOLDS


def sweep(
    workloads: Names,
    out: Annotated[str, typer.Option(metavar="FOLDER", help="Where the results go; what is there is not done again.")],
    protocols: Protocols = DEFAULT_PROTOCOLS,
    trials: Trials = 100,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=SEED_MAX, help="Seed of the first trial; 0 has no noise.")
    ] = 1,
    agents: Annotated[str | None, typer.Option(help="Numbers of agents, for families" + Listed)] = None,
    miss: Annotated[str, typer.Option(help=Miss + Listed)] = "0",
    over: Annotated[str, typer.Option(help=Over + Listed)] = "0",
    # The default is read when the command is set up, and never handed out: typer makes a list of its own for each call.
    rank: Annotated[list[str], typer.Option(help=Rank + "; may be said several times.")] = ["launch"],  # noqa: B006
    irrelevant: Irrelevant = False,
    tables: Tables = "generated",
    check_every: Annotated[
        int, typer.Option(min=1, help="The checker judges every so many-th seed; all are held to serial runs.")
    ] = 10,
    workers: Annotated[int | None, typer.Option(min=1, help="How many at once; by default as many as cores.")] = None,
    executor: Annotated[str, typer.Option(help="process, thread, dask, or your own as MODULE:NAME.")] = "process",
    shard: Annotated[str, typer.Option(metavar="I/N", help="Only every N-th part, from the I-th on.")] = "1/1",
    as_json: Json = False,
) -> int:
    """Run all combinations into a folder of Parquet files, from where it stopped if it did. Exits 0; judges nobody."""
    from coagent import screen
    from coagent.compare import compared, to_json
    from coagent.executor import cores
    from coagent.provenance import read
    from coagent.sweep import cases, load, parts_of, sweep_to

    grid = cases(
        [*dict.fromkeys(workloads)],
        [*dict.fromkeys(names(protocols))],
        trials=trials,
        seed=seed,
        agents=(None,) if agents is None else numbers("--agents", agents, int),
        miss=numbers("--miss", miss, float),
        over=numbers("--over", over, float),
        rank=rank,
        irrelevant=(irrelevant,),
        tables=tables,
        check_every=check_every,
    )
    part = shard_of(shard)
    with screen.Ticker("sweeping", len(grid) // part[1]) as ticker:
        many = {"workers": workers or cores(), "executor": executor}
        folder = sweep_to(out, grid, shard=part, progress=ticker, command=_command(grid, check_every), **many)
    rows, whole = load(folder), parts_of(read(folder))
    there, lines = len([*folder.glob("part-*.parquet")]), compared(rows)
    if as_json:
        _say_json(to_json(lines, folder=str(folder), trials=len(rows), parts=there, of=whole))
    else:
        screen.print_compared(lines, f"{len(rows):,} trials in {there} of {whole} parts in {folder}")
    return HOLDS


def names(text: str) -> list[str]:
    """A list with commas between."""
    return [one.strip() for one in text.split(",")]


def numbers(option: str, text: str, kind: Callable[[str], Value]) -> list[Value]:
    """Numbers with commas between. Raises BadInput for what is none."""
    try:
        return [kind(one) for one in names(text)]
    except ValueError:
        raise BadInput(f"{option} is {text!r}; give numbers with commas between") from None


def shard_of(text: str) -> tuple[int, int]:
    """What `--shard` means: which of how many. Raises BadInput."""
    first, slash, many = text.partition("/")
    if not (slash and first.isdecimal() and many.isdecimal() and 1 <= int(first) <= int(many)):
        raise BadInput(f"--shard is {text!r}; say which of how many, from 1/4 to 4/4")
    return int(first), int(many)


def _command(grid: Sequence["Case"], check_every: int) -> list[str]:
    """The command that does this sweep, wherever and however: all that the numbers depend on, and nothing else."""
    if not grid:
        return []

    def found(name: str) -> list[str]:
        return [str(one) for one in dict.fromkeys(getattr(case, name) for case in grid)]

    seeds = [one.seed for one in grid]
    words = ["coagent", "sweep", *found("workload"), "--protocols", ",".join(found("protocol"))]
    words += ["--trials", str(max(seeds) - min(seeds) + 1), "--seed", str(min(seeds))]
    words += ["--agents", ",".join(found("agents"))] if grid[0].agents else []
    words += ["--miss", ",".join(found("miss")), "--over", ",".join(found("over"))]
    words += [word for rank in found("rank") for word in ("--rank", rank)]
    words += ["--irrelevant"] if grid[0].irrelevant else []
    return [*words, "--tables", grid[0].tables, "--check-every", str(check_every)]


def _say_json(data: object) -> None:
    sys.stdout.write(json.dumps(data) + "\n")
