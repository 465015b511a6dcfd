"""The catalog: known models, the resolution of names, and how a model is reached."""

import json
from dataclasses import replace
from typing import Any

import pytest

from ctxe.domain.conversation import Usage
from ctxe.domain.errors import ConfigError
from ctxe.domain.model import Model, Prices, Text, TextDelta
from ctxe.providers import catalog
from ctxe.providers.anthropic import Anthropic
from ctxe.providers.connect import Access, connect, endpoint, prefetch
from ctxe.providers.offline import Offline
from ctxe.providers.openai_chat import ChatCompletions, Habits
from ctxe.providers.openai_responses import Responses
from ctxe.providers.retry import RetryLimits
from ctxe.providers.scripted import Scripted
from tests.wire.adapters import HELLO, KEY, hear

KEYS = {host.key: KEY for host in catalog.hosts().values() if host.key}


def test_the_catalog_file_is_consistent() -> None:
    found = list(catalog.models())
    assert 90 <= len(found) <= 160
    assert len({model.id for model in found}) == len(found)
    for model in found:
        assert 8_000 <= model.window <= 2_100_000, model.id
        assert 1_000 <= model.max_output <= model.window, model.id
        assert model.encoding in ("o200k_base", "cl100k_base"), model.id
        assert model.provider in catalog.hosts(), model.id
        if model.prices:
            check_prices(model.prices, model.id)


def check_prices(prices: Prices, name: str) -> None:
    assert 0 <= prices.input <= prices.output <= 1000, name
    assert prices.cache_read is None or prices.cache_read <= prices.input, name
    assert prices.cache_write is None or prices.cache_write >= prices.input, name
    if prices.long:
        assert prices.long.input >= prices.input, name
        assert prices.long_above >= 32_000, name
        check_prices(prices.long, name)


def test_common_models_have_their_provider_and_window() -> None:
    found = list(catalog.models())
    makers = {"openai", "anthropic", "gemini", "qwen", "deepseek", "mistral", "minimax", "xai", "meta", "local"}
    assert makers <= {model.provider for model in found}
    assert sum(model.window >= 900_000 for model in found) >= 30
    for provider in ("anthropic", "openai"):
        assert catalog.find(catalog.default_model(provider)).provider == provider


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("claude-opus-4-5", ("anthropic", "claude-opus-4-5", 200_000, True)),
        ("anthropic/claude-opus-4-5-20251101", ("anthropic", "claude-opus-4-5-20251101", 200_000, True)),
        ("gpt-4.1-2025-04-14", ("openai", "gpt-4.1-2025-04-14", 1_047_576, True)),
        ("gpt-5", ("openai", "gpt-5", 272_000, True)),
        ("gpt-5.6", ("openai", "gpt-5.6", 922_000, True)),
        ("minimax/minimax-m3", ("minimax", "MiniMax-M3", 1_000_000, True)),
        ("groq/openai/gpt-oss-120b", ("groq", "openai/gpt-oss-120b", 131_072, True)),
        ("openrouter/anthropic/claude-opus-4.5", ("openrouter", "anthropic/claude-opus-4.5", 200_000, False)),
        ("openrouter/deepseek/deepseek-v4-pro:free", ("openrouter", "deepseek/deepseek-v4-pro:free", 1_000_000, False)),
        ("ollama/qwen3-coder:30b", ("ollama", "qwen3-coder:30b", 262_144, True)),
        ("lmstudio/qwen/qwen3-8b", ("lmstudio", "qwen/qwen3-8b", 40_960, True)),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", ("local", "Qwen/Qwen3-Coder-30B-A3B-Instruct", 262_144, True)),
        ("openai/gpt-oss-20b", ("openai", "gpt-oss-20b", 131_072, False)),
        ("offline/repository", ("offline", "repository", 128_000, True)),
        ("scripted/some/file.json", ("scripted", "some/file.json", 128_000, True)),
        (" gpt-4o ", ("openai", "gpt-4o", 128_000, True)),
    ],
)
def test_each_name_resolves_to_one_model(name: str, wanted: tuple[str, str, int, bool]) -> None:
    model = catalog.find(name)
    assert (model.provider, model.name, model.window, model.prices is not None) == wanted


