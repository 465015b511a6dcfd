"""The public rules of ``ctxe replay``, on generated conversations, odd ones too."""

from __future__ import annotations

import json
import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxe.context.budget import Budget
from ctxe.project import Project
from ctxe.project.window.replaying import Replayed
from ctxe.serve.replay import Service
from tests.property.replays import (
    Chat,
    Maker,
    assert_epochs_only_grow,
    assert_handles_restore,
    assert_rules_are_kept,
    served,
)
from tests.support.counting import count_words

settings.register_profile("replay", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "200")), deadline=None)
settings.load_profile("replay")


def sessions() -> st.SearchStrategy[list[list[Chat]]]:
    return st.integers(0, 2**48).map(lambda seed: Maker(seed).session())


windows = st.integers(300, 2_500)


@given(sessions(), windows)
def test_every_answer_keeps_the_rules_or_says_why_not(groups: list[list[Chat]], window: int) -> None:
    assert_rules_are_kept(served(groups, window), window)


@given(sessions(), windows)
def test_replayed_requests_only_grow_within_an_epoch(groups: list[list[Chat]], window: int) -> None:
    assert_epochs_only_grow(served(groups, window))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sessions(), windows)
def test_every_handle_restores_byte_for_byte(tmp_path: Path, groups: list[list[Chat]], window: int) -> None:
    assert_handles_restore(served(groups, window), Project.open(tmp_path, {}))


@given(sessions())
def test_a_conversation_that_fits_is_returned_unchanged(groups: list[list[Chat]]) -> None:
    done = served(groups, 200_000)
    for answer, given_ in zip(done.answers, done.given, strict=True):
        assert answer["epoch"] == 0
        pairs = zip(*(list(filter(answers_or_replies, said)) for said in (answer["messages"], given_)), strict=True)
        assert all(told == said or shorter(told, said) for told, said in pairs)
        rest = iter(answer["messages"])
        assert all(message in rest for message in given_ if not answers_or_replies(message))


def answers_or_replies(message: Chat) -> bool:
    return message["role"] in {"assistant", "tool"}


def shorter(told: Chat, said: Chat) -> bool:
    """True for an output that lost escape codes, repeats or what stood already, and for nothing else."""
    notes = ("as they stand above", "more times]")
    left_out = "\x1b" in said["content"] or any(note in told["content"] for note in notes)
    return left_out and told | {"content": ""} == said | {"content": ""}


@given(
    st.lists(st.one_of(st.text(), st.binary().map(repr), st.recursive(st.none() | st.text(), st.lists).map(json.dumps)))
)
def test_any_input_line_gets_one_answer_line(lines_: list[str]) -> None:
    service = Service(Replayed(Budget(1_000, 100), count_words), count_words)
    for line in lines_:
        assert list(json.loads(service.answer(line))) == ["error"]


messages = st.dictionaries(
    st.sampled_from(("role", "content", "tool_calls", "tool_call_id", "name")),
    st.recursive(
        st.none() | st.sampled_from(("user", "tool", "assistant", "system", "robot")) | st.integers(),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(("id", "function", "text")), inner),
        max_leaves=4,
    ),
)


@given(st.lists(messages, max_size=6))
def test_invalid_messages_change_nothing(odd: list[Chat]) -> None:
    service = Service(Replayed(Budget(1_000, 100), count_words), count_words)
    for message in odd:
        answer = json.loads(service.answer(json.dumps({"op": "add", "message": message})))
        assert answer == {"ok": True} or list(answer) == ["error"]
    json.loads(service.answer('{"op":"assemble"}'))


def test_a_conversation_starting_with_a_reply_and_a_late_system_message_gets_a_user_message_first() -> None:
    given_: list[Chat] = [{"role": "user", "content": ""}, {"role": "assistant", "content": "done"}]
    answers = served([[{"role": "assistant", "content": "hello"}], given_], 2_000).answers
    assert [message["role"] for message in answers[-1]["messages"]] == ["user", "assistant", "user", "assistant"]


def test_a_short_output_with_a_repeated_id_is_not_taken_for_a_later_one() -> None:
    def asked(text: str) -> list[Chat]:
        call = {"id": "call_0", "type": "function", "function": {"name": "bash", "arguments": "{}"}}
        return [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_0", "content": text},
        ]

    groups: list[list[Chat]] = [
        [{"role": "user", "content": "go"}],
        asked("\x1b[1m"),
        [{"role": "assistant", "content": None, "name": "first"}],
        asked(""),
    ]
    done = served(groups, 2_000)
    assert [answer["epoch"] for answer in done.answers] == [0, 0, 0, 0]
    assert done.answers[-1]["messages"][3] == {"role": "assistant", "content": None, "name": "first"}


def test_an_empty_user_message_is_not_taken_for_an_empty_late_system_message() -> None:
    call = {"id": "call_0", "type": "function", "function": {"name": "bash", "arguments": "{}"}}
    asked: list[Chat] = [
        {"role": "assistant", "content": "so it goes " * 4, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_0", "content": "on and on " * 8},
    ]
    groups: list[list[Chat]] = [
        [{"role": "user", "content": "go"}],
        [{"role": "system", "content": ""}],
        asked,
        [{"role": "user", "content": ""}],
    ]
    last = served(groups, 160).answers[-1]["messages"]
    assert {"role": "system", "content": ""} not in last
    assert last[-1] == {"role": "user", "content": ""}


def test_an_empty_system_prompt_is_not_taken_for_an_empty_user_message() -> None:
    groups: list[list[Chat]] = [[{"role": "system", "content": ""}, {"role": "user", "content": ""}]]
    last = served(groups, 2_000).answers[-1]["messages"]
    assert last == [{"role": "system", "content": ""}, {"role": "user", "content": ""}]
