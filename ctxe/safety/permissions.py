"""Who decides whether an action runs: pure rules over the action, the mode and what the user allowed or denied."""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ctxe.domain.tool import Action, Allow, Ask, Decision, Deny, Risk
from ctxe.safety.commands import Parsed, parse
from ctxe.safety.destructive import destruction, network
from ctxe.safety.protected import protection
from ctxe.safety.readonly import Reads, reads
from ctxe.safety.rules import covers, refuses, rest_of, rule_for, rule_for_file, runs
from ctxe.safety.secrets import is_secret_file
from ctxe.safety.words import Part, Redirect

Mode = Literal["ask", "auto-edit", "auto", "read-only"]
SINKS = ("/dev/null", "/dev/stdout", "/dev/stderr")
FOLDERS_OF_ONE_LINE = 16


@dataclass(frozen=True, slots=True)
class Look:
    """A path that a command would read, as written but joined to the folder it runs in (relative to the root).

    ``shows`` says that contents would come out, ``deep`` that everything below is read, with ``hidden`` files too.
    """

    path: str
    shows: bool = False
    deep: bool = False
    hidden: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user allows: ``allow`` and ``deny`` are rules of the settings, ``granted`` those of this session.

    ``reach`` says why a path must not be read, or nothing (``paths.reach`` resolves it; without it names decide).
    ``git_runs`` names settings of this repository by which git would run programs (``programs.configured_programs``).
    """

    mode: Mode = "ask"
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    interactive: bool = True
    sandboxed: bool = False
    root: str = "/"
    reach: Callable[[Look], str] | None = None
    git_runs: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        """Rules that spare a question."""
        return (*self.allow, *self.granted)


def decide(action: Action, policy: Policy) -> Decision:
    """Allow, Ask or Deny. A deny rule is never outvoted; what would be asked is denied where nobody can answer."""
    decision = _decide(action, policy)
    if isinstance(decision, Ask) and not policy.interactive:
        return Deny(_unanswered(action, decision))
    return decision


def _unanswered(action: Action, ask: Ask) -> str:
    """One line for the model and the user: why it needs a yes, and how to give it beforehand."""
    why = f" ({ask.why})" if ask.why else ""
    way = f"; the user could allow {ask.rule!r} in their own settings" if ask.rule else ""
    what = "this command" if action.command else action.tool
    return f"{what} needs a person's yes{why} and nobody is there to give it{way}"


def _decide(action: Action, policy: Policy) -> Decision:
    if action.tool in rest_of(policy.deny, "tool"):
        return Deny(f"the rule tool:{action.tool} forbids it")
    if action.command:
        return _command(action, policy)
    if action.risk is Risk.READ:
        return _read(action, policy)
    if action.risk is Risk.WRITE:
        return _write(action, policy)
    if policy.mode == "read-only":
        return Deny("this session only reads")
    if action.tool in rest_of(policy.given, "tool"):
        return Allow()
    return Ask(
        "it acts outside of ctxe" if action.risk is Risk.EXECUTE else "it reaches the network", f"tool:{action.tool}"
    )


def _denied_path(action: Action, policy: Policy, kind: str) -> Deny | None:
    """A deny rule over a path, compared as a forgiving file system would."""
    for rule in rest_of(policy.deny, kind):
        if any(covers(_folded(rule), _folded(path)) for path in action.paths):
            return Deny(f"the rule {kind}:{rule} forbids it")
    return None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _read(action: Action, policy: Policy) -> Decision:
    if (denied := _denied_path(action, policy, "read")) is not None:
        return denied
    secret = [path for path in action.paths if is_secret_file(path)]
    allowed = rest_of(policy.given, "read")
    asked = next((path for path in secret if not any(covers(rule, path) for rule in allowed)), None)
    if asked is None:
        return Allow()
    return Ask(f"{asked} may hold keys and passwords", "read:" + rule_for_file(asked).partition(":")[2])


def _write(action: Action, policy: Policy) -> Decision:
    if (denied := _denied_path(action, policy, "edit")) is not None:
        return denied
    if policy.mode == "read-only":
        return Deny("this session only reads")
    if (outside := next((path for path in action.paths if _outside(path, policy.root)), None)) is not None:
        return Deny(f"{outside} is outside the work tree")
    for path in action.paths:
        if why := protection(path):
            return Ask(f"{path} is protected: {why}")
    if action.tool in rest_of(policy.given, "tool") or (action.paths and _all_edits(action.paths, policy)):
        return Allow()
    return Ask("", rule_for_file(action.paths[0]) if len(action.paths) == 1 else "")


def _all_edits(paths: tuple[str, ...], policy: Policy) -> bool:
    """Whether the mode or a rule lets each of these files be written."""
    if policy.mode in ("auto", "auto-edit"):
        return True
    allowed = rest_of(policy.given, "edit")
    return all(any(covers(rule, path) for rule in allowed) for path in paths)


def _outside(path: str, root: str) -> bool:
    """By its name alone: whether a path leaves the root."""
    full = posixpath.normpath(posixpath.join(root, path))
    return full != root.rstrip("/") and not full.startswith(root.rstrip("/") + "/")


def _command(action: Action, policy: Policy) -> Decision:
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


def _always(command: str, open_parts: tuple[Part, ...]) -> str:
    """What "always" would allow: one command by its words, anything longer by its exact text."""
    distinct = {rule_for(part) for part in open_parts if not part.assigned and not _writes(part)}
    whole = len(distinct) == 1 and all(part.words and not part.assigned and not _writes(part) for part in open_parts)
    return distinct.pop() if whole else f"line:{command}"


def _forbidden(parsed: Parsed, policy: Policy) -> str:
    """The deny rule that a command meets, whichever of its parts does, and also if it only may."""
    for rule in rest_of(policy.deny, "run"):
        if any(refuses(rule, part) for part in parsed.seen):
            return f"the rule run:{rule} forbids it"
        first = rule.split()[0] if rule.split() else ""
        if parsed.broken and first not in ("", "*") and first in parsed.line:
            return f"the rule run:{rule} may forbid it, and {parsed.broken}"
    return ""


def _writes(part: Part) -> tuple[Redirect, ...]:
    """Redirections that write a file."""
    to_file = (r for r in part.redirects if r.operator not in ("<", ">&", "<&", "<<<", ">&-", "<&-"))
    return tuple(r for r in to_file if r.target.text not in SINKS)


def _touches_protected(parsed: Parsed) -> str:
    """Whether a command that does more than read names a protected place, and which."""
    named = {redirect.target.text: None for part in parsed.seen for redirect in _writes(part)}
    for part in parsed.seen:
        if part.words and part.texts[:2] not in (("git", "add"), ("git", "commit")) and reads(part) is None:
            named.update((text, None) for word in part.words[1:] for text in (word.text, word.text.partition("=")[2]))
    for text in named:
        if text and not any(c in text for c in "\n ") and (why := protection(text)):
            return f"{text} is protected: {why}"
    return ""


@dataclass(frozen=True, slots=True)
class Looked:
    """A command line part by part: those neither reading nor allowed by a rule, why, and whether all of it reads."""

    left: tuple[Part, ...]
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
        if reason is None or (_plainly(part, folders, policy) and any(runs(rule, part) for rule in allowed)):
            continue
        left.append(part)
        why = why or reason
    return Looked(tuple(left), why, only)


def _plainly(part: Part, folders: frozenset[str], policy: Policy) -> bool:
    """Whether nothing stands around a command that a rule about its words does not speak of."""
    return not part.assigned and all(_redirect_reason(r, folders, policy) is None for r in part.redirects)


def _placed(parts: tuple[Part, ...]) -> Iterator[tuple[Part, frozenset[str]]]:
    """Each part with the folders it may run in: a ``cd`` counts for what follows, certainly only behind ``&&``."""
    possible = current = frozenset([""])
    for part in parts:
        yield part, current
        found = reads(part)
        if found is not None and found.enters:
            entered = frozenset(posixpath.join(folder, found.enters) for folder in current)
            possible |= entered
            current = entered if part.joined == "&&" else possible
        elif part.joined not in ("&&", "|"):
            current = possible


def _open_reason(part: Part, folders: frozenset[str], policy: Policy) -> str | None:
    """Why a part needs a question; None when it needs none, an empty text when there is nothing special to say."""
    if len(folders) > FOLDERS_OF_ONE_LINE:
        return "it changes folders too often"
    for redirect in part.redirects:
        reason = _redirect_reason(redirect, folders, policy)
        if reason is not None:
            return reason
    found = reads(part)
    if found is not None:
        return _look_reason(found, folders, policy)
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
    away = next((why for place in places if (why := _reach(Look(place), policy))), "")
    if away or not _all_edits(tuple(places), policy):
        return away or f"it writes {target}"
    return None


def _look_reason(found: Reads, folders: frozenset[str], policy: Policy) -> str | None:
    if found.git and policy.git_runs:
        return f"git would run {policy.git_runs[0]} of this repository"
    for folder in folders:
        for path in found.paths:
            look = Look(posixpath.join(folder, path), found.shows, found.deep, found.hidden)
            if why := _reach(look, policy):
                return why
    return None


def _reach(look: Look, policy: Policy) -> str:
    """Why a path must not be read without a question."""
    if look.path in SINKS or look.path == "-":
        return ""
    if _outside(look.path, policy.root):
        return f"{look.path} is outside the work tree"
    if any(covers(_folded(rule), _folded(posixpath.normpath(look.path))) for rule in rest_of(policy.deny, "read")):
        return f"{look.path} may not be read"
    if look.shows and (_may_be_secret(look.path) if policy.reach is None else is_secret_file(look.path)):
        return f"{look.path} may hold keys and passwords"
    return policy.reach(look) if policy.reach is not None else ""


SECRET_EXAMPLES = (".env", ".env.local", "id_rsa", "server.pem", "tls.key", "credentials.json", "secrets.yml", ".netrc")


def _may_be_secret(path: str) -> bool:
    """Whether a path, which may be a glob, could name a file with keys."""
    folder, _, name = path.rpartition("/")
    if not any(c in path for c in "*?["):
        return is_secret_file(path)
    likely = [example for example in SECRET_EXAMPLES if name.startswith(".") or not example.startswith(".")]
    return "[" in path or is_secret_file(f"{folder}/x") or any(covers(name, example) for example in likely)
