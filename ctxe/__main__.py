"""The way in: ``ctxe`` and ``python -m ctxe``."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys


def main() -> int:
    """Run the command line; the exit code of the process."""
    if None in (sys.stdin, sys.stdout, sys.stderr):  # started with one of them closed
        from ctxe.terminal.streams import fill_missing

        fill_missing()
    ended: list[int] = []
    atexit.register(_leave, ended)  # the first to be registered is the last to run
    # Start-up makes objects that stay: looking for garbage among them costs a twentieth of it.
    gc.set_threshold(50_000, 20, 20)
    from ctxe.cli.app import main as run

    code = run()
    ended.append(code)
    # All that is left goes with the process: looking for garbage in it once more costs a tenth of a short command.
    gc.freeze()
    return code


def _leave(ended: list[int]) -> None:
    """End here, after all that was to be done at the end, when threads run on that nobody waits for.

    One may be in the middle of importing an SDK: an interpreter that is taken down under it can crash.
    """
    threads = sys.modules.get("threading")
    if not ended or threads is None or threads.active_count() == 1:
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed, or nobody reads it any more
            stream.flush()
    os._exit(ended[0])


if __name__ == "__main__":
    # ``python -m`` looks for modules where the user stands first; a repository must not stand in for a library.
    with contextlib.suppress(OSError):  # the folder may be gone
        if sys.path[0] == os.getcwd():  # noqa: PTH109 -- pathlib takes as long as the whole page of help
            del sys.path[0]
    sys.exit(main())
