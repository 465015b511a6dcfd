"""Definitions and imports of every language with a grammar, and of some without."""

from __future__ import annotations

import pytest

from ctxe.repo.indexing.definition import Definition
from ctxe.repo.indexing.symbols import read_syntax

SOURCES = {
    "python": (
        "import os\nfrom .a import (\n    b,\n    c,\n)\n\nLIMIT = 3\n\n\n# says why\n@wraps\nclass Tea(Base):\n"
        "    def pour(\n        self,\n    ) -> None:\n        def inner(): ...\n        return 1\n",
        [
            Definition("LIMIT", "constant", 7, 7, 7),
            Definition("Tea", "class", 10, 12, 17),
            Definition("pour", "method", 13, 15, 17, "Tea"),
            Definition("inner", "function", 16, 16, 16, "Tea.pour"),
        ],
        ["import os", "from .a import (\n    b,\n    c,\n)"],
    ),
    "javascript": (
        "const fs = require('fs');\nimport x from './x';\n\n/**\n * Sends.\n */\n\nres.send = function send(body) {\n"
        "  return body;\n};\nexport const pour = async () => {\n  1;\n};\nclass Tea {\n  pour() {}\n}\n",
        [
            Definition("send", "function", 4, 8, 10),
            Definition("pour", "function", 11, 11, 13),
            Definition("Tea", "class", 14, 14, 16),
            Definition("pour", "method", 15, 15, 15, "Tea"),
        ],
        ["require('fs')", "import x from './x';"],
    ),
    "typescript": (
        "import { a } from './a.js';\nexport interface Cup { size: number }\nexport type Id = string;\n"
        "export class Pot<T> {\n  private fill(n: number): void {\n    n;\n  }\n}\n"
        "export function brew() {}\nenum Kind { A }\n",
        [
            Definition("Cup", "interface", 2, 2, 2),
            Definition("Id", "type", 3, 3, 3),
            Definition("Pot", "class", 4, 4, 8),
            Definition("fill", "method", 5, 5, 7, "Pot"),
            Definition("brew", "function", 9, 9, 9),
            Definition("Kind", "enum", 10, 10, 10),
        ],
        ["import { a } from './a.js';"],
    ),
    "go": (
        'package tea\n\nimport (\n\t"fmt"\n\t"x.org/y/z"\n)\n\n// Pot holds tea.\ntype Pot struct {\n\tn int\n}\n\n'
        "func (p *Pot) Pour() {\n\tfmt.Println(p)\n}\n\nfunc New() *Pot { return nil }\n\nconst Max = 3\n",
        [
            Definition("Pot", "type", 8, 9, 11),
            Definition("Pour", "method", 13, 13, 15, "Pot"),
            Definition("New", "function", 17, 17, 17),
            Definition("Max", "constant", 19, 19, 19),
        ],
        ['"fmt"', '"x.org/y/z"'],
    ),
    "rust": (
        "use crate::a::{b, c};\nmod inner;\n/// A pot.\n#[derive(Debug)]\npub struct Pot<T> {\n    n: T,\n}\n"
        "impl<T> Pot<T> {\n    pub fn pour(&self) {\n    }\n}\ntrait Cup {\n    fn fill(&self);\n}\n",
        [
            Definition("Pot", "struct", 3, 5, 7),
            Definition("Pot", "impl", 8, 8, 11),
            Definition("pour", "method", 9, 9, 10, "Pot"),
            Definition("Cup", "interface", 12, 12, 14),
            Definition("fill", "method", 13, 13, 13, "Cup"),
        ],
        ["use crate::a::{b, c};", "mod inner;"],
    ),
    "java": (
        "package a;\nimport a.b.C;\n/** A pot. */\npublic class Pot {\n  int n;\n"
        "  @Override\n  void pour() {\n  }\n}\n",
        [
            Definition("Pot", "class", 3, 4, 9),
            Definition("n", "field", 5, 5, 5, "Pot"),
            Definition("pour", "method", 6, 7, 8, "Pot"),
        ],
        ["import a.b.C;"],
    ),
    "c": (
        '#include "pot.h"\n#define MAX 3\nstruct pot {\n  int n;\n};\n\n/* pours */\n'
        "static char *\npour(struct pot *p)\n{\n  return 0;\n}\n"
        "int fill(void);\n",
        [
            Definition("MAX", "macro", 2, 2, 2),
            Definition("pot", "struct", 3, 3, 5),
            Definition("pour", "function", 7, 9, 12),
            Definition("fill", "prototype", 13, 13, 13),
        ],
        ['#include "pot.h"\n'],
    ),
    "cpp": (
        "#include <x.h>\nnamespace tea {\nclass Pot {\n  void pour() {}\n};\n}\n"
        "int tea::Pot::fill(int n) {\n  return n;\n}\n",
        [
            Definition("tea", "module", 2, 2, 6),
            Definition("Pot", "class", 3, 3, 5, "tea"),
            Definition("pour", "method", 4, 4, 4, "tea.Pot"),
            Definition("fill", "method", 7, 7, 9, "Pot"),
        ],
        ["#include <x.h>\n"],
    ),
    "ruby": (
        "require 'set'\nmodule Tea\n  class Pot\n    def pour(n)\n      n\n    end\n  end\nend\n",
        [
            Definition("Tea", "module", 2, 2, 8),
            Definition("Pot", "class", 3, 3, 7, "Tea"),
            Definition("pour", "method", 4, 4, 6, "Tea.Pot"),
        ],
        ["require 'set'"],
    ),
    "bash": ("source ./lib.sh\npour() {\n  echo\n}\n", [Definition("pour", "function", 2, 2, 4)], ["source ./lib.sh"]),
    "kotlin": (
        "import a.b.C\n\nclass Pot(\n  val n: Int,\n) {\n  fun pour(): Int {\n    return n\n  }\n}\nfun brew() = 1\n"
        "enum class Kind {\n}\nval cup = object : Cup {\n}\nconst val MAX = 1\n",
        [
            Definition("Pot", "class", 3, 5, 9),
            Definition("pour", "function", 6, 6, 8, "Pot"),
            Definition("brew", "function", 10, 10, 10),
            Definition("Kind", "class", 11, 11, 12),
            Definition("MAX", "constant", 15, 15, 15),
        ],
        ["a.b.C"],
    ),
    "swift": (
        "@testable import Tea\n\npublic struct Pot: Codable {\n    public let size: Int\n"
        "    var full: Bool {\n        true\n    }\n"
        "    class func brew() -> Pot {\n        let cup = 1\n        guard let leaf else { return }\n    }\n}\n",
        [
            Definition("Pot", "class", 3, 3, 12),
            Definition("size", "constant", 4, 4, 4, "Pot"),
            Definition("full", "property", 5, 5, 7, "Pot"),
            Definition("brew", "function", 8, 8, 11, "Pot"),
        ],
        ["Tea"],
    ),
    "php": (
        "<?php\nnamespace App\\Http;\nuse App\\{Cup, Leaf as L};\nrequire __DIR__ . '/lib/x.php';\n\n"
        "enum Kind: string\n{\n"
        "    const BEST = 'a';\n    final public function &pour()\n    {\n    }\n}\n",
        [
            Definition("App\\Http", "module", 2, 2, 2),
            Definition("Kind", "enum", 6, 6, 12),
            Definition("BEST", "constant", 8, 8, 8, "Kind"),
            Definition("pour", "function", 9, 9, 11, "Kind"),
        ],
        ["App\\Cup", "App\\Leaf", "/lib/x.php"],
    ),
    "csharp": (
        "global using Tea.Cups;\n\npublic record struct Pot(int Size)\n{\n    [Key] public string Name { get; set; }\n"
        "    public override string ToString() => Name;\n    Task<int> Fill(int n);\n"
        "    void Pour() {\n        return Fill(1);\n        var a = new Cup(2);\n"
        "        Type type = Of();\n    }\n}\n",
        [
            Definition("Pot", "class", 3, 3, 13),
            Definition("Name", "property", 5, 5, 5, "Pot"),
            Definition("ToString", "function", 6, 6, 6, "Pot"),
            Definition("Fill", "function", 7, 7, 7, "Pot"),
            Definition("Pour", "function", 8, 8, 12, "Pot"),
        ],
        ["Tea.Cups"],
    ),
    "scala": (
        "import tea.{Cup, Leaf => L}\n\nfinal class Pot {\n  private[tea] def pour(): Unit = {\n    1\n  }\n}\n",
        [Definition("Pot", "class", 3, 3, 7), Definition("pour", "function", 4, 4, 6, "Pot")],
        ["tea.Cup", "tea.Leaf"],
    ),
    "dart": (
        "import 'package:tea/cup.dart';\n\nclass Pot {\n  Future<void> pour(int n) async {\n    await fill(n);\n"
        "    return Text(n);\n  }\n  int get size => 1;\n}\n",
        [
            Definition("Pot", "class", 3, 3, 9),
            Definition("pour", "function", 4, 4, 7, "Pot"),
            Definition("size", "property", 8, 8, 8, "Pot"),
        ],
        ["package:tea/cup.dart"],
    ),
    "objc": (
        '#import "Pot.h"\n\n@implementation Pot\n- (void)pour:(int)n {\n    return;\n}\n@end\n',
        [Definition("Pot", "class", 3, 3, 3), Definition("pour", "method", 4, 4, 6)],
        ["Pot.h"],
    ),
    "clojure": (
        "(ns tea.pot)\n\n(defn pour! [n]\n  n)\n",
        [Definition("tea.pot", "function", 1, 1, 1), Definition("pour!", "function", 3, 4, 4)],
        [],
    ),
    "haskell": (
        "import qualified Tea.Cup as C\n\ndata Pot = Pot Int\n\npour :: Int -> Pot\npour = Pot\n",
        [Definition("Pot", "class", 3, 3, 3), Definition("pour", "function", 5, 5, 5)],
        ["Tea.Cup"],
    ),
    "r": ("pour <- function(n) {\n  n\n}\n", [Definition("pour", "function", 1, 1, 3)], []),
    "powershell": ("Function Get-Tea {\n}\n", [Definition("Get-Tea", "function", 1, 1, 2)], []),
    "lua": (
        'local cup = require("tea.cup")\nfunction Pot:pour(n)\n  return n\nend\n',
        [Definition("pour", "function", 2, 2, 4)],
        ["tea.cup"],
    ),
    "markup": (
        "# Tea\ntext\n\nPots\n----\nmore\n```\n# no heading\n```\n",
        [Definition("Tea", "section", 1, 1, 3), Definition("Pots", "section", 4, 4, 10)],
        [],
    ),
    "settings": ("class = 3\n", [], []),
}


@pytest.mark.parametrize("language", SOURCES)
def test_definitions_and_imports_of_each_language_are_found(language: str) -> None:
    text, definitions, imports = SOURCES[language]
    found = read_syntax(language, text)
    assert list(found.definitions) == definitions
    assert list(found.imports) == imports


@pytest.mark.parametrize("language", [*SOURCES, "tsx", "nothing"])
@pytest.mark.parametrize("text", ["", "\n", "\ufffd\x01", "(((((", "class", "def f(:\n" * 50, '"""' + "x" * 1000])
def test_odd_texts_are_no_errors(language: str, text: str) -> None:
    rows = text.count("\n") + 1
    for found in read_syntax(language, text).definitions:
        assert 1 <= found.first <= found.head <= found.last <= rows + 1


def test_a_title_has_its_scope() -> None:
    assert [Definition("f", "function", 1, 1, 1, "A.B").title, Definition("f", "function", 1, 1, 1).title] == [
        "A.B.f",
        "f",
    ]
