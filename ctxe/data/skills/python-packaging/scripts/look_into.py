"""What a wheel holds, and what it lacks or should not have: look_into.py DIST.whl..."""

from __future__ import annotations

import email
import re
import sys
import zipfile
from collections.abc import Iterator

SECRET = re.compile(r"(^|/)(\.env|\.git/|id_rsa|.*\.pem|credentials|\.pypirc|\.DS_Store)", re.I)


def faults(names: list[str], metadata: email.message.Message) -> Iterator[str]:
    """A line for each thing to look at."""
    tops = sorted({name.partition("/")[0] for name in names if ".dist-info/" not in name and ".data/" not in name})
    packages = [top for top in tops if f"{top}/__init__.py" in names]
    if not any(name.endswith((".py", ".so", ".pyd")) for name in names):
        yield "no module at all: the package is not named to the build backend"
    yield from (
        f"{top}/ at top level is importable by that name everywhere"
        for top in tops
        if top in ("tests", "test", "docs", "examples", "src")
    )
    typed = [top for top in packages if f"{top}/py.typed" in names]
    yield from (
        f"{top} has no py.typed: type checkers will ignore its annotations" for top in packages if top not in typed
    )
    yield from (f"{name} should not be published" for name in names if SECRET.search(name))
    yield from (f"{name} is compiled bytecode" for name in names[:5] if name.endswith(".pyc"))
    for key in ("Requires-Python", "Summary", "License-Expression", "Description-Content-Type"):
        if not metadata.get(key):
            yield f"metadata has no {key}"
    yield from (
        f"dependency {one!r} has an upper bound"
        for one in metadata.get_all("Requires-Dist", [])
        if re.search(r"<(?!=?\s*3\.\d+['\"])", one.partition(";")[0])
    )


def main() -> int:
    """Exit 1 when there is something to look at, 2 when a file is no wheel."""
    if len(sys.argv) < 2:
        sys.stderr.write("look_into.py DIST.whl...\n")
        return 2
    told = 0
    for path in sys.argv[1:]:
        try:
            with zipfile.ZipFile(path) as wheel:
                listed = sorted(wheel.infolist(), key=lambda one: one.filename)
                names = [one.filename for one in listed]
                found = next(name for name in names if name.endswith(".dist-info/METADATA"))
                metadata = email.message_from_bytes(wheel.read(found))
        except (OSError, zipfile.BadZipFile, StopIteration):
            sys.stderr.write(f"{path}: no wheel\n")
            return 2
        sys.stdout.write(
            f"{path}: {metadata['Name']} {metadata['Version']}, {len(names)} files"
            f", {sum(one.file_size for one in listed):,} bytes\n"
        )
        for one in listed[:200]:
            sys.stdout.write(f"  {one.file_size:>9,} {one.filename}\n")
        for line in faults(names, metadata):
            sys.stdout.write(f"! {line}\n")
            told += 1
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