def test_a_catalog_entry_is_complete() -> None:
    assert catalog.find("gpt-5.6-sol") == Model(
        "openai",
        "gpt-5.6-sol",
        922_000,
        128_000,
        Prices(4.0, 20.0, 0.4, 5.0, Prices(8.0, 30.0, 0.8, 10.0), 272_000),
        exact=True,
        reasoning=True,
        images=True,
        efforts=("none", "low", "medium", "high", "xhigh", "max"),
    )


@pytest.mark.parametrize(
    ("name", "efforts", "budgeted", "images"),
    [
        ("claude-opus-5-5", ("low", "medium", "high", "xhigh", "max"), False, True),
        ("claude-opus-4-6", ("low", "medium", "high", "max"), False, True),
        ("claude-haiku-4-5", ("low", "medium", "high"), True, True),
        ("gpt-5", ("minimal", "low", "medium", "high"), False, True),
        ("gpt-5.1", ("none", "low", "medium", "high"), False, True),
        ("o3-mini", ("low", "medium", "high"), False, False),
        ("gpt-4.1", (), False, True),
        ("mistral-medium-latest", ("none", "high"), False, True),
        ("kimi-k3", ("low", "high", "max"), False, True),
        ("glm-5.3", (), False, False),
        ("openrouter/anthropic/claude-opus-4.6", ("low", "medium", "high", "max"), False, True),
    ],
)
def test_abilities_of_a_model_are_known(name: str, efforts: tuple[str, ...], budgeted: bool, images: bool) -> None:
    found = catalog.find(name)
    assert (found.efforts, found.budgeted, found.images) == (efforts, budgeted, images)


def test_efforts_are_limited_to_those_of_the_model() -> None:
    assert catalog.at_effort(catalog.find("gpt-5"), "minimal").effort == "minimal"
    assert catalog.at_effort(catalog.find("glm-5.3"), "max").effort == "max"
    assert catalog.at_effort(catalog.find("gpt-4.1"), "").effort == ""
    own = catalog.find("mine", {"mine": {"window": 9_000, "reasoning": True}})
    assert catalog.at_effort(own, "low").effort == "low"
    with pytest.raises(ConfigError, match=r"openai/gpt-5 has no effort 'xhigh'") as refused:
        catalog.at_effort(catalog.find("gpt-5"), "xhigh")
    assert refused.value.hint == "it takes minimal, low, medium, high"
    with pytest.raises(ConfigError, match=r"openai/gpt-4.1 takes no effort: as far as ctxe knows, it does not reason"):
        catalog.at_effort(catalog.find("gpt-4.1"), "low")


def test_an_hour_in_the_cache_is_billed_at_twice_the_price_of_input_and_minutes_at_five_quarters() -> None:
    prices = catalog.find("claude-sonnet-4-5").prices
    assert prices == Prices(3.0, 15.0, 0.3, 3.75, cache_write_1h=6.0)
    assert prices.cost(Usage(1_000_000, cache_write=1_000_000)) == pytest.approx(3.75)
    assert prices.cost(Usage(1_000_000, cache_write=1_000_000, cache_write_1h=1_000_000)) == pytest.approx(6.0)
    mixed = Usage(1_000_000, 0, 100_000, 800_000, 300_000)
    assert prices.cost(mixed) == pytest.approx(0.1 * 3 + 0.1 * 0.3 + 0.5 * 3.75 + 0.3 * 6)
    assert Prices(3.0, 15.0, 0.3, 3.75).cost(mixed) == pytest.approx(0.1 * 3 + 0.1 * 0.3 + 0.8 * 3.75)


def test_long_input_is_billed_at_its_own_price() -> None:
    prices = catalog.find("gpt-5.6-sol").prices
    assert prices is not None
    assert prices.cost(Usage(272_000, 1_000_000)) == pytest.approx(0.272 * 4 + 20)
    assert prices.cost(Usage(272_001, 1_000_000)) == pytest.approx(0.272001 * 8 + 30)
    assert prices.cost(Usage(300_000, 0, 200_000, 50_000)) == pytest.approx((50 * 8 + 200 * 0.8 + 50 * 10) / 1000)


