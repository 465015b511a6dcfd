"""``ctxe plan`` as its users run it: alone, with embeddings, with documents from elsewhere, refined by a model."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.harness import KEY, Ran, ctxe, environment, git, openai_at, repository
from tests.wire.script import Answer, failure
from tests.wire.server import Reply, Usage, WireServer

FILES = {
    "tea/pot.py": "from tea.cup import fill\n\n\ndef pour(pot):\n    return fill(pot)\n",
    "tea/cup.py": "def fill(cup):\n    return cup\n",
    "tea/sieve.py": "def strain(leaves):\n    return [leaf for leaf in leaves if leaf.small]\n",
    "tea/kettle.py": "def boil(water):\n    return water.hot\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "demo", FILES)


def paths(ran: Ran) -> list[str]:
    assert ran.code == 0, ran.err
    return [file["path"] for file in ran.json["files"]]


def settings(home: Path, text: str) -> None:
    (home / ".config" / "ctxe").mkdir(parents=True, exist_ok=True)
    (home / ".config" / "ctxe" / "config.toml").write_text(text)


def test_named_paths_that_a_plan_cannot_show_are_reported(home: Path, repo: Path) -> None:
    git(repo, "init", "-q", "within")
    (repo / "within/lid.py").write_text("x = 1\n")
    (repo / ".gitignore").write_text("out.py\n")
    (repo / "out.py").write_text("x = 1\n")

    def note(words: str) -> str:
        return str(ctxe(repo, environment(home), "plan", "--json", words).json["note"])

    assert note("tea/gone") == "tea/gone: there is no such file in this project"
    assert note("pour from tea/gone.py:12 and/or tea/pot.py") == "tea/gone.py: there is no such file in this project"
    assert note("mend within/lid.py") == "within/lid.py is in a repository of its own: ctxe -C within plans there"
    assert note("out.py").startswith("out.py is not among the project's files")
    for words in (
        "tea",
        "tea/pot.py",
        "pot.py",
        "os.path",
        "TEA/cup.py",
        "see https://a.b/c.py",
        "pour and/or fill it",
    ):
        assert note(words) == ""


def test_vectors_find_what_words_do_not(home: Path, repo: Path) -> None:
    with WireServer() as server:
        settings(home, f'[retrieval]\nembeddings = "local/words"\nbase_url = "{server.url}/v1"\n')
        env = environment(home)
        (repo / "tea/cup.py").write_text(f'KEY = "{KEY}"\n' + FILES["tea/cup.py"])
        found = ctxe(repo, env | {"OPENAI_API_KEY": KEY}, "plan", "--json", "bits small")
        assert paths(found)[0] == "tea/sieve.py"
        assert "closest in meaning" in [reason["detail"] for reason in found.json["files"][0]["reasons"]]
        texts = [text for exchange in server.exchanges for text in exchange.body["input"]]
        assert sorted(text.partition("\n")[0] for text in texts if "\n" in text) == sorted(FILES)
        assert KEY not in json.dumps(texts)
        before = len(server.exchanges)
        assert paths(ctxe(repo, env, "plan", "--json", "bits small"))[0] == "tea/sieve.py"
        assert len(server.exchanges) == before
        server.embeddings += [Answer(401, failure("Incorrect API key provided", "invalid_api_key"))]
        refused = ctxe(repo, env, "plan", "--json", "strain it")
    assert paths(refused)[0] == "tea/sieve.py"
    assert refused.json["note"].startswith("planned without vectors: ")


def test_budget_and_pack_ask_no_model_and_a_session_reports_the_cost_of_refining(home: Path, repo: Path) -> None:
    with WireServer([Reply("{}", usage=Usage(900, 9)), Reply("Done.")]) as server:
        vectors = f'[retrieval]\nembeddings = "local/words"\nbase_url = "{server.url}/v1"\n'
        settings(home, vectors + "[plan]\nrefine = true\n[model]\ncheap = 'openai/gpt-5-mini'\n")
        env = environment(home, **openai_at(server.url))
        for command in ("budget", "pack"):
            assert ctxe(repo, env, command, "strain the leaves").code == 0
            assert server.exchanges == []
        assert ctxe(repo, env, "chat", "-p", "strain the leaves").out.strip() == "Done."
        assert [body["model"] for body in server.bodies] == ["gpt-5-mini", "gpt-5"]
    [log] = (repo / ".ctxe/sessions").glob("*.jsonl")
    assert "looked over by openai/gpt-5-mini in 1 question for $0.0002" in log.read_text()


def test_an_interrupted_index_keeps_what_it_has_read(home: Path, repo: Path) -> None:
    for n in range(3000):
        (repo / f"tea/leaf{n}.py").write_text(f"def leaf{n}():\n    return {n}\n" * 9)
    index = subprocess.Popen(
        [sys.executable, "-m", "ctxe", "index"], cwd=repo, env=environment(home), stderr=subprocess.PIPE, text=True
    )
    while index.poll() is None and not list((repo / ".ctxe/cache").glob("*/index.db-wal")):
        time.sleep(0.02)
    time.sleep(0.3)
    index.terminate()
    assert "the files read so far are kept" in index.communicate(timeout=60)[1]
    assert index.returncode == 128 + signal.SIGTERM
    assert ctxe(repo, environment(home), "index", "status", "--json").json["files"] < 3000


def test_a_plan_is_not_refined_without_a_model(home: Path, repo: Path) -> None:
    settings(home, "[plan]\nrefine = true\n")
    made = ctxe(repo, environment(home), "plan", "--json", "strain the leaves")
    assert (paths(made)[0], made.json["note"]) == ("tea/sieve.py", "not looked over: no model is set up")


def test_an_unreachable_embedding_server_is_given_up_quickly(home: Path, repo: Path) -> None:
    settings(home, '[retrieval]\nembeddings = "local/words"\nbase_url = "http://127.0.0.1:9/v1"\n')
    began = time.monotonic()
    made = ctxe(repo, environment(home), "plan", "--json", "strain the leaves")
    assert time.monotonic() - began < 15.0
    assert paths(made)[0] == "tea/sieve.py"
    assert made.json["note"].startswith("planned without vectors: ")


def test_files_named_by_a_relevant_memory_are_planned(home: Path, repo: Path) -> None:
    env = environment(home)
    entry = {
        "id": "D1",
        "kind": "decision",
        "title": "Samovar taps are cleaned with vinegar",
        "text": "Never with sand: the tap of the samovar leaks afterwards.",
        "files": ["tea/sieve.py", "gone.py"],
    }
    (repo.parent / "memories.jsonl").write_text(json.dumps(entry) + "\n")
    assert ctxe(repo, env, "memory", "import", str(repo.parent / "memories.jsonl")).code == 0
    made = ctxe(repo, env, "plan", "--json", "clean the tap of the samovar")
    assert paths(made)[0] == "tea/sieve.py"
    assert "remembered" in [reason["signal"] for reason in made.json["files"][0]["reasons"]]
    assert paths(ctxe(repo, env, "plan", "--json", "boil the water"))[0] == "tea/kettle.py"


def test_a_project_cannot_send_its_files_to_a_server(home: Path, repo: Path) -> None:
    with WireServer() as server:
        theirs = f'[retrieval]\nembeddings = "local/words"\nbase_url = "{server.url}/v1"\nsources = ["/"]\n'
        (repo / ".ctxe.toml").write_text(theirs + "[plan]\nrefine = true\n")
        made = ctxe(repo, environment(home, **openai_at(server.url)), "plan", "--json", "strain the leaves")
        assert paths(made)[0] == "tea/sieve.py"
        assert server.exchanges == []


def test_ctxe_index_embeds_each_window_once(home: Path, repo: Path) -> None:
    for n in range(250):
        (repo / f"tea/leaf{n}.py").write_text(f"def leaf{n}():\n    return {n}\n")
    with WireServer() as server:
        settings(home, f'[retrieval]\nembeddings = "local/words"\nbase_url = "{server.url}/v1"\n')
        env = environment(home)
        first = ctxe(repo, env, "plan", "--json", "strain leaves")
        assert first.json["note"] == "54 windows have no vector yet: `ctxe index` embeds them"
        assert ctxe(repo, env, "index").code == 0
        assert ctxe(repo, env, "plan", "--json", "strain leaves").json["note"] == ""
        texts = [text for exchange in server.exchanges for text in exchange.body["input"] if "\n" in text]
    assert len(texts) == len(set(texts)) == 254


def test_relevant_documents_from_elsewhere_join_the_plan(home: Path, repo: Path, tmp_path: Path) -> None:
    manual = tmp_path / "manual"
    manual.mkdir()
    (manual / "samovar.md").write_text("# Samovar\n\nA samovar keeps water hot; clean its tap with vinegar.\n")
    (manual / "taxes.md").write_text("# Taxes\n\nPay them.\n")
    settings(home, f'[retrieval]\nsources = ["{manual}", "{tmp_path}/nowhere"]\n')
    made = ctxe(repo, environment(home), "plan", "--json", "--budget", "4000", "clean the tap of the samovar")
    assert paths(made)[-1] == f"{manual}/samovar.md"
    assert made.json["tokens"] == sum(file["tokens"] for file in made.json["files"]) <= 4000
    assert f"no folder {tmp_path}/nowhere" in made.json["note"]
    assert f"{manual}/samovar.md" not in paths(ctxe(repo, environment(home), "plan", "--json", "boil water"))
    shown = ctxe(repo, environment(home), "plan", "--show", "clean the tap of the samovar").out
    assert "clean its tap with vinegar" in shown
    assert git(repo, "status", "--porcelain") == ""


def test_a_model_refines_the_plan_when_configured(home: Path, repo: Path) -> None:
    usage = Usage(1000, 50)
    answers = [
        Reply(
            '```json\n{"drop": ["tea/kettle.py"], "add": ["nonsense.py"], "search": "strain leaves"}\n```', usage=usage
        ),
        Reply('{"drop": [], "add": ["tea/sieve.py"], "search": "more"}', usage=usage),
    ]
    settings(home, "[plan]\nrefine = true\n[model]\ncheap = 'openai/gpt-5-mini'\n")
    with WireServer(answers) as server:
        made = ctxe(repo, environment(home, **openai_at(server.url)), "plan", "--json", "boil the water, then pour")
        assert [body["model"] for body in server.bodies] == ["gpt-5-mini"] * 2
        asked = [json.dumps(body) for body in server.bodies]
    assert "tea/kettle.py" in asked[0]
    assert "def boil(water)" in asked[0]
    assert "<found>" in asked[1]
    assert paths(made)[0] == "tea/sieve.py"
    assert "tea/kettle.py" not in paths(made)
    assert made.json["files"][0]["reasons"][0]["detail"] == "the model that looked it over wants it"
    assert ["tea/kettle.py", "the model that looked it over dropped it"] in [
        [one["path"], one["reason"]] for one in made.json["left_out"]
    ]
    assert made.json["note"].startswith("looked over by openai/gpt-5-mini in 2 questions for $0.00")


@pytest.mark.parametrize(
    "answer",
    [
        "I like all of them.",
        "{not json}",
        '{"drop": 3, "add": [1], "search": []}',
        "[]",
        '{"add": ' + "[" * 9_000 + "}",
    ],
    ids=["prose", "torn", "other types", "a list", "deep"],
)
def test_a_nonsense_reply_to_the_refining_request_leaves_the_plan_unchanged(
    home: Path, repo: Path, answer: str
) -> None:
    plain = paths(ctxe(repo, environment(home), "plan", "--json", "boil the water"))
    settings(home, "[plan]\nrefine = true\n")
    with WireServer([Reply(answer)]) as server:
        made = ctxe(repo, environment(home, **openai_at(server.url)), "plan", "--json", "boil the water")
    assert paths(made) == plain


def test_an_unreachable_refining_model_is_reported_and_the_plan_is_made(home: Path, repo: Path) -> None:
    settings(home, "[plan]\nrefine = true\n")
    with WireServer(then=Answer(401, failure("Incorrect API key provided", "invalid_api_key"))) as server:
        made = ctxe(repo, environment(home, **openai_at(server.url)), "plan", "boil the water")
    assert made.code == 0
    assert "tea/kettle.py" in made.out
    assert "not looked over: " in made.out


def test_the_cost_of_refining_counts_toward_the_session(home: Path, repo: Path) -> None:
    settings(home, "[plan]\nrefine = true\n[model]\ncheap = 'openai/gpt-5-mini'\nname = 'openai/gpt-5'\n")
    look = Reply('{"drop": [], "add": ["tea/sieve.py"]}', usage=Usage(100_000, 1_000))
    script = [look, Reply("Poured.", usage=Usage(10_000, 0))]
    prices = (0.027, 0.0125)
    with WireServer(script, key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        said = ctxe(repo, env, "chat", "-p", "boil the water, then pour", "--output-format", "json")
        assert [body["model"] for body in server.bodies] == ["gpt-5-mini", "gpt-5"]
        assert said.json["usd"] == pytest.approx(sum(prices))
    by_session = ctxe(repo, env, "cost", "--by", "session", "--json").json
    assert [row["usd"] for row in by_session.values()] == [pytest.approx(sum(prices))]
    by_model = ctxe(repo, env, "cost", "--by", "model", "--json").json
    assert {name: row["usd"] for name, row in by_model.items()} == {
        "openai/gpt-5-mini": pytest.approx(prices[0]),
        "openai/gpt-5": pytest.approx(prices[1]),
    }
    assert (
        "asked openai/gpt-5-mini to look over the plan" in ctxe(repo, env, "sessions", "show", said.json["session"]).err
    )


def test_a_session_out_of_money_refines_no_plan(home: Path, repo: Path) -> None:
    settings(home, "[plan]\nrefine = true\n[model]\ncheap = 'openai/gpt-5-mini'\nname = 'openai/gpt-5'\n")
    look = Reply('{"drop": [], "add": []}', usage=Usage(1_000_000, 0))
    with WireServer([look], then=Reply("no"), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        said = ctxe(repo, env, "chat", "-p", "boil the water", "--max-cost", "0.2", "--output-format", "json")
        assert (said.code, said.json["outcome"], said.json["usd"]) == (8, "cost limit", pytest.approx(0.25))
        again = ctxe(repo, env, "chat", "-c", "-p", "strain the leaves", "--max-cost", "0.2")
        assert (again.code, len(server.bodies)) == (8, 1)


def test_the_choice_of_files_steers_the_plans_of_the_session_and_is_remembered(home: Path, repo: Path) -> None:
    (repo / "small.py").write_text("def lantern():\n    return 1\n")
    (repo / "large.py").write_text("".join(f"def lantern_{n}():\n    return {n} * 2\n\n\n" for n in range(9_000)))
    with WireServer(then=Reply("Lit."), key=KEY) as server:
        env = environment(home, **openai_at(server.url))
        lines = ["/plan", "/drop small.py", "/drop nosuch.py", "/ls", "/add large.py", "/plan --all trim the lantern"]
        done = ctxe(repo, env, "chat", stdin="\n".join([*lines, "trim the lantern_77 wick", "/exit"]))
        assert (done.code, server.refused) == (0, [])
        again = ctxe(repo, env, "chat", "-c", stdin="/ls\n/plan\n/exit\n")
    said = done.out + done.err
    assert "/plan WORDS, before anything is said" in said
    assert "no file nosuch.py" in said
    assert "small.py  (dropped: out of plans until you add or name it)" in said
    assert "1 file you dropped" in said
    assert re.search(r"large\.py .*you added it", said)
    assert not re.search(r"(?m)^small\.py +[\d,]+ ", said)
    # too large to go in whole: what of it bears on the words goes in
    assert "lines 1-" in json.dumps(server.bodies[0])
    assert "def lantern_77():" in json.dumps(server.bodies[0])
    assert "large.py  (add)" in again.out
    assert re.search(r"large\.py .*you added it", again.out)
    assert "small.py  (dropped" in again.out
