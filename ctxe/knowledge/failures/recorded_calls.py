"""One tool call of any coding agent with its result, classified by name and arguments, and by its output."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.knowledge.failures.contents import Content, of_patch
from ctxe.lexical.tables import word_set

Kind = Literal["command", "edit", "look", "other"]
COMMANDS = word_set(
    "bash bash_execute exec_command execute_bash execute_command local_shell local_shell_call run_command"
    " run_shell_command run_terminal_cmd shell shell_command terminal"
)
EDITS = word_set(
    "apply_patch create create_file edit edit_file insert multiedit notebookedit patch replace str_replace"
    " str_replace_based_edit_tool str_replace_editor write write_file"
)
LOOKS = word_set(
    "cat find find_files glob grep grep_search list_dir list_directory list_files ls read read_file read_text_file"
    " search search_files view"
)
"""Lower-case tool names of the agents whose recordings are read here. Any other tool may do anything."""
PATHS = ("path", "file_path", "filePath", "filename", "file", "notebook_path")
EXITS = (
    pattern(r"\AExit code (\d+)$", re.M),
    pattern(r"^Process exited with code (\d+)$", re.M),
    pattern(r'"exit_code": ?(\d+)'),
    pattern(r"^\[exit (\d+)[\],;]", re.M),
    pattern(r"^(?:Exit code|exit code|exit_code|Command exited with code):? (\d+)", re.M),
)
"""How agents report a command's exit code in its output."""
ERROR = pattern(
    r"\A\s*(?:<tool_use_error>|error\b|failed\b|failure\b|invalid\b|cannot\b|no such\b|not permitted\b"
    r"|permission denied|file not found|file does not exist|file has not been read|string to replace not found"
    r"|old_?string"
    r"|(?:file|path|directory) \S+ (?:not found|does not exist)|(?:apply_patch )?verification failed"
    r"|your proposed edit has introduced|no replacement was|no changes|usage:|i could not|the old text)",
    re.IGNORECASE,
)
"""How tools other than commands begin an error message."""
SHELL_ERROR = pattern(
    r"\A\s*(?:\S*/)?(?:ba|z|da)?sh: |\A.*: (?:command not found|No such file or directory)$|\A(?:Error|ERROR|fatal): "
    r"|\AFile \S+ not found$|\(eval\):\d+: ",
    re.M,
)
"""How a shell or program begins the output of a command that failed."""
CUT = pattern(
    r"interrupted|Sibling tool call errored|doesn't want to (?:proceed|take this action)|\bwas cancelled\b", re.I
)
"""Results of calls that never ran or were stopped, which is no failure."""
_HEAD = pattern(r"\A(?:(?:Chunk ID|Wall time|Process exited|Original token count|Exit code)\b[^\n]*\n)+(?:Output:\n?)?")
_SHELL_EDITS = pattern(r"(?:edit|create|insert|append|str_replace)\b")


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call with its result. ``arguments`` is JSON text; ``exit_code`` is None if it was not recorded.

    ``marked`` is the recorded success (None: not recorded), ``place`` the state of a stateful shell before the call,
    ``contents`` what was recorded of the files it read or changed.
    """

    tool: str
    arguments: str
    text: str
    kind: Kind
    command: str = ""
    paths: tuple[str, ...] = ()
    exit_code: int | None = None
    marked: bool | None = None
    place: str = ""
    contents: tuple[Content, ...] = ()

    @property
    def failed(self) -> bool | None:
        """Whether the call failed, by its mark, exit code or first words; None if none of them tells."""
        if CUT.search(self.text[:200]):
            return False
        if self.exit_code is not None:
            return self.exit_code != 0
        if self.marked is not None:
            return not self.marked
        if self.kind == "command":
            return True if SHELL_ERROR.match(self.text[:400]) else None
        return bool(ERROR.match(self.text[:400]))


def recorded_call(
    tool: str, arguments: str, text: str, marked: bool | None = None, code: int | None = None, place: str = ""
) -> RecordedCall:
    """A call, classified by tool name and arguments, with its exit code taken from the output if need be."""
    given = _parsed(arguments)
    command = _command(given) if tool.lower() in COMMANDS else ""
    code = code if code is not None or not command else _exit_code(text)
    kind: Kind = "edit" if _SHELL_EDITS.match(command) else "command" if command else _kind(tool, given)
    patched = tuple(of_patch(str(given.get("input") or given.get("patch") or given.get("patchText") or "")))
    paths = tuple(str(given[key]) for key in PATHS if isinstance(given.get(key), str)) or tuple(p.path for p in patched)
    output = _HEAD.sub("", text, count=1)
    ran = command if kind == "command" else ""
    return RecordedCall(tool, arguments, output, kind, ran, paths, code, marked, place, patched)


def _kind(tool: str, given: Mapping[str, Any]) -> Kind:
    name = tool.lower()
    if name in LOOKS or (name in EDITS and given.get("command") == "view"):
        return "look"
    return "edit" if name in EDITS else "other"


def _command(given: Mapping[str, Any]) -> str:
    """The command line in a call's arguments, prefixed with ``cd`` into the folder that the call names."""
    line = next((given[key] for key in ("command", "cmd", "script") if given.get(key)), "")
    if isinstance(line, list):
        line = line[-1] if len(line) == 3 and str(line[1]).startswith("-") else " ".join(map(str, line))
    folder = _text(given.get("workdir")) or _text(given.get("cwd"))
    return f"cd {folder} && {line}" if folder and line else _text(line)


def _exit_code(text: str) -> int | None:
    both_ends = text[:300] + "\n" + text[-300:]
    return next((int(found[1]) for pattern in EXITS if (found := pattern.search(both_ends))), None)


def _parsed(arguments: str) -> Mapping[str, Any]:
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return {"input": arguments}
    return value if isinstance(value, dict) else {"input": arguments}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
