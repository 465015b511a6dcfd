"""Pictures from the message to the request: mentioned, dropped, read, resumed, folded, refused without vision."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Terminal, anthropic_at, ctxe, environment, openai_at, repository
from tests.pictures import png
from tests.wire.server import Call, Entry, Reply, WireServer

SHOT = png(1280, 800)
OTHER = png(64, 48, 0x90)
APIS: dict[str, Callable[[str], dict[str, str]]] = {
    "messages": anthropic_at,
    "chat": openai_at,
    "responses": lambda url: openai_at(url) | {"CTXE_MODEL_API": "responses"},
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    found = repository(tmp_path / "repo", {"calc.py": "def add(a, b):\n    return a + b\n", ".ctxeignore": "hidden/\n"})
    (found / "docs").mkdir()
    (found / "hidden").mkdir()
    (found / "docs/shot.png").write_bytes(SHOT)
    (found / "hidden/shot.png").write_bytes(SHOT)
    (found / "docs/fake.png").write_text("no picture\n")
    return found


def shown(body: Any) -> list[bytes]:
    """The bytes of every picture in a request, in order."""
    found: list[bytes] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            data = value.get("data", "") if value.get("type") == "base64" else ""
            for address in (value.get("image_url"), value.get("url")):
                data = address.partition(",")[2] if isinstance(address, str) else data
            found.extend([base64.b64decode(data)] if data else [])
            for inner in value.values():
                look(inner)
        for inner in value if isinstance(value, list) else ():
            look(inner)

    look(body)
    return found


def events(repo: Path) -> list[dict[str, Any]]:
    (log,) = (repo / ".ctxe/sessions").glob("*.jsonl")
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.parametrize("api", APIS)
def test_mentioned_and_read_pictures_are_sent_and_survive_a_kill(api: str, home: Path, repo: Path) -> None:
    (repo / "other.png").write_bytes(OTHER)
    script = [Reply("", [Call("read_file", {"path": "other.png"})]), Reply("Two."), Reply("Again.")]
    with WireServer(script) as server:
        env = environment(home, **APIS[api](server.url))
        first = ctxe(repo, env, "chat", "-p", "what do you see on @docs/shot.png and @docs/fake.png?")
        assert (first.code, first.out.strip(), server.refused) == (0, "Two.", []), first.err
        (repo / "docs/shot.png").unlink()
        (repo / "other.png").unlink()
        log = next((repo / ".ctxe/sessions").glob("*.jsonl"))
        log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))  # killed before the turn's last line
        again = ctxe(repo, env, "chat", "-p", "-c", "and now?")
        assert (again.code, server.refused) == (0, []), again.err
        one, two, three = server.bodies
    assert (shown(one), shown(two), shown(three)) == ([SHOT], [SHOT, OTHER], [SHOT, OTHER])
    key = "input" if api == "responses" else "messages"
    heads = [
        json.dumps(body[key]).replace(', "cache_control": {"type": "ephemeral"}', "") for body in (one, two, three)
    ]
    assert heads[1].startswith(heads[0][:-1])
    assert heads[2].startswith(heads[1][:-1])
    assert sorted(path.read_bytes() for path in (repo / ".ctxe/sessions/pictures").iterdir()) == sorted([SHOT, OTHER])
    assert base64.b64encode(SHOT).decode()[:60] not in log.read_text()


def test_a_picture_has_a_ledger_row_and_ctxe_budget_stores_nothing(home: Path, repo: Path) -> None:
    env = environment(home, **anthropic_at("http://127.0.0.1:9")) | {"CTXE_MODEL": "anthropic/claude-opus-5-5"}
    told = ctxe(repo, env, "budget", "--json", "explain @docs/shot.png").json
    (section,) = [one for one in told["sections"] if one["name"] == "named files"]
    (chunk,) = [one for one in section["chunks"] if one["id"] == "docs/shot.png"]
    assert chunk["why"] == "you named it"
    assert 1_366 <= chunk["tokens"] <= 1_420
    assert not (repo / ".ctxe/sessions/pictures").exists()
    request = ctxe(repo, env, "chat", "--dry-run", "explain @docs/shot.png").json
    blocks = [block for message in request["messages"] for block in message["content"]]
    assert [block["name"] for block in blocks if block["type"] == "picture"] == ["docs/shot.png"]
    (home / "drop.png").write_bytes(OTHER)
    request = ctxe(repo, env, "chat", "--dry-run", "explain ~/drop.png").json
    blocks = [block for message in request["messages"] for block in message["content"]]
    assert [block["name"] for block in blocks if block["type"] == "picture"] == [f"{home}/drop.png"]
    assert not (repo / ".ctxe/sessions/pictures").exists()


def test_a_model_without_vision_is_sent_no_picture_and_one_line_says_so(home: Path, repo: Path, tmp_path: Path) -> None:
    outside = tmp_path / "my shot.png"
    outside.write_bytes(OTHER)
    script = [Reply("", [Call("read_file", {"path": "docs/shot.png"})]), Reply("I cannot see.")]
    with WireServer([*script, Reply("Now I do.")]) as server:
        env = environment(home, **openai_at(server.url)) | {"CTXE_MODEL": "openai/o3-mini"}
        blind = ctxe(repo, env, "chat", "-p", f'look at @docs/shot.png and "{outside}"')
        assert blind.code == 0, blind.err
        (home / ".config/ctxe").mkdir(parents=True, exist_ok=True)
        (home / ".config/ctxe/config.toml").write_text('[models."openai/o3-mini"]\nimages = true\n')
        seeing = ctxe(repo, env, "chat", "-p", "look at @docs/shot.png")
        assert seeing.code == 0, seeing.err
        assert server.refused == []
        first, second, third = server.bodies
    told = 'is a picture, and openai/o3-mini sees none; if it does: [models."openai/o3-mini"] images = true'
    assert f"not shown: docs/shot.png {told}" in " ".join(blind.err.split())
    assert f"not shown: {outside} is a picture" in " ".join(blind.err.split()).replace("- ", "-")
    assert (shown(first), shown(second), shown(third)) == ([], [], [SHOT])
    assert "sees none; ask the user what it shows" in json.dumps(second)


@pytest.mark.parametrize(("quote", "inside"), [("'{}'", False), ("{}", False), ("@{}", True), ("file://{}", True)])
def test_a_picture_outside_the_project_is_sent_when_typed_but_not_when_piped(
    quote: str, inside: bool, home: Path, repo: Path, tmp_path: Path
) -> None:
    path = tmp_path / ("shot.png" if inside else "my shot.png")
    path.write_bytes(OTHER)
    plain = str(path) if inside or "'" in quote else str(path).replace(" ", "\\ ")
    with WireServer([Reply("Seen."), Reply("Not.")]) as server:
        env = environment(home, **openai_at(server.url))
        named = ctxe(repo, env, "chat", "-p", f"what is {quote.format(plain)}, please?")
        piped = ctxe(repo, env, "chat", "-p", "what is this?", stdin=f"see {quote.format(plain)} here")
        assert (named.code, piped.code, server.refused) == (0, 0, []), named.err + piped.err
        assert [shown(body) for body in server.bodies] == [[OTHER], []]
    assert "shown with your words: picture" in named.err


def test_file_rules_apply_to_pictures(home: Path, repo: Path, tmp_path: Path) -> None:
    (repo / "large.png").write_bytes(SHOT + b"\0" * 4_000_000)
    (repo / "link.png").symlink_to(tmp_path / "elsewhere.png")
    (tmp_path / "elsewhere.png").write_bytes(OTHER)
    asked = ["hidden/shot.png", "../elsewhere.png", "link.png", "large.png", "docs/fake.png"]
    calls = [Call("read_file", {"path": path}) for path in asked]
    with WireServer([Reply("", calls), Reply("None.")]) as server:
        env = environment(home, **openai_at(server.url))
        words = f"look at @hidden/shot.png and @link.png and {repo}/hidden/shot.png"
        done = ctxe(repo, env, "chat", "-p", words, "--file", "large.png")
        assert (done.code, server.refused) == (0, []), done.err
        assert [shown(body) for body in server.bodies] == [[], []]
        results = [m["content"] for m in server.bodies[1]["messages"] if m["role"] == "tool"]
    assert "shot.png is kept from the model by .ctxeignore" in " ".join(done.err.split())
    assert "is kept from you by .ctxeignore" in results[0]
    assert "is outside of the project" in results[1]
    assert "is outside of the project" in results[2]
    assert "large.png is a picture of 4.0 MB; at most 3.9 MB are sent" in results[3]
    assert "no picture" in results[4]
    assert "not shown: large.png is a picture of 4.0 MB" in done.err


def test_a_request_holds_no_more_pictures_than_providers_take(home: Path, repo: Path) -> None:
    for number in range(21):
        (repo / f"p{number}.png").write_bytes(png(8, 8, number))
    steps = [Reply("", [Call("read_file", {"path": f"p{number}.png"})]) for number in range(21)]
    together = [Call("read_file", {"path": f"p{number}.png"}) for number in range(18, 21)]
    with WireServer([*steps[:18], Reply("", together), Reply("Enough."), Reply("All.")]) as server:
        env = environment(home, **openai_at(server.url))
        done = ctxe(repo, env, "chat", "-p", "look at all of them")
        assert (done.code, server.refused) == (0, []), done.err
        last = server.bodies[-1]
        named = ctxe(repo, env, "chat", "-p", " ".join(f"@p{number}.png" for number in range(21)))
        assert len(shown(server.bodies[-1])) == 20
        assert "not shown: p20.png is a picture too many" in named.err
    assert len(shown(last)) == 20
    refusal = [message["content"] for message in last["messages"] if message["role"] == "tool"][-1]
    assert "p20.png is a picture too many: 20 pictures of 0.0 MB stand in the request" in refusal


def test_repeated_reads_and_recalls_of_a_picture_stay_within_the_limit(home: Path, repo: Path) -> None:
    handle = "picture-" + hashlib.blake2b(SHOT, digest_size=16).hexdigest()[:12]
    read, recall = Call("read_file", {"path": "docs/shot.png"}), Call("recall", {"handle": handle})
    script = [Reply("", [read]), Reply("", [recall] * 10), Reply("", [*[read] * 9, recall, read]), Reply("Enough.")]
    with WireServer(script) as server:
        done = ctxe(repo, environment(home, **anthropic_at(server.url)), "chat", "-p", "look at it")
        assert (done.code, server.refused) == (0, []), done.err
        assert [len(shown(body)) for body in server.bodies] == [0, 1, 11, 20]


def test_a_copied_picture_is_sent_with_the_next_message(home: Path, repo: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/xclip"
    (tmp_path / "copied").write_bytes(OTHER)
    program.write_text(f'#!/bin/sh\n[ "$4" = image/png ] && cat {tmp_path}/copied\n')
    program.chmod(0o755)
    with WireServer([Reply("Copied.")]) as server:
        env = environment(home, **openai_at(server.url)) | {"DISPLAY": ":9"}
        env["PATH"] = f"{tmp_path}/bin:{env['PATH']}"
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.settle(0.2)
            terminal.enter("/paste what is this?")
            terminal.wait("shown with your next words: picture clipboard.png, 64x48 PNG, 1 kB")
            terminal.wait("Copied.")
            terminal.settle(0.2)
            (tmp_path / "copied").write_text("no picture")
            terminal.enter("/paste")
            terminal.wait("not shown: what was copied is not a picture")
            (tmp_path / "copied").unlink()
            terminal.settle(0.2)
            terminal.enter("/paste")
            terminal.wait("there is no picture on the clipboard")
        assert [shown(body) for body in server.bodies] == [[OTHER]]


def test_a_picture_is_shown_in_a_terminal_folded_to_a_line_and_recalled(home: Path, repo: Path, tmp_path: Path) -> None:
    (tmp_path / "drop ped.png").write_bytes(OTHER)
    shots: list[str] = []

    def recall(body: Any) -> Reply:
        handle = json.dumps(body).partition("- picture-")[2][:12]
        shots.append(handle)
        return Reply("", [Call("recall", {"handle": f"picture-{handle}"})])

    script: list[Entry] = [
        Reply("I see it. " + "It is grey all over. " * 900),
        Reply("And that."),
        recall,
        Reply("It is there again."),
    ]
    with WireServer(script) as server:
        env = environment(home, **anthropic_at(server.url))
        with Terminal(repo, env, ("chat",)) as terminal:
            terminal.ready()
            terminal.settle(0.2)
            terminal.enter("what is on @docs/shot.png ")
            terminal.wait("I see it(.|\n)*of 180k")
            terminal.settle(0.2)
            terminal.enter(f"and {tmp_path}/drop\\ ped.png")
            terminal.wait("shown with your words: picture")
            terminal.wait("And that.")
            terminal.settle(0.2)
            terminal.enter("/context --explain")
            terminal.wait("docs/shot.png +1,3")
            terminal.settle(0.2)
            terminal.enter("/compact")
            folded = re.search(r"folded \S+ → (\S+) tokens", terminal.wait(r"folded \S+ → \S+ tokens"))
            assert folded
            terminal.wait(rf"{re.escape(folded[1])} of 180k tokens")  # the row below the line knows what is left
            terminal.settle(0.2)
            terminal.enter("show me the first again")
            terminal.wait("It is there again.")
            terminal.settle(0.2)
            terminal.enter("/exit")
            assert terminal.ended() == 0
        assert server.refused == []
        pictures = [shown(body) for body in server.bodies]
    assert pictures[:2] == [[SHOT], [SHOT, OTHER]]
    assert pictures[2:] == [[OTHER], [OTHER, SHOT]]
    folds = [event["fold"] for event in events(repo) if event.get("type") == "folded"]
    (line,) = [chunk["text"] for chunk in folds[-1]["record"] if chunk["id"] == "pictures"]
    assert f"- picture-{shots[0]}: picture docs/shot.png, 1280x800 PNG, 3 kB, seen in turn 1" in line
    inspected = ctxe(repo, env, "sessions", "export", events(repo)[0]["session"])
    assert "shot.png" in inspected.out


def test_a_picture_of_a_rewound_message_is_sent_once(home: Path, repo: Path, tmp_path: Path) -> None:
    (tmp_path / "wide.png").write_bytes(SHOT)
    words = f"look at {tmp_path / 'wide.png'}"
    with WireServer([Reply("One."), Reply("Two.")]) as server:
        lines = f"{words}\n/rewind\n{words}\n"
        done = ctxe(repo, environment(home, **openai_at(server.url)), "chat", stdin=lines)
        assert (done.code, server.left, server.refused) == (0, 0, []), done.err
        assert [shown(body) for body in server.bodies] == [[SHOT], [SHOT]]
