"""Limiting what a repository may do: its settings only tighten the user's, and its programs are approved by content."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from ctxe.domain.errors import StoreError
from ctxe.domain.section import digest
from ctxe.storage.files import read, replace
from ctxe.storage.locks import lock

STORE = "trust.json"
MODES = ("read-only", "ask", "auto-edit", "auto")
SANDBOXES = ("always", "auto", "off")
GATES = ("stop", "tell", "off")
"""Like MODES and SANDBOXES, strictest first."""

Tighter = Callable[[Any, Any], Any]
"""Takes the user's value and the project's; returns the project's unless it would loosen the user's."""
State = Literal["approved", "new", "changed"]


def _lower(own: Any, asked: Any) -> Any:
    return asked if asked < own else own


def _lower_or_first(own: Any, asked: Any) -> Any:
    """The lower limit, where 0 means no limit."""
    return asked if asked > 0 and (own == 0 or asked < own) else own


def _stricter(order: tuple[str, ...]) -> Tighter:
    return lambda own, asked: asked if order.index(asked) < order.index(own) else own


def _more(own: Any, asked: Any) -> Any:
    return (*own, *(item for item in asked if item not in own))


def _only(strict: Any) -> Tighter:
    return lambda own, asked: strict if asked == strict else own


def _free(_own: Any, asked: Any) -> Any:
    return asked


RULES: tuple[tuple[str, Tighter], ...] = (
    ("approval.mode", _stricter(MODES)),
    ("approval.deny", _more),
    ("budget.max_steps", _lower),
    ("budget.*", _lower_or_first),
    ("tools.command_seconds", _lower),
    ("tools.sandbox", _stricter(SANDBOXES)),
    ("tools.network", _only(strict=False)),
    ("instructions.read", _more),
    ("skills.always", _more),
    ("skills.never", _more),
    ("skills.share", _lower),
    ("skills.matching", _only(strict=False)),
    ("memory.enabled", _only(strict=False)),
    ("memory.daily_lines", _free),
    ("memory.remember", _only("inbox")),
    ("memory.digest", _stricter(("off", "rules", "model"))),
    ("failures.gate", _stricter(GATES)),
    ("model.max_output", _lower_or_first),
    ("shares.*", _free),
    ("fold.*", _free),
    ("plan.refine", _only(strict=False)),
    ("delegate.enabled", _only(strict=False)),
    ("delegate.max_steps", _lower),
    ("delegate.max_cost", _lower_or_first),
    ("delegate.window", _lower_or_first),
    ("delegate.answer_tokens", _lower),
)
"""How a project may change each setting; the first match applies, and settings without one are refused."""


def tighten(user: Mapping[str, Any], project: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Merge a repository's settings (dotted keys) into the user's where they are stricter, and nowhere else.

    Returns the merged settings and one line for each refused setting. ``user`` holds every default.
    """
    merged, refused = dict(user), []
    for key, asked in project.items():
        own = user.get(key)
        if _same(own, asked):
            continue
        rule = next((rule for pattern, rule in RULES if fnmatchcase(key, pattern)), None)
        held = own if rule is None else _held(rule, own, asked)
        if _same(held, own):
            why = "is not for a repository to set" if rule is None else f"would loosen yours ({_short(own)})"
            refused.append(f"{_short(key, bare=True)} = {_short(asked)} refused: it {why}")
        else:
            merged[key] = held
    return merged, refused


def _held(rule: Tighter, own: Any, asked: Any) -> Any:
    """The value by a rule; the user's own when the two are of different types."""
    if _kind(own) is not _kind(asked):
        return own
    try:
        return rule(own, asked)
    except ValueError:
        return own


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal as settings: lists equal tuples, and True is not 1."""
    one, other = (tuple(value) if isinstance(value, list) else value for value in (one, other))
    return _kind(one) is _kind(other) and bool(one == other)


def _kind(value: Any) -> type:
    """The type of a value, with int as float and list as tuple."""
    return {int: float, list: tuple}.get(type(value), type(value))


def _short(value: Any, *, bare: bool = False) -> str:
    """A value in one safe line of at most 60 characters."""
    text = ascii(value)[1:-1] if bare else json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def is_trusted(store: Path, root: Path) -> bool:
    """Whether the user trusts this folder, by its real path; ``store`` is the user's folder."""
    return _key(root) in _load(store)["folders"]


def trust(store: Path, root: Path, at: str, *, trusted: bool = True) -> None:
    """Store that the user trusts a folder since ``at`` (ISO time), or no longer does. Raises StoreError."""
    with lock(store / STORE):
        known = _load(store)
        if trusted:
            known["folders"][_key(root)] = at
        else:
            known["folders"].pop(_key(root), None)
            known["approved"].pop(_key(root), None)
        _save(store, known)


def trusted_folders(store: Path) -> dict[str, str]:
    """The real path of every trusted folder, with the time since when."""
    return dict(sorted(_load(store)["folders"].items()))


def approval(store: Path, root: Path, name: str, content: str) -> State:
    """Whether the user approved this name (``mcp:github``, ``skill:x``) with exactly this content in this folder."""
    known = _load(store)["approved"].get(_key(root), {}).get(name)
    if known is None:
        return "new"
    return "approved" if known == digest(content) else "changed"


def approve(store: Path, root: Path, name: str, content: str) -> None:
    """Store the user's approval of this content; changed content needs another. Raises StoreError."""
    with lock(store / STORE):
        known = _load(store)
        known["approved"].setdefault(_key(root), {})[name] = digest(content)
        _save(store, known)


def forget(store: Path, root: Path, name: str) -> bool:
    """Revoke an approval, and those below it (``name/…``); False when there was none. Raises StoreError."""
    with lock(store / STORE):
        known = _load(store)
        held = known["approved"].get(_key(root), {})
        gone = [one for one in held if one == name or one.startswith(f"{name}/")]
        for one in gone:
            del held[one]
        if gone:
            _save(store, known)
    return bool(gone)


def _key(root: Path) -> str:
    return os.path.realpath(root)


def _load(store: Path) -> dict[str, dict[str, Any]]:
    """The stored approvals; none when the file is missing, damaged, or could have been written by somebody else."""
    empty: dict[str, dict[str, Any]] = {"folders": {}, "approved": {}}
    path = store / STORE
    try:
        facts = path.lstat()
        if os.name == "posix" and (facts.st_uid != os.geteuid() or facts.st_mode & 0o022 or path.is_symlink()):
            return empty
        known = json.loads(read(path))
    except (OSError, StoreError, ValueError, RecursionError):
        return empty
    if not isinstance(known, dict):
        return empty
    parts = {part: known.get(part) for part in empty}
    sound = {part: value if isinstance(value, dict) else {} for part, value in parts.items()}
    sound["approved"] = {root: given for root, given in sound["approved"].items() if isinstance(given, dict)}
    return sound


def _save(store: Path, known: Mapping[str, Any]) -> None:
    """Write the store; a damaged file is renamed first."""
    path = store / STORE
    if path.is_symlink() or path.exists():
        try:
            json.loads(read(path))
        except (StoreError, ValueError, RecursionError):
            path.replace(path.with_suffix(".damaged"))
    replace(path, json.dumps({"v": 1, **known}, indent=1, sort_keys=True).encode())
