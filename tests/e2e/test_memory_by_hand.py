"""Entries changed by a person in the editor: nothing typed is lost, and only a yes saves a proposal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Terminal, ctxe, environment, openai_at, repository
from tests.wire.server import Reply, WireServer


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", {"app.py": "PORT = 8080\n"})


def edits(folder: Path, *scripts: str) -> str:
    """An editor that runs the first of ``scripts`` on the file when it is opened first, then the second, and so on."""
    for number, script in enumerate(scripts, 1):
        (folder / f"edit{number}").write_text(script)
    editor = folder / "editor"
    editor.write_text(
        f'#!/bin/sh\ncd {folder}\nn=$(ls edit* | sort -n | head -1)\nmv "$n" now\ncp "$1" "was-$n"\n. ./now\n'
    )
    editor.chmod(0o755)
    return str(editor)


def test_a_proposal_is_asked_about_again_after_its_edit_was_cancelled(home: Path, repo: Path) -> None:
    ctxe(repo, environment(home), "memory", "add", "Use tabs", "--propose")
    with Terminal(repo, environment(home), ("memory", "review")) as terminal:
        terminal.wait(r"\[q\]uit\?")
        terminal.type("e")
        terminal.wait("change it:")
        terminal.settle()
        terminal.type("\x03")
        terminal.wait(lambda screen: screen.count("[q]uit?") == 2)
        terminal.type("r")
        terminal.wait("rejected")
    assert ctxe(repo, environment(home), "memory", "show", "--json").json == []


def test_an_edited_entry_that_cannot_be_saved_goes_back_to_the_editor(home: Path, repo: Path, tmp_path: Path) -> None:
    token = "ghp_" + "aB3dE6gH9jK2mN5pQ8sTuV1wX4yZ7bC0dEfG"
    editor = edits(
        tmp_path,
        f'echo "Push with {token}, after lunch" >> "$1"',
        'sed -i "/^---/d" "$1"',
        'cat was-edit2 > "$1"; sed -i "s/ghp_[^,]*/the token/" "$1"',
    )
    env = environment(home, EDITOR=editor)
    ctxe(repo, env, "memory", "add", "We push on Mondays")
    with Terminal(repo, env, ("memory", "edit", "1")) as terminal:
        terminal.wait("seems to contain a secret")
        terminal.type("e")
        terminal.wait("its id is no longer 0001-")
        terminal.type("e")
        terminal.wait("saved 0001-")
    (entry,) = ctxe(repo, env, "memory", "show", "--json").json
    assert entry["text"] == "Push with the token, after lunch"


def test_new_proposals_are_announced_at_exit_until_they_are_reviewed(home: Path, repo: Path) -> None:
    waits = "1 proposal for the memory: `ctxe memory review`"
    with WireServer([Reply("Noted.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            assert waits not in terminal.screen
            terminal.enter("From now on write commit messages in German")
            terminal.wait("Noted.")
            terminal.leave()
            assert waits in terminal.screen
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            assert waits in terminal.screen
            terminal.leave()
            assert terminal.screen.count(waits) == 1
        ctxe(repo, env, "memory", "review", "--accept", "all")
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            assert waits not in terminal.screen
            terminal.leave()
