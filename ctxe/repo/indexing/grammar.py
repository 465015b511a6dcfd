"""Tree-sitter grammars by language, each with the query that finds definitions and imports in a syntax tree.

The queries are in ``ctxe/data/queries``. They capture ``@name``, the defined name; ``@owner``, the type of a method
that is not nested in it; ``@import``, a whole import; and the definition itself under its kind (``@class``,
``@function`` and so on).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from ctxe.data import FOLDER

if TYPE_CHECKING:
    from tree_sitter import Parser, Query

_SCRIPT = "tree_sitter_typescript"
GRAMMARS = {
    "python": ("tree_sitter_python", "language", ("python",)),
    "javascript": ("tree_sitter_javascript", "language", ("script_common", "javascript")),
    "typescript": (_SCRIPT, "language_typescript", ("script_common", "typescript")),
    "tsx": (_SCRIPT, "language_tsx", ("script_common", "typescript")),
    "go": ("tree_sitter_go", "language", ("go",)),
    "rust": ("tree_sitter_rust", "language", ("rust",)),
    "java": ("tree_sitter_java", "language", ("java",)),
    "c": ("tree_sitter_c", "language", ("c_common", "c")),
    "cpp": ("tree_sitter_cpp", "language", ("c_common", "cpp")),
    "ruby": ("tree_sitter_ruby", "language", ("ruby",)),
    "bash": ("tree_sitter_bash", "language", ("bash",)),
}
"""For each language the module of its grammar, the function to call in it, and the files that make up its query."""


@cache
def parser(language: str) -> tuple[Parser, Query] | None:
    """The parser and the query for a language; None for a language without grammar. The first call takes some 15 ms."""
    if language not in GRAMMARS:
        return None
    from tree_sitter import Language, Parser, Query

    module, pointer, names = GRAMMARS[language]
    grammar = Language(getattr(import_module(module), pointer)())
    folder = FOLDER / "queries"
    query = "\n".join((folder / f"{name}.scm").read_text("utf-8") for name in names)
    return Parser(grammar), Query(grammar, query)