@pytest.mark.parametrize(
    ("said", "model"),
    [
        ("opus", "anthropic/claude-opus-5-5"),
        ("Sonnet", "anthropic/claude-sonnet-5-5"),
        ("anthropic/haiku", "anthropic/claude-haiku-5-5"),
        ("gemini/flash", "gemini/gemini-3.8-flash"),
    ],
)
def test_one_word_of_a_name_resolves_to_the_newest_matching_model(said: str, model: str) -> None:
    assert catalog.find(said).id == model


@pytest.mark.parametrize("said", ["flash", "pro", "claude", "5", "anthropic/flash", ""])
def test_an_ambiguous_or_unknown_word_resolves_to_no_model(said: str) -> None:
    with pytest.raises(ConfigError, match="is not known"):
        catalog.find(said)


@pytest.mark.parametrize(
    ("name", "told", "hint"),
    [
        ("gpt-7-luna", "the window of the model 'gpt-7-luna' is not known", "did you mean gpt-6-luna? Otherwise state"),
        (
            "anthropic/claude-opus-55",
            "the window of the model 'anthropic/claude-opus-55' is not known",
            "did you mean anth",
        ),
        ("opsu", "the window of the model 'opsu' is not known", "did you mean opus? Otherwise state"),
        (
            "ollama/tiny",
            "the window of the model 'ollama/tiny' is not known",
            'state its window in your config: [models."',
        ),
        ("", "the window of the model '' is not known", "state"),
    ],
)
def test_an_unknown_model_asks_for_its_window(name: str, told: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        catalog.find(name)
    assert (caught.value.message, caught.value.exit_code) == (told, 3)
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("key", ["ollama/tiny", "tiny"])
def test_a_stated_window_makes_a_model_known_without_a_price(key: str) -> None:
    assert catalog.find("ollama/tiny", {key: {"window": 8192}}) == Model("ollama", "tiny", 8192, 8192)


def test_overrides_change_what_they_name() -> None:
    known = catalog.find("gpt-5.6-sol")
    own = {"window": 100_000, "input": 1, "cache_read": 0.5, "exact": False, "tools": False}
    changed = catalog.find("gpt-5.6-sol", {"openai/gpt-5.6-sol": {"window": 1}, "gpt-5.6-sol": own})
    assert changed == replace(
        known, window=100_000, max_output=100_000, prices=Prices(1, 20.0, 0.5, 5.0), exact=False, tools=False
    )
    assert catalog.find("openai/gpt-5.6-sol", {"openai/gpt-5.6-sol": {"max_output": 9}}) == replace(known, max_output=9)
    assert catalog.find("x", {"x": {"provider": "vllm", "window": 9}}).provider == "vllm"
    assert catalog.find("x", {"x": {"window": 9, "input": 1.0}}).prices is None
    assert catalog.find("x", {"x": {"window": 9, "input": 1.0, "output": 2}}).prices == Prices(1.0, 2)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"windw": 1}, "[models.\"x\"] has no key 'windw'"),
        ({"window": "big"}, "[models.\"x\"] window = 'big' is of the wrong type"),
        ({"window": True}, '[models."x"] window = True is of the wrong type'),
        ({"window": 1.5}, '[models."x"] window = 1.5 is of the wrong type'),
        ({"window": -5}, '[models."x"] window = -5 is negative'),
        ({"input": float("inf")}, '[models."x"] input = inf is endless'),
        ({"window": 2 * 10**12}, '[models."x"] window = 2000000000000 is endless'),
        ({"tools": 1}, '[models."x"] tools = 1 is of the wrong type'),
        ({"input": "1 dollar"}, "[models.\"x\"] input = '1 dollar' is of the wrong type"),
    ],
)
def test_invalid_overrides_are_refused_by_name(own: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        catalog.find("x", {"x": own})
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("name", "adapter", "address", "official"),
    [
        ("anthropic/claude-opus-5-5", Anthropic, "https://api.anthropic.com", False),
        ("openai/gpt-5.6", Responses, "https://api.openai.com/v1", True),
        ("gemini/gemini-2.5-pro", ChatCompletions, "https://generativelanguage.googleapis.com/v1beta/openai", False),
        ("deepseek/deepseek-v4-pro", ChatCompletions, "https://api.deepseek.com", False),
        ("mistral/devstral-latest", ChatCompletions, "https://api.mistral.ai/v1", False),
        ("ollama/qwen3-coder", ChatCompletions, "http://127.0.0.1:11434/v1", False),
        ("lmstudio/gpt-oss-20b", ChatCompletions, "http://127.0.0.1:1234/v1", False),
    ],
)
def test_every_provider_has_its_adapter(name: str, adapter: type, address: str, official: bool) -> None:
    provider: Any = connect(catalog.find(name), Access(KEYS))
    assert (type(provider), provider.transport.endpoint.address, provider.model.id) == (adapter, address, name)
    assert provider.transport._official is official
    assert provider.transport.patience.idle == 120.0


