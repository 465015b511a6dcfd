"""Decides what may run in a session: the user's mode and rules, grants during the session, and memory's own rule."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from ctxe.domain.errors import ConfigError
from ctxe.domain.tool import Action, Allow, Ask, Decision, Deny
from ctxe.project.servers.lazy import rules
from ctxe.repo.git import Git
from ctxe.safety.paths import reach
from ctxe.safety.permissions import Mode, Policy, decide
from ctxe.safety.programs import configured_programs, own_program

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.sandbox import CommandSandbox

PLAN = "proposal"
"""Pseudo-tool for approving a plan; the user answers with a mode for the work (``mode:ask``)."""
MEMORY = ("remember", "record_failure")


class Permit:
    """Permissions of one session. ``interactive``: a person can be asked; ``sandbox``: for unapproved calls."""

    def __init__(self, project: Project, *, interactive: bool, sandbox: Callable[[], CommandSandbox]) -> None:
        self.project, self.interactive, self.sandbox = project, interactive, sandbox
        self.mode: Mode = project.config.approval.mode
        self.first_mode: Mode = self.mode
        self.granted: list[str] = []

    def decide(self, action: Action) -> Decision:
        """Allow, ask or deny an action. Writes to the memory inbox need no approval when nobody can be asked."""
        if action.tool in MEMORY:
            asks = self.interactive and self.project.config.memory.remember == "ask"
            return Ask("it will be remembered for later sessions") if asks else Allow()
        if action.tool == PLAN:
            return Ask() if self.interactive else Deny("nobody is here to approve it: say the plan as your answer")
        return decide(action, self.policy)

    @property
    def policy(self) -> Policy:
        """The user's current permissions."""
        approval = self.project.config.approval
        allow, deny = rules(self.project)
        return Policy(
            self.mode,
            (*approval.allow, *allow),
            (*approval.deny, *deny),
            tuple(self.granted),
            self.interactive,
            self.mode == "auto" and self.sandbox().active,
            str(self.project.root),
            reach(self.project.root, self._is_content),
            configured_programs(self.project.root),
            own_program(self.project.root, self.project.environment.get("PATH", "").split(os.pathsep)),
        )

    def _is_content(self, place: Path, name: str) -> bool:
        return Git(place, self.project.environment).is_content(name)

    def current_mode(self) -> str:
        """The current mode."""
        return self.mode

    def switch(self, name: str) -> None:
        """Change the mode. Raises ConfigError for an unknown one."""
        for mode in get_args(Mode):
            if mode == name:
                self.mode = mode
                return
        raise ConfigError(f"no approval mode {name!r}", "one of " + ", ".join(get_args(Mode)))

    def grant(self, rule: str) -> None:
        """Record that the user said "always", or approved a plan in a mode."""
        kind, _, mode = rule.partition(":")
        if kind == "mode":
            self.switch(mode)
        else:
            self.granted.append(rule)

    def description(self) -> str:
        """The mode and the grants, for people."""
        return self.mode + (f"; always: {', '.join(self.granted)}" if self.granted else "")

    def notices(self) -> tuple[str, ...]:
        """Lines for a person before the first turn: the sandbox in auto mode, and rules that can match nothing."""
        from ctxe.safety.rules import problem

        approval = self.project.config.approval
        rules = (*approval.allow, *approval.deny)
        wrong = [f"rule {rule!r}: {why}" for rule in rules if (why := problem(rule))]
        return (*([self.sandbox().says] if self.mode == "auto" else []), *wrong)
