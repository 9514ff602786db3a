"""The options by which a language model acts in the place of the programs, and the commands when it does."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from coagent.bad_input import BadInput

if TYPE_CHECKING:
    from coagent.driven import ModelPlan

MODEL = "model"
KEY_VARIABLE = "OPENAI_API_KEY"
HOLDS = 0

Agents = Annotated[
    str | None,
    typer.Option("--agents", metavar="N|model", help="Number of agents, for families; or model: see --model."),
]
Model = Annotated[str | None, typer.Option("--model", metavar="NAME", help="The model that acts, with --agents model.")]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", metavar="URL", help="Where it is, as in http://127.0.0.1:8000/v1.")
]
KeyVariable = Annotated[
    str, typer.Option("--key-variable", metavar="NAME", help="The environment variable that holds its key.")
]
Price = Annotated[
    str | None, typer.Option("--price", metavar="IN,CACHED,OUT", help="Prices of a million tokens, to say the cost.")
]
RecordModels = Annotated[
    str | None, typer.Option("--record-models", metavar="FILE", help="Write the model's answers to a new file.")
]
ReplayModels = Annotated[
    str | None, typer.Option("--replay-models", metavar="FILE", help="Take its answers from such a file, offline.")
]
Tries = Annotated[
    int | None, typer.Option("--tries", min=1, help="Requests until the model counts as failed; by default 6.")
]


def agents_of(text: str | None) -> int | None:
    """The number of agents that `--agents` says, None without one or for a model. Raises BadInput."""
    if text is None or text == MODEL:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise BadInput(f"--agents is {text!r}; give a number of agents from 1, or the word model")
    return int(text)


def given(words: Mapping[str, object]) -> dict[str, object]:
    """The options of this module, by their names on the command line, out of a command's arguments by name."""
    names = ("model", "base_url", "key_variable", "price", "record_models", "replay_models", "tries")
    return {"--" + name.replace("_", "-"): words[name] for name in names}


def plan_of(agents: str | None, options: Mapping[str, object], simulated: Mapping[str, object]) -> "ModelPlan | None":
    """The plan that these options make, by their names on the command line; None when no model is to act.

    `simulated` are the options for simulated agents only, None where they are not given. Raises BadInput for options
    that do not go together.
    """
    given = [name for name, value in options.items() if value not in (None, KEY_VARIABLE)]
    if agents != MODEL:
        if given:
            raise BadInput(f"{given[0]} is for agents that a model drives; say --agents model too")
        return None
    if strange := [name for name, value in simulated.items() if value is not None]:
        raise BadInput(f"{strange[0]} is for simulated agents; leave it out, for a model does as it does")
    if not options["--model"]:
        raise BadInput("--agents model needs the model's name, as its server calls it; say --model NAME")
    if options["--record-models"] and options["--replay-models"]:
        raise BadInput("--record-models and --replay-models are both given; a run is recorded or played again")
    return _plan(options)


def _plan(options: Mapping[str, object]) -> "ModelPlan":
    from coagent import saving
    from coagent.driven import ModelPlan
    from coagent.live.agents.price import price

    if options["--record-models"]:
        saving.check_free(options["--record-models"])
    more = {"tries": options["--tries"]} if options["--tries"] else {}
    return ModelPlan(
        name=options["--model"],
        base_url=options["--base-url"],
        key_variable=options["--key-variable"],
        price=price(options["--price"]) if options["--price"] else None,
        record=options["--record-models"],
        replay=options["--replay-models"],
        **more,
    )


def run(
    workload: object,
    protocol: object,
    plan: "ModelPlan",
    where: Sequence[str],
    journal: str | None,
    record: str | None,
    as_json: bool,
) -> int:
    """Run a workload with the model, and say what came of it."""
    from coagent import saving
    from coagent.driven import ran_models
    from coagent.driven_screen import print_driven

    ran = ran_models(workload, protocol, plan, where=where, journal=journal)
    if record is not None:
        saving.save_history(ran.live.history, record)
    if as_json:
        _say_json(ran.to_json())
    else:
        print_driven(ran, f"recorded in {record}" if record else "")
    return ran.exit_code


def compare(
    workloads: Sequence[str],
    protocols: Sequence[str],
    plan: "ModelPlan",
    *,
    trials: int,
    irrelevant: bool,
    tables: str,
    as_json: bool,
) -> int:
    """Set protocols side by side by trials with the model, and say what was measured. Exits 0; it judges nobody."""
    from coagent import naming, screen
    from coagent.compare import BASELINE
    from coagent.driven import trials_of
    from coagent.driven_screen import print_measured
    from coagent.measured import measured, to_json

    engines = [naming.protocol(name) for name in dict.fromkeys((*protocols, BASELINE))]
    found = [naming.target(name, irrelevant=irrelevant or None, tables=tables) for name in dict.fromkeys(workloads)]
    cases = [(workload, engine) for workload in found for _ in range(trials) for engine in engines]
    with screen.Ticker("comparing", len(cases)) as ticker:
        runs = trials_of(cases, plan, ticker)
    lines = [one for one in measured(runs) if BASELINE in protocols or one.protocol != BASELINE]
    if as_json:
        _say_json(to_json(lines, model=plan.name, trials=trials, replayed=plan.replay is not None))
    else:
        print_measured(lines, f"{trials} trial{'s' * (trials > 1)} each", plan.name, plan.replay is not None)
    return HOLDS


def _say_json(data: object) -> None:
    sys.stdout.write(json.dumps(data) + "\n")
