"""An agent in a process of its own: reads orders from its standard input, a JSON object a line, and answers each.

`play`: the program of an agent of a workload, with nothing but what the runtime says of the tools; `add`: so many
additions to some paths, after each other.
"""

import asyncio
import json
import sys

from coagent.live.client import connect
from coagent.live.scripted import play
from coagent.naming import target


async def played(url: str, token: str, workload: str, agent: str, think_s: float = 0.0, **more: object) -> list[str]:
    program = next(one.program for one in target(workload).agents if one.name == agent)
    async with connect(url, token, **more) as live:
        turn = await play(live.agent(), program, think_s=think_s)
        return [turn.kind, live.name]


async def added(
    url: str, token: str, paths: list[str], times: int, think_s: float = 0.0, **more: object
) -> list[object]:
    async with connect(url, token, **more) as live:
        agent = live.agent()
        turn = await agent.turn()
        for _ in range(times):
            for path in paths:
                while (turn := await agent.call("add", path=path, by=1)).kind == "held":
                    pass
                assert turn.kind == "result" and turn.result.status == "ok", turn
            await asyncio.sleep(think_s)
        while (turn := await agent.finish("done")).kind in ("held", "reopened"):
            pass
        return [turn.kind, len(agent.log)]


async def main() -> None:
    orders = {"play": played, "add": added}
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        answer = await orders[order.pop("do")](**order)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
