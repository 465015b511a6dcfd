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
class Fitting:
    """Asks in the background while the user types (``ahead``), else before the first turn.

    It waits for a server that has to load the model: the first request would wait as long.
    """

    project: Project
    of: str = ""
    times: int = 0
    served: int | None = None
    asking: threading.Lock = field(default_factory=threading.Lock)

    def ahead(self, model: Model) -> None:
        """Ask the server, unless it was asked about this model before."""
        with self.asking:
            if self.of != model.id:
                self._ask(model)

    def __call__(self, model: Model) -> Model:
        """The model with the window that its server really uses."""
        with self.asking:
            if self.of != model.id or (self.served is None and self.times < TIMES):
                self._ask(model)
            return replace(model, window=self.served) if self.served else model

    def know(self, model: Model, window: int) -> None:
        """Use the window that the provider reported when a request was too long."""
        with self.asking:
            self.of, self.served = model.id, window

    def _ask(self, model: Model) -> None:
        self.times = self.times + 1 if self.of == model.id else 1
        self.of, self.served = model.id, None
        if not models.stated(self.project, model.id).get("window"):
            load = models.idle_seconds(self.project, model)
            self.served = models.window_served(self.project, model.id, load=load)


def narrower(project: Project, model: Model) -> list[str]:
    """A line for a model that its server runs with a smaller window than it could have, and how to widen it."""
    try:
        most = catalog.find(model.id, project.config.models).window
    except ConfigError:
        return []
    if model.window >= most:
        return []
    wider = f"; a wider one, for instance: {WIDER[model.provider]}" if model.provider in WIDER else ""
    return [f"{model.id} runs with a window of {model.window:,} tokens here, of {most:,} that it could have{wider}"]
