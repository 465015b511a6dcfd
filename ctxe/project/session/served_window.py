"""Finds the window with which the user's own server runs the session's model, before the window fills up."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ctxe.domain.errors import ConfigError
from ctxe.domain.model import Model
from ctxe.domain.value import dataclass, field, replace
from ctxe.project import models
from ctxe.providers import catalog
from ctxe.providers.local import WIDER

if TYPE_CHECKING:
    from ctxe.project import Project

TIMES = 2
"""Turns before which a server is asked: one that loads its model on the first request knows the window only then."""


@dataclass(slots=True)
class ServedWindow:
    """Asks in the background while the user types (``ask_ahead``), else before the first turn.

    It waits for a server that has to load the model: the first request would wait as long.
    """

    project: Project
    model_id: str = ""
    asked: int = 0
    window: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask_ahead(self, model: Model) -> None:
        """Ask the server, unless it was asked about this model before."""
        with self.lock:
            if self.model_id != model.id:
                self._ask(model)

    def __call__(self, model: Model) -> Model:
        """The model with the window that its server really uses."""
        with self.lock:
            if self.model_id != model.id or (self.window is None and self.asked < TIMES):
                self._ask(model)
            return replace(model, window=self.window) if self.window else model

    def set_window(self, model: Model, window: int) -> None:
        """Use the window that the provider reported when a request was too long."""
        with self.lock:
            self.model_id, self.window = model.id, window

    def _ask(self, model: Model) -> None:
        self.asked = self.asked + 1 if self.model_id == model.id else 1
        self.model_id, self.window = model.id, None
        if not models.model_settings(self.project, model.id).get("window"):
            load = models.idle_seconds(self.project, model)
            self.window = models.window_served(self.project, model.id, load=load)


def narrow_window_lines(project: Project, model: Model) -> list[str]:
    """A line for a model that its server runs with a smaller window than it could have, and how to widen it."""
    try:
        most = catalog.find(model.id, project.config.models).window
    except ConfigError:
        return []
    if model.window >= most:
        return []
    wider = f"; a wider one, for instance: {WIDER[model.provider]}" if model.provider in WIDER else ""
    return [f"{model.id} runs with a window of {model.window:,} tokens here, of {most:,} that it could have{wider}"]
