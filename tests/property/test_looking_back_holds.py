"""Whatever is left of a log, its requests are read back, numbered, and drawn as a page that holds no foreign markup."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.agent.requests import requests, texts
from ctxe.agent.state import State
from ctxe.agent.transitions import apply, rebuild
from ctxe.context.assemble import Frame, assemble
from ctxe.context.budget import Budget
from ctxe.context.use_evidence import injected_chunks
from ctxe.domain.conversation import Fold, Position, Reply, ToolCall, ToolResult, Touch, Usage
from ctxe.domain.events import (
    ContextAssembled,
    EpochStarted,
    Folded,
    Kept,
    ModelChosen,
    Noted,
    ReplyReceived,
    StepFinished,
    ToolFinished,
    TurnFinished,
    TurnStarted,
    Unfolded,
)
from ctxe.domain.past import Past, used_share
from ctxe.domain.section import Chunk, Priority, Section
from ctxe.terminal.pages.report import render_page

RULES = Section("rules", Priority.SYSTEM, (Chunk("rules", "Be exact."),), "system")
FRAME = Frame((), (RULES,), "m")
nasty = st.sampled_from(
    ["</script><script>x", "<img onerror=x>", "a\u2028b", "\x1b[31m", "src/a.py", "plain words", ""]
)


def log(words: list[str], folds: list[bool]) -> list[Kept]:
    """The events of a session with a step for every text; a fold after those that are marked."""
    state, events = State(), list[Kept]()

    def emit(*more: Kept) -> None:
        nonlocal state
        for event in more:
            events.append(event)
            state = apply(state, event)

    files = Section("files", Priority.INJECTED, (Chunk("files:src/a.py", "a = 1", path="src/a.py"),), "task", "files")
    emit(ModelChosen("m"), EpochStarted((RULES,)), TurnStarted("go </script>", (files,)))
    for n, (text, fold) in enumerate(zip(words, folds, strict=False)):
        emit(ContextAssembled(assemble(FRAME, state.conversation, Budget(90_000, 1_000), len, state.marks).ledger))
        reply = Reply(text, (ToolCall(f"c{n}", "read_file", text),), usage=Usage(100 + n, 5, 50))
        touch = Touch("src/a.py", "read") if n % 2 else Touch("b.py", "edit")
        emit(
            ReplyReceived(reply, 0.5, 1.0),
            ToolFinished(ToolResult(f"c{n}", text, touches=(touch,))),
            StepFinished(n + 1),
        )
        if fold:
            emit(
                Folded(Fold(Position(0, n), (Chunk("record", f"so far: {text}"),), cause="price")),
                EpochStarted((RULES,)),
            )
    emit(Noted((Chunk("restored b.py", "b", path="b.py"),)), TurnFinished("answered"), Unfolded())
    return events


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


@settings(max_examples=60, deadline=None)
@given(st.lists(nasty, min_size=1, max_size=6), st.lists(st.booleans(), min_size=6, max_size=6), st.data())
def test_any_part_of_a_log_is_read_and_drawn_without_foreign_markup(
    words: list[str], folds: list[bool], data: st.DataObject
) -> None:
    events = log(words, folds)
    kept = data.draw(
        st.lists(st.booleans(), min_size=len(events), max_size=len(events)) | st.just([True] * len(events))
    )
    left = [("2026-01-02T03:04:05Z", event) for event, stays in zip(events, kept, strict=True) if stays]
    found = list(requests(left))
    asked = [event for _, event in left if isinstance(event, ContextAssembled)]
    assert [sent.number for sent, _ in found] == list(range(1, len(asked) + 1))
    assert [sent.ledger.rows for sent, _ in found] == [event.ledger.rows for event in asked]
    known = {mark: said for sent, state in found for mark, said in texts(sent.ledger, state, ()).items()}
    if all(kept):
        assert {row.digest for event in asked for row in event.ledger.rows if row.given} == set(known)
    tokens = {row.digest: row.given for event in asked for row in event.ledger.rows}
    unasked = injected_chunks(rebuild(event for _, event in left).conversation, tokens)
    assert 0 <= used_share(unasked)[0] <= used_share(unasked)[1]
    drawn = Tags(render_page(Past("s", "p", tuple(sent for sent, _ in found), unasked, known))).tags
    assert (drawn.count("script"), "img" in drawn) == (2, False)
