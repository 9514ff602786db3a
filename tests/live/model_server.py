"""A server on loopback that speaks Chat Completions; what it says is a program's, and it can be told to misbehave."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

KEY = "sk-loopback-0123456789-abcdefghij"
"""The one key that is let in."""

Call = tuple[str, str]
"""A tool call as the model writes it: the tool's name, and its arguments as text, which need not be JSON."""


@dataclass(frozen=True, kw_only=True)
class Say:
    """A good answer. `usage` False: tokens are not counted for anybody."""

    text: str = ""
    calls: Sequence[Call] = ()
    usage: bool = True
    finish: str | None = None


@dataclass(frozen=True, kw_only=True)
class Status:
    """An error by its status, with headers and a body as OpenAI's have it."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None
    message: str = "no"


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A good answer of which the first `parts` events arrive; then the connection is gone (`clean`: the body ends)."""

    say: Say
    parts: int = 2
    clean: bool = False


@dataclass(frozen=True, kw_only=True)
class Slow:
    """A good answer whose first byte takes a while."""

    say: Say
    wait_s: float


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Any body at all, with status 200."""

    body: str
    type: str = "text/event-stream"


Act = Say | Status | Cut | Slow | Raw
Script = Callable[[Sequence[Mapping[str, object]], int], Act]
"""What is answered, from the messages of the request and how many requests came before it."""


@dataclass
class ModelServer:
    """What is known of the requests; `split` is how many characters go into one part of a stream."""

    script: Script
    url: str = ""
    split: int = 3
    requests: list[dict[str, object]] = field(default_factory=list)
    refused: int = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request of `POST /v1/chat/completions`."""
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            self.refused += 1
            said = request.headers.get("Authorization", "")
            return _error(Status(status=401, message=f"Incorrect API key provided: {said}"))
        asked = await request.json()
        before = len(self.requests)
        self.requests.append(asked)
        act = self.script(asked["messages"], before)
        match act:
            case Status():
                return _error(act)
            case Raw():
                return web.Response(text=act.body, content_type=act.type)
            case Slow():
                await asyncio.sleep(act.wait_s)
                act = act.say
        say, parts = (act.say, act.parts) if isinstance(act, Cut) else (act, None)
        if not asked.get("stream"):
            return await self._whole(request, say, asked, parts)
        return await self._stream(request, say, asked, parts, isinstance(act, Cut) and act.clean)

    async def _whole(self, request: web.Request, say: Say, asked: Mapping, parts: int | None) -> web.StreamResponse:
        body = json.dumps(_whole(say, asked)).encode()
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body if parts is None else body[: parts * 10])
        if parts is not None:
            request.transport.close()
        return response

    async def _stream(
        self, request: web.Request, say: Say, asked: Mapping, parts: int | None, clean: bool
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in [*_events(say, asked, self.split), "[DONE]"][:parts]:
            data = f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode()
            # The parts of an event arrive apart, in the middle of a character where there is one of several bytes.
            for at in range(0, len(data), 17):
                await response.write(data[at : at + 17])
        if parts is not None and not clean:
            await asyncio.sleep(0.02)
            request.transport.abort()
        return response


@asynccontextmanager
async def serving(script: Script, **more: object) -> AsyncIterator[ModelServer]:
    """The server on a free port, as long as the block lasts."""
    server = ModelServer(script=script, **more)
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


def said(*acts: Act) -> Script:
    """These, one after the other; the last one ever after."""
    return lambda messages, before: acts[min(before, len(acts) - 1)]


def _error(act: Status) -> web.Response:
    error = {"message": act.message, "type": "error", "param": None, "code": act.code}
    return web.json_response({"error": error}, status=act.status, headers=dict(act.headers))


def _usage(say: Say, asked: Mapping) -> dict[str, object]:
    """A token is four characters here; all messages but the last two come from the cache."""
    sizes = [len(json.dumps(message)) // 4 for message in asked["messages"]]
    written = (len(say.text) + sum(len(name) + len(text) for name, text in say.calls)) // 4
    return {
        "prompt_tokens": sum(sizes),
        "completion_tokens": written,
        "total_tokens": sum(sizes) + written,
        "prompt_tokens_details": {"cached_tokens": sum(sizes[:-2])},
    }


def _finish(say: Say) -> str:
    return say.finish or ("tool_calls" if say.calls else "stop")


def _ids(asked: Mapping) -> str:
    return f"call_{len(asked['messages'])}"


def _whole(say: Say, asked: Mapping) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": say.text or None}
    if say.calls:
        message["tool_calls"] = [
            {"id": f"{_ids(asked)}_{place}", "type": "function", "function": {"name": name, "arguments": text}}
            for place, (name, text) in enumerate(say.calls)
        ]
    choice = {"index": 0, "message": message, "finish_reason": _finish(say), "logprobs": None}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": asked["model"]}
    return {**head, "choices": [choice], **({"usage": _usage(say, asked)} if say.usage else {})}


def _events(say: Say, asked: Mapping, split: int) -> list[dict[str, object]]:
    """The chunks of a stream: the text, then the parts of all calls in turn, the reason, and the tokens."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": asked["model"]}

    def chunk(delta: Mapping[str, object], finish: str | None = None) -> dict[str, object]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]}

    events = [chunk({"role": "assistant", "content": ""})]
    events += [chunk({"content": part}) for part in _parts(say.text, split)]
    for place, (name, _) in enumerate(say.calls):
        function = {"name": name, "arguments": ""}
        call = {"index": place, "id": f"{_ids(asked)}_{place}", "type": "function", "function": function}
        events.append(chunk({"tool_calls": [call]}))
    texts = [_parts(text, split) for _, text in say.calls]
    for turn in range(max(map(len, texts), default=0)):
        for place, parts in enumerate(texts):
            if turn < len(parts):
                events.append(chunk({"tool_calls": [{"index": place, "function": {"arguments": parts[turn]}}]}))
    events.append(chunk({}, _finish(say)))
    if say.usage and asked.get("stream_options", {}).get("include_usage"):
        events.append({**head, "choices": [], "usage": _usage(say, asked)})
    return events


def _parts(text: str, split: int) -> list[str]:
    return [text[at : at + split] for at in range(0, len(text), split)]
