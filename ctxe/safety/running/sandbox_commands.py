"""The command lines that run a command in a sandbox, by bubblewrap or by Landlock."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from ctxe.domain.value import dataclass
from ctxe.safety.protected import FILES, FOLDERS, WITHIN, plain_name
from ctxe.safety.running.bubblewrap import is_place

HERE = Path(__file__).parent
SECRETS = (
    *(
        ".ssh",
        ".aws",
        ".azure",
        ".gnupg",
        ".kube",
        ".docker",
        ".netrc",
        ".pgpass",
        ".npmrc",
        ".pypirc",
        ".git-credentials",
    ),
    *(
        ".config/gh",
        ".config/gcloud",
        ".config/hub",
        ".config/glab-cli",
        ".config/ctxe",
        ".config/op",
        ".config/rclone",
    ),
    *(
        ".config/google-chrome",
        ".config/chromium",
        ".mozilla",
        ".password-store",
        ".local/share/keyrings",
        ".vault-token",
    ),
    *(
        ".cargo/credentials.toml",
        ".cargo/credentials",
        ".gem/credentials",
        ".m2/settings.xml",
        ".my.cnf",
        ".s3cfg",
        ".boto",
    ),
    *(
        ".claude",
        ".claude.json",
        ".codex",
        ".gemini",
        ".terraform.d",
        ".bash_history",
        ".zsh_history",
        ".python_history",
    ),
)
"""Places in a home folder that hold keys or typed commands."""
SYSTEM_SECRETS = ("/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d")
NAMES_NEEDED = ("/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf")
"""Folders of /run that name lookups need. The rest is hidden, since its sockets lead out (docker, dbus)."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The sandbox of this machine. ``says`` is one line for the user; ``bare`` omits options that old versions lack."""

    kind: Literal["bubblewrap", "landlock", "none"]
    says: str
    program: str = ""
    bare: bool = False

    @property
    def active(self) -> bool:
        """Whether commands are really sandboxed."""
        return self.kind != "none"


@dataclass(frozen=True, slots=True)
class Confinement:
    """The places a command may access: it writes only in ``root`` and ``temp``, a private folder that exists.

    Places with keys in ``home``, the user's home folder, and ``hidden`` (ctxe's own folder) cannot be read. ``git``
    allows writing git's folder, except hooks and configuration (bubblewrap only): see ``writes_git``.
    """

    root: Path
    temp: Path
    home: Path
    network: bool = False
    git: bool = False
    hidden: tuple[Path, ...] = ()


def _python(script: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(HERE / script)]


def _hidden(confinement: Confinement) -> Iterator[Path]:
    """Existing places with keys, symlinks resolved, without the root itself and the folders above it."""
    root = Path(os.path.realpath(confinement.root))
    places = [*(confinement.home / name for name in SECRETS), *map(Path, SYSTEM_SECRETS), *confinement.hidden]
    for place in dict.fromkeys(Path(os.path.realpath(place)) for place in places):
        if place.exists() and not root.is_relative_to(place) and not place.is_relative_to(root):
            yield place


def _protected(root: Path) -> Iterator[Path]:
    """The existing protected entries, at the root and (pipelines) one folder deeper."""
    for entry in sorted(root.iterdir()):
        name = plain_name(entry.name)
        if name in FOLDERS or name in FILES:
            yield entry
        elif entry.is_dir() and not entry.is_symlink() and any(name == host for host, _ in WITHIN):
            yield from (inner for inner in sorted(entry.iterdir()) if (name, plain_name(inner.name)) in WITHIN)


