"""The command line: what is asked for, where it is printed, and the exit code.

0 holds, 1 violated, 2 cannot tell, 3 bad input with one line on stderr. Every decision is made elsewhere.
"""

import json
import os
import sys
import traceback
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from coagent import __version__, lab_command, live_command, run_command, trial_command
from coagent.bad_input import BadInput
from coagent.run_command import Protocol, Scenario, Seed
from coagent.trial_command import Json, Tables

HOLDS, VIOLATED, CANNOT_TELL, BAD_INPUT = 0, 1, 2, 3
INTERRUPTED, BROKEN_PIPE = 130, 141
EXTRAS = {
    **dict.fromkeys(("aiohttp", "icalendar", "jsonschema", "kubernetes", "psycopg", "pycrdt", "sqlalchemy"), "live"),
    "referencing": "live",
    "openai": "models",
    "anywidget": "notebooks",
    "hypothesis": "test",
}
"""What is installed with an extra, by the module's name."""
_SEVERITY = (HOLDS, CANNOT_TELL, VIOLATED, BAD_INPUT)

app = typer.Typer(
    name="coagent",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Concurrency control for teams of LLM agents: run, check, explore, prove, compare, sweep. "
    "Exit codes: 0 holds, 1 violated, 2 cannot tell, 3 bad input.",
)

Agents = Annotated[int | None, typer.Option("--agents", min=1, help="Number of agents, for a family of workloads.")]


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> int:
    if version:
        _say(f"coagent {__version__}")
        raise typer.Exit(HOLDS)
    if context.invoked_subcommand is None:
        raise BadInput(f"no command given; there are {', '.join(_commands())}, and coagent --help says more")
    return HOLDS


app.command()(run_command.run)


@app.command()
def check(
    histories: Annotated[list[str], typer.Argument(metavar="HISTORY...", help="Recorded histories.")],
    format: Annotated[str, typer.Option(help="The histories' format; auto tells it by content.")] = "auto",
    order: Annotated[str | None, typer.Option(help="declared or any; by default what the history says.")] = None,
    level: Annotated[
        str, typer.Option(help="The isolation level to judge at, such as snapshot-isolation.")
    ] = "serializable",
    certificate: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write what checker/verify.py needs to agree to a new file.")
    ] = None,
    tables: Tables = "generated",
    as_json: Json = False,
) -> int:
    """Judge recorded histories: is there a serial order that explains them?"""
    from coagent import checking
    from coagent.screen import Ticker, print_verdict

    checking.check_options(format, order, level)
    checking.check_certificate(certificate, histories)
    codes = [HOLDS]
    for file in histories:
        with Ticker(f"checking {file}"):
            found, error = checking.verdicts(file, format, order, level, certificate, tables)
        for name, verdict in found:
            codes.append(verdict.exit_code)
            if as_json:
                _say_json(verdict.to_json(name))
            else:
                print_verdict(name, verdict)
        if error:
            codes.append(BAD_INPUT)
            _complain(str(error))
    return max(codes, key=_SEVERITY.index)


