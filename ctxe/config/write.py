"""Changes one setting in a file, and writes the example file that lists them all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ctxe.config.keys import all_settings
from ctxe.config.load import read_table
from ctxe.config.values import ServerSettings
from ctxe.domain.value import fields


def save_setting(path: Path, keys: Sequence[str], value: Any) -> None:
    """Set one key (("model", "name"), ("models", "ollama/x", "window")) in a settings file, keeping the others.

    The file's comments are lost; if it is a symlink, its target is written. Raises ConfigError or StoreError.
    """
    import tomli_w

    from ctxe.storage.files import replace

    table = read_table(path)
    inner = table
    for key in keys[:-1]:
        inner = inner.setdefault(key, {})
    inner[keys[-1]] = value
    replace(path.resolve(), tomli_w.dumps(table).encode())


def remove_setting(path: Path, keys: Sequence[str]) -> None:
    """Remove one key, or a whole table, from a settings file, if it is there. Raises like ``save_setting``."""
    import tomli_w

    from ctxe.storage.files import replace

    table = read_table(path)
    inner = table
    for key in keys[:-1]:
        inner = inner.get(key, {})
    if inner.pop(keys[-1], None) is not None:
        replace(path.resolve(), tomli_w.dumps(table).encode())


HEAD = """\
# Every setting of ctxe with its default. Yours go to the file that `ctxe config path` names;
# a project's .ctxe.toml may only tighten what the user allows.
"""
MODELS = """
# [models."provider/name"]      # what the catalog does not know, or has wrong
# window = 131072
# max_output = 8192
# images = true                # it sees pictures
# input = 0.5                     # dollars per million tokens
"""


def example_file() -> str:
    """The text of ``.ctxe.example.toml``: every key with its default and one comment."""
    lines: list[str] = []
    section = ""
    for key, setting in all_settings().items():
        head, _, name = key.partition(".")
        if head != section:
            lines += ["", f"[{head}]"]
            section = head
        lines.append(f"{name} = {_toml(setting.default)}".ljust(32) + f"# {setting.says}")
    return HEAD + "\n".join(lines) + "\n" + MODELS + _servers()


def _servers() -> str:
    """The keys of a server with their defaults."""
    lines = ["", "# [mcp.servers.NAME]              # one of yours; a repository can set none"]
    for one in fields(ServerSettings):
        default = one.default_factory() if callable(one.default_factory) else one.default
        lines.append(f"# {one.name} = {_toml(default)}".ljust(34) + f"# {one.metadata['says']}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    import tomli_w

    if isinstance(value, dict):
        return "{}"
    return tomli_w.dumps({"x": list(value) if isinstance(value, tuple) else value}).partition("= ")[2].strip()
