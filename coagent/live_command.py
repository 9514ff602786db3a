"""The commands for live runs: their options, and what they print."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from coagent.live.serving import ToolSet

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


def serve(
    configuration: Configuration,
    tokens: Tokens = "tokens",
    host: Annotated[str, typer.Option(help="Where to listen; beyond this machine only with TLS.")] = "127.0.0.1",
    port: Port = 8470,
    tls: Tls = None,
    plain: Plain = False,
    known_as: Known = None,
) -> int:
    """Run the runtime as a service for agents of other processes; goes on with the journal's run. Ctrl-C ends it."""
    import asyncio

    from coagent.live.serving import plan_of, serving

    address = {"host": host, "port": port, "tls": tls, "plain": plain, "names": tuple(known_as or ())}
    asyncio.run(serving(plan_of(configuration), tokens, others=_tools_of, say=_say, **address))
    return HOLDS


def _tools_of(name: str) -> "ToolSet":
    """The tools of a workload. Raises BadInput."""
    from coagent.naming import target

    return target(name).tools


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
