"""Loads and merges settings from every source; the only module that reads the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

from ctxe.config.keys import SERVERS, all_settings, defaults, parse_setting, validate
from ctxe.config.values import Config, ServerSettings
from ctxe.domain.errors import ConfigError, StoreError
from ctxe.domain.value import dataclass
from ctxe.safety.programs import outside
from ctxe.safety.trust import tighten
from ctxe.storage.files import read

PROJECT_FILE = ".ctxe.toml"
SERVERS_FILE = ".mcp.json"
"""The project's file of servers, shared with Claude Code and others: ``{"mcpServers": {NAME: {…}}}``."""

OTHERS = ("CTXE_HOME", "CTXE_MODEL", "CTXE_PROJECT", "CTXE_NOTHING", "CTXE_ENVIRONMENT", "CTXE_TEST_JOBS")
"""ctxe's own variables that are not settings."""

Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A Config, the origin of each setting (dotted key → file, variable or flag), and the values that were refused."""

    config: Config
    origins: Mapping[str, str]
    refused: tuple[str, ...]


def user_folder(environment: Mapping[str, str]) -> Path:
    """The user's ctxe folder: CTXE_HOME, else the platform's folder for settings."""
    if home := environment.get("CTXE_HOME"):
        return Path(home).expanduser()
    if plain := _linux_folder(environment, "XDG_CONFIG_HOME", ".config"):
        return plain
    import platformdirs

    return Path(platformdirs.user_config_dir("ctxe", appauthor=False))


def cache_folder(environment: Mapping[str, str]) -> Path:
    """The user's cache folder, for projects whose own tree is not writable."""
    if home := environment.get("CTXE_HOME"):
        return Path(home).expanduser() / "cache"
    if plain := _linux_folder(environment, "XDG_CACHE_HOME", ".cache"):
        return plain
    import platformdirs

    return Path(platformdirs.user_cache_dir("ctxe", appauthor=False))


def _linux_folder(environment: Mapping[str, str], variable: str, usual: str) -> Path | None:
    """The folder in the usual case on Linux, else None: importing platformdirs takes longer than reading settings."""
    base, home = environment.get(variable, ""), environment.get("HOME", "")
    if sys.platform != "linux" or "ANDROID_ROOT" in environment or not (base or home).startswith("/"):
        return None
    return Path(base or f"{home}/{usual}") / "ctxe"


def read_environment() -> dict[str, str]:
    """The process environment; nothing else in ctxe reads it."""
    return dict(os.environ)


def search_outside(root: Path) -> None:
    """Remove folders inside the repository from this process's PATH: libraries start some programs by bare name.

    The providers' SDKs run ``uname`` to find the processor, for example.
    """
    os.environ["PATH"] = os.pathsep.join(outside(root, os.get_exec_path()))


def user_file(environment: Mapping[str, str]) -> Path:
    """The user's settings file."""
    return user_folder(environment) / "config.toml"


def load(root: Path, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> LoadedConfig:
    """Merge the settings of every source. Raises ConfigError with the file and key at fault."""
    own = user_file(environment)
    settings: dict[str, Any] = {}
    origins: dict[str, str] = {}
    _overlay(settings, origins, read_table(own), str(own))
    project = _flat(read_table(root / PROJECT_FILE))
    validate(project, PROJECT_FILE)
    before = {**defaults(), **settings}
    merged, refused = tighten(before, project)
    for key, value in merged.items():
        if value != before.get(key):
            settings[key], origins[key] = value, PROJECT_FILE
    for key, (value, name) in _from_environment(environment).items():
        settings[key], origins[key] = value, name
    _overlay(settings, origins, flags or {}, "command line")
    return LoadedConfig(_build(settings), origins, tuple(f"{PROJECT_FILE}: {line}" for line in refused))


def read_table(path: Path) -> dict[str, Any]:
    """A settings file as nested tables; empty when there is no file. Raises ConfigError."""
    try:
        if not path.exists():
            return {}
        import tomllib

        # `read` refuses devices: a repository may link to one that never ends
        return tomllib.loads(read(path).decode("utf-8-sig"))
    except StoreError as error:
        raise ConfigError(error.message, "fix or remove the file") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "fix or remove the file") from error


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """Nested tables as dotted keys; a table [models."name"] stays whole under ``models.<name>``."""
    flat: dict[str, Any] = {}
    for section, inner in table.items():
        if isinstance(inner, Mapping):
            flat.update((f"{section}.{key}", value) for key, value in inner.items())
        else:
            flat[section] = inner
    return flat


def _overlay(settings: dict[str, Any], origins: dict[str, str], table: Mapping[str, Any], origin: str) -> None:
    flat = _flat(table)
    validate(flat, origin)
    settings.update(flat)
    origins.update(dict.fromkeys(flat, origin))


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    """(value, variable) by key from CTXE_MODEL and CTXE_<SECTION>_<KEY>; other CTXE_ variables are ignored."""
    found: dict[str, tuple[Any, str]] = {}
    if name := environment.get("CTXE_MODEL"):
        found["model.name"] = (name, "CTXE_MODEL")
    for variable, key in _variables().items():
        if variable in environment:
            found[key] = (parse_setting(key, environment[variable]), variable)
    return found


def _variables() -> dict[str, str]:
    """The key of every setting by its environment variable."""
    return {"CTXE_" + key.replace(".", "_").upper(): key for key in all_settings()}


def unknown_variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    """CTXE_ variables that set nothing: typos, or another program's."""
    return tuple(name for name in environment if name.startswith("CTXE_") and name not in {*_variables(), *OTHERS})


def _build(settings: Mapping[str, Any]) -> Config:
    parts: dict[str, Any] = {}
    for section, kind in get_type_hints(Config).items():
        own = {k.partition(".")[2]: v for k, v in settings.items() if k.startswith(section + ".")}
        parts[section] = MappingProxyType(own) if section in ("models", "mcp") else from_table(kind, own)
    servers = {name: from_table(ServerSettings, table) for name, table in settings.get(SERVERS, {}).items()}
    return Config(**{**parts, "mcp": MappingProxyType(servers)})


def from_table(kind: type[Settings], table: Mapping[str, Any]) -> Settings:
    """A section of the settings from its table, whose keys have been checked."""
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in table.items()})
