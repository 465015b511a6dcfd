"""Telling from a file's path alone its language and its kind (source, test, documentation and so on)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from ctxe.domain.pattern import pattern
from ctxe.safety.secrets import is_secret_file


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


Kind = Literal["source", "test", "doc", "config", "vendored", "data"]

LANGUAGES = {
    "python": "py pyi pyx pxd pyw",
    "javascript": "js jsx mjs cjs",
    "typescript": "ts mts cts",
    "tsx": "tsx",
    "go": "go",
    "rust": "rs",
    "java": "java",
    "c": "c h",
    "cpp": "cc cpp cxx c++ hpp hh hxx h++ ipp inl cu cuh ino",
    "ruby": "rb rake gemspec",
    "bash": "sh bash zsh ksh",
    "kotlin": "kt kts",
    "swift": "swift",
    "php": "php",
    "csharp": "cs",
    "scala": "scala sc sbt",
    "lua": "lua",
    "elixir": "ex exs",
    "erlang": "erl hrl",
    "haskell": "hs",
    "ocaml": "ml mli",
    "clojure": "clj cljs cljc",
    "dart": "dart",
    "perl": "pl pm",
    "r": "r",
    "julia": "jl",
    "zig": "zig",
    "nim": "nim",
    "objc": "m mm",
    "groovy": "groovy gradle",
    "fsharp": "fs fsx",
    "powershell": "ps1 psm1",
    "solidity": "sol",
    "sql": "sql",
    "proto": "proto thrift graphql gql",
    "vue": "vue svelte astro",
    "css": "css scss sass less styl",
    "html": "html htm xhtml jinja jinja2 j2 hbs ejs erb haml slim pug twig mustache tmpl tpl",
    "assembly": "s asm",
    "cmake": "cmake",
    "make": "mk mak",
    "terraform": "tf hcl",
    "nix": "nix",
    "vim": "vim",
    "lisp": "el lisp scm rkt",
}
DOCS = _words("md markdown mdx rst txt adoc asciidoc org pod rdoc textile tex")
SETTINGS = _words("""toml yaml yml json json5 jsonc ini cfg conf properties xml plist env editorconfig in bazel bzl""")
BINARY = _words(
    """png jpg jpeg gif bmp ico webp tif tiff psd svg pdf eps ps ttf otf woff woff2 eot mp3 mp4 m4a wav ogg flac avi
    mov webm zip gz tgz bz2 xz zst 7z rar jar war class so dylib dll exe o a obj lib pyc pyo whl egg bin dat
    db sqlite sqlite3 npy npz pkl pickle parquet h5 hdf5 mat onnx pt gguf wasm mo gmo po pot lock map snap
    keystore jks der p12 crt cer pem key csv tsv jsonl ndjson log patch diff orig rej min"""
)
LOCKS = _words("""package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml composer.lock go.sum uv.lock""")
LANGUAGE_OF_NAME = {
    "makefile": "make",
    "gnumakefile": "make",
    "justfile": "make",
    "build": "make",
    "dockerfile": "docker",
    "cmakelists.txt": "cmake",
    "rakefile": "ruby",
    "gemfile": "ruby",
    "vagrantfile": "ruby",
    "jenkinsfile": "groovy",
}
BY_SUFFIX = {suffix: name for name, suffixes in LANGUAGES.items() for suffix in suffixes.split()}
NOT_PROGRAMS = frozenset(
    ("css", "html", "cmake", "make", "docker", "proto", "sql", "terraform", "nix", "groovy", "vim")
)

TEST_FOLDERS = _words(
    """test tests testing spec specs __tests__ __mocks__ testdata test_data test-data testsuite testsuites testutil
    testutils test-utils test_utils unittest unittests e2e integration-test integration-tests fixtures
    __fixtures__ androidtest jvmtest commontest cypress playwright testcases test-cases mocks fuzz regress
    testscripts"""
)
DOC_FOLDERS = _words(
    """doc docs documentation example examples sample samples demo demos tutorial tutorials website site guide guides
    galleries gallery changelog changelogs changes news rfcs rfc man notebooks docs_src bench benches
    benchmark benchmarks asv_bench perf newsfragments changelog.d"""
)
VENDOR_FOLDERS = _words(
    """vendor vendored _vendor _vendored third_party third-party thirdparty 3rdparty node_modules bower_components
    dist site-packages .venv venv __pycache__ .tox .yarn .git .hg .svn .idea .vscode"""
)
OUTER_VENDOR_FOLDERS = _words("deps external externals extern vendors target")
"""Folders that hold other people's code, but only at the top of the tree."""
_TEST_NAME = pattern(
    r"^(?:test_.+|tests?|conftest|.+_tests?)\.py$|_test\.\w+$|^tests?\.rs$|\.(?:test|spec|e2e|bench|cy|stories)(?:-d)?\.\w+$"
    r"|(?:Test|Tests|TestCase|IT)\.(?:java|kt|scala|groovy|cs|swift|php)$|Spec\.(?:scala|groovy|swift)$|_spec\.rb$|^(?:runtests|test-.+)\.\w+$"
)


