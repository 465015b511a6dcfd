"""The terminal handed to a shell by Ctrl-Z or to an interactive program, and back again."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Terminal, environment, openai_at, repository
from tests.wire.server import Call, Reply, WireServer

ASKING = "read -p 'name? ' x </dev/tty; echo got $x; touch made"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {"a.py": "x = 1\n"})


def stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_ctrl_z_leaves_no_copy_of_what_is_redrawn(home: Path, repo: Path) -> None:
    script = [Reply("One block.\n\nAnother that grows and grows.", fault="drip", seconds=0.3, piece=4)]
    with WireServer(script, key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("go")
            terminal.wait(r"Another(.|\n)*answering")
            os.kill(terminal.child.pid, signal.SIGTSTP)  # as the terminal does for the key
            limit = time.monotonic() + 10
            while not stopped(terminal.child.pid) and time.monotonic() < limit:
                terminal.settle(0.05)
            terminal.settle(0.2)
            assert [word for word in ("Another", "answering") if word in terminal.screen] == [], terminal.screen
            modes = termios.tcgetattr(terminal.child.fileno())
            assert modes[3] & termios.ECHO
            assert modes[3] & termios.ICANON
            terminal._stream.feed("[1]+ Stopped\r\n$ fg\r\n")  # what a shell writes meanwhile
            os.kill(terminal.child.pid, signal.SIGCONT)
            screen = terminal.wait(r"grows and grows\.(.|\n)*\$0")
            assert (screen.count("One block."), screen.count("Another")) == (1, 1), screen
            assert "answering" not in screen
            terminal.leave()
        assert server.refused == []


def test_a_program_used_by_hand_gets_the_terminal_and_gives_it_back(home: Path, repo: Path) -> None:
    with WireServer([Reply("I see.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            before = termios.tcgetattr(terminal.child.fileno())
            # the prompt that is new in Python 3.13 exits with 1 there, whatever it is told
            terminal.enter(f"!PYTHON_BASIC_REPL=1 {shlex.quote(sys.executable)} -i")
            terminal.wait("(?m)^>>>")
            terminal.enter("import sys; print(sys.stdin.isatty(), 6 * 7)")
            terminal.wait("True 42")
            terminal.type("\x03")  # the program's, not ours
            terminal.wait("KeyboardInterrupt")
            terminal.enter("open('a.py', 'w').write('x = 2'); exit(3)")
            terminal.wait(r"exit 3; none of it goes to the model(.|\n)*›")
            terminal.settle()
            assert termios.tcgetattr(terminal.child.fileno()) == before
            terminal.enter(f"!!{ASKING}")
            terminal.wait("name\\?")
            terminal.enter("Ada")
            terminal.wait(r"got Ada(.|\n)*exit 0; none of it")
            terminal.settle()
            terminal.enter("what now?")
            terminal.wait(r"I see\.")
            terminal.leave()
        assert server.refused == []
        assert "got Ada" not in json.dumps(server.bodies)
    assert (repo / "a.py").read_text() == "x = 2"
    assert (repo / "made").exists()


def test_a_command_of_the_model_that_waits_for_input_ends_at_once_and_says_so(home: Path, repo: Path) -> None:
    asks = f"{shlex.quote(sys.executable)} -c 'input(\"name? \")'"
    script = [Reply("", [Call("run_command", {"command": asks})]), Reply("Then not.")]
    with WireServer(script, key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("go")
            terminal.wait(r"\[y\]")
            terminal.type("y")
            terminal.wait(r"Then not\.", seconds=10)
            assert "it wanted input and there is none" in " ".join(terminal.screen.split())
            terminal.leave()
        assert "it wanted input and there is none" in json.dumps(server.bodies[-1])


@pytest.mark.parametrize("key", ["\x03", "\x1b"], ids=["Ctrl-C", "Escape"])
def test_escape_while_editing_a_command_returns_to_the_approval_question(home: Path, repo: Path, key: str) -> None:
    script = [Reply("", [Call("run_command", {"command": "touch asked"})]), Reply("Not done.")]
    with WireServer(script, key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("go")
            terminal.wait(r"\[e\]dit:")
            terminal.type("e")
            terminal.wait("change it: touch asked")
            terminal.type(key)
            terminal.wait(lambda screen: screen.count("[e]dit:") == 2)
            terminal.settle()
            terminal.type("n rather not\r")
            terminal.wait(r"Not done\.")
            terminal.leave()
        assert "the user said no: rather not" in json.dumps(server.bodies[-1])
    assert not (repo / "asked").exists()


def test_escape_at_a_question_clears_the_line_and_then_stops_the_turn(home: Path, repo: Path) -> None:
    with WireServer([Reply("", [Call("run_command", {"command": "touch asked"})])], key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",)) as terminal:
            terminal.ready()
            terminal.enter("go")
            terminal.wait(r"\[e\]dit:")
            terminal.type("n becau")
            terminal.wait("n becau")
            terminal.type("\x1b")
            terminal.wait(lambda screen: "becau" not in screen)
            terminal.type("\x1b")
            terminal.wait("● run_command touch asked\n  interrupted before this call was run; nothing was done")
            terminal.wait("interrupted; what arrived is kept")
            terminal.leave()
        assert len(server.bodies) == 1
    assert not (repo / "asked").exists()


def test_the_status_row_names_the_key_that_stops_the_turn(home: Path, repo: Path) -> None:
    with WireServer([Reply("Slowly now.", fault="drip", seconds=0.3, piece=3)], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",), columns=40, rows=12) as terminal:
            terminal.ready()
            terminal.enter("go")
            terminal.wait("Esc stops")
            terminal.type("\x1b")
            terminal.wait("interrupted; what arrived is kept")
            terminal.leave()
