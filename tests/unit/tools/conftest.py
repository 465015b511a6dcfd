"""Fixtures for the tools: a workspace of real files, and a function that calls a tool as the loop does."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.tool import Progress, Tool, ToolOutput
from ctxe.repo.git import Git
from ctxe.tools.edit import edit_file, write_file
from ctxe.tools.read import read_file
from ctxe.tools.workspace import Workspace, WorkspaceBounds


@dataclass
class Place:
    """A folder with a workspace; ``seen`` is what the model has read, updated from the touches of results."""

    root: Path
    bounds: WorkspaceBounds = WorkspaceBounds()
    secrets: frozenset[str] = frozenset()
    search: list[str] | None = None
    seen: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(
        default_factory=lambda: {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    )

    @property
    def workspace(self) -> Workspace:
        return Workspace(
            Git(self.root, self.environment),
            self.seen.get,
            self.secrets.__contains__,
            environment=self.environment,
            bounds=self.bounds,
            search=self.search,
        )

    def call(self, make: Callable[[Workspace], Tool], **arguments: Any) -> ToolOutput:
        tool = make(self.workspace)
        *before, output = list(tool.prepare(arguments).run())
        assert all(isinstance(item, Progress) for item in before)
        assert isinstance(output, ToolOutput)
        self.seen.update((touch.path, touch.digest) for touch in output.touches)
        return output

    def read(self, path: str, **arguments: Any) -> str:
        return self.call(read_file, path=path, **arguments).text

    def edit(self, path: str, **arguments: Any) -> str:
        return self.call(edit_file, path=path, **arguments).text

    def write(self, path: str, text: str) -> str:
        return self.call(write_file, path=path, text=text).text

    def put(self, path: str, data: bytes | str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        return file

    def git(self, *args: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *args], cwd=self.root, check=True)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    root = tmp_path / "root"
    root.mkdir()
    return Place(root)
