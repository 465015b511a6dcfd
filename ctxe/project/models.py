"""Which model answers here, how it is reached, what it costs, and how its tokens are counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ctxe.context.budget import Budget, Share, reserve_for
from ctxe.context.tokens import Count, TokenCounter
from ctxe.domain.errors import ConfigError, UnknownModel
from ctxe.domain.model import Message, Model, Prices, Provider, Request, Text
from ctxe.domain.value import dataclass
from ctxe.providers import catalog
from ctxe.providers.pictures import tokens
from ctxe.storage.counts import Counts, Estimate
from ctxe.storage.vocabulary import PACKAGED, count

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.providers.local import Server

OFFLINE = "offline/repository"
USUAL = "o200k_base"
"""The vocabulary for models whose own is not packaged, and for counts without a model."""
SLOW = 600.0
"""Idle timeout in seconds for the user's own servers: without a fast GPU they read a long request for minutes."""
KEYS = (("ANTHROPIC_API_KEY", "anthropic"), ("OPENAI_API_KEY", "openai"))


@dataclass(frozen=True, slots=True)
class Choice:
    """A model's name and, in words, why it was chosen."""

    name: str
    why: str


def choice(project: Project) -> Choice:
    """The configured model, else the default of the provider whose key is set, else the offline one."""
    settings, environment = project.config.model, project.environment
    if settings.name:
        return Choice(settings.name, f"set by {project.loaded.origins.get('model.name', 'settings')}")
    found = [(key, provider) for key, provider in KEYS if environment.get(key)]
    if found:
        key, provider = found[0]
        more = f"; {found[1][0]} is set too: --model chooses" if len(found) > 1 else ""
        return Choice(catalog.default_model(provider), f"{key} is set{more}")
    return Choice(OFFLINE, "no API key is set")


def takes_base_url(model: Model) -> bool:
    """Whether requests to this model go to ``model.base_url`` when that is set."""
    host = catalog.hosts().get(model.provider)
    return host is not None and host.api != "anthropic"


def choose(project: Project, name: str = "") -> Model:
    """The catalog's entry for a model. A local server is asked for its window if the user did not state one.

    Without a name it is the project's own model, at the configured effort. Raises ConfigError when the window stays
    unknown or the model does not take that effort.
    """
    if name:
        return _found(project, name)
    model = _found(project, choice(project).name)
    return model if model.provider == "offline" else catalog.at_effort(model, project.config.model.effort)


def _found(project: Project, name: str) -> Model:
    """The catalog's entry. A local server's window overrides the catalog's; the user's settings override both."""
    own = model_settings(project, name)
    served = None if own.get("window") else window_served(project, name)
    here = {name: {**own, "window": served}} if served else {}
    try:
        return catalog.find(name, {**project.config.models, **here})
    except UnknownModel:
        _check_server(project, name)
        raise


def _check_server(project: Project, name: str) -> None:
    """Raise ConfigError if the model's server should run on this machine and does not: it would tell the window."""
    from ctxe.providers.local import is_silent

    if is_silent(url := _server_url(project, name)):
        raise ConfigError(f"no server answers at {url}", "start it, or name another with --base-url")


def _server_url(project: Project, name: str) -> str:
    """The address of the server that a model is asked at, if it is a local one or stated by the user; else ""."""
    known = catalog.hosts().get(name.partition("/")[0])
    return project.config.model.base_url or (known.url if known and known.local else "")


def model_settings(project: Project, name: str) -> Mapping[str, Any]:
    """The user's settings for a model, under its full or its bare name."""
    own = project.config.models
    return own.get(name, own.get(name.partition("/")[2], {}))


def window_served(project: Project, name: str, *, load: float = 0.0) -> int | None:
    """The window with which a local server runs a model; None when no server says so.

    The call waits up to ``load`` seconds for a server that first has to load the model.
    """
    url = _server_url(project, name)
    if not url:
        return None
    from ctxe.providers.local import served_window

    provider, _, bare = name.partition("/")
    return served_window(url, bare if provider in catalog.hosts() else name, load=load)


