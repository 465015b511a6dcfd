"""Making the provider for a model: choosing its API, base URL and key."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ctxe.domain.errors import ConfigError
from ctxe.domain.model import Model, Provider, Request
from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.providers import catalog
from ctxe.providers.catalog import Host
from ctxe.providers.faults import Endpoint
from ctxe.providers.local import is_loopback
from ctxe.providers.pictures import picture_encoder
from ctxe.providers.retry import RetryLimits
from ctxe.providers.transport import Transport

MISTRAL = pattern(r"mistral|devstral|codestral|magistral|ministral|mixtral", re.IGNORECASE)
"""Open models whose chat templates refuse the same as Mistral's own API."""
REQUEST_PATHS = ("/chat/completions", "/responses", "/messages")
"""Ends of complete request URLs, which users may paste as a base URL."""


@dataclass(frozen=True, slots=True)
class Access:
    """How providers are reached.

    ``environment`` holds the keys (and ANTHROPIC_BASE_URL, OPENAI_BASE_URL); ``base_url`` is an OpenAI-compatible
    server to use instead of the model's own host; ``api`` "responses" or "chat" overrides the choice by address.
    ``long_cache`` caches the system prompt for an hour, where that is offered. ``pictures`` gives the bytes of a
    picture by its hash.
    """

    environment: Mapping[str, str]
    base_url: str = ""
    api: str = "auto"
    patience: RetryLimits = RetryLimits()
    long_cache: bool = False
    pictures: Callable[[str], bytes | None] = lambda _: None


def connect(
    model: Model,
    access: Access,
    *,
    answer: Callable[[str, Request], str] = lambda words, request: "",
    count: Callable[[str], int] = lambda text: len(text) // 4,
) -> Provider:
    """The provider for a model; nothing is sent and no SDK is imported yet.

    ``answer`` writes the offline model's answers, ``count`` counts tokens for a scripted one. Raises ConfigError when
    the key is missing or an address is invalid.
    """
    if model.provider == "offline":
        from ctxe.providers.offline import Offline

        return Offline(answer, model)
    if model.provider == "scripted":
        from ctxe.providers.scripted import Scripted, load

        return Scripted(load(Path(model.name)), model, count=count, name=model.name)
    host = catalog.host(model.provider)
    return _adapter(model, host, endpoint(model, host, access.environment, access.base_url), access)


def endpoint(model: Model, host: Host, environment: Mapping[str, str], base_url: str) -> Endpoint:
    """The base URL and key for a model's requests. Raises ConfigError."""
    custom_url = environment.get("ANTHROPIC_BASE_URL", "") if host.api == "anthropic" else base_url
    if not custom_url and host.name == "openai":
        custom_url = environment.get("OPENAI_BASE_URL", "")
    address = _address(custom_url, host) if custom_url else host.url
    if not address:
        raise ConfigError(
            f"the address of the server for {model.name!r} is missing",
            "name its server with --base-url http://127.0.0.1:PORT/v1",
        )
    local = is_loopback(address)
    variable = host.key or ("OPENAI_API_KEY" if custom_url and not local else "")
    key = environment.get(variable, "").strip() if variable else ""
    if not key and host.key and not custom_url:
        raise ConfigError(f"there is no key for {host.name}", f"set {host.key}, or choose another model with --model")
    if not key.isascii() or any(character.isspace() for character in key):
        raise ConfigError(f"{variable} contains characters that no key has", "copy the key again, without quotes")
    return Endpoint(host.name, model.name, address, variable, key, local)


def prefetch(target: Model | Provider) -> threading.Thread:
    """Import the SDK that a model needs in a daemon thread; for a provider, its client is made as well.

    Called when a session opens, so that this is done while the user types. Errors are left to the first request.
    """
    thread = threading.Thread(target=_load, args=(target,), name="prefetch", daemon=True)
    thread.start()
    return thread


def _load(target: Model | Provider) -> None:
    with contextlib.suppress(Exception):  # the first request fails with the same error and reports it
        transport = getattr(target, "transport", None)
        if isinstance(transport, Transport):
            transport.warm()
        elif isinstance(target, Model) and target.provider == "anthropic":
            import anthropic  # noqa: F401 - to load it
        elif isinstance(target, Model) and target.provider not in ("offline", "scripted"):
            import openai  # noqa: F401 - to load it


def _adapter(model: Model, host: Host, target: Endpoint, access: Access) -> Provider:
    encoder = picture_encoder(model, access.pictures)
    if host.api == "anthropic":
        from ctxe.providers.anthropic import Anthropic

        return Anthropic(
            model, Transport("anthropic", target, access.patience), long_cache=access.long_cache, look=encoder
        )
    official = host.api == "responses" and target.address == host.url
    transport = Transport("openai", target, access.patience, official=official)
    if official if access.api == "auto" else access.api == "responses":
        from ctxe.providers.openai_responses import Responses

        return Responses(model, transport, cache_key=official, look=encoder)
    from ctxe.providers.openai_chat import ChatCompletions, Habits

    habits = Habits(
        echo_reasoning=host.echo_reasoning,
        mistral=host.mistral or (host.local and bool(MISTRAL.search(model.name))),
        signed_calls=host.signed_calls,
        marked=host.gateway and model.name.startswith("anthropic/"),
        spoken_calls=host.local,
        billed=host.gateway,
        needs_reasoning=host.needs_reasoning,
    )
    return ChatCompletions(model, transport, habits, look=encoder)


def _address(url: str, host: Host) -> str:
    """A normalised base URL: without a trailing slash, with the /v1 that local servers need and people forget.

    The end of a complete request URL is removed; a query is kept for every request (Azure wants api-version).
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"the base URL {url!r} is not an address", "it looks like https://host/v1 or http://127.0.0.1:PORT/v1"
        )
    path = parts.path.rstrip("/")
    path = next((path.removesuffix(end) for end in REQUEST_PATHS if path.endswith(end)), path)
    path = path.removesuffix("/v1") if host.api == "anthropic" else path
    if host.api != "anthropic" and not path and is_loopback(url):
        path = "/v1"
    return parts._replace(path=path.rstrip("/"), fragment="").geturl()
