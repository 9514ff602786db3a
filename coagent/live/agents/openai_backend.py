"""A model behind an address that speaks OpenAI's Chat Completions: OpenAI, DeepSeek, vLLM, Ollama, ...

The key is read from the environment when the first request is made, goes into its header, and nowhere else.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

from coagent.bad_input import BadInput
from coagent.live.agents.completion import Completion, Message, NoCompletion, ToolCall, ToolSpec
from coagent.live.agents.patience import Patience, retry_after_s
from coagent.live.agents.wire import Assembly, Cut, request

AGAIN = (408, 409, 429)
"""The statuses below 500 after which the same request may do."""

SPENT = "insufficient_quota"
"""The code of a 429 that waiting does not help."""

HIDDEN = "(key)"
SECRET_LENGTH = 16
"""From how many characters on a key is taken out of what the model says; a local server's may be any short word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failure:
    """Why a request brought nothing. `asked_s` is how long the server asks to wait; `mend`: it is no use to wait."""

    why: str
    asked_s: float | None = None
    mend: bool = False


@dataclass(slots=True, kw_only=True)
class OpenaiModel:
    """A model by name, at `base_url` (None: OpenAI's, or what OPENAI_BASE_URL says).

    `key_variable` names the environment variable that holds the key. `temperature` and `seed` are sent where they are
    given, and `extra` as further fields of the request. `timeout_s` is for one whole answer. 408, 409, 429, 5xx, cut
    connections and time-outs are tried again with `patience`; `sleep` takes seconds. Both this and the client belong to
    the event loop of the first request; `close` lets go of its connections.
    Raises BadInput for an address with a password, and for a key that cannot be one.
    """

    name: str
    base_url: str | None = None
    key_variable: str = "OPENAI_API_KEY"
    temperature: float | None = None
    seed: int | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    stream: bool = True
    timeout_s: float = 300.0
    patience: Patience = Patience()
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Random = field(default_factory=Random, repr=False)
    _client: object = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.base_url is None:
            return
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise BadInput("the base URL is no address; it looks like https://HOST/v1 or http://127.0.0.1:8000/v1")
        if address.username or address.password or address.query:
            raise BadInput(
                "the base URL holds a name, a password or a query, and addresses are written down; put the key into "
                f"the environment variable {self.key_variable}"
            )

    @property
    def settings(self) -> Mapping[str, object]:
        """Temperature, seed and further fields, as far as they are given."""
        given = {"temperature": self.temperature, "seed": self.seed}
        return {**{name: value for name, value in given.items() if value is not None}, **self.extra}

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Completion:
        """Ask until there is a whole answer, or patience ends."""
        key = self._key()
        failures = 0
        while True:
            found = await self._once(messages, tools, key)
            if isinstance(found, Completion):
                return _without(key, found)
            why = found.why.replace(key, HIDDEN)
            if found.mend:
                raise BadInput(why)
            failures += 1
            wait_s = self.patience.wait_s(failures, found.asked_s, self.random)
            if wait_s is None:
                raise NoCompletion(_given_up(self.name, why, failures, found.asked_s))
            await self.sleep(wait_s)

    async def close(self) -> None:
        """Let go of connections; the next request opens others."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _key(self) -> str:
        key = os.environ.get(self.key_variable, "")
        if not key:
            raise BadInput(
                f"the model {self.name!r} has no key: the environment variable {self.key_variable} is not set; "
                "set it (to any word, for a server that wants no key)"
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise BadInput(
                f"the environment variable {self.key_variable} holds a blank or another character that no key has; "
                "a line end may have been copied with it"
            )
        return key

    def _opened(self, key: str) -> object:
        """The client; it retries nothing by itself, so that every wait goes through `sleep`."""
        try:
            from openai import AsyncOpenAI
        except ImportError:
            raise BadInput("the package openai is not installed; `pip install '.[models]'` brings it") from None
        if self._client is None:
            self._client = AsyncOpenAI(api_key=key, base_url=self.base_url, max_retries=0, timeout=self.timeout_s)
        return self._client

    async def _once(self, messages: Sequence[Message], tools: Sequence[ToolSpec], key: str) -> Completion | _Failure:
        """One request. What goes wrong is returned, since the package's own errors keep the request and its header."""
        create = self._opened(key).chat.completions.create
        import openai

        given = {"temperature": self.temperature, "seed": self.seed}
        given = {name: value for name, value in given.items() if value is not None}
        asked = {"model": self.name, **request(messages, tools), **given, "extra_body": dict(self.extra)}
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._answer(create, asked)
        except openai.APIStatusError as error:
            return _refused(error.status_code, error, retry_after_s(error.response.headers), self.key_variable)
        except (openai.APITimeoutError, TimeoutError):
            return _Failure(why=f"had no whole answer within {self.timeout_s:g} s")
        except openai.APIConnectionError as error:
            return _Failure(why=f"lost the connection ({type(error.__cause__ or error).__name__})")
        except openai.APIError as error:
            return _Failure(why=f"sent an error in the middle of its answer: {_said(error)}")
        except Cut:
            return _Failure(why="ended its answer before it was whole (is the base URL right?)")
        except ValueError as error:
            return _Failure(why=f"sent what is not JSON ({type(error).__name__})")

    async def _answer(self, create: Callable[..., Awaitable[object]], asked: Mapping[str, object]) -> Completion:
        clock, whole = asyncio.get_running_loop().time, Assembly()
        begun_s = clock()
        if not self.stream:
            whole.take(await create(**asked))
        else:
            async with await create(**asked, stream=True, stream_options={"include_usage": True}) as chunks:
                async for chunk in chunks:
                    whole.take(chunk)
        return whole.completion(clock() - begun_s)


def _refused(status: int, error: object, asked_s: float | None, variable: str) -> _Failure:
    if status == 401:
        # What the server says of a wrong key begins with a part of it.
        return _Failure(why=f"the model server does not take the key in {variable} (401); check it", mend=True)
    if status == 429 and SPENT in (error.code, error.type):
        return _Failure(why="the account of the key has nothing left (429); waiting does not help", mend=True)
    if status in AGAIN or status >= 500:
        return _Failure(why=f"answered {status}", asked_s=asked_s)
    return _Failure(
        why=f"the model server refuses the request ({status}): {_said(error)}; check the model's name and the base URL",
        mend=True,
    )


def _said(error: object) -> str:
    """The server's own words, on one line and not too many."""
    return " ".join(str(error.message).split())[:300]


def _given_up(name: str, why: str, failures: int, asked_s: float | None) -> str:
    waits = f" and asks to wait {asked_s:g} s" if asked_s is not None else ""
    times = "once" if failures == 1 else f"{failures} times"
    return f"the model {name!r} was asked {times} and did not answer: at last its server {why}{waits}"


def _without(key: str, completion: Completion) -> Completion:
    """The completion, with the key taken out where a server says it back."""
    if len(key) < SECRET_LENGTH:
        return completion
    calls = tuple(
        ToolCall(id=call.id.replace(key, HIDDEN), name=call.name, arguments=call.arguments.replace(key, HIDDEN))
        for call in completion.calls
    )
    return Completion(
        text=completion.text.replace(key, HIDDEN),
        calls=calls,
        prompt_tokens=completion.prompt_tokens,
        cached_tokens=completion.cached_tokens,
        output_tokens=completion.output_tokens,
        seconds=completion.seconds,
        finish=completion.finish,
    )
