"""Calling git about the code base: safe arguments, bounded time, bytes out; a missing git is an empty answer."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from ctxe.domain.errors import CtxeError
from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field
from ctxe.safety.programs import git_command, git_environment

SECONDS = 120.0
UNDER_WAY = {
    "rebase-merge": "rebase", "rebase-apply": "rebase", "MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert", "BISECT_LOG": "bisect",
}  # fmt: skip
"""What git keeps in its folder while something is begun and not ended; a rebase picks commits on its way."""
_COMMIT = pattern(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Git:
    """git for the tree at ``root``; ``env`` is the process environment, which is cleaned before every call.

    ``below`` says that a repository around the tree is not the tree's own: git is not to find it.
    """

    root: Path
    env: Mapping[str, str] = field(default_factory=dict)
    below: bool = False

    def start(self, *args: str) -> subprocess.Popen[bytes] | None:
        """A running git whose standard output is a pipe; None when git is missing or cannot start."""
        try:
            return subprocess.Popen(
                git_command(self.root, *args),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._environment(),
            )
        except (OSError, CtxeError):
            return None

    def output(self, *args: str) -> bytes | None:
        """What git prints, or None when it is missing, fails or takes longer than two minutes."""
        return finish(self.start(*args))

    def refusal(self) -> str:
        """Why git does not answer about this tree (its owner is another, it is damaged), in its words; else empty."""
        try:
            command = git_command(self.root, "rev-parse", "--git-dir")
            env = self._environment()
            asked = subprocess.run(command, capture_output=True, env=env, timeout=SECONDS, check=False)
        except CtxeError as error:
            return error.message
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        said = asked.stderr.decode("utf-8", "replace").strip() or "fatal: git failed"
        return said.splitlines()[0].removeprefix("fatal: ") if asked.returncode else ""

    def branch(self) -> str:
        """The branch that is checked out; "HEAD" for none, empty before the first commit or without git.

        Read from the files of git where that is plain, which spares a process; in a linked work tree git is asked.
        """
        named = self._kept("HEAD").removeprefix("ref: ")
        if named.startswith("refs/heads/") and self._kept(named):
            return named.removeprefix("refs/heads/")
        told = self.output("rev-parse", "--abbrev-ref", "HEAD")
        return told.decode("utf-8", "replace").strip() if told else ""

    def commit(self) -> str:
        """The commit that HEAD is at, by the files of git alone; empty where they do not say it plainly."""
        named = self._kept("HEAD")
        commit = self._kept(named.removeprefix("ref: ")) if named.startswith("ref: refs/heads/") else named
        return commit if _COMMIT.fullmatch(commit) else ""

    def is_content(self, name: str) -> bool:
        """Whether a hash is that of a file's content, not of a commit or a folder."""
        return (self.output("cat-file", "-t", name) or b"").strip() == b"blob"

    def under_way(self) -> str:
        """What was begun and not ended: merge, rebase, cherry-pick, revert, bisect; empty for nothing."""
        linked = self._kept("").removeprefix("gitdir: ")  # of a linked work tree: .git is a file
        place = self.root / (linked or ".git")
        return next((what for name, what in UNDER_WAY.items() if (place / name).exists()), "")

    def _environment(self) -> dict[str, str]:
        limits = {"GIT_CEILING_DIRECTORIES": str(self.root.parent)} if self.below else {}
        return git_environment(self.env) | limits

    def _kept(self, name: str) -> str:
        """A line that git keeps in a file of its own; empty for none."""
        place = self.root / ".git" / name
        try:  # a pipe in its place would be waited for
            return place.read_text(encoding="utf-8").strip() if place.is_file() else ""
        except (OSError, UnicodeDecodeError, ValueError):
            return ""


def finish(process: subprocess.Popen[bytes] | None) -> bytes | None:
    """The whole output of a started git, or None when it did not end well."""
    if process is None:
        return None
    try:
        out, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    except BaseException:
        process.kill()
        process.wait()
        raise
    return out if process.returncode == 0 else None


def stream(process: subprocess.Popen[bytes] | None, until: bytes) -> Iterator[bytes]:
    """Output of a started git cut at ``until``, as it comes; the process is gone when the iterator is."""
    if process is None or process.stdout is None:
        return
    rest = b""
    try:
        while block := process.stdout.read(1 << 20):
            *whole, rest = (rest + block).split(until)
            yield from whole
        if rest:
            yield rest
    finally:
        process.stdout.close()
        process.kill()
        process.wait()
