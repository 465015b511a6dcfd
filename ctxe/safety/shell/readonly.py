"""Checking that a simple command provably only reads, by tables of vetted options; all others are asked about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.lexical.tables import word_set
from ctxe.safety.shell import scripts
from ctxe.safety.shell.tables import ParsedWords, Spec, sort_out, table
from ctxe.safety.shell.words import SimpleCommand, Word


@dataclass(frozen=True, slots=True)
class Reads:
    """The files a command reads: ``paths`` as written; ``shows``: contents are printed; ``deep``: folders are searched.

    ``hidden``: including hidden files; ``links``: following symlinks; ``git``: git reads, in the folder ``place``.
    ``enters`` is the folder in which later commands of the line run; ``objects`` may be hashes of contents to show.
    """

    paths: tuple[str, ...] = ()
    shows: bool = False
    deep: bool = False
    hidden: bool = True
    git: bool = False
    enters: str = ""
    links: bool = False
    place: str = ""
    objects: tuple[str, ...] = ()


def reads(part: SimpleCommand) -> Reads | None:
    """The files a command reads; None when it may do more, or is not in the tables."""
    if not part.words or part.assigned:
        return None
    name, rest = part.words[0].text, part.words[1:]
    if (special := SPECIAL.get(name)) is not None:
        return special(rest)
    spec = table("readonly.txt").get(name)
    return None if spec is None else _by_table(name, spec, rest)


def _by_table(name: str, spec: Spec, rest: Sequence[Word]) -> Reads | None:
    parsed = sort_out(spec, rest)
    if parsed is None or not (CHECKS.get(name, _always))(parsed):
        return None
    words = [word.text for word in parsed.operands]
    if ("none" in spec.is_ and words) or ("asked" in spec.is_ and not parsed.options):
        return None
    if "one" in spec.is_ and (len(words) > 1 or any(word.glob for word in parsed.operands)):
        return None
    if "text" in spec.is_:
        # the shell replaces these by file names
        return Reads(tuple(word.text for word in parsed.operands if word.glob))
    # of the names that the shell puts in place of a glob only the first is the pattern
    if "pattern" in spec.is_ and not (
        parsed.options & WITHOUT_PATTERN or (parsed.operands and parsed.operands[0].glob)
    ):
        words = words[1:]
    # diff reads the files of a folder without an option
    recursive = name in {"rg", "ag", "diff"} or bool(parsed.options & {"-r", "-R", "--recursive"})
    deep = "deep" in spec.is_ and recursive
    hidden = name != "rg" or bool(parsed.options & UNNAMED)
    links = name == "diff" or bool(parsed.options & FOLLOWING.get(name, frozenset()))
    return Reads(tuple(words) or ((".",) if deep else ()), "shows" in spec.is_, deep, hidden, links=links)


WITHOUT_PATTERN = word_set("-e --regexp --files --type-list")
"""Options beside which the first operand is a path, too."""
FOLLOWING = dict.fromkeys(("grep", "egrep", "fgrep"), frozenset({"-R"})) | {"rg": frozenset({"-L"})}
"""Options by which a program follows symlinks to folders; diff always does."""
UNNAMED = word_set("-. -u --hidden --unrestricted -0 --null -I --no-filename -p --pretty --heading --json")
"""Options of rg that include hidden files, or that print lines without the file's name. The latter count as well, since
an ignore file of the repository can make rg find hidden files."""


def _always(_given: ParsedWords) -> bool:
    return True


def _date(parsed: ParsedWords) -> bool:
    """Whether date only prints: an operand that is not a format sets the clock."""
    return all(word.text.startswith("+") for word in parsed.operands)


def _ps(parsed: ParsedWords) -> bool:
    """Whether ps shows no environments, as operands with ``e`` do."""
    return all(word.text in {"aux", "auxf", "auxw", "auxww", "ax", "axf"} for word in parsed.operands)


def _jq(parsed: ParsedWords) -> bool:
    """Whether a jq program uses neither modules, which may be any file, nor the environment with its secrets."""
    return not any(
        re.search(r"\b(import|include|env|ENV|input_filename|modulemeta)\b", word.text) for word in parsed.operands[:1]
    )


def _grep(parsed: ParsedWords) -> bool:
    """Whether grep goes into no folders by ``-d recurse``, which may be abbreviated."""
    return all(value in {"read", "skip"} for option, value in parsed.values if option == "-d")


CHECKS: dict[str, Callable[[ParsedWords], bool]] = {"date": _date, "grep": _grep, "ps": _ps, "jq": _jq}


def _cd(rest: Sequence[Word]) -> Reads | None:
    if len(rest) != 1 or rest[0].glob or rest[0].text.startswith("-"):
        return None
    return Reads((rest[0].text,), enters=rest[0].text)


def _find(rest: Sequence[Word]) -> Reads | None:
    paths = scripts.find(rest)
    return None if paths is None else Reads(paths)


def _sed(rest: Sequence[Word]) -> Reads | None:
    paths = scripts.sed(rest)
    return None if paths is None else Reads(paths, shows=True)


def _awk(rest: Sequence[Word]) -> Reads | None:
    paths = scripts.awk(rest)
    return None if paths is None else Reads(paths, shows=True)


def _test(rest: Sequence[Word]) -> Reads | None:
    return _by_table("test", table("readonly.txt")["test"], rest[:-1]) if rest and rest[-1].text == "]" else None


def _printf(rest: Sequence[Word]) -> Reads | None:
    paths = scripts.printf(rest)
    return None if paths is None else Reads(paths)


_HASH = pattern(r"(?:.*-g)?([0-9a-f]{4,64})(?:[\^~@].*)?", re.I)
"""An object's hash in either case, alone or at the end of a name from ``git describe``."""


