"""How the process starts and exits."""

from __future__ import annotations

import signal
import subprocess
import sys

STARTED = """
import gc, sys
from ctxe.__main__ import main
sys.argv = ["ctxe", "--version"]
main()
print(len(gc.get_objects()) < gc.get_freeze_count())
"""


def test_the_process_exits_without_a_garbage_collection() -> None:
    told = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[1] == "True"


ABORTED_LAST = """
import atexit, ctypes, sys, threading, time
from ctxe.__main__ import main
sys.argv = ["ctxe", "--version"]
ctypes.pythonapi.Py_AtExit(ctypes.CDLL(None).abort)  # once the interpreter is taken down
if {busy}:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
code = main()
atexit.register(print, "at the end")
sys.exit(code)
"""


def test_the_process_exits_safely_while_a_thread_still_runs() -> None:
    """It may be importing an SDK: that ended in a segmentation fault, once in thousands of sessions left at once."""
    ran = [
        subprocess.run(
            [sys.executable, "-c", ABORTED_LAST.format(busy=busy)], capture_output=True, text=True, check=False
        )
        for busy in (True, False)
    ]
    assert [one.stdout.splitlines()[1:] for one in ran] == [["at the end"], ["at the end"]]
    assert [one.returncode for one in ran] == [0, -signal.SIGABRT]
