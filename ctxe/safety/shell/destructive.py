"""Finding commands that lose work or cannot be undone; false alarms are preferred to misses."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ctxe.domain.pattern import pattern
from ctxe.lexical.tables import word_set
from ctxe.safety.shell.commands import Parsed
from ctxe.safety.shell.git_words import git_verb
from ctxe.safety.shell.phrases import PHRASES
from ctxe.safety.shell.words import SimpleCommand, program

TEMPORARY = ("/tmp/", "/var/tmp/", "$TMPDIR/", "${TMPDIR}/")  # noqa: S108 (names in commands, nothing is created)
ALWAYS_DESTRUCTIVE = {
    **dict.fromkeys(
        word_set("dd fdisk mkfs mkswap parted sgdisk shred srm truncate wipefs"), "overwrites data for good"
    ),
    **dict.fromkeys(word_set("halt poweroff reboot shutdown"), "stops the machine"),
    **dict.fromkeys(word_set("killall pkill"), "ends processes by name"),
    **dict.fromkeys(word_set("dropdb dropuser"), "drops a database"),
}
CLIENTS = word_set(
    "psql mysql mariadb sqlite3 sqlcmd sqlplus mongosh mongo duckdb clickhouse-client redis-cli cockroach cqlsh usql"
    " pgcli mycli litecli"
)
CARRYING = word_set("fd fdfind find parallel xargs")
"""Programs that run a command for many files."""
PRINTERS = word_set("echo printf grep egrep fgrep rg ag cat head tail awk wc sort uniq less ls cd true")
INTERPRETERS = word_set(
    "python python3 node deno bun ruby perl php rails manage.py docker kubectl ssh npx uv java scala"
)
_SQL = pattern(
    r"\b(?:drop\s+(?:table|database|schema|view|index|user|role|collection)|truncate\s+(?:table\s+)?\w"
    r"|delete\s+from\s+\S+\s*(?:;|['\"]|$)"
    r"|flushall|flushdb|dropDatabase|deleteMany\(\s*\{\s*\}|\.drop\(\))",
    re.I,
)
# phrases that lose work even inside a string, a heredoc or another language
_ANYWHERE = pattern(
    r"\breset\s+(?:\S+\s+){0,12}--ha|\bclean\s+-[a-z]*f|\brm\s+(?:-\w+\s+){0,12}-\w*[rR]"
    r"|\bpush\s+(?:\S+\s+){0,12}(?:-f\b|--force)"
    r"|\bfilter-(?:branch|repo)\b|\brmtree\b|\bstash\s+(?:drop|clear)\b|\brm_rf\b|\brmSync\(|\brimraf\b|-delete\b"
    r"|\bos\.(?:remove|unlink|removedirs)\b|\.unlink(?:Sync)?\(|\bunlink\s+glob\b|\bFileUtils\.rm|>\s*/dev/[sh]d[a-z]",
)


def destruction(parsed: Parsed) -> str:
    """The loss that a line would cause, in a few words; empty when none is known."""
    for part in parsed.seen:
        if part.words and (reason := _loss(part)):
            return reason
    programs = {program(part.words[0]) for part in parsed.seen if part.words}
    if programs & (CLIENTS | INTERPRETERS) and _SQL.search(parsed.line):
        return "it deletes from a database"
    if _ANYWHERE.search(_unquoted(_quoted_text(parsed))):
        return "it may delete files or history"
    remaining_text = _unquoted(
        "\n".join(" ".join(part.texts) for part in parsed.seen if not _is_only_text(part)) or _quoted_text(parsed)
    )
    return next((f"it {reason}" for pattern, reason in PHRASES if pattern.search(remaining_text)), "")


def _unquoted(text: str) -> str:
    """Text without quotes, escapes and repeated blanks, so that patterns match however it was quoted."""
    return re.sub(r"[ \t]+", " ", re.sub(r"[\"'\\,]", " ", text))


def _quoted_text(parsed: Parsed) -> str:
    """The text that only another program will interpret: quoted strings, or the whole line if in doubt."""
    if parsed.broken or "<<" in parsed.line:
        return parsed.line
    parts = [part for part in parsed.seen if not _is_only_text(part)]
    return "\n".join(word.text for part in parts for word in part.words if not word.plain or not word.known)


def _is_only_text(part: SimpleCommand) -> bool:
    """Whether a command's words are only text to print or search for, or a commit message."""
    texts = part.texts
    if texts[:1] == ("git",):
        return any(verb in texts for verb in ("commit", "log", "grep", "tag", "notes"))
    return not texts or program(part.words[0]) in PRINTERS


def _loss(part: SimpleCommand) -> str:
    name, rest = program(part.words[0]), part.texts[1:]
    if name in ALWAYS_DESTRUCTIVE or name.startswith("mkfs."):
        return f"{name} {ALWAYS_DESTRUCTIVE.get(name, 'overwrites data for good')}"
    if name == "rm":
        return _rm(part)
    if name == "git":
        return _git(rest)
    if name == "find" and any(word in {"-delete", "-fprint", "-fprintf", "-fls"} for word in rest):
        return "find deletes or writes files"
    if name in CARRYING and any(program(word) in {"rm", "unlink", "shred"} for word in part.words[1:]):
        return f"{name} deletes what it is given"
    return ""


