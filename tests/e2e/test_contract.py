"""The JSON that other programs rely on: every key and its type as the public contract has them; keys may be added."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ctxe.cli.app import main
from tests.e2e.harness import ctxe, environment, repository

FILES = {
    "tea/kettle.py": "class Kettle:\n    def boil(self, water):\n        return water\n",
    "tea/cup.py": "from tea.kettle import Kettle\n\n\ndef fill(cup):\n    return Kettle().boil(cup)\n",
    "README.md": "# Tea\n\nBoil water in the kettle.\n",
}
NUMBER = (int, float)
Shape = dict[str, Any]
PLAN: Shape = {"task": str, "budget": int, "tokens": int, "files": list, "left_out": list, "timings_ms": dict}
PLANNED: Shape = {"path": str, "score": NUMBER, "tokens": int, "mode": str, "ranges": list, "reasons": list}
REASON: Shape = {"signal": str, "detail": str, "weight": NUMBER}
LEFT_OUT: Shape = {"path": str, "score": NUMBER, "reason": str}
BUDGET: Shape = {"model": str, "window": int, "reserve": int, "usable": int, "used": int, "sections": list}
BUDGET |= {"cost": dict, "exact": bool}
SECTION: Shape = {"name": str, "priority": int, "tokens": int, "share": NUMBER, "chunks": list, "left_out": list}
CHUNK: Shape = {"id": str, "tokens": int, "tier": str, "why": str, "cached": bool}
FOUND: Shape = {"id": str, "score": NUMBER, "tokens": int, "current": bool, "superseded_by": (str, type(None))}
FOUND |= {"kind": str, "title": str}


def fits(held: Any, shape: Shape) -> None:
    """Every key of the shape is there with a value of its type; truth is no number."""
    assert isinstance(held, dict)
    for key, kind in shape.items():
        assert key in held
        assert isinstance(held[key], kind), (key, held[key])
        assert kind is bool or not isinstance(held[key], bool), (key, held[key])


@pytest.fixture
def asked(tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """One command in a small repository, in this process; what it printed, as JSON."""
    root = repository(tmp_path / "tea", FILES)

    def run(*words: str, after: bool = False) -> Any:
        named = ["--project", str(root)]
        assert main([*words, *named] if after else [*named, *words]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def test_the_json_of_a_plan_keeps_its_keys_and_types(asked: Callable[..., Any]) -> None:
    made = asked("plan", "--json", "--budget", "400", "Kettle.boil returns cold water")
    fits(made, PLAN)
    assert made["files"][0]["path"] == "tea/kettle.py"
    assert sum(file["tokens"] for file in made["files"]) == made["tokens"] <= made["budget"] == 400
    scores = [file["score"] for file in made["files"]]
    assert scores == sorted(scores, reverse=True)
    for file in made["files"]:
        fits(file, PLANNED)
        assert file["mode"] in ("full", "region", "outline", "name")
        assert all(len(lines) == 2 and 0 < lines[0] <= lines[1] for lines in file["ranges"])
        for reason in file["reasons"]:
            fits(reason, REASON)
    for left in asked("plan", "--json", "--budget", "100", "boil water", after=True)["left_out"]:
        fits(left, LEFT_OUT)


def test_the_json_of_a_budget_keeps_its_keys_and_types(asked: Callable[..., Any]) -> None:
    made = asked("budget", "--json", "boil the water longer in the kettle")
    fits(made, BUDGET)
    fits(made["cost"], {"input_usd": NUMBER, "cached_usd": NUMBER})
    for section in made["sections"]:
        fits(section, SECTION)
        for chunk in section["chunks"]:
            fits(chunk, CHUNK)
        assert sum(chunk["tokens"] for chunk in section["chunks"]) == section["tokens"]
    assert sum(section["tokens"] for section in made["sections"]) == made["used"] <= made["usable"]
    assert made["usable"] == made["window"] - made["reserve"]


def test_the_json_of_memory_and_failures_keeps_its_keys_and_types(asked: Callable[..., Any], tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": "D1:3", "kind": "fact", "title": "Tea", "text": "Tea is boiled at 95 degrees", "ts": 5, "files": ["t"]},
        {"id": "pep-8", "kind": "decision", "title": "Style", "text": "Tea at 90", "ts": 7, "supersedes": ["D1:3"]},
        {"id": "F1", "kind": "failure", "title": "Kettle leaks", "text": "tea on the floor", "ts": 9, "odd": True},
    ]
    source = tmp_path / "rows.jsonl"
    source.write_text("\n".join([*map(json.dumps, rows), "no json", ""]))
    assert asked("memory", "import", str(source)) == {"imported": 3, "skipped": 1}
    found = asked("memory", "search", "--json", "-k", "10", "tea at 95 degrees", after=True)
    fits(found, {"results": list, "abstained": bool, "qid": object})
    assert {row["id"] for row in found["results"] if row["current"]} == {"pep-8", "F1"}
    for row in found["results"]:
        fits(row, FOUND)
    matched = asked("failures", "match", "--json", "-k", "5", json.dumps({"text": "leaks", "files": [], "error": "x"}))
    assert [row["id"] for row in matched["results"]] == ["F1"]
    fits(matched["results"][0], FOUND)


def test_a_bulk_search_answers_one_line_for_each_question(home: Path, tmp_path: Path) -> None:
    env = environment(home)
    ctxe(tmp_path, env, "memory", "add", "Tea is boiled at 95 degrees")
    lines: list[dict[str, Any]] = [{"qid": 7, "text": "tea"}, {"qid": "empty"}]
    lines.append({"qid": "x", "text": "quantum field theory", "inject": True, "k": 3})
    for command in (("memory", "search"), ("failures", "match")):
        asked = ctxe(tmp_path, env, *command, "--jsonl", stdin="\n".join(map(json.dumps, lines)) + "\n")
        answers = [json.loads(line) for line in asked.out.splitlines()]
        assert [answer["qid"] for answer in answers] == [7, "empty", "x"]
        assert answers[1] == {"qid": "empty", "error": "not a question: neither text nor files nor an error"}
        assert answers[2]["abstained"] is True


def test_the_json_of_replay_keeps_its_keys_and_types(home: Path, tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"op": "add", "message": {"role": "system", "content": "You brew."}},
        {"op": "add", "message": {"role": "user", "content": "Tea, please"}},
        {"op": "assemble"},
        {"op": "pour"},
    ]
    done = ctxe(
        tmp_path, environment(home), "replay", "--stdin", "--budget", "8000", stdin="\n".join(map(json.dumps, lines))
    )
    *added, made, failed = map(json.loads, done.out.splitlines())
    assert added == [{"ok": True}, {"ok": True}]
    fits(made, {"messages": list, "tokens": int, "epoch": int})
    assert made["messages"] == [line["message"] for line in lines[:2]]
    fits(failed, {"error": str})
