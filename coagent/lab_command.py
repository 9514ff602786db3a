"""The command `lab`: copies the notebooks, says where they are, and lets JupyterLab take over."""

import sys
from typing import Annotated

import typer


def lab(
    folder: Annotated[
        str, typer.Argument(metavar="[FOLDER]", help="Where the copy goes; edited files in it are kept.")
    ] = "coagent-notebooks",
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Say the address and open no browser.")] = False,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port; by default the first free one.")] = None,
    allow_root: Annotated[bool, typer.Option("--allow-root", help="Run as root, as in a container.")] = False,
) -> int:
    """Open JupyterLab on a copy of the notebooks, and stay until it is closed. Needs the extra `notebooks`."""
    from coagent.bad_input import BadInput
    from coagent.lab import check_extra, command, copied, opened

    check_extra()
    made = copied(folder)
    for line in made.sentences():
        sys.stderr.write(f"coagent: {line}\n")
    code = opened(command(made.folder, browser=not no_browser, port=port, root=allow_root))
    if code > 0:
        raise BadInput(f"JupyterLab ended with exit code {code}; what it printed above says why")
    return 0
