"""Failure signatures: a hash of command, error and place, without what varies from run to run."""

from __future__ import annotations

from collections.abc import Iterable

from ctxe.domain.pattern import pattern
from ctxe.domain.section import digest
from ctxe.knowledge.failures.calls import deciding_step
from ctxe.knowledge.failures.commands import plain_command, program
from ctxe.knowledge.failures.plain import plain_message, plain_test, relative
from ctxe.lexical.tables import word_set

_ANYWHERE = pattern(
    r"\b(?:ModuleNotFoundError|ImportError|TS2307|E043[23]|No module named|Cannot find (?:module|package))\b"
)
"""Errors of the environment: the file that meets them first is irrelevant."""
_PLACE = pattern(r" \([^()\s]+(?::\d+)?\)$")
_WORD = pattern(r"<\w+>|[^\W\d_]\w*")
_SAYS_NOTHING = word_set(
    "<address> <hash> <id> <n> <time> <tmp> a actual an and assert assertion be but code command equal error errors"
    " exit exited expect expected fail failed failure false for found got in is it left none not null object of or"
    " received return returned right status task test tests that the to tobe toequal true undefined value values want"
    " was were with"
)


def signature(
    command: str,
    kind: str = "",
    message: str = "",
    frames: Iterable[str] = (),
    tests: Iterable[str] = (),
    root: str = "",
) -> str:
    """32 hex digits, equal for every occurrence of the same failure.

    If the error is specific, only the program of the command counts: one missing import that fails a thousand tests,
    each run by its own command, is one failure. ``frames`` are the files of the top stack frames, best first.
    """
    words = plain_message(message, root)
    if kind or words:
        frames = () if _ANYWHERE.search(f"{kind} {words}") else frames
        places = [plain_message(relative(frame, root)) for frame in list(frames)[:3]]
        return digest("\0".join(["error", program(deciding_step(command)), kind.rpartition(".")[2], words, *places]))
    folded = sorted({plain_test(test) for test in tests})[:5]
    if folded:
        return digest("\0".join(["tests", program(deciding_step(command)), *folded]))
    return digest("\0".join(["command", plain_message(plain_command(command, root), root)]))


def refusal_signature(tool: str, text: str, root: str = "") -> str:
    """The signature of a call without effect (an edit that did not apply): tool and first line of its result."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return digest("\0".join(["refusal", tool.lower(), plain_message(first, root)]))


def kind_signature(error: str) -> str:
    """The signature of a kind of error in any file and program: class and message only.

    Empty for an error with no words of its own (``exit code 1``, ``assert 1 == 2``).
    """
    words = plain_message(_PLACE.sub("", error))
    telling = any(word.lower() not in _SAYS_NOTHING for word in _WORD.findall(words.partition(": ")[2] or words))
    return digest(f"kin\0{words}") if telling else ""
