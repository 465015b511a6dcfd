"""Deciding whether an action is allowed, asked about or denied: a pure function of the action and the policy."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from ctxe.domain.tool import Action, Allow, Ask, Decision, Deny, Risk
from ctxe.safety.command_lines import decide_command
from ctxe.safety.policy import Mode, Policy, ReadPath, folded, may_edit, outside
from ctxe.safety.protected import protection
from ctxe.safety.rules import covers, rest_of, rule_for_file
from ctxe.safety.secrets import is_secret_file

__all__ = ["Mode", "Policy", "ReadPath", "decide"]


def decide(action: Action, policy: Policy) -> Decision:
    """Allow, Ask or Deny. A deny rule always holds; an Ask becomes a Deny when nobody can answer."""
    decision = _decide(action, policy)
    if isinstance(decision, Ask) and not policy.interactive:
        return Deny(_unanswered(action, decision))
    return decision


def _unanswered(action: Action, ask: Ask) -> str:
    """One line for the model and the user: why the action needs approval, and how to give it beforehand."""
    reason = f" ({ask.why})" if ask.why else ""
    hint = f"; the user could allow {ask.rule!r} in their own settings" if ask.rule else ""
    subject = "this command" if action.command else action.tool
    return f"{subject} needs a person's approval{reason} and nobody is there to give it{hint}"


def _decide(action: Action, policy: Policy) -> Decision:
    if _named(action.tool, policy.deny):
        return Deny(f"the rule tool:{action.tool} forbids it")
    if action.is_background and policy.mode == "read-only":
        return Deny("this session only reads: it has no background jobs")
    if action.command:
        return decide_command(action, policy)
    if action.address:
        return _page(action, policy)
    if action.risk is Risk.READ:
        return _read(action, policy)
    if action.risk is Risk.WRITE:
        return _write(action, policy)
    if policy.mode == "read-only":
        return Deny("this session only reads")
    if action.changed:
        return Ask(action.changed)
    if _named(action.tool, policy.given):
        return Allow()
    return Ask(
        "it acts outside of ctxe" if action.risk is Risk.EXECUTE else "it reaches the network", f"tool:{action.tool}"
    )


def _named(tool: str, rules: Iterable[str]) -> bool:
    """Whether a ``tool`` rule names a tool, or matches it by a pattern (``github/*``)."""
    return any(fnmatchcase(tool, rule) for rule in rest_of(rules, "tool"))


def _denied_path(action: Action, policy: Policy, kind: str) -> Deny | None:
    """A Deny if a rule of this kind matches one of the action's paths, ignoring case and Unicode form."""
    for rule in rest_of(policy.deny, kind):
        if any(covers(folded(rule), folded(path)) for path in action.paths):
            return Deny(f"the rule {kind}:{rule} forbids it")
    return None


def _read(action: Action, policy: Policy) -> Decision:
    if (denied := _denied_path(action, policy, "read")) is not None:
        return denied
    secret_paths = [path for path in action.paths if is_secret_file(path)]
    allowed = rest_of(policy.given, "read")
    secret_path = next((path for path in secret_paths if not any(covers(rule, path) for rule in allowed)), None)
    if secret_path is None:
        return Allow()
    return Ask(f"{secret_path} may hold keys and passwords", "read:" + rule_for_file(secret_path).partition(":")[2])


def _page(action: Action, policy: Policy) -> Decision:
    """The decision on a web page: asked about in every mode, read-only included, unless a rule names its host."""
    from ctxe.safety.addresses import denying_rule, is_allowed, parse_address

    address = parse_address(action.address)
    if rule := denying_rule(policy.deny, address):
        return Deny(f"the rule host:{rule} forbids it")
    if is_allowed(policy.given, address):
        return Allow()
    return Ask("its host sees your request and everything in the address", f"host:{address.authority}")


def _write(action: Action, policy: Policy) -> Decision:
    if (denied := _denied_path(action, policy, "edit")) is not None:
        return denied
    if policy.mode == "read-only":
        return Deny("this session only reads")
    if (outside_path := next((path for path in action.paths if outside(path, policy.root)), None)) is not None:
        return Deny(f"{outside_path} is outside the work tree")
    for path in action.paths:
        if reason := protection(path):
            return Ask(f"{path} is protected: {reason}")
    if _named(action.tool, policy.given) or (action.paths and may_edit(action.paths, policy)):
        return Allow()
    return Ask("", rule_for_file(action.paths[0]) if len(action.paths) == 1 else "")
