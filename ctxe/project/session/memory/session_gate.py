"""The gate of a session: tells of a known failure before the call that would repeat it, or with that call's result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ctxe.domain.tool import ANSWERED, Action, KnownFailure, ToolOutput
from ctxe.domain.value import dataclass, field
from ctxe.knowledge.failures.calls import call_key
from ctxe.knowledge.failures.commands import plain_command
from ctxe.knowledge.failures.failed_runs import capture
from ctxe.knowledge.failures.gate import Failed, Gate, Match
from ctxe.knowledge.failures.remembered import Group, lesson
from ctxe.knowledge.failures.signature import kind_signature
from ctxe.knowledge.failures.slips import is_silent
from ctxe.knowledge.fence import fence

Mode = Literal["tell", "stop", "off"]
HERE = f"{ANSWERED} in this session and nothing has changed since, so it was not run again"
EARLIER = f"{ANSWERED} in an earlier session and the files it depends on are as they were, so it was not run"
AGAIN = "Call it again as it is to run it all the same."
LIKE = "this failure was met before"
LIKE_HERE = "this very call failed in this session and nothing has changed since"
TICK = 0.001
"""Precision of the log's times in seconds: they are truncated to it."""


@dataclass(slots=True)
class SessionGate:
    """Asks the gate about actions; each remembered failure is noted once per session.

    ``digest_of`` hashes a file of the project; ``hashes_before`` holds the hashes of files that the running actions
    will change. ``changed_since`` says whether anybody changed the project, or what is installed for it, after a time
    (unix seconds).
    """

    gate: Gate
    mode: Mode
    root: str
    digest_of: Callable[[str], str]
    hashes_before: dict[str, str] = field(default_factory=dict)
    known_failures: dict[str, Group] = field(default_factory=dict)
    noted: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    changed_since: Callable[[float], bool] | None = None

    def learn(self, groups: tuple[Group, ...]) -> None:
        """Replace the known failures by the current ones from memory."""
        self.gate.learn(groups)
        held = [group for group in groups if group.status in ("open", "resolved")]
        kinds = ((kind_signature(group.entry.error), group) for group in reversed(held))
        self.known_failures = {kind: group for kind, group in kinds if kind}
        self.known_failures |= {group.signature: group for group in held}

    def known_failure(self, action: Action) -> KnownFailure | None:
        """What is known of an action that is about to run; None for nothing."""
        if self.mode == "off":
            return None
        # A server's tool is reached by a `use` call, and the log has only that call.
        called = "use" if "/" in action.tool else action.tool
        key = call_key(called, action.arguments, self.root)
        command = plain_command(action.command, self.root) if action.command else ""
        match = self.gate.match(key, command, self.digest_of)
        if match and match.exact and match.failed.changes is not None and self._changed_meanwhile(match.failed):
            match = self.gate.match(key, command, self.digest_of)
        if match is None:
            return None
        if match.exact and not match.answered:
            self.gate.answered(key)
            return self._answer(match, "answer" if self.mode == "tell" else "ask")
        if match.failed.changes is not None:
            return KnownFailure(match.failed.signature, match.failed.lesson, "", "note") if match.exact else None
        if command:
            return self._note_for_question(match.failed)
        return self._note_once(match.failed.signature, match.failed.lesson)

    def recognise(self, output: ToolOutput) -> KnownFailure | None:
        """What earlier sessions know of a failure that just happened; None for nothing.

        A failure matches by its error. Where the error says nothing specific, the same command is enough; the same
        command with another error is another failure.
        """
        draft = capture(output.facts or {}, self.root) if self.mode != "off" else None
        if draft is None:
            return None
        group = self.known_failures.get(draft.signature) or self.known_failures.get(kind_signature(draft.error))
        if group is not None:
            return self._note_once(group.signature, lesson(group))
        like = self.gate.like(draft.command) if is_silent(draft.error) else None
        return self._note_once(like.signature, like.lesson) if like else None

    def note_hashes(self, action: Action) -> None:
        """Note the hashes of the files that an approved action will change."""
        self.hashes_before = {path: self.digest_of(path) for path in action.paths}

    def _changed_meanwhile(self, failed: Failed) -> bool:
        """Whether anything changed on disk since the failure; the gate is told so.

        False for a failure that depends on its own file alone or that a person refused.
        """
        if self.changed_since is None or failed.alone or failed.refused:
            return False
        if failed.at and not self.changed_since(failed.at + TICK):
            return False
        self.gate.changed()
        return True

    def _note_for_question(self, failed: Failed) -> KnownFailure | None:
        """A note for the approval question only: whether the command fails the same way is known after it ran."""
        if failed.signature in self.shown:
            return None
        self.shown.add(failed.signature)
        return KnownFailure(failed.signature, failed.lesson, "", "note")

    def _note_once(self, signature: str, lesson: str) -> KnownFailure | None:
        if signature in self.noted:
            return None
        self.noted.add(signature)
        return KnownFailure(signature, lesson, f"[ctxe: {LIKE}]\n{_fenced(signature, lesson)}", "note")

    def _answer(self, match: Match, way: Literal["answer", "ask"]) -> KnownFailure:
        """What the gate says, in place of the call (``answer``) or with the question to a person (``ask``)."""
        failed = match.failed
        earlier = failed.changes is None
        if way == "ask":  # a person decides whether it runs: the model only learns what failed
            says = f"[ctxe: {LIKE if earlier else LIKE_HERE}]"
        else:
            says = f"{EARLIER if earlier else HERE}. {AGAIN}]"
        return KnownFailure(failed.signature, failed.lesson, f"{says}\n{_fenced(failed.signature, failed.lesson)}", way)


def _fenced(signature: str, lesson: str) -> str:
    return fence(lesson, f"failure {signature[:8]}").text
