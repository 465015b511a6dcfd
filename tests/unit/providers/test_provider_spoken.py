"""Calls that a model wrote in its text: which are calls and which stay text, however they are streamed."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ctxe.providers.text_calls import TextCalls

TOOLS = ("read_file", "search")
READ = '{"name": "read_file", "arguments": {"path": "a.py"}}'
FOUND = '{"name": "search", "parameters": {"pattern": "x < y"}}'
CALLED = ("read_file", '{"path": "a.py"}')
QWEN = "<function=read_file>\n<parameter=path>\na.py\n</parameter>\n</function>"

CALLS = {
    READ: ("", [CALLED]),
    f"```json\n{READ}\n```": ("", [CALLED]),
    f"{READ}\n{FOUND}": ("", [CALLED, ("search", '{"pattern": "x < y"}')]),
    f"<tool_call>\n{READ}\n</tool_call>": ("", [CALLED]),
    f"<tool_call>{READ}": ("", [CALLED]),
    f"I look.\n\n<tool_call>\n{READ}\n</tool_call>\n<tool_call>\n{FOUND}\n</tool_call>\n": (
        "I look.\n\n",
        [CALLED, ("search", '{"pattern": "x < y"}')],
    ),
    f"```py\nx\n```\n<tool_call>{READ}</tool_call>": ("```py\nx\n```\n", [CALLED]),
    f"Look:\n<tool_call>\n{QWEN}\n</tool_call>": ("Look:\n", [CALLED]),
    f"{QWEN}\n</tool_call>": ("", [CALLED]),
    '<tool_call>{"name": "nope", "arguments": {}}</tool_call>': ("", [("nope", "{}")]),
}
WORDS = [
    "Hello!",
    '{"name": "ctxe", "version": 1}',
    '{"name": "somebody_elses", "arguments": {}}',
    '{"name": "read_file", "arguments": "text"}',
    f"{READ} is what I would call",
    f"It is called so:\n```\n<tool_call>{READ}</tool_call>\n```\n",
    f"<tool_call>{READ}</tool_call>\nis the form of a call.",
    f"Servers read `<tool_call>{READ}</tool_call>` out of the words.",
    f"See <tool_call>{READ}</tool_call>",
    "<tool_call>{broken</tool_call>",
    "a < b\n<b>bold</b>\n<",
    "```json\n[1]\n```",
]


def heard(text: str, size: int, tools: tuple[str, ...] = TOOLS) -> tuple[str, list[tuple[str, str]]]:
    spoken = TextCalls(tools)
    words = "".join(spoken.split(text[at : at + size]) for at in range(0, len(text), size))
    more, calls = spoken.rest()
    return words + more, list(calls)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize("text", CALLS)
def test_a_call_written_in_the_text_is_recognised(text: str, size: int) -> None:
    assert heard(text, size) == CALLS[text]


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize("text", WORDS)
def test_quoted_and_incomplete_calls_stay_text(text: str, size: int) -> None:
    assert heard(text, size) == (text, [])


@pytest.mark.parametrize("text", [*CALLS, *WORDS])
def test_without_tools_all_text_is_passed_on_at_once(text: str) -> None:
    assert TextCalls(()).split(text) == text


def test_text_is_passed_on_before_the_end() -> None:
    spoken = TextCalls(TOOLS)
    assert spoken.split("Look: ") == "Look: "
    assert spoken.split('{"name": ') == '{"name": '
    assert spoken.split("\n<ta") == "\n<ta"


def test_a_written_call_stays_text_beside_native_calls() -> None:
    spoken = TextCalls(TOOLS)
    assert spoken.split(READ) == ""
    assert spoken.rest(called=True) == (READ, ())


@pytest.mark.parametrize("begun", ["One line ", '{"name": "read_file", "arguments": {"path": "', "<tool_call>"])
def test_a_long_answer_is_read_in_linear_time(begun: str) -> None:
    def took(pieces: int) -> float:
        spoken, began = TextCalls(TOOLS), time.process_time()
        for piece in [begun, *["ten chars "] * pieces]:
            spoken.split(piece)
        return time.process_time() - began

    def fastest(pieces: int) -> float:
        """Of three runs, since other processes and the garbage collector can slow a single one."""
        return min(took(pieces) for _ in range(3))

    assert fastest(40_000) < 10 * max(fastest(10_000), 0.02)


@given(
    st.lists(st.sampled_from(["\n", "```", "<", "<tool_call>", "</tool_call>", READ, "<function=", " ", "x"])),
    st.integers(1, 9),
)
@example(["\n", "</tool_call>", "\n", " ", "<function=", "<tool_call>"], 2)
def test_no_text_is_lost_or_repeated_however_it_is_streamed(parts: list[str], size: int) -> None:
    text = "".join(parts)
    words, calls = heard(text, size)
    assert words == text if not calls else text.startswith(words)
    assert all(isinstance(json.loads(arguments), dict) for _, arguments in calls)
    assert heard(text, 1) == (words, calls)
