"""The command that runs a scenario or workload once, simulated or live: its options, and who does which."""

import json
import sys
from typing import Annotated

import typer

from coagent import live_command, model_option
from coagent.trial_command import Json, Tables

Scenario = Annotated[str, typer.Argument(metavar="SCENARIO|WORKLOAD", help="A scenario file, or a workload's name.")]
Protocol = Annotated[str, typer.Option("--protocol", help="A protocol's name, or your own as file.py:Name.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of think times and of --schedule random.")]


def run(
    name: Scenario,
    protocol: Protocol = "mtpo",
    schedule: Annotated[str | None, typer.Option(help="clock, random, pct, or choice indexes like 0,2,1.")] = None,
    seed: Seed = 0,
    agents: model_option.Agents = None,
    tables: Tables = "generated",
    record: Annotated[str | None, typer.Option(metavar="FILE", help="Write the history to a new file.")] = None,
    max_steps: Annotated[
        int | None, typer.Option(min=1, help="Choices before a run counts as not ending; by default 5000 an agent.")
    ] = None,
    target: live_command.Target = None,
    journal: live_command.Journal = None,
    model: model_option.Model = None,
    base_url: model_option.BaseUrl = None,
    key_variable: model_option.KeyVariable = model_option.KEY_VARIABLE,
    price: model_option.Price = None,
    record_models: model_option.RecordModels = None,
    replay_models: model_option.ReplayModels = None,
    tries: model_option.Tries = None,
    as_json: Json = False,
) -> int:
    """Run a scenario or workload once, simulated unless a target or a model is named, and judge it."""
    from coagent import naming, running, saving
    from coagent.screen import Ticker, print_run

    if record is not None:
        saving.check_free(record)
    simulated = {"--schedule": schedule, "--seed": seed or None, "--max-steps": max_steps}
    plan = model_option.plan_of(agents, model_option.given(locals()), simulated)
    workload = naming.target(name, model_option.agents_of(agents), tables=tables)
    engine = naming.protocol(protocol)
    if plan is not None:
        return model_option.run(workload, engine, plan, target or (), journal, record, as_json)
    if target or journal is not None:
        live_command.check_live(target, simulated)
        return live_command.ran(workload, engine, target, journal, record, as_json)
    wanted = naming.schedule(schedule, workload.schedule)
    with naming.blamed(protocol), Ticker(f"running {workload.name}") as ticker:
        ran = running.run(workload, engine, schedule=wanted, seed=seed, max_steps=max_steps, progress=ticker)
    if record is not None:
        saving.save_history(ran.outcome.history, record)
    if as_json:
        sys.stdout.write(json.dumps(ran.to_json()) + "\n")
        return ran.exit_code
    print_run(ran, f"recorded in {record}" if record else "")
    return ran.exit_code
