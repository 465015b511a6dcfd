"""Finds the instruction files of every tool, in order of precedence, with the files that each applies to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass, replace
from ctxe.knowledge import globs
from ctxe.knowledge.entries import front
from ctxe.knowledge.entries.scalars import Value
from ctxe.knowledge.folders import folders_down
from ctxe.safety.secrets import is_secret_file
from ctxe.storage import files

MOST_BYTES = 131_072
"""Bytes that are read of one file: four times the limit of all together."""
MOST_FILES = 200
_IN_FOLDER = ("AGENTS.md", "CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md", "GEMINI.md")
_AT_ROOT = (
    ".github/copilot-instructions.md",
    ".cursorrules",
    ".windsurfrules",
    ".clinerules",
    ".goosehints",
    ".roorules",
)
_TREES = (
    (".claude/rules", ".md"),
    (".cursor/rules", ".mdc"),
    (".github/instructions", ".instructions.md"),
    (".windsurf/rules", ".md"),
    (".clinerules", ".md"),
    (".roo/rules", ""),
)
_IMPORTING = ("CLAUDE.md", "CLAUDE.local.md", "GEMINI.md")


@dataclass(frozen=True, slots=True)
class Rule:
    """One instruction file. ``path`` is relative to the root, or starts with ``~/`` for a file of the user's own.

    ``scope`` are the globs of files it applies to (empty: everything); ``why`` says how it was found. ``offered`` is
    False if it is only used when someone names it; ``problem`` says why it cannot be used.
    """

    path: str
    text: str = ""
    scope: tuple[str, ...] = ()
    why: str = ""
    offered: bool = True
    size: int = 0
    problem: str = ""
    summary: str = ""

    def bears_on(self, touched: Iterable[str]) -> bool:
        """Whether a touched file is in its scope; always True without a scope."""
        return not self.scope or any(globs.matches(path, self.scope) for path in touched)


@dataclass(frozen=True, slots=True)
class RulePlaces:
    """Where instruction files are looked for: the root, the working folder, and the user's own folder.

    ``read`` are further files (relative to the root) that settings name. ``readable`` tells whether a path may be read
    at all, given ignore rules and secrets.
    """

    root: Path
    working: Path
    user: Path | None = None
    read: tuple[str, ...] = ()
    readable: Callable[[str], bool] = lambda _path: True


def find_rules(places: RulePlaces, touched: Sequence[str] = ()) -> tuple[Rule, ...]:
    """Every instruction file in order of precedence: the user's, from root to working folder, then scoped ones.

    Folders that hold ``touched`` files (relative to the root) are included; files found there apply to their folder
    only. Each real file appears once.
    """
    seen: set[str] = set()
    found: list[Rule] = []
    for rule in _all_rules(places, touched):
        if len(found) == MOST_FILES:
            found.append(Rule("…", problem=f"more than {MOST_FILES} instruction files: the rest is not read"))
            break
        found += _with_imports(rule, places, seen)
    return tuple(found)


def rules_on_demand(places: RulePlaces) -> tuple[Rule, ...]:
    """Rules without a scope that describe their purpose and wait to be named; a model may load them like skills."""
    trees = [tree for tree in _TREES if tree[0] in (".cursor/rules", ".windsurf/rules")]
    found = [rule for inside, suffix in trees for rule in _rules_below(places, inside, suffix)]
    return tuple(rule for rule in found if not rule.offered and rule.summary and rule.text)


def _all_rules(places: RulePlaces, touched: Sequence[str]) -> Iterator[Rule]:
    """The rules of every place in order of precedence, before imports are added."""
    if places.user:
        yield from _rules_in(places, places.user, ("AGENTS.md",), "your own, for every project")
    chain = folders_down(places.root, places.working)
    for folder in chain:
        why = "always, from the root" if folder == places.root else "always, on the way to where you stand"
        yield from _rules_in(places, folder, _IN_FOLDER, why)
        if folder == places.root:
            yield from _rules_in(places, folder, _AT_ROOT, "always, from the root")
            yield from _rules_in(places, folder, places.read, "named in your settings")
            yield from _rules_in(places, folder, _aider_files(places), "named in .aider.conf.yml")
    for inside, suffix in _TREES:
        yield from _rules_below(places, inside, suffix)
    for folder in _nested_folders(places, chain, touched):
        scope = (folder.relative_to(places.root).as_posix() + "/**",)
        for rule in _rules_in(places, folder, _IN_FOLDER, "for the files below it"):
            yield replace(rule, scope=scope)


def _nested_folders(places: RulePlaces, chain: Sequence[Path], touched: Sequence[str]) -> list[Path]:
    """Folders of touched files, from the root down, without those in ``chain`` or outside the root."""
    found: dict[Path, None] = {}
    for path in touched:
        parts = Path(path).parts[:-1]
        if path.startswith(("/", "~")) or ".." in parts:
            continue
        for depth in range(1, len(parts) + 1):
            found.setdefault(places.root.joinpath(*parts[:depth]))
    return [folder for folder in sorted(found) if folder not in chain]


def _rules_in(places: RulePlaces, folder: Path, names: Sequence[str], why: str) -> Iterator[Rule]:
    """Rules from files of one folder. An AGENTS.override.md replaces the AGENTS.md beside it."""
    for name in names:
        override = folder / "AGENTS.override.md"
        path = override if name == "AGENTS.md" and _exists(override) else folder / name
        if _exists(path) and not path.is_dir():
            yield _read(places, path, why, own=folder == places.user)


def _aider_files(places: RulePlaces) -> tuple[str, ...]:
    """Files that the project's aider settings include in every request (``read: CONVENTIONS.md``)."""
    path = places.root / ".aider.conf.yml"
    if not path.is_file() or path.is_symlink():
        return ()
    try:
        named = front.parse(b"---\n" + files.read(path, MOST_BYTES) + b"\n---\n").values().get("read", ())
    except StoreError:
        return ()
    return tuple(dict.fromkeys((named,) if isinstance(named, str) else named))[:MOST_FILES]


