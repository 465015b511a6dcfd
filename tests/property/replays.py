"""Conversations for ``ctxe replay`` generated from a seed, and the invariants of its answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ctxe.agent.state import State
from ctxe.context.budget import Budget
from ctxe.context.fold import request_size
from ctxe.context.trim import Kind, Trimmed, handle_of, trim
from ctxe.domain.conversation import Conversation, Fold
from ctxe.project import Project
from ctxe.project.memory.recall import RecallSearch
from ctxe.project.window.replaying import Replayed
from ctxe.serve.chat import tokens_of
from ctxe.serve.replay import Service
from tests.property.telling import Teller
from tests.support.counting import count_words

RESERVE, MARGIN = 40, 64
Chat = dict[str, Any]
_RECALL = re.compile(r"recall ([0-9a-z_.]+)")


NAMES = ("parseHeader", "src/frame.py", "total_count", "the", "é", "\x1b[1m")


@dataclass(frozen=True, slots=True)
class Scale:
    """Upper limits of a session's size; ``huge`` is the fraction of its texts that are many times longer."""

    lines: int = 20
    groups: int = 12
    huge: float = 0.0


USUAL = Scale()


class Maker(Teller):
    """Generates sessions from a seed, in groups of messages that are added together."""

    def __init__(self, seed: int, scale: Scale = USUAL) -> None:
        super().__init__(seed, NAMES, scale.lines, scale.huge)
        self.scale = scale

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
        for _ in range(self.random.randint(0, self.scale.groups)):
            odd = self.random.random()
            role = "user" if odd < 0.1 else "system"
            groups.append([{"role": role, "content": self.text()}] if odd < 0.15 else self.asked())
        return groups


@dataclass(frozen=True, slots=True)
class Stood:
    """The fold that was laid, and whether all that it leaves fitted the window."""

    laid: Fold | None
    whole: bool

    @classmethod
    def of(cls, done: Replayed) -> Stood:
        fits = request_size(done.frame, done.conversation, count_words) <= done.budget.usable
        return cls(done.conversation.fold, fits)


@dataclass(frozen=True, slots=True)
class Served:
    """All answers to assemble, what had been given and how it stood by then, and the conversation behind."""

    answers: list[Chat]
    given: list[list[Chat]]
    stood: list[Stood]
    replayed: Replayed


def served(groups: list[list[Chat]], window: int) -> Served:
    """Serve a conversation; an assembly is asked for after each group of messages."""
    done = Served([], [], [], Replayed(Budget(window, RESERVE + MARGIN), count_words))
    service, given = Service(done.replayed, count_words), list[Chat]()
    for group in groups:
        for message in group:
            assert json.loads(service.answer(json.dumps({"op": "add", "message": message}))) == {"ok": True}
            given.append(message)
        done.answers.append(json.loads(service.answer('{"op":"assemble"}')))
        done.given.append(list(given))
        done.stood.append(Stood.of(done.replayed))
    return done


def assert_rules_are_kept(done: Served, window: int) -> None:
    """Every answer is within its window, whole, in order and ends with the newest message, or says why it cannot."""
    for answer, given in zip(done.answers, done.given, strict=True):
        if "error" in answer:
            assert "cannot fit" in answer["error"]
            continue
        messages = answer["messages"]
        assert answer["tokens"] == tokens_of(messages, count_words) <= window - RESERVE
        assert_whole(messages)
        assert_order(messages, given)
        if given and given[0]["role"] == "system":
            assert messages[0]["role"] == "system"
            assert messages[0]["content"].startswith(given[0]["content"])
        if given and given[-1]["role"] != "system":
            assert_last(messages, given)


def assert_epochs_only_grow(done: Served) -> None:
    """Every answer begins with the one before, but behind a fold, or where not even the rest could stand whole.

    Until somebody spoke, more of the system prompt may come.
    """
    for (before, given, earlier), (after, _, later) in pairwise(zip(done.answers, done.given, done.stood, strict=True)):
        if "error" in before or "error" in after:
            continue
        grew = after["messages"][: len(before["messages"])] == before["messages"]
        assert grew == (before["epoch"] == after["epoch"])
        began = any(message["role"] != "system" for message in given)
        assert grew or not began or not earlier.whole or not later.whole or earlier.laid is not later.laid


def uncut(text: str, kind: Kind) -> Trimmed:
    """A text with all the room there is."""
    return trim(text, kind, 10**9, len)


def assert_handles_restore(done: Served, project: Project) -> None:
    """Every handle that any answer names brings back what it stands for, byte for byte.

    What has no handle lost nothing but escape codes, progress and repeats that are told as a number.
    """
    talk = done.replayed.conversation
    results = [result for _, step in talk.steps() for result in step.results]
    originals = {result.handle: done.replayed.original(result) for result in results if result.handle}
    for result in results:
        given = done.replayed.original(result)
        assert result.handle or result.text in (uncut(given, "other").text, uncut(given, "read").text)
    find = RecallSearch(project, lambda: State(talk, originals=originals))
    wanted = _behind_handles(talk, originals)
    texts = "\n".join({m["content"] or "" for answer in done.answers for m in answer.get("messages", ())})
    for handle in set(_RECALL.findall(texts)):
        back = find(handle, "")
        assert all(text in back for text in wanted[handle])
        assert handle.startswith("s") or (back,) == wanted[handle]


def _behind_handles(talk: Conversation, originals: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The texts behind each handle."""
    found: dict[str, tuple[str, ...]] = {handle: (text,) for handle, text in originals.items()}
    found |= {handle_of(turn.words): (turn.words,) for turn in talk.turns}
    found |= {handle_of(step.reply.text): (step.reply.text,) for _, step in talk.steps()}
    found |= {handle_of(note.text): (note.text,) for _, step in talk.steps() for note in step.notes}
    for number, (_, step) in enumerate(talk.steps(), start=1):
        told = [step.reply.text, *(call.arguments for call in step.reply.calls)]
        texts = [originals.get(result.handle, result.text) for result in step.results]
        found[f"s{number}"] = (*told, *texts)
        found |= {result.call_id: (text,) for result, text in zip(step.results, texts, strict=True)}
    return found


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


def assert_order(messages: list[Chat], given: list[Chat]) -> None:
    """The messages come back in order, each at most once."""
    at = 0
    for message in messages:
        if message in given[at:]:
            at += given[at:].index(message) + 1


def assert_last(messages: list[Chat], given: list[Chat]) -> None:
    assert messages[-1]["role"] == given[-1]["role"]
    assert messages[-1].get("tool_call_id") == given[-1].get("tool_call_id")
