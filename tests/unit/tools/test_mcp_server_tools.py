"""How tools of servers are described to a model, and what their answers become: bounded, plain, priced."""

from __future__ import annotations

from typing import Any

import pytest

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import ToolOutput
from ctxe.tools.mcp.answer import MOST_CHARACTERS, tool_output
from ctxe.tools.mcp.launch import expand, variables
from ctxe.tools.mcp.server_tools import ServerTool, described, signature, tools_page

SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "description": "one\nline"},
        "labels": {"type": "array", "items": {"type": "string"}},
        "state": {"enum": ["open", "closed"]},
        "by": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "place": {"$ref": "#/$defs/Place"},
        "many": {"type": ["integer", "null"]},
        "odd": True,
    },
    "required": ["title"],
    "$defs": {"Place": {"type": "object", "properties": {"row": {"type": "integer"}}, "required": ["row"]}},
}
TOOL = ServerTool("create", "Create it.\n\nIn two \x1b[31mparagraphs.", SCHEMA)


def test_a_tool_schema_is_shown_as_a_signature() -> None:
    assert signature("git", TOOL) == (
        'git/create(title: string, labels?: [string], state?: "open"|"closed", by?: string|null, place?: '
        "{row: integer}, many?: integer|null, odd?: any)"
    )
    assert described("git", TOOL).splitlines()[1:] == ["  Create it.", "  In two paragraphs.", "  title: one line"]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": "none", "required": "x"},
        {"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"$ref": "#/$defs/A"}}},
        {"properties": {"a": {"enum": list(range(1000))}, "b": {"anyOf": "x"}, "c": {"type": {}}}},
        {"properties": {f"p{n}": {"type": "object", "properties": {"x": {}}} for n in range(500)}},
    ],
)
def test_any_tool_schema_is_shown_within_bounds(schema: dict[str, Any]) -> None:
    assert len(signature("s", ServerTool("t", "", schema))) < 1_000
    assert ServerTool("t", "", schema).required == ()


def test_a_server_page_describes_each_tool_as_far_as_it_fits() -> None:
    tools = [ServerTool(f"tool{n}", f"Does {n}. " * 30, SCHEMA) for n in range(20)]
    whole = tools_page("git", tools, "Be kind.", 100_000, len)
    assert whole.startswith("Be kind.\n20 tools; call one by `use` with its name and arguments.\n- git/tool0(title: ")
    shorter, short, names = (tools_page("git", tools, "", room, len) for room in (7_500, 4_000, 300))
    assert "title: one line" not in shorter
    assert "labels?: [string]" in shorter
    assert short.count("\n- git/tool") == 20
    assert "(title" not in short
    assert names.startswith("20 tools, too many to describe: tool0, tool1, ")
    assert all(len(text) <= room for text, room in ((whole, 100_000), (shorter, 7_500), (short, 4_000), (names, 300)))


def test_a_changed_description_or_schema_changes_the_tool_fingerprint() -> None:
    changed = (
        ServerTool("create", "Create it!", SCHEMA),
        ServerTool("create", TOOL.description, {**SCHEMA, "required": []}),
    )
    assert len({TOOL.mark, *(one.mark for one in changed)}) == 3
    assert ServerTool("create", TOOL.description, dict(reversed(SCHEMA.items()))).mark == TOOL.mark


@pytest.mark.parametrize(
    ("content", "structured", "ok", "wanted"),
    [
        (
            [{"type": "text", "text": "a"}, {"type": "text", "text": "b\x1b[2J"}],
            {"x": 1},
            True,
            ToolOutput("a\nb", True),
        ),
        ([], {"x": "ü"}, True, ToolOutput('{"x": "ü"}', True)),
        ([], None, True, ToolOutput("(no output)", True)),
        ([], None, False, ToolOutput("it failed and said nothing", False)),
        (
            [{"type": "image", "mimeType": "image/png", "data": "QUJD"}],
            None,
            True,
            ToolOutput("[image image/png, 3 bytes, not shown]", True),
        ),
        (
            [{"type": "resource", "resource": {"uri": "a://b", "text": "in"}}, {"type": "resource_link", "uri": "c"}],
            None,
            True,
            ToolOutput("[a://b]\nin\n[resource : c]", True),
        ),
    ],
)
def test_a_server_answer_becomes_text(
    content: list[dict[str, Any]], structured: Any, ok: bool, wanted: ToolOutput
) -> None:
    assert tool_output(content, structured, ok=ok) == wanted


def test_a_long_server_answer_keeps_its_beginning_and_end() -> None:
    text = tool_output([{"type": "text", "text": "a" * MOST_CHARACTERS + "b" * 100}], None, ok=True).text
    assert (text[:3], text[-100:], "100 characters left out" in text, len(text) < MOST_CHARACTERS + 60) == (
        "aaa",
        "b" * 100,
        True,
        True,
    )


def test_variables_in_server_settings_are_filled_in_or_reported_missing() -> None:
    known = {"A": "1", "EMPTY": ""}
    assert expand("${A}-${B:-two}-${EMPTY:-else}-${EMPTY}-$A", known.get) == "1-two-else--$A"
    assert variables(["${A} ${B:-x}", "${A}", "$C"]) == ("A", "B")
    with pytest.raises(ToolError, match="the variable NONE is not set"):
        expand("${NONE}", known.get)
