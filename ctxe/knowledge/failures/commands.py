"""Normalizes command lines for the memory: the command that runs, without what surrounds it."""

from __future__ import annotations

import re

from ctxe.domain.pattern import pattern
from ctxe.knowledge.failures.plain import MESSAGE, impersonal, plain_test
from ctxe.lexical.tables import word_set

_SPACE = pattern(r"\s+")
_LEAD = pattern(
    r"(?:cd\s+\S+\s*(?:&&|;)\s*|(?:source|\.)\s+\S*activate\s*(?:&&|;)\s*"
    r"|(?:export\s+)?[A-Za-z_]\w*=(?:'[^']*'|\"[^\"`$]*\"|[^\s'\"`$(]*)(?:\s*(?:&&|;)\s*|\s+)"
    r"|(?:env|time|nice|command(?!\s+-[vV]))\s+)+"
)
_TRAIL = pattern(
    r"\s*(?:2>&1|[12&]?>{1,2}\s*/dev/null|\|\s*(?:head|tail|cat|less|tee\s+\S+)(?:\s+-\S*(?:\s+\d+)?)*)\s*$"
)
_TOLD = pattern(
    r"(\bgit (?:commit|merge|stash|tag)\b[^|;&\n]*?\s(?:-\w?m|--message)|\s--(?:body|description|notes|title))[ =]\$?"
    r"(?:\"\$\(cat <<.*|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'(?:\\''[^'\n]*')*)",
    re.DOTALL,
)
"""Text that a command only passes on, such as a commit message or the body of a pull request."""
_QUIET_EVERYWHERE = frozenset({"-q", "-v", "-vv", "-vvv", "--quiet", "--verbose", "--color=no"})
_VERBS = word_set(
    "bun cargo deno docker dotnet git go gradle gradlew just make mise mix mvn npm pip pnpm rake terraform yarn"
)
"""Programs whose next word names the action."""
_PYTEST = frozenset({"pytest", "py.test"})
_QUIET = frozenset(
    {"-q", "-v", "-vv", "-vvv", "-s", "-x", "--quiet", "--verbose", "--no-header", "--color=no", "--tb=short"}
)
_UNPLUGGED = pattern(r" -p ?no:\S+")
"""Disables a pytest plugin, most often its cache."""


def plain_command(command: str, root: str = "") -> str:
    """The command on one line with relative paths, without surrounding environment, ``cd`` or output plumbing.

    Two spellings of one run (quiet or verbose, piped into ``tail``) give the same command.
    """
    text = _SPACE.sub(" ", _TOLD.sub(r"\1 …", impersonal(command[: MESSAGE * 20], root))).strip()
    text = outward(_LEAD.sub("", text, count=1) if _LEAD.match(text) else text)
    words = plain_test(text).split(" ")
    # Other programs use these letters differently: `discover -s tests`, `mkdir -p x`.
    quiet = _QUIET_EVERYWHERE
    if any(word.rpartition("/")[2] in _PYTEST for word in words):
        quiet, words = _QUIET, _UNPLUGGED.sub("", " ".join(words)).split(" ")
    return " ".join(word for word in words if word not in quiet)[:MESSAGE]


def outward(command: str) -> str:
    """The command on one line, without redirections and pipes that only show or discard its output."""
    text = _SPACE.sub(" ", command).strip()
    while (shorter := _TRAIL.sub("", text)) != text:
        text = shorter
    return text.removeprefix("cd . && ")


def program(command: str) -> str:
    """The program that runs: ``pytest`` for ``python -m pytest tests``, ``npm test``, ``go test``, ``cargo build``."""
    words = plain_command(command).split(" ")
    called = [word.rpartition("/")[2] for word in words if not word.startswith("-")]
    if words[0].rpartition("/")[2].startswith("python") and "-m" in words[:-1]:
        return words[words.index("-m") + 1]
    if called and called[0] in ("uv", "poetry", "pipenv", "hatch", "npx", "pnpm", "bunx") and called[1:2] == ["run"]:
        return program(" ".join(words[2:])) if len(words) > 2 else called[0]
    return " ".join(called[:2]) if called and called[0] in _VERBS else (called[0] if called else "")