@app.command()
def export(
    history: Annotated[str, typer.Argument(metavar="HISTORY", help="A history with the values of its reads.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="The new file to write.")],
    to: Annotated[str, typer.Option(help="elle: JSON lines as elle-cli takes them.")] = "elle",
    format: Annotated[str, typer.Option(help="The history's format; auto tells it by content.")] = "auto",
) -> int:
    """Write a history for another checker, and say what that cannot hold."""
    from coagent import exporting

    for sentence in exporting.export(history, file, to=to, format=format):
        _complain(f"not kept: {sentence}")
    return HOLDS


@app.command()
def explore(
    name: Scenario,
    protocol: Protocol = "mtpo",
    max_states: Annotated[int, typer.Option(min=1, help="Distinct states to stop at.")] = 200_000,
    max_depth: Annotated[int | None, typer.Option(min=1, help="Choices to stop after; by default none.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Tell all states apart, and try every order.")] = False,
    agents: Agents = None,
    tables: Tables = "generated",
    as_json: Json = False,
) -> int:
    """Take every schedule of a small workload, and say whether every one ends, and ends as promised."""
    from coagent import exploring, naming, screen

    workload, engine = naming.target(name, agents, tables=tables), naming.protocol(protocol)
    with naming.blamed(protocol), screen.Ticker("exploring", max_states) as ticker:
        bounds = {"max_states": max_states, "max_depth": max_depth}
        found = exploring.explored(workload, engine, **bounds, reduced=not plain, progress=ticker.states)
    replay = ["coagent", "run", name, "--protocol", protocol, *(["--agents", str(agents)] if agents else [])]
    replay += ["--tables", tables] if tables != "generated" else []
    if as_json:
        _say_json({"workload": workload.name, "protocol": engine.name, "replay": replay, **found.to_json()})
    else:
        screen.print_explored(found, replay)
    return found.exit_code


@app.command("test")
def test_protocol(
    protocol: Annotated[
        str, typer.Argument(metavar="PROTOCOL", help="A protocol's name, or your own as file.py:Name.")
    ],
    budget: Annotated[str, typer.Option(help="How far to look: quick, ci or nightly.")] = "ci",
    folder: Annotated[str | None, typer.Option(metavar="FOLDER", help="Write the counterexample there.")] = None,
    as_json: Json = False,
) -> int:
    """Look for the smallest run that is not as a protocol promises. Needs the extra `test`."""
    from coagent import naming, screen
    from coagent.testing import check_protocol

    engine = naming.protocol(protocol)
    with naming.blamed(protocol), screen.Ticker(f"testing {engine.name}") as ticker:
        report = check_protocol(protocol, budget=budget, folder=folder, progress=ticker)
    if as_json:
        _say_json(report.to_json())
    else:
        screen.print_report(report.sentences(), report.exit_code)
    return report.exit_code


@app.command()
def prove(
    target: Annotated[
        str | None, typer.Argument(metavar="SCENARIO|WORKLOAD|HISTORY", help="What to prove serial, for all states.")
    ] = None,
    protocol: Protocol = "mtpo",
    schedule: Annotated[str | None, typer.Option(help="clock, random, pct, or choice indexes like 0,2,1.")] = None,
    seed: Seed = 0,
    agents: Agents = None,
    paths: Annotated[int, typer.Option(min=1, help="Paths to prove before the rest is called open.")] = 8,
    time_limit: Annotated[float, typer.Option(min=0.001, help="Seconds for each query to the solver.")] = 5.0,
    list_items: Annotated[int, typer.Option(min=0, max=8, help="Items that a list at the start may have.")] = 2,
    tools: Annotated[
        bool, typer.Option("--tools", help="Prove the tools instead: scenarios', and a workload's.")
    ] = False,
    proposition: Annotated[bool, typer.Option("--proposition", help="Prove the proposition and the laws.")] = False,
    as_json: Json = False,
) -> int:
    """Prove for all start states that a run ends as a serial one. Exit codes: 0 proved, 1 refuted, 2 unknown."""
    from coagent import claim
    from coagent.screen import Ticker, print_table

    if target is None and not (tools or proposition):
        raise BadInput("nothing to prove; name a scenario, a workload or a history, or say --tools or --proposition")
    with Ticker("proving"):
        if proposition:
            found = claim.of_proposition(seconds=time_limit)
        elif tools:
            found = claim.of_tools([target] if target else [], seconds=time_limit)
        else:
            limits = {"paths": paths, "seconds": time_limit, "items_max": list_items}
            found = claim.shown(target, protocol, schedule=schedule, seed=seed, agents=agents, **limits)
    if as_json:
        _say_json(found.to_json())
        return found.exit_code
    for line in found.sentences():
        _say(line)
    if found.lines:
        print_table(("of", "", "answer"), [(one.subject, one.question, one.answer()) for one in found.lines])
    return found.exit_code


app.command()(trial_command.compare)
app.command()(trial_command.sweep)
app.command()(live_command.serve)
app.command()(live_command.recover)
app.command()(lab_command.lab)


@app.command("list")
def list_names(
    section: Annotated[
        str | None, typer.Argument(metavar="[SECTION]", help="workloads, protocols or variants; by default all.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Name the workloads, the protocols, and the variants of mtpo that each break one rule, with a sentence each."""
    from coagent.listing import listed
    from coagent.screen import print_table

    found = listed(section)
    if as_json:
        _say_json({name: dict(known) for name, known in found.items()})
        return HOLDS
    for name, known in found.items():
        print_table((name.removesuffix("s"), ""), known)
    return HOLDS


@app.command()
def bench(
    parts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PART...]", help="engine, explore, list-append, register, history, sweep; or all."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Time the engine and the checker on this machine: engine alone half a minute, all of it some minutes."""
    from coagent.bench import PARTS, chosen
    from coagent.screen import Ticker, print_table

    figures = []
    for part in chosen(parts):
        with Ticker(f"measuring {part}"):
            figures += PARTS[part]()
    if as_json:
        _say_json({one.name: {"value": one.value, "unit": one.unit, "of": one.of} for one in figures})
    else:
        print_table(("figure", "value", "what"), [(one.name, f"{one.value:,} {one.unit}", one.of) for one in figures])
    return HOLDS


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line (by default this process's) and return its exit code; nothing is raised."""
    _tolerate_any_text()
    try:
        code = _called(sys.argv[1:] if argv is None else list(argv))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return _failed(INTERRUPTED, "interrupted; nothing was concluded")
    except BrokenPipeError:
        # Whoever read us has gone: Python's own flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except BadInput as error:
        return _failed(BAD_INPUT, str(error))
    except typer.TyperException as error:
        return _failed(BAD_INPUT, f"{error.format_message().rstrip('.')}; coagent --help says what there is")
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            traceback.print_exc()
            return _failed(CANNOT_TELL, "a fault in coagent itself (above); nothing was concluded")
        extra = EXTRAS[error.name]
        return _failed(BAD_INPUT, f"this needs {error.name}, which is not installed; install coagent-mtpo[{extra}]")
    except OSError as error:
        return _failed(BAD_INPUT, f"{error.filename or 'input or output'}: {error.strerror or error}")
    except Exception as error:
        traceback.print_exc()
        return _failed(CANNOT_TELL, f"a fault in coagent itself ({type(error).__name__}, above); nothing was concluded")


def _called(argv: list[str]) -> int:
    command = typer.main.get_command(app)
    try:
        with command.make_context("coagent", argv) as context:
            return command.invoke(context)
    except typer.Exit as done:
        return done.exit_code


def _commands() -> Iterable[str]:
    return typer.main.get_command(app).commands


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _say_json(data: object) -> None:
    _say(json.dumps(data))


def _complain(text: str) -> None:
    sys.stderr.write("coagent: " + " ".join(text.split()) + "\n")


def _failed(code: int, text: str) -> int:
    _complain(text)
    return code


def _tolerate_any_text() -> None:
    """A terminal that lacks a character gets its escape, not a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
