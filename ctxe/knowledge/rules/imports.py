"""Imports in instruction files (``@docs/style.md``): inside the repository only, each once, at most five deep."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass
from ctxe.storage import files

DEPTH = 5
MOST_BYTES = 65_536
MOST = 40
_AT = re.compile(
    r"(?:^|(?<=[\s(]))@((?:~|\.{1,2})?/?[\w][\w./ -]*?\.\w{1,10}|(?:~|\.{1,2})?/[\w./-]+)(?=[\s),;:]|\.?\s|\.?$)", re.M
)
_CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Import:
    """An imported file.

    ``path`` is relative to the root, ``by`` is the importing file; ``problem`` says why it is not read.
    """

    path: str
    by: str
    data: bytes = b""
    problem: str = ""


def read_imports(path: str, text: str, root: Path, seen: set[str], readable: Callable[[str], bool]) -> Iterator[Import]:
    """A file's imports and theirs, depth first. ``seen`` holds the real paths already imported and is extended."""
    yield from _follow(path, text, root.resolve(), seen, readable, 1)


def _follow(
    path: str, text: str, root: Path, seen: set[str], readable: Callable[[str], bool], depth: int
) -> Iterator[Import]:
    """The imports in ``text``, each followed by its own imports."""
    for name in list(dict.fromkeys(_AT.findall(_CODE.sub("", text))))[:MOST]:
        found = _resolve(name.strip(), path, root, seen, readable, depth)
        if found is None:
            continue
        yield found
        if not found.problem:
            more = found.data.decode("utf-8", "replace")
            yield from _follow(found.path, more, root, seen, readable, depth + 1)


def _resolve(
    name: str, by: str, root: Path, seen: set[str], readable: Callable[[str], bool], depth: int
) -> Import | None:
    """The import named after an at sign; None for a mention, an address, or a file that was imported already."""
    if name.startswith(("~", "/")):
        return Import(name, by, problem="leads out of the repository: not followed")
    real = Path(os.path.realpath(root / Path(by).parent / name))
    if not real.is_relative_to(root):
        return Import(name, by, problem="leads out of the repository: not followed")
    if not real.is_file() or str(real) in seen:
        return None
    inside = real.relative_to(root).as_posix()
    if depth > DEPTH:
        return Import(inside, by, problem=f"imported more than {DEPTH} deep: not followed")
    seen.add(str(real))
    if not readable(inside):
        return Import(inside, by, problem="must not be read: not followed")
    try:
        data = files.read(real, MOST_BYTES + 1)
    except StoreError as error:
        return Import(inside, by, problem=error.message)
    if len(data) > MOST_BYTES:
        return Import(inside, by, problem=f"larger than {MOST_BYTES // 1024} KiB: not imported")
    return Import(inside, by, data)