def _rules_below(places: RulePlaces, inside: str, suffix: str) -> Iterator[Rule]:
    top = places.root / inside
    if not top.is_dir() or top.is_symlink():
        return
    listed = sorted(path for path in top.rglob("*") if path.name.endswith(suffix) and not path.is_dir())
    for path in listed[:MOST_FILES]:
        if not path.name.startswith(".") and (suffix or path.suffix in (".md", ".txt", "")):
            yield _read(places, path, f"always, from {inside}", scoped=True)


def _read(places: RulePlaces, path: Path, why: str, *, scoped: bool = False, own: bool = False) -> Rule:
    """The rule in a file, of the user's ``own`` folder or else of the repository, which may name no file elsewhere.

    ``scoped``: its front matter may say when it applies.
    """
    name = _display_name(places, path)
    home = places.user if places.user and own else places.root
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(home.resolve()):
            named = Path(os.path.normpath(path)).is_relative_to(home)
            problem = "is a link that leads out of the repository: not followed"
            return Rule(name, why=why, problem=problem if named else "is outside of the repository: not read")
        inside = real.relative_to(home.resolve()).as_posix()
        if is_secret_file(inside) or not places.readable(inside):
            return Rule(name, why=why, problem="leads to a file that must not be read")
        data = files.read(real, MOST_BYTES + 1)
    except (OSError, RuntimeError):
        return Rule(name, why=why, problem="is a link that leads nowhere")
    except StoreError as error:
        return Rule(name, why=why, problem=error.message)
    page = front.parse(data[:MOST_BYTES])
    rule = _rule_of(name, page, why, real.stat().st_size)
    return _with_scope(rule, page.values(), path.suffix) if scoped else rule


def _rule_of(name: str, page: front.FrontPage, why: str, size: int) -> Rule:
    problem = f"only its first {MOST_BYTES // 1024} KiB are read" if size > MOST_BYTES else ""
    return Rule(name, page.text(), why=why, size=size, problem=problem)


def _with_scope(rule: Rule, values: Mapping[str, Value], suffix: str) -> Rule:
    """The rule with the scope that its front matter gives, in the keys of any tool."""
    scope = globs.scope(values.get("globs"), values.get("paths"), values.get("applyTo"))
    always = str(values.get("alwaysApply", values.get("trigger", ""))).lower()
    summary = str(values.get("description", ""))
    if always in ("true", "always_on", "always") or scope in (("**",), ("**/*",), ("*",)):
        return replace(rule, summary=summary)
    if scope:
        return replace(rule, scope=scope, summary=summary, why=f"for {', '.join(scope)}")
    if suffix == ".mdc" or always in ("manual", "model_decision"):
        return replace(rule, offered=False, summary=summary, why="only when it is asked for")
    return replace(rule, summary=summary)


def _with_imports(rule: Rule, places: RulePlaces, seen: set[str]) -> Iterator[Rule]:
    """A rule and its imports, each real file once."""
    key = _real_path(places, rule.path)
    if key in seen:
        return
    seen.add(key)
    yield rule
    if rule.path.rpartition("/")[2] in _IMPORTING and rule.text and not rule.path.startswith("~"):
        from ctxe.knowledge.rules.imports import read_imports

        for found in read_imports(
            rule.path, rule.text, places.root, seen, lambda path: not is_secret_file(path) and places.readable(path)
        ):
            inherited = f"imported by {found.by}"
            if found.problem:
                yield Rule(found.path, why=inherited, problem=found.problem)
            else:
                yield replace(
                    _rule_of(found.path, front.parse(found.data), inherited, len(found.data)), scope=rule.scope
                )


def _real_path(places: RulePlaces, name: str) -> str:
    path = places.user / name[2:] if places.user and name.startswith("~/") else places.root / name
    return os.path.realpath(path)


def _display_name(places: RulePlaces, path: Path) -> str:
    if path.is_relative_to(places.root):
        return path.relative_to(places.root).as_posix()
    if places.user and path.is_relative_to(places.user):
        return f"~/{path.relative_to(places.user).as_posix()}"
    return str(path)


def _exists(path: Path) -> bool:
    return os.path.lexists(path)
