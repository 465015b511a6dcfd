"""Where the file named in an error lies: relative to the folder of the run, or found by its last name alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxe.tools.outcomes.place import located
from tests.repositories import repository

FILES = ("calc/add_test.go", "web/src/cart.test.ts", "web/src/index.ts", "shop/src/index.ts", "top.py", "web/[id].tsx")


@pytest.mark.parametrize(
    ("command", "file", "path"),
    [
        ("pytest", "top.py", "top.py"),
        ("cd web && npx jest", "src/cart.test.ts", "web/src/cart.test.ts"),
        ("cd shop; npx tsc", "src/index.ts", "shop/src/index.ts"),
        ("npm --prefix=web test", "src/index.ts", "web/src/index.ts"),
        ("go test ./calc/...", "add_test.go", "calc/add_test.go"),
        ("go test ./...", "add_test.go", "calc/add_test.go"),
        ("npx tsc", "src/index.ts", "src/index.ts"),
        ("npx 'tsc", "gone.ts", "gone.ts"),
        ("x", "/usr/lib/a.py", "/usr/lib/a.py"),
        ("cd web && x", "../top.py", "top.py"),
        ("ninja -C build", "../gone.cpp", "../gone.cpp"),
        ("ninja -C build", "../../web/src/index.ts", "web/src/index.ts"),
        ("npx tsc", "[id].tsx", "web/[id].tsx"),
        ("npx tsc", "[di].tsx", "[di].tsx"),
        ("x", "", ""),
        ("x " + "y" * 5000, "z" * 5000 + ".py", "z" * 5000 + ".py"),
        ("x " + "y" * 5000, "z.py", "z.py"),
        ("x", "a\0b.py", "a\0b.py"),
    ],
)
def test_an_error_path_is_resolved_from_the_folder_of_the_run(
    tmp_path: Path, command: str, file: str, path: str
) -> None:
    root = repository(tmp_path / "repo", dict.fromkeys(FILES, "x\n"))
    assert located(root, command, file) == path
