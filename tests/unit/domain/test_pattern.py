"""A pattern compiled on first use matches like one compiled at once."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys

from ctxe.domain.pattern import pattern

ASKED = """
import re, sys
from ctxe.project.session import wire
from ctxe.safety import secrets
print(len([value for value in vars(secrets).values() if isinstance(value, re.Pattern)]))
"""


def test_a_late_pattern_matches_like_a_compiled_one() -> None:
    late, made = pattern(r"(?P<name>\w+)=(\d+)", re.I), re.compile(r"(?P<name>\w+)=(\d+)", re.I)
    text = "a=1, b=2"
    for _ in range(2):  # the second time the answer is kept
        assert late.findall(text) == made.findall(text)
        assert late.sub(r"\2=\1", text) == made.sub(r"\2=\1", text)
        assert [late.pattern, late.flags, late.groupindex] == [made.pattern, made.flags, made.groupindex]


def test_a_late_pattern_survives_copies_and_pickles() -> None:
    late = pattern("a+")
    assert [one.findall("baa") for one in (copy.deepcopy(late), pickle.loads(pickle.dumps(late)))] == [["aa"], ["aa"]]


def test_modules_that_every_start_imports_compile_nothing() -> None:
    told = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert told.stdout == "0\n"
