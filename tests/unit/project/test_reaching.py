"""How long a session waits for a silent model."""

import socket
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.errors import ConfigError
from ctxe.project import Project
from ctxe.project.models import connect


@pytest.mark.parametrize(
    ("name", "said", "seconds"),
    [
        ("anthropic/claude-opus-5-5", {}, 120.0),
        ("ollama/qwen3:8b", {}, 600.0),
        ("ollama/qwen3:8b", {"CTXE_MODEL_IDLE_SECONDS": "120"}, 120.0),
        ("lmstudio/gpt-oss-20b", {"CTXE_MODEL_IDLE_SECONDS": "7"}, 7.0),
    ],
)
def test_a_local_server_may_be_silent_for_minutes(
    tmp_path: Path, name: str, said: dict[str, str], seconds: float
) -> None:
    environment = {"HOME": str(tmp_path), "CTXE_MODEL": name, "ANTHROPIC_API_KEY": "k", **said}
    project = Project.open(tmp_path, environment)
    provider: Any = connect(project, project.model, lambda *_: "")
    assert provider.transport.patience.idle == seconds


@pytest.mark.parametrize("name", ["ollama/mine", "local/mine", "mine"])
def test_an_unknown_model_of_a_local_server_that_is_down_names_the_server(tmp_path: Path, name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        project = Project.open(tmp_path, {"HOME": str(tmp_path), "CTXE_MODEL": name, "CTXE_MODEL_BASE_URL": url})
        with pytest.raises(ConfigError, match=f"^no server answers at {url}$"):
            _ = project.model
