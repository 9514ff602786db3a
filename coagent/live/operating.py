"""The operator's side of a service: launching agents, waiting for GlobalQuiet, the history, what is stuck, the end."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from coagent.live.connection import Connection


class Operator:
    """What the operator's token allows. Open it with `operating`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def launch(self, name: str, rank: tuple[int, ...] | None = None) -> str:
        """Let an agent join; its new token. Raises IllegalEvent for a name or a rank that is taken."""
        body = {"agent": name, **({} if rank is None else {"rank": list(rank)})}
        return (await self._connection.ask("POST", "/v1/launch", body, again=False))["token"]

    async def bury(self, name: str) -> None:
        """Say that an agent is gone for good: what it did is taken back. Raises IllegalEvent when it is done."""
        while "pending" in await self._connection.ask("POST", "/v1/bury", {"agent": name}, again=False):
            pass

    async def agents(self) -> list[Mapping[str, object]]:
        """Name, rank, mode and number of turns of every agent, in pre-order."""
        return (await self._connection.ask("GET", "/v1/agents"))["agents"]

    async def quiet(self) -> None:
        """Wait for GlobalQuiet. Raises IllegalEvent when a person has to look first."""
        while "pending" in await self._connection.ask("GET", "/v1/quiet"):
            pass

    async def history(self) -> str:
        """The history so far, as NDJSON."""
        return (await self._connection.ask("GET", "/v1/history"))["text"]

    async def stuck(self) -> Mapping[str, str]:
        """What a person has to look at, by operation, with the reason."""
        return (await self._connection.ask("GET", "/v1/stuck"))["stuck"]

    async def retry(self, op: str) -> None:
        """Try again what was stuck. Raises IllegalEvent when it is not."""
        await self._connection.ask("POST", "/v1/retry", {"op": op}, again=False)

    async def shutdown(self) -> None:
        """End the service; what is under way is finished first."""
        await self._connection.ask("POST", "/v1/shutdown", {}, again=False)


@asynccontextmanager
async def operating(
    url: str, token: str, *, ca: str | None = None, patience_s: float = 60.0
) -> AsyncIterator[Operator]:
    """The operator's side of a service. `ca`, `patience_s`: see `Connection`."""
    connection = Connection(url, token, ca=ca, patience_s=patience_s)
    try:
        yield Operator(connection)
    finally:
        await connection.close()
