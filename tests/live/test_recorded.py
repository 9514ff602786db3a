"""The file of answers: what is asked once need not be asked again, and what was not recorded is named."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace

import pytest

from coagent.bad_input import BadInput
from coagent.live.agents.completion import Completion, Message, ToolCall, ToolSpec, completion_from, to_json
from coagent.live.agents.openai_backend import OpenaiModel
from coagent.live.agents.recorded import Recorded
from tests.live.model_server import KEY, Say, serving

TOOL = ToolSpec(name="get", says="read a path")


@dataclass
class Counting:
    """Says how often it was asked; the longer a text, the later the answer."""

    name: str = "counting"
    settings: dict = field(default_factory=dict)
    asked: int = 0

    async def complete(self, messages, tools):
        self.asked += 1
        number = self.asked
        await asyncio.sleep(0.001 * len(messages[-1].text))
        call = ToolCall(id="1", name="get", arguments='{"path": "ü\ud800"}')
        return Completion(text=f"{number} {messages[-1].text}", calls=(call,), prompt_tokens=3, seconds=1.5)


def asks(text):
    return [Message(role="system", text="s"), Message(role="user", text=text)]


def ask(model, *texts, tools=(TOOL,)):
    async def run():
        return [await model.complete(asks(text), tools) for text in texts]

    return asyncio.run(run())


def test_a_recorded_run_runs_again_without_the_model(tmp_path):
    file, first, second = tmp_path / "a.ndjson", Counting(), Counting()
    told = ask(Recorded(first, file, "record"), "x", "y", "x")
    again = ask(Recorded(second, file, "replay"), "x", "y", "x")
    assert told == again and [one.text for one in told] == ["1 x", "2 y", "3 x"]
    assert (first.asked, second.asked) == (3, 0)


def test_a_request_that_was_not_recorded_is_named(tmp_path):
    file = tmp_path / "a.ndjson"
    ask(Recorded(Counting(), file, "record"), "x")
    with pytest.raises(BadInput, match=r'the request [0-9a-f]{12} was not recorded: .* the last from user, "z"'):
        ask(Recorded(Counting(), file, "replay"), "x", "z")
    with pytest.raises(BadInput, match="occurrence 2 of request .* of which 1 are recorded"):
        ask(Recorded(Counting(), file, "replay"), "x", "x")
    with pytest.raises(BadInput, match="no such recording"):
        Recorded(Counting(), tmp_path / "none", "replay")


@pytest.mark.parametrize("other", ["name", "settings", "tools", "messages"])
def test_whatever_an_answer_depends_on_tells_requests_apart(tmp_path, other):
    file = tmp_path / "a.ndjson"
    ask(Recorded(Counting(), file, "record"), "x")
    model = Counting(name="n" if other == "name" else "counting", settings={"seed": 1} if other == "settings" else {})
    with pytest.raises(BadInput, match="not recorded"):
        ask(
            Recorded(model, file, "replay"),
            "y" if other == "messages" else "x",
            tools=() if other == "tools" else (TOOL,),
        )


def test_auto_asks_for_what_is_not_there_only(tmp_path):
    file, model = tmp_path / "a.ndjson", Counting()
    ask(Recorded(model, file), "x")
    told = ask(Recorded(model, file), "x", "y", "x")
    assert [one.text for one in told] == ["1 x", "2 y", "3 x"] and model.asked == 3
    assert ask(Recorded(Counting(), file, "replay"), "x", "y", "x") == told


def test_recording_anew_appends_and_the_newer_answer_counts(tmp_path):
    file, model = tmp_path / "a.ndjson", Counting()
    ask(Recorded(model, file, "record"), "x")
    old = file.read_bytes()
    ask(Recorded(model, file, "record"), "x")
    assert file.read_bytes().startswith(old) and file.read_bytes().count(b"\n") == 2
    assert ask(Recorded(model, file, "replay"), "x")[0].text == "2 x"


@pytest.mark.parametrize("cut", [1, 2, 40, "half"])
def test_a_torn_last_line_is_left_out_with_a_word(tmp_path, cut):
    file, model = tmp_path / "a.ndjson", Counting()
    ask(Recorded(model, file, "record"), "x", "y")
    data = file.read_bytes()
    first = data.index(b"\n") + 1
    file.write_bytes(data[:-cut] if cut != "half" else data[: (first + len(data)) // 2])
    torn = file.read_bytes()
    replay = Recorded(Counting(), file, "replay")
    # With only the line end missing the line is whole.
    assert [f"{file}:2:" in word for word in replay.remarks] == ([] if cut == 1 else [True])
    assert file.read_bytes() == torn
    auto = Recorded(model, file)
    assert [one.text for one in ask(auto, "x", "y")] == ["1 x", "2 y" if cut == 1 else "3 y"]
    assert Recorded(Counting(), file, "replay").remarks == ()
    assert len(ask(Recorded(Counting(), file, "replay"), "x", "y")) == 2


@pytest.mark.parametrize("slip", ["cut", "edited", "empty"])
def test_a_line_that_is_wrong_in_the_middle_is_refused_with_its_number(tmp_path, slip):
    file = tmp_path / "a.ndjson"
    ask(Recorded(Counting(), file, "record"), "x", "y")
    first, second, _ = file.read_bytes().split(b"\n")
    bad = {"cut": first[:-5], "edited": first.replace(b'"x"', b'"z"'), "empty": b""}[slip]
    file.write_bytes(b"\n".join([bad, second, b""]))
    with pytest.raises(BadInput) as failed:
        Recorded(Counting(), file, "replay")
    assert failed.value.where == f"{file}:1"


def test_two_agents_at_once_are_replayed_whoever_answers_first(tmp_path):
    file = tmp_path / "a.ndjson"

    async def run(model):
        async def agent(letter):
            return [(await model.complete(asks(letter * size), [])).text for size in (9, 1, 5)]

        return await asyncio.gather(agent("a"), agent("b"), agent("a"))

    told = asyncio.run(run(Recorded(Counting(), file, "record")))
    assert asyncio.run(run(Recorded(Counting(), file, "replay"))) == told
    assert len({text for agent in told for text in agent}) == 9


def test_a_replay_may_take_the_time_that_it_took(tmp_path):
    file, slept = tmp_path / "a.ndjson", []
    ask(Recorded(Counting(), file, "record"), "x", "y")

    async def sleep(seconds):
        slept.append(seconds)

    ask(Recorded(Counting(), file, "replay", sleep=sleep), "x", "y")
    assert slept == [1.5, 1.5]


WRITER = """
import asyncio, sys
from pathlib import Path
from coagent.live.agents.completion import Message
from coagent.live.agents.recorded import Recorded
from tests.live.test_recorded import Counting

