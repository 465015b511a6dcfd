"""Captures failures other than failed commands: unapplied or reverted edits, refusals, corrections, bad requests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ctxe.domain.pattern import pattern
from ctxe.domain.section import digest
from ctxe.domain.value import replace
from ctxe.knowledge.corrections import is_correction
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.failures import lessons
from ctxe.knowledge.failures.plain import MESSAGE, impersonal, plain_message
from ctxe.knowledge.failures.signature import refusal_signature

REVERTED, CORRECTED, REFUSED, REJECTED, UNAPPLIED = "Reverted", "Corrected", "Refused", "Rejected", "EditNotApplied"
LONGEST = 300
"""Characters of the user's words that are kept."""
_OURS = pattern(
    r"\b(?:API key|rate limit|no connection|unreachable|timed out|overloaded|a bug|credit|quota|50\d"
    r"|refused the key|denied access|knows no model|nothing answers|sent nothing|empty answer|closed the connection"
    r"|limits (?:how often|the rate)|cannot be trusted|cannot be used|redirects|times in a row|output limit"
    r"|too long|cannot fit|context (?:length|window|size)|maximum context|too many tokens)\b",
    re.I,
)


def reverted_edit(path: str, diff: str, how: str, session: str = "") -> Entry:
    """An edit of this session that was reverted; ``how`` names the command or action that did it."""
    change = lessons.gist(diff).removeprefix(": ")
    details = {
        "tried": f"editing {path}: {change}" if change else f"editing {path}",
        "outcome": f"taken back with {how}",
    }
    return _entry(f"an edit of {path} was taken back", REVERTED, f"{path} {change}", session, (path,), **details)


def user_correction(words: str, edits: Mapping[str, str], session: str = "", answered: str = "") -> Entry | None:
    """The user's correction of the turn before, whose ``edits`` are path → diff; None if ``words`` are no correction.

    ``answered`` is the text with which the model ended that turn.
    """
    if not is_correction(words, answered):
        return None
    text = " ".join(words.split())[:LONGEST]
    tried = lessons.of_edits(edits) if edits else ""
    return _entry(f"the user corrected: {text[:90]}", CORRECTED, text, session, tuple(edits), tried=tried, fix=text)


def refused_action(title: str, why: str, session: str = "", files: tuple[str, ...] = ()) -> Entry | None:
    """An action that a person refused with a reason.

    None for a plain no, meant for that moment, and for refusals by rules.
    """
    reason = " ".join(why.partition("the user said no: ")[2].split())[:LONGEST]
    if not reason:
        return None
    details = {"tried": impersonal(title), "outcome": "the user said no", "fix": reason}
    return _entry(f"`{title[:80]}`: refused: {reason[:60]}", REFUSED, title, session, files, **details)


def rejected_request(why: str, session: str = "") -> Entry | None:
    """A request that the provider rejected.

    None for errors that a retry, the user's account or the network may cure, and for a model that repeated itself.
    """
    if not why or _OURS.search(why):
        return None
    return _entry(f"the model request failed: {why[:90]}", REJECTED, why, session, (), status="open")


def unapplied_edit(tool: str, path: str, said: str, session: str = "", root: str = "") -> Entry:
    """An edit that did not apply."""
    # The text after a semicolon or colon quotes the file.
    first = re.split(r"[;:] ", next((line for line in said.splitlines() if line.strip()), ""))[0]
    entry = _entry(f"`{tool} {path}`: {first[:90]}", UNAPPLIED, first, session, (path,), status="open", root=root)
    return replace(entry, signature=digest(f"{refusal_signature(tool, said, root)} {path}"))


def _entry(
    title: str,
    kind: str,
    message: str,
    session: str,
    files: tuple[str, ...],
    status: str = "resolved",
    root: str = "",
    **details: str,
) -> Entry:
    words = plain_message(message, root)
    entry = Entry(
        "",
        "failure",
        impersonal(title, root),
        status,
        by="capture",
        session=session,
        files=tuple(path for path in files if not path.startswith(("/", "..", "~")))[:5],
        evidence=(f"session {session}",) if session else (),
        signature=digest(f"{kind}\0{words}"),
        error=f"{kind}: {impersonal(message, root)[:MESSAGE]}" if kind in (REJECTED, UNAPPLIED) else kind,
    )
    fields: dict[str, Any] = details
    return replace(entry, **fields)
