"""The composition root: settings and a folder in, the working parts out; the only package that knows every part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxe import config
from ctxe.project import place

if TYPE_CHECKING:
    from ctxe.context.budget import Budget
    from ctxe.domain.model import Model


@dataclass(frozen=True)
class Project:
    """A folder with its settings; parts are made when they are first asked for, and imported only then."""

    place: place.Place
    loaded: config.Loaded
    environment: Mapping[str, str]

    @classmethod
    def open(
        cls, start: Path, environment: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None
    ) -> Project:
        """The project around a folder. ``flags`` are settings by section. Raises ConfigError."""
        environment = config.read_environment() if environment is None else environment
        user = config.user_folder(environment)
        where = place.find(start, user, config.cache_folder(environment))
        return cls(where, config.load(where.root, environment, flags), environment)

    @property
    def config(self) -> config.Config:
        """The merged settings."""
        return self.loaded.config

    @property
    def root(self) -> Path:
        """The repository's root folder."""
        return self.place.root

    @cached_property
    def model(self) -> Model:
        """The model that answers here. Raises ConfigError when it is unknown."""
        from ctxe.project.models import choose

        return choose(self)

    @cached_property
    def budget(self) -> Budget:
        """What one request may hold."""
        from ctxe.project.models import budget_for

        return budget_for(self, self.model)
