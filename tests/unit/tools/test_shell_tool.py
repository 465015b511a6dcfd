"""run_command: output in order, how it ended, and facts; no process is left behind."""

import os
import time
from typing import Any

import pytest

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Progress, Risk, ToolOutput
from ctxe.tools.shell import run_command
from ctxe.tools.workspace import Workspace, WorkspaceBounds


def sh(place: Any, command: str, **arguments: Any) -> ToolOutput:
    output: ToolOutput = place.call(run_command, command=command, **arguments)
    return output


@pytest.mark.parametrize(
    ("command", "text", "ok"),
    [
        ("echo out; echo err >&2; echo more", "out\nerr\nmore\n[exit 0]", True),
        ("true", "(no output) [exit 0]", True),
        ("printf 'no newline'; exit 3", "no newline\n[exit 3]", False),
        ("cat", "(no output) [exit 0]", True),
        ("kill -9 $$", "(no output) [ended by signal 9]", False),
        ("[[ a == a ]] && echo bash", "bash\n[exit 0]", True),
        ("pwd; echo $TERM $NO_COLOR", None, True),
        ("echo $EDITOR $VISUAL $GIT_EDITOR; $EDITOR /etc/passwd", "true true true\n[exit 0]", True),
        ("sleep 30 & echo started", "started\n[exit 0; 1 background process was ended too]", True),
    ],
)
def test_output_of_both_streams_is_followed_by_the_exit_code(
    place: Any, command: str, text: str | None, ok: bool
) -> None:
    output = sh(place, command)
    expected = f"{place.root}\ndumb 1\n[exit 0]" if text is None else text
    assert (output.text, output.ok, output.kind) == (expected, ok, "shell")


def test_both_streams_of_python_arrive_in_order(place: Any) -> None:
    code = "import sys\nfor i in range(3):\n    print(i)\n    print(i, file=sys.stderr)"
    place.put("p.py", code)
    assert sh(place, "python3 p.py").text == "0\n0\n1\n1\n2\n2\n[exit 0]"


def test_output_comes_as_it_is_written(place: Any) -> None:
    action = run_command(place.workspace).prepare({"command": "echo one; sleep 0.3; echo two"})
    items = list(action.run())
    assert [item.text for item in items if isinstance(item, Progress)] == ["one\n", "two\n"]


def test_the_action_previews_the_whole_command(place: Any) -> None:
    action = run_command(place.workspace).prepare({"command": "echo 1\nrm -rf build"})
    assert (action.title, action.risk, action.preview_kind, action.preview, action.command) == (
        "run echo 1",
        Risk.EXECUTE,
        "command",
        "echo 1\nrm -rf build",
        "echo 1\nrm -rf build",
    )


def test_the_time_limit_ends_the_command_and_its_children(place: Any) -> None:
    began = time.monotonic()
    output = sh(place, "echo before; sleep 41.7 & sleep 41.7", seconds=1)
    assert output.text == "before\n[ended after 1 s, the time limit; it may be raised by seconds]"
    assert output.ok is False
    assert output.facts is not None
    assert (output.facts["timed_out"], output.facts["exit_code"]) == (True, None)
    assert time.monotonic() - began < 6
    processes = sh(place, "ps -eo args 2>/dev/null | grep -c '[s]leep 41.7' || true").text
    assert processes.splitlines()[0] in {"0", "(no output) [exit 0]"}


def test_the_requested_time_limit_is_capped(place: Any) -> None:
    place.bounds = WorkspaceBounds(most_seconds=1.0)
    for seconds in (500, 10**400):
        assert "[ended after 1 s" in sh(place, "sleep 20", seconds=seconds).text


def test_facts_of_a_failing_test_run(place: Any) -> None:
    place.put("test_it.py", "def test_it():\n    assert 1 == 2\n")
    output = sh(place, "python3 -m pytest -q -p no:cacheprovider test_it.py")
    assert output.facts is not None
    seconds = output.facts["seconds"]
    assert output.facts == {
        "command": "python3 -m pytest -q -p no:cacheprovider test_it.py",
        "exit_code": 1,
        "seconds": seconds,
        "tests": {"runner": "pytest", "passed": 0, "failures": 1, "failed": ["test_it.py::test_it"], "skipped": 0},
        "error": {"class": "AssertionError", "message": "assert 1 == 2", "file": "test_it.py", "line": 2},
    }


