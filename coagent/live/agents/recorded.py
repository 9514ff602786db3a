"""A model whose answers are kept in a file, so that a recorded run can be run again offline, request by request.

A line of the file is one request with its answer. Requests are told apart by their content, and equal ones by how often
they were made before. The file knows no address and no key.
"""

import json
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from coagent.bad_input import BadInput
from coagent.live.agents.completion import Completion, Message, Model, ToolSpec, completion_from, to_json

MODES = ("record", "replay", "auto")

Key = tuple[str, int]
"""The hash of a request, and how many equal ones came before it."""


class Recorded:
    """A model in front of which a file is kept. The mode is `record` (ask, and write down), `replay` (answer from the
    file only) or `auto` (answer from the file what is there, ask and write down the rest).

    A line is written whole and is on the disk before its completion is returned; of several answers to one request the
    last one counts. A last line that was not written to its end is left out, and `remarks` says so. `sleep` (None:
    answer at once) takes the seconds that an answer took when it was recorded. Use one for all agents of a run, since
    equal requests are counted here; two processes need a file each. Raises BadInput for a file that cannot be read or
    written.
    """

    def __init__(
        self, model: Model, file: Path, mode: str = "auto", *, sleep: Callable[[float], Awaitable[None]] | None = None
    ) -> None:
        if mode not in MODES:
            raise BadInput(f"there is no mode {mode!r} of recording; it is one of {', '.join(MODES)}")
        self.remarks: tuple[str, ...] = ()
        self._model, self._file, self._mode, self._sleep = model, file, mode, sleep
        self._made: Counter[str] = Counter()
        self._answers: dict[Key, Completion] = {}
        self._load()

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def settings(self) -> Mapping[str, object]:
        """The model's settings."""
        return self._model.settings

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Completion:
        """The recorded answer, or the model's. Raises BadInput for a request that is not recorded, in `replay`."""
        asked = _request(self._model, messages, tools)
        digest = _digest(asked)
        key = (digest, self._made[digest])
        self._made[digest] += 1
        if self._mode != "record" and key in self._answers:
            answer = self._answers[key]
            if self._sleep is not None:
                await self._sleep(answer.seconds)
            return answer
        if self._mode == "replay":
            raise BadInput(self._missing(key, messages), str(self._file))
        answer = await self._model.complete(messages, tools)
        self._append({"key": digest, "occurrence": key[1], "request": asked, "response": to_json(answer)})
        self._answers[key] = answer
        return answer

    def _missing(self, key: Key, messages: Sequence[Message]) -> str:
        digest, before = key
        last = messages[-1] if messages else Message(role="user")
        known = sum(1 for other, _ in self._answers if other == digest)
        which = f"occurrence {before + 1} of request {digest[:12]}, of which {known} are recorded,"
        which = which if known else f"the request {digest[:12]}"
        return (
            f"{which} was not recorded: {self.name!r} with {len(messages)} messages, the last from {last.role}, "
            f"{_short(last.text)}; record the run again, or let the mode be auto"
        )

    def _load(self) -> None:
        """Read what is there; when more may be written, drop a last line that is not whole."""
        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            if self._mode == "replay":
                raise BadInput("there is no such recording; the mode record makes one", str(self._file)) from None
            return
        except OSError as error:
            raise BadInput(f"the recording cannot be read ({error.strerror})", str(self._file)) from None
        *lines, rest = data.split(b"\n")
        for number, line in enumerate(lines, start=1):
            found = _entry(line)
            if found is None:
                raise BadInput(
                    "the line is no recorded request with its answer; take it out, or record the run again",
                    f"{self._file}:{number}",
                )
            self._answers[found[0]] = found[1]
        if rest:
            self._take_rest(rest, number=len(lines) + 1, size=len(data) - len(rest))

    def _take_rest(self, rest: bytes, *, number: int, size: int) -> None:
        """What follows the last line end: a whole line all but its end, or a torn one."""
        whole = _entry(rest)
        if whole is not None:
            self._answers[whole[0]] = whole[1]
        else:
            self.remarks += (f"{self._file}:{number}: the last line was not written to its end and is left out",)
        if self._mode != "replay":
            with self._file.open("r+b") as file:
                file.truncate(size)
                file.seek(size)
                file.write(rest + b"\n" if whole is not None else b"")

    def _append(self, entry: Mapping[str, object]) -> None:
        """One write to the end of the file, then to the disk."""
        line = _canonical(entry) + b"\n"
        try:
            at = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                while line:
                    line = line[os.write(at, line) :]
                os.fsync(at)
            finally:
                os.close(at)
        except OSError as error:
            raise BadInput(f"the recording cannot be written ({error.strerror})", str(self._file)) from None


def _request(model: Model, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> dict[str, object]:
    return {
        "model": model.name,
        "messages": [to_json(one) for one in messages],
        "tools": [to_json(one) for one in tools],
        "settings": dict(model.settings),
    }


def _canonical(found: object) -> bytes:
    """One text for equal JSON, in ASCII, so that half a surrogate pair can be written too."""
    return json.dumps(found, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _digest(asked: Mapping[str, object]) -> str:
    return sha256(_canonical(asked)).hexdigest()


def _entry(line: bytes) -> tuple[Key, Completion] | None:
    """What a line holds, or None when it is no entry, or one that was edited."""
    try:
        found = json.loads(line)
        if _digest(found["request"]) != found["key"] or not isinstance(found["occurrence"], int):
            return None
        return (found["key"], found["occurrence"]), completion_from(found["response"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _short(text: str) -> str:
    """The beginning of a text, as one line of JSON."""
    return json.dumps(text if len(text) <= 80 else f"{text[:77]}...")
