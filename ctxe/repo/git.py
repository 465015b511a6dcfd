"""Running git on the code base: safe arguments, bounded time, output as bytes; a missing git gives no answer."""

from __future__ import annotations

import stat
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
"""Files in git's folder that mark an unfinished operation. Rebase comes first: it also leaves CHERRY_PICK_HEAD."""
READ_BY_GIT = (
    ".gitignore", ".gitattributes", ".git", ".git/HEAD", ".git/config", ".git/index", ".git/packed-refs",
    ".git/info/exclude", ".git/info/attributes",
)  # fmt: skip
_COMMIT = pattern(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Git:
    """git for the work tree at ``root``; ``env`` is the process environment, which is cleaned before every call.

    ``below`` keeps git from looking for a repository above ``root``, one that the tree merely lies in.
    """

    root: Path
    env: Mapping[str, str] = field(default_factory=dict)
    below: bool = False

    def start(self, *args: str) -> subprocess.Popen[bytes] | None:
        """Start git with its standard output as a pipe; None when git is missing, cannot start or would wait."""
        if self._waits_at():
            return None
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
        """The output of git, or None when it is missing, fails or takes longer than two minutes."""
        return finish(self.start(*args))

    def refusal(self) -> str:
        """Why git refuses to work on this tree, in its own words (another owner, damage); empty when it works."""
        if pipe := self._waits_at():
            return f"{pipe} is a named pipe, on which git would wait"
        try:
            command = git_command(self.root, "rev-parse", "--git-dir")
            env = self._environment()
            answer = subprocess.run(command, capture_output=True, env=env, timeout=SECONDS, check=False)
        except CtxeError as error:
            return error.message
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        error_text = answer.stderr.decode("utf-8", "replace").strip() or "fatal: git failed"
        return error_text.splitlines()[0].removeprefix("fatal: ") if answer.returncode else ""

    def branch(self) -> str:
        """The branch that is checked out; "HEAD" when none is; empty before the first commit or without git.

        Read from git's own files where possible, which saves a process; in a linked work tree git is asked.
        """
        head = self._git_file("HEAD").removeprefix("ref: ")
        if head.startswith("refs/heads/") and self._git_file(head):
            return head.removeprefix("refs/heads/")
        answer = self.output("rev-parse", "--abbrev-ref", "HEAD")
        return answer.decode("utf-8", "replace").strip() if answer else ""

    def commit(self) -> str:
        """The commit that HEAD is at, read from git's own files; empty when it is not there (then see ``head``)."""
        head = self._git_file("HEAD")
        commit = self._git_file(head.removeprefix("ref: ")) if head.startswith("ref: refs/heads/") else head
        return commit if _COMMIT.fullmatch(commit) else ""

    def head(self) -> str:
        """The commit that HEAD is at, as git itself answers; empty when there is none."""
        output = self.output("rev-parse", "--verify", "--quiet", "HEAD")
        return (output or b"").decode("ascii", "replace").strip()

    def is_content(self, name: str) -> bool:
        """Whether a hash names the content of a file (a blob), not a commit or a folder."""
        return (self.output("cat-file", "-t", name) or b"").strip() == b"blob"

    def under_way(self) -> str:
        """The operation that is unfinished: merge, rebase, cherry-pick, revert or bisect; empty for none."""
        linked = self._git_file("").removeprefix("gitdir: ")  # in a linked work tree .git is a file
        place = self.root / (linked or ".git")
        return next((operation for name, operation in UNDER_WAY.items() if (place / name).exists()), "")

    def _waits_at(self) -> str:
        """A file that every git command reads, if a named pipe stands in its place; else empty."""
        return next((name for name in READ_BY_GIT if _is_pipe(self.root / name)), "")

    def _environment(self) -> dict[str, str]:
        limits = {"GIT_CEILING_DIRECTORIES": str(self.root.parent)} if self.below else {}
        return git_environment(self.env) | limits

    def _git_file(self, name: str) -> str:
        """The content of a file in git's folder; empty when it cannot be read."""
        place = self.root / ".git" / name
        try:  # reading a named pipe would block, so only a regular file is opened
            return place.read_text(encoding="utf-8").strip() if place.is_file() else ""
        except (OSError, UnicodeDecodeError, ValueError):
            return ""


def _is_pipe(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def finish(process: subprocess.Popen[bytes] | None) -> bytes | None:
    """The whole output of a started git; None when it failed or took longer than two minutes."""
    if process is None:
        return None
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    except BaseException:
        process.kill()
        process.wait()
        raise
    return output if process.returncode == 0 else None


def stream(process: subprocess.Popen[bytes] | None, until: bytes) -> Iterator[bytes]:
    """The output of a started git, split at ``until``, piece by piece as it comes; closing the iterator ends git."""
    if process is None or process.stdout is None:
        return
    rest = b""
    try:
        while block := process.stdout.read(1 << 20):
            *complete, rest = (rest + block).split(until)
            yield from complete
        if rest:
            yield rest
    finally:
        process.stdout.close()
        process.kill()
        process.wait()