def local_servers() -> tuple[Server, ...]:
    """Model servers that answer on this machine, asked in parallel within 300 ms."""
    from ctxe.providers.local import probe_local

    return probe_local()


def count_remotely(provider: Provider) -> str:
    """The host's answer to one free question, in words. Raises ProviderError."""
    listed = getattr(provider, "listed", None)
    if listed is not None:
        names = listed()
        among = "" if provider.model.name in names else f", {provider.model.name} not among them"
        return f"it answers and lists {len(names)} models{among}"
    ask = getattr(provider, "count", None)
    if ask is None:
        return "this provider has no free question to ask"
    tokens = ask(Request((), (), (Message("user", (Text("hello"),)),), 16))
    return f"it answers: `hello` is {tokens} tokens with framing"


def budget_for(project: Project, model: Model) -> Budget:
    """The budget of a model: window, reserve and shares. Raises ConfigError when the window is unknown."""
    window = min(project.config.budget.window or model.window, model.window)
    if window <= 0:
        raise ConfigError(f"the window of {model.id} is not known", "set it with --budget N")
    shares = project.config.shares
    most_output = project.config.model.max_output or model.max_output
    return Budget(
        window,
        reserve_for(window, most_output, model.effort),
        {
            "memory": Share(shares.memory, shares.memory_tokens),
            "instructions": Share(shares.instructions, shares.instructions_tokens),
            "skills": Share(shares.skills),
            "files": Share(shares.files, shares.files_tokens),
        },
    )


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts tokens for one model: exactly, or by an estimate that learns from the provider's usage figures."""

    counts: Counts
    estimate: Estimate | None
    picture: Callable[[int, int], int]

    @property
    def count(self) -> Count:
        """The counter of tokens of texts and of pictures."""
        return TokenCounter(self.estimate or self.counts, self.picture)


def vocabulary_of(model: Model) -> str:
    """The vocabulary to count with: the model's own, or the usual one, whose counts an estimate corrects."""
    return model.encoding if model.encoding in PACKAGED else USUAL


def vocabulary_for(name: str) -> str:
    """The vocabulary for a model's name; the usual one without a name. Raises ConfigError for an unknown model."""
    return vocabulary_of(catalog.find(name)) if name else USUAL


def counter(project: Project, model: Model) -> Counter:
    """The token counter of a model, backed by the project's cache."""
    encoding = vocabulary_of(model)
    counts = Counts(encoding, lambda text: count(text, encoding), project.cache)
    estimate = None if model.exact else Estimate(model.id, counts, project.place.user / "estimates.json")
    return Counter(counts, estimate, lambda width, height: tokens(model, width, height))


def connect(
    project: Project,
    model: Model,
    answer: Callable[[str, Request], str],
    *,
    idle: float = 0.0,
    long_cache: bool = False,
) -> Provider:
    """The provider of a model; ``answer`` makes the offline one's answers. Raises ConfigError for a missing key."""
    from ctxe.providers.connect import Access
    from ctxe.providers.connect import connect as connect_provider
    from ctxe.providers.retry import RetryLimits

    access = Access(
        project.environment,
        project.config.model.base_url,
        project.config.model.api,
        RetryLimits(idle=idle or idle_seconds(project, model)),
        long_cache,
        project.pictures.data,
    )
    return connect_provider(model, access, answer=answer, count=counter(project, model).count)


def idle_seconds(project: Project, model: Model) -> float:
    """Idle timeout of a model in seconds: the user's setting, else longer for a model on the user's own server."""
    stated = project.config.model.idle_seconds
    own = catalog.hosts().get(model.provider)
    return SLOW if own and own.local and "model.idle_seconds" not in project.loaded.origins else stated


def reports_price(model: Model) -> bool:
    """Whether a model's host reports the price of each answer."""
    found = catalog.hosts().get(model.provider)
    return bool(found and found.gateway)


def prices_of(project: Project, name: str) -> Prices | None:
    """Prices of a model by its id; None for one that the catalog does not know."""
    try:
        return catalog.find(name, project.config.models).prices
    except ConfigError:
        return None


def model_ids() -> list[str]:
    """Ids of the models in the catalog, ``provider/name``."""
    return [model.id for model in catalog.models()]
