"""Tool output in a session is trimmed with regard to the session's subject."""

from __future__ import annotations

from dataclasses import replace

from ctxe.agent.state import State
from ctxe.domain.conversation import Conversation, Reply, ToolResult, Turn
from ctxe.domain.tool import ToolOutput
from ctxe.project.window.folds import trimmer
from tests.support.counting import count_words

TEXT = "\n".join("def parse_header():" if n == 7_000 else f"line {n} says nothing" for n in range(8_000))


def cut(state: State) -> tuple[str, str]:
    return trimmer(32_000, count_words, lambda: state)(ToolOutput(TEXT, kind="read"))


def test_trimming_keeps_lines_near_names_of_the_user_and_the_model() -> None:
    asked = State(conversation=Conversation((Turn("mend parse_header"),)))
    text, handle = cut(asked)
    assert "def parse_header():" in text
    assert "line 7001 says nothing" in text
    assert text.startswith("line 0 says nothing")
    assert handle
    assert count_words(text) <= 2_000
    silent = State(conversation=Conversation((Turn("go on"),)))
    assert "parse_header" not in cut(silent)[0]
    assert "parse_header" in cut(replace(silent, pending=Reply("now parse_header")))[0]


def test_lines_of_a_result_in_the_same_reply_are_not_repeated() -> None:
    page = "\n".join(f"line {n} of a file that is read twice" for n in range(40))
    state = State(conversation=Conversation((Turn("read it"),)), results=(ToolResult("c1", page),))
    cut_again = trimmer(32_000, count_words, lambda: state)(ToolOutput(f"{page}\nand one more line", kind="read"))
    assert cut_again[0].splitlines() == [f"[40 lines as they stand above; recall {cut_again[1]}]", "and one more line"]


def test_a_file_that_a_command_shows_repeats_no_line_of_it() -> None:
    page = "\n".join(f"{n}\tline {n} of a file that is read twice" for n in range(40))
    state = State(conversation=Conversation((Turn("read it"),)), results=(ToolResult("c1", page),))

    def said(command: str) -> list[str]:
        plain = "\n".join(line.partition("\t")[2] for line in page.splitlines())
        output = ToolOutput(f"{plain}\n[exit 0]", kind="shell", facts={"command": command})
        return trimmer(32_000, count_words, lambda: state)(output)[0].splitlines()

    for command in ("sed -n 1,40p a.py", "cat a.py b.py", "head -n 40 'a b.py'"):
        assert len(said(command)) == 2
        assert said(command)[0].startswith("[40 lines as they stand above; recall ")
    for command in ("cat a.py | grep line", "sed -n 1,40p a.py && make", "./cat a.py", "git show a.py", ""):
        assert len(said(command)) == 41
