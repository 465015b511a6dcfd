"""A running session with everything around it: what the chat loop and the slash commands may do."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ctxe import __version__
from ctxe.agent.dispatch import Dispatcher
from ctxe.agent.log import to_record
from ctxe.agent.session import Session
from ctxe.agent.state import State
from ctxe.agent.summarize import Summarizer
from ctxe.agent.turn import Ports
from ctxe.domain.conversation import ToolCall, Touch
from ctxe.domain.errors import ConfigError
from ctxe.domain.events import (
    EpochStarted,
    Event,
    FileChosen,
    Folded,
    ModelChosen,
    Notice,
    Pinned,
    Queued,
    Recorded,
    ToolFinished,
    Unfolded,
)
from ctxe.domain.ledger import Ledger
from ctxe.domain.model import Model
from ctxe.domain.past import Forecast, Past
from ctxe.domain.section import Chunk
from ctxe.domain.tool import Allow, Ask
from ctxe.knowledge.skills.page import PREFIX
from ctxe.knowledge.skills.page import page as skill_page
from ctxe.project.commit import commit, message_for
from ctxe.project.compacting import Preview, preview
from ctxe.project.compose import Composer
from ctxe.project.folds import Folds
from ctxe.project.models import choice, choose, vocabulary_of
from ctxe.project.past import past
from ctxe.project.recalling import recalled
from ctxe.safety.secrets import hide_own
from ctxe.storage.vocabulary import encoding

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.kit import Kit
    from ctxe.project.permit import Permit
    from ctxe.project.undo import Undo


LEAST_SKILL = 600
"""Tokens that a module gets which the user asks for, however small the window."""


@dataclass(frozen=True, slots=True)
class Wired:
    """What depends on the model that answers."""

    folds: Folds
    dispatcher: Dispatcher
    ports: Ports
    summarizer: Summarizer | None = None


@dataclass(slots=True)
class Live:
    """One session at work. ``rewire`` makes the parts that depend on the model anew, for another one; ``against``
    counts it against the memories a turn leaned on that the user took it back.
    """

    project: Project
    session: Session
    wired: Wired
    undo: Undo
    permit: Permit
    kit: Kit
    rewire: Callable[[Model], Wired]
    notices: tuple[str, ...] = ()
    against: Callable[[int], Iterator[Event]] = lambda _: iter(())

    @property
    def composer(self) -> Composer:
        """What composes this session's requests."""
        return self.wired.folds.composer

    @property
    def model(self) -> Model:
        """The model that answers."""
        return self.session.ports.provider.model

    def turn(self, words: str) -> Iterator[Event]:
        """One turn as events; see Session.turn. A key of ours in the words (pasted, piped in) goes nowhere."""
        words, keys = hide_own(words, self.kit.own)
        if keys:
            yield from self.session.emit(Notice("your API key was taken out of your words", "warning"))
        self.undo.begin(words, len(self.session.state.conversation.turns) + 1)
        yield from self.session.turn(words)

    def ledger(self, words: str = "") -> Ledger:
        """The account of the request that would be sent for these words. Raises BudgetError."""
        return self.composer.preview(words, self.session.state)

    def past(self) -> Past:
        """Every request of this session so far, as its log has them."""
        path = self.session.log.path
        return past(self.project, path) if path.exists() else Past(self.session.id, self.project.root.name)

    def forecast(self, so_far: Past) -> Forecast | None:
        """When the next fold comes and what it and the next request cost, by what the latest steps added."""
        return self.wired.folds.forecast(self.session.state, so_far.grown())

    def switch(self, name: str) -> Iterator[Event]:
        """Talk to another model from now on. Raises ConfigError."""
        self.wired = self.rewire(choose(self.project, name))
        self.session.ports = self.wired.ports
        yield from self.session.emit(ModelChosen(self.model.id))

    def preview_fold(self, focus: str = "") -> Preview | None:
        """What a fold now would do, item by item; None when there is nothing to fold."""
        return preview(self._standing(), self.wired.folds, focus)

    def compact(self, focus: str = "") -> Iterator[Event]:
        """Fold now, at the user's word, and keep in sight what bears on the words of ``focus``."""
        if (planned := self.preview_fold(focus)) is None:
            yield Notice("nothing to fold yet")
            return
        if self.wired.summarizer and self.project.config.fold.summary != "checkpoint":
            yield from self.checkpoint(focus)
            planned = self.preview_fold(focus) or planned
        before, after = planned.before.used, planned.after.used
        yield from self.session.emit(Folded(replace(planned.fold, tokens_before=before, tokens_after=after)))
        yield from self.session.emit(EpochStarted(self.composer.standing(self.session.state)))

    def checkpoint(self, focus: str = "") -> Iterator[Event]:
        """Have a model sum up the session; from the next fold on it stands beside the record."""
        if self.wired.summarizer is None or not self.session.state.conversation.turns:
            yield Notice("nothing to sum up yet" if self.wired.summarizer else "there is no model to ask")
            return
        for event in self.wired.summarizer(self.session.state, focus):
            yield from self.session.emit(event)

    def uncompact(self) -> Iterator[Event]:
        """Take the newest fold back."""
        if not self.session.state.folds:
            yield Notice("nothing is folded")
            return
        yield from self.session.emit(Unfolded())

    def recall(self, words: str) -> str:
        """What was folded or shortened, by its handle, or what best matches words here and in memory; else empty."""
        return recalled(self.project, self.session.state, words)

    def pin(self, text: str, *, pinned: bool = True) -> Iterator[Event]:
        """Keep a text in every request, or no longer."""
        yield from self.session.emit(Pinned(text, pinned))
        if pinned:
            yield from self.queue(
                f"pin {len(self.session.state.pins)}", f"[the user pins this] {text}", "you pinned it"
            )

    def choose_file(self, path: str, choice: str) -> Iterator[Event]:
        """Put a file before the model with the next words (add, read-only), or take it off that list (drop).

        ``path`` counts from the root, else from where the user stands. Raises ConfigError when there is no such file.
        """
        if choice not in ("add", "read-only", "drop"):
            raise ValueError(choice)
        place = self.project.place
        found = next((base / path for base in (place.root, place.working) if (base / path).is_file()), None)
        if found is None and choice != "drop":
            raise ConfigError(f"no file {path}", "name a file of this project")
        path = os.path.relpath(found, place.root) if found else path
        yield from self.session.emit(FileChosen(path, choice))  # type: ignore[arg-type]

    def queue(self, name: str, text: str, why: str) -> Iterator[Event]:
        """Tell the model something with the user's next words."""
        yield from self.session.emit(Queued((Chunk(name, text, why),)))

    def touched(self) -> dict[str, Touch]:
        """Files that tools read or changed in this session."""
        return self.session.state.conversation.touched()

    def took_back(self) -> Iterator[Event]:
        """What the last undo means for the memory."""
        if self.undo.undone:
            for event in self.against(self.undo.undone):
                yield from self.session.emit(event)

    def mode(self, name: str) -> None:
        """Who decides what runs, from now on in this session. Raises ConfigError."""
        self.permit.switch(name)

    def policy_words(self) -> str:
        """The approval mode and what was granted, in words."""
        return self.permit.words()

    def banner(self) -> str:
        """Where we are, with whom, and who decides: one line for the start."""
        why = choice(self.project).why
        return f"ctxe {__version__} in {self.project.root}: {self.model.id} ({why}), approval {self.permit.words()}"

    def status_words(self) -> str:
        """Model, tokens, money and mode: the row below the input line."""
        state = self.session.state
        used = f"{state.ledger.used:,} of {state.ledger.usable:,} tokens" if state.ledger else "nothing sent yet"
        money = f"${state.usd:.4f}" if self.model.prices else "no price"
        if limit := self.project.config.budget.max_cost:
            money += f" of ${limit:.2f}"
        return f"{self.model.id}  {used}  {money}  {self.permit.mode}"

    def run_for_user(self, command: str) -> Iterator[Event]:
        """Run a command at the user's own word; the model is told of it with the user's next words.

        It is shown, logged and interrupted like a call of the model's.
        """
        self.undo.begin(f"!{command}", len(self.session.state.conversation.turns))
        tools = {self.kit.shell.name: self.kit.shell}
        runs = replace(self.wired.dispatcher, tools=tools, decide=lambda _: Ask(), approve=lambda *_: Allow())
        call = ToolCall(f"user_{self.session.log.count}", self.kit.shell.name, json.dumps({"command": command}))
        for event in runs(call):
            if not isinstance(event, ToolFinished):
                yield from self.session.emit(event)
                continue
            yield from self.session.emit(replace(event, facts={**event.facts, "by": "user"}))
            yield from self.undo.end()
            yield from self.queue(f"$ {command}", f"[the user ran `{command}`]\n{event.result.text}", "you ran it")

    def remember(self, words: str) -> Iterator[Event]:
        """Keep a note of the user's as a fact, and tell the model. Raises StoreError."""
        entry = self.project.remember(words, session=self.session.id)
        yield from self.session.emit(Recorded("fact", entry.id, entry.title, "user", entry.path))
        yield from self.queue(entry.id, f"[remembered by the user] {words}", "you noted it")

    def held_skills(self) -> tuple[str, ...]:
        """Domain modules that stand in the next request."""
        return tuple(sorted(self.kit.skills.held().visible.union(self.kit.skills.always)))

    def load_skill(self, name: str) -> Iterator[Event]:
        """Tell the model a domain module with the user's next words. Raises ConfigError."""
        from ctxe.project.skilled import named

        skilled = self.kit.skills
        skill = named(skilled.find(), name)
        if skill.name in skilled.held().visible:
            yield Notice(f"{skill.name} is loaded already")
            return
        text = skill_page(skill, max(self.composer.budget.room("skills"), LEAST_SKILL), self.composer.count)
        skilled.used(skill.name)
        yield from self.queue(f"{PREFIX}{skill.name}", self.kit.clean(text), "you asked for it")
        if skill.tools:
            asked = ", ".join(skill.tools[:6])
            yield Notice(f"{skill.name} asks for tools ({asked}): that gives no permission, you are asked as ever")
        yield Notice(f"{skill.name} ({self.composer.count(text):,} tokens) goes with your next words")

    def commit_message(self) -> str:
        """A message for what this session changed; empty when it changed nothing."""
        changed = self.undo.changed()
        return message_for(self.session.state.conversation, changed) if changed else ""

    def commit(self, message: str) -> list[str]:
        """Commit what this session changed; what git says. Raises CtxeError."""
        return commit(self.project.root, self.project.environment, self.undo.changed(), message)

    def warm(self) -> None:
        """Load what the first request needs while the user types: SDK, tokenizer, sources, index. In the background."""
        from ctxe.providers.connect import prefetch

        prefetch(self.session.ports.provider)
        threading.Thread(target=self._look_ahead, name="warm", daemon=True).start()

    def _look_ahead(self) -> None:
        """Compose a request that is not sent; whatever is wrong is met, and told, when it is."""
        with contextlib.suppress(Exception):
            encoding(vocabulary_of(self.model))
            to_record(ModelChosen(self.model.id))
            self.composer.preview("what is this?", self.session.state)

    def settle(self) -> None:
        """Keep what was learnt about token counts for other sessions."""
        self.composer.save()

    def _standing(self) -> State:
        state = self.session.state
        if state.standing is None:
            state = replace(state, standing=self.composer.standing(state))
        return state
