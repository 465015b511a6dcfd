"""Words that take back what was done are known by how they begin, for failures, credit and proposals alike."""

from __future__ import annotations

import pytest

from ctxe.knowledge.corrections import corrects
from ctxe.knowledge.failures.captures import corrected

TAKING_BACK = """no, use pathlib instead
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
you shouldn't touch that"""
GOING_ON = """
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
def test_words_that_take_back(words: str) -> None:
    assert corrects(words)
    assert corrected(words, {"x.py": ""}) is not None


@pytest.mark.parametrize("words", GOING_ON.splitlines())
def test_words_that_go_on(words: str) -> None:
    assert not corrects(words)
    assert corrected(words, {"x.py": ""}) is None
