"""A command that failed and has not passed yet, and whether another one that passes is it, put right."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ctxe.knowledge.failures.calls import named_files
from ctxe.knowledge.failures.signature import program

NEAR = 0.6
"""How alike two command lines of one program are when the second is the first, put right."""
SPAN = 6
"""Commands after a failure within which another one that passes may be its correction."""
UNKNOWN = "?"
"""Stands for the content hash of a file that is not known."""
_WRONG_CALL = (
    "command not found",
    "not found",
    "No such file or directory",
    "usage",
    "no tests ran",
    "file or directory",
    "unrecognized arguments",
    "No module named",
    "unknown option",
)
_WRONG_PATH = ("No such file", "file or directory", "no tests ran", "does not exist")
"""What is said of a path that is wrong: only then may the right call name other files."""

_ASKS_HOW = re.compile(r"(?:^|\s)(?:--help|-h|help|--version)(?:\s|$)")
"""What only asks a program how it is called puts nothing right."""


@dataclass(slots=True)
class Waiting:
    """A command of this session that failed (``ids``) and has not passed yet, and what was done since.

    ``changes`` is what had changed by the newest failure; ``tried`` holds what was done between failures that had the
    same signature (``fresh`` since the newest), ``before`` the hashes of edited files as they were when it failed.
    """

    ids: list[str]
    command: str
    raw: str
    error: str
    changes: int = 0
    commands: int = 0
    edits: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    fresh: dict[str, str] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)

    @property
    def then(self) -> dict[str, str]:
        """The hashes of the edited files as they were when it failed."""
        return {**dict.fromkeys(self.edits, UNKNOWN), **self.before}

    def put_right(self, command: str) -> bool:
        """Whether ``command``, which passes, is the one that failed, put right, maybe with edits that it needed too."""
        from ctxe.lexical.similarity import close

        if command == self.command or self.commands > SPAN or _ASKS_HOW.search(command):
            return False
        near = close(self.command, command) >= NEAR
        same_files = set(named_files(self.command)) <= set(named_files(command))
        wrong = self._says(_WRONG_CALL) and (self._says(_WRONG_PATH) or same_files)
        return wrong and (near or (program(self.command) == program(command) and not self.edits))

    def _says(self, words: tuple[str, ...]) -> bool:
        return any(word.lower() in self.error.lower() for word in words)
