"""A repository with rule files of every tool at once: what a session sends of them, in which order, and when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, ctxe, environment, openai_at, repository
from tests.wire.server import Call, Reply, WireServer

SAME = "Run the whole suite with `pytest -q` before you call anything done."
ALWAYS = {
    "AGENTS.md": "Names of modules are nouns (agents).",
    "MEMORY.md": "The release train leaves on Fridays (memory).",
    "CLAUDE.md": "Ask before deleting branches (claude).\n\n@docs/style.md",
    "docs/style.md": "Functions stay short (imported).\n\n@style.md, @../CLAUDE.md circle, @../../out.md leads out.",
    "CLAUDE.local.md": "The staging server is mine (local).",
    "GEMINI.md": "Prefer tables to prose (gemini).",
    ".github/copilot-instructions.md": "Commits stay small (copilot).",
    ".cursorrules": "Greet nobody in comments (cursorrules).",
    ".windsurfrules": "Sentences may be long (windsurf).",
    ".goosehints": "Fly south in winter (goose).",
    "HOUSE.md": "Doors are closed at night (house).",
    "CONVENTIONS.md": "Indent with four spaces (conventions).",
    ".claude/rules/plain.md": "Claude's rules hold everywhere (claude rules).",
    ".cursor/rules/always.mdc": "---\nalwaysApply: true\nglobs:\n---\nCursor wants this in each file (cursor rules).",
    ".clinerules/one.md": "Read each file twice (cline).",
    ".roo/rules/a.md": "Hop before you run (roo).",
}
ORDER = [text.rpartition("(")[2].partition(")")[0] for name, text in ALWAYS.items() if name != "MEMORY.md"]
ORDER[3] = "imported"
SCOPED = {
    ".claude/rules/tests.md": ("---\npaths:\n  - tests/**\n---\nTests use real parts (claude paths).", "claude paths"),
    ".cursor/rules/ts.mdc": ("---\nglobs: *.ts,*.tsx\nalwaysApply: false\n---\nNo any (cursor globs).", "cursor globs"),
    ".github/instructions/api.instructions.md": (
        '---\napplyTo: "src/api/**"\n---\nVersions go into a header (apply to).',
        "apply to",
    ),
    "src/api/AGENTS.md": ("Nothing here may block (nested agents).", "nested agents"),
    "web/CLAUDE.md": ("The web has its own colours (nested claude).", "nested claude"),
}
SECRET = "Hidden rule (ctxeignore)."
LONG = {f"long{n}.txt": "".join(f"line {n}.{k} of words that say little\n" for k in range(220)) for n in range(24)}
ZEBRA = "def zebra_crossing():\n    return 7\n"
SOURCES = {
    "src/api/x.ts": "export const x = 1\n",
    "tests/test_x.py": "x = 1\n",
    "web/z.py": ZEBRA,
    **LONG,
}


@pytest.fixture
def repo(tmp_path: Path, home: Path) -> Path:
    held = {name: text + "\n" for name, text in ALWAYS.items()} | {name: text for name, (text, _) in SCOPED.items()}
    for name in ("AGENTS.md", "CLAUDE.md", "GEMINI.md"):
        held[name] = f"# Rules\n\n{SAME}\n\n{held[name]}"
    held |= {".aider.conf.yml": "model: x\nread: [CONVENTIONS.md]\n", ".ctxeignore": ".roorules\n", ".roorules": SECRET}
    held |= {".ctxe.toml": '[instructions]\nread = ["HOUSE.md"]\n'}
    (tmp_path / "out.md").write_text("Never told (outside).\n")
    (home / ".config/ctxe").mkdir(parents=True, exist_ok=True)
    (home / ".config/ctxe/AGENTS.md").write_text("Answer in English (mine).\n")
    return repository(tmp_path / "repo", held | SOURCES)


def system(body: Mapping[str, Any]) -> str:
    return json.dumps([one for one in body["messages"] if one["role"] in ("system", "developer")], ensure_ascii=False)


def test_each_rule_is_sent_once_in_order_and_scoped_ones_after_their_first_file(home: Path, repo: Path) -> None:
    script = [
        Reply("", [Call("list_files", {})]),
        Reply("", [Call("read_file", {"path": "src/api/x.ts"})]),
        Reply("", [Call("read_file", {"path": "tests/test_x.py"})]),
        Reply("done"),
    ]
    with WireServer(script, key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "hello")
        assert done.code == 0, done.err
        bodies = server.bodies
    sent = [json.dumps(body, ensure_ascii=False) for body in bodies]
    places = [system(bodies[0]).find(f"({mark})") for mark in ["mine", *ORDER]]
    assert -1 not in places
    assert places == sorted(places)
    for mark in ["mine", "memory", *ORDER]:
        assert [body.count(f"({mark})") for body in sent] == [1, 1, 1, 1], mark
    assert [body.count("before you call anything done") for body in sent] == [1, 1, 1, 1]
    assert not any("(ctxeignore)" in body or "(outside)" in body for body in sent)
    told = {mark: [body.count(f"({mark})") for body in sent] for _, mark in SCOPED.values()}
    api = [0, 0, 1, 1]
    assert told == {
        "claude paths": [0, 0, 0, 1],
        "cursor globs": api,
        "apply to": api,
        "nested agents": api,
        "nested claude": [0, 0, 0, 0],
    }
    assert "../../out.md" in done.err
    assert "leads out of the repository" in done.err


def test_all_rules_stand_in_the_request_after_three_folds(home: Path, repo: Path) -> None:
    touched = [Reply("", [Call("read_file", {"path": path})]) for path in ("src/api/x.ts", "tests/test_x.py")]
    work = [Reply(f"step {n}", [Call("read_file", {"path": f"long{n}.txt"})]) for n in range(24)]
    with WireServer([*touched, *work, Reply("done")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", "-p", "hello", "--budget", "18000")
        assert done.code == 0, done.err
        last = json.dumps(server.bodies[-1], ensure_ascii=False)
    (log,) = (repo / ".ctxe/sessions").glob("*.jsonl")
    assert log.read_text().count('"type":"folded"') >= 3
    marks = ["mine", "memory", *ORDER, "claude paths", "cursor globs", "apply to", "nested agents"]
    assert {mark: last.count(f"({mark})") for mark in marks} == dict.fromkeys(marks, 1)
    assert last.count("before you call anything done") == 1


def test_the_rules_listing_shows_what_loads_its_cost_and_what_has_no_effect(home: Path, repo: Path) -> None:
    (repo / "README.md").write_text(f"# Demo\n\n{SAME}\n")
    (repo / ".cursor/rules/go.mdc").write_text("---\nglobs: *.go\n---\nErrors are values.\n")
    (repo / "GEMINI.md").write_text("Line length: 80\n")
    (repo / ".windsurfrules").write_text("Line length: 120\n")
    env = environment(home)
    shown = ctxe(repo, env, "memory", "show", "--sources", "--json").json
    states = {rule["path"]: (rule["state"], bool(rule["tokens"])) for rule in shown["instructions"]}
    assert states["AGENTS.md"] == ("loaded", True)
    assert states["src/api/AGENTS.md" if "src/api/AGENTS.md" in states else ".cursor/rules/ts.mdc"] == ("waits", False)
    told = "\n".join(shown["notices"])
    assert "AGENTS.md: 1 items repeat the README" in told
    assert ".cursor/rules/go.mdc: no file is in its scope (*.go)" in told
    assert "GEMINI.md and .windsurfrules disagree: “Line length: 80” / “Line length: 120”" in told
    doctor = [one for one in ctxe(repo, env, "doctor", "--json").json if one["name"] == "instructions"]
    assert doctor[0]["says"].endswith("tokens in every request")
    lines = [one["says"].partition(" (")[0] for one in doctor[1:]]
    assert "AGENTS.md: 1 items repeat the README" in lines
    assert "GEMINI.md and .windsurfrules disagree: “Line length: 80” / “Line length: 120”" in lines


def test_rules_come_with_files_that_are_named_chosen_or_planned_and_survive_folds(home: Path, repo: Path) -> None:
    work = [Reply(f"step {n}", [Call("read_file", {"path": f"long{n}.txt"})]) for n in range(24)]
    with WireServer([Reply("one"), Reply("two"), *work, Reply("done")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "hello", "--file", "tests/test_x.py").code == 0
        assert ctxe(repo, env, "chat", "-p", "what does zebra_crossing return?").code == 0
        done = ctxe(repo, env, "chat", "-p", "look at @src/api/x.ts", "--budget", "18000")
        assert done.code == 0, done.err
        sent = [json.dumps(body, ensure_ascii=False) for body in server.bodies]
    assert [sent[0].count(f"({mark})") for mark in ("claude paths", "nested agents", "nested claude")] == [1, 0, 0]
    assert [sent[1].count(f"({mark})") for mark in ("claude paths", "nested agents", "nested claude")] == [0, 0, 1]
    logs = "".join(path.read_text() for path in (repo / ".ctxe/sessions").glob("*.jsonl"))
    assert logs.count('"type":"folded"') >= 3
    for text in (sent[2], sent[-1]):
        assert {mark: text.count(f"({mark})") for mark in ("cursor globs", "apply to", "nested agents")} == {
            "cursor globs": 1,
            "apply to": 1,
            "nested agents": 1,
        }


def test_a_rule_that_waits_to_be_asked_for_is_listed_and_loaded(home: Path, repo: Path) -> None:
    rule = "---\ndescription: Deploying to the staging cluster\nglobs:\nalwaysApply: false\n---\nDrain first (asked).\n"
    (repo / ".cursor/rules/staging.mdc").write_text(rule)
    script = [Reply("", [Call("use", {"name": "staging"})]), Reply("done")]
    with WireServer(script, key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "hello")
        assert done.code == 0, done.err
        sent = [json.dumps(body, ensure_ascii=False) for body in server.bodies]
    assert "- staging: Deploying to the staging cluster" in sent[0]
    assert [text.count("(asked)") for text in sent] == [0, 1]


def test_a_broken_rule_file_costs_one_line_and_the_others_work(home: Path, repo: Path, tmp_path: Path) -> None:
    for name, text in {
        "AGENTS.md": "# Long\n\n" + "\n".join(f"Rule number {n} of very many." for n in range(60_000)),
        "CLAUDE.md": "Still here (claude).\n\n@CLAUDE.md @docs/style.md @../../etc/passwd.txt @~/.ssh/config.md\n",
        "GEMINI.md": "Say\u200b no\U000e0041thing (gemini).\n",
        ".cursor/rules/bad.mdc": "---\nglobs: [unclosed\n  : - :\nCursor is torn.\n",
        ".claude/skills/one/SKILL.md": "---\nname: same\ndescription: The first.\n---\nOne.\n",
        ".claude/skills/two/SKILL.md": "---\nname: same\ndescription: Second.\nallowed-tools: Bash(rm *)\n---\nTwo.\n",
        ".claude/skills/torn/SKILL.md": "---\nname: [torn\n",
    }.items():
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text(text)
    (tmp_path / "elsewhere.md").write_text("Never told (elsewhere).\n")
    (repo / ".windsurfrules").unlink()
    (repo / ".windsurfrules").symlink_to(tmp_path / "elsewhere.md")
    with WireServer([Reply("fine")], key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "hello")
        assert (done.code, done.out) == (0, "fine\n"), done.err
        sent = json.dumps(server.bodies[0], ensure_ascii=False)
    sources = ctxe(repo, environment(home), "memory", "show", "--sources", "--json").json
    told = done.err + "\n".join(sources["notices"])
    for line in (
        "AGENTS.md: only its first 128 KiB are read",
        "AGENTS.md is CUT: the instructions together are too long",
        "../../etc/passwd.txt: leads out of the repository: not followed",
        "~/.ssh/config.md: leads out of the repository: not followed",
        "GEMINI.md:1: 2 invisible characters removed",
        ".windsurfrules: is a link that leads out of the repository: not followed",
    ):
        assert told.count(line) >= 1, (line, told)
    modules = ctxe(repo, environment(home), "skills", "list", "--json").json
    problems = {one["where"]: one["problem"] for one in modules if one["problem"]}
    assert problems[".claude/skills/two"] == ".claude/skills/one has the same name and stands before it"
    assert "gives no permission" in ctxe(repo, environment(home), "skills", "check", ".claude/skills/two").out
    assert [sent.count(f"({mark})") for mark in ("claude", "gemini", "imported", "copilot", "elsewhere")] == [
        1,
        1,
        1,
        1,
        0,
    ]
    assert "Traceback" not in done.err
