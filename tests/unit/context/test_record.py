"""The record is made of verbatim lines under headings, fits its room, and keeps what must not be lost."""

from __future__ import annotations

import json

import pytest

from ctxe.context.record import record
from ctxe.context.survey import Survey
from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Turn
from tests.support.counting import count_words


def shown(result: ToolResult) -> str:
    return result.text


def step(n: int, name: str, arguments: dict[str, object], text: str, remark: str = "") -> Step:
    return Step(Reply(remark, (ToolCall(f"c{n}", name, json.dumps(arguments)),)), (ToolResult(f"c{n}", text),))


def surveyed(*steps: Step, said: str = "go") -> Survey:
    return Survey().update(Conversation((Turn(said, (), steps),)), shown)


def made(survey: Survey, room: int = 10_000, covered: tuple[str, ...] = ()) -> list[str]:
    return record(survey, survey.entries[1:], covered, room, count_words).split("\n")


def test_record_lines_are_grouped_under_their_file_or_command() -> None:
    survey = surveyed(
        step(1, "read", {"path": "src/a.py"}, "1: import the_module\n2: x"),
        step(2, "bash", {"command": "pytest -q tests"}, "all_is_well here"),
        step(
            3, "edit", {"path": "src/a.py", "old_string": "import the_module", "new_string": "import the_other"}, "ok"
        ),
    )
    assert made(survey) == [
        "[Steps 1 to 3, folded. Below are lines of them, word for word; `recall s3` shows step 3.]",
        "[s2 bash]",
        "pytest -q tests",
        "all_is_well here",
        "[s1 read; s3 edit]",
        "src/a.py",
        "import the_other",
    ]


def test_runs_of_one_command_share_a_heading_and_other_commands_have_their_own() -> None:
    runs = [step(n, "bash", {"command": "make test"}, f"result_number_{n} of it") for n in (1, 2, 3)]
    lists = [step(n, "list", {}, f"some_file_{n}.py here") for n in (4, 5)]
    lines = made(surveyed(*runs, *lists))
    assert [line for line in lines[1:] if line.startswith("[")] == ["[s2 bash; s3 bash]", "[s4 list]", "[s5 list]"]
    assert lines.count("make test") == 1


def test_commands_that_name_a_file_stand_apart_from_its_reads_and_from_each_other() -> None:
    survey = surveyed(
        step(1, "read", {"path": "tests/test_a.py"}, "1: import the_module"),
        step(2, "bash", {"command": "pytest tests/test_a.py"}, "all_is_well here"),
        step(3, "bash", {"command": "git mv tests/test_a.py tests/test_b.py"}, "fatal: no index_lock"),
        step(4, "grep", {"pattern": "the_module", "path": "tests"}, "tests/test_a.py:1:import the_module"),
        step(5, "list", {"path": "tests"}, "conftest.py test_a.py the_others"),
    )
    headings = [line for line in made(survey)[1:] if line.startswith("[")]
    assert headings == ["[s1 read]", "[s2 bash]", "[s3 bash, failed]", "[s4 grep]", "[s5 list]"]


def test_search_matches_stand_below_their_file() -> None:
    found = "src/a.py\n18:    the_value = one_value\nsrc/b.py\n7:    return the_value\n21-    nearby_value\n"
    found += "CHANGES.md\n9:- the_value is new"
    survey = surveyed(
        step(1, "search", {"pattern": "the_value"}, found),
        step(2, "read", {"path": "src/a.py"}, "18\tthe_value = one_value"),
        step(3, "bash", {"command": "grep -rn other_value src"}, "src/c.py:3:other_value = 1"),
    )
    lines = made(survey, covered=("src/a.py", "src/b.py"))
    assert lines[1:8] == [
        "[s1 search]",
        "the_value",
        "src/b.py",
        "7:    return the_value",
        "21-    nearby_value",
        "CHANGES.md",
        "9:- the_value is new",
    ]
    assert "src/c.py:3:other_value = 1" in lines


def test_lines_that_differ_only_in_numbers_keep_the_newest_and_progress_bars_are_dropped() -> None:
    output = [
        "tests run here: ..............      [ 50%]",
        "..................................  [100%]",
        "==========================================",
        "runner = <Runner object at 0x7f3086912710>",
        "FAILED the test number 1 of the runs",
    ]
    later = [line.replace("710>", "99>").replace("number 1", "number 2") for line in output]
    runs = (step(n, "bash", {"command": f"make test{n}"}, "\n".join(told)) for n, told in enumerate((output, later)))
    lines = made(surveyed(*runs))
    assert [line for line in lines if line in {*output, *later}] == [output[4], output[0], later[3], later[4]]


