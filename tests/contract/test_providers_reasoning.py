"""Reasoning in request bodies: effort, sealed reasoning sent back in its place, and what a host refuses of it."""

from dataclasses import replace
from typing import Any

import pytest

from ctxe.domain.conversation import ToolCall, ToolResult
from ctxe.domain.errors import BadRequest
from ctxe.domain.model import Carry, Message
from tests.contract.messages import asked, model, said, user
from tests.wire.adapters import HELLO, MODEL, hear, speak
from tests.wire.server import Answer, Reply, WireServer, failure


@pytest.mark.parametrize(
    ("api", "wanted"),
    [
        ("messages", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        ("chat", {"reasoning_effort": "high"}),
        ("responses", {"reasoning": {"effort": "high"}}),
    ],
)
def test_an_effort_is_sent_in_the_form_of_the_api_and_changes_nothing_else(api: str, wanted: dict[str, Any]) -> None:
    with WireServer([Reply("ok"), Reply("ok")]) as server:
        hear(speak(api, server.url), HELLO)
        hear(speak(api, server.url), replace(HELLO, effort="high"))
        plain, asked = server.bodies
    assert asked == {**plain, **wanted}
    assert not wanted.keys() & plain.keys()


@pytest.mark.parametrize(
    ("effort", "limit", "budget"),
    [("low", 8_000, 4_096), ("medium", 8_000, 6_000), ("high", 64_000, 24_576), ("high", 1_366, 1_024)],
)
def test_a_model_without_named_efforts_is_sent_a_reasoning_token_budget(effort: str, limit: int, budget: int) -> None:
    older = replace(MODEL, budgeted=True, max_output=64_000)
    with WireServer([Reply("ok"), Reply("ok")]) as server:
        hear(speak("messages", server.url, model=older), replace(HELLO, effort=effort, max_output=limit))
        hear(speak("messages", server.url, model=older), replace(HELLO, effort=effort, max_output=1_365))
        body, small = server.bodies
    assert body["thinking"] == {"type": "enabled", "budget_tokens": budget}
    assert budget < body["max_tokens"] == limit
    assert "output_config" not in body
    assert "thinking" not in small


ROUND = Reply(
    "Let me see.",
    calls=(),
    reasoning="thinking it over",
)


@pytest.mark.parametrize(
    ("api", "sealed"),
    [
        ("messages", {"type": "thinking", "thinking": "thinking it over", "signature": "sealed-1"}),
        (
            "responses",
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "thinking it over"}],
                "encrypted_content": "sealed-1",
            },
        ),
    ],
)
def test_sealed_reasoning_is_sent_back_in_its_place(api: str, sealed: dict[str, Any]) -> None:
    from tests.wire.server import Call

    first = replace(ROUND, calls=(Call("read_file", {"path": "a"}, id="c-a"),))
    with WireServer([first, Reply("Done.")]) as server:
        provider = speak(api, server.url)
        _, reply = hear(provider)
        answered = (
            *HELLO.messages,
            model(Carry(reply.carry, reply.model), reply.text, *reply.calls),
            user(ToolResult("c-a", "text")),
        )
        hear(provider, replace(HELLO, messages=answered))
        sent = server.bodies[1]
        assert server.refused == []
    back = sent["messages"][1]["content"] if api == "messages" else sent["input"][1:4]
    assert back[0] == sealed
    assert [item.get("type", item.get("role")) for item in back[1:]] == (
        ["text", "tool_use"] if api == "messages" else ["assistant", "function_call"]
    )


def test_reasoning_without_its_following_item_is_not_sent() -> None:
    thoughts = {"responses": '{"type":"reasoning","encrypted_content":"x"}', "messages": '{"type":"thinking"}'}
    with WireServer([Reply("ok"), Reply("ok")]) as server:
        for api, thought in thoughts.items():
            hear(speak(api, server.url), asked(user("a"), model(Carry(f"[{thought}]", MODEL.id)), user("b")))
        assert server.bodies[0]["input"] == [said("a"), said("b")]
        assert [message["role"] for message in server.bodies[1]["messages"]] == ["user", "user"]


SEALED = {
    "messages": (
        '[{"type":"thinking","thinking":"x","signature":"s"},2]',
        "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to another conversation.",
    ),
    "responses": (
        '[{"type":"reasoning","encrypted_content":"x","summary":[]},2]',
        "The encrypted content for item rs_1 could not be verified. Reason: Encrypted content organization_id differs.",
    ),
}


@pytest.mark.parametrize("api", SEALED)
def test_sealed_reasoning_that_a_host_refuses_is_dropped_from_then_on(api: str) -> None:
    carried, refusal = SEALED[api]
    request = asked(user("a"), model(Carry(carried, MODEL.id), "b!"), user("c"))
    again = Answer(400, failure("something else"))
    with WireServer([Answer(400, failure(refusal)), Reply("ok"), Reply("ok"), again], strict=False) as server:
        provider = speak(api, server.url)
        assert hear(provider, request)[1].text == "ok"
        hear(provider, request)
        with pytest.raises(BadRequest, match="something else"):
            hear(provider, request)
        first, *rest = (str(body) for body in server.bodies)
    assert "'s'" in first or "encrypted_content': 'x'" in first
    assert len(rest) == 3
    assert all("'s'" not in body and "'encrypted_content':" not in body for body in rest)


THOUGHT = Carry('[{"type":"thinking","thinking":"x","signature":"s"},"c-a"]', MODEL.id)


def worked(*said: Any) -> tuple[Message, ...]:
    return user("go"), model(*said, ToolCall("c-a", "run", "{}")), user(ToolResult("c-a", "out"), "a changed")


@pytest.mark.parametrize(
    ("messages", "thinks"),
    [
        (worked(THOUGHT), True),
        ((*worked(THOUGHT), model(ToolCall("c-b", "run", "{}")), user(ToolResult("c-b", "out"))), True),
        (worked(), False),
        ((*worked(), user("go on")), False),
        ((*worked(), model("Done."), user("and then?")), True),
    ],
)
def test_an_older_model_is_sent_reasoning_only_when_its_turn_began_with_it(
    messages: tuple[Message, ...], thinks: bool
) -> None:
    older = replace(MODEL, budgeted=True)
    with WireServer([Reply("ok"), Reply("ok")]) as server:
        for effort in ("high", ""):
            hear(speak("messages", server.url, model=older), asked(*messages, effort=effort, max_output=8_000))
        hard, plain = server.bodies
        assert server.refused == []
    assert "thinking" in hard if thinks else "thinking" not in hard
    assert ("'signature'" in str(hard)) == (thinks and THOUGHT in messages[1].blocks)
    assert "'signature'" not in str(plain)
