"""Everyday gestures in a real pseudo-terminal: copying an answer, undo and redo, rewinding, completing arguments."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from tests.e2e.copying import copier
from tests.e2e.harness import KEY, Terminal, ctxe, environment, git, openai_at, repository
from tests.wire.server import Call, Reply, WireServer

ANSWER = "Do this:\n\n```python\nx = 1\n```\n\nThen this:\n\n```sh\nmake it\n```\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {"a.py": "one = 1\n"})


def test_copying_an_answer_uses_the_terminal_or_a_clipboard_program(home: Path, repo: Path, tmp_path: Path) -> None:
    with WireServer([Reply(ANSWER), Reply(ANSWER)], key=KEY) as server:
        env = environment(home, **openai_at(server.url)) | {"SSH_CONNECTION": "1 2 3 4"}
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("/copy")
            terminal.wait("there is no answer to copy")
            terminal.enter("how?")
            terminal.wait("make it")
            terminal.settle()
            terminal.enter("/copy")
            terminal.wait(r"copied the newest answer \(11 lines\) to the clipboard, by the terminal")
            asked = re.findall(r"\x1b\]52;c;([^\x07]*)\x07", terminal.raw)
            assert [base64.b64decode(text).decode() for text in asked] == [ANSWER]
        del env["SSH_CONNECTION"]
        env |= {"DISPLAY": ":9", "PATH": f"{copier(tmp_path / 'bin', tmp_path / 'copied')}:{env['PATH']}"}
        done = ctxe(repo, env, "chat", stdin="how?\n/copy code\n")
        assert "copied the last block of code (1 line) to the clipboard, by xclip" in done.out
        assert (tmp_path / "copied").read_text() == "make it\n"


def test_copying_never_runs_a_clipboard_program_from_the_repository(home: Path, repo: Path, tmp_path: Path) -> None:
    copier(repo / "tools", tmp_path / "copied")
    with WireServer([Reply(ANSWER)], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        env |= {"DISPLAY": ":9", "PATH": f"{repo / 'tools'}:{env['PATH']}"}
        done = ctxe(repo, env, "chat", stdin="how?\n/copy\n")
    assert "there is no clipboard here" in done.err
    assert not (tmp_path / "copied").exists()


def test_redo_takes_back_an_undo(home: Path, repo: Path) -> None:
    script = [Reply("", [Call("read_file", {"path": "a.py"})])]
    script += [Reply("", [Call("edit_file", {"path": "a.py", "old": "one = 1", "new": "one = 2"})]), Reply("Done.")]
    with WireServer(script, key=KEY) as server:
        lines = "change it\n/redo\n/undo\n/redo\n/redo\n/exit\n"
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "--approval", "auto-edit", stdin=lines)
    assert done.code == 0, done.err
    assert re.findall(r"put back: a\.py|nothing to redo", done.out) == [
        "nothing to redo",
        "put back: a.py",
        "put back: a.py",
        "nothing to redo",
    ]
    assert (repo / "a.py").read_text() == "one = 2\n"
    assert "that was turn" not in done.out
    assert ctxe(repo, environment(home), "failures", "list", "--json").json == []


def test_undo_names_the_turn_it_undoes_when_the_newest_changed_nothing(home: Path, repo: Path) -> None:
    script = [Reply("", [Call("read_file", {"path": "a.py"})])]
    script += [Reply("", [Call("edit_file", {"path": "a.py", "old": "one = 1", "new": "one = 2"})]), Reply("Done.")]
    with WireServer([*script, Reply("It is two now.")], key=KEY) as server:
        lines = "make it two\nwhat is it now?\n/undo\n/exit\n"
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "--approval", "auto-edit", stdin=lines)
    assert "put back: a.py\nthat was turn 1: make it two\n" in done.out


def test_a_commands_argument_is_completed_while_it_is_typed(home: Path, repo: Path) -> None:
    with (
        WireServer([], key=KEY) as server,
        Terminal(repo, environment(home, **openai_at(server.url)), ("chat",)) as terminal,
    ):
        terminal.ready()
        terminal.type("/approve ")
        terminal.wait(r"auto-edit\s*\n\s*auto\s*\n\s*read-only")
        terminal.type("\x15/jobs s")
        terminal.wait(r"show\s*\n\s*stop")


def test_a_session_is_picked_by_typing_or_with_arrow_keys(home: Path, repo: Path) -> None:
    with WireServer(then=Reply("So it is."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "-r").code == 3
        for words in ("mend the parser", "draw the owl"):
            assert ctxe(repo, env, "-p", words).code == 0
        refused = ctxe(repo, env, "-r", "-p", "go on")
        assert (refused.code, "which session?" in refused.err) == (3, True)
        with Terminal(repo, env, ("-r",)) as terminal:
            terminal.wait(r"which session\?(.|\n)*1 turn  draw the owl(.|\n)*1 turn  mend the parser")
            terminal.type("parser")
            terminal.wait(lambda screen: "owl" not in screen)
            terminal.type("\r")
            terminal.wait(r"; 1 turn so far(.|\n)*mend the parser(.|\n)*So it is\.")
            terminal.ready()
            terminal.enter("/resume")
            terminal.wait(r"which session\?")
            terminal.type("\x1b")
            terminal.wait(lambda screen: "which session" not in screen)
            terminal.enter("/resume")
            terminal.wait(r"which session\?")
            terminal.type("\x1b[B\x1b[A\r")
            terminal.wait(r"; 1 turn so far(.|\n)*draw the owl")
            terminal.ready()
            terminal.leave()


def test_vi_keys_work_in_the_input_line_and_the_bell_rings_after_long_work(home: Path, repo: Path) -> None:
    with WireServer([Reply("So it is.", fault="stall", after=2, seconds=0.6)], key=KEY) as server:
        env = environment(home, **openai_at(server.url)) | {"CTXE_SCREEN_KEYS": "vi", "CTXE_SCREEN_BELL": "0.3"}
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.type("what is onee")
            terminal.settle(0.2)
            terminal.type("\x1b")
            terminal.settle(0.3)
            assert "\a" not in terminal.raw
            terminal.type("xbiminus \r")
            terminal.wait(r"what is minus one(.|\n)*So it is\.")
            terminal.wait(lambda _: "\a" in terminal.raw)
            terminal.ready()
            terminal.leave()


def test_ctrl_o_shows_the_whole_output_of_a_call(home: Path, repo: Path) -> None:
    (repo / "long.txt").write_text("".join(f"row {number}\n" for number in range(1, 3001)))
    script = [Reply("", [Call("run_command", {"command": "cat long.txt"})]), Reply("So it is.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.type("\x0f")
            terminal.wait("/output N for the Nth newest: no call yet")
            terminal.enter("show it")
            terminal.wait(r"So it is\.")
            assert "row 1500" not in terminal.screen
            terminal.settle()
            terminal.type("\x0f")
            terminal.wait(r"row 3000\n\[exit 0\]\nrun cat long.txt: 3,001 lines")
            assert "row 1500\n" in terminal.screen
            terminal.ready()
            terminal.leave()


def test_rewind_continues_the_session_from_before_an_earlier_message(home: Path, repo: Path) -> None:
    script = [Reply("One."), Reply("", [Call("read_file", {"path": "a.py"})])]
    script += [Reply("", [Call("edit_file", {"path": "a.py", "old": "one = 1", "new": "one = 2"})]), Reply("Two.")]
    script += [Reply("Three."), Reply("Better.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat", "--approval", "auto-edit")) as terminal:
            terminal.ready()
            terminal.enter("/rewind")
            terminal.wait("the Nth newest words: 0 turns so far")
            for words, answer in (("say one", r"One\."), ("make it two", r"Two\."), ("say three", r"Three\.")):
                terminal.settle()
                terminal.enter(words)
                terminal.wait(rf"{answer}(.|\n)*%")
            terminal.settle()
            terminal.type("\x1b\x1b")
            terminal.wait(
                r"before which words\? \(words, arrows, Enter; Esc leaves\)(.|\n)*say three\s+make it two\s+say one"
            )
            terminal.type("make\r")
            terminal.wait(r"put files back, too\?")
            terminal.type("y")
            terminal.wait(r"put back: a\.py(.|\n)*; 1 turn so far(.|\n)*One\.(.|\n)*› make it two\n")
            terminal.settle()
            terminal.type(" or three\r")
            terminal.wait(r"Better\.")
            terminal.settle()
            terminal.enter("/undo")
            terminal.wait("nothing to undo in this session")
            terminal.leave()
        said = [message for message in server.bodies[-1]["messages"] if message["role"] != "system"]
        told = str(said)
    assert (repo / "a.py").read_text() == "one = 1\n"
    assert ("say one" in told, "make it two or three" in told, "say three" in told, "Two." in told) == (
        True,
        True,
        False,
        False,
    )
    assert len(ctxe(repo, env, "sessions", "list", "--json").json) == 2, "what was left can be resumed"


def test_a_mentioned_file_that_cannot_be_shown_is_reported(home: Path, repo: Path) -> None:
    (repo / "spec.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n")
    (repo / "src").mkdir()
    with WireServer(then=Reply("So it is."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "-p", "compare @spec.pdf, @src/gone.py and @aa.py, by @property of @alice, with @a.py")
    assert done.code == 0
    assert [line for line in done.err.splitlines() if line.startswith("not shown")] == [
        "not shown: spec.pdf is binary (17 bytes, PDF); only text can be read and edited; "
        "`pdftotext -layout FILE -` prints its text where it is installed",
        "not shown: there is no file src/gone.py",
        "not shown: there is no file aa.py; did you mean a.py?",
    ]


def test_a_forked_session_can_undo_the_turns_it_inherited(home: Path, repo: Path) -> None:
    script = [Reply("", [Call("read_file", {"path": "a.py"})])]
    script += [Reply("", [Call("edit_file", {"path": "a.py", "old": "one = 1", "new": "one = 2"})]), Reply("Two.")]
    script += [Reply("", [Call("edit_file", {"path": "a.py", "old": "one = 2", "new": "one = 3"})]), Reply("Three.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        first = ctxe(
            repo, env, "chat", "--approval", "auto-edit", stdin="make it two\nmake it three\n/rewind\nn\n/diff\n"
        )
        assert (first.code, server.left) == (0, 0), first.err
    assert "taken back:\nmake it three\n" in first.out
    shown = first.out.rpartition("; 1 turn so far")[2]
    assert "-one = 1\n+one = 3" in shown, "what stands now, of what the turns that came along changed"
    (repo / "a.py").write_text("one = 2\n")
    again = ctxe(repo, env, "chat", "-c", stdin="/fork\n/undo\n/undo\n/redo\n")
    assert re.findall(r"put back: a\.py|nothing to undo", again.out) == [
        "put back: a.py",
        "nothing to undo",
        "put back: a.py",
    ]
    assert (repo / "a.py").read_text() == "one = 2\n"


def test_a_change_reverted_by_hand_does_not_block_an_undo(home: Path, repo: Path) -> None:
    (repo / "b.py").write_text("one = 1\n")
    script = [Reply("", [Call("read_file", {"path": name}) for name in ("a.py", "b.py")])]
    for name in ("a.py", "b.py"):
        script += [Reply("", [Call("edit_file", {"path": name, "old": "one = 1", "new": "one = 2"})]), Reply("Two.")]
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        words = "a.py first\nb.py then\n"
        assert ctxe(repo, env, "chat", "--approval", "auto-edit", stdin=words).code == 0
        assert server.left == 0
    (repo / "b.py").write_text("one = 1\n")
    done = ctxe(repo, env, "chat", "-c", stdin="/fork\n/rewind 2\ny\n")
    assert "that turn changed nothing\nput back: a.py\n" in done.out
    assert [(repo / name).read_text() for name in ("a.py", "b.py")] == ["one = 1\n"] * 2
    (repo / "a.py").write_text("one = 2\n")
    again = ctxe(repo, env, "chat", "-c", stdin="/undo\n")
    assert "nothing to undo in this session" in again.out


def test_a_rewound_message_waits_until_queued_messages_are_sent(home: Path, repo: Path) -> None:
    slow = Reply("Slow words come first, one after another.", fault="drip", seconds=0.15, piece=3)
    with WireServer([slow, Reply("Quick.")], key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("say it")
            terminal.wait("Slow")
            for words in ("/rewind 1", "first this"):
                terminal.type(words)
                terminal.wait(f"› {words}")
                terminal.type("\r")
                terminal.wait(f"queued: {words}")
            terminal.wait(r"› first this(.|\n)*Quick\.(.|\n)*› say it\n")
            terminal.type("\x15")
            terminal.leave()
        assert (server.refused, server.left) == ([], 0)


def test_slash_commit_leaves_out_ignored_and_removed_files(home: Path, repo: Path) -> None:
    (repo / ".gitignore").write_text("*.log\n")
    made = [Call("write_file", {"path": name, "text": "x\n"}) for name in ("scratch.py", "b.py", "run.log")]
    with WireServer([Reply("", made), Reply("Made.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url), GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a@b.c")
        env |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b.c"}
        lines = "make them\n!rm scratch.py\n/commit\ny\n"
        done = ctxe(repo, env, "chat", "--approval", "auto-edit", stdin=lines)
    assert (done.code, server.refused, server.left) == (0, [], 0), done.err
    assert git(repo, "show", "--name-only", "--format=%B").split() == ["Make", "them", "-", "b.py", "b.py"]


def test_text_from_the_editor_stands_in_the_input_line_unsent(home: Path, repo: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "and words of the editor" >> "$1"\n')
    editor.chmod(0o755)
    with WireServer([Reply("Read.")], key=KEY) as server:
        env = environment(home, EDITOR=str(editor), **openai_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.type("my words ")
            terminal.type("\x18\x05")
            terminal.wait("and words of the editor")
            terminal.settle()
            assert server.bodies == []
            terminal.type("\r")
            terminal.wait("Read")
        said = str(server.bodies[0]["messages"][-1]["content"])
    assert "my words" in said
    assert "and words of the editor" in said
