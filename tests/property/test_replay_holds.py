"""The public rules of ``ctxe replay``, on generated conversations, odd ones too."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.context.budget import Budget
from ctxe.project.window.replaying import Replayed
from ctxe.serve.chat import tokens_of
from ctxe.serve.replay import Service

settings.register_profile("replay", max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "200")), deadline=None)
settings.load_profile("replay")

RESERVE, MARGIN = 40, 64
Chat = dict[str, Any]


def words(text: str) -> int:
    return len(text.split())


NAMES = ("parseHeader", "src/frame.py", "total_count", "the", "é", "\x1b[1m")


class Maker:
    """Makes sessions out of one number; an assembly is asked for after each group of messages."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def text(self) -> str:
        lines = (self.random.choices(NAMES, k=self.random.randint(0, 6)) for _ in range(self.random.randint(0, 20)))
        return "\n".join(map(" ".join, lines))

    def content(self) -> str | None:
        return self.random.choice((None, "", self.text(), self.text()))

    def asked(self) -> list[Chat]:
        """An assistant message and its results, in any order; ids may be those of an earlier one."""
        number = self.random.choice((0, self.random.randint(0, 10_000)))
        calls = []
        for n in range(self.random.randint(0, 3)):
            arguments = self.random.choice((self.text(), json.dumps({"path": "src/frame.py", "content": self.text()})))
            function = {"name": self.random.choice(("read", "bash", "edit")), "arguments": arguments}
            calls.append({"id": f"call_{number}_{n}", "type": "function", "function": function})
        reply: Chat = {"role": "assistant", "content": self.content()} | ({"tool_calls": calls} if calls else {})
        results: list[Chat] = [{"role": "tool", "tool_call_id": call["id"], "content": self.text()} for call in calls]
        self.random.shuffle(results)
        return [reply, *results]

    def session(self) -> list[list[Chat]]:
        head: list[Chat] = [{"role": "system", "content": self.text()}] if self.random.random() < 0.7 else []
        groups = [[*head, {"role": "user", "content": self.content()}] if self.random.random() < 0.9 else head]
        for _ in range(self.random.randint(0, 12)):
            odd = self.random.random()
            role = "user" if odd < 0.1 else "system"
            groups.append([{"role": role, "content": self.text()}] if odd < 0.15 else self.asked())
        return groups


def sessions() -> st.SearchStrategy[list[list[Chat]]]:
    return st.integers(0, 2**48).map(lambda seed: Maker(seed).session())


def served(groups: list[list[Chat]], window: int) -> tuple[list[Chat], list[list[Chat]]]:
    """All answers to assemble, and what had been given by then."""
    service = Service(Replayed(Budget(window, RESERVE + MARGIN), words), words)
    answers, given_by_then, given_ = [], [], list[Chat]()
    for group in groups:
        for message in group:
            assert json.loads(service.answer(json.dumps({"op": "add", "message": message}))) == {"ok": True}
            given_.append(message)
        answers.append(json.loads(service.answer('{"op":"assemble"}')))
        given_by_then.append(list(given_))
    return answers, given_by_then


windows = st.integers(300, 2_500)


@given(sessions(), windows)
def test_every_answer_keeps_the_rules_or_says_why_it_cannot(groups: list[list[Chat]], window: int) -> None:
    for answer, given_ in zip(*served(groups, window), strict=True):
        if "error" in answer:
            assert "cannot fit" in answer["error"]
            continue
        messages = answer["messages"]
        assert answer["tokens"] == tokens_of(messages, words) <= window - RESERVE
        assert_whole(messages)
        assert_order(messages, given_)
        if given_ and given_[0]["role"] == "system":
            assert messages[0]["role"] == "system"
            assert messages[0]["content"].startswith(given_[0]["content"])
        if given_ and given_[-1]["role"] != "system":
            assert_last(messages, given_)


def assert_whole(messages: list[Chat]) -> None:
    """A user message is first after the system's; each call is followed at once by its results."""
    others = [message for message in messages if message["role"] != "system"]
    assert not others or others[0]["role"] == "user"
    wanted: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            assert message["tool_call_id"] in wanted
            wanted.remove(message["tool_call_id"])
        else:
            assert wanted == []
            wanted = [call["id"] for call in message.get("tool_calls") or ()]
    assert wanted == []


def assert_order(messages: list[Chat], given_: list[Chat]) -> None:
    """What was given comes back in order, each at most once."""
    at = 0
    for message in messages:
        if message in given_[at:]:
            at += given_[at:].index(message) + 1


def assert_last(messages: list[Chat], given_: list[Chat]) -> None:
    assert messages[-1]["role"] == given_[-1]["role"]
    assert messages[-1].get("tool_call_id") == given_[-1].get("tool_call_id")


@given(sessions())
def test_where_everything_fits_everything_comes_back_as_it_was_given(groups: list[list[Chat]]) -> None:
    for answer, given_ in zip(*served(groups, 200_000), strict=True):
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


@given(sessions(), windows)
def test_within_an_epoch_requests_only_grow(groups: list[list[Chat]], window: int) -> None:
    answers, _ = served(groups, window)
    for before, after in pairwise(answers):
        if "error" not in before and "error" not in after and before["epoch"] == after["epoch"]:
            assert after["messages"][: len(before["messages"])] == before["messages"]


@given(
    st.lists(st.one_of(st.text(), st.binary().map(repr), st.recursive(st.none() | st.text(), st.lists).map(json.dumps)))
)
def test_any_line_gets_one_line(lines_: list[str]) -> None:
    service = Service(Replayed(Budget(1_000, 100), words), words)
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
def test_messages_that_are_none_change_nothing(odd: list[Chat]) -> None:
    service = Service(Replayed(Budget(1_000, 100), words), words)
    for message in odd:
        answer = json.loads(service.answer(json.dumps({"op": "add", "message": message})))
        assert answer == {"ok": True} or list(answer) == ["error"]
    json.loads(service.answer('{"op":"assemble"}'))


def test_a_conversation_that_begins_with_a_reply_after_a_late_system_message_has_user_words_first() -> None:
    given_: list[Chat] = [{"role": "user", "content": ""}, {"role": "assistant", "content": "done"}]
    answers, _ = served([[{"role": "assistant", "content": "hello"}], given_], 2_000)
    assert [message["role"] for message in answers[-1]["messages"]] == ["user", "assistant", "user", "assistant"]
