"""Settings: defaults, the user's file, the project's, the environment and flags, merged into one frozen Config."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ctxe.domain.errors import ConfigError
from ctxe.safety.trust import tighten

PROJECT_FILE = ".ctxe.toml"
Approval = Literal["ask", "auto-edit", "auto", "read-only"]


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """[model] Which model answers, and where it is reached."""

    name: str = field(
        default="", metadata={"says": "provider/name; empty: the provider whose key is set, else offline"}
    )
    cheap: str = field(default="", metadata={"says": "model for summaries; empty: the session's own"})
    base_url: str = field(default="", metadata={"says": "an OpenAI-compatible server; user's file or flag only"})
    api: Literal["auto", "responses", "chat"] = field(
        default="auto", metadata={"says": "which OpenAI API; auto: responses for the real host, else chat"}
    )
    max_output: int = field(default=0, metadata={"says": "most tokens of one reply; 0: the model's own limit"})
    idle_seconds: float = field(default=120.0, metadata={"says": "give up when the stream is silent this long"})


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """[budget] What one request, and one session, may cost."""

    window: int = field(default=0, metadata={"says": "tokens of request and reply; 0: the model's window"})
    target_tokens: int = field(default=0, metadata={"says": "fold above this many tokens, if lower than fold.at"})
    max_cost: float = field(default=0.0, metadata={"says": "dollars one session may cost; 0: no limit"})
    max_steps: int = field(default=100, metadata={"says": "model calls one turn may take"})


@dataclass(frozen=True, slots=True)
class ShareSettings:
    """[shares] Parts of the usable tokens; each unused one passes down."""

    memory: float = field(default=0.05, metadata={"says": "memory, decisions, failures, daily log"})
    memory_tokens: int = field(default=2_500, metadata={"says": "and at most this many tokens"})
    instructions: float = field(default=0.10, metadata={"says": "AGENTS.md and its kin"})
    instructions_tokens: int = field(default=8_000, metadata={"says": "and at most this many tokens"})
    skills: float = field(default=0.10, metadata={"says": "loaded skills"})
    files: float = field(default=0.20, metadata={"says": "files the planner chose"})
    files_tokens: int = field(default=20_000, metadata={"says": "and at most this many tokens"})


@dataclass(frozen=True, slots=True)
class ApprovalSettings:
    """[approval] Who decides what runs; the project's file may only tighten this."""

    mode: Approval = field(default="ask", metadata={"says": "ask, auto-edit, auto or read-only"})
    allow: tuple[str, ...] = field(
        default=(), metadata={"says": 'rules that need no question: "run:pytest *", "edit:src/**"'}
    )
    deny: tuple[str, ...] = field(default=(), metadata={"says": "rules that are never outvoted"})


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """[tools] Limits of what the model runs."""

    command_seconds: float = field(default=120.0, metadata={"says": "time limit of a command"})
    sandbox: Literal["auto", "off"] = field(
        default="auto", metadata={"says": "auto: run commands in one where there is one"}
    )
    network: bool = field(default=False, metadata={"says": "let sandboxed commands reach the network"})


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """[memory] The project memory folder."""

    enabled: bool = field(default=True, metadata={"says": "load and write project memory"})
    daily_lines: int = field(default=12, metadata={"says": "newest lines of the daily log that are loaded"})


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, one section a field. ``models`` holds the user's overrides of the model catalog by name."""

    model: ModelSettings = ModelSettings()
    budget: BudgetSettings = BudgetSettings()
    shares: ShareSettings = ShareSettings()
    approval: ApprovalSettings = ApprovalSettings()
    tools: ToolSettings = ToolSettings()
    memory: MemorySettings = MemorySettings()
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Loaded:
    """A Config, where each setting came from (dotted key → file, variable or flag), and what was refused."""

    config: Config
    origins: Mapping[str, str]
    refused: tuple[str, ...]


def user_folder(environment: Mapping[str, str]) -> Path:
    """The user's ctxe folder: CTXE_HOME, else the platform's place for settings."""
    if home := environment.get("CTXE_HOME"):
        return Path(home).expanduser()
    import platformdirs

    return Path(platformdirs.user_config_dir("ctxe", appauthor=False))


def cache_folder(environment: Mapping[str, str]) -> Path:
    """The user's cache folder, for projects whose own tree cannot be written."""
    if home := environment.get("CTXE_HOME"):
        return Path(home).expanduser() / "cache"
    import platformdirs

    return Path(platformdirs.user_cache_dir("ctxe", appauthor=False))


def read_environment() -> dict[str, str]:
    """The process environment; nothing else in ctxe reads it."""
    return dict(os.environ)


def user_file(environment: Mapping[str, str]) -> Path:
    """The user's settings file."""
    return user_folder(environment) / "config.toml"


def load(root: Path, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Loaded:
    """Merge every place that settings come from. Raises ConfigError with the file and key at fault."""
    own = user_file(environment)
    settings: dict[str, Any] = {}
    origins: dict[str, str] = {}
    _lay(settings, origins, _read(own), str(own))
    project = _flat(_read(root / PROJECT_FILE))
    _check(project, PROJECT_FILE)
    before = {**defaults(), **settings}
    merged, refused = tighten(before, project)
    for key, value in merged.items():
        if value != before.get(key):
            settings[key], origins[key] = value, PROJECT_FILE
    for key, (value, name) in _from_environment(environment).items():
        settings[key], origins[key] = value, name
    _lay(settings, origins, flags or {}, "command line")
    return Loaded(_build(settings), origins, tuple(f"{PROJECT_FILE}: {line}" for line in refused))


def defaults() -> dict[str, Any]:
    """Every setting with its default, by dotted key."""
    return {key: default for key, _, default, _ in every_setting()}


def every_setting() -> list[tuple[str, Any, Any, str]]:
    """Every setting: dotted key, type, default, what it says."""
    found = []
    for section in fields(Config):
        kind = get_type_hints(Config)[section.name]
        if not is_dataclass(kind):
            continue
        hints = get_type_hints(kind)
        found += [(f"{section.name}.{f.name}", hints[f.name], f.default, f.metadata["says"]) for f in fields(kind)]
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):  # also HOME=/dev/null
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "mend or remove the file") from error


