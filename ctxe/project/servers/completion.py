"""Completes what a person types for servers: ``@SERVER:URI``, ``/SERVER:PROMPT`` and its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ctxe.domain.errors import ConfigError
from ctxe.project.servers.connections import Connections
from ctxe.project.servers.use import split_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ctxe.tools.mcp.resources import ServerPrompt

MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9][\w.-]{0,39}):([A-Za-z][\w+.-]{0,40}:[!-~]+)", re.ASCII)
"""A resource in a person's words. The URI after the colon tells it from a file's path."""
MOST = 30
PATIENCE = 0.3
"""Seconds to wait for a server's own suggestions."""


def mentioned_resources(words: str) -> tuple[tuple[str, str], ...]:
    """(server, URI) after ``@`` in a text, each once, in order, without the punctuation that ends a sentence."""
    found = ((match[1], match[2].rstrip(".,;:!?)'\"")) for match in MENTION.finditer(words))
    return tuple(dict.fromkeys(found))


def resources(running: Connections, begun: str) -> list[str]:
    """``SERVER:URI`` completions for what was typed after ``@``, from the resources that servers listed last."""
    found = [full for name, uri in _known_resources(running) if begun.lower() in (full := f"{name}:{uri}").lower()]
    return sorted(found, key=lambda full: (not full.lower().startswith(begun.lower()), full))[:MOST]


def _known_resources(running: Connections) -> Iterator[tuple[str, str]]:
    for name, one in running.known.items():
        for uri in kept.resources if (kept := running.listed.kept(one)) else ():
            yield name, uri


def prompts(running: Connections) -> list[tuple[str, str]]:
    """(``/SERVER:PROMPT``, description) of the prompts that servers listed last."""
    found = []
    for name, one in running.known.items():
        for typed, takes, says in kept.prompts if (kept := running.listed.kept(one)) else ():
            found.append((f"/{name}:{typed}", f"{says} {takes}".strip()))
    return found


def arguments(running: Connections, name: str, begun: str) -> list[str]:
    """Completions of a word after ``/SERVER:PROMPT``: names of its arguments, or values that the server suggests."""
    server, _, typed = split_name(name)
    held = running.opened.get(server)
    prompt = next((one for one in held.offers.prompts if one.slash_name == typed), None) if held else None
    if held is None or prompt is None:
        takes = next((says for full, says in prompts(running) if full == f"/{name}"), "")
        return [one for one in re.findall(r"([\w.-]+=)…", takes) if one.startswith(begun)]
    key, sign, value = begun.partition("=")
    if not sign:
        return [f"{one.name}=" for one in prompt.arguments if one.name.startswith(begun)]
    return [f"{key}={one}" for one in held.completes({"name": prompt.name}, key, value, PATIENCE) if " " not in one]


def prompt_arguments(prompt: ServerPrompt, words: list[str], name: str) -> Mapping[str, str]:
    """A prompt's arguments from words: ``key=value``, else by position; the last argument takes all remaining words.

    Raises ConfigError for too many or too few.
    """
    takes = [one.name for one in prompt.arguments]
    found: dict[str, str] = {}
    plain: list[str] = []
    for word in words:
        key, sign, value = word.partition("=")
        if sign and key in takes:
            found[key] = value
        else:
            plain.append(word)
    free = [one for one in takes if one not in found]
    usage = f"/{name} {prompt.takes}".rstrip()
    if plain and not free:
        raise ConfigError(f"/{name} does not take {plain[0]}", usage)
    found |= dict(zip(free, plain, strict=False))
    if len(plain) > len(free):
        found[free[-1]] = " ".join(plain[len(free) - 1 :])
    if missing := [one.name for one in prompt.arguments if one.required and not found.get(one.name)]:
        raise ConfigError(f"/{name} needs {', '.join(missing)}", usage)
    return found
