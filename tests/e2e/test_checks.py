"""Checks configured by the user: run automatically after edits and before a turn ends; the model fixes what fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, Terminal, anthropic_at, ctxe, environment, openai_at, repository
from tests.wire.server import Call, Reply, WireServer

FILES = {"a b.py": "one = 1\n", "test.sh": "#!/bin/sh\ngrep -q 'one = 3' 'a b.py'\n", "notes.md": "old\n"}
READ = Reply("", [Call("read_file", {"path": "a b.py"}), Call("read_file", {"path": "notes.md"})])


def edit(old: str, new: str, path: str = "a b.py") -> Reply:
    return Reply("", [Call("edit_file", {"path": path, "old": old, "new": new})])


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", FILES)


def checks(home: Path, **settings: Any) -> None:
    folder = home / ".config/ctxe"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    (folder / "config.toml").write_text("\n".join(["[checks]", *rows]) + "\n")


def told(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False)


@pytest.mark.parametrize("at", [openai_at, anthropic_at])
def test_a_check_that_fails_after_an_edit_is_reported_with_the_next_request(home: Path, repo: Path, at: Any) -> None:
    checks(home, edits=["*.py: grep -q 'one = 2' {files}", "*.md: echo not for this one; false"])
    script = [READ, edit("one = 1", "one = 3"), edit("one = 3", "one = 2"), Reply("Done.")]
    with WireServer(script, key=KEY) as server:
        done = ctxe(repo, environment(home, **at(server.url)), "-p", "change it", "--approval", "auto-edit")
        assert (done.code, done.out, server.refused, server.left) == (0, "Done.\n", [], 0), done.err
        said = [told(body).count("a check of the user's failed after your change") for body in server.bodies]
    assert said == [0, 0, 1, 1]
    assert "check grep -q 'one = 2' 'a b.py'" in done.err
    assert "not for this one" not in done.err


def command(words: str) -> Reply:
    return Reply("", [Call("run_command", {"command": words})])


def test_files_edited_by_a_command_are_checked_but_files_written_by_a_check_are_not(home: Path, repo: Path) -> None:
    """Everything happens one folder down: a Landlock sandbox lets a command make no new names at the top."""
    checks(home, edits=["*.py: grep -q 'one = 2' {files}"], turn="date >> src/seen.log; sh test.sh")
    (repo / ".gitignore").write_text("build/\n")
    (repo / "src/build").mkdir(parents=True)
    (repo / "src/a b.py").write_text("one = 1\n")
    script = [
        command("sed -i 's/one = 1/one = 4/' 'src/a b.py'"),
        edit("old", "new", "notes.md"),
        command("for n in $(seq 150); do echo 1 > src/m$n.py; done"),
        command("echo 1 > src/build/a.py; cat 'src/a b.py'"),
        command("sed -i 's/one = 4/one = 2/' 'src/a b.py'"),
        Reply("Done?"),
        command("cat 'src/a b.py'"),
        Reply("It cannot be."),
    ]
    with WireServer([READ, *script], key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "-p", "do", "--approval", "auto")
        assert (done.code, done.out, server.left) == (0, "It cannot be.\n", 0), done.err
        said = [told(body).count("a check of the user's failed after your change") for body in server.bodies]
    assert said == [0, 0, 1, 1, 1, 1, 1, 2, 2]
    assert done.err.count("● check grep -q 'one = 2' 'src/a b.py'") == 2
    assert done.err.count("● check date >> src/seen.log; sh test.sh") == 1


def test_a_turn_that_edited_ends_when_its_check_passes(home: Path, repo: Path) -> None:
    checks(home, turn="sh test.sh")
    script = [Reply("Nothing to do."), READ, edit("one = 1", "one = 2"), Reply("Done?"), edit("one = 2", "one = 3")]
    script += [Reply("Done.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "-p", "look").err.count("test.sh") == 0, "nothing was edited"
        done = ctxe(repo, env, "-p", "change it", "--approval", "auto-edit")
        assert (done.code, done.out, server.refused, server.left) == (0, "Done.\n", [], 0), done.err
        assert "`sh test.sh`; fix it" in told(server.bodies[4])
    assert done.err.count("● check sh test.sh") == 2


def test_a_turn_ends_even_when_its_check_is_never_fixed(home: Path, repo: Path) -> None:
    checks(home, turn="sh test.sh", rounds=1)
    script = [READ, edit("one = 1", "one = 2"), Reply("Done?"), edit("one = 2", "one = 4"), Reply("I give up.")]
    with WireServer(script, key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "-p", "do", "--approval", "auto-edit")
        assert (done.code, done.out, server.left) == (0, "I give up.\n", 0), done.err
    assert "sh test.sh still fails after 1 round; the turn ends" in done.err


def test_a_failed_check_is_not_sent_back_twice_without_an_edit(home: Path, repo: Path) -> None:
    checks(home, turn="sh test.sh")
    with WireServer([READ, edit("one = 1", "one = 2"), Reply("Done?"), Reply("It cannot be.")], key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "-p", "do", "--approval", "auto-edit")
        assert (done.code, done.out, server.left) == (0, "It cannot be.\n", 0), done.err


def test_a_repository_cannot_define_checks(home: Path, repo: Path) -> None:
    (repo / ".ctxe.toml").write_text('[checks]\nturn = "touch owned"\nedits = ["touch owned"]\n')
    with WireServer([READ, edit("one = 1", "one = 2"), Reply("Done.")], key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "-p", "do", "--approval", "auto-edit")
    assert (done.code, (repo / "owned").exists()) == (0, False)
    assert 'checks.turn = "touch owned" refused' in done.err


def test_files_rewritten_by_a_check_are_reported_and_undone_with_the_turn(home: Path, repo: Path) -> None:
    checks(home, edits=["*.py: printf 'one = 2  # neat\\n' > {files}"])
    script = [READ, edit("one = 1", "one = 2"), Reply("Done.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat", "--approval", "auto-edit")) as terminal:
            terminal.ready()
            terminal.enter("do it")
            terminal.wait(r"check printf(.|\n)*Done\.")
            assert "# neat" in told(server.bodies[2]), "the model sees what its file holds now"
            terminal.settle()
            terminal.enter("/undo")
            terminal.wait(r"put back: a b\.py")
            terminal.leave()
    assert (repo / "a b.py").read_text() == "one = 1\n"


def test_escape_stops_a_check_and_the_turn_with_it(home: Path, repo: Path) -> None:
    checks(home, turn="echo looking; sleep 60")
    with WireServer([READ, edit("one = 1", "one = 2"), Reply("Done."), Reply("Two.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat", "--approval", "auto-edit")) as terminal:
            terminal.ready()
            terminal.enter("do it")
            terminal.wait(r"Done\.(.|\n)*check echo looking; sleep 60 · by your settings\n  looking")
            terminal.type("\x1b")
            terminal.wait("interrupted; what arrived is kept")
            assert "a check of yours failed" not in terminal.screen
            terminal.settle()
            assert len(server.bodies) == 3
            terminal.enter("and now?")
            terminal.wait(r"Two\.")
            terminal.settle()
            terminal.leave()


def test_edits_before_a_steering_message_are_checked_at_the_end_of_the_turn(home: Path, repo: Path) -> None:
    checks(home, turn="sh test.sh")
    slow = Reply("Slow words come first.", edit("one = 1", "one = 2").calls, fault="drip", seconds=0.15, piece=3)
    script = [READ, slow, Reply("Both?"), edit("one = 2", "one = 3"), Reply("Both done.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat", "--approval", "auto-edit")) as terminal:
            terminal.ready()
            terminal.enter("change it")
            terminal.wait("Slow")
            terminal.type("only that file")
            terminal.wait("› only that file")
            terminal.type("\r")
            terminal.wait(r"Both done\.(.|\n)*\$")
            terminal.leave()
        assert (server.refused, server.left) == ([], 0)
    assert terminal.screen.count("● check sh test.sh") == 2


def test_an_answer_cut_by_the_limit_does_not_start_the_end_of_turn_check(home: Path, repo: Path) -> None:
    checks(home, turn="sh test.sh")
    cut = Reply("On I go.", edit("one = 2", "one = 3").calls, stop="length")
    script = [READ, edit("one = 1", "one = 2"), cut, edit("one = 2", "one = 3"), Reply("Done.")]
    with WireServer(script, key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "-p", "do", "--approval", "auto-edit")
        assert (done.code, done.out, server.left) == (0, "Done.\n", 0), done.err
    assert done.err.count("● check sh test.sh") == 1


def test_a_check_moved_to_the_background_is_repeated_when_it_failed(home: Path, repo: Path) -> None:
    checks(home, turn="echo begun; while [ ! -e go ]; do sleep 0.1; done; sh test.sh")
    script = [READ, edit("one = 1", "one = 2"), Reply("Changed."), Reply("Thank you."), edit("one = 2", "one = 3")]
    with WireServer([*script, Reply("Mended.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat", "--approval", "auto-edit")) as terminal:
            terminal.ready()
            terminal.enter("change it")
            terminal.wait("Ctrl-B background")
            terminal.type("\x02")
            terminal.wait("the check goes on as job 1: it has not passed yet")
            terminal.wait(r"1 job\n?")
            (repo / "go").touch()
            terminal.settle(0.6)
            terminal.enter("fine")
            terminal.wait("Mended")
            terminal.settle()
        said = [told(body).count("a check of the user's failed after your change") for body in server.bodies]
    assert (server.refused, server.left) == ([], 0)
    assert said == [0, 0, 0, 0, 1, 1]
