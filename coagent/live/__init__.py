"""The middleware: the same engine between real agents and real state, on asyncio."""
