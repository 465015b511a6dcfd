"""What a session sent can be looked at afterwards: its requests, their texts, their money, what was folded."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, ctxe, environment, openai_at, repository
from tests.wire.server import Call, Reply, Usage, WireServer

EVIL = "</script><script>document.title = 1</script>\n<img src=x onerror=alert(1)>\n"
LONG = "\n".join(f"line {n} of a long file with some words in it" for n in range(120))


@dataclass(frozen=True)
class Done:
    """A repository after a session of two turns that folded."""

    repo: Path
    env: Mapping[str, str]
    bodies: list[Any]

    def run(self, *words: str, **more: Any) -> Any:
        return ctxe(self.repo, self.env, *words, **more)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("looking")
    home = folder / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\nname = T\nemail = t@example.invalid\n")
    repo = repository(folder / "demo", {"evil.html": EVIL, "long.txt": LONG, "AGENTS.md": "Use four spaces.\n"})
    usage = Usage(input=8_000, output=100, cache_read=6_000)
    reads = [Reply("reading", [Call("read_file", {"path": name})], usage=usage) for name in ("evil.html", "long.txt")]
    with WireServer([*reads * 7, Reply(EVIL, usage=usage), Reply("two", usage=usage)], key=KEY) as server:
        env = {**environment(home, **openai_at(server.url))}
        for words in (("-p", "what is wrong with evil.html?"), ("-c", "-p", "and now?")):
            ran = ctxe(repo, env, "chat", *words, "--budget", "14000")
            assert ran.code == 0, ran.err
        return Done(repo, env, list(server.bodies))


def test_the_page_of_a_session_is_one_private_file(done: Done, tmp_path: Path) -> None:
    made = done.run("sessions", "inspect")
    page = Path(made.out.strip())
    assert (made.code, page.parent.name, page.suffix) == (0, "sessions", ".html"), made.err
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    elsewhere = tmp_path / "new folder" / "a.html"
    assert done.run("sessions", "inspect", "--out", str(elsewhere)).out.strip() == str(elsewhere)
    assert elsewhere.read_text() == page.read_text() == done.run("sessions", "inspect", "--out", "-").out[:-1]
    assert EVIL not in page.read_text()
    assert done.run("sessions", "inspect", "nosuch").code == 6


def test_the_page_has_the_exact_text_of_every_request(done: Done) -> None:
    text = done.run("sessions", "inspect", "--out", "-").out
    known = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert len(known["requests"]) == len(done.bodies) == 16
    for request, body in zip(known["requests"], done.bodies, strict=True):
        rows = [known["rows"][place] for place in request["rows"][: request["kept"]]]
        said = [(who, words) for row in rows for who, words in known["texts"][row[7]]]
        sent = json.dumps([body["messages"], body.get("tools")], ensure_ascii=False)
        assert all(
            json.dumps(words, ensure_ascii=False)[1:-1] in sent for who, words in said if who in {"user", "result"}
        )
        assert "missing" not in {who for who, _ in said}
    assert any(request["fold"] for request in known["requests"])


def test_the_page_is_opened_in_the_users_browser(done: Done, tmp_path: Path) -> None:
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}\n')
    browser.chmod(0o755)
    ran = ctxe(done.repo, {**done.env, "BROWSER": str(browser)}, "sessions", "inspect", "--open")
    assert ran.code == 0, ran.err
    assert seen.read_text() == Path(ran.out.strip()).as_uri()
    without = ctxe(
        done.repo, {**done.env, "BROWSER": "/nowhere/browser", "PATH": "/nowhere"}, "sessions", "inspect", "--open"
    )
    assert "no browser could be started" in without.err


def test_a_past_request_is_accounted_for_by_its_number(done: Done) -> None:
    (session,) = done.run("sessions", "list", "--json").json
    shown = done.run("budget", "--session", session["id"], "--step", "3", "--json").json
    assert {key: shown["request"][key] for key in ("number", "turn", "step", "words", "usage")} == {
        "number": 3,
        "turn": 1,
        "step": 3,
        "words": "what is wrong with evil.html?",
        "usage": {"input": 8_000, "output": 100, "cache_read": 6_000},
    }
    assert sum(chunk["tokens"] for section in shown["sections"] for chunk in section["chunks"]) == shown["used"]
    assert shown["request"]["usd"] < shown["request"]["usd_without_cache"]
    last = done.run("budget", "--session", session["id"][:10]).out
    assert last.startswith("request 16 · turn 2, step 1 · ")
    assert done.run("budget", "--session", session["id"], "--step", "99").code == 6
