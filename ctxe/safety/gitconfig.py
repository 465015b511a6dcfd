"""Reading git's configuration files as git does, and finding submodules."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field

CONFIG_LIMIT = 4_000_000
"""Bytes of a configuration file above which it cannot be checked."""
FILES_LIMIT = 64
"""Included files above which a configuration cannot be checked."""
NESTED_LIMIT = 1_000
"""Submodules above which a repository cannot be checked."""

# the grammar of git-config(1), "Syntax", as git's parser applies it: a heading may be anywhere, a setting may follow on
# the same line, a comment ends with its line even after a backslash
_BLANK = pattern(r"(?:\s+|[#;][^\n]*)+")
_HEAD = pattern(r'\[\s*([A-Za-z0-9.-]*)\s*(?:"((?:[^"\\\n]|\\[^\n])*)"\s*)?\]')
_KEY = pattern(r"([A-Za-z][A-Za-z0-9-]*)[ \t]*(=?)")
_VALUE = pattern(r'((?:\\[\s\S]|"(?:[^"\\\n]|\\[\s\S])*"|[^\n\\"#;])*)(?:[#;][^\n]*)?(?:\n|\Z)')
_QUOTED = pattern(r'\\\n|\\([\s\S])|"')
_ODD_PATH = pattern(r"%\(|:\(|/(?:proc|dev|sys)/")
_GITLINK = pattern(rb"\x00\x00\xe0\x00[\s\S]{12}(?=(?:[\s\S]{20}|[\s\S]{32})[\s\S]{2})")


class Unreadable(Exception):
    """A configuration that git may read differently; the text tells why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, or a heading when ``key`` is empty. Section and key are in lower case."""

    section: str
    name: str
    key: str
    value: str = ""

    @property
    def dotted(self) -> str:
        """The dotted name, in printable ASCII."""
        return ascii(".".join(part for part in (self.section, self.name, self.key) if part))[1:-1][:80]


@dataclass(slots=True)
class _Reading:
    """Files that were read already; each is read only once."""

    done: set[str] = field(default_factory=set)


def settings_of(root: Path) -> list[Setting]:
    """All settings of the repository around ``root``, following includes whatever their conditions.

    Raises Unreadable for a file that is too long, too many includes, or an include of a path that only git can resolve.
    """
    reading = _Reading()
    return [setting for config in _configs(root) for setting in _settings_in(config, reading)]


def parsed(text: str) -> Iterator[Setting]:
    """The headings and settings in a file; lines that git would refuse are skipped."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    position, section, name = 0, "", ""
    while position < len(text):
        if (blank := _BLANK.match(text, position)) is not None:
            position = blank.end()
        elif (head := _HEAD.match(text, position)) is not None:
            section, _, name = head[1].lower().partition(".")
            name = name if head[2] is None else re.sub(r"\\(.)", r"\1", head[2])
            position = head.end()
            yield Setting(section, name, "")
        elif (key := _KEY.match(text, position)) is not None:
            value = _VALUE.match(text, key.end()) if key[2] else None
            position = key.end() if value is None else value.end()
            yield Setting(section, name, key[1].lower(), _unquoted(value[1]) if value else "")
        else:
            position = (text.find("\n", position) + 1) or len(text)


def _unquoted(value: str) -> str:
    """A value without quotes and escapes."""
    return _QUOTED.sub(lambda match: match[1] or "", value.strip())


def _settings_in(config: Path, reading: _Reading) -> Iterator[Setting]:
    real_path = os.path.realpath(config)
    if real_path in reading.done:
        return
    if len(reading.done) > FILES_LIMIT:
        raise Unreadable("it includes too many files")
    reading.done.add(real_path)
    for setting in parsed(_text(config)):
        yield setting
        # git keeps values in C strings, which end at a NUL
        path = setting.value.partition("\0")[0]
        if setting.section in {"include", "includeif"} and setting.key == "path" and path:
            if _ODD_PATH.match(path):
                raise Unreadable("it includes a file from a place that only git can tell")
            # os.path.expanduser leaves an unknown user unchanged, while pathlib raises
            yield from _settings_in(config.parent / os.path.expanduser(path), reading)  # noqa: PTH111


