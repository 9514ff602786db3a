"""What `coagent prove` is asked to show: of a workload, of a recorded run, of tools, or of any number of agents.

Finds what is named, asks the proofs, and puts the answers together for the screen, for JSON and for the exit code.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from checker.proof.commutativity import Needless, needless
from checker.proof.equivalence import prove_history
from checker.proof.proof import Proof
from checker.proof.proposition import prove_laws, prove_proposition
from checker.proof.tool_table import Line, exit_code, proved_tools
from coagent import naming
from coagent.bad_input import BadInput
from coagent.history import History, parse
from coagent.proving import prove_workload
from coagent.tool import TOOLS, Tool
from workloads import workload

HEAD = 4096
"""Bytes of a file that are looked at to tell a history from a scenario."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The answers: proofs, the notices that were needless, the lines about tools; `target` is what was named."""

    target: str
    proofs: tuple[Proof, ...] = ()
    needless: tuple[Needless, ...] = ()
    lines: tuple[Line, ...] = ()

    @property
    def exit_code(self) -> int:
        """The worst of the answers: 1 refuted, then 2 unknown, then 0 proved."""
        codes = {one.exit_code for one in self.proofs} | ({exit_code(self.lines)} if self.lines else set())
        return 1 if 1 in codes else 2 if 2 in codes else 0

    def to_json(self) -> dict[str, object]:
        """One object; the only proof's own fields when there is one."""
        shape: dict[str, object] = {"target": self.target, "verdict": ("proved", "refuted", "unknown")[self.exit_code]}
        if len(self.proofs) == 1:
            shape |= self.proofs[0].to_json()
        elif self.proofs:
            shape |= {"proofs": [one.to_json() for one in self.proofs]}
        if self.lines:
            shape |= {"tools": [one.to_json() for one in self.lines]}
        if self.needless:
            shape |= {"needless": [{"op": one.op, "cause": one.cause, "always": one.always} for one in self.needless]}
        return shape

    def sentences(self) -> Iterator[str]:
        """In lines that a person reads, but for the table of tools."""
        for one in self.proofs:
            yield from one.sentences()
        yield from (one.sentence() for one in self.needless)


def shown(
    target: str,
    protocol: str,
    *,
    schedule: str | None,
    seed: int,
    agents: int | None,
    paths: int,
    seconds: float,
    items_max: int,
) -> Shown:
    """The proof for a scenario, a workload or a recorded history. Raises BadInput."""
    if is_history(target):
        return of_history(target, seconds=seconds, items_max=items_max)
    named, engine = naming.target(target, agents), naming.protocol(protocol)
    wanted = naming.schedule(schedule, named.schedule)
    limits = {"paths": paths, "seconds": seconds, "items_max": items_max}
    with naming.blamed(protocol):
        proof = prove_workload(named, engine, schedule=wanted, seed=seed, **limits)
    return Shown(target=target, proofs=(proof,))


def of_history(file: str, *, seconds: float, items_max: int) -> Shown:
    """The proof for a recorded run, and the notices in it that were needless."""
    try:
        history = parse(Path(file).read_text(encoding="utf-8"), file)
    except UnicodeDecodeError:
        raise BadInput("the file is not UTF-8 text; name a recorded history or a scenario", file) from None
    tools = tools_of(history)
    proof = prove_history(history, tools=tools, seconds=seconds, items_max=items_max)
    return Shown(target=file, proofs=(proof,), needless=tuple(needless(history, tools, seconds=seconds)))


def of_tools(names: Iterable[str], *, seconds: float) -> Shown:
    """The table of the eight calls of scenarios, and of the named workloads' own tools. Raises BadInput."""
    tools = dict(TOOLS)
    for name in names:
        tools |= naming.target(name).tools
    lines = tuple(proved_tools(tools, seconds=seconds))
    return Shown(target="the tools", lines=lines)


def of_proposition(*, seconds: float) -> Shown:
    """The proposition, and the two laws."""
    return Shown(target="the proposition", proofs=(prove_proposition(seconds=seconds), *prove_laws(seconds=seconds)))


def is_history(name: str) -> bool:
    """Whether an argument names a file whose first line is a history's header, or that at least looks meant so."""
    if name.endswith(".ndjson"):
        return True
    if not naming.is_file(name):
        return False
    try:
        with Path(name).open("rb") as file:
            return b'"history"' in file.read(HEAD).partition(b"\n")[0]
    except OSError:
        return False


def tools_of(history: History) -> Mapping[str, Tool]:
    """The tools of the workload that a history names; the eight calls when there is none of that name."""
    try:
        return workload(str(history.header["workload"])).tools
    except BadInput:
        return TOOLS