def _flat(table: Mapping[str, Any]) -> dict[str, Any]:
    """Nested tables as dotted keys; the tables of [models."name"] stay whole under ``models.<name>``."""
    flat: dict[str, Any] = {}
    for section, inner in table.items():
        if isinstance(inner, Mapping):
            flat.update((f"{section}.{key}", value) for key, value in inner.items())
        else:
            flat[section] = inner
    return flat


def _lay(settings: dict[str, Any], origins: dict[str, str], table: Mapping[str, Any], origin: str) -> None:
    flat = _flat(table)
    _check(flat, origin)
    settings.update(flat)
    origins.update(dict.fromkeys(flat, origin))


def _check(flat: Mapping[str, Any], origin: str) -> None:
    known = {key: kind for key, kind, _, _ in every_setting()}
    for key, value in flat.items():
        if key.startswith("models.") and isinstance(value, Mapping):
            continue
        if key not in known:
            raise ConfigError(f"{origin}: unknown setting {key}", _nearest(key, known))
        if not _fits(value, known[key]):
            raise ConfigError(f"{origin}: {key} = {value!r} is not {_wanted(known[key])}", "see .ctxe.example.toml")


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    import difflib

    close = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {close[0]}?" if close else "`ctxe config show` lists every setting"


def _fits(value: object, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is tuple:
        return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, kind)


def _wanted(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, get_args(kind)))
    return {bool: "true or false", int: "a whole number", float: "a number", str: "text"}.get(kind, "a list of texts")


def require(key: str) -> None:
    """Raise ConfigError, with the nearest name, when there is no such setting."""
    known = {name: kind for name, kind, _, _ in every_setting()}
    if key not in known:
        raise ConfigError(f"unknown setting {key}", _nearest(key, known))


def parse(key: str, text: str) -> Any:
    """A setting's value from words (environment, ``config set``). Raises ConfigError."""
    require(key)
    kind = {name: kind for name, kind, _, _ in every_setting()}[key]
    try:
        value: Any = text
        if kind is bool:
            value = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
        elif kind in (int, float):
            value = kind(text)
        elif get_origin(kind) is tuple:
            value = [part.strip() for part in text.split(",") if part.strip()]
    except (KeyError, ValueError):
        value = None
    if value is None or not _fits(value, kind):
        raise ConfigError(f"{key} = {text!r} is not {_wanted(kind)}", "see .ctxe.example.toml")
    return value


def _from_environment(environment: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    """CTXE_MODEL and CTXE_<SECTION>_<KEY>; other CTXE_ variables are not ours to refuse."""
    found: dict[str, tuple[Any, str]] = {}
    if name := environment.get("CTXE_MODEL"):
        found["model.name"] = (name, "CTXE_MODEL")
    for key, _, _, _ in every_setting():
        variable = "CTXE_" + key.replace(".", "_").upper()
        if variable in environment:
            found[key] = (parse(key, environment[variable]), variable)
    return found


def _build(settings: Mapping[str, Any]) -> Config:
    parts: dict[str, Any] = {}
    for section in fields(Config):
        kind: Any = get_type_hints(Config)[section.name]
        own = {k.partition(".")[2]: v for k, v in settings.items() if k.startswith(section.name + ".")}
        own = {k: tuple(v) if isinstance(v, list) else v for k, v in own.items()}
        parts[section.name] = MappingProxyType(own) if section.name == "models" else kind(**own)
    return Config(**parts)


def save(path: Path, keys: Sequence[str], value: Any) -> None:
    """Set one key (("model", "name"), ("models", "ollama/x", "window")) in a settings file, keeping the others.

    Comments of the file are lost. Raises ConfigError or StoreError.
    """
    import tomli_w

    from ctxe.storage.files import replace

    table = _read(path)
    inner = table
    for key in keys[:-1]:
        inner = inner.setdefault(key, {})
    inner[keys[-1]] = value
    replace(path, tomli_w.dumps(table).encode())


def example(comments: Sequence[tuple[str, Any, Any, str]] | None = None) -> str:
    """The text of ``.ctxe.example.toml``: every key with its default and one comment."""
    lines = [
        "# Every setting of ctxe with its default. Copy what you change to .ctxe.toml (project, may only tighten)",
        "",
    ]
    lines[0] = "# Every setting of ctxe with its default. Yours go to the file that `ctxe config path` names;"
    lines.insert(1, "# a project's .ctxe.toml may only tighten what the user allows.")
    section = ""
    for key, _, default, says in comments or every_setting():
        head, _, name = key.partition(".")
        if head != section:
            lines += ([""] if section else []) + [f"[{head}]"]
            section = head
        lines.append(f"{name} = {_toml(default)}".ljust(32) + f"# {says}")
    lines += ["", '# [models."provider/name"]      # what the catalog does not know, or knows otherwise']
    lines += [
        "# window = 131072",
        "# max_output = 8192",
        "# input = 0.5                     # dollars per million tokens",
    ]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    import tomli_w

    return tomli_w.dumps({"x": list(value) if isinstance(value, tuple) else value}).partition("= ")[2].strip()
