"""What makes two failures the same: command, error and place with everything that differs from run to run taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ctxe.domain.pattern import pattern
from ctxe.domain.section import digest
from ctxe.lexical.patterns import compiled
from ctxe.lexical.tables import names

MESSAGE = 200
"""Characters of an error message that are kept."""

_TEMPORARY = pattern(
    r"(?:/private)?(?:/var/folders/\w+/\w+/[A-Z]|/tmp|/var/tmp|/dev/shm|[A-Za-z]:\\[^\s'\"]*?\\Temp)"
    r"[/\\][^\s'\",:;)\]}]*"
)
_HOME = pattern(
    r"(?:(?<![\w.~)\]-])|(?<=-[A-Z]))(?:(?:(?:/[\w.-]+){0,2}?/(?:home|Users)/|[A-Za-z]:\\Users\\)[^/\\\s'\":)]+|/root(?=/))"
)
"""A person's home folder, also below a mount; a folder of the project that is called home is none."""
_ROLES = (
    r"(?:git|hg|svn|root|admin|deploy|ubuntu|debian|fedora|centos|ec2-user|azureuser|vagrant|runner|jenkins|postgres"
    r"|nobody|www-data)@"
)
"""Names before an @ that are nobody's own: ``git@github.com`` says what was called."""
_PERSON = (
    rf"(?:(?<![\w./@+:%-])|(?<=://))(?!{_ROLES})[A-Za-z_][\w.+-]*@(?="
    r"(?!v?\d+\.\d+\.\d+(?:[-+]|$))(?:[\w-]+\.)+(?:[A-Za-z]{2,}\b|\(none\))"  # no version of a package
    r"|\d{1,3}(?:\.\d{1,3}){3}\b|localhost\b"
    r"|(?!(?:npm|workspace|file|link|portal|patch|latest|next|main|master|head)\b)"
    r"[A-Za-z][\w-]*(?::\s|:[~/]|:\d{2,5}\b|'s ))"
)
_LOGIN = (
    rf"(\b(?:ssh|scp|sftp|rsync|mosh)\b[^\n|;&@]{{0,80}}?\s|\[)(?!{_ROLES})[A-Za-z_][\w.+-]*@(?=[A-Za-z][\w-]*[\s:])"
)
_UUID = pattern(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_TIME = pattern(
    r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?|\b\d\d:\d\d:\d\d(?:[.,]\d+)?"
)
_ADDRESS = pattern(r"\b0x[0-9a-fA-F]+\b")
_HASH = pattern(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b")
_NUMBER = pattern(r"(?<![A-Za-z_\d])[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?(?:ms|s|kB|MB|GB|%)?(?![A-Za-z_])")
_PARAMETER = pattern(r"(::[\w.]+|\btest_\w+)\[[^\n]*?\](?=$|[\s,;:)'\"])")
_ANYWHERE = pattern(
    r"\b(?:ModuleNotFoundError|ImportError|TS2307|E043[23]|No module named|Cannot find (?:module|package))\b"
)
"""Errors of the surroundings: which file meets them first says nothing."""
_SPACE = pattern(r"\s+")
_PLACE = pattern(r" \([^()\s]+(?::\d+)?\)$")
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
"""Words that a command only passes on: the message of a commit, the text of a pull request."""
_QUIET_EVERYWHERE = frozenset({"-q", "-v", "-vv", "-vvv", "--quiet", "--verbose", "--color=no"})
_VERBS = frozenset(
    {
        "bun",
        "cargo",
        "deno",
        "docker",
        "dotnet",
        "git",
        "go",
        "gradle",
        "gradlew",
        "just",
        "make",
        "mise",
        "mix",
        "mvn",
        "npm",
    }
    | {"pip", "pnpm", "rake", "terraform", "yarn"}
)
"""Programs whose next word says what they do."""
_WORD = pattern(r"<\w+>|[^\W\d_]\w*")
_SAYS_NOTHING = names(
    "<address> <hash> <id> <n> <time> <tmp> a actual an and assert assertion be but code command equal error errors"
    " exit exited expect expected fail failed failure false for found got in is it left none not null object of or"
    " received return returned right status task test tests that the to tobe toequal true undefined value values want"
    " was were with"
)
_PYTEST = frozenset({"pytest", "py.test"})
_QUIET = frozenset(
    {"-q", "-v", "-vv", "-vvv", "-s", "-x", "--quiet", "--verbose", "--no-header", "--color=no", "-p", "--tb=short"}
)


def plain_message(text: str, root: str = "") -> str:
    """An error message without what differs from run to run, on one line, at most MESSAGE characters.

    Dropped: the project's own folder, temporary and home folders, times, ids, hashes, addresses, numbers.
    """
    text = _nobody(relative(text[: MESSAGE * 20], root))
    for shape, stands in (
        (_TEMPORARY, "<tmp>"),
        (_HOME, "~"),
        (_UUID, "<id>"),
        (_TIME, "<time>"),
        (_ADDRESS, "<address>"),
        (_HASH, "<hash>"),
        (_NUMBER, "<n>"),
    ):
        text = shape.sub(stands, text)
    return _SPACE.sub(" ", text).strip()[:MESSAGE]


def relative(text: str, root: str) -> str:
    """Text with paths below ``root`` (an absolute folder) made relative to it."""
    folder = root.rstrip("/\\")
    if len(folder) < 2:
        return text
    text = re.sub(rf"{re.escape(folder)}[/\\]", "", text)
    return re.sub(rf"{re.escape(folder)}(?=[\s'\":;,)]|$)", ".", text)


def impersonal(text: str, root: str = "") -> str:
    """Text with the project's folder, people's home folders and their names before an @ taken out."""
    return _nobody(_HOME.sub("~", relative(text, root)))


def _nobody(text: str) -> str:
    """Text without who it was at a host or an address: what it is at says enough, and is what to call again."""
    if "@" not in text:
        return text
    return compiled(_LOGIN).sub(r"\1<user>@", compiled(_PERSON).sub("<user>@", text))


def plain_command(command: str, root: str = "") -> str:
    """A command as the memory knows it: one line, relative paths, no environment, ``cd`` or output plumbing around it.

    Two spellings of one run (quiet or verbose, piped into ``tail``) are the same command.
    """
    text = _SPACE.sub(" ", _TOLD.sub(r"\1 …", impersonal(command[: MESSAGE * 20], root))).strip()
    text = outward(_LEAD.sub("", text, count=1) if _LEAD.match(text) else text)
    words = _PARAMETER.sub(r"\1", text).split(" ")
    # Elsewhere these letters mean something: `discover -s tests`, `mkdir -p x`.
    quiet = _QUIET if any(word.rpartition("/")[2] in _PYTEST for word in words) else _QUIET_EVERYWHERE
    return " ".join(word for word in words if word not in quiet)[:MESSAGE]


def outward(command: str) -> str:
    """A command line without what only brings its output to somebody, on one line."""
    text = _SPACE.sub(" ", command).strip()
    while (shorter := _TRAIL.sub("", text)) != text:
        text = shorter
    return text.removeprefix("cd . && ")


def program(command: str) -> str:
    """What is run: ``pytest`` of ``python -m pytest tests``, ``npm test``, ``go test``, ``cargo build``."""
    words = plain_command(command).split(" ")
    names = [word.rpartition("/")[2] for word in words if not word.startswith("-")]
    if words[0].rpartition("/")[2].startswith("python") and "-m" in words[:-1]:
        return words[words.index("-m") + 1]
    if names and names[0] in ("uv", "poetry", "pipenv", "hatch", "npx", "pnpm", "bunx") and names[1:2] == ["run"]:
        return program(" ".join(words[2:])) if len(words) > 2 else names[0]
    return " ".join(names[:2]) if names and names[0] in _VERBS else (names[0] if names else "")


def plain_test(name: str) -> str:
    """A failing test's id with its parameters folded."""
    return _PARAMETER.sub(r"\1", name)


def signature(
    command: str,
    kind: str = "",
    message: str = "",
    frames: Iterable[str] = (),
    tests: Iterable[str] = (),
    root: str = "",
) -> str:
    """32 hex digits, the same for the same failure seen again.

    What was run counts as the program alone when the error says enough by itself: one missing import that fails a
    thousand tests, each run by its own command, is one failure. ``frames`` are files of the top frames, best first.
    """
    said = plain_message(message, root)
    if kind or said:
        frames = () if _ANYWHERE.search(f"{kind} {said}") else frames
        places = [plain_message(relative(frame, root)) for frame in list(frames)[:3]]
        return digest("\0".join(["error", program(command), kind.rpartition(".")[2], said, *places]))
    folded = sorted({plain_test(test) for test in tests})[:5]
    if folded:
        return digest("\0".join(["tests", program(command), *folded]))
    return digest("\0".join(["command", plain_message(plain_command(command, root), root)]))


def refusal(tool: str, text: str, root: str = "") -> str:
    """The signature of a call that came to nothing (an edit that did not apply): its tool and the first words told."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return digest("\0".join(["refusal", tool.lower(), plain_message(first, root)]))


def kin(error: str) -> str:
    """The signature of a kind of error, wherever and by whatever program it was met: class and message alone.

    Empty for an error whose words say nothing of its own (``exit code 1``, ``assert 1 == 2``).
    """
    said = plain_message(_PLACE.sub("", error))
    telling = any(word.lower() not in _SAYS_NOTHING for word in _WORD.findall(said.partition(": ")[2] or said))
    return digest(f"kin\0{said}") if telling else ""
