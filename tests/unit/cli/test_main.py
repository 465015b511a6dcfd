"""The way in and out of the process."""

from __future__ import annotations

import subprocess
import sys

STARTED = """
import gc, sys
from ctxe.__main__ import main
sys.argv = ["ctxe", "--version"]
main()
print(len(gc.get_objects()) < gc.get_freeze_count())
"""


def test_at_the_end_no_garbage_is_looked_for() -> None:
    told = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[1] == "True"
