"""Peculiarities of single hosts that would end a session: ids, roles and reasoning, and how other hosts take them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from ctxe.domain.conversation import Reply, ToolCall, ToolResult, Usage
from ctxe.domain.model import Billed, Carry, Image, Message, ReasoningDelta, Request, Text, TextDelta, ToolSchema
from ctxe.domain.picture import Picture
from ctxe.providers.pictures import unseen_line
from tests.wire.adapters import APIS, HELLO, hear, speak
from tests.wire.server import Reply as Played
from tests.wire.server import Usage as Told
from tests.wire.server import WireServer


def after(reply: Reply, *blocks: Any) -> Request:
    carry = (Carry(reply.carry, reply.model),) if reply.carry else ()
    words = (Text(reply.text),) if reply.text else ()
    said = Message("assistant", (*carry, *words, *reply.calls))
    return replace(HELLO, messages=(*HELLO.messages, said, Message("user", blocks)))


def test_mistral_gets_short_ids_and_no_user_message_right_after_results() -> None:
    calls = (ToolCall("toolu_01ABC", "run", "{}"), ToolCall("a1B2c3D4e", "run", "{}"))
    results = tuple(ToolResult(call.id, "ok") for call in calls)
    with WireServer([Played("ok"), Played("ok")]) as server:
        provider = speak("chat", server.url, mistral=True)
        hear(provider, after(Reply("", calls, "tools"), *results, Text("a note")))
        hear(provider, after(Reply("", calls, "tools"), *results, Text("a note")))
        first, second = (body["messages"] for body in server.bodies)
        assert server.refused == []
    assert first == second
    ids = [call["id"] for call in first[2]["tool_calls"]]
    assert ids[1] == "a1B2c3D4e"
    assert len(ids[0]) == 9
    assert ids[0].isalnum()
    assert first[3:] == [
        {"role": "tool", "tool_call_id": ids[0], "content": "ok"},
        {"role": "tool", "tool_call_id": "a1B2c3D4e", "content": "ok"},
        {"role": "assistant", "content": "Noted."},
        {"role": "user", "content": "a note"},
    ]


@pytest.mark.parametrize("habit", [{"mistral": True}, {"spoken_calls": True}, {}])
def test_consecutive_user_messages_are_merged_for_strict_templates(habit: dict[str, Any]) -> None:
    picture = Image(Picture("0" * 64, "p.png", "image/png", 10, 10, 100))
    rows = [Message("user", (Text("the record"),)), Message("user", (Text("go on"),)), Message("user", (picture,))]
    request = replace(HELLO, system=(), messages=(*rows, Message("assistant", (Text("ok"),)), rows[1]))
    with WireServer([Played("ok")]) as server:
        hear(speak("chat", server.url, **habit), request)
        roles = [(message["role"], message["content"]) for message in server.bodies[0]["messages"]]
    first = ("user", f"the record\n\ngo on\n\n{unseen_line(picture.picture)}")
    assert roles[0] == (first if habit else ("user", "the record"))
    assert len(roles) == (3 if habit else 5)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", ["functions.read:0", "ü" * 30, "x" * 200, "a b", "call_ok-1"])
def test_ids_from_another_host_are_accepted_by_every_host(name: str, api: str) -> None:
    reply = Reply("", (ToolCall(name, "run", "{}"),), "tools")
    with WireServer([Played("ok")]) as server:
        hear(speak(api, server.url), after(reply, ToolResult(name, "ok")))
        body = server.bodies[0]
    if api == "messages":
        used = [body["messages"][1]["content"][0]["id"], body["messages"][2]["content"][0]["tool_use_id"]]
    elif api == "chat":
        used = [body["messages"][2]["tool_calls"][0]["id"], body["messages"][3]["tool_call_id"]]
    else:
        used = [item["call_id"] for item in body["input"][1:]]
    assert used[0] == used[1]
    assert len(used[0]) <= 64
    assert used[0].replace("_", "").replace("-", "").isalnum()
    assert used[0].isascii()
    assert (used[0] == name) == (name == "call_ok-1")


@pytest.mark.parametrize("piece", [1, 5, 1000])
@pytest.mark.parametrize(("echo", "back"), [(False, "Yes."), (True, "<think>\nweighing it\n</think>\n\nYes.")])
def test_reasoning_between_tags_is_shown_as_reasoning_and_kept_only_where_required(
    echo: bool, back: str, piece: int
) -> None:
    with WireServer([Played("<think>\nweighing it\n</think>\n\nYes.", piece=piece), Played("ok")]) as server:
        provider = speak("chat", server.url, echo_reasoning=echo)
        deltas, reply = hear(provider)
        hear(provider, after(reply, Text("go on")))
        sent = server.bodies[1]["messages"][2]["content"]
    assert "".join(item.text for item in deltas if isinstance(item, ReasoningDelta)).strip() == "weighing it"
    assert "".join(item.text for item in deltas if isinstance(item, TextDelta)) == reply.text == "Yes."
    assert sent == back


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Hm, so.\nOr so?\n</think>\n\nYes.", "Yes."),
        ("It ends with\n```\n</think>\n```\nalone.", None),
        ("Between <think> and\n</think>\nare thoughts.", None),
        ("`</think>` ends them.", None),
    ],
)
@pytest.mark.parametrize("piece", [1, 1000])
def test_reasoning_opened_by_the_template_is_not_kept_as_text(said: str, kept: str | None, piece: int) -> None:
    with WireServer([Played(said, piece=piece)]) as server:
        assert hear(speak("chat", server.url))[1].text == (said if kept is None else kept)


@pytest.mark.parametrize(("billed", "wanted"), [(True, [Billed(Usage(90, 9), 0.0125)]), (False, [])])
def test_the_cost_reported_by_a_gateway_is_used(billed: bool, wanted: list[Billed]) -> None:
    with WireServer([Played("ok", usage=Told(90, 9, cost=0.0125))]) as server:
        deltas, reply = hear(speak("chat", server.url, billed=billed))
    assert [delta for delta in deltas if isinstance(delta, Billed)] == wanted
    assert reply.usage == Usage(90, 9)


@pytest.mark.parametrize("api", APIS)
def test_query_parameters_of_the_base_url_are_sent_with_every_request(api: str) -> None:
    with WireServer([Played("ok")]) as server:
        assert hear(speak(api, f"{server.url}/deployments/m?api-version=2024-10-21&a=b"))[1].text == "ok"
        path, _, asked = server.requests[0].path.partition("?")
    ends = {"messages": "/v1/messages", "chat": "/chat/completions", "responses": "/responses"}
    assert (path, asked) == (f"/deployments/m{ends[api]}", "api-version=2024-10-21&a=b")


READ = '{"name": "read_file", "arguments": {"path": "a.py"}}'


@pytest.mark.parametrize("piece", [1, 5, 1000])
@pytest.mark.parametrize(("spoken", "words"), [(True, "I look.\n"), (False, f"I look.\n<tool_call>{READ}</tool_call>")])
def test_calls_written_in_text_run_on_local_servers(spoken: bool, words: str, piece: int) -> None:
    tool = ToolSchema("read_file", "Reads.", {"type": "object", "properties": {"path": {"type": "string"}}})
    offering = replace(HELLO, tools=(tool,))
    with WireServer([Played(f"I look.\n<tool_call>{READ}</tool_call>", piece=piece), Played("ok")]) as server:
        provider = speak("chat", server.url, spoken_calls=spoken)
        deltas, reply = hear(provider, offering)
        results = [ToolResult(call.id, "x = 1") for call in reply.calls]
        hear(provider, replace(after(reply, *results, Text("go on")), tools=(tool,)))
        assert server.refused == []
    assert "".join(item.text for item in deltas if isinstance(item, TextDelta)) == reply.text == words
    assert [(call.name, call.arguments) for call in reply.calls] == [("read_file", '{"path": "a.py"}')] * spoken
    assert reply.stop == ("tools" if spoken else "end")


@pytest.mark.parametrize("api", APIS)
def test_no_host_refuses_a_history_of_every_block_kind(api: str) -> None:
    """All that a session may hold by the worst of luck, sent to hosts with the rules of the real ones."""
    calls = (ToolCall("functions.a:0", "", "{"), ToolCall("functions.a:1", "bad name!", ""), ToolCall("z", "ok", "[]"))
    messages = (
        Message("user", (Text(" "), Text("go"))),
        Message("assistant", (Carry('{"reasoning_content": "x"}', "other/model"), *calls)),
        Message("user", (*(ToolResult(call.id, "", ok=False) for call in calls), Text(""), Text("note"))),
        Message("assistant", (Carry("not json", "wire/wire-model"), Text("  "))),
        Message("user", (Text("\n"),)),
        Message("assistant", (Text("(no answer)"),)),
        Message("user", (Text("and now?"),)),
    )
    with WireServer([Played("fine")]) as server:
        _, reply = hear(speak(api, server.url), replace(HELLO, messages=messages))
        assert (reply.text, server.refused) == ("fine", [])


def test_gemini_gets_a_placeholder_signature_for_calls_it_did_not_sign() -> None:
    calls = (ToolCall("c-a", "run", "{}"), ToolCall("c-b", "run", "{}"))
    results = tuple(ToolResult(call.id, "ok") for call in calls)
    own = {"google": {"thought_signature": "own"}}
    signed = Reply("", calls, "tools", None, "wire/wire-model", json.dumps({"calls": {"c-a": {"extra_content": own}}}))
    with WireServer([Played("ok"), Played("ok"), Played("ok")]) as server:
        provider = speak("chat", server.url, signed_calls=True)
        hear(provider, after(Reply("", calls, "tools"), *results))
        hear(provider, after(signed, *results))
        hear(speak("chat", server.url), after(Reply("", calls, "tools"), *results))
        sent = [[call.get("extra_content") for call in body["messages"][2]["tool_calls"]] for body in server.bodies]
    placeholder = {"google": {"thought_signature": "skip_thought_signature_validator"}}
    assert sent == [[placeholder, None], [own, None], [None, None]]


@pytest.mark.parametrize("marked", [True, False])
def test_a_gateway_is_asked_to_cache_for_claude(marked: bool) -> None:
    with WireServer([Played("ok")]) as server:
        hear(speak("chat", server.url, marked=marked))
        assert server.bodies[0].get("cache_control") == ({"type": "ephemeral"} if marked else None)
