"""Skills in real sessions: listed, loaded, used and dropped, with every request starting like the one before."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, Terminal, anthropic_at, ctxe, environment, openai_at, repository
from tests.wire.server import Call, Reply, WireServer

SKILL = """---
name: brew
description: Brewing tea for guests, kettles and leaves.
allowed-tools: Bash(rm *)
---
# Brew

BODY-OF-BREW: water first, then leaves.

"""
FACTS = [f"- Fact number {n} is about cups of size {n * 3}." for n in range(60)]
SKILL += "\n".join(FACTS) + "\n"
FILES = {
    ".claude/skills/brew/SKILL.md": SKILL,
    ".claude/skills/brew/scripts/boil.sh": "# Boils water to so many degrees.\necho boiled to $1 degrees\n",
    ".claude/skills/brew/references/leaves.md": "LEAVES: green ones like 80 degrees.\n",
    **{f"long{n}.txt": "".join(f"line {n}.{k} says little\n" for k in range(300)) for n in range(30)},
    "main.py": "print('hello')\n",
}
BODY = "BODY-OF-BREW"
MODULE = ".claude/skills/brew/"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "demo", FILES)


def load(name: str, **arguments: Any) -> Reply:
    return Reply("", [Call("use", {"name": name, **({"arguments": arguments} if arguments else {})})])


def holds(request: str) -> bool:
    """Does a request hold the whole module? A fold may keep single lines of what was read."""
    return all(fact in request for fact in FACTS)


def sent(bodies: Sequence[Mapping[str, Any]]) -> list[str]:
    return [json.dumps(body, ensure_ascii=False) for body in bodies]


@pytest.mark.parametrize("at", [openai_at, anthropic_at])
def test_a_skill_is_loaded_used_and_dropped_at_a_fold_while_the_prefix_only_grows(
    home: Path, repo: Path, at: Any
) -> None:
    own = home / ".config/ctxe/skills/brew"
    for name, text in FILES.items():
        if name.startswith(MODULE):
            path = own / name.removeprefix(MODULE)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            (repo / name).unlink()
    settings = f'[approval]\nallow = ["run:bash {own}/scripts/boil.sh *"]\n'
    (home / ".config/ctxe/config.toml").write_text(settings)
    work = [Reply(f"step {n}", [Call("read_file", {"path": f"long{n}.txt"})]) for n in range(30)]
    boil = load("brew/scripts/boil.sh", args=["80"])
    script = [boil, load("brew"), load("brew"), boil, load("brew/references/leaves.md"), *work, boil, Reply("done")]
    with WireServer(script, key=KEY) as server:
        done = ctxe(repo, environment(home, **at(server.url)), "chat", "-p", "go on", "--budget", "20000")
        assert (done.code, server.refused) == (0, []), done.err
        bodies = server.bodies
    told = sent(bodies)
    assert "- brew: Brewing tea for guests" in told[0]
    assert BODY not in told[1]
    assert "load brew first" in told[1]
    assert "brew/scripts/boil.sh: Boils water to so many degrees." in told[2]
    assert [text.count(BODY) for text in told[2:5]] == [1, 1, 1]
    assert "is loaded already" in told[3]
    assert "boiled to 80 degrees" in told[4]
    assert "LEAVES: green ones" in told[5]
    (log,) = (repo / ".ctxe/sessions").glob("*.jsonl")
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert sum(event.get("type") == "folded" for event in events) >= 2
    assert holds(told[4])
    assert not holds(told[-1])
    assert "load brew first" in told[-1]
    assert all(body["tools"] == bodies[0]["tools"] for body in bodies)
    assert _breaks(bodies) <= sum(event.get("type") == "folded" for event in events)


def _breaks(bodies: Sequence[Mapping[str, Any]]) -> int:
    """How many requests do not begin with all of the one before (cache marks left out)."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: plain(item) for key, item in value.items() if key != "cache_control"}
        return [plain(item) for item in value] if isinstance(value, list) else value

    whole = [plain([body.get("system"), *body["messages"]]) for body in bodies]
    return sum(later[: len(earlier)] != earlier for earlier, later in itertools.pairwise(whole))


def test_a_skill_in_use_survives_a_fold(home: Path, repo: Path) -> None:
    reads = [Reply("", [Call("read_file", {"path": f"long{n}.txt"})]) for n in range(12)]
    leaves = load("brew/references/leaves.md")
    script = [load("brew"), *[one for read in reads for one in (read, leaves)], Reply("done")]
    with WireServer(script, key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "go on", "--budget", "20000")
        assert (done.code, server.refused) == (0, []), done.err
        told = sent(server.bodies)
    (log,) = (repo / ".ctxe/sessions").glob("*.jsonl")
    assert '"type":"folded"' in log.read_text()
    assert all(holds(text) for text in told[1:])
    assert BODY in sent(server.bodies)[-1].partition('"role": "user"')[0]


def test_a_skill_script_is_approved_like_any_command(home: Path, repo: Path) -> None:
    boil = load("brew/scripts/boil.sh", args=["80; touch owned"])
    with WireServer([load("brew"), boil, Reply("done")], key=KEY) as server:
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", "-p", "go on")
        assert done.code == 0, done.err
        (answer,) = [one["content"] for one in server.bodies[-1]["messages"] if one["role"] == "tool"][1:]
    assert answer.startswith("not permitted: this command needs a person's approval")
    assert not (repo / "owned").exists()


