"""The back end over a real socket: what is put together, what is tried again, and that the key stays where it is."""

import asyncio
import io
import json
import logging
import traceback
from datetime import UTC, datetime
from random import Random

import pytest

from coagent.bad_input import BadInput
from coagent.live.agents.completion import Completion, Message, NoCompletion, ToolSpec
from coagent.live.agents.openai_backend import OpenaiModel
from coagent.live.agents.patience import Patience, retry_after_s
from tests.live.model_server import KEY, Cut, Raw, Say, Slow, Status, said, serving

ASKED = (Message(role="system", text="You look after prices."), Message(role="user", text="Set apples to 5 €."))
PUT = ToolSpec(
    name="put",
    says="set a path",
    schema={"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
)
CALLS = (("put", '{"path": "stock/äpfel", "value": 5}'), ("get", '{"path": "stock/birnen"}'))
GOOD = Say(text="I set both. ✓", calls=CALLS)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def asked(*acts, messages=ASKED, split=3, **more):
    """The completion or what was raised, the server, and the seconds slept."""
    slept: list[float] = []

    async def sleep(seconds):
        slept.append(seconds)

    async def run():
        async with serving(said(*acts), split=split) as server:
            model = OpenaiModel(name="small", base_url=server.url, sleep=sleep, random=Random(1), **more)
            try:
                return await model.complete(messages, [PUT]), server
            except (BadInput, NoCompletion) as error:
                return error, server
            finally:
                await model.close()

    return *asyncio.run(run()), slept


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("split", [1, 2, 7, 100])
def test_text_and_calls_arrive_whole_however_they_are_split(stream, split):
    done, server, slept = asked(GOOD, stream=stream, split=split)
    assert done.text == GOOD.text
    assert [(call.name, call.arguments) for call in done.calls] == list(CALLS)
    assert len({call.id for call in done.calls}) == 2
    assert (done.finish, slept, len(server.requests)) == ("tool_calls", [], 1)
    assert done.prompt_tokens > 0 and done.cached_tokens == 0 and done.output_tokens > 0 and done.seconds > 0


def test_the_request_is_what_the_protocol_says():
    context = (*ASKED, Completion(calls=()).message)
    first, _, _ = asked(GOOD)
    answered = [Message(role="tool", text="ok", answers=call.id) for call in first.calls]
    _, server, _ = asked(GOOD, messages=(*context, first.message, *answered), temperature=0.0, seed=7)
    (sent,) = server.requests
    assert [message["role"] for message in sent["messages"]] == [
        "system",
        "user",
        "assistant",
        "assistant",
        "tool",
        "tool",
    ]
    assert sent["messages"][3]["tool_calls"][0]["function"] == {"name": "put", "arguments": CALLS[0][1]}
    assert sent["messages"][4]["tool_call_id"] == sent["messages"][3]["tool_calls"][0]["id"]
    assert sent["tools"][0]["function"] == {"name": "put", "description": "set a path", "parameters": PUT.schema}
    assert (sent["model"], sent["temperature"], sent["seed"], sent["stream"]) == ("small", 0.0, 7, True)
    assert sent["stream_options"] == {"include_usage": True}


def test_settings_that_are_not_given_are_not_sent_and_extra_fields_are():
    done, server, _ = asked(GOOD, extra={"top_p": 0.5})
    assert isinstance(done, Completion)
    assert server.requests[0]["top_p"] == 0.5
    assert not {"temperature", "seed"} & set(server.requests[0])


@pytest.mark.parametrize("stream", [True, False])
def test_tokens_nobody_counted_are_not_made_up(stream):
    done, _, _ = asked(Say(text="yes", usage=False), stream=stream)
    assert (done.prompt_tokens, done.cached_tokens, done.output_tokens) == (None, None, None)


@pytest.mark.parametrize(
    "bad",
    [
        Status(status=429),
        Status(status=500),
        Status(status=503),
        Cut(say=GOOD, parts=4),
        Cut(say=GOOD, parts=9),
        Cut(say=GOOD, parts=9, clean=True),
        Cut(say=GOOD, parts=0),
        Raw(body='data: {"choices": [{"in\n\n'),
        Raw(body='data: {"error": {"message": "overloaded"}}\n\n'),
        Raw(body="<html>a proxy</html>", type="text/html"),
    ],
    ids=str,
)
def test_after_a_failure_the_same_request_is_made_again(bad):
    done, server, slept = asked(bad, GOOD)
    assert isinstance(done, Completion) and done.text == GOOD.text and len(done.calls) == 2
    assert len(server.requests) == 2 and server.requests[0] == server.requests[1]
    assert len(slept) == 1 and 0.25 <= slept[0] <= 0.5


def test_a_whole_answer_cut_short_is_asked_for_again():
    done, server, slept = asked(Cut(say=GOOD), GOOD, stream=False)
    assert done.text == GOOD.text and len(server.requests) == 2 and len(slept) == 1


def test_waits_grow_and_end():
    failed, server, slept = asked(Status(status=500), patience=Patience(tries=5, first_s=1.0, most_s=3.0))
    assert isinstance(failed, NoCompletion)
    assert str(failed) == "the model 'small' was asked 5 times and did not answer: at last its server answered 500"
    assert len(server.requests) == 5
    assert all(
        low <= wait <= high for wait, (low, high) in zip(slept, [(0.5, 1), (1, 2), (1.5, 3), (1.5, 3)], strict=True)
    )


def test_a_server_that_asks_for_a_wait_gets_it():
    _, _, slept = asked(Status(status=429, headers={"Retry-After": "7"}), GOOD)
    assert len(slept) == 1 and 7.0 <= slept[0] <= 7.5


def test_a_wait_beyond_patience_is_not_begun():
    failed, server, slept = asked(Status(status=429, headers={"Retry-After": "3600"}), GOOD)
    assert isinstance(failed, NoCompletion) and "asks to wait 3600 s" in str(failed)
    assert slept == [] and len(server.requests) == 1


def test_retry_after_is_read_in_all_its_forms():
    now = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
    assert retry_after_s({"retry-after": "2.5"}) == 2.5
    assert retry_after_s({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert retry_after_s({"retry-after": "Thu, 01 Jan 2026 12:00:30 GMT"}, now) == 30.0
    assert retry_after_s({"retry-after": "Thu, 01 Jan 2026 11:00:00 GMT"}, now) == 0.0
    for nonsense in ("", "soon", "-3", "nan", "inf"):
        assert retry_after_s({"retry-after": nonsense}, now) is None


def test_a_slow_first_byte_is_waited_for_and_too_slow_a_one_is_asked_for_again():
    done, server, slept = asked(Slow(say=GOOD, wait_s=0.05), timeout_s=5.0)
    assert done.text == GOOD.text and slept == [] and done.seconds >= 0.05
    done, server, slept = asked(Slow(say=GOOD, wait_s=3.0), GOOD, timeout_s=0.2)
    assert done.text == GOOD.text and len(slept) == 1 and len(server.requests) == 2


@pytest.mark.parametrize(
    ("act", "word"),
    [
        (Status(status=400, message="no such field"), "no such field"),
        (Status(status=404, message="no model small"), "no model small"),
        (Status(status=429, code="insufficient_quota"), "nothing left"),
    ],
    ids=str,
)
def test_what_a_person_has_to_mend_is_asked_once(act, word):
    failed, server, slept = asked(act, GOOD)
    assert isinstance(failed, BadInput) and word in str(failed)
    assert slept == [] and len(server.requests) == 1


def test_malformed_arguments_are_handed_on_as_they_are():
    done, _, _ = asked(Say(calls=(("put", '{"path": "x", '),)))
    assert done.calls[0].arguments == '{"path": "x", '


def test_nobody_listening_is_a_lost_connection():
    async def run():
        async with serving(said(GOOD)) as server:
            gone = server.url
        model = OpenaiModel(name="small", base_url=gone, patience=Patience(tries=2), sleep=lambda s: asyncio.sleep(0))
        with pytest.raises(NoCompletion, match="asked 2 times.*lost the connection"):
            await model.complete(ASKED, [])

    asyncio.run(run())


def test_many_requests_at_once_do_not_mix():
    def echo(messages, before):
        return Say(text=messages[-1]["content"], calls=(("put", json.dumps({"path": messages[-1]["content"]})),))

    async def run():
        async with serving(echo, split=1) as server:
            model = OpenaiModel(name="small", base_url=server.url)
            names = [f"agent {number}" for number in range(20)]
            done = await asyncio.gather(*(model.complete([Message(role="user", text=name)], [PUT]) for name in names))
            await model.close()
        assert [one.text for one in done] == names
        assert [json.loads(one.calls[0].arguments)["path"] for one in done] == names

    asyncio.run(run())


def test_a_key_is_neither_said_nor_logged_nor_kept(caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    echo = Status(status=500, message=f"your header was Bearer {KEY}")
    acts = (
        [echo],
        [Status(status=400, message=f"bad {KEY}")],
        [Raw(body=f'data: {{"error": {{"message": "{KEY}"}}}}\n\n')],
        [Say(text=f"your key is {KEY}", calls=(("put", f'{{"path": "{KEY}"}}'),))],
    )
    seen = io.StringIO()
    for one in acts:
        done, server, _ = asked(*one, patience=Patience(tries=2))
        seen.write(f"{done!r} {done}")
        if isinstance(done, Exception):
            seen.write("".join(traceback.format_exception(done)))
            assert done.__cause__ is None and done.__context__ is None
        assert server.refused == 0
    model = OpenaiModel(name="small")
    model._opened(KEY)
    seen.write(repr(model) + repr(model.settings))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-9876543210-zyxwv")
    refused, server, _ = asked(GOOD)
    assert isinstance(refused, BadInput) and server.refused == 1 and "OPENAI_API_KEY" in str(refused)
    assert "(key)" in seen.getvalue()
    written = seen.getvalue() + caplog.text + str(refused)
    assert KEY not in written and KEY[3:] not in written and "sk-wrong" not in written


@pytest.mark.parametrize(
    ("key", "word"), [(None, "is not set"), ("", "is not set"), ("sk-1\n", "line end"), ("sk-é", "no key has")]
)
def test_a_key_that_cannot_be_one_is_refused_before_anything_is_sent(monkeypatch, key, word):
    monkeypatch.setenv("MY_KEY", key) if key is not None else monkeypatch.delenv("MY_KEY", raising=False)
    failed, server, _ = asked(GOOD, key_variable="MY_KEY")
    assert isinstance(failed, BadInput) and word in str(failed) and "MY_KEY" in str(failed)
    assert "sk-" not in str(failed) and server.requests == [] and server.refused == 0


@pytest.mark.parametrize("url", ["https://me:secret@host/v1", "https://host/v1?key=secret", "host:80/v1", "https://"])
def test_an_address_that_holds_a_secret_or_is_none_is_refused(url):
    with pytest.raises(BadInput) as failed:
        OpenaiModel(name="small", base_url=url)
    assert "secret" not in str(failed.value)


def test_a_missing_package_names_its_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openai", None)
    with pytest.raises(BadInput, match=r"\[models\]"):
        asyncio.run(OpenaiModel(name="small").complete(ASKED, []))
