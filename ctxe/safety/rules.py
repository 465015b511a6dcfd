"""Rules that allow or deny actions without a question: ``run:pytest *``, ``edit:src/**``, ``host:X``, ``tool:X``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from functools import cache

from ctxe.safety.shell.git_words import own_options
from ctxe.safety.shell.words import SimpleCommand, program

KINDS = ("run", "line", "edit", "read", "host", "tool")
# "always" allows these with any arguments, since they run the project's own code in any case
PREFIXES = (
    ("pytest",),
    ("python", "-m", "pytest"),
    ("python3", "-m", "pytest"),
    ("python", "-m", "unittest"),
    ("ruff", "check"),
    ("ruff", "format"),
    ("mypy",),
    ("cargo", "test"),
    ("cargo", "build"),
    ("cargo", "check"),
    ("cargo", "clippy"),
    ("go", "test"),
    ("go", "build"),
    ("go", "vet"),
    ("npm", "test"),
    ("npm", "run"),
    ("pnpm", "test"),
    ("pnpm", "run"),
    ("yarn", "test"),
    ("yarn", "run"),
    ("npx", "tsc"),
    ("npx", "eslint"),
    ("npx", "jest"),
    ("npx", "vitest"),
    ("make",),
    ("just",),
    ("tox",),
    ("nox",),
    ("uv", "run", "pytest"),
    ("poetry", "run", "pytest"),
    ("bundle", "exec", "rspec"),
    ("mvn", "test"),
    ("gradle", "test"),
    ("dotnet", "test"),
    ("git", "add"),
    ("git", "commit"),
)
NAMED_SCRIPTS = {("npm", "run"), ("pnpm", "run"), ("yarn", "run"), ("make",), ("just",)}
"""Prefixes whose next word names the script that runs, so it stays part of the rule."""


def problem(rule: str) -> str:
    """The fault of a rule in words; empty when it is valid."""
    kind, colon, rest = rule.partition(":")
    if not colon or kind not in KINDS or not rest.strip():
        return f"{rule!r} is not a rule: write run:WORDS, edit:GLOB, read:GLOB, host:NAME or tool:NAME"
    if kind == "run" and _pattern(rest) is None:
        return f"{rule!r} has a quote that is not closed"
    return ""


def rest_of(rules: Iterable[str], kind: str) -> list[str]:
    """The rules of a kind, without ``kind:``."""
    return [rule.partition(":")[2] for rule in rules if rule.startswith(kind + ":")]


@cache
def _pattern(text: str) -> tuple[re.Pattern[str], ...] | None:
    """The words of a ``run`` rule as patterns for whole words; None when its quotes do not close."""
    try:
        return tuple(re.compile(_glob(word, "."), re.S) for word in shlex.split(text))
    except ValueError:
        return None


def _glob(text: str, anything: str) -> str:
    """A glob as a regex; ``anything`` is what ``*`` and ``?`` match."""
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]\])", text)
    regexes = {"**/": "(?:.*/)?", "**": ".*", "*": f"{anything}*", "?": anything}
    return "".join(
        regexes.get(piece, re.escape(piece[1] if re.fullmatch(r"\[[^\]]\]", piece) else piece)) for piece in pieces
    )


def runs(rule: str, part: SimpleCommand) -> bool:
    """Whether a ``run`` rule matches a command word by word; a star at the end matches any further words."""
    patterns = _pattern(rule)
    if not patterns or not part.words:
        return False
    open_end = patterns[-1].pattern == ".*"
    fixed = patterns[:-1] if open_end else patterns
    if len(part.words) < len(fixed) or (len(part.words) > len(fixed) and not open_end):
        return False
    return all(pattern.fullmatch(word.text) for pattern, word in zip(fixed, part.words, strict=False))


def refuses(rule: str, part: SimpleCommand) -> bool:
    """Whether a ``run`` rule denies a command, also by the program's bare name and behind git's own options."""
    if not part.words:
        return False
    by_name = SimpleCommand((part.words[0].__class__(program(part.words[0])), *part.words[1:]))
    return runs(rule, part) or runs(rule, by_name) or (by_name.texts[0] == "git" and runs(rule, _bare_git(by_name)))


def _bare_git(part: SimpleCommand) -> SimpleCommand:
    """``git -C x -c y=z push`` as ``git push``."""
    return SimpleCommand((part.words[0], *part.words[1 + own_options(part.texts[1:]) :]))


def covers(rule: str, path: str) -> bool:
    """Whether the glob of an ``edit`` or ``read`` rule matches a path relative to the root; ``**`` crosses folders."""
    return re.fullmatch(_glob(rule.removeprefix("./"), "[^/]"), path, re.S) is not None


def rule_for(part: SimpleCommand) -> str:
    """The narrowest useful rule for "always": the exact command, or a test or build command with any arguments."""
    texts = part.texts
    for prefix in PREFIXES:
        length = len(prefix) + (prefix in NAMED_SCRIPTS)
        if texts[: len(prefix)] != prefix or len(texts) < length:
            continue
        if prefix not in NAMED_SCRIPTS or not texts[length - 1].startswith("-"):
            return f"run:{_quoted(texts[:length])} *"
    return "run:" + _quoted(texts)


def rule_for_file(path: str) -> str:
    """The rule that allows editing exactly this file."""
    return "edit:" + re.sub(r"([*?\[])", r"[\1]", path)


def _quoted(texts: Sequence[str]) -> str:
    return " ".join(shlex.quote(re.sub(r"([*?\[])", r"[\1]", text)) for text in texts)