def test_a_skill_is_loaded_by_option_by_slash_command_and_by_message(home: Path, repo: Path) -> None:
    with WireServer([Reply("one"), Reply("two"), Reply("three"), Reply("more")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "hello", "--skill", "brew").code == 0
        assert ctxe(repo, env, "chat", "-p", "which kettles are best for brewing green tea leaves?").code == 0
        assert ctxe(repo, env, "chat", "-p", "which branch is this?").code == 0
        told = sent(server.bodies)
        assert [text.count(BODY) for text in told] == [1, 1, 0]
        wrong = ctxe(repo, env, "chat", "-p", "hello", "--skill", "brwe")
        assert ctxe(repo, env, "chat", "-c", "-p", "go on", "--skill", "brew").code == 0
        assert sent(server.bodies)[-1].count(BODY) == 1
        assert (wrong.code, wrong.err) == (3, "ctxe: there is no skill 'brwe'\n      did you mean brew?\n")
    with WireServer([Reply("four"), Reply("five")], key=KEY) as server:
        with Terminal(repo, environment(home, **openai_at(server.url)), ("chat",)) as screen:
            screen.wait("nothing sent yet")
            screen.enter("/skill brew")
            screen.wait(r"brew asks for tools \(Bash\(rm \*\)\): that gives no permission")
            screen.wait(r"brew \(\d+ tokens\) goes with your next words")
            screen.enter("hello")
            screen.wait("four")
            screen.enter("/skill brew and again")
            screen.wait("five")
            screen.enter("/exit")
            assert screen.ended() == 0
        assert [text.count(BODY) for text in sent(server.bodies)] == [1, 1]


def test_the_ledger_says_why_a_skill_was_loaded_or_left_out(home: Path, repo: Path) -> None:
    held = ctxe(
        repo, environment(home), "budget", "--json", "which kettles are best for brewing green tea leaves?"
    ).json
    chunks = {chunk["id"]: chunk["why"] for section in held["sections"] for chunk in section["chunks"]}
    assert "kettl" in chunks["skill brew"]
    env = environment(home, CTXE_SKILLS_NEVER="brew,pytest")
    held = ctxe(repo, env, "budget", "--json", "which kettles are best for brewing green tea leaves?").json
    assert "skill brew" not in json.dumps(held)
    shown = ctxe(repo, env, "skills", "list", "--json").json
    assert {one["name"]: one["problem"] for one in shown if one["problem"]} == {
        "brew": "your settings say never",
        "pytest": "your settings say never",
    }
    always = ctxe(repo, environment(home, CTXE_SKILLS_ALWAYS="brew"), "budget", "--json", "hello").json
    assert [c["why"] for s in always["sections"] for c in s["chunks"] if c["id"] == "skill brew"] == [
        "your settings say always"
    ]


def test_no_skill_list_is_sent_when_no_skill_can_be_loaded(home: Path, repo: Path) -> None:
    def system(env: Mapping[str, str], *words: str) -> str:
        return json.dumps(ctxe(repo, env, "chat", "--dry-run", "hello", *words).json["system"])

    env = environment(home)
    assert "<skills>" in system(env)
    assert "<skills>" not in system(env, "--allowed-tools", "read_file,search")
    assert "<skills>" in system(env, "--allowed-tools", "read_file,use")
    assert "<skills>" not in system(environment(home, CTXE_SKILLS_SHARE="0"))


def test_the_skill_list_stays_small_with_none_and_with_two_hundred_skills(home: Path, tmp_path: Path) -> None:
    empty = repository(tmp_path / "empty", {".keep": ""})
    first = ctxe(empty, environment(home), "budget", "--json", "hello").json["used"]
    assert first <= 2_000
    many = {
        f".claude/skills/skill-{n}/SKILL.md": f"---\nname: skill-{n}\ndescription: Knows all there is to know about "
        f"subject number {n} and its {n * 7} neighbours, with care.\n---\nBody {n}.\n"
        for n in range(200)
    }
    full = ctxe(repository(tmp_path / "many", many), environment(home), "budget", "--json", "hello").json
    assert full["used"] - first <= 1_500
    (why,) = [chunk["why"] for one in full["sections"] for chunk in one["chunks"] if chunk["id"] == "skills catalogue"]
    assert "by name only" in why


def test_skill_commands_list_show_create_and_check(home: Path, repo: Path) -> None:
    env = environment(home)
    rows = {one["name"]: one for one in ctxe(repo, env, "skills", "list", "--json").json}
    assert set(rows) > {"brew", "backend", "frontend", "ux-patterns", "pytest"}
    assert (rows["brew"]["where"], rows["brew"]["state"], rows["backend"]["origin"]) == (
        ".claude/skills/brew",
        "listed",
        "shipped",
    )
    shown = ctxe(repo, env, "skills", "show", "brew")
    assert BODY in shown.out
    assert "references/leaves.md" in shown.out
    assert ctxe(repo, env, "skills", "new", "notes", "Release notes").code == 0
    assert (repo / ".ctxe/skills/notes/SKILL.md").read_text().startswith("---\nname: notes\n")
    assert ctxe(repo, env, "skills", "check", "notes").code == 0
    checked = ctxe(repo, env, "skills", "check", ".claude/skills/brew")
    assert checked.code == 1
    assert "allowed-tools (Bash(rm *)) gives no permission" in checked.out
    assert ctxe(repo, env, "skills", "new", "No Name").code == 3
    assert ctxe(repo, env, "skills", "show", "nothing").code == 3
    assert ctxe(repo, env, "skills", "check", "backend").out == "1 checked, 0 with something to fix\n"
