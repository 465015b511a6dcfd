"""What a session sent can be inspected afterwards: its requests, their texts and costs, and what was folded."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import KEY, anthropic_at, ctxe, environment, openai_at, repository
from tests.wire.server import Call, Reply, Usage, WireServer

EVIL = "</script><script>document.title = 1</script>\n<img src=x onerror=alert(1)>\n"
LONG = {
    f"part{n}.txt": "\n".join(f"line {row} of part {n}: {row * 7919 + n} words" for row in range(90)) for n in range(13)
}


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
    repo = repository(folder / "demo", {"evil.html": EVIL, "AGENTS.md": "Use four spaces.\n", **LONG})
    usage = Usage(input=8_000, output=100, cache_read=6_000)
    reads = [Reply("reading", [Call("read_file", {"path": name})], usage=usage) for name in ("evil.html", *LONG)]
    with WireServer([*reads, Reply(EVIL, usage=usage), Reply("two", usage=usage)], key=KEY) as server:
        env = {**environment(home, **openai_at(server.url))}
        for words in (("-p", "what is wrong with evil.html?"), ("-c", "-p", "and now?")):
            ran = ctxe(repo, env, "chat", *words, "--budget", "14000")
            assert ran.code == 0, ran.err
        return Done(repo, env, list(server.bodies))


def test_the_inspect_page_is_one_file_readable_by_its_user_only(done: Done, tmp_path: Path) -> None:
    made = done.run("sessions", "inspect")
    page = Path(made.out.strip())
    assert (made.code, page.parent.name, page.suffix) == (0, "sessions", ".html"), made.err
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    elsewhere = tmp_path / "new folder" / "a.html"
    assert done.run("sessions", "inspect", "--out", str(elsewhere)).out.strip() == str(elsewhere)
    assert elsewhere.read_text() == page.read_text() == done.run("sessions", "inspect", "--out", "-").out[:-1]
    assert EVIL not in page.read_text()
    assert done.run("sessions", "inspect", "nosuch").code == 6


def test_the_inspect_page_holds_the_exact_text_of_every_request(done: Done) -> None:
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


def test_the_inspect_page_opens_in_the_users_browser(done: Done, tmp_path: Path) -> None:
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


def test_budget_shows_the_ledger_of_a_past_request_by_its_number(done: Done) -> None:
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


def test_the_head_of_a_request_stays_cached_through_a_fold(done: Done) -> None:
    text = done.run("sessions", "inspect", "--out", "-").out
    known = json.loads(text.split('id="data">')[1].split("</script>")[0])
    first = next(request for request in known["requests"] if request["fold"])
    sections = [known["rows"][place][0] for place in first["rows"]]
    assert {"tools", "rules", "instructions"} <= set(sections[: first["held"]])
    assert "record" in sections[first["held"] : first["kept"]]
    assert (first["broke"], first["began"].startswith("folded: ")) == ("", True)


def test_slash_context_and_cost_show_past_use_and_the_forecast(done: Done) -> None:
    said = done.run("chat", "-c", "--budget", "14000", "--max-cost", "0.5", stdin="/context\n/cost\n/exit\n")
    rows = {row.split("  ")[0]: row for row in said.out.splitlines() if "  " in row}
    assert "the prefix never broke" in rows["cache"]
    assert re.search(r"began before step 1\.\d+: folded: \w+, everything before step 1\.\d+, .* tokens", said.out)
    assert re.search(r"\d+ tokens were put in for your words, 100% used later$", rows["unasked"])
    assert re.search(r"a step adds about \S+ tokens; the next fold comes in about \d+ steps?, at ", rows["ahead"])
    assert rows["session"].startswith(
        "session  $0.0680 ($0.1760 without a cache) for 16 requests; 128k tokens in, 75% "
    )
    assert rows["limit"].endswith("$0.5000 for this session, 14% of it spent")
    assert rows["project"].endswith("$0.0680 in 1 session")


def test_cost_is_shown_by_step_and_day_with_and_without_the_cache(done: Done) -> None:
    steps = done.run("cost", "--by", "step", "--json").json
    assert list(steps)[-2:] == ["1.15", "2.1"]
    one = {"replies": 1, "input": 8_000, "output": 100, "cache_read": 6_000, "cache_write": 0, "cache_write_1h": 0}
    assert steps["2.1"] == one | {"usd": pytest.approx(0.00425), "usd_without_cache": pytest.approx(0.011)}
    (day,) = done.run("cost", "--json").json.values()
    assert (day["replies"], day["usd_without_cache"]) == (16, pytest.approx(16 * 0.011))
    (row,) = done.run("cost", "--by", "session", "--session", "2", "--json").json.values()
    assert row == day
    assert "$0.1760 without the cache; 75% of the input came from the cache" in done.run("cost").out
    assert done.run("cost", "--by", "moon").code == 2


def test_the_spending_limit_warns_at_80_percent_and_stops_at_100_with_its_own_exit_code(
    home: Path, tmp_path: Path
) -> None:
    repo = repository(tmp_path / "demo", {"a.py": "a = 1\n"})
    dear = Reply("on", [Call("read_file", {"path": "a.py"})], usage=Usage(input=80_000, output=0))
    with WireServer(then=dear, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        said = ctxe(repo, env, "chat", "-p", "go", "--max-cost", "0.25", "--output-format", "json")
        assert (said.code, len(server.bodies)) == (8, 3)
        assert (said.json["outcome"], said.json["why"]) == ("cost limit", "$0.25 for this session are spent")
        again = ctxe(repo, env, "chat", "-c", "--max-cost", "0.25", stdin="go on\n/ls\n")
        assert (again.code, len(server.bodies)) == (8, 3)
        assert "$0.3000 of $0.25 spent; a higher --max-cost goes on" in again.out, again.out
        more = ctxe(repo, env, "chat", "-c", "--max-cost", "0.5", stdin="go on\n")
        assert (more.code, len(server.bodies)) == (8, 5), (more.out, more.err)
        assert "$0.4000 of $0.50 spent" in more.err
        (home / ".config/ctxe").mkdir(parents=True, exist_ok=True)
        (home / ".config/ctxe/config.toml").write_text('[models."openai/nobody-knows"]\nwindow = 20000\n')
        free = ctxe(
            repo,
            {**env, "CTXE_MODEL": "openai/nobody-knows"},
            "chat",
            "-p",
            "go",
            "--max-cost",
            "0.1",
            "--max-steps",
            "1",
        )
        assert "budget.max_cost holds nothing back: no price of openai/nobody-knows is known" in free.err, free.err


def test_the_spending_limit_holds_when_only_the_gateway_reports_prices(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "demo", {"a.py": "x = 1\n"})
    dear = Reply("", [Call("read_file", {"path": "a.py"})], usage=Usage(9_000, 90, cost=0.1))
    with WireServer(then=dear, key=KEY) as server:
        env = environment(home, OPENROUTER_API_KEY=KEY, CTXE_MODEL="openrouter/openai/gpt-5")
        env |= {"CTXE_MODEL_BASE_URL": f"{server.url}/v1"}
        ran = ctxe(repo, env, "-p", "go", "--max-cost", "0.25", "--output-format", "json")
        assert (ran.code, len(server.bodies)) == (8, 3)
    assert (ran.json["outcome"], ran.json["why"]) == ("cost limit", "$0.25 for this session are spent")
    assert ran.json["usd"] == pytest.approx(0.3)
    assert "holds nothing back" not in ran.err
    assert "$0.3000" in ctxe(repo, env, "cost").out


def test_a_fold_is_previewed_undone_and_its_hidden_text_found_by_search(home: Path, tmp_path: Path) -> None:
    files = {f"part{n}.py": f"def part_number_{n}():\n    return {n}\n" + f"# filler {n}\n" * 150 for n in range(6)}
    repo = repository(tmp_path / "demo", files)
    script = [Reply("I read.", [Call("read_file", {"path": name})]) for name in files]
    with WireServer([*script, Reply("done"), Reply("one"), Reply("two")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        assert ctxe(repo, env, "chat", "-p", "read all parts", "--budget", "64000").code == 0
        lines = ["/compact --preview part_number_2", "/pin never touch part5.py", "/compact part_number_2", "first"]
        lines += ["/recall s1", "/unpin 1", "/uncompact", "second", "/exit"]
        ran = ctxe(repo, env, "chat", "-c", "--budget", "64000", stdin="\n".join(lines))
        assert (ran.code, server.refused) == (0, []), ran.err
        folded, back = (json.dumps(body["messages"]) for body in server.bodies[-2:])
    assert re.search(r"(?m)^step 1\.1 +[\d,]+ +gives way +read_file part0\.py$", ran.out), ran.out
    assert re.search(r"(?m)^focus +\d+ +stands for them", ran.out)
    assert re.search(r"[\d,]+ → [\d,]+ tokens \(\d\d% less\) · costs \$[\d.]+ once, saves ", ran.out)
    assert "The user asks to keep in sight: part_number_2" in folded
    assert "def part_number_2" in folded
    assert folded.count("never touch part5.py") == 1
    assert folded.count("# filler 0") < 10 < back.count("# filler 0")
    assert 'read_file {"path": "part0.py"}' in ran.out
    assert "def part_number_0" in ctxe(repo, env, "sessions", "show", "--recall", "s1").out
    assert "def part_number_3" in ctxe(repo, env, "sessions", "show", "--recall", "where is part_number_3").out
    assert "def part_number_4" in ctxe(repo, env, "sessions", "show", "--grep", "PART_NUMBER_4").out
    assert ctxe(repo, env, "sessions", "show", "--recall", "quetzalcoatl").code == 6


def test_slash_export_and_inspect_write_the_session_to_private_files(done: Done) -> None:
    before = set(done.repo.rglob("*.html"))
    lines = ["/export notes/talk.md", "/inspect", "/inspect --out page.html", "/exit"]
    ran = done.run("chat", "-c", "--budget", "14000", stdin="\n".join(lines))
    assert "## what is wrong with evil.html?" in (done.repo / "notes/talk.md").read_text()
    assert stat.S_IMODE((done.repo / "notes/talk.md").stat().st_mode) == 0o600
    assert (done.repo / "page.html").read_text().startswith("<!doctype html>")
    assert ran.out.count(".html\n") == 2, ran.out
    for path in (*(set(done.repo.rglob("*.html")) - before), done.repo / "notes/talk.md"):
        path.unlink()


def test_two_sessions_are_compared(done: Done) -> None:
    (one,) = done.run("sessions", "list", "--json").json
    with WireServer([Reply("ok", usage=Usage(input=2_000, output=50))], key=KEY) as server:
        env = {**done.env, **openai_at(server.url)}
        ran = ctxe(done.repo, env, "chat", "-p", "hello", "--output-format", "json")
    other = ran.json["session"]
    a, b = done.run("sessions", "diff", one["id"], other, "--json").json
    assert (a["session"], a["requests"], a["input"], a["folds"] > 0) == (one["id"], 16, 128_000, True)
    assert (b["session"], b["words"], b["requests"], b["input"], b["changed"]) == (other, "hello", 1, 2_000, [])
    shown = done.run("sessions", "diff", one["id"], other).out
    assert re.search(r"(?m)^input +128,000 +2,000 +-126,000$", shown), shown
    (done.repo / f".ctxe/sessions/{other}.jsonl").unlink()
    assert done.run("sessions", "diff", one["id"], "nosuch").code == 6


def test_superseded_text_is_marked_in_every_view_of_the_ledger(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "demo", {"a.py": "x = 1\n", "b.py": "y = 1\n"})
    edit = {"path": "a.py", "old": "x = 1", "new": "x = 2"}
    calls = [Call("read_file", {"path": "a.py"}), Call("read_file", {"path": "b.py"}), Call("edit_file", edit)]
    with WireServer([*(Reply("", [call]) for call in calls), Reply("Done.")], key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        ran = ctxe(repo, env, "chat", "--approval", "auto-edit", stdin="change x\n/context\n/context --explain\n")
        assert ran.code == 0, ran.err
        bodies = [json.dumps(body["messages"]) for body in server.bodies]
    assert bodies[3].startswith(bodies[2][:-1])
    assert "superseded text in 2 chunks, until the next fold: a.py by step 1.3 and 1 more (--explain)" in ran.out
    assert "recent step; superseded: a.py by step 1.3" in ran.out
    session = next((repo / ".ctxe/sessions").glob("*.jsonl")).stem
    last = ctxe(repo, env, "budget", "--session", session, "--step", "4", "--json")
    rows = {chunk["id"]: chunk["superseded"] for one in last.json["sections"] for chunk in one["chunks"]}
    assert {name: old for name, old in rows.items() if old} == dict.fromkeys(
        ("files:a.py", "step 1.1"), "a.py by step 1.3"
    )
    before = ctxe(repo, env, "budget", "--session", session, "--step", "3", "--json").json
    assert not any(chunk["superseded"] for one in before["sections"] for chunk in one["chunks"])
    page = ctxe(repo, env, "sessions", "inspect", "--out", "-").out
    assert "recent step; superseded: a.py by step 1.3" in page


def test_the_one_hour_cache_of_anthropic_is_billed_at_its_own_price(home: Path, tmp_path: Path) -> None:
    repo = repository(tmp_path / "demo", {"a.txt": "a\n"})
    usage = Usage(input=10_000, output=100, cache_read=2_000, cache_write=6_000, cache_write_1h=4_000)
    with WireServer([Reply("Done.", usage=usage)], key=KEY) as server:
        env = environment(home, **anthropic_at(server.url))
        result = ctxe(repo, env, "chat", "-p", "hello", "--output-format", "json").json
    usd = (2_000 * 3 + 2_000 * 0.3 + 2_000 * 3.75 + 4_000 * 6 + 100 * 15) / 1_000_000
    assert result["usd"] == pytest.approx(usd)
    assert result["usage"]["cache_write_1h"] == 4_000
    row = ctxe(repo, env, "cost", "--by", "model", "--json").json["anthropic/claude-sonnet-4-5"]
    assert (row["cache_write"], row["cache_write_1h"], row["usd"]) == (6_000, 4_000, pytest.approx(usd))
    told = ctxe(repo, env, "cost").out.splitlines()[-1]
    assert told.endswith("6k tokens were written to it, 4k of it for an hour"), told
