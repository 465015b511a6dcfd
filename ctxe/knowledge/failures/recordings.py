"""Recorded sessions of coding agents, call by call: our own logs, Claude Code's, Codex's, and plain chat messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ctxe.knowledge.failures.contents import Content, of_claude, of_patch, of_touches
from ctxe.lexical.tables import names

Kind = Literal["command", "edit", "look", "other"]
COMMANDS = names(
    "bash bash_execute exec_command execute_bash execute_command local_shell local_shell_call run_command"
    " run_shell_command run_terminal_cmd shell shell_command terminal"
)
EDITS = names(
    "apply_patch create create_file edit edit_file insert multiedit notebookedit patch replace str_replace"
    " str_replace_based_edit_tool str_replace_editor write write_file"
)
LOOKS = names(
    "cat find find_files glob grep grep_search list_dir list_directory list_files ls read read_file read_text_file"
    " search search_files view"
)
"""Names of tools, in lower case, as the agents that are read here call them; any other may do anything."""
PATHS = ("path", "file_path", "filePath", "filename", "file", "notebook_path")
EXITS = (
    re.compile(r"\AExit code (\d+)$", re.M),
    re.compile(r"^Process exited with code (\d+)$", re.M),
    re.compile(r'"exit_code": ?(\d+)'),
    re.compile(r"^\[exit (\d+)[\],;]", re.M),
    re.compile(r"^(?:Exit code|exit code|exit_code|Command exited with code):? (\d+)", re.M),
)
"""How agents tell the exit code of a command in its output."""
ERROR = re.compile(
    r"\A\s*(?:<tool_use_error>|error\b|failed\b|failure\b|invalid\b|cannot\b|no such\b|not permitted\b"
    r"|permission denied|file not found|file does not exist|file has not been read|string to replace not found"
    r"|old_?string"
    r"|(?:file|path|directory) \S+ (?:not found|does not exist)|(?:apply_patch )?verification failed"
    r"|your proposed edit has introduced|no replacement was|no changes|usage:|i could not|the old text)",
    re.IGNORECASE,
)
"""How tools other than commands begin to tell that they failed."""
SHELL_ERROR = re.compile(
    r"\A\s*(?:\S*/)?(?:ba|z|da)?sh: |\A.*: (?:command not found|No such file or directory)$|\A(?:Error|ERROR|fatal): "
    r"|\AFile \S+ not found$|\(eval\):\d+: ",
    re.M,
)
"""How a shell, or the program itself, says with the first words that a command went wrong."""
CUT = re.compile(
    r"interrupted|Sibling tool call errored|doesn't want to (?:proceed|take this action)|\bwas cancelled\b", re.I
)
"""What is told of a call that never ran, or was stopped: that is nobody's failure."""
_PLACE = re.compile(r"\n?\(Open file: (?P<open>[^\n]*)\)\n\(Current directory: (?P<folder>[^\n]*)\)\nbash-\$\s*\Z")
_HEAD = re.compile(
    r"\A(?:(?:Chunk ID|Wall time|Process exited|Original token count|Exit code)\b[^\n]*\n)+(?:Output:\n?)?"
)
_SHELL_EDITS = re.compile(r"(?:edit|create|insert|append|str_replace)\b")


