"""Lines that a fold took are shown again when their file is worked on."""

from __future__ import annotations

import json

from ctxe.context.restore import PREFIX, likely_edited_lines, reedit_share
from ctxe.context.survey import Survey
from ctxe.domain.conversation import Conversation, Fold, Position, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.domain.section import Chunk

BODY = [f"value_{n} = compute_value({n})" for n in range(6)]


def shown(result: ToolResult) -> str:
    return result.text


def step(n: int, name: str, arguments: dict[str, str], text: str = "ok", notes: tuple[Chunk, ...] = ()) -> Step:
    return Step(Reply("", (ToolCall(f"c{n}", name, json.dumps(arguments)),)), (ToolResult(f"c{n}", text),), notes)


def edit(n: int, path: str, k: int, notes: tuple[Chunk, ...] = ()) -> Step:
    return step(n, "edit", {"path": path, "old_string": BODY[k], "new_string": f"value_{k} = 0"}, notes=notes)


def read(n: int, path: str) -> Step:
    return step(n, "read", {"path": path}, "\n".join(BODY))


def folded(steps: tuple[Step, ...], upto: int, words: str = "go") -> Conversation:
    return Conversation((Turn(words, (), steps),), Fold(Position(0, upto)))


def back(talk: Conversation, usable: int = 10_000, left: int = 10_000) -> tuple[Chunk, ...]:
    return likely_edited_lines(talk, Survey().update(talk, shown), usable, lambda: left)


def test_hidden_lines_of_a_file_are_restored_after_an_edit() -> None:
    (chunk,) = back(folded((read(1, "src/a.py"), edit(2, "src/a.py", 0)), 1))
    lines = ["[lines of src/a.py, as seen before:]", *BODY[1:]]
    assert chunk == Chunk(f"{PREFIX}src/a.py", "\n".join(lines), "its file is being worked on", "region", "src/a.py")


def test_of_two_files_edited_at_once_the_one_with_hidden_lines_is_restored() -> None:
    first, second = (edit(n, path, 0) for n, path in ((3, "src/a.py"), (4, "src/new.py")))
    both = Step(Reply("", (*first.reply.calls, *second.reply.calls)), (*first.results, *second.results))
    chunks = back(folded((read(1, "src/a.py"), both), 1, "change a.py, then named_one.py"))
    assert [chunk.path for chunk in chunks] == ["src/a.py"]


def test_lines_still_visible_or_restored_since_the_fold_are_not_restored_again() -> None:
    assert back(folded((read(1, "src/a.py"), edit(2, "src/a.py", 0)), 0)) == ()
    note = (Chunk(f"{PREFIX}src/a.py", "\n".join(BODY[1:])),)
    assert back(folded((read(1, "src/a.py"), edit(2, "src/a.py", 0, note), edit(3, "src/a.py", 1)), 1)) == ()


def test_lines_not_restored_after_one_edit_may_be_after_the_next() -> None:
    note = (Chunk(f"{PREFIX}src/a.py", "\n".join(BODY[4:])),)
    (chunk,) = back(folded((read(1, "src/a.py"), edit(2, "src/a.py", 0, note), edit(3, "src/a.py", 0)), 1))
    assert chunk.text.splitlines()[1:] == BODY[1:4]


def test_only_as_many_lines_are_restored_as_there_is_room_for() -> None:
    talk = folded((read(1, "src/a.py"), edit(2, "src/a.py", 0)), 1)
    (chunk,) = back(talk, 150)
    assert chunk.text.count("\n") == 3
    (chunk,) = back(talk, left=36)
    assert chunk.text.count("\n") == 3
    assert back(talk, 100) == ()
    assert back(talk, left=20) == ()
    assert back(talk, left=-1) == ()


def test_lines_below_an_edit_are_restored_first() -> None:
    body = [f"value_of_{n} = compute_value({n:02})" for n in range(40)]
    text = "\n".join(f"{n + 1:4}\t{line}" for n, line in enumerate(body))
    change = {"path": "src/a.py", "old_string": body[20], "new_string": "nothing = 0"}
    talk = folded((step(1, "read", {"path": "src/a.py"}, text), step(2, "edit", change)), 1)
    (chunk,) = back(talk, 500)
    assert [int(line.split()[0]) for line in chunk.text.splitlines()[1:]] == list(range(22, 31))


def test_lines_with_a_name_removed_by_an_edit_are_restored_first() -> None:
    body = [f"value = {'old_name' if n in {3, 17, 39} else 'the_name'}({n:02})" for n in range(40)]
    change = {"path": "src/a.py", "old_string": body[39], "new_string": "value = new_name(39)"}
    talk = folded((step(1, "read", {"path": "src/a.py"}, "\n".join(body)), step(2, "edit", change)), 1)
    (chunk,) = back(talk, 110)
    assert chunk.text.splitlines()[1:] == [body[0], body[3], body[17]]


def test_a_named_file_is_restored_once_between_two_folds() -> None:
    words = "change a.py, then named_one.py"
    note = (Chunk(f"{PREFIX}src/named_one.py", "[lines]"),)
    steps = (read(2, "src/named_one.py"), edit(3, "src/a.py", 0, note), edit(4, "src/a.py", 1))
    assert back(folded(steps, 1, words)) == ()
    assert [chunk.path for chunk in back(folded(steps, 2, words))] == ["src/named_one.py"]


def test_a_session_that_edits_every_file_once_restores_nothing() -> None:
    steps = tuple(read(n, f"src/f{n}.py") for n in range(12)) + tuple(
        edit(20 + n, f"src/f{n}.py", 0) for n in range(12)
    )
    talk = folded(steps, 12)
    survey = Survey().update(talk, shown)
    assert reedit_share(survey) == 1 / 13
    assert back(talk) == ()


def test_the_next_file_named_by_the_user_is_restored_while_others_are_edited() -> None:
    words = "change a.py, then named_one.py and named_two.py"
    steps = (read(1, "src/named_two.py"), read(2, "src/named_one.py"), edit(3, "src/a.py", 0))
    (chunk,) = back(folded(steps, 2, words))
    assert chunk.path == "src/named_one.py"
    assert back(folded(steps, 2, "change a.py")) == ()
    assert back(folded((*steps, step(4, "ls", {})), 2, words)) == ()
    (chunk,) = back(folded((*steps, step(4, "update_todo", {})), 2, words))
    assert chunk.path == "src/named_one.py"