def test_names_of_passed_tests_are_kept_when_room_is_left() -> None:
    output = [*(f"tests/filter/test_size_{n}.py::test_size PASSED" for n in range(20))]
    output.append("tests/walk/test_depth.py::test_depth_limit FAILED")
    survey = surveyed(step(1, "bash", {"command": "pytest"}, "\n".join(output)), step(2, "ls", {}, ""))
    assert output[-1] in made(survey, 28)
    assert [line for line in made(survey, 800) if line in output] == output


def test_names_of_passed_cargo_and_maven_tests_are_dropped() -> None:
    cargo = [*(f"test filter::size::is_size_{n} ... ok" for n in range(20)), "test walk::depth_limit ... FAILED"]
    maven = [f"[INFO] Running org.shop.Case{n}Test" for n in range(20)]
    survey = surveyed(
        step(1, "bash", {"command": "cargo test"}, "\n".join(cargo)),
        step(2, "bash", {"command": "mvn test"}, "\n".join(maven)),
        step(3, "ls", {}, ""),
    )
    assert [line for line in made(survey, 800) if line in {*cargo, *maven}] == [cargo[-1]]


def test_a_suite_that_passed_is_no_error_of_a_run_that_failed() -> None:
    passed = [
        f"[INFO] Tests run: {n}, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 1 s -- in A{n}" for n in range(9)
    ]
    told = "\n".join(["exit code: 1", *passed, "[ERROR] 2 but 3"])
    survey = surveyed(
        step(1, "bash", {"command": "mvn test"}, told),
        step(2, "read", {"path": "b.py"}, "\n".join(f"name_{n} = other_{n}" for n in range(50))),
    )
    assert "[ERROR] 2 but 3" in made(survey, 40)


def test_a_failed_command_says_why_even_when_nothing_else_fits() -> None:
    survey = surveyed(
        step(1, "bash", {"command": "make"}, "Exit code: 2\nlots of text\nsrc/x.c: fatal thing\nmore"),
        step(2, "read", {"path": "b.py"}, "\n".join(f"name_{n} = other_{n}" for n in range(50))),
    )
    lines = made(survey, 40)
    assert "[s1 bash, failed]" in lines
    assert "src/x.c: fatal thing" in lines


@pytest.mark.parametrize(
    "error",
    [
        "E       AssertionError: assert 'Too many' in ''",
        "a.py:12: error: unknown name",
        "error[E0599]: no method named `rounded`",
        "thread 'tests::rounds' panicked at src/lib.rs:66:9:",
        "[ERROR] Tides.java:[15,64] ';' expected",
        "AssertionError [ERR_ASSERTION]: 1 == 2",
        "not ok 2 - an unknown sku is refused",
    ],
)
def test_a_failed_command_says_its_error_and_not_what_only_mentions_one(error: str) -> None:
    told = ["Exit code: 1", "===== FAILURES =====", "    def test_error_message(runner):", "    failures = 2", error]
    survey = surveyed(
        step(1, "bash", {"command": "make"}, "\n".join(told)),
        step(2, "read", {"path": "b.py"}, "\n".join(f"name_{n} = other_{n}" for n in range(50))),
    )
    assert error in made(survey, 60)
    assert "===== FAILURES =====" not in made(survey, 800)


def test_errors_of_a_command_are_dropped_once_it_succeeds() -> None:
    told = "Exit code: 2\nsrc/cart.c:12: error: unknown type name cart_item"
    failed, fine = (step(n, "bash", {"command": "make all"}, text) for n, text in ((1, told), (2, "linked cart_app")))
    other = step(3, "bash", {"command": "make test"}, told.replace("cart_item", "test_item"))
    assert "src/cart.c:12: error: unknown type name cart_item" in made(surveyed(failed, other))
    lines = made(surveyed(failed, fine, other))
    assert "src/cart.c:12: error: unknown type name cart_item" not in lines
    assert "linked cart_app" in lines
    assert "src/cart.c:12: error: unknown type name test_item" in lines


def test_edited_files_are_always_named() -> None:
    steps = [step(n, "edit", {"path": f"src/f{n}.py", "old_string": "a", "new_string": "b"}, "ok") for n in range(1, 6)]
    reads = [step(n, "read", {"path": f"r{n}.py"}, f"value_{n} = compute_{n}") for n in range(6, 40)]
    lines = made(surveyed(*steps, *reads), 120)
    assert [line for line in lines if line.startswith("src/f")] == [f"src/f{n}.py" for n in range(1, 6)]


def test_the_record_fills_its_room_and_never_exceeds_it() -> None:
    body = "\n".join(f"def function_{n}(argument_{n}): return other_{n}" for n in range(300))
    survey = surveyed(step(1, "read", {"path": "a.py"}, body), step(2, "ls", {}, ""))
    for room in (40, 100, 400):
        text = record(survey, survey.entries[1:], (), room, count_words)
        assert 0.5 * room < count_words(text) <= room


