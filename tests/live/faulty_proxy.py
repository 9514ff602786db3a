"""A proxy before an HTTP server that lets things go wrong: connections cut before or after acting, silence, errors."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FaultyProxy:
    """Passes requests on. `faults` are pairs of method and fault, each for the next request of that method.

    Faults: `cut before` (nothing reaches the server), `cut after` (it acts, nobody hears of it), `silence` (it acts and
    the connection stays open), or a status as a number. `asked` counts what came in, by method.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream, self.port = upstream, 0
        self.faults: list[tuple[str, str]] = []
        self.asked: list[str] = []
        self.before: dict[str, object] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request of one connection."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            content = await reader.readexactly(int(length[1])) if length else b""
            method = head.split(b" ", 1)[0].decode()
            self.asked.append(method)
            fault = next((fault for named, fault in self.faults if named == method), "")
            if fault:
                self.faults.remove((method, fault))
            if hook := self.before.pop(method, None):
                await hook()
            if fault.isdigit():
                writer.write(f"HTTP/1.1 {fault} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            elif fault != "cut before":
                answer = await self._pass_on(head, content)
                if fault == "silence":
                    await reader.read()
                elif fault != "cut after":
                    writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _pass_on(self, head: bytes, content: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        writer.write(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + content)
        answer = await reader.read()
        writer.close()
        return answer


@asynccontextmanager
async def faulty_proxy(upstream: int) -> AsyncIterator[FaultyProxy]:
    """Run a proxy before a loopback port until the block ends."""
    proxy = FaultyProxy(upstream)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
