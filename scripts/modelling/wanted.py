"""Lists the models that ctxe knows by name, how their hosts are reached, and facts that no table states."""

from __future__ import annotations

from typing import Any

# How each provider is reached: API, base URL, the variable of its key, and the features and requirements of its host.
HOSTS: dict[str, dict[str, Any]] = {
    "anthropic": {"api": "anthropic", "url": "https://api.anthropic.com", "key": "ANTHROPIC_API_KEY"},
    "openai": {"api": "responses", "url": "https://api.openai.com/v1", "key": "OPENAI_API_KEY"},
    "gemini": {
        "url": "https://generativelanguage.googleapis.com/v1beta/openai",
        "key": "GEMINI_API_KEY",
        "signed_calls": True,
    },
    "deepseek": {
        "url": "https://api.deepseek.com",
        "key": "DEEPSEEK_API_KEY",
        "echo_reasoning": True,
        "needs_reasoning": True,
    },
    "mistral": {"url": "https://api.mistral.ai/v1", "key": "MISTRAL_API_KEY", "mistral": True},
    "qwen": {"url": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "key": "DASHSCOPE_API_KEY"},
    "xai": {"url": "https://api.x.ai/v1", "key": "XAI_API_KEY"},
    "minimax": {"url": "https://api.minimax.io/v1", "key": "MINIMAX_API_KEY", "echo_reasoning": True},
    "moonshot": {
        "url": "https://api.moonshot.ai/v1",
        "key": "MOONSHOT_API_KEY",
        "echo_reasoning": True,
        "needs_reasoning": True,
    },
    "zai": {"url": "https://api.z.ai/api/paas/v4", "key": "ZAI_API_KEY"},
    "groq": {"url": "https://api.groq.com/openai/v1", "key": "GROQ_API_KEY"},
    "cerebras": {"url": "https://api.cerebras.ai/v1", "key": "CEREBRAS_API_KEY"},
    "together": {"url": "https://api.together.xyz/v1", "key": "TOGETHER_API_KEY"},
    "meta": {"url": "https://api.meta.ai/v1", "key": "META_API_KEY"},
    "openrouter": {"url": "https://openrouter.ai/api/v1", "key": "OPENROUTER_API_KEY", "gateway": True},
    "ollama": {"url": "http://127.0.0.1:11434/v1", "local": True},
    "lmstudio": {"url": "http://127.0.0.1:1234/v1", "local": True},
    "llamacpp": {"url": "http://127.0.0.1:8080/v1", "local": True},
    "vllm": {"url": "http://127.0.0.1:8000/v1", "local": True},
    "local": {"url": "", "local": True},
}
DEFAULTS = {"anthropic": "claude-sonnet-5-5", "openai": "gpt-6.1-sol"}

