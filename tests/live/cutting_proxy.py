"""A proxy before a service that passes bytes on, and cuts connections when an answer comes, or all at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class CuttingProxy:
    """`cut_every`: of the answers, every so many-th is lost and its connection cut (0: none); `cut` counts them."""

    def __init__(self, upstream: int) -> None:
        self.upstream, self.port = upstream, 0
        self.cut_every = self.cut = self._answers = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both ways until either ends."""
        try:
            inner, outer = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            writer.close()
            return
        self._open |= {writer, outer}
        ways = [asyncio.ensure_future(self._asks(reader, outer)), asyncio.ensure_future(self._answer(inner, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            self._open -= {writer, outer}
            writer.close(), outer.close()

    async def _asks(self, reader: asyncio.StreamReader, outer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            outer.write(data)

    async def _answer(self, inner: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await inner.read(65536):
            self._answers += 1
            if self.cut_every and self._answers % self.cut_every == 0:
                self.cut += 1
                return
            writer.write(data)

    def cut_all(self) -> None:
        """Cut every connection that is open."""
        for writer in self._open:
            writer.close()


@asynccontextmanager
async def cutting_proxy(upstream: int) -> AsyncIterator[CuttingProxy]:
    """Run a proxy before a loopback port until the block ends."""
    proxy = CuttingProxy(upstream)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut_all()
