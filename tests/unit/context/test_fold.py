"""A fold leaves the newest steps whole and puts a record of verbatim lines in place of the rest."""

from __future__ import annotations

from dataclasses import replace

from ctxe.context.assemble import Frame, assemble
from ctxe.context.budget import Budget
from ctxe.context.compact import FoldPolicy, FoldRoom
from ctxe.context.fold import fold, fold_room, names_standing, next_fold, request_size
from ctxe.context.trim import handle_of
from ctxe.domain.conversation import Conversation, Fold, Position, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.domain.section import Chunk, Priority, Section
from tests.support.counting import count_words


def read(n: int) -> Step:
    body = "\n".join(f"def function_{n}_{k}(): return value_{n}_{k}" for k in range(40))
    call = ToolCall(f"c{n}", "read_file", f'{{"path": "src/file_{n}.py"}}')
    return Step(Reply(f"looking at {n}", (call,)), (ToolResult(f"c{n}", body),))


LONG = Conversation((Turn("please fix the `function_3_7` bug", (), tuple(read(n) for n in range(10))),))
POLICY = FoldPolicy()


def test_old_steps_become_a_record_of_their_own_lines() -> None:
    made = fold(LONG, FoldRoom(1000, 20), POLICY, count_words, cause="threshold")
    assert made.cause == "threshold"
    assert made.upto == Position(0, 9)
    assert made.record[0].text == "please fix the `function_3_7` bug"
    originals = {line for _, step in LONG.steps() for r in step.results for line in r.text.split("\n")}
    kept = [line for line in made.record[1].text.split("\n") if line in originals]
    assert len(kept) > 10
    assert "src/file_8.py" in made.record[1].text.split("\n")
    assert count_words(made.record[1].text) < 450


def test_the_same_conversation_gives_the_same_fold_and_folding_again_changes_nothing() -> None:
    made = fold(LONG, FoldRoom(1000, 20), POLICY, count_words)
    assert fold(LONG, FoldRoom(1000, 20), POLICY, count_words) == made
    again = Conversation(LONG.turns, made)
    assert fold(again, FoldRoom(1000, 20), POLICY, count_words) == made


def test_a_fold_is_made_only_when_it_is_due_or_demanded() -> None:
    roomy, tight = Budget(20_000, 100), Budget(1_000, 100)
    assert next_fold(Frame(), LONG, roomy, count_words, POLICY) is None
    made = next_fold(Frame(), LONG, tight, count_words, POLICY)
    assert made is not None
    assert made.cause == "overflow"
    assert request_size(Frame(), Conversation(LONG.turns, made), count_words) <= 900
    demanded = next_fold(Frame(), LONG, roomy, count_words, POLICY, cause="request")
    assert demanded is not None
    assert demanded.cause == "request"


def test_a_repeated_fold_request_folds_again_only_for_new_pins_or_an_overflow() -> None:
    roomy, pin = Budget(20_000, 100), (Chunk("pin 1", "keep this"),)
    made = next_fold(Frame(), LONG, roomy, count_words, POLICY, cause="request")
    folded = Conversation(LONG.turns, made)
    assert next_fold(Frame(), folded, roomy, count_words, POLICY, cause="request") is None
    pinned = next_fold(Frame(), folded, roomy, count_words, POLICY, cause="request", also=pin)
    assert pinned is not None
    assert pinned.record[-1:] == pin
    assert next_fold(Frame(), folded, roomy, count_words, POLICY, cause="overflow") is not None


def test_one_step_is_not_folded() -> None:
    single = Conversation((Turn("hello", (), (read(1),)),))
    assert fold(single, FoldRoom(1000, 20), POLICY, count_words) == Fold(Position(0, 0))


def talk(number: int, long: int = 0) -> Turn:
    said = f"words of turn {number} " + " ".join(f"long{number}_{k}" for k in range(long))
    return Turn(said, (), (read(number),))


def test_user_messages_stay_whole_and_those_of_the_running_turn_are_never_lost() -> None:
    turns = (*(talk(n) for n in range(8)), Turn("fix it now", (), tuple(read(n) for n in range(20, 25))))
    made = fold(Conversation(turns), FoldRoom(2000, 20), POLICY, count_words)
    assert made.upto == Position(8, 4)
    kept = [chunk.text for chunk in made.record if chunk.id.startswith("words")]
    assert kept == [turn.words for turn in turns]


