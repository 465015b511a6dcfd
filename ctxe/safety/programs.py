"""Finding programs outside the repository, and calling git so that no program the repository configures runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ctxe.domain.errors import CtxeError
from ctxe.safety.gitconfig import Setting, Unreadable, hook_folders, nested, settings_of

DIFF_COMMANDS = frozenset(
    {"diff", "diff-files", "diff-index", "diff-tree", "format-patch", "log", "show", "whatchanged"}
)
QUIET_SETTINGS = (
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
"""Variables for commands that a model asks for: git starts no fsmonitor, and no program waits for a key press."""
EMPTY_VARIABLE = "CTXE_NOTHING"
BUILTINS = frozenset({"cd", "command", "echo", "false", "printf", "pwd", "test", "true", "type"})
"""Commands that only read and are part of the shell."""
READING_HOOK = "post-index-change"
"""The hook that read-only commands start, too: ``git diff`` writes the status of files to the index."""


def find_program(name: str, root: Path, search: Sequence[str] | None = None) -> Path | None:
    """The absolute path of a program on PATH that is not in the repository; None when there is none.

    Relative and empty entries of PATH (which mean the working folder) are skipped, and so are entries and symlinks
    whose real path is below ``root``. ``search`` replaces PATH in tests.
    """
    repository = Path(os.path.realpath(root))
    names = (name, f"{name}.exe") if os.name == "nt" else (name,)
    for folder in outside(root, os.get_exec_path() if search is None else search):
        for candidate in (Path(folder, file_name) for file_name in names):
            real = os.path.realpath(candidate)
            if not _inside(repository, real) and os.access(real, os.X_OK) and Path(real).is_file():
                return candidate
    return None


def own_program(root: Path, search: Sequence[str]) -> Callable[[str], str]:
    """Which program of the repository a shell would start for a name; empty for none, or a builtin.

    A folder of the repository may be on PATH, such as that of a virtual environment or ``node_modules/.bin``. There a
    symlink to a program of the same name outside is that program.
    """
    home = Path(os.path.realpath(root))

    def found(name: str) -> str:
        if name in BUILTINS:
            return ""
        for folder in filter(os.path.isabs, search):
            place = Path(folder, name)
            if place.is_file() and os.access(place, os.X_OK):
                real = os.path.realpath(place)
                ours = _inside(home, os.path.realpath(folder)) or _inside(home, real)
                same = not _inside(home, real) and Path(real).name.startswith(name)
                return str(place) if ours and not same else ""
        return ""

    return found


def outside(root: Path, search: Sequence[str]) -> list[str]:
    """The entries of PATH that are absolute and whose real path is not in the repository."""
    repository = Path(os.path.realpath(root))
    return [path for path in search if os.path.isabs(path) and not _inside(repository, os.path.realpath(path))]  # noqa: PTH117 (PATH holds strings)


def git_command(root: Path, *args: str, search: Sequence[str] | None = None) -> list[str]:
    """The command line of a git call on the repository at ``root``; ``args`` begin with the subcommand.

    Git will start no other program: hooks, fsmonitor, pager, external diff, textconv, filters and merge drivers of the
    repository, signatures, submodules, credentials and transports are switched off. Use it with ``git_environment``.
    Raises CtxeError without git, and when git's configuration cannot be checked.
    """
    git = find_program("git", root, search)
    if git is None:
        raise CtxeError("git is not on PATH outside this repository", "install git, or continue without history")
    try:
        settings = [*(word for pair in QUIET_SETTINGS for word in ("-c", pair)), *_drivers_off(root)]
    except Unreadable as error:
        raise CtxeError(f"git's configuration here cannot be checked: {error}", "look into .git/config") from error
    command = [str(git), "--no-pager", "--no-optional-locks", "-C", str(root), *settings]
    verb_index = 0
    while args[verb_index : verb_index + 1] == ("-c",):
        verb_index += 2
    return [
        *command,
        *args[: verb_index + 1],
        *_safe_options(args[verb_index : verb_index + 1], args[verb_index + 1 :]),
        *args[verb_index + 1 :],
    ]


def git_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The environment for ``git_command``: no variable of the caller controls git, no prompts, no network."""
    cleaned = {key: value for key, value in env.items() if not key.upper().startswith(("GIT_", "LD_", "DYLD_"))}
    for name in ("SSH_ASKPASS", "PAGER", "EDITOR", "VISUAL", "LANGUAGE"):
        cleaned.pop(name, None)
    return cleaned | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_ASKPASS": "",
        "GIT_PAGER": "cat",
        "GIT_EDITOR": "true",
        "LC_ALL": "C",
        EMPTY_VARIABLE: "",
    }


def _inside(repository: Path, real: str) -> bool:
    """Whether a real path is in the repository; never for a repository at /, where every path would be."""
    return repository != Path(repository.anchor) and Path(real).is_relative_to(repository)


def _safe_options(verbs: Sequence[str], arguments: Sequence[str]) -> Iterator[str]:
    """Options that switch off what git's configuration cannot, for the subcommands that know them."""
    verb = verbs[0] if verbs else ""
    if verb in DIFF_COMMANDS:
        yield "--no-ext-diff"
        yield "--no-textconv"
    if verb == "blame":
        yield "--no-textconv"
    if verb in {"status", "diff"} and not any(option.startswith("--ignore-submodules") for option in arguments):
        yield "--ignore-submodules=dirty"


def _drivers_off(root: Path) -> Iterator[str]:
    """Options that switch off each filter, merge driver and signer that the repository's configuration defines.

    Drivers of the user's own configuration, such as git-lfs, stay.
    """
    for kind, name in sorted({(setting.section, setting.name) for setting in settings_of(root)}):
        if kind == "filter":
            for key in ("clean", "smudge", "process", "required"):
                # git splits at the last "=", so a driver called a=b is switched off as well
                yield f"--config-env=filter.{name}.{key}={EMPTY_VARIABLE}"
        elif kind == "merge" and name:
            yield f"--config-env=merge.{name}.driver={EMPTY_VARIABLE}"
        elif kind == "gpg":
            yield from ("-c", "commit.gpgSign=false", "-c", "tag.gpgSign=false")


def configured_programs(root: Path) -> tuple[str, ...]:
    """Settings in the repository's configuration by which even a read-only git command would start a program.

    For ``Policy.git_runs``: when there are any, a model's git commands are asked about. The fsmonitor does not count,
    since commands run without it (``CHILD_GUARDS``). Submodules do, as git looks into them as well.
    """
    try:
        work_trees = [root, *nested(root)]
        names = {setting.dotted for work_tree in work_trees for setting in settings_of(work_tree) if _runs(setting)}
        hooks = {f"hooks/{READING_HOOK}" for work_tree in work_trees if _has_reading_hook(work_tree)}
    except Unreadable as error:
        return (f"programs that cannot be checked ({error})",)
    return tuple(sorted(names | hooks))


def _has_reading_hook(root: Path) -> bool:
    return any(os.path.lexists(folder / READING_HOOK) for folder in hook_folders(root))


def _runs(setting: Setting) -> bool:
    """Whether a setting names a program that status, diff, log, show and the like may start."""
    section, key = setting.section, setting.key
    if section in {"filter", "gpg", "credential"} or (section, key) == ("extensions", "partialclone"):
        return True
    if section == "remote":
        return key in {"promisor", "partialclonefilter"}
    if section == "diff":
        return key in {"external", "command", "textconv"}
    return section == "core" and key in {"pager", "sshcommand", "askpass", "worktree", "gitproxy"}