async def run():
    model = Recorded(Counting(), Path(sys.argv[1]), "record")
    number = 0
    while True:
        await model.complete([Message(role="user", text=str(number))], [])
        print(number, flush=True)
        number += 1

asyncio.run(run())
"""


def test_what_was_answered_before_a_kill_is_in_the_file(tmp_path):
    file = tmp_path / "a.ndjson"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE, text=True)
    while not file.exists() or file.stat().st_size < 5_000:
        assert writer.poll() is None
        time.sleep(0.01)
    os.kill(writer.pid, signal.SIGKILL)
    told = writer.communicate()[0].split("\n")[:-1]
    assert told

    async def run():
        model = Recorded(Counting(), file, "replay")
        return [(await model.complete([Message(role="user", text=number)], [])).text for number in told]

    assert asyncio.run(run()) == [f"{int(number) + 1} {number}" for number in told]


def test_no_key_and_no_address_is_in_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    file = tmp_path / "a.ndjson"

    async def run():
        async with serving(lambda messages, before: Say(text=f"you sent {KEY}")) as server:
            model = OpenaiModel(name="small", base_url=server.url, seed=1)
            await Recorded(model, file, "record").complete(asks("x"), [])
            await model.close()
            return server.url

    url = asyncio.run(run())
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"you sent (key)" in kept and KEY.encode() not in kept and url.encode() not in kept
    monkeypatch.delenv("OPENAI_API_KEY")
    offline = Recorded(OpenaiModel(name="small", base_url="http://other/v1", seed=1), file, "replay")
    assert asyncio.run(offline.complete(asks("x"), [])).text == "you sent (key)"


def test_a_completion_survives_json_and_nothing_else_passes_for_one():
    done = Completion(text="ü", calls=(ToolCall(id="1", name="n", arguments="{"),), cached_tokens=4, finish="length")
    assert completion_from(json.loads(json.dumps(to_json(done)))) == done
    for wrong in ({"text": 1}, {"prompt_tokens": "3"}, {"calls": [{"id": "1"}]}, {"more": 1}):
        with pytest.raises((KeyError, TypeError, ValueError)):
            completion_from({**to_json(replace(done)), **wrong})


def test_a_mode_that_there_is_not_and_a_folder_that_is_no_file_are_refused(tmp_path):
    with pytest.raises(BadInput, match="record, replay, auto"):
        Recorded(Counting(), tmp_path / "a", "play")
    with pytest.raises(BadInput, match="cannot be read"):
        Recorded(Counting(), tmp_path)
    with pytest.raises(BadInput, match="cannot be written"):
        ask(Recorded(Counting(), tmp_path / "no" / "folder"), "x")
