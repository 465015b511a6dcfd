"""Who decides what runs in a session: the user's mode and rules, what was granted on the way, memory's own rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.domain.tool import Action, Allow, Ask, Decision, Deny, Risk

if TYPE_CHECKING:
    from ctxe.project import Project

MEMORY = ("remember", "record_failure")


class Permit:
    """Permissions of one session. ``interactive``: a person can be asked; ``sandboxed``: commands run in a sandbox."""

    def __init__(self, project: Project, interactive: bool, sandboxed: bool) -> None:
        self.project, self.interactive, self.sandboxed = project, interactive, sandboxed
        self.mode: str = project.config.approval.mode
        self.granted: list[str] = []

    def decide(self, action: Action) -> Decision:
        """Allow, ask or deny an action. What goes to the memory inbox needs no question where nobody can be asked."""
        if action.tool in MEMORY:
            return Ask("it will be remembered for later sessions") if self.interactive else Allow()
        if action.risk is Risk.READ:
            return Allow()
        if action.risk is Risk.WRITE and self.mode in ("auto-edit", "auto"):
            return Allow()
        return Ask() if self.interactive else Deny("nobody is here to ask")

    def grant(self, rule: str) -> None:
        """The user said always."""
        self.granted.append(rule)

    def words(self) -> str:
        """The mode, and what was granted, for people."""
        return self.mode + (f"; always: {', '.join(self.granted)}" if self.granted else "")

    def notices(self) -> tuple[str, ...]:
        """What a person should know before the first word."""
        return ()