def _configs(root: Path) -> list[Path]:
    """The possible configuration files of a repository, in plain, worktree and submodule layouts."""
    git_folder = _git_folder(root)
    if git_folder is None:
        return []
    try:
        is_odd = (git_folder / "HEAD").exists() and not (git_folder / "HEAD").is_file()
    except OSError as error:
        raise Unreadable(f"its HEAD cannot be read: {error.strerror}") from error
    if is_odd:
        raise Unreadable("its HEAD is not a file")
    return [*dict.fromkeys([_common(git_folder) / "config", git_folder / "config"]), git_folder / "config.worktree"]


def hook_folders(root: Path) -> Iterator[Path]:
    """The folders from which git may take the hooks of a repository. Raises Unreadable as ``settings_of`` does."""
    git_folder = _git_folder(root)
    if git_folder is None:
        return
    yield _common(git_folder) / "hooks"
    for setting in settings_of(root):
        path = setting.value.partition("\0")[0]
        if (setting.section, setting.key) == ("core", "hookspath") and path:
            if _ODD_PATH.match(path):
                raise Unreadable("its hooks are in a place that only git can tell")
            # as for includes, an unknown user is left unchanged
            yield _top(root) / os.path.expanduser(path)  # noqa: PTH111


def _top(root: Path) -> Path:
    """The top of the work tree around a path."""
    return next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)


def _git_folder(root: Path) -> Path | None:
    """Git's folder for a path in a work tree."""
    for folder in (root, *root.parents):
        candidate = folder / ".git"
        if candidate.is_file():
            return folder / _line(candidate).removeprefix("gitdir:").strip()
        if candidate.is_dir():
            return candidate
    return None


def _common(git_folder: Path) -> Path:
    return git_folder / (_line(git_folder / "commondir") or ".")


def _line(path: Path) -> str:
    """The path in a file of git's, up to a NUL, as git keeps it in a C string."""
    return _text(path).partition("\0")[0].strip()


def nested(root: Path) -> list[Path]:
    """The work trees of submodules in git's index that are checked out, at any depth.

    The index is searched for entries of mode 160000 (gitformat-index(5)) instead of parsed, so that a large one takes
    a millisecond. Raises Unreadable for an index whose names are compressed.
    """
    submodules: dict[Path, None] = {}
    to_visit = [root]
    while to_visit:
        for path in _gitlinks(to_visit.pop()):
            if path not in submodules:
                submodules[path] = None
                to_visit.append(path)
        if len(submodules) > NESTED_LIMIT:
            raise Unreadable("it holds too many submodules")
    return list(submodules)


def _gitlinks(root: Path) -> Iterator[Path]:
    """Checked out submodules of one work tree, trying every offset at which a name may begin."""
    git_folder = _git_folder(root)
    if git_folder is None or not os.path.isdir(git_folder):  # noqa: PTH112 (pathlib's raises for a name that is too long)
        return
    top = _top(root)
    for index in (git_folder / "index", *git_folder.glob("sharedindex.*")):
        try:
            if not index.is_file():  # reading a pipe would block
                continue
            data = index.read_bytes()
        except OSError:
            continue
        offsets = [match.end() for match in _GITLINK.finditer(data)]
        if offsets and data[4:8] == b"\0\0\0\4":
            raise Unreadable("its index is compressed and holds submodules")
        for offset in offsets:
            for skipped in (22, 24, 34, 36):
                name = os.fsdecode(data[offset + skipped : offset + skipped + 4096].partition(b"\0")[0])
                if name and os.path.lexists(top / name / ".git"):
                    yield top / name


def _text(path: Path) -> str:
    """A file of git's as text, undecodable bytes kept; empty when it is missing.

    Raises Unreadable when it is too long or not a regular file (git would wait forever for a pipe).
    """
    try:
        if path.exists() and not path.is_file():
            raise Unreadable("it is not a file")
        if not path.exists():
            return ""
        with path.open("rb") as file:
            data = file.read(CONFIG_LIMIT + 1)
    except (OSError, RuntimeError, ValueError):
        return ""
    if len(data) > CONFIG_LIMIT:
        raise Unreadable("it is too long")
    return os.fsdecode(data)
