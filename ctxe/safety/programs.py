"""Finding our own helpers outside the repository, and calling git so that nothing the repository configures runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ctxe.domain.errors import CtxeError

DIFFING = frozenset({"diff", "diff-files", "diff-index", "diff-tree", "format-patch", "log", "show", "whatchanged"})
QUIET = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "core.pager=cat",
    "core.quotePath=false",
    "core.askPass=",
    "core.sshCommand=false",
    "credential.helper=",
    "color.ui=false",
    "diff.ignoreSubmodules=dirty",
    "gc.auto=0",
    "log.showSignature=false",
    "maintenance.auto=false",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
    "submodule.recurse=false",
)
CHILD_GUARDS = {
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "core.fsmonitor",
    "GIT_CONFIG_VALUE_0": "false",
    "GIT_CONFIG_KEY_1": "safe.bareRepository",
    "GIT_CONFIG_VALUE_1": "explicit",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "PAGER": "cat",
    "TERM": "dumb",
}
"""Variables for commands that a model asks for: git runs no program on its own, nothing waits for a key."""
INCLUDE_DEPTH = 3
CONFIG_LIMIT = 1_000_000
NOTHING = "CTXE_NOTHING"
_SECTION = re.compile(r'\[\s*(filter|merge|gpg|includeIf|include)(?:\s+"((?:[^"\\]|\\.)*)"|\.([^\]\s]+))?\s*\]', re.I)
_INCLUDED = re.compile(r"\bpath\s*=\s*([^\n]+)", re.I)


def find_program(name: str, root: Path, search: Sequence[str] | None = None) -> Path | None:
    """The absolute path of a program on PATH that does not lie in the repository, or None.

    Relative and empty entries of PATH are skipped (they would mean the working folder), and so is every entry or link
    whose real place is below ``root``. ``search`` stands for PATH in tests.
    """
    home = Path(os.path.realpath(root))
    names = (name, f"{name}.exe") if os.name == "nt" else (name,)
    for folder in outside(root, os.get_exec_path() if search is None else search):
        for candidate in (Path(folder, spelled) for spelled in names):
            real = os.path.realpath(candidate)
            if not _inside(home, real) and os.access(real, os.X_OK) and Path(real).is_file():
                return candidate
    return None


def outside(root: Path, search: Sequence[str]) -> list[str]:
    """The entries of PATH that are absolute and whose real place is not in the repository."""
    home = Path(os.path.realpath(root))
    return [path for path in search if os.path.isabs(path) and not _inside(home, os.path.realpath(path))]  # noqa: PTH117 (PATH holds strings)


def git_command(root: Path, *args: str, search: Sequence[str] | None = None) -> list[str]:
    """The argv of a git call about the repository at ``root`` that runs nothing else; ``args`` start at the subcommand.

    Hooks, fsmonitor, pager, external diff, textconv, filters and merge drivers of the repository, signatures,
    submodules, credentials and every transport are off. Give it ``git_environment``. Raises CtxeError without git.
    """
    git = find_program("git", root, search)
    if git is None:
        raise CtxeError("git is not on PATH outside this repository", "install git, or go on without history")
    settings = [*(word for pair in QUIET for word in ("-c", pair)), *_drivers_off(root)]
    head = [str(git), "--no-pager", "--no-optional-locks", "-C", str(root), *settings]
    verb = 0
    while args[verb : verb + 1] == ("-c",):
        verb += 2
    return [*head, *args[: verb + 1], *_safe_options(args[verb : verb + 1], args[verb + 1 :]), *args[verb + 1 :]]


def git_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment for ``git_command``: nothing of the caller's steers git, nothing is asked, no network."""
    kept = {key: value for key, value in env.items() if not key.upper().startswith(("GIT_", "LD_", "DYLD_"))}
    for name in ("SSH_ASKPASS", "PAGER", "EDITOR", "VISUAL", "LANGUAGE"):
        kept.pop(name, None)
    return kept | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_ASKPASS": "",
        "GIT_PAGER": "cat",
        "GIT_EDITOR": "true",
        "LC_ALL": "C",
        NOTHING: "",
    }


def _inside(home: Path, real: str) -> bool:
    """A session in / itself has nothing outside of it: there, only relative entries of PATH are refused."""
    return home != Path(home.anchor) and Path(real).is_relative_to(home)


def _safe_options(verbs: Sequence[str], given: Sequence[str]) -> Iterator[str]:
    """Options that the configuration cannot express, for the subcommands that know them."""
    verb = verbs[0] if verbs else ""
    if verb in DIFFING:
        yield "--no-ext-diff"
        yield "--no-textconv"
    if verb == "blame":
        yield "--no-textconv"
    if verb in {"status", "diff"} and not any(option.startswith("--ignore-submodules") for option in given):
        yield "--ignore-submodules=dirty"


def _drivers_off(root: Path) -> Iterator[str]:
    """Options that switch off each filter, merge driver and signer that the repository's own configuration defines.

    Drivers of the user's own configuration (git-lfs, say) stay: it is not the repository that chose them.
    """
    for kind, name in sorted({found for config in _configs(root) for found in _programs_named(config)}):
        match kind:
            case "filter":
                for key in ("clean", "smudge", "process"):
                    # the last "=" parts the name of the variable, so a driver called a=b is switched off as well
                    yield f"--config-env=filter.{name}.{key}={NOTHING}"
                yield f"--config-env=filter.{name}.required={NOTHING}"
            case "merge":
                yield f"--config-env=merge.{name}.driver={NOTHING}"
            case _:
                yield from ("-c", "commit.gpgSign=false", "-c", "tag.gpgSign=false")


def _configs(root: Path) -> list[Path]:
    """Where the repository keeps its configuration: plain, worktree and submodule layouts."""
    for folder in (root, *root.parents):
        spot = folder / ".git"
        if spot.is_dir():
            return [spot / "config", spot / "config.worktree"]
        if spot.is_file():
            text = _text(spot)
            real = folder / text.removeprefix("gitdir:").strip()
            common = real / (_text(real / "commondir").strip() or ".")
            return [common / "config", real / "config", real / "config.worktree"]
    return []


def _programs_named(config: Path, depth: int = INCLUDE_DEPTH) -> Iterator[tuple[str, str]]:
    """(kind, name) of each section that can name a program, in a configuration file or in one that it includes."""
    text = _text(config).replace("\\\n", "")
    including = False
    for found in _SECTION.finditer(text):
        kind, quoted, dotted = found.group(1).lower(), found.group(2), found.group(3)
        including = including or kind.startswith("include")
        name = dotted if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        if kind == "gpg" or (name and kind in {"filter", "merge"}):
            yield kind, "" if kind == "gpg" else name or ""
    if including and depth:
        for value in _INCLUDED.findall(text):
            path = re.sub(r"\\(.)", r"\1", value.replace('"', "")).strip()
            yield from _programs_named(config.parent / os.path.expanduser(path), depth - 1)  # noqa: PTH111 (~nobody raises)


def _text(path: Path) -> str:
    """A configuration file as text; empty when it is none."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return file.read(CONFIG_LIMIT).decode("utf-8", "replace")
    except (OSError, RuntimeError, ValueError):
        return ""