def _named_in(revision: str) -> Iterator[str]:
    """The possible paths in a revision, each after a colon: ``HEAD@{10:00}:a``, ``:0:a``, ``HEAD^{/b:c}:a``."""
    for position, character in enumerate(revision):
        if character == ":":
            yield revision[position + 1 :]


def _git(rest: Sequence[Word]) -> Reads | None:
    """The files a read-only git subcommand reads; None for others, ``-c``, another repository, abbreviated options."""
    words, folder = list(rest), ""
    while words and words[0].text in {"--no-pager", "-P", "--no-optional-locks", "-C"}:
        if words.pop(0).text == "-C":
            if not words or words[0].glob or words[0].text.startswith("-") or folder:
                return None
            folder = words.pop(0).text
    if [word.text for word in words] in (["--version"], ["version"]):
        return Reads()
    spec = table("readonly-git.txt").get(words[0].text) if words else None
    parsed = sort_out(spec, words[1:]) if spec else None
    if spec is None or parsed is None or not _git_allows(spec, parsed):
        return None
    paths = [word.text for word in parsed.operands]
    if "pattern" in spec.is_ and "-e" not in parsed.options and not (parsed.operands and parsed.operands[0].glob):
        paths = paths[1:]
    paths += [name for path in paths for name in _named_in(path) if name and not name.startswith(("/", "("))]
    prefix = f"{folder}/" if folder else ""
    read_paths = (*([folder] if folder else []), *(prefix + path for path in paths))
    shows = "shows" in spec.is_
    ends = [end for word in parsed.operands for end in word.text.split("..")] if shows else []
    objects = tuple(match[1] for end in ends if (match := _HASH.fullmatch(end)))
    return Reads(read_paths, shows, git=True, place=folder, objects=objects)


def _git_allows(spec: Spec, parsed: ParsedWords) -> bool:
    first = parsed.operands[0].text if parsed.operands else ""
    if "none" in spec.is_ and first:
        return False
    if "one" in spec.is_ and (len(parsed.operands) > 1 or any(word.glob for word in parsed.operands)):
        return False
    if "listing" in spec.is_ and first and not parsed.options & spec.excusing:
        return False
    if spec.is_ & {"verb", "maybe"} and not (first in spec.excusing or (first == "" and "maybe" in spec.is_)):
        return False
    if spec is table("readonly-git.txt")["config"] and not _config(parsed):
        return False
    # these formats make git call gpg, which the repository may have configured
    return not any("%G" in value or "signature" in value for _, value in parsed.values)


_SECRET_SETTING = pattern(
    r"pass|pwd|token|secret|auth(?!or)|header|cookie|credential|(?:api|private|access)[-_]?key", re.I
)
_PLAIN_SETTINGS = pattern(r"\^?(?:alias|branch|color|core|diff|init|merge|pull|push|remote|user)\b")


def _config(given: ParsedWords) -> bool:
    """Whether git prints no value alone that may be a password: masking knows such a value by its name only."""
    keys = [word.text for word in given.operands] + [
        value for name, value in given.values if name in ("--get", "--get-all")
    ]
    wide = [value for name, value in given.values if name == "--get-regexp"]
    named = all("." in key and not _SECRET_SETTING.search(key) for key in keys)
    return named and all(map(_PLAIN_SETTINGS.match, wide))


SPECIAL: dict[str, Callable[[Sequence[Word]], Reads | None]] = {
    "[": _test,
    "awk": _awk,
    "cd": _cd,
    "find": _find,
    "gawk": _awk,
    "git": _git,
    "printf": _printf,
    "sed": _sed,
}
