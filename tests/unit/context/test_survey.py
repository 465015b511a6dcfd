"""A survey counts every name, line and file of a conversation, by which the worth of a line is judged."""

from __future__ import annotations

import json

import pytest

from ctxe.context.nearness import near_use
from ctxe.context.survey import Survey, file_key
from ctxe.context.worth import AGAIN, COMMAND, EDIT, NAME, NEAR, OPEN, PATH, USER, worth_of_lines, worth_of_name
from ctxe.domain.conversation import Conversation, Position, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.domain.section import Chunk, Priority, Section, ShareName


def shown(result: ToolResult) -> str:
    return result.text


def step(n: int, name: str, arguments: dict[str, str], text: str = "ok") -> Step:
    return Step(Reply("", (ToolCall(f"c{n}", name, json.dumps(arguments)),)), (ToolResult(f"c{n}", text),))


READ = step(1, "read", {"path": "src/a.py"}, "1: first_line = 1\n2: second_line = 2")
EDITED = step(2, "edit", {"path": "/w/src/a.py", "old_string": "first_line = 1", "new_string": "first_line = 10"})
TALK = Conversation((Turn("look at second_line please", (), (READ, EDITED)), Turn("and now?", (), ())))


def test_the_survey_finds_names_lines_and_files() -> None:
    survey = Survey().update(TALK, shown)
    assert survey.now == 2
    assert survey.user_messages() == ("look at second_line please", "and now?")
    assert list(survey.user_names) == ["second_line"]
    first = survey.names["first_line"]
    assert (first.last, first.entries, first.used, first.last_used) == (2, 2, 2, 2)
    assert survey.lines["first_line = 1"].is_gone
    assert not survey.lines["first_line = 10"].is_gone
    history = survey.files[file_key("elsewhere/src/a.py")]
    assert (history.edits, history.last_edit) == (1, 2)
    assert list(history.lines) == ["first_line = 1", "second_line = 2", "first_line = 10"]
    assert survey.edits == [(2, "src/a.py")]
    assert [entry.what for entry in survey.newest()] == ["edit"]


def test_an_update_reads_only_the_new_steps() -> None:
    survey = Survey().update(Conversation((Turn("look at second_line please", (), (READ,)),)), shown)
    assert survey.update(TALK, shown) is survey
    fresh = Survey().update(TALK, shown)
    assert [(e.step, e.what) for e in survey.entries] == [(e.step, e.what) for e in fresh.entries]
    assert survey.update(TALK, shown) is survey
    assert survey.now == 2


def test_notes_change_nothing_and_another_conversation_starts_over() -> None:
    survey = Survey().update(TALK, shown)
    noted = Step(READ.reply, READ.results, (Chunk("n", "told"),))
    assert survey.update(Conversation((Turn(TALK.turns[0].words, (), (noted, EDITED)), TALK.turns[1])), shown) is survey
    other = survey.update(Conversation((Turn("another"),)), shown)
    assert other is not survey
    assert other.user_messages() == ("another",)


def test_the_survey_answers_for_any_earlier_position() -> None:
    survey = Survey().update(TALK, shown)
    before = {
        place: [e.what for e in survey.before(place)] for place in (Position(0, 0), Position(0, 1), Position(1, 0))
    }
    assert before == {
        Position(0, 0): [],
        Position(0, 1): ["user", "read"],
        Position(1, 0): ["user", "read", "edit"],
    }
    assert [e.what for e in survey.before(Position(2, 0))] == ["user", "read", "edit", "user"]


def test_names_used_by_the_user_and_the_model_raise_a_lines_worth() -> None:
    survey = Survey().update(Conversation((Turn("look at second_line please", (), (READ,)),)), shown)
    path, named = survey.names["src/a.py"], survey.names["second_line"]
    assert worth_of_name("first_line", survey.names["first_line"], survey) == NAME
    assert worth_of_name("src/a.py", path, survey) == NAME * 2 * PATH
    assert worth_of_name("second_line", named, survey) > NAME * USER
    first, second = survey.lines["first_line = 1"], survey.lines["second_line = 2"]
    assert list(map(worth_of_lines(survey), (first, second))) == [EDIT * OPEN, EDIT * OPEN * USER]


def test_replaced_and_short_lines_are_worth_nothing_and_age_fades() -> None:
    survey = Survey().update(TALK, shown)
    gone, short = survey.lines["first_line = 1"], survey.lines["ok"]
    assert list(map(worth_of_lines(survey), (gone, short))) == [0.0, 0.0]
    later = Survey().update(Conversation((Turn("go", (), (READ, *(step(n, "x", {}) for n in range(2, 50)))),)), shown)
    assert worth_of_lines(later)(later.lines["first_line = 1"]) == EDIT * OPEN / 2


