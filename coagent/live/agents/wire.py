"""Chat Completions as they go over the wire: requests as JSON, and answers put together, whole or from a stream.

Sources: OpenAI's API reference, "Create chat completion". Servers that speak it differ in small things, and what is
known of that is met here: calls without an id, names sent twice, tokens counted under other names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coagent.live.agents.completion import Completion, Message, ToolCall, ToolSpec


def request(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> dict[str, object]:
    """The fields `messages` and, if there are any, `tools` of a request."""
    asked: dict[str, object] = {"messages": [_message(one) for one in messages]}
    if tools:
        asked["tools"] = [
            {"type": "function", "function": {"name": one.name, "description": one.says, "parameters": one.schema}}
            for one in tools
        ]
    return asked


def _message(message: Message) -> dict[str, object]:
    match message.role:
        case "tool":
            return {"role": "tool", "tool_call_id": message.answers, "content": message.text}
        case "assistant" if message.calls:
            calls = [
                {"id": one.id, "type": "function", "function": {"name": one.name, "arguments": one.arguments}}
                for one in message.calls
            ]
            return {"role": "assistant", "content": message.text or None, "tool_calls": calls}
        case role:
            return {"role": role, "content": message.text}


class Cut(Exception):
    """An answer ended before it was whole."""


@dataclass(slots=True)
class _Piece:
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True, kw_only=True)
class Assembly:
    """Puts an answer together from what the server sends of it, as the `openai` package reads it."""

    text: str = ""
    finish: str | None = None
    usage: object = None
    _pieces: list[_Piece] = field(default_factory=list)
    _at: dict[int, int] = field(default_factory=dict)

    def take(self, chunk: object) -> None:
        """Take a chunk of a stream, or an answer that came whole. Only the first choice counts."""
        self.usage = getattr(chunk, "usage", None) or self.usage
        for choice in (getattr(chunk, "choices", None) or ())[:1]:
            said = getattr(choice, "delta", None) or getattr(choice, "message", None)
            self.finish = getattr(choice, "finish_reason", None) or self.finish
            self.text += (getattr(said, "content", None) or "") + (getattr(said, "refusal", None) or "")
            for place, call in enumerate(getattr(said, "tool_calls", None) or ()):
                index = getattr(call, "index", None)
                self._take_call(place if index is None else index, call)

    def _take_call(self, index: int, call: object) -> None:
        """A call's parts are joined by index; an id other than the one that is there begins another call."""
        here = self._pieces[self._at[index]] if index in self._at else None
        if here is None or (call.id and here.id and call.id != here.id):
            here = _Piece()
            self._pieces.append(here)
            self._at[index] = len(self._pieces) - 1
        here.id = here.id or call.id or ""
        if (function := call.function) is None:
            return
        # Some servers say the whole name again with every part; it is complete once the arguments have begun.
        if function.name and not here.arguments and function.name != here.name:
            here.name += function.name
        here.arguments += function.arguments or ""

    def completion(self, seconds: float) -> Completion:
        """The whole answer. Raises Cut when the server has not said why it ended."""
        if self.finish is None:
            raise Cut
        calls = tuple(
            ToolCall(id=piece.id or f"call-{number}", name=piece.name, arguments=piece.arguments)
            for number, piece in enumerate(self._pieces, start=1)
        )
        return Completion(text=self.text, calls=calls, seconds=seconds, finish=self.finish, **_counted(self.usage))


def _counted(usage: object) -> Mapping[str, int]:
    """The tokens by field of a completion; DeepSeek counts those from its cache beside the others."""
    if usage is None:
        return {}
    details = getattr(usage, "prompt_tokens_details", None)
    cached = getattr(details, "cached_tokens", None)
    if cached is None:
        cached = getattr(usage, "prompt_cache_hit_tokens", None)
    return {
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": cached or 0,
        "output_tokens": usage.completion_tokens,
    }