HABITS = {
    "mistral/devstral-latest": Habits(mistral=True),
    "ollama/devstral:24b": Habits(mistral=True, spoken_calls=True),
    "ollama/qwen3": Habits(spoken_calls=True),
    "together/openai/gpt-oss-120b": Habits(),
    "deepseek/deepseek-v4-pro": Habits(echo_reasoning=True, needs_reasoning=True),
    "minimax/MiniMax-M3": Habits(echo_reasoning=True),
    "gemini/gemini-2.5-pro": Habits(signed_calls=True),
    "openrouter/anthropic/claude-opus-5.5": Habits(marked=True, billed=True),
    "openrouter/openai/gpt-5.6": Habits(billed=True),
}


def test_dialects_follow_the_host() -> None:
    def made(name: str, **more: Any) -> Any:
        return connect(catalog.find(name), Access(KEYS, **more))

    assert {name: made(name).habits for name in HABITS} == HABITS
    assert made("claude-opus-5-5", long_cache=True).long_cache is True
    assert made("ollama/qwen3", patience=RetryLimits(idle=7)).transport.patience.idle == 7


HOSTED = "https://gateway.example/v1"


@pytest.mark.parametrize(
    ("name", "environment", "base_url", "address", "key"),
    [
        ("openai/gpt-5.6", {"OPENAI_API_KEY": "k"}, "", "https://api.openai.com/v1", "k"),
        ("openai/gpt-5.6", {"OPENAI_API_KEY": "k"}, "https://api.openai.com/v1/", "https://api.openai.com/v1", "k"),
        ("openai/gpt-5.6", {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": HOSTED}, "", HOSTED, "k"),
        ("openai/gpt-5.6", {"OPENAI_BASE_URL": HOSTED}, "http://localhost:1234", "http://localhost:1234/v1", ""),
        ("ollama/qwen3", {"OPENAI_BASE_URL": HOSTED, "OPENAI_API_KEY": "k"}, "", "http://127.0.0.1:11434/v1", ""),
        ("ollama/qwen3", {"OPENAI_API_KEY": "k"}, "http://[::1]:9999/v1/", "http://[::1]:9999/v1", ""),
        ("qwen3", {"OPENAI_API_KEY": "k"}, HOSTED, HOSTED, "k"),
        ("qwen3", {"OPENAI_API_KEY": "k"}, f"{HOSTED}/chat/completions", HOSTED, "k"),
        ("qwen3", {}, "http://localhost:1/?a=b#c", "http://localhost:1/v1?a=b", ""),
        (
            "openai/gpt-5.6",
            {"OPENAI_API_KEY": "k"},
            f"{HOSTED}/responses?api-version=1",
            f"{HOSTED}?api-version=1",
            "k",
        ),
        ("deepseek/deepseek-v4-pro", {"DEEPSEEK_API_KEY": "d", "OPENAI_API_KEY": "k"}, HOSTED, HOSTED, "d"),
        ("anthropic/claude-opus-5-5", {"ANTHROPIC_API_KEY": " a\n"}, HOSTED, "https://api.anthropic.com", "a"),
        (
            "anthropic/claude-opus-5-5",
            {"ANTHROPIC_API_KEY": "a", "ANTHROPIC_BASE_URL": "https://gw.example/v1/"},
            "",
            "https://gw.example",
            "a",
        ),
        (
            "anthropic/claude-opus-5-5",
            {"ANTHROPIC_API_KEY": "a", "ANTHROPIC_BASE_URL": "https://gw.example/v1/messages"},
            "",
            "https://gw.example",
            "a",
        ),
    ],
)
def test_base_urls_and_keys_are_read_from_settings_and_environment(
    name: str, environment: dict[str, str], base_url: str, address: str, key: str
) -> None:
    model = catalog.find(name)
    at = endpoint(model, catalog.host(model.provider), environment, base_url)
    assert (at.address, at.key) == (address, key)


@pytest.mark.parametrize(
    ("name", "environment", "base_url", "message"),
    [
        ("openai/gpt-5.6", {}, "", "there is no key for openai"),
        ("anthropic/claude-opus-5-5", {"ANTHROPIC_API_KEY": " "}, "", "there is no key for anthropic"),
        ("xai/grok-4.7", {"OPENAI_API_KEY": "k"}, "", "there is no key for xai"),
        ("openai/gpt-5.6", {"OPENAI_API_KEY": "kéy"}, "", "OPENAI_API_KEY contains characters that no key has"),
        ("openai/gpt-5.6", {"OPENAI_API_KEY": "a b"}, "", "OPENAI_API_KEY contains characters that no key has"),
        ("qwen3", {}, "", "the address of the server for 'qwen3' is missing"),
        ("qwen3", {}, "localhost:1234", "the base URL 'localhost:1234' is not an address"),
        ("qwen3", {}, "ftp://host/v1", "the base URL 'ftp://host/v1' is not an address"),
        ("qwen3", {}, "http://host:99999/v1", "the base URL 'http://host:99999/v1' is not an address"),
        ("qwen3", {}, "http://[broken", "the base URL 'http://[broken' is not an address"),
    ],
)
def test_an_unreachable_configuration_is_refused_before_anything_is_sent(
    name: str, environment: dict[str, str], base_url: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        connect(catalog.find(name), Access(environment, base_url))
    assert caught.value.message == message
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_an_unknown_provider_is_named() -> None:
    with pytest.raises(ConfigError, match="no provider is called 'antropic'") as caught:
        connect(Model("antropic", "x", 1, 1), Access({}))
    assert caught.value.hint == "did you mean anthropic?"


def test_the_offline_model_answers_the_newest_words_and_says_how_to_connect() -> None:
    seen: list[str] = []

    def answer(words: str, request: Any) -> str:
        seen.append(words)
        assert request is asked
        return "These files:\n- a.py\n"

    asked = replace(HELLO, messages=(replace(HELLO.messages[0], blocks=(Text("gathered"), Text("where is it?"))),))
    provider = connect(catalog.find("offline/repository"), Access({}), answer=answer)
    assert isinstance(provider, Offline)
    deltas, reply = hear(provider, asked)
    lines = reply.text.splitlines()
    assert (seen, lines[:3], len(lines)) == (["where is it?"], ["These files:", "- a.py", ""], 4)
    assert "ANTHROPIC_API_KEY" in lines[3]
    words = [delta for delta in deltas if isinstance(delta, TextDelta)]
    assert words == deltas
    assert "".join(delta.text for delta in words) == reply.text
    assert (reply.stop, reply.calls, reply.usage, reply.model) == ("end", (), Usage(), "offline/repository")


def test_a_script_is_connected_by_its_file(tmp_path: Any) -> None:
    file = tmp_path / "script.json"
    file.write_text(json.dumps(["Hi"]))
    provider = connect(catalog.find(f"scripted/{file}"), Access({}), count=len)
    assert isinstance(provider, Scripted)
    assert hear(provider)[1].text == "Hi"


@pytest.mark.parametrize("name", ["offline/repository", "scripted/x", "openai/gpt-5.6"])
def test_prefetch_never_fails(name: str) -> None:
    thread = prefetch(catalog.find(name))
    assert thread.daemon
    thread.join(60)
    assert not thread.is_alive()
