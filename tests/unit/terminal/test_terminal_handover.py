"""Which commands of the user are interactive and get the terminal."""

from __future__ import annotations

import pytest

from ctxe.terminal.input.handover import is_interactive


@pytest.mark.parametrize(
    "command",
    [
        "vim a.py",
        "/usr/bin/less a.py",
        "git log | less",
        "cd src && nano a.py",
        "python",
        "python3.12 -i a.py",
        "python -m pdb a.py",
        "bash",
        "sudo make install",
        "ssh host",
        "git commit",
        "git commit --amend",
        "git rebase -i HEAD~3",
        "git add -p",
        "git -c core.editor=vi commit",
        "docker run -it image sh",
        "kubectl exec -ti pod -- sh",
    ],
)
def test_interactive_commands_are_recognised(command: str) -> None:
    assert is_interactive(command)


@pytest.mark.parametrize(
    "command",
    [
        "ls",
        "python a.py",
        "python -m pytest -q",
        "python -c 'print(1)'",
        "bash build.sh",
        "python < a.py",
        "git commit -m 'Mend it'",
        "git commit -am x",
        "git commit --amend --no-edit",
        "git diff",
        "git add a.py",
        "docker run --rm image",
        "echo vim",
        "grep less a.py",
        "",
        "'",
    ],
)
def test_other_commands_keep_their_output_in_the_session(command: str) -> None:
    assert not is_interactive(command)
