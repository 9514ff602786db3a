"""The commands for live runs: their options, and what they print."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from coagent.bad_input import BadInput

if TYPE_CHECKING:
    from coagent.live.serving import ToolSet
    from coagent.workload import Workload

HOLDS = 0

Configuration = Annotated[str, typer.Argument(metavar="CONFIG", help="A TOML file: targets, tools, journal, agents.")]
Tokens = Annotated[
    str, typer.Option("--tokens", metavar="FOLDER", help="Gets a token for each agent; readable by you alone.")
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")]
Tls = Annotated[tuple[str, str] | None, typer.Option("--tls", metavar="CERT KEY", help="PEM files.")]
Plain = Annotated[bool, typer.Option("--plain", help="Without TLS beyond this machine: the network is trusted.")]
Known = Annotated[
    list[str] | None, typer.Option("--known-as", help="A host name clients may use beside HOST; several times.")
]
Own = Annotated[
    str | None,
    typer.Option("--protocol", help="For a run under a protocol of your own, file.py:Name: no file else names code."),
]
Target = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="WHERE",
        help="Run live, on real state: memory, git:FOLDER, files:FOLDER, kube:NAMESPACE, document:FILE, a database's "
        "URL, or a TOML file of [[target]] tables; several times. It is given the start state, and changed.",
    ),
]
Journal = Annotated[
    str | None,
    typer.Option(
        "--journal", metavar="WHERE", help="A live run's journal: a new file, or postgresql://HOST/DATABASE#RUN."
    ),
]


def check_live(targets: Sequence[str] | None, simulated: Mapping[str, object]) -> None:
    """Raises BadInput for options that mean something for a simulated run only, or for a live one without a target."""
    if not targets:
        raise BadInput("--journal is for a live run, and none has been asked for; say --target too")
    if given := [name for name, value in simulated.items() if value is not None]:
        raise BadInput(f"{given[0]} is for simulated runs; a live run takes the time that it takes")


def ran(
    workload: "Workload",
    protocol: object,
    targets: Sequence[str],
    journal: str | None,
    record: str | None,
    as_json: bool,
) -> int:
    """Run a workload's scripted agents live, and say what came of it."""
    from coagent import saving
    from coagent.live_screen import print_live
    from coagent.living import ran_live

    found = ran_live(workload, protocol, targets, journal=journal)
    if record is not None:
        saving.save_history(found.history, record)
    if as_json:
        _say(json.dumps(found.to_json()))
    else:
        print_live(found, f"recorded in {record}" if record else "")
    return found.exit_code


def serve(
    configuration: Configuration,
    tokens: Tokens = "tokens",
    host: Annotated[str, typer.Option(help="Where to listen; beyond this machine only with TLS.")] = "127.0.0.1",
    port: Port = 8470,
    tls: Tls = None,
    plain: Plain = False,
    known_as: Known = None,
    protocol: Own = None,
) -> int:
    """Run the runtime as a service for agents of other processes; goes on with the journal's run. Ctrl-C ends it."""
    import asyncio

    from coagent import naming
    from coagent.live.serving import plan_of, serving

    own = None if protocol is None else naming.protocol(protocol)
    address = {"host": host, "port": port, "tls": tls, "plain": plain, "names": tuple(known_as or ())}
    asyncio.run(serving(plan_of(configuration), tokens, others=_tools_of, say=_say, own=own, **address))
    return HOLDS


def recover(
    journal: Annotated[str, typer.Argument(metavar="JOURNAL", help="Its file, or postgresql://HOST/DATABASE#RUN.")],
    record: Annotated[str | None, typer.Option(metavar="FILE", help="Write the history to a new file.")] = None,
    protocol: Own = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> int:
    """Settle what a live run left half-done when it was cut short, by reading its targets. Then its agents can go on.

    Exit codes: 0 all is settled, 1 a person has to look, 3 bad input.
    """
    from coagent import naming, saving
    from coagent.recovering import recover as settle
    from coagent.screen import print_report

    if record is not None:
        saving.check_free(record)
    found = settle(journal, protocol=None if protocol is None else naming.protocol(protocol))
    if record is not None:
        saving.save_history(found.history, record)
    if as_json:
        _say(json.dumps(found.to_json()))
    else:
        print_report(found.sentences(), found.exit_code)
    return found.exit_code


def _tools_of(name: str) -> "ToolSet":
    """The tools of a workload. Raises BadInput."""
    from coagent.naming import target

    return target(name).tools


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