def test_user_messages_beyond_their_share_become_record_lines_and_the_first_and_newest_are_shortened() -> None:
    turns = tuple(talk(n, 100) for n in range(8))
    made = fold(Conversation(turns), FoldRoom(1200, 20), POLICY, count_words)
    kept = {chunk.id: chunk.text for chunk in made.record if chunk.id.startswith("words")}
    assert all(f"recall {handle_of(turn.words)}" in kept["words left out"] for turn in turns[1:5])
    del kept["words left out"]
    assert list(kept) == ["words 1", "words 6", "words 7"]
    assert all(text in [turn.words for turn in turns] for text in kept.values())
    huge = Conversation((talk(0, 900), *turns[1:]))
    first = fold(huge, FoldRoom(1200, 20), POLICY, count_words).record[0].text
    assert f"recall {handle_of(huge.turns[0].words)}" in first
    assert count_words(first) <= 720


def test_pins_stand_beside_the_words_and_a_fold_says_what_it_saves() -> None:
    pin = Chunk("pin 1", "never touch setup.py", "you pinned it")
    made = next_fold(Frame(), LONG, Budget(1_000, 100), count_words, POLICY, also=(pin,))
    assert made is not None
    assert pin in made.record
    assert made.tokens_before == request_size(Frame(), LONG, count_words)
    assert made.tokens_after == request_size(Frame(), Conversation(LONG.turns, made), count_words) <= 900


def test_the_todo_list_stands_once_beside_the_record() -> None:
    item = "change src/special_place.py"
    asked = ToolCall("t", "update_todo", f'{{"items": [{{"text": "{item}", "state": "open"}}]}}')
    steps = (Step(Reply("", (asked,)), (ToolResult("t", f"[ ] {item}"),)), *LONG.turns[0].steps)
    listed, talk = Chunk("todo", f"[todo list]\n- [open] {item}"), Conversation((Turn("go on", (), steps),))
    alone, beside = (fold(talk, FoldRoom(1_000, 20), POLICY, count_words, also=also) for also in ((), (listed,)))
    assert item in alone.record[1].text
    assert sum(chunk.text.count(item) for chunk in beside.record) == 1
    assert beside.upto == alone.upto


def test_an_unanswered_user_message_is_never_folded() -> None:
    said = Conversation((Turn("look at it"), Turn("and now this")))
    made = fold(said, FoldRoom(300, 20), POLICY, count_words)
    assert (made.upto, [chunk.text for chunk in made.record]) == (Position(1, 0), ["look at it"])


def test_context_gathered_for_a_turn_counts_against_the_kept_room() -> None:
    room, planned = FoldRoom(1000, 20), Section("files", Priority.INJECTED, (Chunk("a.py", "line " * 600),), "task")
    answered = Conversation((*map(talk, range(6)), replace(talk(6), gathered=(planned,))))
    asked = Conversation((*map(talk, range(7)), Turn("and this?", (planned,))))
    for said in (answered, asked):
        made = replace(said, fold=fold(said, room, POLICY, count_words))
        assert 700 < request_size(Frame(), made, count_words) <= room.target(POLICY)


def grown(steps: int, before: Fold | None) -> Fold:
    """What a session of so many steps folds to after an earlier fold."""
    long = Conversation((Turn("please fix the `function_3_7` bug", (), tuple(read(n) for n in range(steps))),), before)
    return fold(long, FoldRoom(1000, 20), POLICY, count_words)


def test_a_later_fold_adds_a_part_to_the_record_that_stands_and_repeats_no_line_of_it() -> None:
    first = grown(10, None)
    second = grown(12, first)
    assert second.upto == Position(0, 11)
    assert second.record[: len(first.record)] == first.record
    (added,) = second.record[len(first.record) :]
    assert added.why == "stands for steps 10 to 11"
    assert added.text.startswith("[Steps 10 to 11, folded.")
    functions = {line for line in added.text.split("\n") if line.startswith("def ")}
    assert functions
    assert functions.isdisjoint(first.record[-1].text.split("\n"))
    assert grown(12, second) == second