def test_long_output_is_bounded_and_keeps_its_end(place: Any) -> None:
    place.bounds = WorkspaceBounds(text=10_000)
    output = sh(place, "seq 1 100000; echo the end")
    assert len(output.text) < 11_000
    assert output.text.startswith("1\n2\n")
    assert output.text.endswith("100000\nthe end\n[exit 0]")
    assert "bytes left out" in output.text


def test_a_command_gets_only_the_given_environment(place: Any) -> None:
    os.environ["CTXE_TEST_CANARY"] = "leaked"
    try:
        assert "leaked" not in sh(place, "env").text
    finally:
        del os.environ["CTXE_TEST_CANARY"]


def test_the_command_runs_in_the_sandbox(place: Any) -> None:
    argvs: list[list[str]] = []

    def into(argv: Any) -> list[str]:
        argvs.append(list(argv))
        return ["env", "BOXED=1", *argv]

    from dataclasses import replace

    def make(workspace: Workspace) -> Any:
        return run_command(replace(workspace, wrap_command=into))

    assert place.call(make, command="echo $BOXED").text == "1\n[exit 0]"
    assert argvs[0][1:] == ["-c", "echo $BOXED"]


def test_a_command_denied_by_the_sandbox_is_told_what_was_denied(place: Any) -> None:
    from dataclasses import replace

    def boxed(argv: Any) -> list[str]:
        return ["env", *argv]

    def make(workspace: Workspace) -> Any:
        return run_command(
            replace(workspace, wrap_command=boxed, sandbox_notice=lambda: "commands stay in the work tree")
        )

    met = place.call(make, command="echo 'index.lock: Permission denied'; exit 128")
    assert met.text.endswith("[exit 128; commands stay in the work tree: ask the user to run what needs more]")
    assert met.facts["walled"] is True
    for words in ("dial unix /var/run/docker.sock: permission denied", "error: could not create parent directories"):
        assert place.call(make, command=f"echo '{words}'; exit 1").facts.get("walled") is True
    said = "FAILED a.py::test_b - AssertionError: assert 'Permission denied' in 'ok'\\n1 failed in 0.1s"
    tested = place.call(make, command=f'printf "{said}"; exit 1')
    assert ("ask the user to run what needs more" in tested.text, "walled" in tested.facts) == (True, False)
    raised = place.call(make, command=f'printf "{said.replace("AssertionError", "PermissionError")}"; exit 1')
    assert raised.facts["walled"] is True
    assert place.call(make, command="echo 'Permission denied'").text.endswith("denied\n[exit 0]")
    assert place.call(make, command="echo 'no such thing'; exit 1").text.endswith("thing\n[exit 1]")
    assert "walled" not in (sh(place, "echo 'Permission denied'; exit 1").facts or {})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"command": "  "}, "command is empty"),
        ({"command": "a\0b"}, "command holds a NUL character"),
        ({"command": "ls", "seconds": 0}, "run_command: seconds must be at least 1"),
        ({"command": "ls", "cwd": "/"}, "run_command does not know 'cwd'; it takes command, seconds?, background?"),
    ],
)
def test_invalid_commands_are_refused_with_a_message(place: Any, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolError) as caught:
        sh(place, **arguments)
    assert str(caught.value) == said


def test_closing_a_running_command_leaves_no_process(place: Any) -> None:
    action = run_command(place.workspace).prepare({"command": "echo go; sleep 43.9"})
    running = action.run()
    assert next(running) == Progress("go\n")
    running.close()  # type: ignore[attr-defined]
    assert "sleep 43.9" not in sh(
        place, "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | tr -d '[]'"
    ).text.replace("sleep 43.9'", "")
