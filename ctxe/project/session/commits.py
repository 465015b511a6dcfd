"""Commits what a session changed, when the user asks: only its files; the rest of the index stays as it is."""

from __future__ import annotations

import os
import re

from ctxe.domain.errors import ConfigError, CtxeError
from ctxe.project.models import choose, connect
from ctxe.project.session.live import Live
from ctxe.safety.display import visible
from ctxe.safety.programs import find_program

SUBJECT = 72
WRITE = "write a commit message"
MOST_TURNS, MOST_SUBJECTS, MOST_WORDS, MOST_DIFF, MOST_MESSAGE = 5, 8, 4_000, 40_000, 4_000
"""Bounds of what a model gets to write a message: turns and subjects, then characters of words, diff and message."""


def message_for(live: Live) -> str:
    """A commit message from the user's own words: the last request as the subject, the files below it.

    Empty when the session changed nothing.
    """
    changed = _changed(live)
    if not changed:
        return ""
    words = next((turn.words for turn in reversed(live.session.state.conversation.turns) if turn.changed()), "")
    line = " ".join(words.split()) or "Change " + ", ".join(changed[:3])
    subject = line if len(line) <= SUBJECT else line[: SUBJECT - 1].rsplit(" ", 1)[0] + "…"
    listed = [f"- {path}" for path in changed[:20]] + ([f"- and {len(changed) - 20} more"] if len(changed) > 20 else [])
    return "\n".join([subject[:1].upper() + subject[1:], "", *listed])


def write_message(live: Live) -> str:
    """A commit message by the cheap model, or by the session's model where none is set; the session pays for it.

    Raises ConfigError offline, CtxeError when the model cannot be asked or answers nothing.
    """
    from ctxe.project.model_questions import ModelQuestions

    project, cheap = live.project, live.project.config.model.cheap
    model = choose(project, cheap) if cheap else live.model
    if model.provider == "offline":
        raise ConfigError("there is no model to write it", "type the message: /commit WORDS")
    ask = ModelQuestions(connect(project, model, lambda *_: ""), live.kit.clean, "commit.md", WRITE, live.kit.allowance)
    words = [turn.words for turn in live.session.state.conversation.turns if turn.changed()][-MOST_TURNS:]
    newest = project.git.output("log", f"-{MOST_SUBJECTS}", "--format=%s") or b""
    parts = {
        "What was asked for": "\n".join(words)[-MOST_WORDS:],
        "The newest subjects": newest.decode("utf-8", "replace"),
        "The diff": live.undo.diff()[:MOST_DIFF],
    }
    message = one_message(ask("\n\n".join(f"{name}:\n{text.strip()}" for name, text in parts.items())))
    if not message:
        raise CtxeError(f"{model.id} wrote no message", "try once more, or type it: /commit WORDS")
    return message


def one_message(answer: str) -> str:
    """A model's answer as a commit message: without a code fence or invisible characters."""
    text = visible(answer).strip()
    fenced = re.fullmatch(r"```[^\n]*\n(.*?)\n?```", text, re.DOTALL)
    return (fenced[1] if fenced else text).strip()[:MOST_MESSAGE]


def _changed(live: Live) -> list[str]:
    """Paths that the session changed and git knows: no ignored files, no new ones that are gone again."""
    if not (changed := live.undo.changed_paths()):
        return []
    known = live.project.git.output("ls-files", "-z", "-c", "-o", "--exclude-standard", "--", *changed)
    names = None if known is None else set(map(os.fsdecode, known.split(b"\0")))
    return [path for path in changed if names is None or path in names]


def commit(live: Live, message: str) -> list[str]:
    """Commit what the session changed, with the user's own hooks, signing and identity; returns what git printed.

    Raises CtxeError with git's own message.
    """
    root, environment, paths = live.project.root, dict(live.project.environment), _changed(live)
    if find_program("git", root) is None:
        raise CtxeError("git was not found", "install git to commit")
    from git import Repo
    from git.exc import GitCommandError, GitError

    try:
        with Repo(root) as repository:
            repository.git.add("--", *paths, env=environment)
            output = repository.git.commit("--only", "-m", message, "--", *paths, env=environment)
    except GitError as error:
        words = error.stderr if isinstance(error, GitCommandError) else str(error)
        last = words.strip().strip("'").strip().splitlines()[-1:] or ["no reason given"]
        raise CtxeError(f"git could not commit: {last[0]}", "nothing was committed") from error
    return str(output).strip().splitlines()[:2]
