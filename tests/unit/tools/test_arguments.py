"""A wrong call is refused with a message that teaches the right one."""

from typing import Any

import pytest

from ctxe.domain.errors import ToolError
from ctxe.domain.model import ToolSchema
from ctxe.tools.arguments import parse_arguments

SCHEMA = ToolSchema(
    "t",
    "",
    {
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "first": {"type": "integer", "minimum": 1},
            "all": {"type": "boolean"},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "files": {"type": "array", "items": {"type": "string"}},
            "items": {
                "type": "array",
                "items": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
            },
        },
        "required": ["path"],
    },
)
KEYS = "path, first?, all?, kind?, files?, items?"


@pytest.mark.parametrize(
    ("given", "got"),
    [
        ({"path": "a"}, {"path": "a"}),
        ({"path": "a", "first": None, "all": None}, {"path": "a"}),
        ({"path": "a", "first": "12"}, {"path": "a", "first": 12}),
        ({"path": "a", "first": 12.0}, {"path": "a", "first": 12}),
        ({"path": 7}, {"path": "7"}),
        ({"path": "a", "all": "true"}, {"path": "a", "all": True}),
        ({"path": "a", "kind": "b"}, {"path": "a", "kind": "b"}),
        ({"path": "a", "files": "x"}, {"path": "a", "files": ["x"]}),
        ({"path": "a", "files": []}, {"path": "a", "files": []}),
        ({"path": "a", "items": [{"text": "x"}]}, {"path": "a", "items": [{"text": "x"}]}),
        ({"path": "a", "items": {"text": "x"}}, {"path": "a", "items": [{"text": "x"}]}),
        ({"path": "a", "items": ' [{"text": "x"}]'}, {"path": "a", "items": [{"text": "x"}]}),
        ({"path": "a", "files": '["x", "y"]'}, {"path": "a", "files": ["x", "y"]}),
        ({"path": "a", "files": "[id].tsx"}, {"path": "a", "files": ["[id].tsx"]}),
        ({"path": "a", "files": "[" * 5_000}, {"path": "a", "files": ["[" * 5_000]}),
    ],
)
def test_right_arguments_and_harmless_mistakes_are_accepted(given: dict[str, Any], got: dict[str, Any]) -> None:
    assert parse_arguments(SCHEMA, given) == got


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], f"t takes an object with {KEYS}; got a list"),
        ("x", f"t takes an object with {KEYS}; got text"),
        ({}, f"t needs path; it takes {KEYS}"),
        ({"path": None}, "t: path must be text"),
        ({"path": ["a"]}, "t: path must be text"),
        ({"path": True}, "t: path must be text"),
        ({"path": "a", "frist": 3}, f"t does not know 'frist' (did you mean first?); it takes {KEYS}"),
        ({"path": "a", "zzz": 3}, f"t does not know 'zzz'; it takes {KEYS}"),
        ({"path": "a", "first": "x"}, "t: first must be a whole number"),
        ({"path": "a", "first": 1.5}, "t: first must be a whole number"),
        ({"path": "a", "first": True}, "t: first must be a whole number"),
        ({"path": "a", "first": float("inf")}, "t: first must be a whole number"),
        ({"path": "a", "first": "9" * 5000}, "t: first must be a whole number"),
        ({"path": "a", "first": 0}, "t: first must be at least 1"),
        ({"path": "a", "all": 1}, "t: all must be true or false"),
        ({"path": "a", "kind": "c"}, "t: kind must be one of a, b"),
        ({"path": "a", "files": [["x"]]}, "t: files must be text"),
        ({"path": "a", "items": ["x"]}, "t: items takes an object with text; got text"),
        ({"path": "a", "items": [{}]}, "t: items needs text; it takes text"),
        ({"path": "a", "items": [{"text": "x", "y": 1}]}, "t: items does not know 'y'; it takes text"),
    ],
)
def test_wrong_arguments_are_refused_by_name(given: object, said: str) -> None:
    with pytest.raises(ToolError) as caught:
        parse_arguments(SCHEMA, given)
    assert str(caught.value) == said
