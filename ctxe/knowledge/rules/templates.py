"""Prompt templates: Markdown files that are available as slash commands with arguments."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.knowledge.entries import front
from ctxe.knowledge.entries.scalars import Value
from ctxe.knowledge.folders import folders_down, why_forbidden
from ctxe.safety.display import one_line, strip_invisible
from ctxe.storage import files

IN_PROJECT = (".ctxe/commands", ".claude/commands")
MOST_BYTES = 65_536
SHIPPED = "ctxe's own"
"""Origin shown for templates that ship with ctxe."""
MOST = 200
_NAME = pattern(r"[\w.-]+(?::[\w.-]+)*")
_PLACE = pattern(r"\\\$|\$ARGUMENTS\b|\$@|\{\{\s*args\s*\}\}|\$([1-9])(?!\d)")
_SHELL = pattern(r"!`[^`\n]+`")


@dataclass(frozen=True, slots=True)
class Template:
    """A prompt with its name, arguments (``takes``) and description (``says``). ``problem`` says why it cannot be used.

    ``notices`` tell the user about invisible characters that were removed and commands that do not run.
    """

    name: str
    where: str
    text: str = ""
    takes: str = ""
    says: str = ""
    problem: str = ""
    notices: tuple[str, ...] = ()

    def filled(self, words: str) -> str:
        r"""The prompt with its arguments: ``$ARGUMENTS`` stands for all of them, ``$1`` to ``$9`` for one each.

        If the text has no such place, they are appended. ``\$`` gives a plain ``$``.
        """
        parts = _split(words)

        def put(found: re.Match[str]) -> str:
            if found[0] == "\\$":
                return "$"
            if found[1]:
                return parts[int(found[1]) - 1] if int(found[1]) <= len(parts) else ""
            return words

        asks = any(found[0] != "\\$" for found in _PLACE.finditer(self.text))
        text = _PLACE.sub(put, self.text)
        return (text if asks else f"{text}\n\n{words}").strip()


@dataclass(frozen=True, slots=True)
class TemplatePlaces:
    """Where templates are looked for; ``readable`` tells whether a project file may be read at all.

    Templates in ``shipped`` come with ctxe. Others of the same name replace them silently.
    """

    root: Path
    working: Path
    yours: tuple[Path, ...] = ()
    readable: Callable[[str], bool] = lambda _path: True
    shipped: Path | None = None


def find_templates(places: TemplatePlaces, taken: Collection[str] = ()) -> tuple[Template, ...]:
    """Every template, the nearest place first, which wins for equal names.

    ``taken`` are the names of slash commands.
    """
    found: list[Template] = []
    named: dict[str, Template] = {}
    for path, name, where, base in _paths(places):
        if len(found) == MOST:
            return (*found, Template("…", where, problem=f"more than {MOST} templates: the rest is not read"))
        one = _read(places, path, name, where, base)
        first = named.setdefault(name, one) if not one.problem else one
        if name in taken:
            one = Template(name, where, problem=f"/{name} is a command of ctxe")
        elif first is not one:
            one = Template(name, where, problem=f"{first.where} has the same name and stands before it")
        found.append(one)
    shipped = _markdown_files(places.shipped) if places.shipped else ()
    fresh = ((path, name) for path, name in shipped if name not in named and name not in taken)
    return (*found, *(_read(places, path, name, SHIPPED, None) for path, name in fresh))


def _paths(places: TemplatePlaces) -> Iterator[tuple[Path, str, str, Path | None]]:
    """(file, name, displayed origin, the root it must stay in) of each file that may be a template."""
    for base in reversed(folders_down(places.root, places.working)):
        for place in IN_PROJECT:
            for path, name in _markdown_files(base / place):
                yield path, name, path.relative_to(places.root).as_posix(), places.root
    for own in places.yours:
        yield from ((path, name, str(path), None) for path, name in _markdown_files(own))


def _markdown_files(place: Path) -> Iterator[tuple[Path, str]]:
    """The template files of a folder in order.

    A subfolder is the first part of the name: ``git/fix.md`` is ``git:fix``.
    """
    found = []
    for top, folders, names in os.walk(place):
        folders[:] = sorted(one for one in folders if one[:1] != ".")
        found += [Path(top) / name for name in names if name.endswith(".md") and name[:1] != "."]
    for path in sorted(found):
        name = ":".join(path.relative_to(place).with_suffix("").parts)
        if _NAME.fullmatch(name) and name != "README":
            yield path, name


def _read(places: TemplatePlaces, path: Path, name: str, where: str, base: Path | None) -> Template:
    if base and (problem := why_forbidden(os.path.realpath(path), os.path.realpath(base), places.readable)):
        return Template(name, where, problem=problem)
    try:
        data = files.read(path, MOST_BYTES + 1)
    except StoreError as error:
        return Template(name, where, problem=error.message)
    if len(data) > MOST_BYTES:
        return Template(name, where, problem=f"is longer than {MOST_BYTES // 1024} KiB")
    page = front.parse(data)
    text, hidden = strip_invisible(page.text())
    if not text.strip():
        return Template(name, where, problem="it says nothing")
    notices = [f"line {one.line}: {one.count} invisible characters removed" for one in hidden[:3]]
    if _SHELL.search(text):
        notices.append("its !`commands` do not run by themselves: the model may run them, and you are asked")
    values = page.values()
    first = next((line for line in text.splitlines() if line.strip("# ")), name)
    says = _plain_value(values, "description") or one_line(first.lstrip("# "), 80)
    return Template(name, where, text, _plain_value(values, "argument-hint"), says, "", tuple(notices))


def _plain_value(values: dict[str, Value], key: str) -> str:
    value = values.get(key, "")
    text = value if isinstance(value, str) else " ".join(f"[{item}]" for item in value)
    return one_line(strip_invisible(text)[0], 120)


def _split(words: str) -> list[str]:
    """Arguments split as a shell does, or at whitespace if a quote is left open."""
    try:
        return shlex.split(words)
    except ValueError:
        return words.split()