def test_a_record_without_room_for_one_more_part_is_chosen_anew() -> None:
    folds: list[Fold] = []
    for steps in range(10, 24, 2):
        folds.append(grown(steps, folds[-1] if folds else None))
    parts = [sum(chunk.id == "record" for chunk in made.record) for made in folds]
    assert parts[:2] == [1, 2]
    assert 1 in parts[2:]
    assert all(sum(count_words(chunk.text) for chunk in made.record) <= 1_000 for made in folds)


def test_pins_stand_behind_the_record_and_follow_it() -> None:
    pin = Chunk("pin 1", "never touch setup.py", "you pinned it")
    first = fold(LONG, FoldRoom(1000, 20), POLICY, count_words, also=(pin,))
    more = Conversation((Turn(LONG.turns[0].words, (), tuple(read(n) for n in range(12))),), first)
    second = fold(more, FoldRoom(1000, 20), POLICY, count_words, also=(pin,))
    assert [chunk.id for chunk in first.record] == ["words 1", "record", "pin 1"]
    assert [chunk.id for chunk in second.record] == ["words 1", "record", "record", "pin 1"]
    assert second.record[:2] == first.record[:2]


def test_pins_reduce_the_room_of_the_record() -> None:
    room, pin = FoldRoom(1000, 20), Chunk("pin 1", "never " * 400)
    made = fold(LONG, room, POLICY, count_words, also=(pin,))
    assert [chunk.id for chunk in made.record] == ["words 1", "record", "pin 1"]
    assert request_size(Frame(), Conversation(LONG.turns, made), count_words) <= room.target(POLICY)


def test_a_folded_request_never_exceeds_its_room() -> None:
    frame = Frame(sections=(Section("rules", Priority.SYSTEM, (Chunk("rules", "be right"),), "system"),))
    turns = (*(talk(n) for n in range(4)), Turn("fix it now", (), tuple(read(n) for n in range(20, 26))))
    for usable in range(700, 1_500, 9):
        room = fold_room(frame, Conversation(turns), usable, count_words)
        made = fold(Conversation(turns), room, POLICY, count_words)
        assert request_size(frame, Conversation(turns, made), count_words) <= room.target(POLICY)


def test_names_stand_in_what_stays_and_in_the_newest_steps_only() -> None:
    names = set(names_standing(["fix some_name"], LONG, Position(0, 9)))
    assert {"some_name", "src/file_9.py", "function_9_0"} <= names
    assert not {"src/file_8.py", "function_8_0"} & names


def test_the_record_is_rebuilt_when_a_user_message_is_no_longer_whole() -> None:
    turns = (*(talk(n, 100) for n in range(4)), Turn("fix it now", (), tuple(read(n) for n in range(20, 26))))
    first = fold(Conversation(turns), FoldRoom(1600, 20), POLICY, count_words)
    added = (*turns, *(talk(n, 100) for n in range(5, 9)), Turn("and this", (), tuple(read(n) for n in range(30, 34))))
    second = fold(Conversation(added, first), FoldRoom(1600, 20), POLICY, count_words)
    assert sum(chunk.id == "record" for chunk in second.record) == 1
    assert next(chunk for chunk in second.record if chunk.id == "record").text.startswith("[Steps 1 to ")


def test_the_provider_is_told_which_prefix_the_next_fold_keeps() -> None:
    pin = Chunk("pin 1", "never touch setup.py", "you pinned it")
    first = fold(LONG, FoldRoom(1000, 20), POLICY, count_words, also=(pin,))
    more = Conversation((Turn(LONG.turns[0].words, (), tuple(read(n) for n in range(12))),), first)
    second = replace(more, fold=fold(more, FoldRoom(1000, 20), POLICY, count_words, also=(pin,)))
    before, after = (
        assemble(Frame(), talk, Budget(1_000, 0), count_words).request
        for talk in (Conversation(more.turns, first), second)
    )
    assert (before.settled_blocks, after.settled_blocks) == (2, 3)
    assert before.messages[0].blocks[:2] == after.messages[0].blocks[:2]
    assert assemble(Frame(), LONG, Budget(10_000, 0), count_words).request.settled_blocks == 0


