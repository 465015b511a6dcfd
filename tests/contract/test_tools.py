"""One table over every core tool: schemas are valid and small, and no argument ever causes a traceback."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxe.domain.errors import CtxeError, ToolError
from ctxe.domain.section import digest_bytes
from ctxe.domain.tool import Progress, Risk, Tool, ToolOutput
from ctxe.repo.git import Git
from ctxe.storage.vocabulary import count
from ctxe.tools import core
from ctxe.tools.delegate import delegate
from ctxe.tools.notes import Notebook
from ctxe.tools.plan import plan
from ctxe.tools.workspace import Workspace, WorkspaceBounds

CORE = (
    "read_file",
    "list_files",
    "search",
    "edit_file",
    "write_file",
    "run_command",
    "update_todo",
    "remember",
    "record_failure",
    "recall",
)
NAMES = (*CORE, "delegate", "plan")
RISKS = {
    "edit_file": Risk.WRITE,
    "write_file": Risk.WRITE,
    "run_command": Risk.EXECUTE,
    "remember": Risk.WRITE,
    "record_failure": Risk.WRITE,
}
GOOD: dict[str, dict[str, Any]] = {
    "read_file": {"path": "a.py"},
    "list_files": {},
    "search": {"pattern": "x"},
    "edit_file": {"path": "a.py", "old": "x", "new": "y"},
    "write_file": {"path": "new.py", "text": "x\n"},
    "run_command": {"command": "echo hi"},
    "update_todo": {"items": [{"text": "a", "state": "open"}]},
    "remember": {"kind": "fact", "title": "t", "text": "x"},
    "record_failure": {"tried": "a", "outcome": "b"},
    "recall": {"query": "x"},
    "delegate": {"task": "x", "files": ["a.py"]},
    "plan": {"task": "x"},
}


def make(root: Path) -> dict[str, Tool]:
    (root / "a.py").write_text("x = 1\n")
    known = {"a.py": digest_bytes(b"x = 1\n")}
    env = {"PATH": os.environ["PATH"]}
    workspace = Workspace(Git(root, env), known.get, environment=env, bounds=WorkspaceBounds(search_seconds=5.0))
    notebook = Notebook(lambda *_: "kept", lambda *_: "noted", lambda handle, query: handle or query)
    asked = delegate(workspace, lambda task, _: iter([Progress("1 read"), ToolOutput(task)]))
    return {tool.name: tool for tool in (*core.core_tools(workspace, notebook), asked, plan(str.upper))}


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, Tool]:
    return make(tmp_path)


def test_the_core_tools_are_listed_in_their_order(tools: dict[str, Tool]) -> None:
    assert tuple(tools) == NAMES
    assert {name: tool.risk for name, tool in tools.items()} == {name: RISKS.get(name, Risk.READ) for name in NAMES}


def test_schemas_stay_within_their_tokens(tools: dict[str, Tool]) -> None:
    whole = [
        {"name": t.schema.name, "description": t.schema.description, "parameters": t.schema.parameters}
        for t in tools.values()
    ]
    assert count(json.dumps(whole[: len(CORE)])) <= 1300
    assert count(json.dumps(whole[len(CORE)])) <= 110


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_accepted_by_every_provider(tools: dict[str, Tool], name: str) -> None:
    schema = tools[name].schema
    assert re.fullmatch(r"[a-z_]{1,64}", schema.name)
    assert schema.description.strip() == schema.description != ""
    assert json.loads(json.dumps(schema.parameters)) == schema.parameters
    _valid(schema.parameters)
    assert schema.parameters["type"] == "object"


def _valid(shape: Mapping[str, Any]) -> None:
    """The part of JSON schema that all three wire formats share."""
    assert set(shape) <= {"type", "properties", "required", "items", "enum", "minimum", "description"}
    assert shape["type"] in {"object", "array", "string", "integer", "boolean"}
    if shape["type"] == "object":
        assert set(shape.get("required", ())) <= set(shape["properties"])
        for inner in shape["properties"].values():
            _valid(inner)
    if shape["type"] == "array":
        _valid(shape["items"])


@pytest.mark.parametrize("name", NAMES)
def test_a_good_call_prepares_and_runs(tools: dict[str, Tool], name: str) -> None:
    action = tools[name].prepare(GOOD[name])
    assert (action.tool, action.risk) == (name, tools[name].risk)
    assert action.title
    assert "\n" not in action.title
    assert (action.risk is Risk.READ) == (action.preview == "")
    *before, output = list(action.run())
    assert all(isinstance(item, Progress) for item in before)
    assert isinstance(output, ToolOutput)
    assert output.text.strip()
    assert json.dumps(dict(output.facts or {}))


@pytest.mark.parametrize("name", NAMES)
def test_preparing_a_call_has_no_effect(tools: dict[str, Tool], name: str, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    tools[name].prepare(GOOD[name])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


BAD = [
    [],
    "text",
    3,
    None,
    {"nonsense": 1},
    {"path": {"a": 1}},
    {"path": ["a"]},
    {"": ""},
    {"path": "\0", "text": "\0"},
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("arguments", BAD, ids=repr)
def test_bad_arguments_are_a_tool_error(tools: dict[str, Tool], name: str, arguments: Any) -> None:
    with pytest.raises(ToolError) as caught:
        tools[name].prepare(arguments)
    assert str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "run_command"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_arguments_are_answered_or_refused(tmp_path: Path, name: str, data: st.DataObject) -> None:
    tool = make(tmp_path)[name]
    keys = st.sampled_from([*tool.schema.parameters["properties"], "other"])
    arguments = data.draw(st.dictionaries(keys, JSON | st.sampled_from(["a.py", ".", "x", "open"])))
    if "." not in str(arguments.get("path", ".")) and name == "write_file":
        arguments["path"] = "made.py"
    try:
        list(tool.prepare(arguments).run())
    except (ToolError, CtxeError) as refusal:
        words = str(refusal)
    else:
        words = "answered"
    assert words.strip()


def test_every_tool_has_a_description_file() -> None:
    folder = Path(core.__file__).parent
    assert {path.stem for path in folder.glob("*.md")} == {*NAMES, "find_tools", "use"}