def bubblewrap_command(sandbox: Sandbox, argv: list[str], confinement: Confinement) -> list[str]:
    """The command line of bubblewrap: everything read-only, then writable places, then protected ones inside them."""
    root, temp = os.path.realpath(confinement.root), os.path.realpath(confinement.temp)
    words = [sandbox.program, "--unshare-user", *(() if sandbox.bare else ("--disable-userns",)), "--cap-drop", "ALL"]
    words += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent"]
    words += ["--new-session", *(() if confinement.network else ("--unshare-net",))]
    words += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", temp, "/tmp", "--tmpfs", "/run"]  # noqa: S108
    # an interpreter installed below /tmp (a fresh clone, a build machine) would be hidden by the private /tmp
    interpreter = Path(os.path.realpath(sys.prefix))
    words += ["--ro-bind", str(interpreter), str(interpreter)] if interpreter.is_relative_to("/tmp") else []  # noqa: S108
    if confinement.network:
        words += [word for path in NAMES_NEEDED if Path(path).exists() for word in ("--ro-bind", path, path)]
    for place in _hidden(confinement):
        if place.is_relative_to("/tmp"):  # noqa: S108 (this folder is not seen inside)
            continue
        words += ["--tmpfs", str(place)] if place.is_dir() else ["--ro-bind", os.devnull, str(place)]
    words += ["--bind", root, root]
    blocked = _blocked(Path(root))
    protected = [entry for entry in _protected(Path(root)) if entry.name not in blocked]
    for folder in dict.fromkeys(str(entry.parent) for entry in protected):
        # mounted itself, so that it cannot be renamed together with the protected entries in it
        words += ["--bind", folder, folder] if folder != root else []
    for entry in protected:
        words += _read_only(entry, confinement.git)
    for name in blocked:
        words += ["--tmpfs", f"{root}/{name}", "--remount-ro", f"{root}/{name}"]
    caches = {"TMPDIR": "/tmp", "XDG_CACHE_HOME": "/tmp/.cache", "npm_config_cache": "/tmp/.cache/npm"}  # noqa: S108
    words += [word for name, value in caches.items() for word in ("--setenv", name, value)]
    words += ["--chdir", root, "--", *argv]
    names = "\n".join(sorted({*FOLDERS, *FILES, *(f"{host}/{inner}" for host, inner in WITHIN)}))
    return [*_python("bubblewrap.py"), root, "\n".join(blocked), names, *words]


def _blocked(root: Path) -> list[str]:
    """Folders that configure ctxe and git and do not exist: they are blocked while the command runs."""
    if not os.access(root, os.W_OK):
        return []
    names = [".ctxe", ".git", *([".git/hooks"] if (root / ".git").is_dir() else [])]
    return [name for name in names if not os.path.lexists(root / name) or is_place(f"{root}/{name}")]


def _read_only(entry: Path, git: bool) -> Iterable[str]:
    """Mount options that make an entry read-only.

    When git may write its folder, only the parts that name programs; the folder is mounted itself, so that it cannot be
    renamed.
    """
    if entry.is_symlink():
        return ()
    path = str(entry)
    if not git or plain_name(entry.name) != ".git" or not entry.is_dir():
        return ("--ro-bind", path, path)
    words = ["--bind", path, path]
    for name in ("config", "config.worktree", "hooks", "modules", "info"):
        if (entry / name).exists() and not (entry / name).is_symlink():
            words += ["--ro-bind", f"{path}/{name}", f"{path}/{name}"]
    return words


def landlock_command(argv: list[str], confinement: Confinement) -> list[str]:
    """The command line of Landlock, which only grants rights: protected places are left out, folder by folder."""
    root, temp = Path(os.path.realpath(confinement.root)), Path(os.path.realpath(confinement.temp))
    hidden = [*_hidden(confinement), Path("/dev")]
    read = list(_all_but(Path("/"), hidden))
    return [
        *_python("landlock.py"),
        _lines([*read, root]),
        _lines([*_writable(root), temp]),
        "yes" if confinement.network else "no",
        *argv,
    ]


def _writable(root: Path) -> Iterator[Path]:
    """The writable entries of the work tree; of a folder that may hold protected entries, the others inside it."""
    protected, hosts = set(_protected(root)), {host for host, _ in WITHIN}
    for path in sorted(root.iterdir()):
        if path in protected or path.is_symlink():
            continue
        if path.is_dir() and plain_name(path.name) in hosts:
            yield from (inner for inner in sorted(path.iterdir()) if inner not in protected and not inner.is_symlink())
        else:
            yield path


def _lines(paths: Iterable[Path]) -> str:
    """Paths joined by newlines; a path that contains a newline is left out and so gets no right."""
    return "\n".join(str(path) for path in paths if "\n" not in str(path))


def _all_but(base: Path, hidden: Sequence[Path]) -> Iterator[Path]:
    """Folders and files that together make up everything below ``base`` except the ``hidden`` places."""
    within = [place for place in hidden if place.is_relative_to(base)]
    if base in within:
        return
    if not within:
        yield base
        return
    try:
        entries = sorted(base.iterdir())
    except OSError:
        return
    for entry in entries:
        if not entry.is_symlink():
            yield from _all_but(entry, within)
