"""The tool that docs/adding-a-tool.md builds works as it stands there."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.errors import ToolError

DOCUMENT = Path(__file__).parents[3] / "docs/adding-a-tool.md"


def test_the_documented_tool_works_as_it_is_printed(place: Any, tmp_path: Path) -> None:
    blocks = re.findall(r"<!-- (\S+) -->\n```\w+\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert [name for name, _ in blocks] == ["count_lines.md", "count_lines.py"]
    for name, text in blocks:
        (tmp_path / name).write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location("count_lines", tmp_path / "count_lines.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    place.put("a.txt", "one\ntwo\n")
    assert place.call(module.count_lines, path="a.txt").text == "a.txt: 2 lines"
    schema = module.count_lines(place.workspace).schema
    assert (schema.description, schema.parameters) == (
        "Count the lines of a text file.",
        {
            "type": "object",
            "properties": {"path": {"type": "string", "description": "relative to the project"}},
            "required": ["path"],
        },
    )
    with pytest.raises(ToolError, match="count_lines needs path; it takes path"):
        place.call(module.count_lines)