def _short(options: Sequence[str], letters: str) -> bool:
    """Whether one of these short options is given, alone or in a cluster."""
    return any(
        option.startswith("-") and not option.startswith("--") and any(letter in option for letter in letters)
        for option in options
    )


def _long(options: Sequence[str], *names: str) -> bool:
    """Whether one of these long options is given, maybe abbreviated as getopt and git allow."""
    given_options = [word.partition("=")[0] for word in options if word.startswith("--") and len(word) > 3]
    return any(name.startswith(option) for option in given_options for name in names)


def _rm(part: SimpleCommand) -> str:
    rest = part.texts[1:]
    recursive = _short(rest, "rR") or _long(rest, "--recursive", "--no-preserve-root")
    operands = [word for word in part.words[1:] if not word.text.startswith("-")]
    sweeping = any(word.glob and word.text.strip("./") in {"*", ".*", "**"} for word in operands)
    if not (recursive or sweeping):
        return ""
    only_temporary = all(word.text.startswith(TEMPORARY) and ".." not in word.text.split("/") for word in operands)
    return "" if operands and only_temporary and not sweeping else "rm deletes whole folders"


def _git(words: Sequence[str]) -> str:
    verb, rest = git_verb(words)
    check = GIT.get(verb)
    return check(rest) if check is not None else ""


def _operands(rest: Sequence[str]) -> list[str]:
    return [word for word in rest if not word.startswith("-")]


def _checkout(rest: Sequence[str]) -> str:
    operands = _operands(rest)
    creates = _short(rest, "b") or _long(rest, "--orphan", "--track", "--detach")
    forced = _short(rest, "fB") or _long(rest, "--force", "--ours", "--theirs", "--merge", "--pathspec-from-file")
    names_files = len(operands) > 1 or any(
        re.search(r"(^|/)\.{1,2}$|\.\w{1,6}$|/$|[*?$`]|^:", operand) for operand in operands
    )
    discards = forced or ("--" in rest and operands) or (names_files and not creates)
    return "git checkout may throw away changes to files" if discards else ""


def _restore(rest: Sequence[str]) -> str:
    staged = _short(rest, "S") or _long(rest, "--staged")
    worktree = _short(rest, "W") or _long(rest, "--worktree")
    return "" if staged and not worktree else "git restore throws away changes to files"


def _clean(rest: Sequence[str]) -> str:
    dry = _short(rest, "n") or _long(rest, "--dry-run")
    return "" if dry else "git clean deletes untracked files"


def _reset(rest: Sequence[str]) -> str:
    hard = _long(rest, "--hard", "--merge", "--keep")
    return "git reset throws away changes to files" if hard else ""


def _push(rest: Sequence[str]) -> str:
    forced = _short(rest, "fd") or _long(rest, "--force", "--force-with-lease", "--mirror", "--delete", "--prune")
    forced = forced or any(word.startswith(("+", ":")) for word in _operands(rest))
    return "git push rewrites or deletes commits that others see" if forced else ""


def _when(reason: str, letters: str = "", *longs: str, words: Sequence[str] = ()) -> Callable[[Sequence[str]], str]:
    """A check that gives ``why`` for any of these options or first operands."""

    def check(rest: Sequence[str]) -> str:
        first = (_operands(rest) or [""])[0]
        matches = (letters and _short(rest, letters)) or (longs and _long(rest, *longs)) or first in words
        return reason if matches else ""

    return check


def _aborting(verb: str) -> Callable[[Sequence[str]], str]:
    return _when(f"git {verb} --abort throws away resolved conflicts", "", "--abort")


GIT: dict[str, Callable[[Sequence[str]], str]] = {
    **{verb: _aborting(verb) for verb in ("am", "cherry-pick", "merge", "rebase", "revert")},
    "branch": _when("git branch deletes or overwrites a branch", "dDMCf", "--delete", "--force"),
    "checkout": _checkout,
    "checkout-index": _when("git checkout-index overwrites files", "f", "--force"),
    "clean": _clean,
    "filter-branch": lambda _: "git filter-branch rewrites history",
    "filter-repo": lambda _: "git filter-repo rewrites history",
    "gc": _when("git gc deletes unreachable objects", "", "--prune", "--aggressive"),
    "prune": lambda _: "git prune deletes unreachable objects",
    "push": _push,
    "read-tree": _when("git read-tree throws away changes to files", "u", "--reset"),
    "reflog": _when("git reflog forgets where branches were", words=("expire", "delete", "drop")),
    "remote": _when("git remote forgets branches", words=("remove", "rm", "prune")),
    "replace": _when("git replace changes history", "df", "--delete", "--force"),
    "reset": _reset,
    "restore": _restore,
    "rm": _when("git rm deletes files that were changed", "f", "--force"),
    "stash": _when("git stash throws away stashed work", words=("drop", "clear")),
    "submodule": _when("git submodule removes a work tree", words=("deinit",)),
    "switch": _when("git switch throws away changes to files", "fC", "--force", "--discard-changes", "--force-create"),
    "tag": _when("git tag deletes or moves a tag", "df", "--delete", "--force"),
    "update-ref": lambda _: "git update-ref moves or deletes branches",
    "worktree": _when("git worktree removes a work tree", words=("remove", "prune")),
}