def suffix(path: str) -> str:
    """The file name's last extension in lower case without its dot; empty when there is none."""
    name = path.rpartition("/")[2]
    stem, dot, end = name.rpartition(".")
    return end.lower() if dot and stem else ""


def language(path: str) -> str:
    """The language a file is written in; ``markup`` for prose, ``settings`` for settings, empty when unknown."""
    name = path.rpartition("/")[2].lower()
    end = suffix(path)
    if known := LANGUAGE_OF_NAME.get(name) or BY_SUFFIX.get(end):
        return known
    if end in DOCS or (not end and name in {"readme", "changes", "changelog", "news", "contributing", "todo"}):
        return "markup"
    return "settings" if end in SETTINGS or name.startswith(".") else ""


@lru_cache(maxsize=1 << 15)
def folder_kind(folder: str) -> Kind:
    """The kind of the files in a folder, by the folder names on its path; ``source`` when no name says otherwise."""
    names = folder.lower().split("/") if folder else []
    if not VENDOR_FOLDERS.isdisjoint(names) or (names and names[0] in OUTER_VENDOR_FOLDERS):
        return "vendored"
    for place, name in enumerate(names):
        # A package may itself be about testing (src/x/testing): only an outermost folder of that name holds tests.
        if name == "testing" and place > 0:
            continue
        if "src/main/" in "/".join(names[:place]) + "/":
            continue
        if name in TEST_FOLDERS or name.endswith(("-tests", "_tests", "-test")):
            return "test"
    return "doc" if not DOC_FOLDERS.isdisjoint(names) else "source"


def _about_testing(folder: str, name: str) -> bool:
    """Whether a file belongs to a Python package called "test" that helps to test and holds no tests itself."""
    names = folder.split("/")
    if len(names) < 2 or names[-1] != "test" or not TEST_FOLDERS.isdisjoint(names[:-1]):
        return False
    return not _TEST_NAME.search(name) and not re.match(r"test(?!case|ing|util)\w", name)


@lru_cache(maxsize=1 << 17)
def kind(path: str) -> Kind:
    """The kind of a file, judged by its path; ``data`` for text that no task needs and for files that hold secrets."""
    folder, _, name = path.rpartition("/")
    end = suffix(path)
    if end in BINARY or name in LOCKS or ".min." in name or is_secret_file(path):
        return "data"
    lang = language(path)
    if not lang:
        return "data"
    by_folder = folder_kind(folder)
    if by_folder == "test" and lang == "python" and _about_testing(folder, name):
        by_folder = "source"
    if by_folder != "source":
        return by_folder
    if lang == "markup":
        return "doc"
    if lang == "settings" or lang in NOT_PROGRAMS:
        return "config"
    return "test" if _TEST_NAME.search(name) else "source"
