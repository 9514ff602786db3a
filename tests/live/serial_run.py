"""A workload run on a target one agent after the other: every call read, worked out and written before the next."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coagent.live.target import Target
from coagent.operation import Cell, Result, Value
from coagent.workload import Workload


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells as a tool sees them."""

    cells: Mapping[str, Value]

    def cell(self, path: str) -> Cell:
        return (self.cells[path],) if path in self.cells else ()

    def below(self, path: str) -> Iterator[str]:
        return iter(sorted(name for name in self.cells if name.startswith(path + "/")))


async def run_serially(target: Target, workload: Workload) -> tuple[Mapping[str, Value], dict[str, object]]:
    """The final cells below the target's roots, and what each agent reported."""
    await target.write({path: (value,) for path, value in workload.state}, seen={}, restore={})
    reports = {}
    for agent in workload.agents:
        program, answer = agent.program(), None
        while True:
            try:
                intent = program.send(answer)
            except StopIteration as end:
                reports[agent.name] = end.value
                break
            answer = await _called(target, workload, intent.call.tool, dict(intent.call.args))
    return (await target.read(target.roots)).cells, reports


async def _called(target: Target, workload: Workload, name: str, args: Mapping[str, Value]) -> Result:
    tool = workload.tools[name]
    reading = await target.read(tool.declare(args).footprint)
    result, writes = tool.exec(Cells(reading.cells), args)
    await target.write(dict(writes), seen=reading.memo, restore={})
    return result
