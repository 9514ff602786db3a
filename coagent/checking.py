"""Judges the histories in a file in the order that each says its protocol promises."""

from collections.abc import Sequence

from checker import check_source
from checker.certificate import certificate as certified
from checker.formats import NAMES, Source, load, read_bytes
from checker.formats.own import header
from checker.level import level as known_level
from checker.rerun import Rerun
from checker.verdict import Verdict
from coagent import saving
from coagent.bad_input import BadInput
from coagent.history import frozen
from coagent.operation import same
from coagent.stepper import rerun
from workloads import FAMILIES, GENERATED, workload

ORDERS = ("declared", "any")


def check_options(format: str, order: str | None, level: str) -> None:
    """Raise BadInput for a format, an order or a level that there is not."""
    known_level(level)
    if format not in NAMES:
        raise BadInput(f"--format is {format!r}; known are {', '.join(NAMES)}")
    if order is not None and order not in ORDERS:
        raise BadInput(f"--order is {order!r}; known are {', '.join(ORDERS)}")


def check_certificate(certificate: str | None, histories: Sequence[str]) -> None:
    """Raise BadInput when no certificate can be written to a file of that name."""
    if certificate is not None:
        if len(histories) > 1:
            raise BadInput(f"--certificate is for one file of histories, and {len(histories)} are given")
        saving.check_free(certificate)


def verdicts(
    file: str,
    format: str,
    order: str | None,
    level: str,
    certificate: str | None = None,
    tables: str = GENERATED,
) -> tuple[list[tuple[str, Verdict]], BadInput | None]:
    """Name and verdict of each history in a file, up to the first that cannot be used, and what is wrong with it.

    With `certificate`, the name of a new file, what shows all the answers is written to it. `tables` are those that
    the runs in the office were made with.
    """
    found: list[tuple[str, Verdict]] = []
    answers: list[tuple[Source, Verdict]] = []
    try:
        for source in load(file, format):
            verdict = check_source(source, order=order or promised(source), level=level, rerun=programs(source, tables))
            found.append((source.name, verdict))
            answers += [(source, verdict)] if certificate else []
        if certificate:
            saving.save([*certified(read_bytes(file), answers)], certificate)
    except BadInput as error:
        return found, error
    return found, None


def promised(source: Source) -> str:
    """The order that a history's header promises; `any` where it says none, or is not readable as a header."""
    if source.format != "coagent":
        return "any"
    order = header(source.content).get("order")
    return order if order in ORDERS else "any"


def programs(source: Source, tables: str = GENERATED) -> Rerun | None:
    """The agents' programs, when the history is of a workload that comes along: name, agents and start state agree.

    Agents that models drove have none; of theirs the tools are known.
    """
    if source.format != "coagent":
        return None
    try:
        head = header(source.content)
        name, agents, state = head["workload"], [one["name"] for one in head["agents"]], head["state"]
        many = len(agents) if name in FAMILIES else None
        known = workload(name, agents=many, tables=tables)
        here = same(sorted((path, frozen(value)) for path, value in state.items()), sorted(known.state))
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError, BadInput):
        return None
    if not here or agents != [one.name for one in known.agents]:
        return None
    return rerun(known, driven=bool(head.get("models")))
