"""Prompt templates as people use them: typed with arguments, completed by Tab, given to a one-shot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Terminal, ctxe, environment, openai_at, repository
from tests.wire.server import Reply, WireServer

FILES = {
    ".claude/commands/review.md": "---\ndescription: Looks at a file\nargument-hint: FILE\n---\nReview @$1, please.",
    ".ctxe/commands/git/fix.md": "Fix the last commit: $ARGUMENTS. Look at !`git log -1` first.",
    ".claude/skills/brew/SKILL.md": "---\nname: brew\ndescription: Tea.\n---\nBODY-OF-BREW\n",
    "main.py": "print('hello')\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "demo", FILES)


def test_a_template_is_a_slash_command_with_arguments(home: Path, repo: Path) -> None:
    with WireServer([Reply("one"), Reply("two"), Reply("three")], key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",)) as screen:
            screen.wait("nothing sent yet")
            screen.type("/rev")
            screen.wait("Looks at a file FILE")
            screen.type("\t")
            screen.settle()
            screen.enter(" main.py ")
            screen.wait("/review says 1 line of .claude/commands/review.md")
            screen.wait("one")
            screen.enter("/git:fix the  tests")
            screen.wait("do not run by themselves")
            screen.wait("two")
            screen.enter("/brew a pot")
            screen.wait("three")
            screen.enter("/revue ")
            screen.wait("did you mean /review?")
            screen.enter("/help")
            screen.wait("/review FILE +Looks at a file")
            screen.enter("/exit")
            assert screen.ended() == 0
        bodies = [json.dumps(body, ensure_ascii=False) for body in server.bodies]
    assert "Review @main.py, please." in bodies[0]
    assert "print('hello')" in bodies[0]
    assert "Fix the last commit: the  tests. Look at !`git log -1` first." in bodies[1]
    assert [body.count("BODY-OF-BREW") for body in bodies] == [0, 0, 1]
    assert "a pot" in bodies[2]


def test_a_headless_message_expands_a_template_but_not_a_path_that_starts_with_a_slash(home: Path, repo: Path) -> None:
    with WireServer([Reply("one"), Reply("two")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "/review main.py").out == "one\n"
        assert ctxe(repo, env, "chat", "-p", "/etc/hosts is what?").out == "two\n"
        bodies = [json.dumps(body) for body in server.bodies]
    assert "Review @main.py, please." in bodies[0]
    assert "/etc/hosts is what?" in bodies[1]


def test_shipped_templates_are_overridden_by_templates_of_the_same_name(home: Path, repo: Path) -> None:
    with WireServer([Reply("one"), Reply("two"), Reply("three")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", stdin="/init mind the tea\n/review main.py\n/help\n")
        assert (done.code, server.left) == (0, 1), done.err
        assert "/init says 15 lines of ctxe's own" in done.out
        assert "/init [WHAT MATTERS]" in done.out
        assert done.out.count("/review ") == 2, "the line when it is said, and the one in the help"
        assert "has the same name" not in done.out
        (repo / ".claude/commands/review.md").unlink()
        assert ctxe(repo, env, "chat", "-p", "/review main").out == "three\n"
        bodies = [json.dumps(body, ensure_ascii=False) for body in server.bodies]
    assert "Write AGENTS.md at the root of this repository" in bodies[0]
    assert "mind the tea" in bodies[0]
    assert "Review @main.py, please." in bodies[1]
    assert 'What to review: \\"main\\".' in bodies[2]
