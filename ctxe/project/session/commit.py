"""Committing what a session changed, when the user asks: only its files, the rest of the index as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ctxe.domain.conversation import Conversation
from ctxe.domain.errors import CtxeError
from ctxe.safety.programs import find_program

SUBJECT = 72


def message_for(conversation: Conversation, changed: Sequence[str]) -> str:
    """A message from the user's own words: what was asked last as the subject, the files below it."""
    words = next((turn.words for turn in reversed(conversation.turns) if turn.changed()), "")
    line = " ".join(words.split()) or "Change " + ", ".join(changed[:3])
    subject = line if len(line) <= SUBJECT else line[: SUBJECT - 1].rsplit(" ", 1)[0] + "…"
    listed = [f"- {path}" for path in changed[:20]] + ([f"- and {len(changed) - 20} more"] if len(changed) > 20 else [])
    return "\n".join([subject[:1].upper() + subject[1:], "", *listed])


def commit(root: Path, environment: Mapping[str, str], paths: Sequence[str], message: str) -> list[str]:
    """Commit exactly these files with the user's own git (hooks, signing and identity are theirs); what git says.

    Raises CtxeError with git's own words.
    """
    if find_program("git", root) is None:
        raise CtxeError("git was not found", "install git to commit")
    from git import Repo
    from git.exc import GitCommandError, GitError

    try:
        with Repo(root) as repository:
            repository.git.add("--", *paths, env=dict(environment))
            said = repository.git.commit("--only", "-m", message, "--", *paths, env=dict(environment))
    except GitError as error:
        words = error.stderr if isinstance(error, GitCommandError) else str(error)
        last = words.strip().strip("'").strip().splitlines()[-1:] or ["no reason given"]
        raise CtxeError(f"git could not commit: {last[0]}", "nothing was committed") from error
    return str(said).strip().splitlines()[:2]
