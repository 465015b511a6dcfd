"""Reads a skill from its folder: name, description, body, files, and problems."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ctxe.domain.errors import StoreError
from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, replace
from ctxe.knowledge import globs
from ctxe.knowledge.entries import front
from ctxe.knowledge.entries.scalars import Value
from ctxe.safety.display import one_line, strip_invisible
from ctxe.storage import files

FILE = "SKILL.md"
MOST_BYTES = 131_072
"""Bytes of a SKILL.md that are read."""
LONGEST_NAME = 64
LONGEST_DESCRIPTION = 1_024
"""Limits in characters, as in the open format."""
MOST_FILES = 200
RUNNERS = {".py": "python3", ".sh": "bash", ".bash": "bash", ".js": "node", ".mjs": "node", ".rb": "ruby"}
"""Interpreter of a script, by its extension."""
_GOOD = pattern(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_USABLE = pattern(r"[A-Za-z0-9][\w.-]{0,63}")

Origin = Literal["project", "yours", "shipped"]


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill. ``where`` is its folder for display, ``folder`` the same on disk.

    ``tools`` are its ``allowed-tools``, which give no permission. ``scope`` are globs of files it is about,
    ``keywords`` further words of matching tasks (not in the list), ``files`` its other files relative to the folder.
    ``offered`` is False if only a person may load it. ``problem`` says why it cannot be used (``expected``: as
    intended, so nobody is told), ``faults`` what else is wrong with it.
    """

    name: str
    description: str
    folder: Path
    where: str
    origin: Origin
    body: str = ""
    tools: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    keywords: str = ""
    files: tuple[str, ...] = ()
    offered: bool = True
    problem: str = ""
    expected: bool = False
    faults: tuple[str, ...] = ()

    @property
    def scripts(self) -> tuple[str, ...]:
        """Its runnable files, which are its tools."""
        return tuple(path for path in self.files if path.startswith("scripts/") and Path(path).suffix in RUNNERS)

    @property
    def references(self) -> tuple[str, ...]:
        """Its files that can be read on demand."""
        return tuple(path for path in self.files if path not in self.scripts)


def read_skill(folder: Path, where: str, origin: Origin) -> Skill:
    """The skill in a folder. Never raises: an unusable one has a ``problem``."""
    try:
        data = files.read(folder / FILE, MOST_BYTES + 1)
    except StoreError as error:
        return Skill(folder.name, "", folder, where, origin, problem=error.message)
    page = front.parse(data[:MOST_BYTES])
    values = page.values()
    body, hidden = strip_invisible(page.text())
    faults = [*_format_faults(page, values, folder.name), *page.problems]
    faults += [f"line {one.line}: {one.count} invisible characters removed" for one in hidden[:3]]
    faults += [f"only its first {MOST_BYTES // 1024} KiB are read"] if len(data) > MOST_BYTES else []
    name = _name(_text(values, "name"), folder.name)
    found = Skill(
        name or one_line(folder.name, LONGEST_NAME),
        _description(values, body),
        folder,
        where,
        origin,
        body,
        _tool_names(values.get("allowed-tools", "")),
        globs.scope(values.get("paths"), values.get("globs"), values.get("applyTo")),
        one_line(strip_invisible(_text(values, "keywords"))[0], LONGEST_DESCRIPTION),
        tuple(_files(folder)),
        _text(values, "disable-model-invocation").lower() != "true",
        "" if name else "its name is not valid: letters, digits and hyphens",
        faults=tuple(dict.fromkeys(faults)),
    )
    return found if body or found.files else replace(found, problem=found.problem or "it says nothing")


def _format_faults(page: front.FrontPage, values: dict[str, Value], folder: str) -> Iterator[str]:
    """Violations of the open format."""
    name, description = _text(values, "name"), _text(values, "description")
    if not page.opening:
        yield "it has no front matter (name and description between --- lines)"
        return
    if not name:
        yield "`name` is missing"
    elif not _GOOD.fullmatch(name) or len(name) > LONGEST_NAME:
        yield f"`name` should be lower-case words joined by hyphens, at most {LONGEST_NAME} characters"
    elif name != folder:
        yield f"`name` ({one_line(name, 60)}) is not the folder's name ({one_line(folder, 60)})"
    if not description:
        yield "`description` is missing: nobody can know when to use it"
    elif len(description) > LONGEST_DESCRIPTION:
        yield f"`description` has {len(description):,} characters; at most {LONGEST_DESCRIPTION:,} are used"
    if strip_invisible(name + description)[1]:
        yield "invisible characters in its name or description were removed"


def _name(given: str, folder: str) -> str:
    """Its own name, else its folder's; empty if neither is valid."""
    names = (strip_invisible(given)[0].strip(), folder)
    return next((name for name in names if _USABLE.fullmatch(name)), "")


def _description(values: dict[str, Value], body: str) -> str:
    text = _text(values, "description")
    if not text:
        text = next((part for part in re.split(r"\n\s*\n", body) if part and not part.startswith("#")), "")
    more = _text(values, "when_to_use") or _text(values, "when-to-use")
    return one_line(strip_invisible(f"{text} {more}".strip())[0], LONGEST_DESCRIPTION)


def _tool_names(value: Value) -> tuple[str, ...]:
    """The tools of a list separated by whitespace or commas; a bracket belongs to the tool before it."""
    text = value if isinstance(value, str) else " ".join(value)
    return tuple(re.findall(r"[^\s,(]+(?:\([^)]*\))?", text))


def _text(values: dict[str, Value], key: str) -> str:
    value = values.get(key, "")
    return (value if isinstance(value, str) else ", ".join(value)).strip()


def _files(folder: Path) -> Iterator[str]:
    """Regular files of the skill in order, without symlinks and hidden files."""
    number = 0
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if one[:1] not in "._" and one != "node_modules")
        for name in sorted(names):
            path = Path(top) / name
            if name[:1] == "." or name == FILE or path.is_symlink() or not path.is_file():
                continue
            number += 1
            if number > MOST_FILES:
                return
            yield path.relative_to(folder).as_posix()
