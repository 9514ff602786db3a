"""What testing a protocol came to, as sentences, as JSON and as files to replay.

Decides nothing. Figures are counts; nothing here is timed.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from coagent.saving import check_free, save, save_history
from coagent.scenario import scenario_out
from coagent.testing.contract import Conformance
from coagent.testing.trial import Trial, Witness

EXIT = {"acquitted": 0, "convicted": 1, "refused": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How far to look. `states` bounds each small world, `examples` counts random scenarios of up to `agents` agents
    and `steps` steps each, `schedules` the runs of each, `runs` those of the contract's battery."""

    name: str
    states: int
    examples: int
    schedules: int
    runs: int
    agents: int = 3
    steps: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`verdict` is `acquitted` (no counterexample within the budget), `convicted` (there is a `witness`) or
    `refused` (it is no protocol that could be judged; `conformance` says why). `found` is the witness before it
    was made small, `schedules` how many were taken of random scenarios; `command` is what `--protocol` calls it."""

    protocol: str
    promises: str
    budget: Budget
    verdict: str
    conformance: Conformance
    worlds: tuple[Trial, ...] = ()
    examples: int = 0
    schedules: int = 0
    found: Witness | None = None
    witness: Witness | None = None
    command: str = ""
    files: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 acquitted, 1 convicted, 3 refused."""
        return EXIT[self.verdict]

    @property
    def states(self) -> int:
        """The states explored in the small worlds, all together."""
        return sum(one.states for one in self.worlds)

    @property
    def notified(self) -> int:
        """In how many small worlds some schedule sends a notice."""
        return sum(one.notified for one in self.worlds)

    def sentences(self) -> list[str]:
        """The report in lines that a person reads."""
        return [f"{self.protocol}: {self.verdict}", *self._lines()]

    def __str__(self) -> str:
        return "\n".join(self.sentences())

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        return import_module("coagent.notebook.display").report_html(self)

    def _lines(self) -> Iterator[str]:
        done = self.conformance
        yield from (f"remark: {one}" for one in done.remarks)
        if done.refused:
            yield done.refused
            return
        yield f"contract: {done.steps:,} steps of {done.runs} random runs, each made twice, and again from the start"
        yield from self._explored()
        if self.examples:
            yield f"sampled: {self.examples:,} random scenarios, {self.schedules:,} schedules in all"
        if self.witness is None:
            yield "no counterexample"
        else:
            yield from self._witness(self.witness)

    def _explored(self) -> Iterator[str]:
        if not self.worlds:
            return
        cut = [one for one in self.worlds if one.open]
        left = f"{_many(sum(one.open for one in cut), 'state')} of {_many(len(cut), 'world')}"
        rest = f"; open at the bound: {left}" if cut else ""
        yield (
            f"explored: every schedule of {_many(len(self.worlds) - len(cut), 'small world')}, "
            f"{_many(self.states, 'state')}; notices are sent in {self.notified}{rest}"
        )
        gave_up = sum(one.gave_up for one in self.worlds)
        if gave_up:
            where = _many(gave_up, "world")
            yield f"remark: agents give up after restarts on some schedule of {where}, which is no conviction"

    def _witness(self, one: Witness) -> Iterator[str]:
        size = _size(one)
        if self.found is not None and (self.found.agents, self.found.calls) != (one.agents, one.calls):
            size += f" (shrunk from {_size(self.found)})"
        yield f"counterexample: {size}; convicted by {', '.join(one.judges) or 'its end'}"
        yield f"scenario: {json.dumps({key: value for key, value in _data(one).items() if key != 'schedule'})}"
        yield f"schedule: {','.join(map(str, one.schedule)) or '0'}"
        yield f"why: {one.why}"
        yield from one.ran.verdict.sentences()
        yield f"replay: {self.replay}"

    @property
    def replay(self) -> str:
        """The command that runs the counterexample again."""
        file = self.files[0] if self.files else "FILE"
        schedule = ",".join(map(str, self.witness.schedule)) if self.witness else ""
        return f"coagent run {file} --protocol {self.command} --schedule {schedule or '0'}"

    def to_json(self) -> dict[str, object]:
        """The report as JSON."""
        one = self.witness
        return {
            "protocol": self.protocol,
            "verdict": self.verdict,
            "promises": self.promises,
            "budget": self.budget.name,
            "refused": self.conformance.refused or None,
            "remarks": list(self.conformance.remarks),
            "steps": self.conformance.steps,
            "worlds": [
                {"name": each.name, "states": each.states, "open": each.open, "depth": each.depth}
                for each in self.worlds
            ],
            "states": self.states,
            "examples": self.examples,
            "schedules": self.schedules,
            "witness": one
            and {
                "kind": one.kind,
                "why": one.why,
                "agents": one.agents,
                "calls": one.calls,
                "anomalies": list(one.anomalies),
                "judges": list(one.judges),
                "schedule": list(one.schedule),
                "scenario": _data(one),
                "sentences": one.ran.verdict.sentences(),
                "replay": self.replay,
            },
            "files": list(self.files),
        }


def _size(one: Witness) -> str:
    return f"{_many(one.agents, 'agent')}, {_many(one.calls, 'call')}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def paths(folder: Path, protocol: str) -> tuple[str, str]:
    """Where a protocol's counterexample and its history go; raises BadInput unless both names are free."""
    stem = re.sub(r"[^\w.-]+", "-", protocol).strip("-.") or "protocol"
    found = str(folder / f"{stem}.counterexample.json"), str(folder / f"{stem}.counterexample.ndjson")
    for path in found:
        check_free(path)
    return found


def write(witness: Witness, files: tuple[str, str]) -> None:
    """Write the scenario with its schedule, and the history of its run."""
    save((json.dumps(_data(witness), indent=1) + "\n",), files[0])
    save_history(witness.ran.outcome.history, files[1])


def _data(witness: Witness) -> dict:
    return scenario_out(witness.scenario)
