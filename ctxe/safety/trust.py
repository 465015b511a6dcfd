"""Limits on a repository: its settings only tighten the user's, and its programs are approved by content."""

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


def _lower(user_value: Any, project_value: Any) -> Any:
    return project_value if project_value < user_value else user_value


def _lower_or_first(user_value: Any, project_value: Any) -> Any:
    """The lower limit, where 0 means no limit."""
    return project_value if project_value > 0 and (user_value == 0 or project_value < user_value) else user_value


def _stricter(order: tuple[str, ...]) -> Tighter:
    return lambda user, project: project if order.index(project) < order.index(user) else user


def _more(user_value: Any, project_value: Any) -> Any:
    return (*user_value, *(item for item in project_value if item not in user_value))


def _only(strict: Any) -> Tighter:
    return lambda user, project: strict if project == strict else user


def _free(_user_value: Any, project_value: Any) -> Any:
    return project_value


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
    for key, project_value in project.items():
        user_value = user.get(key)
        if _same(user_value, project_value):
            continue
        rule = next((rule for pattern, rule in RULES if fnmatchcase(key, pattern)), None)
        merged_value = user_value if rule is None else _by_rule(rule, user_value, project_value)
        if _same(merged_value, user_value):
            reason = "is not for a repository to set" if rule is None else f"would loosen yours ({_short(user_value)})"
            refused.append(f"{_short(key, bare=True)} = {_short(project_value)} refused: it {reason}")
        else:
            merged[key] = merged_value
    return merged, refused


def _by_rule(rule: Tighter, user_value: Any, project_value: Any) -> Any:
    """The value by a rule; the user's own when the two are of different types."""
    if _kind(user_value) is not _kind(project_value):
        return user_value
    try:
        return rule(user_value, project_value)
    except ValueError:
        return user_value


def _same(first: Any, second: Any) -> bool:
    """Whether two values are equal as settings: lists equal tuples, and True is not 1."""
    first, second = (tuple(value) if isinstance(value, list) else value for value in (first, second))
    return _kind(first) is _kind(second) and bool(first == second)


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


def trust(store: Path, root: Path, since: str, *, trusted: bool = True) -> None:
    """Store that the user trusts a folder ``since`` this ISO time, or no longer does. Raises StoreError."""
    with lock(store / STORE):
        stored = _load(store)
        if trusted:
            stored["folders"][_key(root)] = since
        else:
            stored["folders"].pop(_key(root), None)
            stored["approved"].pop(_key(root), None)
        _save(store, stored)


def trusted_folders(store: Path) -> dict[str, str]:
    """The real path of every trusted folder, with the time since when."""
    return dict(sorted(_load(store)["folders"].items()))


def approval(store: Path, root: Path, name: str, content: str) -> State:
    """Whether the user approved this name (``mcp:github``, ``skill:x``) with exactly this content in this folder."""
    approved_digest = _load(store)["approved"].get(_key(root), {}).get(name)
    if approved_digest is None:
        return "new"
    return "approved" if approved_digest == digest(content) else "changed"


def approve(store: Path, root: Path, name: str, content: str) -> None:
    """Store the user's approval of this content; changed content needs another. Raises StoreError."""
    with lock(store / STORE):
        stored = _load(store)
        stored["approved"].setdefault(_key(root), {})[name] = digest(content)
        _save(store, stored)


def forget(store: Path, root: Path, name: str) -> bool:
    """Revoke an approval, and those below it (``name/…``); False when there was none. Raises StoreError."""
    with lock(store / STORE):
        stored = _load(store)
        approvals = stored["approved"].get(_key(root), {})
        revoked = [approved for approved in approvals if approved == name or approved.startswith(f"{name}/")]
        for approved in revoked:
            del approvals[approved]
        if revoked:
            _save(store, stored)
    return bool(revoked)


def _key(root: Path) -> str:
    return os.path.realpath(root)


def _load(store: Path) -> dict[str, dict[str, Any]]:
    """The stored approvals; none when the file is missing, damaged, or could have been written by somebody else."""
    empty: dict[str, dict[str, Any]] = {"folders": {}, "approved": {}}
    path = store / STORE
    try:
        status = path.lstat()
        if os.name == "posix" and (status.st_uid != os.geteuid() or status.st_mode & 0o022 or path.is_symlink()):
            return empty
        stored = json.loads(read(path))
    except (OSError, StoreError, ValueError, RecursionError):
        return empty
    if not isinstance(stored, dict):
        return empty
    parts = {part: stored.get(part) for part in empty}
    sections = {part: value if isinstance(value, dict) else {} for part, value in parts.items()}
    sections["approved"] = {
        root: approvals for root, approvals in sections["approved"].items() if isinstance(approvals, dict)
    }
    return sections


def _save(store: Path, approvals: Mapping[str, Any]) -> None:
    """Write the store; a damaged file is renamed first."""
    path = store / STORE
    if path.is_symlink() or path.exists():
        try:
            json.loads(read(path))
        except (StoreError, ValueError, RecursionError):
            path.replace(path.with_suffix(".damaged"))
    replace(path, json.dumps({"v": 1, **approvals}, indent=1, sort_keys=True).encode())
