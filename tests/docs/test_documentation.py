"""Checks that the documents state what the program offers, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

from ctxe.domain.events import Kept

ROOT = Path(__file__).resolve().parents[2]


def test_commands_options_and_settings_are_documented() -> None:
    command = [sys.executable, str(ROOT / "scripts/manual"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_pictures_equal_the_real_screen() -> None:
    """A busy machine can catch the screen between two redraws: stale is what differs three times in a row."""
    command = [sys.executable, str(ROOT / "scripts/docs"), "--check"]
    told = []
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        told.append(done.stdout + done.stderr)
    raise AssertionError(told)


def test_every_kept_event_and_its_fields_are_documented() -> None:
    text = (ROOT / "docs/session-format.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", text, re.M))
    for event in get_args(Kept):
        fields = [name for name in event.__dataclass_fields__ if name != "type"]
        kind = event.__dataclass_fields__["type"].default
        assert re.findall(r"`(\w+)`", rows[kind]) == fields


def test_every_word_of_the_glossary_is_in_the_code() -> None:
    words = re.findall(r"\*\*(\w+)\*\*", (ROOT / "docs/glossary.md").read_text())
    code = "\n".join(path.read_text() for path in (ROOT / "ctxe").rglob("*.py"))
    assert [word for word in words if not re.search(rf"\b{word}", code, re.I)] == []


def test_class_names_are_unique() -> None:
    told = [
        (name, path)
        for path in (ROOT / "ctxe").rglob("*.py")
        for name in re.findall(r"(?m)^class (\w+)", path.read_text())
    ]
    names = [name for name, _ in told]
    assert sorted((name, str(path)) for name, path in told if names.count(name) > 1) == []