def test_a_record_without_room_or_content_is_empty() -> None:
    survey = surveyed(step(1, "bash", {"command": "make all"}, "x"))
    assert record(survey, survey.entries[1:], (), 0, count_words) == ""
    assert record(survey, [], (), 1_000, count_words) == ""


def test_names_that_stand_elsewhere_are_not_repeated() -> None:
    survey = surveyed(step(1, "bash", {"command": "list"}, "the_name_here: s\nother_name: s"))
    only = made(survey, 21, ("the_name_here",))
    assert "other_name: s" in only
    assert "the_name_here: s" not in only


def test_a_line_stands_once_at_its_newest_place() -> None:
    survey = surveyed(
        step(1, "read", {"path": "a.py"}, "5: shared_line = 1"),
        step(2, "read", {"path": "b.py"}, "9: shared_line = 1"),
    )
    text = "\n".join(made(survey))
    assert "9: shared_line = 1" in text
    assert "5: shared_line = 1" not in text


def test_the_beginning_and_end_of_an_answer_are_in_the_record() -> None:
    told = [f"Point {n} of what was looked at says little." for n in range(60)]
    kept = ["The cache was stale.", "We keep the old answer: callers rely on it.", "It is built once."]
    text = "\n".join([kept[0], *told, *kept[1:]])
    first = Turn("why?", (), (Step(Reply(text), ()),))
    reads = (
        step(n, "read", {"path": f"b{n}.py"}, "\n".join(f"{m}: row {m * n} = {m}" for m in range(300)))
        for n in range(8)
    )
    survey = Survey().update(Conversation((first, Turn("and now?", (), tuple(reads)))), shown)
    lines = made(survey, 600)
    assert {*kept} <= {*lines}
    assert len({*lines}.intersection(told)) <= 1
    assert sum("row" in line for line in lines) > 50


def test_what_a_delegate_answered_stands_in_it() -> None:
    answer = "It is called once a request.\n" + "Some more is said here.\n" * 30 + "Nothing else calls it."
    reads = (
        step(n, "read", {"path": f"b{n}.py"}, "\n".join(f"{m}: row {m * n} = {m}" for m in range(300)))
        for n in range(2, 9)
    )
    asked = step(1, "delegate", {"task": "Who calls it? " * 30, "files": ["src/main.py"]}, answer)
    lines = made(surveyed(asked, *reads), 600)
    assert {"[s1 delegate]", "It is called once a request.", "Nothing else calls it."} <= {*lines}


def test_a_path_in_the_text_of_a_note_or_a_question_does_not_make_it_one_of_that_file() -> None:
    read = step(1, "read_file", {"path": "src/tea.py"}, "1\tdef pour_tea():\n2\t    return True")
    noted = step(2, "remember", {"title": "See src/tea.py", "text": "The callers share src/tea.py. " * 12}, "kept")
    survey = surveyed(read, noted)
    assert [(entry.path, entry.is_edit) for entry in survey.entries[1:]] == [("src/tea.py", False), ("", False)]
    lines = made(survey)
    assert lines[lines.index("[s1 read_file]") + 1] == "src/tea.py"


def test_lines_of_the_user_are_in_the_record() -> None:
    talk = Conversation((Turn("first"), Turn("please use special_name here"), Turn("third")))
    survey = Survey().update(talk, shown)
    text = record(survey, survey.entries[1:2], (), 1_000, count_words)
    assert text.endswith("[s0 user]\nplease use special_name here")


def test_words_before_the_first_step_name_no_step() -> None:
    talk = Conversation((Turn("first"), Turn("look at src/frame.py and parse_header"), Turn("and now")))
    survey = Survey().update(talk, shown)
    text = record(survey, survey.entries, (), 100, count_words)
    assert text.splitlines()[0] == (
        "[Words of the user before the first step, folded. Below are lines of them, word for word.]"
    )
    assert "look at src/frame.py and parse_header" in text
    assert "recall s0" not in text


def test_paths_of_a_listing_not_visited_yet_are_kept() -> None:
    listing = [f"src/pages/part{n}.ts" for n in range(6)]
    text = "\n".join(f"{n}: call_of_{n}(with_one_{n}, other_{n})" for n in range(40))

    def kept(read: str) -> list[str]:
        survey = surveyed(
            step(1, "glob", {"pattern": "**"}, "\n".join(listing)),
            step(2, "read", {"path": read}, text),
            *(step(n, "bash", {"command": f"make step{n}"}, "") for n in range(3, 20)),
        )
        return [line for line in made(survey, 120) if line in listing[1:]]

    assert kept(listing[0]) == listing[1:]
    assert kept("src/elsewhere.ts") == []
