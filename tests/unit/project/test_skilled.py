"""The skills of a session, read from its conversation, and the answers of the two gateway tools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ctxe.agent.state import State
from ctxe.domain.conversation import Conversation, Fold, Position, Reply, Step, ToolCall, ToolResult, Touch, Turn
from ctxe.domain.errors import ConfigError, ToolError
from ctxe.domain.section import Chunk, Priority, Section
from ctxe.domain.tool import Risk, ToolOutput
from ctxe.knowledge.skills.source import HeldSkills
from ctxe.project import Project
from ctxe.project.memory.writer import memory_writer
from ctxe.project.skills.finder import skill_named
from ctxe.project.skills.loaded import IDLE, held_skills
from ctxe.project.window.kit import Kit, kit_for

SKILL = "---\nname: brew\ndescription: Brewing tea in kettles.\npaths: [tea/**]\n---\nBODY\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files: dict[str, str | bytes] = {
        "brew/SKILL.md": SKILL,
        "brew/scripts/boil.sh": "# Boils.\necho $1\n",
        "brew/references/leaves.md": "LEAVES\n",
        "brew/assets/tea.bin": b"\0\1",
        "brew/assets/id_rsa": "secret",
        "mine/SKILL.md": "---\nname: mine\ndescription: Mine.\ndisable-model-invocation: true\n---\nMINE\n",
    }
    for name, data in files.items():
        path = tmp_path / "repo/.agents/skills" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return tmp_path / "repo"


def kit(root: Path, home: Path, state: State, only: tuple[str, ...] = (), skills: tuple[str, ...] = ()) -> Kit:
    project = Project.open(root, {"HOME": str(home), "CTXE_HOME": str(home / "ctxe")})
    keeps = memory_writer(project, "test", approved=False)
    return kit_for(project, keeps, state=lambda: state, only=only, skills=skills)


def call(kit: Kit, tool: str, **arguments: Any) -> str:
    *_, output = kit.tools[tool].prepare(arguments).run()
    assert isinstance(output, ToolOutput)
    return output.text


def loaded() -> State:
    """A session that loaded brew in its only step."""
    return State(Conversation((Turn("go", steps=(step("use", {"name": "brew"}),)),)))


def step(tool: str, arguments: dict[str, Any], *paths: str, number: int = 1, ok: bool = True) -> Step:
    one = ToolCall(f"c{number}", tool, json.dumps(arguments))
    return Step(Reply("", (one,)), (ToolResult(one.id, "x", ok, touches=tuple(Touch(p, "read") for p in paths)),))


def test_find_tools_searches_by_words_and_lists_all_without(root: Path, home: Path) -> None:
    here = kit(root, home, State())
    assert call(here, "find_tools", query="how hot should tea be?").splitlines()[:2] == [
        "- brew: Brewing tea in kettles.",
        "  tool brew/scripts/boil.sh",
    ]
    every = call(here, "find_tools")
    assert every.startswith("- brew: ")
    assert "- pytest: " in every
    assert "mine" not in every
    with pytest.raises(ToolError, match="nothing matches xyzzy"):
        call(here, "find_tools", query="xyzzy")


def test_use_loads_skills_reads_files_and_runs_scripts(root: Path, home: Path) -> None:
    fresh, here = kit(root, home, State()), kit(root, home, loaded())
    assert call(fresh, "use", name="brew").startswith('<skill from=".agents/skills/brew"')
    assert fresh.skills.uses() == {"brew": 1.0}
    assert (
        call(here, "use", name="brew") == "brew is loaded already, its text stands above; brew/SKILL.md reads it again"
    )
    assert call(fresh, "use", name="brew/references/leaves.md") == "LEAVES\n"
    assert call(fresh, "use", name="brew/SKILL.md") == SKILL
    action = here.tools["use"].prepare({"name": "brew/scripts/boil.sh", "arguments": '{"args": ["a b", 3]}'})
    command = "bash .agents/skills/brew/scripts/boil.sh 'a b' 3"
    assert (action.tool, action.risk, action.command, action.preview) == ("run_command", Risk.EXECUTE, command, command)


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("", {}, "name is empty; find_tools lists the names"),
        ("brwe", {}, "there is no skill 'brwe'; find_tools lists what there is"),
        ("mine", {}, "only the user loads mine"),
        ("brew/none.md", {}, "brew has no file none.md; its files: scripts/boil.sh, "),
        ("brew/../../../etc/passwd", {}, "brew has no file ../../../etc/passwd"),
        ("brew/assets/tea.bin", {}, "assets/tea.bin is binary"),
        ("brew/assets/id_rsa", {}, "assets/id_rsa may hold keys and passwords"),
        ("brew/scripts/boil.sh", {"args": "80"}, 'brew/scripts/boil.sh takes {"args": [string, …]}'),
        ("brew/scripts/boil.sh", {"argv": []}, 'brew/scripts/boil.sh takes {"args": [string, …]}'),
        ("pytest/scripts/again.py", {}, "load pytest first: use with name pytest"),
        ("brew", "{", "use: arguments must be an object"),
    ],
)
def test_a_wrong_use_call_names_the_right_one(root: Path, home: Path, name: str, arguments: Any, says: str) -> None:
    with pytest.raises(ToolError) as caught:
        call(kit(root, home, loaded()), "use", name=name, arguments=arguments)
    assert str(caught.value).startswith(says)


def test_excluded_tools_are_not_reachable_through_gateways(root: Path, home: Path) -> None:
    here = kit(root, home, loaded(), only=("use", "read_file"))
    assert list(here.tools) == ["read_file", "use"]
    with pytest.raises(ToolError, match="run_command is not offered"):
        call(here, "use", name="brew/scripts/boil.sh")
    with pytest.raises(ConfigError, match="there is no skill 'nothing'"):
        kit(root, home, State(), skills=("nothing",))
    with pytest.raises(ConfigError, match="there is no skill"):
        skill_named((), "x")


def turns(*steps: Step, gathered: tuple[Section, ...] = (), fold: Fold | None = None) -> State:
    return State(Conversation((Turn("go", gathered, steps),), fold))


def others(number: int, *paths: str) -> Iterator[Step]:
    yield from (step("read_file", {"path": "x"}, *paths, number=n + 50) for n in range(number))


SCOPES = {"brew": ("tea/**",)}


def test_loaded_skills_are_read_from_the_conversation() -> None:
    load, other = step("use", {"name": "brew"}), step("use", {"name": "brew/scripts/x.sh"}, number=2)
    nothing = HeldSkills()
    assert held_skills(State(), SCOPES) == nothing
    assert held_skills(turns(load), SCOPES) == HeldSkills(frozenset({"brew"}))
    assert held_skills(turns(step("use", {"name": "brew"}, ok=False)), SCOPES) == nothing
    gathered = Section("skills for this task", Priority.INJECTED, (Chunk("skill brew", "x"),))
    assert held_skills(turns(gathered=(gathered,)), SCOPES) == HeldSkills(frozenset({"brew"}))
    assert held_skills(replace(State(), standing=(gathered,)), SCOPES) == HeldSkills(frozenset({"brew"}))
    assert held_skills(replace(State(), queued=gathered.chunks), SCOPES) == HeldSkills(frozenset({"brew"}))
    folded = Fold(Position(0, 1))
    carried = HeldSkills(in_use={"brew": "in use"})
    assert held_skills(turns(load, *others(2), fold=folded), SCOPES) == carried
    assert held_skills(turns(load, *others(2), fold=Fold(Position(), masks={"c1": "masked"})), SCOPES) == carried
    assert held_skills(turns(load, *others(IDLE - 1), fold=folded), SCOPES) == carried
    assert held_skills(turns(load, *others(IDLE), fold=folded), SCOPES) == nothing
    assert held_skills(turns(load, *others(IDLE), other, fold=folded), SCOPES) == carried
    assert held_skills(turns(load, *others(IDLE, "tea/pot.txt"), fold=folded), SCOPES) == carried
    assert held_skills(turns(load, *others(IDLE, "coffee/pot.txt"), fold=folded), SCOPES) == nothing
    bad = replace(load, reply=Reply("", (ToolCall("c1", "use", "[1"),)))
    assert held_skills(turns(bad), SCOPES) == nothing
