"""The composition root: builds the working parts from settings and a folder; the only package that knows every part."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxe import config
from ctxe.domain.errors import StoreError
from ctxe.domain.value import dataclass, field, replace
from ctxe.project import place

if TYPE_CHECKING:
    from ctxe.context.budget import Budget
    from ctxe.domain.model import Model
    from ctxe.knowledge.entries.store import Store
    from ctxe.knowledge.recall.ranker import Ranker
    from ctxe.repo.git import Git
    from ctxe.storage.counters import Counters
    from ctxe.storage.pictures import Pictures

CHOSEN = "/model"
"""Origin of a model name that a person chose during a session."""


@dataclass(frozen=True)
class Project:
    """A folder with its settings. Each part is imported and created when it is first used."""

    place: place.Place
    loaded: config.LoadedConfig
    environment: Mapping[str, str]
    flags: Mapping[str, Any] = field(default_factory=dict)
    looks: bool = False
    """The project is only looked at: caches are kept for this process and not written to the tree."""

    @classmethod
    def open(
        cls, start: Path, environment: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None
    ) -> Project:
        """The project around a folder. ``flags`` are settings by section. Raises ConfigError."""
        environment = config.read_environment() if environment is None else environment
        user = config.user_folder(environment)
        home = Path(environment.get("HOME") or "/")
        where = place.find(start, user, config.cache_folder(environment), home, place.person(), environment)
        return cls(where, config.load(where.root, environment, flags), environment, flags or {})

    def again(self, model: str = "", effort: str | None = None) -> Project:
        """The same project with reloaded settings and a session's choice of model and effort. Raises ConfigError."""
        chosen = {**self.flags.get("model", {}), **({"name": model} if model else {})}
        chosen |= {} if effort is None else {"effort": effort}
        made = Project.open(self.place.working, self.environment, {**self.flags, "model": chosen})
        if not model and self.loaded.origins.get("model.name") != CHOSEN:
            return made
        return replace(made, loaded=replace(made.loaded, origins={**made.loaded.origins, "model.name": CHOSEN}))

    @property
    def config(self) -> config.Config:
        """The merged settings."""
        return self.loaded.config

    @property
    def root(self) -> Path:
        """The repository's root folder."""
        return self.place.root

    def settings(self) -> dict[str, tuple[Any, str]]:
        """Every setting by dotted key: its value here and its origin ("default" or a name)."""
        origins = self.loaded.origins
        found = {}
        for key in config.all_settings():
            section, _, name = key.partition(".")
            found[key] = (getattr(getattr(self.config, section), name), origins.get(key, "default"))
        return found

    @cached_property
    def own_cache(self) -> Path:
        """A cache that can be trusted: the folder that this user's ctxe created, or a temporary one.

        The temporary one serves ``looks`` and users whose folder can hold no key. A read-only tree has its cache
        outside.
        """
        from ctxe.storage.private_cache import own_folder, temporary_folder

        if self.looks:
            return temporary_folder(self)
        if not self.place.writable:
            return self.place.cache
        return own_folder(self.place.cache, self.root, self.place.user) or temporary_folder(self)

    @cached_property
    def cache(self) -> Path:
        """The cache folder, hidden from git when it lies in the tree. It may turn out not to be writable."""
        if self.place.writable and not self.looks:
            from ctxe.storage.private_cache import hide

            with contextlib.suppress(StoreError):
                self.store.prepare()
            hide(self.own_cache)
        return self.own_cache

    @cached_property
    def store(self) -> Store:
        """The memory folder; the first write creates it."""
        from ctxe.knowledge.entries.store import Store
        from ctxe.project.secret_guards import check, secret_masker

        own = self.own_keys
        return Store(self.place.memory, self.own_cache, check=check(own), mask=secret_masker(own))

    @cached_property
    def git(self) -> Git:
        """``git`` for the tree at the root."""
        from ctxe.repo.git import Git

        return Git(self.root, self.environment, below=not self.place.git)

    @cached_property
    def pictures(self) -> Pictures:
        """The pictures of this project's sessions."""
        from ctxe.storage.pictures import Pictures

        return Pictures(self.place.sessions / "pictures")

    @cached_property
    def counters(self) -> Counters:
        """Counters that change often: how often failures were seen, memories used."""
        from ctxe.storage.counters import Counters

        return Counters(self.cache / "counters.db")

    @cached_property
    def ranker(self) -> Ranker:
        """Ranks entries of the memory for a query; its index is kept in the cache. Raises ConfigError."""
        from ctxe.knowledge.recall.ranker import Ranker

        if not self.config.retrieval.embeddings:
            return Ranker(self.cache)
        from ctxe.project.planning.meaning import similarity

        return Ranker(self.cache, similar=similarity(self))

    @cached_property
    def own_keys(self) -> tuple[str, ...]:
        """Values of the API keys in the environment, which must reach no model, log or memory."""
        from ctxe.providers.catalog import hosts

        names = {host.key for host in hosts().values() if host.key}
        return tuple(value for name in sorted(names) if (value := self.environment.get(name, "")))

    @property
    def editor(self) -> list[str]:
        """The user's editor as a command; empty when none is named."""
        import shlex

        named = self.environment.get("VISUAL") or self.environment.get("EDITOR") or ""
        try:
            return shlex.split(named)
        except ValueError:  # an unclosed quote
            return [named]

    @property
    def trusted(self) -> bool:
        """Did the user say that they trust this folder?"""
        from ctxe.safety.trust import is_trusted

        return is_trusted(self.place.user, self.root)

    def trust(self, *, trusted: bool = True) -> None:
        """Remember whether the user trusts this folder. Raises StoreError."""
        from ctxe.project.clock import now
        from ctxe.safety.trust import trust

        trust(self.place.user, self.root, now(), trusted=trusted)

    def trusted_folders(self) -> dict[str, str]:
        """Every folder that the user trusts, with the time of that decision."""
        from ctxe.safety.trust import trusted_folders

        return trusted_folders(self.place.user)

    @cached_property
    def model(self) -> Model:
        """The configured model. Raises ConfigError when it is unknown."""
        from ctxe.project.models import choose

        return choose(self)

    @cached_property
    def budget(self) -> Budget:
        """The token budget of one request."""
        from ctxe.project.models import budget_for

        return budget_for(self, self.model)
