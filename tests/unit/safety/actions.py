"""Makes actions and policies, for tests of permissions."""

from typing import Any

from ctxe.domain.tool import Action, Risk
from ctxe.safety.permissions import Policy

ASK = Policy(root="/w/repo")
AUTO = Policy(mode="auto", sandboxed=True, root="/w/repo")


def command(line: str) -> Action:
    return Action("run_command", "run", Risk.EXECUTE, lambda: iter(()), command=line)


def edit(*paths: str, tool: str = "edit_file") -> Action:
    return Action(tool, "edit", Risk.WRITE, lambda: iter(()), paths=paths)


def read(*paths: str) -> Action:
    return Action("read_file", "read", Risk.READ, lambda: iter(()), paths=paths)


def other(risk: Risk, tool: str = "mcp__x__y") -> Action:
    return Action(tool, "call", risk, lambda: iter(()))


def with_(policy: Policy, **changes: Any) -> Policy:
    import dataclasses

    return dataclasses.replace(policy, **changes)
