"""The keys of the settings: which exist, which values are valid, and parsing a value from text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ctxe.config.values import Config, ServerSettings
from ctxe.domain.errors import ConfigError
from ctxe.domain.pattern import pattern
from ctxe.domain.suggestion import did_you_mean
from ctxe.domain.value import dataclass, fields

SERVERS = "mcp.servers"
SERVER_NAME = pattern(r"[A-Za-z0-9][\w.-]{0,39}", re.ASCII)
"""Valid names of servers: a name is used in rules, and before a slash in the tool names that the model calls."""
MOST = 1e12
"""The largest number accepted: more tokens, dollars or seconds than exist, and small enough to calculate with."""
DAY = 86_400.0
BOUNDS: Mapping[str, tuple[float, float]] = {
    "model.idle_seconds": (1, DAY),
    "budget.max_steps": (1, MOST),
    "shares.memory": (0, 1),
    "shares.instructions": (0, 1),
    "shares.skills": (0, 1),
    "shares.files": (0, 1),
    "tools.command_seconds": (1, DAY),
    "skills.share": (0, 1),
    "retrieval.weight": (0, 100),
    "fold.at": (0.05, 1),
    "fold.to": (0, 1),
    "fold.keep_recent": (1, MOST),
    "fold.record_share": (0, 1),
}
"""Least and most (inclusive) of each number with narrower bounds than 0 and MOST."""


@dataclass(frozen=True, slots=True)
class KnownSetting:
    """The type, default and description of a setting."""

    kind: Any
    default: Any
    says: str


@cache
def all_settings() -> Mapping[str, KnownSetting]:
    """Every setting by its dotted key."""
    found: dict[str, KnownSetting] = {}
    for section, kind in get_type_hints(Config).items():
        if not isinstance(kind, type):  # tables whose keys the user makes up
            continue
        hints = get_type_hints(kind)
        for one in fields(kind):
            found[f"{section}.{one.name}"] = KnownSetting(hints[one.name], one.default, one.metadata["says"])
    return found


def defaults() -> dict[str, Any]:
    """Default values by dotted key."""
    return {key: setting.default for key, setting in all_settings().items()}


def require(key: str) -> None:
    """Raise ConfigError, suggesting the nearest name, when there is no such setting."""
    if key not in all_settings():
        raise ConfigError(f"unknown setting {key}", _nearest(key, all_settings()))


def parse_setting(key: str, text: str) -> Any:
    """Parse a setting's value from text (environment, ``config set``). Raises ConfigError."""
    require(key)
    kind = all_settings()[key].kind
    try:
        text.encode()  # fails on command-line bytes that are not text
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
        raise ConfigError(f"{key} = {text!r} is not {_type_in_words(kind)}", _default_hint(key))
    _bounded(key, value, "")
    return value


def validate(flat: Mapping[str, Any], origin: str) -> None:
    """Raise ConfigError, naming ``origin``, for an unknown key or a value of the wrong type."""
    known = all_settings()
    for key, value in flat.items():
        if key.startswith("models.") and isinstance(value, Mapping):
            continue
        if key == SERVERS:
            validate_servers(value, origin)
            continue
        if key not in known:
            raise ConfigError(f"{origin}: unknown setting {key}", _nearest(key, known))
        if not _fits(value, known[key].kind):
            kind = _type_in_words(known[key].kind)
            raise ConfigError(f"{origin}: {key} = {value!r:.80} is not {kind}", _default_hint(key))
        _bounded(key, value, f"{origin}: ")


def _bounded(key: str, value: Any, where: str) -> None:
    """Raise ConfigError for a number outside its bounds."""
    least, most = BOUNDS.get(key, (0, MOST))
    if key in BOUNDS and not least <= value <= most:
        wanted = f"{least:g} or more" if most == MOST else f"between {least:g} and {most:g}"
        raise ConfigError(f"{where}{key} = {value:g} is not {wanted}", _default_hint(key))


def _default_hint(key: str) -> str:
    """A hint with the default of a setting, as written in TOML."""
    import json

    usual = defaults()[key]
    plain = isinstance(usual, int | float) and not isinstance(usual, bool)
    return f"its default is {usual:g}" if plain else f"its default is {json.dumps(usual)}"


def validate_servers(value: Any, origin: str) -> None:
    """Raise ConfigError for a table of servers with something unknown, of the wrong type, or missing."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{origin}: {SERVERS} is not a table", f'write [{SERVERS}.NAME] and command = "…" below it')
    hints = get_type_hints(ServerSettings)
    for name, table in value.items():
        where = f"{SERVERS}.{name}"
        if not SERVER_NAME.fullmatch(name) or not isinstance(table, Mapping):
            raise ConfigError(
                f"{origin}: {where!r:.80} is not a server name", "letters, digits, -, _ and . name a table"
            )
        for key, given in table.items():
            if key not in hints:
                raise ConfigError(f"{origin}: unknown setting {where}.{key}", "there are: " + ", ".join(hints))
            if not _fits(given, hints[key]):
                wanted = _type_in_words(hints[key])
                raise ConfigError(
                    f"{origin}: {where}.{key} = {given!r:.80} is not {wanted}", "`ctxe mcp add -h` shows the form"
                )
        if bool(table.get("command")) == bool(table.get("url")):
            raise ConfigError(f"{origin}: {where} needs a command or a url", "one of the two, not both")


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    """A hint: the keys of the section that was named, or the most similar key."""
    within = [name for name in known if name.startswith(f"{key}.")]
    if within:
        return f"{key} is a section: " + ", ".join(within)
    return did_you_mean(key, known) or "`ctxe config show` lists every setting"


def _fits(value: Any, kind: Any) -> bool:
    """True when a value has the type ``kind``. A bool is not a number; numbers are 0 to MOST."""
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if get_origin(kind) is tuple:
        return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    if kind in (int, float):
        number = isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
        return number and 0 <= value <= MOST
    if get_origin(kind) is Mapping:
        return isinstance(value, Mapping) and all(isinstance(inner, str) for inner in value.values())
    return isinstance(value, kind)


def _type_in_words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(one) or '""' for one in get_args(kind))
    if get_origin(kind) is Mapping:
        return 'a table of texts: {NAME = "value"}'
    wanted = {bool: "true or false", int: "a whole number of 0 or more", float: "a number of 0 or more", str: "text"}
    return wanted.get(kind, "a list of texts")
