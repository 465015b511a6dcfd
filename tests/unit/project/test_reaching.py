"""How long a session waits for a silent model."""

from pathlib import Path
from typing import Any

import pytest

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