def test_edited_lines_fade_and_lines_read_again_are_worth_more() -> None:
    others = [step(n, "x", {}) for n in range(3, 6)]
    before = Survey().update(Conversation((Turn("go", (), (READ, EDITED, *others)),)), shown)
    fade = 0.5 ** (4 / 48)
    assert worth_of_lines(before)(before.lines["second_line = 2"]) == pytest.approx(EDIT * fade)
    again = Survey().update(
        Conversation((Turn("go", (), (READ, step(2, "read", {"path": "src/a.py"}, "2: second_line = 2"))),)), shown
    )
    assert worth_of_lines(again)(again.lines["second_line = 2"]) == EDIT * OPEN * AGAIN


def test_lines_around_a_name_written_later_by_the_model_are_worth_more() -> None:
    told = "\n".join(f"{n}: total of {n} things" if n != 30 else "30: def parse_header(line):" for n in range(1, 61))
    read = step(1, "read", {"path": "src/b.py"}, told)
    used = step(2, "edit", {"path": "src/c.py", "old_string": "x = 1", "new_string": "x = parse_header(line)"})
    survey = Survey().update(Conversation((Turn("go", (), (read, used)),)), shown)
    worth = worth_of_lines(survey, near_use(survey))
    near = [
        n
        for n in range(1, 61)
        if n != 30 and worth(survey.lines[f"total of {n} things"]) > worth(survey.lines["total of 1 things"])
    ]
    assert near == [*range(22, 30), *range(31, 39)]
    assert worth(survey.lines["total of 29 things"]) == NEAR * worth(survey.lines["total of 1 things"])
    unused = Survey().update(Conversation((Turn("go", (), (used, read)),)), shown)
    assert near_use(unused) == {}
    often = step(1, "read", {"path": "src/b.py"}, "\n".join(f"{n}: parse_header({n})" for n in range(1, 61)))
    everywhere = Survey().update(Conversation((Turn("go", (), (often, used)),)), shown)
    assert near_use(everywhere) == {}


def test_a_shell_line_is_worth_the_sum_of_up_to_four_commands() -> None:
    lines = ["make all", "ls", "make lint && make test", "a1 | b2 | c3; d4 || e5; f6 && g7"]
    survey = Survey().update(Conversation((Turn("go", (), (step(1, "bash", {"command": "\n".join(lines)}),)),)), shown)
    survey.now += 24
    worth = worth_of_lines(survey)
    assert [worth(survey.lines[line]) for line in lines] == [0.0, 0.0, COMMAND, 2 * COMMAND]


def gathered(name: str, share: ShareName | None, *chunks: Chunk) -> Section:
    return Section(name, Priority.INJECTED, chunks, "task", share)


def test_a_file_the_user_named_counts_as_read_and_a_planned_one_once_a_call_uses_it() -> None:
    named = Chunk("src/b.py", "src/b.py: 1 line\n1\tnamed_line = 1", "you named it", path="src/b.py", of="h1")
    planned = (
        Chunk(
            f"files:{path}", f'<file path="{path}">\n[lines 4-4]\n{path[4]}_line = 2\n</file>', "", "region", path, "h"
        )
        for path in ("src/a.py", "src/z.py")
    )
    turn = Turn("look", (gathered("named files", None, named), gathered("files", "files", *planned)), (READ,))
    before = Survey().update(Conversation((Turn(turn.words, turn.gathered),)), shown)
    assert [entry.path for entry in before.entries] == ["", "src/b.py"]
    survey = before.update(Conversation((turn,)), shown)
    assert [(entry.what, entry.path) for entry in survey.entries] == [
        ("user", ""),
        ("named files", "src/b.py"),
        ("files", "src/a.py"),
        ("read", "src/a.py"),
    ]
    assert [line.text for line in survey.entries[2].lines] == ["a_line = 2"]
    assert len(survey.files[file_key("src/a.py")].reads) == 2
    assert [entry.path for entry in Survey().update(Conversation((turn,)), shown).entries][1:3] == [
        "src/b.py",
        "src/a.py",
    ]


def test_notes_of_changes_outlines_rules_and_skills_are_no_files_that_were_read() -> None:
    chunks = (
        Chunk("changed src/b.py", "[ctxe: src/b.py changed]\n+x = 1", "", "region", "src/b.py", "h1"),
        Chunk("files:src/c.py", "<outline>\n1: def c():", "", "outline", "src/c.py", "h2"),
        Chunk("src/AGENTS.md", "Name things well.", path="src/AGENTS.md"),
    )
    skill = gathered("skills", "skills", Chunk("tea", "How tea is made", path="tea/SKILL.md", of="h3"))
    survey = Survey().update(Conversation((Turn("look", (gathered("changes", None, *chunks), skill)),)), shown)
    assert [entry.what for entry in survey.entries] == ["user"]
