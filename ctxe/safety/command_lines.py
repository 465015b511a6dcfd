"""Deciding whether a command line is allowed, asked about or denied, from its parts and the places it would touch."""

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
TOO_MANY_FOLDERS = "it changes folders too often"


def decide_command(action: Action, policy: Policy) -> Decision:
    """The decision on an action with a command line. A deny rule holds whatever else is in the line."""
    parsed = parse(action.command)
    if denied := _forbidden(parsed, policy):
        return Deny(denied)
    check = _check_parts(parsed, policy)
    if policy.mode == "read-only":
        return Allow() if check.reads else Deny("this session only reads, and this command may do more")
    if check.reads:
        return Allow()
    if danger := destruction(parsed) or _touches_protected(parsed):
        return Ask(danger)
    if not check.undecided and parsed.sure is not None:
        return Allow()
    if action.command in rest_of(policy.given, "line") or action.tool in rest_of(policy.given, "tool"):
        return Allow()
    if policy.mode == "auto" and policy.sandboxed and not parsed.broken:
        return Allow()
    network_program = network(parsed)
    reason = check.why or (f"it reaches the network ({network_program})" if network_program else "")
    return Ask(reason, _always(action.command, check.undecided))


def _always(command: str, open_parts: tuple[SimpleCommand, ...]) -> str:
    """The rule for "always": one command by its words, a longer line by its exact text."""
    distinct = {rule_for(part) for part in open_parts if not part.assigned and not _writes(part)}
    is_simple = len(distinct) == 1 and all(
        part.words and not part.assigned and not _writes(part) for part in open_parts
    )
    return distinct.pop() if is_simple else f"line:{command}"


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
    to_file = (
        redirect for redirect in part.redirects if redirect.operator not in ("<", ">&", "<&", "<<<", ">&-", "<&-")
    )
    return tuple(redirect for redirect in to_file if redirect.target.text not in SINKS)


def _touches_protected(parsed: Parsed) -> str:
    """The protected place that a command which does more than read names, with the reason; empty for none.

    A name counts in the root and in every folder that the line enters before it. Where these are too many to tell, any
    name may be protected.
    """
    folders, looked_at = [""], set[str]()
    for part in parsed.seen:
        if part.texts[:1] in (("cd",), ("pushd",)) and len(part.words) > 1:
            folders += [posixpath.join(folder, part.texts[-1]) for folder in folders]
            looked_at.clear()
            if len(folders) > FOLDERS_OF_ONE_LINE:
                return TOO_MANY_FOLDERS if any(any(_written_names(one)) for one in parsed.seen) else ""
        for text in _written_names(part):
            if text in looked_at:
                continue
            looked_at.add(text)
            place = next((place for folder in folders if protection(place := posixpath.join(folder, text))), "")
            if place:
                return f"{place} is protected: {protection(place)}"
    return ""


def _written_names(part: SimpleCommand) -> Iterator[str]:
    """Possible names of files that a command writes: targets of redirections, and its words if it may write."""
    names = [redirect.target.text for redirect in _writes(part)]
    if part.words and part.texts[:2] not in (("git", "add"), ("git", "commit")) and reads(part) is None:
        names += [text for word in part.words[1:] for text in (word.text, word.text.partition("=")[2])]
    return (text for text in names if text and not any(character in text for character in "\n "))


@dataclass(frozen=True, slots=True)
class Check:
    """The parts of a line that are neither read-only nor allowed by a rule, why, and whether all parts only read."""

    undecided: tuple[SimpleCommand, ...]
    why: str
    reads: bool


def _check_parts(parsed: Parsed, policy: Policy) -> Check:
    if parsed.sure is None:
        return Check((), f"it cannot be checked: {parsed.doubt}", reads=False)
    undecided, first_reason, only_reads = [], "", True
    allowed = rest_of(policy.given, "run")
    for part, folders in _with_folders(parsed.sure):
        reason = _open_reason(part, folders, policy)
        only_reads = only_reads and reason is None and not _writes(part)
        if reason is None or (_is_plain(part, folders, policy) and any(runs(rule, part) for rule in allowed)):
            continue
        undecided.append(part)
        first_reason = first_reason or reason
    return Check(tuple(undecided), first_reason, only_reads)


