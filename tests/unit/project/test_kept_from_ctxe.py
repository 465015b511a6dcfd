"""Files in .ctxeignore are neither read nor sent: by no tool, mention or link."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctxe.domain.errors import ToolError
from ctxe.project import Project
from ctxe.project.memory.writer import memory_writer
from ctxe.project.window.kit import Kit, kit_for
from ctxe.project.window.mentions import named_files

WHY = "is kept from you by .ctxeignore"


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    (tmp_path / "private").mkdir()
    (tmp_path / "private/plans.md").write_text("We move to the moon.\n")
    (tmp_path / "open.md").write_text("We move.\n")
    (tmp_path / "link.md").symlink_to(tmp_path / "private/plans.md")
    (tmp_path / ".ctxeignore").write_text("private/\n")
    project = Project.open(tmp_path, {"HOME": str(tmp_path.parent)})
    return kit_for(project, memory_writer(project, "x"))


@pytest.mark.parametrize("path", ["private/plans.md", "link.md"])
@pytest.mark.parametrize(
    ("tool", "more"),
    [
        ("read_file", {}),
        ("edit_file", {"old": "moon", "new": "sea"}),
        ("write_file", {"text": "We stay."}),
    ],
)
def test_no_tool_reads_or_changes_an_ignored_file(kit: Kit, path: str, tool: str, more: dict[str, str]) -> None:
    before = (kit.files.workspace.root / path).read_bytes()
    with pytest.raises(ToolError, match=WHY):
        list(kit.tools[tool].prepare({"path": path, **more}).run())
    assert (kit.files.workspace.root / path).read_bytes() == before


def test_a_mention_of_an_ignored_file_is_left_out_with_the_reason(kit: Kit) -> None:
    section = named_files(("open.md", "private/plans.md"), 1_000, kit.files.show, len)
    assert [chunk.path for chunk in section.chunks] == ["open.md"]
    assert [(out.id, WHY in out.why) for out in section.left_out] == [("private/plans.md", True)]
    assert "moon" not in json.dumps([chunk.text for chunk in section.chunks])