# Our provider -> (prefix in litellm's keys, provider in genai-prices, names; "name=other" gives an alias).
WANTED: dict[str, tuple[str, str, str]] = {
    "anthropic": (
        "",
        "anthropic",
        "claude-opus-5-5 claude-opus-5 claude-opus-4-8 claude-opus-4-7 claude-opus-4-6 claude-opus-4-5 "
        "claude-sonnet-5-5 claude-sonnet-5 claude-sonnet-4-6 claude-sonnet-4-5 claude-haiku-5-5 claude-haiku-4-5 "
        "claude-fable-5-1 claude-fable-5 claude-mythos-5-1 claude-mythos-5",
    ),
    "openai": (
        "",
        "openai",
        "gpt-6.1-sol gpt-6.1-terra gpt-6-astra gpt-6-sol gpt-6-luna gpt-5.6-sol=gpt-5.6 gpt-5.6-terra gpt-5.6-luna "
        "gpt-5.5 gpt-5.5-pro gpt-5.4 gpt-5.4-pro gpt-5.4-mini gpt-5.4-nano gpt-5.3-codex gpt-5.2 gpt-5.1 gpt-5 "
        "gpt-5-mini gpt-5-nano gpt-4.1 gpt-4.1-mini gpt-4.1-nano gpt-4o gpt-4o-mini o3 o3-mini o4-mini",
    ),
    "gemini": (
        "gemini/",
        "google",
        "gemini-4-argon gemini-3.8-flash=gemini-flash-latest gemini-3.7-flash gemini-3.6-flash gemini-3.5-flash "
        "gemini-3.5-flash-lite=gemini-flash-lite-latest gemini-3.1-pro-preview=gemini-pro-latest gemini-3.1-flash-lite "
        "gemini-3-flash-preview gemini-2.5-pro gemini-2.5-flash gemini-2.5-flash-lite",
    ),
    "deepseek": ("deepseek/", "deepseek", "deepseek-v4-pro deepseek-v4-flash=deepseek-flash"),
    "mistral": (
        "mistral/",
        "mistral",
        "mistral-large-2512=mistral-large-latest mistral-medium-latest mistral-small-latest devstral-latest "
        "devstral-medium-latest devstral-small-latest codestral-latest",
    ),
    "qwen": (
        "dashscope/",
        "",
        "qwen3.8-max qwen3.8-flash qwen3.7-max qwen3.7-plus qwen3.5-plus qwen3-coder-plus qwen3-coder-flash qwen3-max "
        "qwen-plus-latest qwen-flash",
    ),
    "xai": ("xai/", "x-ai", "grok-4.7 grok-4.6 grok-4.5 grok-4.3 grok-4.20 grok-build-0.1"),
    "minimax": ("minimax/", "minimax", "MiniMax-M3 MiniMax-M2.5 MiniMax-M2.1 MiniMax-M2"),
    "moonshot": ("moonshot/", "moonshotai", "kimi-k3.1-pro kimi-k3 kimi-k2.7-code kimi-k2.6"),
    "zai": ("zai/", "zai", "glm-5.3 glm-5.3-flash glm-5.2 glm-5.1 glm-5 glm-4.7 glm-4.6"),
    "groq": ("groq/", "groq", "openai/gpt-oss-120b openai/gpt-oss-20b qwen/qwen3.8-27b"),
    "cerebras": ("cerebras/", "cerebras", "gpt-oss-120b qwen-3.8-27b gemma-4-31b"),
    "together": (
        "together_ai/",
        "together",
        "meta-models/Muse-Spark-Open-816B-A42B openai/gpt-oss-120b "
        "moonshotai/Kimi-K3 zai-org/GLM-5.3 MiniMaxAI/MiniMax-M3.1-Flash",
    ),
    "meta": ("meta/", "meta", "muse-wonder-1.0 muse-spark-1.3 muse-spark-1.2"),
}

# Open models as people run them: family (a prefix of the name), the window of the model card, whether it reasons.
# The server may have been started with a smaller window; the window it reports takes precedence (providers/local.py).
FAMILIES: tuple[tuple[str, int, bool], ...] = (
    ("gpt-oss", 131_072, True),
    ("qwen3-coder", 262_144, False),
    ("qwen3.8", 262_144, True),
    ("qwen3.6", 262_144, True),
    ("qwen3.5", 262_144, True),
    ("qwen3", 40_960, True),
    ("qwen2.5-coder", 32_768, False),
    ("qwen2.5", 32_768, False),
    ("qwq", 131_072, True),
    ("llama-4", 1_048_576, False),
    ("llama4", 1_048_576, False),
    ("llama-3.3", 131_072, False),
    ("llama3.3", 131_072, False),
    ("llama-3.2", 131_072, False),
    ("llama3.2", 131_072, False),
    ("llama-3.1", 131_072, False),
    ("llama3.1", 131_072, False),
    ("devstral", 131_072, False),
    ("codestral", 32_768, False),
    ("magistral", 40_960, True),
    ("ministral", 131_072, False),
    ("mistral-small", 131_072, False),
    ("mistral-nemo", 131_072, False),
    ("gemma-4", 262_144, True),
    ("gemma4", 262_144, True),
    ("gemma-3", 131_072, False),
    ("gemma3", 131_072, False),
    ("deepseek-r1", 131_072, True),
    ("deepseek-v3", 131_072, False),
    ("glm-4", 131_072, True),
    ("kimi-k2", 262_144, False),
    ("minimax-m2", 196_608, True),
    ("phi-4", 16_384, False),
    ("phi4", 16_384, False),
    ("granite", 131_072, False),
    ("starcoder2", 16_384, False),
)
FAMILY_OUTPUT = 32_768
SEEING = ("llama-4", "llama4", "gemma-4", "gemma4", "gemma-3", "gemma3")
"""Families whose models all see pictures, by their model cards. For others the user sets it ([models."x"] images)."""
ALSO = {"gpt-5.6": ("max",)}
"""Efforts missing from the table, by the model name before its last dash."""
BOUND = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-fable-5-1", "claude-mythos-5-1")
"""Models whose host refuses reasoning when anything before it has changed (its pages on preserved thinking)."""
LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

# Prices that the two tables state differently, and why ours is kept. Keyed by "provider/name field".
HALF = "half as much in off-peak hours, which is what the other table states at those hours; the full price is kept"
DIFFER: dict[str, str] = {
    f"deepseek/{name} {field}": HALF
    for name in ("deepseek-v4-pro", "deepseek-v4-flash")
    for field in ("input", "output", "cache_read")
}
