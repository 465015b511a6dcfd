"""Finding the file that an error names, as runners name it relative to the folder they ran in, or by name only."""

from __future__ import annotations

import re
import shlex
from pathlib import Path, PurePosixPath

MOST_WORDS = 60
"""Most words of a command that are tried as the folder it ran in."""
LONGEST = 240
"""Characters of a path above which it is not looked up, since systems refuse it."""


def located(root: Path, command: str, file: str) -> str:
    """The path of a file relative to the root: in a folder that the command names, or the only file of that name.

    ``file`` itself when neither is found.
    """
    named = PurePosixPath(file)
    if not 0 < len(file) <= LONGEST or not file.isprintable() or named.is_absolute():
        return file
    if named.parts[:1] == ("..",):  # compilers run in a build folder of the project
        below_root = re.sub(r"^(?:\.\./)+", "", file)
        return below_root if ".." not in below_root and (root / below_root).is_file() else file
    if ".." in named.parts or (root / file).exists():
        return file
    candidates = (f"{folder.rstrip('/')}/{file}" for folder in _folders(command))
    path_found = next((path for path in candidates if (root / path).is_file()), "") or _only(root, file)
    return str(PurePosixPath(path_found)) if path_found else file


def _folders(command: str) -> list[str]:
    try:
        words = shlex.split(command)[:MOST_WORDS]
    except ValueError:
        words = command.split()[:MOST_WORDS]
    candidates = (word.rpartition("=")[2].removesuffix("...").rstrip(";") for word in words)
    return [word for word in candidates if 0 < len(word) <= LONGEST and word[0] not in "/-" and ".." not in word]


def _only(root: Path, file: str) -> str:
    """The path of the only file, in git's listing, that ends with this one; empty for none or several."""
    from ctxe.repo.files import LISTING
    from ctxe.repo.git import Git

    escaped = re.sub(r"([*?\[\\])", r"\\\1", file)
    output = Git(root).output(*LISTING, "--", f":(glob)**/{escaped}") or b""
    paths = set(output.decode("utf-8", "replace").split("\0")) - {""}
    return paths.pop() if len(paths) == 1 else ""
