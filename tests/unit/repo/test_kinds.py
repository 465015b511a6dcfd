"""The kind of a file, judged by its path."""

from __future__ import annotations

import pytest

from ctxe.repo.kinds import kind, language


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("src/app.py", "source"),
        ("src/net/http.rs", "source"),
        ("tests/test_app.py", "test"),
        ("pkg/core/tests/helpers.py", "test"),
        ("app/http_test.go", "test"),
        ("web/button.spec.tsx", "test"),
        ("src/test/java/a/BTest.java", "test"),
        ("src/main/java/a/test/Runner.java", "source"),
        ("lib/ConnectionSpec.kt", "source"),
        ("django/test/client.py", "source"),
        ("mypy/test/testcheck.py", "test"),
        ("docs/conf.py", "doc"),
        ("README.md", "doc"),
        ("CHANGES", "doc"),
        ("examples/hello.go", "doc"),
        ("pyproject.toml", "config"),
        (".github/workflows/ci.yml", "config"),
        ("templates/base.html", "config"),
        ("a/_vendor/six.py", "vendored"),
        ("node_modules/x/index.js", "vendored"),
        ("deps/zlib/zlib.c", "vendored"),
        ("sympy/external/gmpy.py", "source"),
        ("package-lock.json", "data"),
        ("logo.png", "data"),
        ("app.min.js", "data"),
        ("data/words.xyz", "data"),
    ],
)
def test_a_path_has_its_kind(path: str, what: str) -> None:
    assert kind(path) == what


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.py", "python"),
        ("a.tsx", "tsx"),
        ("Makefile", "make"),
        ("Dockerfile", "docker"),
        ("notes.rst", "markup"),
        ("README", "markup"),
        ("x.toml", "settings"),
        (".editorconfig", "settings"),
        ("x.unheard", ""),
    ],
)
def test_a_path_has_its_language(path: str, name: str) -> None:
    assert language(path) == name
