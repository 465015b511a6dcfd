"""Delegates: only the answer of the second conversation comes back; however it ends, the session goes on whole."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ctxe.agent.log import header_of
from ctxe.domain.conversation import Usage as Spent
from ctxe.domain.errors import ConfigError, SessionError
from ctxe.domain.events import Consulted, ContextAssembled, Event, Notice, ReplyReceived, ToolFinished, TurnFinished
from ctxe.domain.past import Consultation
from ctxe.domain.tool import Allow, Progress
from ctxe.project import Project
from ctxe.project.memory.recall import recall_text
from ctxe.project.session.live import Live
from ctxe.project.session.opening import open_session
from ctxe.project.session.turns import turn
from ctxe.project.session_options import Opening
from ctxe.project.sessions import path_of, summaries
from ctxe.project.window.past import past
from ctxe.project.window.preview import ledger
from ctxe.storage.vocabulary import count
from tests.e2e.harness import KEY, environment, openai_at, repository
from tests.e2e.wire_bodies import APIS, blocks
from tests.wire.script import Part, failure
from tests.wire.server import Answer, Call, Reply, Usage, WireServer, rate_limited

FILES = {f"src/m{n}.py": "".join(f"def f{n}_{i}(x):\n    return x + {i}\n\n\n" for i in range(50)) for n in range(9)}
ASK = Reply("I ask.", [Call("delegate", {"task": "Where is retry decided?"})])
ANSWER = "`src/m3.py:5` decides it: `f3_1`."


def read(*numbers: int) -> Reply:
    return Reply("", [Call("read_file", {"path": f"src/m{n}.py"}) for n in numbers])


@dataclass
class Models:
    """Who answers: lines for the session's own requests, and lines for its delegates'."""

    own: Sequence[Part]
    delegate: Sequence[Part]
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    read: list[Mapping[str, Any]] = field(default_factory=list)

    def __call__(self, body: Mapping[str, Any]) -> Part:
        mine = "You are a delegate" in json.dumps(body)
        seen, lines = (self.read, self.delegate) if mine else (self.asked, self.own)
        seen.append(body)
        return lines[len(seen) - 1]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo", FILES | {"AGENTS.md": "Use tabs.\n", ".env": "TOKEN=1\n"})


@contextlib.contextmanager
def opened(repo: Path, home: Path, models: Models, opening: Opening | None = None, **more: str) -> Iterator[Live]:
    with WireServer(models, key=KEY) as server:
        api = APIS[more.pop("api", "chat")]
        project = Project.open(repo, environment(home, **api(server.url), **more))
        with open_session(project, opening or Opening(), lambda *_: Allow()) as live:
            yield live
        assert server.refused == []


def told(events: Sequence[Event], tool: str = "delegate") -> ToolFinished:
    (found,) = (event for event in events if isinstance(event, ToolFinished) and event.tool == tool)
    return found


@pytest.mark.parametrize("api", APIS)
def test_only_the_answer_of_a_delegate_enters_the_window_and_its_cost_counts(api: str, repo: Path, home: Path) -> None:
    models = Models([ASK, Reply("In m3.")], [read(1, 2), read(3, 4, 5), Reply(ANSWER)])
    with opened(repo, home, models, api=api) as live:
        events = list(turn(live, "where is retry decided?"))
        state, path = live.session.state, live.session.log.path
        first, second = (event.ledger for event in events if isinstance(event, ContextAssembled))
    finished = told(events)
    assert (finished.result.text, finished.result.ok, finished.result.touches) == (ANSWER, True, ())
    assert second.used - first.used < count(ANSWER) + 60
    before, after = models.asked
    assert blocks(api, after)[: len(blocks(api, before))] == blocks(api, before)
    assert "f4_1" not in json.dumps(after)
    assert "f4_1" in json.dumps(models.read[-1])
    assert "Use tabs." in json.dumps(models.read[0])

    bought = [event for event in events if isinstance(event, Consulted)]
    name = f"{path.stem}-d1"
    assert [(one.why, one.session) for one in bought] == [("delegate d1", name)] * 3
    own = [event.usd or 0 for event in events if isinstance(event, ReplyReceived)]
    assert state.usd == pytest.approx(sum(own) + sum(one.usd or 0 for one in bought))
    assert finished.facts["delegate"] == {
        "session": name,
        "model": live.model.id,
        "outcome": "answered",
        "reads": 5,
        "tokens": bought[-1].usage.input + bought[-1].usage.output if bought[-1].usage else 0,
        "usd": pytest.approx(sum(one.usd or 0 for one in bought)),
    }
    folder = path.parent
    (session,) = summaries(live.project)
    assert session.id == path.stem
    assert session.usd == pytest.approx(state.usd)
    assert header_of(path_of(folder, name))["parent"] == path.stem
    so_far = past(live.project, path)
    assert so_far.usd == pytest.approx(state.usd)
    (row,) = so_far.consultations
    usage = sum((one.usage for one in bought if one.usage), Spent())
    assert row == Consultation(2, live.model.id, usage, row.usd, row.plain_usd, "delegate d1", 3)
    assert row.usd == pytest.approx(sum(one.usd or 0 for one in bought))
    assert row.usd == pytest.approx(past(live.project, path_of(folder, name)).usd)


def test_files_read_by_a_delegate_do_not_count_as_read_by_the_session(repo: Path, home: Path) -> None:
    edit = Reply("", [Call("edit_file", {"path": "src/m3.py", "old": "x + 1\n", "new": "x\n"})])
    models = Models([ASK, edit, Reply("Read it first.")], [read(3), Reply(ANSWER)])
    with opened(repo, home, models) as live:
        events = list(turn(live, "mend it"))
    assert told(events, "edit_file").result.text == (
        "read src/m3.py first: only a file whose text you have seen can be changed"
    )
    assert (repo / "src/m3.py").read_text() == FILES["src/m3.py"]


def test_a_delegate_only_reads_asks_no_approval_and_records_nothing(repo: Path, home: Path) -> None:
    wrong = [
        Call("edit_file", {"path": "src/m1.py", "old": "x", "new": "y"}),
        Call("run_command", {"command": "touch made"}),
        Call("delegate", {"task": "you"}),
        Call("read_file", {"path": ".env"}),
        Call("read_file", {"path": "src/m2.py"}),
    ]
    models = Models([ASK, Reply("So.")], [Reply("", wrong), Reply("I may not.")])
    with opened(repo, home, models, Opening(interactive=True), CTXE_APPROVAL_DENY="read:src/m2.py") as live:
        events = list(turn(live, "do it"))
        entries = [entry for entry in live.project.store.entries() if entry.kind != "log"]
    tools = "list_files, plan, read_file, recall, search"
    assert [message["content"] for message in models.read[-1]["messages"] if message["role"] == "tool"] == [
        *(f"there is no tool {name!r}; the tools are {tools}" for name in ("edit_file", "run_command", "delegate")),
        "not permitted: a delegate asks nobody; say in your answer what you would have needed",
        "not permitted: the rule read:src/m2.py forbids it",
    ]
    assert told(events).facts["delegate"]["reads"] == 0
    assert entries == []
    assert not (repo / "made").exists()
    assert (repo / "src/m1.py").read_text() == FILES["src/m1.py"]


def test_a_delegate_out_of_calls_is_asked_for_its_answer(repo: Path, home: Path) -> None:
    last = Reply("So far: m1 does not.", [Call("read_file", {"path": "src/m5.py"})])
    models = Models([ASK, Reply("So.")], [read(1), read(2), last])
    with opened(repo, home, models, CTXE_DELEGATE_MAX_STEPS="2") as live:
        events = list(turn(live, "go"))
    result = told(events).result
    assert (result.text, result.ok) == (
        "[the delegate was stopped after 2 model calls; what it has:]\nSo far: m1 does not.",
        True,
    )
    assert models.read[-1]["messages"][-1]["content"].startswith("You have no calls left.")
    assert models.read[-1]["tools"] == models.read[0]["tools"]
    assert told(events).facts["delegate"]["reads"] == 2
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].outcome == "answered"


def test_a_delegate_at_its_spending_limit_returns_what_it_has(repo: Path, home: Path) -> None:
    dear = Reply("m1 first.", read(1).calls, usage=Usage(1_000, 300))  # $0.00425
    models = Models([ASK, Reply("So.")], [dear])
    with opened(repo, home, models, CTXE_DELEGATE_MAX_COST="0.004") as live:
        events = list(turn(live, "go"))
    result = told(events).result
    assert (result.text, result.ok) == (
        "[the delegate was stopped: what it may cost is spent; so far:]\nm1 first.\nit looked at: read src/m1.py",
        False,
    )
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].outcome == "answered"


def test_a_delegate_stops_at_the_spending_limit_of_the_session(repo: Path, home: Path) -> None:
    dear = Reply("", read(1).calls, usage=Usage(1_000, 2_000))  # $0.02125
    models = Models([ASK], [dear])
    with opened(repo, home, models, CTXE_BUDGET_MAX_COST="0.02") as live:
        events = list(turn(live, "go"))
        assert live.kit.allowance.is_spent
    assert told(events).facts["delegate"]["outcome"] == "cost limit"
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].outcome == "cost limit"

    models = Models([Reply("", ASK.calls, usage=Usage(1_000, 2_000))], [])
    with opened(repo, home, models, CTXE_BUDGET_MAX_COST="0.02") as live:
        events = list(turn(live, "go"))
    assert told(events).result.text == "the money for this session is spent: answer with what you have"


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Answer(400, failure("no such thing")), "no such thing"),
        (Answer(401, failure("bad key", "invalid_api_key")), "key"),
        (Answer(400, failure("too long", "context_length_exceeded")), "too long"),
        (rate_limited(retry_after="99"), "it asks to wait 99 s"),
    ],
)
def test_a_provider_failure_in_a_delegate_is_a_failed_result_and_the_turn_goes_on(
    fault: Answer, says: str, repo: Path, home: Path
) -> None:
    models = Models([ASK, Reply("Without it then.")], [Reply("m1 first.", read(1).calls), fault, fault])
    with opened(repo, home, models) as live:
        events = list(turn(live, "go"))
    result = told(events).result
    assert not result.ok
    assert result.text.startswith("[the delegate failed: ")
    assert says in result.text
    assert result.text.endswith("so far:]\nm1 first.\nit looked at: read src/m1.py")
    assert isinstance(events[-1], TurnFinished)
    assert events[-1].outcome == "answered"


def test_a_failed_delegate_records_no_failure_and_may_be_repeated(repo: Path, home: Path) -> None:
    fault = Answer(400, failure("no such thing"))
    models = Models([ASK, ASK, Reply("So.")], [fault, Reply(ANSWER)])
    with opened(repo, home, models) as live:
        events = list(turn(live, "go"))
        failures = [entry for entry in live.project.store.entries() if entry.kind == "failure"]
    results = [event.result.text for event in events if isinstance(event, ToolFinished)]
    assert results == ["[the delegate failed: openai refused the request: no such thing]", ANSWER]
    assert failures == []


def test_spending_of_a_delegate_triggers_the_sessions_warning(repo: Path, home: Path) -> None:
    models = Models([ASK, Reply("So.", usage=Usage(100, 1))], [Reply(ANSWER, usage=Usage(1_000, 3_000))])
    with opened(repo, home, models, CTXE_BUDGET_MAX_COST="0.035") as live:
        events = list(turn(live, "go"))
    warned = [event.text for event in events if isinstance(event, Notice)]
    assert len(warned) == 1
    assert warned[0].endswith(" of $0.04 spent")
    assert events.index(Notice(warned[0], "warning")) < events.index(told(events))


def test_a_long_delegate_answer_is_cut_and_recalled_whole_by_its_handle(repo: Path, home: Path) -> None:
    long = "\n".join(f"- `src/m{n % 9}.py:{n}` says {n * n}, which is not {n}." for n in range(400))
    models = Models([ASK, Reply("So.")], [Reply(long)])
    with opened(repo, home, models) as live:
        result = told(list(turn(live, "go"))).result
        whole = recall_text(live.project, live.session.state, result.handle)
    assert 1_000 < count(result.text) <= 1_500
    assert whole == long


def test_files_named_in_the_call_are_put_before_the_delegate(repo: Path, home: Path) -> None:
    asks = [
        Reply("", [Call("delegate", {"task": "What is f2_1?", "files": files})])
        for files in (["src/m2.py", "./src/m2.py"], ["gone.py"], ["../x"], [".env"])
    ]
    models = Models([*asks, Reply("So.")], [Reply("A function.")])
    with opened(repo, home, models) as live:
        events = list(turn(live, "go"))
    results = [event.result.text for event in events if isinstance(event, ToolFinished)]
    assert results == [
        "A function.",
        "there is no file gone.py; name files that exist, or none",
        "../x is outside of the project; tools work below its root only",
        ".env may hold secrets: no delegate reads it",
    ]
    assert json.dumps(models.read[0]).count("def f2_1(x)") == 1


def test_a_delegate_finds_files_with_its_plan_tool(repo: Path, home: Path) -> None:
    (repo / "src/again.py").write_text("def backoff(fault):\n    return fault.retried < 3\n")
    asks = Reply("", [Call("plan", {"task": task}) for task in ("backoff of a retried fault", " ", "xyzzy plugh")])
    models = Models([ASK, Reply("So.")], [asks, Reply(ANSWER)])
    with opened(repo, home, models) as live:
        list(turn(live, "go"))
    found, empty, nothing = (m["content"] for m in models.read[-1]["messages"] if m["role"] == "tool")
    assert found.splitlines()[0].startswith("src/again.py  ")
    assert "backoff" in found.splitlines()[0]
    assert empty == "task is empty; say in words what you look for"
    assert nothing.startswith("no file fits these words")


def test_several_delegates_of_one_reply_run_one_after_another(repo: Path, home: Path) -> None:
    both = Reply("", [Call("delegate", {"task": "one"}), Call("delegate", {"task": "two"})])
    models = Models([both, Reply("So.")], [Reply("first"), Reply("second")])
    with opened(repo, home, models) as live:
        events = list(turn(live, "go"))
        home_of_logs = live.session.log.path.parent / "delegates"
    results = [event.result.text for event in events if isinstance(event, ToolFinished)]
    assert results == ["first", "second"]
    names = sorted(path.name.rpartition("-")[2] for path in home_of_logs.glob("*.jsonl"))
    assert names == ["d1.jsonl", "d2.jsonl"]


def test_the_delegate_model_setting_goes_before_the_cheap_and_the_session_model(repo: Path, home: Path) -> None:
    def answered_by(**more: str) -> str:
        models = Models([ASK, Reply("So.")], [Reply("x")])
        with opened(repo, home, models, None, **more) as live:
            list(turn(live, "go"))
        return str(models.read[0]["model"])

    assert answered_by() == "gpt-5"
    assert answered_by(CTXE_MODEL_CHEAP="openai/gpt-5-mini") == "gpt-5-mini"
    assert answered_by(CTXE_MODEL_CHEAP="openai/gpt-5-mini", CTXE_DELEGATE_MODEL="openai/gpt-5-nano") == "gpt-5-nano"


def test_an_unreachable_delegate_model_is_reported(repo: Path, home: Path) -> None:
    models = Models([ASK, Reply("So.")], [])
    with opened(repo, home, models, CTXE_DELEGATE_MODEL="anthropic/claude-sonnet-4-5") as live:
        result = told(list(turn(live, "go"))).result
    assert not result.ok
    assert result.text == "there is no key for anthropic"


def test_delegates_can_be_switched_off_and_a_repository_may_only_tighten_them(repo: Path, home: Path) -> None:
    (repo / ".ctxe.toml").write_text(
        '[delegate]\nenabled = false\nmodel = "openai/gpt-5-pro"\nmax_cost = 9.0\nwindow = 9000\nmax_steps = 3\n'
    )
    models = Models([Reply("So.")], [])
    with opened(repo, home, models) as live:
        list(turn(live, "go"))
        settings, refused = live.project.config.delegate, live.project.loaded.refused
    assert "delegate" not in json.dumps(models.asked[0]["tools"])
    assert (settings.enabled, settings.model, settings.max_cost) == (False, "", 1.0)
    assert (settings.window, settings.max_steps) == (9000, 3)
    assert [line.partition(" refused: ")[0] for line in refused] == [
        '.ctxe.toml: delegate.model = "openai/gpt-5-pro"',
        ".ctxe.toml: delegate.max_cost = 9.0",
    ]


def test_the_first_request_of_a_delegate_stays_small(tmp_path: Path, home: Path) -> None:
    found = ledger(Project.open(tmp_path, environment(home, **openai_at("http://127.0.0.1:1"))), "hello")
    assert "delegate" in {row.chunk for row in found.rows}
    assert found.used < 2_150


def test_a_restricted_tool_list_also_restricts_delegates(repo: Path, home: Path) -> None:
    models = Models([ASK, Reply("So.")], [Reply("x")])
    with opened(repo, home, models, Opening(tools=("delegate", "search"))) as live:
        list(turn(live, "go"))
    assert [tool["function"]["name"] for tool in models.read[0]["tools"]] == ["search"]
    with (
        pytest.raises(ConfigError, match="there is no tool 'delegate'"),
        opened(repo, home, models, Opening(tools=("delegate",)), CTXE_DELEGATE_ENABLED="false"),
    ):
        pass


def test_delegate_progress_is_shown_live_and_its_log_cannot_be_resumed(repo: Path, home: Path) -> None:
    models = Models([ASK, Reply("So.")], [read(1, 2), Reply(ANSWER)])
    with opened(repo, home, models) as live:
        events = list(turn(live, "go"))
        path = live.session.log.path
    shown = "".join(event.text for event in events if isinstance(event, Progress))
    rows = [row.rpartition("\r")[2] for row in shown.split("\n")]
    assert [row.partition(", ")[0] for row in rows] == ["read src/m1.py", "read src/m2.py", "2 reads"]
    assert rows[-1].startswith("2 reads, ")
    for opening in (Opening(resume=f"{path.stem}-d1"), Opening(resume=f"{path.stem}-d1", fork=True)):
        with (
            pytest.raises(SessionError, match="belongs to a delegate and is over"),
            opened(repo, home, models, opening),
        ):
            pass
    with opened(repo, home, Models([Reply("Yes.")], []), Opening(newest=True)) as live:
        assert live.session.id == path.stem


def test_places_named_in_a_delegates_answer_are_used_for_planning(repo: Path, home: Path) -> None:
    from ctxe.project.window.mentions import delegate_places

    answer = "It is in `src/m3.py:5`, src/m4.py:7-9 and (README.md:1); not 12:30, http://x.y:80 or src/m5.py."
    models = Models([ASK, Reply("So.")], [read(8), Reply(answer)])
    with opened(repo, home, models) as live:
        list(turn(live, "go"))
        talk = live.session.state.conversation
    assert delegate_places(talk) == ("src/m3.py", "src/m4.py", "README.md")
    assert talk.touched() == {}
