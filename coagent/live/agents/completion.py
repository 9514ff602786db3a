"""The words between an agent and a language model: messages, tools, completions, and their form as JSON.

A model knows nothing of agents; it is given the whole context each time and says what comes next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol

ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call as a model wrote it; `arguments` is its text, which need not be JSON. The answer refers to its `id`."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a context, which only ever grows.

    `role` is one of ROLES. `calls` are an assistant's; `answers` is the id of the call that a tool's message answers.
    """

    role: str
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    answers: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool as a model is shown it; `schema` is the JSON Schema of its arguments, an object."""

    name: str
    says: str
    schema: Mapping[str, object] = field(default_factory=lambda: {"type": "object", "properties": {}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a model said, and what it took.

    Tokens are as the server counted them: `prompt_tokens` with the `cached_tokens` among them, `output_tokens`. All
    three are None where it did not say; nothing is estimated. `seconds` are from the request that was answered to the
    end of its answer. `finish` is the server's reason: `stop`, `tool_calls`, `length`, ...
    """

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float = 0.0
    finish: str = "stop"

    @property
    def message(self) -> Message:
        """The completion as the context keeps it."""
        return Message(role="assistant", text=self.text, calls=self.calls)


class Model(Protocol):
    """A language model behind an address."""

    @property
    def name(self) -> str:
        """Which model it is, as its server calls it."""
        ...

    @property
    def settings(self) -> Mapping[str, object]:
        """What else a completion depends on, as JSON: temperature, seed, ...; no address and no key."""
        ...

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Completion:
        """The next message. Raises NoCompletion when none was to be had, and BadInput for what a person has to mend."""
        ...


class NoCompletion(Exception):
    """The model has not answered, asked as often as allowed. The message is one sentence, without keys."""


def to_json(word: Message | ToolCall | ToolSpec | Completion) -> dict[str, object]:
    """A word as JSON; every field is there."""
    return asdict(word)


def completion_from(found: Mapping[str, object]) -> Completion:
    """The completion that `to_json` gave. Raises KeyError, TypeError or ValueError for anything else."""
    completion = Completion(**{**found, "calls": _calls(found["calls"])})
    counted = (completion.prompt_tokens, completion.cached_tokens, completion.output_tokens)
    if not isinstance(completion.text, str) or not all(isinstance(one, int | None) for one in counted):
        raise TypeError(found)
    return completion


def _calls(found: Sequence[Mapping[str, str]]) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(**one) for one in found)
