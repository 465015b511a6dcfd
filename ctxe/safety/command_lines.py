"""Deciding whether a command line is allowed, asked about or denied, from its parts and from what it would touch."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from ctxe.domain.tool import Action, Allow, Ask, Decision, Deny
from ctxe.domain.value import dataclass
from ctxe.safety.policy import Policy, ReadPath, folded, may_edit, outside
from ctxe.safety.protected import protection
from ctxe.safety.rules import covers, refuses, rest_of, rule_for, runs
from ctxe.safety.secrets import is_secret_file
from ctxe.safety.shell.commands import Parsed, parse
from ctxe.safety.shell.destructive import destruction
from ctxe.safety.shell.network import network
from ctxe.safety.shell.readonly import Reads, reads
from ctxe.safety.shell.words import Redirect, SimpleCommand

SINKS = ("/dev/null", "/dev/stdout", "/dev/stderr")
FOLDERS_OF_ONE_LINE = 16


def decide_command(action: Action, policy: Policy) -> Decision:
    """The decision on an action with a command line. A deny rule holds whatever else is in the line."""
    parsed = parse(action.command)
    if denied := _forbidden(parsed, policy):
        return Deny(denied)
    looked = _look_through(parsed, policy)
    if policy.mode == "read-only":
        return Allow() if looked.reads else Deny("this session only reads, and this command may do more")
    if looked.reads:
        return Allow()
    if what := destruction(parsed) or _touches_protected(parsed):
        return Ask(what)
    if not looked.left and parsed.sure is not None:
        return Allow()
    if action.command in rest_of(policy.given, "line") or action.tool in rest_of(policy.given, "tool"):
        return Allow()
    if policy.mode == "auto" and policy.sandboxed and not parsed.broken:
        return Allow()
    reached = network(parsed)
    why = looked.why or (f"it reaches the network ({reached})" if reached else "")
    return Ask(why, _always(action.command, looked.left))


def _always(command: str, open_parts: tuple[SimpleCommand, ...]) -> str:
    """The rule for "always": one command by its words, a longer line by its exact text."""
    distinct = {rule_for(part) for part in open_parts if not part.assigned and not _writes(part)}
    whole = len(distinct) == 1 and all(part.words and not part.assigned and not _writes(part) for part in open_parts)
    return distinct.pop() if whole else f"line:{command}"


def _forbidden(parsed: Parsed, policy: Policy) -> str:
    """Why a deny rule forbids a line: it matches one of its parts, or may match one that cannot be parsed."""
    for rule in rest_of(policy.deny, "run"):
        if any(refuses(rule, part) for part in parsed.seen):
            return f"the rule run:{rule} forbids it"
        first = rule.split()[0] if rule.split() else ""
        if parsed.broken and first not in ("", "*") and first in parsed.line:
            return f"the rule run:{rule} may forbid it, and {parsed.broken}"
    return ""


def _writes(part: SimpleCommand) -> tuple[Redirect, ...]:
    """The redirections of a command that write a file."""
    to_file = (r for r in part.redirects if r.operator not in ("<", ">&", "<&", "<<<", ">&-", "<&-"))
    return tuple(r for r in to_file if r.target.text not in SINKS)


def _touches_protected(parsed: Parsed) -> str:
    """The protected place that a command which does more than read names, with the reason; empty for none.

    A name counts in the root and in every folder that the line enters before it.
    """
    folders, looked_at = [""], set[str]()
    for part in parsed.seen:
        if part.texts[:1] in (("cd",), ("pushd",)) and len(part.words) == 2 and len(folders) < FOLDERS_OF_ONE_LINE:
            folders += [posixpath.join(folder, part.texts[1]) for folder in folders]
            looked_at.clear()
        for text in _written_names(part):
            if text in looked_at:
                continue
            looked_at.add(text)
            place = next((place for folder in folders if protection(place := posixpath.join(folder, text))), "")
            if place:
                return f"{place} is protected: {protection(place)}"
    return ""


def _written_names(part: SimpleCommand) -> Iterator[str]:
    """What may be the name of a file that a command writes: where it redirects to, and its words if it may write."""
    named = [redirect.target.text for redirect in _writes(part)]
    if part.words and part.texts[:2] not in (("git", "add"), ("git", "commit")) and reads(part) is None:
        named += [text for word in part.words[1:] for text in (word.text, word.text.partition("=")[2])]
    return (text for text in named if text and not any(c in text for c in "\n "))


@dataclass(frozen=True, slots=True)
class Looked:
    """The parts of a line that are neither read-only nor allowed by a rule, why, and whether all parts only read."""

    left: tuple[SimpleCommand, ...]
    why: str
    reads: bool


def _look_through(parsed: Parsed, policy: Policy) -> Looked:
    if parsed.sure is None:
        return Looked((), f"it cannot be checked: {parsed.doubt}", reads=False)
    left, why, only = [], "", True
    allowed = rest_of(policy.given, "run")
    for part, folders in _placed(parsed.sure):
        reason = _open_reason(part, folders, policy)
        only = only and reason is None and not _writes(part)
        if reason is None or (_is_plain(part, folders, policy) and any(runs(rule, part) for rule in allowed)):
            continue
        left.append(part)
        why = why or reason
    return Looked(tuple(left), why, only)


def _is_plain(part: SimpleCommand, folders: frozenset[str], policy: Policy) -> bool:
    """Whether a command has no assignments and no redirections to ask about, which a rule does not cover."""
    return not part.assigned and all(_redirect_reason(r, folders, policy) is None for r in part.redirects)


def _placed(parts: tuple[SimpleCommand, ...]) -> Iterator[tuple[SimpleCommand, frozenset[str]]]:
    """Each part with the folders it may run in: ``cd`` applies to later parts, but for certain only in an ``&&`` list.

    After ``||`` it may not have run, and in a pipeline it changes the folder of a subshell.
    """
    possible = current = frozenset([""])
    before = ""
    for part in parts:
        yield part, current
        found = reads(part)
        if found is not None and found.enters:
            entered = frozenset(place for folder in current for place in _entered(folder, found.enters))
            possible |= entered
            current = entered if part.joined == "&&" and before not in ("||", "|") else possible
        elif part.joined not in ("&&", "|"):
            current = possible
        before = part.joined


def _entered(folder: str, way: str) -> tuple[str, ...]:
    """The folders that ``cd`` may enter: the shell takes ``..`` by name, the kernel follows a symlink before it."""
    joined = posixpath.join(folder, way)
    return (joined, posixpath.normpath(joined)) if ".." in joined.split("/") else (joined,)


def _open_reason(part: SimpleCommand, folders: frozenset[str], policy: Policy) -> str | None:
    """Why a part needs a question: None when it does not, an empty text for no particular reason."""
    if len(folders) > FOLDERS_OF_ONE_LINE:
        return "it changes folders too often"
    for redirect in part.redirects:
        reason = _redirect_reason(redirect, folders, policy)
        if reason is not None:
            return reason
    found = reads(part)
    if found is not None:
        ours = policy.own_program(part.words[0].text)
        return f"it would run {ours}, a program of this repository" if ours else _look_reason(found, folders, policy)
    return None if not part.words and not part.assigned else ""


def _redirect_reason(redirect: Redirect, folders: frozenset[str], policy: Policy) -> str | None:
    target = redirect.target.text
    if redirect.operator == ">&" or target in SINKS:
        return None
    if redirect.operator == "<":
        return _look_reason(Reads((target,), shows=True), folders, policy)
    places = [posixpath.normpath(posixpath.join(folder, target)) for folder in folders]
    if redirect.target.glob or any(protection(place) for place in places):
        return f"it writes {target}"
    away = next((why for place in places if (why := _reach(ReadPath(place, writes=True), policy))), "")
    if away or not may_edit(tuple(places), policy):
        return away or f"it writes {target}"
    return None


def _look_reason(found: Reads, folders: frozenset[str], policy: Policy) -> str | None:
    if found.git and policy.git_runs:
        return f"git would run {policy.git_runs[0]} of this repository"
    for folder in folders:
        for path in found.paths:
            look = ReadPath(posixpath.join(folder, path), found.shows, found.deep, found.hidden, found.links)
            if why := _reach(look, policy):
                return why
        place = posixpath.join(folder, found.place).rstrip("/")
        if found.git and place and policy.reach is not None and (why := policy.reach(ReadPath(place, git=True))):
            return why
        if found.git and found.shows and is_secret_file(f"{place}/x"):
            return f"{place} may hold keys and passwords"
        held = (ReadPath(posixpath.join(place, name), shows=True, git=True) for name in found.objects)
        if policy.reach is not None and (why := next(filter(None, map(policy.reach, held)), "")):
            return why
    return None


def _reach(look: ReadPath, policy: Policy) -> str:
    """Why a path must not be read without a question; empty when it may."""
    if look.path in SINKS or look.path == "-":
        return ""
    if outside(look.path, policy.root):
        return f"{look.path} is outside the work tree"
    if any(covers(folded(rule), folded(posixpath.normpath(look.path))) for rule in rest_of(policy.deny, "read")):
        return f"{look.path} may not be read"
    if look.shows and (_may_be_secret(look.path) if policy.reach is None else is_secret_file(look.path)):
        return f"{look.path} may hold keys and passwords"
    return policy.reach(look) if policy.reach is not None else ""


SECRET_EXAMPLES = (".env", ".env.local", "id_rsa", "server.pem", "tls.key", "credentials.json", "secrets.yml", ".netrc")


def _may_be_secret(path: str) -> bool:
    """Whether a path, which may be a glob, could match a secret file."""
    folder, _, name = path.rpartition("/")
    if not any(c in path for c in "*?["):
        return is_secret_file(path)
    likely = [example for example in SECRET_EXAMPLES if name.startswith(".") or not example.startswith(".")]
    return "[" in path or is_secret_file(f"{folder}/x") or any(covers(name, example) for example in likely)