def _is_plain(part: SimpleCommand, folders: frozenset[str], policy: Policy) -> bool:
    """Whether a command has no assignments and no redirections to ask about, which a rule does not cover."""
    return not part.assigned and all(_redirect_reason(redirect, folders, policy) is None for redirect in part.redirects)


def _with_folders(parts: tuple[SimpleCommand, ...]) -> Iterator[tuple[SimpleCommand, frozenset[str]]]:
    """Each part with the folders it may run in: ``cd`` applies to later parts, but for certain only in an ``&&`` list.

    After ``||`` it may not have run, and in a pipeline it changes the folder of a subshell.
    """
    possible = current = frozenset([""])
    before = ""
    for part in parts:
        yield part, current
        read = reads(part)
        if read is not None and read.enters:
            entered = frozenset(place for folder in current for place in _entered(folder, read.enters))
            possible |= entered
            current = entered if part.joined == "&&" and before not in ("||", "|") else possible
        elif part.joined not in ("&&", "|"):
            current = possible
        before = part.joined


def _entered(folder: str, target: str) -> tuple[str, ...]:
    """The folders that ``cd`` may enter: the shell takes ``..`` by name, the kernel follows a symlink before it."""
    joined = posixpath.join(folder, target)
    return (joined, posixpath.normpath(joined)) if ".." in joined.split("/") else (joined,)


def _open_reason(part: SimpleCommand, folders: frozenset[str], policy: Policy) -> str | None:
    """Why a part needs a question: None when it does not, an empty text for no particular reason."""
    if len(folders) > FOLDERS_OF_ONE_LINE:
        return TOO_MANY_FOLDERS
    for redirect in part.redirects:
        reason = _redirect_reason(redirect, folders, policy)
        if reason is not None:
            return reason
    read = reads(part)
    if read is not None:
        ours = policy.own_program(part.words[0].text)
        return f"it would run {ours}, a program of this repository" if ours else _look_reason(read, folders, policy)
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
    reason_away = next((reason for place in places if (reason := _reach(ReadPath(place, writes=True), policy))), "")
    if reason_away or not may_edit(tuple(places), policy):
        return reason_away or f"it writes {target}"
    return None


def _look_reason(read: Reads, folders: frozenset[str], policy: Policy) -> str | None:
    if read.git and policy.git_runs:
        return f"git would run {policy.git_runs[0]} of this repository"
    for folder in folders:
        for path in read.paths:
            read_path = ReadPath(posixpath.join(folder, path), read.shows, read.deep, read.hidden, read.links)
            if reason := _reach(read_path, policy):
                return reason
        place = posixpath.join(folder, read.place).rstrip("/")
        if read.git and place and policy.reach is not None and (reason := policy.reach(ReadPath(place, git=True))):
            return reason
        if read.git and read.shows and is_secret_file(f"{place}/x"):
            return f"{place} may hold keys and passwords"
        objects = (ReadPath(posixpath.join(place, name), shows=True, git=True) for name in read.objects)
        if policy.reach is not None and (reason := next(filter(None, map(policy.reach, objects)), "")):
            return reason
    return None


def _reach(read_path: ReadPath, policy: Policy) -> str:
    """Why a path must not be read without a question; empty when it may."""
    if read_path.path in SINKS or read_path.path == "-":
        return ""
    if outside(read_path.path, policy.root):
        return f"{read_path.path} is outside the work tree"
    if any(covers(folded(rule), folded(posixpath.normpath(read_path.path))) for rule in rest_of(policy.deny, "read")):
        return f"{read_path.path} may not be read"
    if read_path.shows and (_may_be_secret(read_path.path) if policy.reach is None else is_secret_file(read_path.path)):
        return f"{read_path.path} may hold keys and passwords"
    return policy.reach(read_path) if policy.reach is not None else ""


SECRET_EXAMPLES = (".env", ".env.local", "id_rsa", "server.pem", "tls.key", "credentials.json", "secrets.yml", ".netrc")


def _may_be_secret(path: str) -> bool:
    """Whether a path, which may be a glob, could match a secret file."""
    folder, _, name = path.rpartition("/")
    if not any(character in path for character in "*?["):
        return is_secret_file(path)
    likely = [example for example in SECRET_EXAMPLES if name.startswith(".") or not example.startswith(".")]
    return "[" in path or is_secret_file(f"{folder}/x") or any(covers(name, example) for example in likely)