@dataclass(frozen=True, slots=True)
class Taken:
    """One call with its result. ``arguments`` is JSON text; ``exit_code`` None means that nobody wrote it down.

    ``marked`` is what the recording says of success (None: nothing). ``place`` is where a shell with a memory stood,
    ``contents`` what is told of the files that the call read or changed.
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
        """Whether it went wrong, as far as marks, exit codes and first words tell; None where none does."""
        if CUT.search(self.text[:200]):
            return False
        if self.exit_code is not None:
            return self.exit_code != 0
        if self.marked is not None:
            return not self.marked
        if self.kind == "command":
            return True if SHELL_ERROR.match(self.text[:400]) else None
        return bool(ERROR.match(self.text[:400]))


@dataclass(frozen=True, slots=True)
class Said:
    """Words of the user in a recording."""

    words: str


@dataclass(slots=True)
class Recording:
    """A recording as it is read. ``root`` is the folder that the session worked in, as far as the recording tells;
    ``at`` when the newest line was written (ISO 8601).
    """

    root: str = ""
    at: str = ""
    open: dict[str, tuple[str, str]] = field(default_factory=dict)
    place: str = ""

    def steps(self, lines: Iterable[bytes]) -> Iterator[Taken | Said]:
        """Calls and words in order; lines that are no JSON objects, or of no known shape, are passed over."""
        for line in lines:
            try:
                held = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(held, dict):
                yield from self._line(held)

    def _line(self, held: Mapping[str, Any]) -> Iterator[Taken | Said]:
        self.root = self.root or _text(held.get("cwd"))
        self.at = _text(held.get("timestamp")) or _text(held.get("at")) or self.at
        payload = held.get("payload")
        if "role" in held:
            yield from self._message(held)
        elif isinstance(message := held.get("message"), dict) and not held.get("isSidechain"):
            told = tuple(of_claude(held.get("toolUseResult")))
            for step in self._message(message):
                yield replace(step, contents=told) if told and isinstance(step, Taken) else step
        elif isinstance(payload, dict):
            self.root = self.root or _text(payload.get("cwd"))
            yield from self._codex(payload)
        else:
            yield from self._ours(held)

    def _message(self, message: Mapping[str, Any]) -> Iterator[Taken | Said]:
        """A chat message: of the two public APIs, which Claude Code's lines wrap."""
        role, content = message.get("role"), message.get("content")
        for call in _dicts(message.get("tool_calls")):
            function = call.get("function")
            if isinstance(function, dict):
                self._called(call.get("id"), function.get("name"), function.get("arguments"))
        if role == "tool":
            yield from self._ended(message.get("tool_call_id"), _words(content), None)
        elif role == "user" and isinstance(content, str):
            yield Said(content)
        for block in _dicts(content):
            if block.get("type") == "tool_use":
                self._called(block.get("id"), block.get("name"), block.get("input"))
            elif block.get("type") == "tool_result":
                marked = False if block.get("is_error") is True else None
                yield from self._ended(block.get("tool_use_id"), _words(block.get("content")), marked)
            elif block.get("type") == "text" and role == "user":
                yield Said(_text(block.get("text")))

    def _codex(self, item: Mapping[str, Any]) -> Iterator[Taken | Said]:
        kind = _text(item.get("type"))
        if kind.endswith("_output"):
            yield from self._ended(item.get("call_id"), _words(item.get("output")), None)
        elif kind.endswith("_call"):
            given: Any = next((item[key] for key in ("arguments", "input", "action") if item.get(key) is not None), {})
            given = given if isinstance(given, dict) or _text(given)[:1] == "{" else {"input": given}
            self._called(item.get("call_id"), item.get("name") or kind, given)
        elif kind == "message" and item.get("role") == "user":
            yield Said(_words(item.get("content")))

    def _ours(self, held: Mapping[str, Any]) -> Iterator[Taken | Said]:
        if held.get("type") == "reply_received":
            reply = held.get("reply")
            for call in _dicts(reply.get("calls") if isinstance(reply, dict) else ()):
                self._called(call.get("id"), call.get("name"), call.get("arguments"))
        elif held.get("type") == "tool_finished" and isinstance(result := held.get("result"), dict):
            facts = held.get("facts")
            code = facts.get("exit_code") if isinstance(facts, dict) else None
            text = _text(held.get("full")) or _text(result.get("text"))
            touched = tuple(of_touches(result.get("touches"), _text(held.get("display"))))
            for step in self._ended(result.get("call_id"), text, result.get("ok") is not False, code):
                yield replace(step, contents=touched)
        elif held.get("type") == "turn_started":
            yield Said(_text(held.get("words")))

    def _called(self, name: object, tool: object, arguments: object) -> None:
        given = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
        self.open[str(name)] = (_text(tool), given)

    def _ended(self, name: object, text: str, marked: bool | None, code: object = None) -> Iterator[Taken]:
        tool, arguments = self.open.pop(str(name), ("", ""))
        if tool:
            stood = self.place
            if place := _PLACE.search(text):
                self.place, text = f"{place['folder']} {place['open']}", text[: place.start()]
            yield taken(tool, arguments, text, marked, code if isinstance(code, int) else None, stood)


def taken(
    tool: str, arguments: str, text: str, marked: bool | None = None, code: int | None = None, place: str = ""
) -> Taken:
    """A call as its name and arguments tell what it is, and its output how it went."""
    held = _object(arguments)
    command = _command(held) if tool.lower() in COMMANDS else ""
    code = code if code is not None or not command else _exit(text)
    kind: Kind = "edit" if _SHELL_EDITS.match(command) else "command" if command else _kind(tool, held)
    patched = tuple(of_patch(str(held.get("input") or held.get("patch") or held.get("patchText") or "")))
    paths = tuple(str(held[key]) for key in PATHS if isinstance(held.get(key), str)) or tuple(p.path for p in patched)
    shown = _HEAD.sub("", text, count=1)
    ran = command if kind == "command" else ""
    return Taken(tool, arguments, shown, kind, ran, paths, code, marked, place, patched)


def _kind(tool: str, held: Mapping[str, Any]) -> Kind:
    name = tool.lower()
    if name in LOOKS or (name in EDITS and held.get("command") == "view"):
        return "look"
    return "edit" if name in EDITS else "other"


def _command(held: Mapping[str, Any]) -> str:
    """The command line in a call's arguments, in the folder that the call names."""
    given = next((held[key] for key in ("command", "cmd", "script") if held.get(key)), "")
    if isinstance(given, list):
        given = given[-1] if len(given) == 3 and str(given[1]).startswith("-") else " ".join(map(str, given))
    folder = _text(held.get("workdir")) or _text(held.get("cwd"))
    return f"cd {folder} && {given}" if folder and given else _text(given)


def _exit(text: str) -> int | None:
    near = text[:300] + "\n" + text[-300:]
    return next((int(found[1]) for pattern in EXITS if (found := pattern.search(near))), None)


def _object(arguments: str) -> Mapping[str, Any]:
    try:
        held = json.loads(arguments)
    except (ValueError, RecursionError):
        return {"input": arguments}
    return held if isinstance(held, dict) else {"input": arguments}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(content: object) -> str:
    """The text of a message or result, whatever it is wrapped in."""
    if isinstance(content, dict):
        return _text(content.get("output")) or _text(content.get("text")) or json.dumps(content)
    if isinstance(content, list):
        return "\n".join(_text(item.get("text")) for item in _dicts(content))
    return _text(content)
