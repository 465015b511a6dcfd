"""Resolving the text of an import to files of this code base, language by language."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from ctxe.repo.indexing.path_lookup import PathLookup

MOST_TARGETS = 12
_STRING = re.compile(r"""["'`]([^"'`\n]+)["'`]""")
_FROM = re.compile(r"\s*from\s+(\.*)([\w.]*)\s+import\s+(.*)", re.DOTALL)
_REMARK = re.compile(r"#.*")
_NAMES = re.compile(r"([\w.]+)(?:\s+as\s+\w+)?")
_SCRIPTS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte", ".d.ts", ".json")
_INCLUDE = re.compile(r'#\s*include\s*[<"]([^>"]+)[>"]|^([\w./+-]+)$')


def resolve(language: str, path: str, imported: str, tree: PathLookup) -> list[str]:
    """The files that an import in ``path`` means, never ``path`` itself; none for an import of another project."""
    reader = _READERS.get(language)
    if reader is None:
        return []
    targets = dict.fromkeys(target for target in reader(path, imported, tree) if target and target != path)
    return list(targets)[:MOST_TARGETS]


def _python(path: str, imported: str, tree: PathLookup) -> Iterator[str | None]:
    match = _FROM.match(imported)
    if not match:
        for name in imported.strip().removeprefix("import").split(","):
            yield _python_module(name.split(" as ")[0].strip().split("."), "", path, tree)
        return
    dots, module, names = match.groups()
    base = ""
    if dots:
        base = path
        for _ in dots:
            base = posixpath.dirname(base)
    pieces = module.split(".") if module else []
    imported_names = [name for name in _NAMES.findall(_REMARK.sub("", names)) if name not in ("as", "import")]
    needs_module = False
    for name in imported_names[:40]:
        target = _python_module([*pieces, name], base, path, tree, relative=bool(dots))
        needs_module = needs_module or target is None
        yield target
    if needs_module or not imported_names:
        yield _python_module(pieces, base, path, tree, relative=bool(dots))


def _python_module(pieces: list[str], base: str, near: str, tree: PathLookup, *, relative: bool = False) -> str | None:
    tail = "/".join(pieces)
    names = [f"{tail}{end}" if tail else end.lstrip("/") for end in (".py", "/__init__.py", ".pyi", ".pyx")]
    if relative:
        return tree.first(f"{base}/{name}" if base else name for name in names if name != ".py")
    if not tail:
        return None
    if len(pieces) == 1:
        # a single word most often names a library, so only source roots and the file's own folder are searched
        roots = ("", "src/", "lib/", "python/", posixpath.dirname(near) + "/")
        return tree.first(root + name for name in names for root in roots)
    return next((target for name in names if (target := tree.ending(name, near))), None)


def _script(path: str, imported: str, tree: PathLookup) -> Iterator[str | None]:
    for spec in _STRING.findall(imported)[-1:]:
        if spec.startswith("."):
            yield tree.first(_script_names(posixpath.normpath(posixpath.join(posixpath.dirname(path), spec))))
        elif "/" in spec:
            rest = re.sub(r"^(?:@[\w\-]*/|~/?|#/?)", "", spec)
            package, _, inner = rest.partition("/")
            tails = (rest, f"src/{rest}", f"{package}/src/{inner or 'index'}", f"{package}/{inner}")
            yield next(
                (hit for tail in tails for name in _script_names(tail) if (hit := tree.ending(name, path))), None
            )


def _script_names(base: str) -> Iterator[str]:
    stem, end = posixpath.splitext(base)
    if end in (".js", ".jsx", ".mjs", ".cjs"):
        yield from (stem + other for other in (".ts", ".tsx", ".mts", ".cts"))
    yield base
    yield from (base + end for end in _SCRIPTS)
    yield from (f"{base}/index{end}" for end in _SCRIPTS)


def _go(_path: str, imported: str, tree: PathLookup) -> Iterator[str | None]:
    for spec in _STRING.findall(imported)[:1]:
        pieces = spec.split("/")
        if len(pieces) < 2 or "." not in pieces[0]:
            return
        for start in range(1, len(pieces)):
            if files := tree.folders.get("/".join(pieces[start:])):
                yield from (name for name in files if name.endswith(".go") and not name.endswith("_test.go"))
                return


def _rust(path: str, imported: str, tree: PathLookup) -> Iterator[str | None]:
    folder, name = posixpath.split(path)
    own_folder = folder if name in ("mod.rs", "lib.rs", "main.rs") else f"{folder}/{name.removesuffix('.rs')}"
    if match := re.search(r"\bmod\s+(\w+)\s*;", imported):
        yield tree.first((f"{own_folder}/{match[1]}.rs", f"{own_folder}/{match[1]}/mod.rs"))
        return
    text = re.sub(r"^\s*(?:pub(?:\([^)]*\))?\s+)?use\s+|;\s*$", "", imported)
    for pieces in _rust_paths(re.sub(r"\s+", " ", text), 40):
        start = next((i for i, word in enumerate(pieces) if word not in ("crate", "self", "super")), len(pieces))
        if pieces[0] == "crate":
            base = _crate_root(folder, tree)
        elif pieces[0] in ("self", "super"):
            base = own_folder
            for word in pieces[:start]:
                base = posixpath.dirname(base) if word == "super" else base
        else:
            base = _workspace_crate(pieces[0], tree)
            start = 1
        if base is not None:
            yield _rust_module(base, pieces[start:], tree)


def _rust_module(base: str, pieces: list[str], tree: PathLookup) -> str | None:
    for count in range(len(pieces), -1, -1):
        inner = "/".join([base, *pieces[:count]]).strip("/")
        if hit := tree.first((f"{inner}.rs", f"{inner}/mod.rs", f"{inner}/lib.rs")):
            return hit
    return None


def _rust_paths(text: str, most: int) -> Iterator[list[str]]:
    """The single paths of a use tree, with its braces expanded; at most about ``most`` of each level."""
    head, brace, rest = text.partition("{")
    if not brace:
        yield [word.split(" as ")[0].strip() for word in text.split("::") if word.strip() not in ("", "*")] or [""]
        return
    depth, begin, inner = 0, 0, rest.rpartition("}")[0]
    for place, letter in enumerate([*inner, ","]):
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0 and most > 0:
            if part := inner[begin:place].strip():
                yield from _rust_paths(head + part, most - 1)
            begin = place + 1


def _crate_root(folder: str, tree: PathLookup) -> str | None:
    while True:
        if tree.first((f"{folder}/lib.rs", f"{folder}/main.rs")):
            return folder
        if not folder:
            return None
        folder = posixpath.dirname(folder)


def _workspace_crate(name: str, tree: PathLookup) -> str | None:
    hyphened = name.replace("_", "-")
    for spelled in dict.fromkeys((hyphened, name)):
        if hit := tree.ending(f"{spelled}/src/lib.rs", ""):
            return posixpath.dirname(hit)
    # a workspace often drops the project's name from its folders: the crate grep_regex is in crates/regex
    _, dash, tail = hyphened.partition("-")
    return posixpath.dirname(hit) if dash and (hit := tree.ending(f"{tail}/src/lib.rs", "")) else None


def _java(path: str, imported: str, tree: PathLookup) -> Iterator[str | None]:
    spec = re.sub(r"^\s*import\s+(?:static\s+)?|[;\s]+$", "", imported).replace(".*", "")
    pieces = [piece for piece in spec.split(".") if piece]
    for count in range(len(pieces), max(1, len(pieces) - 3), -1):
        tail = "/".join(pieces[:count])
        if hit := next(
            (hit for end in (".java", ".kt", ".scala", ".groovy") if (hit := tree.ending(tail + end, path))), None
        ):
            yield hit
            return


def _c(path: str, imported: str, tree: PathLookup) -> Iterator[str | None]:
    if match := _INCLUDE.search(imported):
        name = match[1] or match[2]
        near = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        yield near if near in tree.paths else tree.ending(posixpath.normpath(name).lstrip("./"), path)


def _ruby(path: str, imported: str, tree: PathLookup) -> Iterator[str | None]:
    for spec in _STRING.findall(imported)[-1:]:
        name = spec if spec.endswith(".rb") else spec + ".rb"
        if "require_relative" in imported or spec.startswith("."):
            yield tree.first((posixpath.normpath(posixpath.join(posixpath.dirname(path), name)),))
        else:
            yield tree.ending(name, path) if "/" in spec else tree.first((f"lib/{name}",))


def _by_name(path: str, imported: str, tree: PathLookup) -> Iterator[str | None]:
    """Imports that name a file by a path or by the tail of a name (PHP, shell, protobuf, Dart, Solidity, Zig, Perl)."""
    spec = _STRING.findall(imported)[-1] if _STRING.search(imported) else imported.rpartition(" ")[2]
    spec = posixpath.normpath(spec.replace("\\", "/").replace("::", "/")).lstrip("./")
    ending = posixpath.splitext(path)[1]
    while "/" in spec or "." in spec:
        if hit := tree.ending(spec, path) or tree.ending(spec + ending, path):
            yield hit
            return
        spec = spec.partition("/")[2]


def _dotted(path: str, imported: str, tree: PathLookup) -> Iterator[str | None]:
    """Imports whose dots are folders (Lua, Haskell)."""
    name = imported.replace(".", "/") + posixpath.splitext(path)[1]
    yield tree.ending(name, path) if "/" in name else tree.first((f"{posixpath.dirname(path)}/{name}".lstrip("/"),))


Reader = Callable[[str, str, PathLookup], Iterator[str | None]]
_READERS: dict[str, Reader] = {
    "python": _python, "javascript": _script, "typescript": _script, "tsx": _script, "vue": _script, "go": _go,
    "rust": _rust, "java": _java, "kotlin": _java, "scala": _java, "groovy": _java, "c": _c, "cpp": _c, "objc": _c,
    "ruby": _ruby, "php": _by_name, "proto": _by_name, "bash": _by_name, "dart": _by_name, "solidity": _by_name,
    "zig": _by_name, "perl": _by_name, "lua": _dotted, "haskell": _dotted,
}  # fmt: skip
