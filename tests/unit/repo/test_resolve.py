"""Imports lead to the files they mean."""

from __future__ import annotations

import pytest

from ctxe.repo.indexing.imports import resolve
from ctxe.repo.indexing.path_lookup import PathLookup

LISTED = """
    pkg/__init__.py pkg/core.py pkg/util/__init__.py pkg/util/text.py tools/text.py setup.py pkg/json.py
    web/src/app.ts web/src/lib/index.ts web/src/lib/date.ts web/src/view.vue packages/core/src/config/config.ts
    internal/bind/bind.go internal/bind/form.go internal/bind/form_test.go main.go
    crates/ignore/src/lib.rs crates/ignore/src/walk.rs crates/ignore/src/dir/mod.rs crates/regex/src/lib.rs
    crates/regex/src/literal.rs src/main/java/org/x/Pot.java src/main/java/org/x/Cup.kt
    lib/url.c lib/url.h lib/sub/url.h include/tea/pot.h lib/tea/pot.rb lib/cup.rb src/Tea/Pot.php api/pot.proto
    tea/src/cup.dart tea/leaf.lua lib/Tea/Cup.pm Tea/Pot.h
"""
PATHS = PathLookup(LISTED.split())


@pytest.mark.parametrize(
    ("language", "path", "imported", "targets"),
    [
        ("python", "pkg/core.py", "from .util import text", ["pkg/util/text.py"]),
        ("python", "pkg/core.py", "from .util.text import shorten", ["pkg/util/text.py"]),
        ("python", "pkg/util/text.py", "from .. import core, other", ["pkg/core.py", "pkg/__init__.py"]),
        ("python", "setup.py", "import pkg.util.text as t, os", ["pkg/util/text.py"]),
        ("python", "setup.py", "from pkg import (\n    core,  # why\n    json,\n)", ["pkg/core.py", "pkg/json.py"]),
        ("python", "tools/text.py", "import json", []),
        ("typescript", "web/src/app.ts", "import { a } from './lib'", ["web/src/lib/index.ts"]),
        ("typescript", "web/src/app.ts", "import { a } from './lib/date.js'", ["web/src/lib/date.ts"]),
        ("vue", "web/src/view.vue", "import a from '@/lib/date'", ["web/src/lib/date.ts"]),
        ("javascript", "web/src/app.ts", "require('react')", []),
        ("typescript", "web/src/app.ts", "import '@x/core/config/config.js'", ["packages/core/src/config/config.ts"]),
        ("typescript", "web/src/app.ts", "import 'core/src/config/config'", ["packages/core/src/config/config.ts"]),
        ("go", "main.go", '"x.org/me/tool/internal/bind"', ["internal/bind/bind.go", "internal/bind/form.go"]),
        ("go", "main.go", '"fmt"', []),
        ("rust", "crates/ignore/src/lib.rs", "mod walk;", ["crates/ignore/src/walk.rs"]),
        ("rust", "crates/ignore/src/walk.rs", "use crate::{dir::{A, B}};", ["crates/ignore/src/dir/mod.rs"]),
        ("rust", "crates/ignore/src/walk.rs", "use crate::Error;", ["crates/ignore/src/lib.rs"]),
        ("rust", "crates/ignore/src/walk.rs", "use super::dir;", ["crates/ignore/src/dir/mod.rs"]),
        ("rust", "crates/ignore/src/walk.rs", "use grep_regex::literal::Seq;", ["crates/regex/src/literal.rs"]),
        ("rust", "crates/ignore/src/walk.rs", "use std::io;", []),
        ("java", "src/main/java/org/x/Cup.kt", "import org.x.Pot;", ["src/main/java/org/x/Pot.java"]),
        ("java", "src/main/java/org/x/Pot.java", "import static org.x.Cup.fill;", ["src/main/java/org/x/Cup.kt"]),
        ("c", "lib/sub/x.c", '#include "url.h"', ["lib/sub/url.h"]),
        ("c", "lib/url.c", "#include <tea/pot.h>", ["include/tea/pot.h"]),
        ("ruby", "lib/cup.rb", "require 'tea/pot'", ["lib/tea/pot.rb"]),
        ("ruby", "lib/tea/pot.rb", "require_relative '../cup'", ["lib/cup.rb"]),
        ("php", "src/x.php", "App\\Tea\\Pot", ["src/Tea/Pot.php"]),
        ("proto", "api/x.proto", "api/pot.proto", ["api/pot.proto"]),
        ("python", "pkg/core.py", "from . import core", []),
        ("dart", "tea/x.dart", "package:tea/src/cup.dart", ["tea/src/cup.dart"]),
        ("lua", "tea/x.lua", "tea.leaf", ["tea/leaf.lua"]),
        ("perl", "tea/x.pm", "Tea::Cup", ["lib/Tea/Cup.pm"]),
        ("objc", "Tea/Pot.m", "Pot.h", ["Tea/Pot.h"]),
        ("klingon", "a", "b", []),
    ],
)  # fmt: skip
def test_an_import_leads_to_its_files(language: str, path: str, imported: str, targets: list[str]) -> None:
    assert resolve(language, path, imported, PATHS) == targets


@pytest.mark.parametrize("language", ["python", "typescript", "go", "rust", "java", "c", "ruby", "php", "bash"])
@pytest.mark.parametrize(
    "imported", ["", "import", "from", "use {{{", "use a::{b,", '"', "from . import", "import .", "..", "\\"]
)
def test_odd_imports_lead_nowhere(language: str, imported: str) -> None:
    assert set(resolve(language, "a/b.py", imported, PATHS)) <= PATHS.paths
