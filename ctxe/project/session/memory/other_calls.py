"""What calls other than commands mean for the gate and the memory: a read, an edit, a refusal, another tool."""

from __future__ import annotations

from collections.abc import Iterator

from ctxe.agent.state import State
from ctxe.domain.conversation import ToolCall
from ctxe.domain.events import ToolFinished
from ctxe.domain.value import dataclass, field
from ctxe.knowledge.failures import captures
from ctxe.knowledge.failures.calls import call_key
from ctxe.knowledge.failures.gate import DIGITS, Failed
from ctxe.knowledge.failures.pairing import Watch
from ctxe.knowledge.failures.recorded_calls import RecordedCall, recorded_call
from ctxe.knowledge.failures.settling import FailureNews
from ctxe.knowledge.failures.signature import refusal_signature
from ctxe.knowledge.failures.slips import is_outside_error
from ctxe.lexical.tables import word_set
from ctxe.project.session.memory.session_gate import SessionGate

MOST_SAID = 200
"""Most characters of a tool's message that the gate repeats."""
QUIET = word_set("delegate find_tools list_files recall record_failure remember search update_todo")
"""Our own tools that change nothing another call could depend on."""


@dataclass(slots=True)
class OtherCalls:
    """Takes in each call after it ended. ``missed`` holds the signatures of edits that did not apply so far."""

    watch: Watch
    session_gate: SessionGate
    session: str
    missed: set[str] = field(default_factory=set)

    def note_answered(self, event: ToolFinished, state: State) -> None:
        """Note that the gate answered this call: when it is asked again, it runs."""
        if call := _call(event, state):
            self.session_gate.gate.answered(call_key(call.name, call.arguments, self.session_gate.root))

    def take_in(self, event: ToolFinished, state: State) -> Iterator[FailureNews]:
        """Tell the gate what the call changed or how it failed; yields the saved failures. Raises StoreError."""
        call = _call(event, state)
        if call is None or call.name in QUIET or "stopped" in event.facts:
            return
        found = recorded_call(call.name, call.arguments, event.result.text, event.result.ok)
        if event.result.ok:
            self._succeeded(found)
        elif found.failed:
            self._failed(event, call, found)
            yield from self._save(event, found)

    def _succeeded(self, found: RecordedCall) -> None:
        for path in found.paths if found.kind == "look" else ():
            self.watch.gate.looked(path)
        if found.kind == "other":
            self.watch.gate.changed()

    def _failed(self, event: ToolFinished, call: ToolCall, found: RecordedCall) -> None:
        """Let the gate know the failed call until something changes."""
        text, root, memory = event.result.text, self.session_gate.root, self.watch.memory
        refused = str(event.facts.get("refused", ""))
        message = refused or text.partition("\n[ctxe:")[0]
        lesson = f"{event.title or call.name}: {' '.join(message.split())[:MOST_SAID]}"
        self.watch.gate.failed(
            Failed(
                call_key(call.name, call.arguments, root),
                refusal_signature(call.name, text, root),
                lesson,
                files={path: memory.digest_of(path)[:DIGITS] for path in found.paths},
                alone=found.kind in ("edit", "look"),
                refused=bool(refused),
                passing=is_outside_error(lesson),
                at=memory.store.now(),
            )
        )

    def _save(self, event: ToolFinished, found: RecordedCall) -> Iterator[FailureNews]:
        """Save a refusal by a person, and an edit that did not apply for the second time.

        A model's misuse of its tools tells a later session nothing, nor does one slip that it corrected.
        """
        if "refused" in event.facts:
            draft = captures.refused_action(event.title, str(event.facts["refused"]), self.session, found.paths)
            yield from self.watch.keep(draft)
        elif "unapplied" in event.facts and found.paths:
            path, text = found.paths[0], event.result.text
            unapplied = captures.unapplied_edit(event.tool, path, text, self.session, self.session_gate.root)
            known = unapplied.signature in self.session_gate.known_failures or unapplied.signature in self.missed
            self.missed.add(unapplied.signature)
            yield from self.watch.keep(unapplied, f"edit {path}") if known else ()


def _call(event: ToolFinished, state: State) -> ToolCall | None:
    """The tool call of a finished event; None when it is not the model's."""
    return next((c for c in (state.pending.calls if state.pending else ()) if c.id == event.result.call_id), None)
