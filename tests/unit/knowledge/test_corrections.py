"""Messages that reject the last turn are recognised by how they begin, for failures, credit and proposals alike."""

from __future__ import annotations

import pytest

from ctxe.knowledge.corrections import is_correction
from ctxe.knowledge.failures.captures import user_correction

TAKING_BACK = """nej, brug den anden
いや、別のパーサーを使って
no, use pathlib instead
No. That is the wrong file
No!
nope
no, use tabs
don't touch the tests
Do not rename it
please don't use mocks
that's not what I asked
That is still not what I meant
that's wrong
it's wrong
not that one
not what I meant
undo that please
Undo!
please revert the last change
revert your change to a.py
I told you to keep the header
I meant the other one
you broke the build
you misunderstood me
you shouldn't touch that
actually I meant the other file
Actually, use tabs
hmm, no, that breaks the build
oh no, revert that
sorry, I meant port 8080
ok but don't touch the tests
no tabs please
No mocks, use the real server
no the other file
wrong file
stop using mocks
stop!
I asked you to keep it
I didn't ask for a new file
you missed the second case
that was wrong
nein, nimm Tabs
Nein!
das ist falsch
ich meinte die andere Datei
non, utilise des tabulations
eso no
não, use tabs
нет, не так
不对,用制表符
違う"""
GOING_ON = """
No tests exist for the parser yet. Add some.
no output is printed when the file is empty
no idea why this fails, can you look?
No rush, but add a flag
no thanks
No, that's all
no, go on
No, looks good
no. That's fine, commit it
stop the server when SIGTERM arrives
wrong encoding crashes the parser
Don't know why it fails, look at it
actually, could you add a test as well?
I asked Bob and he agrees
non-existent files crash it
nice
none of the tests run
normalise the names
notwithstanding that
nightly builds fail
no problem, go on
no need to do more
now add a test
now fix the other one
notes.txt is missing
note that the port is 80
north is up
not sure yet, what about tabs?
stopwatch is broken
don't forget the tests
do not worry, go on
that's not bad, go on
fix it: that's wrong there
Undo in the editor loses the cursor
Revert commits of bots on their own
yes"""


@pytest.mark.parametrize("words", TAKING_BACK.splitlines())
def test_messages_that_reject_the_last_turn_are_recognised(words: str) -> None:
    assert is_correction(words)
    assert user_correction(words, {"x.py": ""}) is not None


@pytest.mark.parametrize(
    ("words", "answered", "taken_back"),
    [
        ("no", "Shall I add a test as well?", False),
        ("No, leave it", "Done. Should I commit it?", False),
        ("nein", "Soll ich es einchecken?", False),
        ("no, use tabs", "Done. Should I commit it?", True),
        ("that's wrong", "Done. Should I commit it?", True),
        ("no", "Done: a.py uses spaces now.", True),
    ],
)
def test_a_no_rejects_an_answer_but_only_answers_a_question(words: str, answered: str, taken_back: bool) -> None:
    assert is_correction(words, answered) is taken_back
    assert (user_correction(words, {"x.py": ""}, answered=answered) is not None) is taken_back


@pytest.mark.parametrize("words", GOING_ON.splitlines())
def test_messages_that_continue_are_not_taken_for_corrections(words: str) -> None:
    assert not is_correction(words)
    assert user_correction(words, {"x.py": ""}) is None