def test_the_expected_session_length_is_read_only_when_cost_decides() -> None:
    asked: list[int] = []

    def calls(done: int) -> float:
        asked.append(done)
        return 1.0

    long = Conversation((Turn("go", (), tuple(read(n) for n in range(300))),))
    window = Budget(200_000, 0)
    policy = replace(POLICY, calls=calls)
    assert next_fold(Frame(), LONG, window, count_words, policy) is None
    assert asked == []
    assert next_fold(Frame(), long, Budget(60_000, 0), count_words, policy) is None
    assert asked == [300]
    made = next_fold(Frame(), long, Budget(60_000, 0), count_words, replace(POLICY, calls=lambda _: 100.0))
    assert made is not None
    assert made.cause == "price"


def test_every_long_message_keeps_its_beginning_before_any_is_kept_whole() -> None:
    long = tuple(Turn(f"CORRECTION {n} " + "please " * 300, (), (read(n),)) for n in range(6))
    made = fold(Conversation((*long, Turn("go on", (), (read(8),)))), FoldRoom(3_000, 20), POLICY, count_words)
    kept = {chunk.id: chunk.text for chunk in made.record if chunk.id.startswith("words ")}
    assert list(kept) == ["words 1", "words 4", "words 5", "words 6", "words left out"]
    assert (kept["words 1"], kept["words 6"]) == (long[0].words, long[5].words)
    for n in (4, 5):
        head, note = kept[f"words {n}"].split("\n")
        assert head == long[n - 1].words[:1_200]
        assert note.endswith(f"more characters; recall {handle_of(long[n - 1].words)}]")


def test_a_newest_message_that_is_too_long_leaves_room_for_the_beginnings_of_others() -> None:
    said = (*(Turn(f"CORRECTION {n}", (), (read(n),)) for n in range(3)), Turn("log " * 2_000, (), (read(4),)))
    made = fold(Conversation((*said, Turn("go on", (), (read(8),)))), FoldRoom(3_000, 20), POLICY, count_words)
    kept = {chunk.id: chunk.text for chunk in made.record if chunk.id.startswith("words ")}
    assert list(kept) == ["words 1", "words 2", "words 3", "words 4"]
    assert [kept[f"words {n}"] for n in (1, 2, 3)] == [f"CORRECTION {n}" for n in range(3)]
    assert 400 < count_words(kept["words 4"]) <= 750


def test_the_record_repeats_no_line_that_was_gathered_or_noted_for_what_is_kept() -> None:
    gathered, noted = "def function_9_37(): return value_9_37", "def function_9_38(): return value_9_38"
    files = Section("files", Priority.INJECTED, (Chunk("a", gathered),), "task", "files")
    (turn,) = LONG.turns
    steps = (*turn.steps, replace(read(10), notes=(Chunk("restored a", noted),)))
    for talk in (
        Conversation((Turn(turn.words, (), steps),)),
        Conversation((turn, Turn("and now?", (files,), (read(10),)))),
    ):
        made = fold(talk, FoldRoom(2_000, 20), POLICY, count_words)
        shown = "\n".join(chunk.text for chunk in made.record)
        assert (noted in shown) == (len(talk.turns) == 2)
        assert (gathered in shown) == (len(talk.turns) == 1)


def test_a_file_the_user_named_leaves_lines_when_the_turn_it_came_with_is_folded() -> None:
    text = "src/named.py: 40 lines\n" + "\n".join(f"{n}\tdef named_{n}(): return value_{n}" for n in range(40))
    chunk = Chunk("src/named.py", text, "you named it", path="src/named.py", of="h")
    (turn,) = LONG.turns
    talk = Conversation((replace(turn, gathered=(Section("named files", Priority.INJECTED, (chunk,), "task"),)),))
    made = fold(talk, FoldRoom(6_000, 20), POLICY, count_words)
    lines = made.record[1].text.split("\n")
    assert lines[lines.index("[s0 named files]") + 1] == "src/named.py"
    assert len({*lines}.intersection(text.split("\n"))) > 5
