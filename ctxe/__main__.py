"""The way in: ``ctxe`` and ``python -m ctxe``."""

from __future__ import annotations

import contextlib
import gc
import os
import sys


def main() -> int:
    """Run the command line; the exit code of the process."""
    if None in (sys.stdin, sys.stdout, sys.stderr):  # started with one of them closed
        from ctxe.terminal.streams import fill_missing

        fill_missing()
    # Start-up makes objects that stay: looking for garbage among them costs a twentieth of it.
    gc.set_threshold(50_000, 20, 20)
    from ctxe.cli.app import main as run

    code = run()
    # All that is left goes with the process: looking for garbage in it once more costs a tenth of a short command.
    # Not while threads run on: what they use is taken down in the order that the interpreter is used to.
    threads = sys.modules.get("threading")
    if threads is None or threads.active_count() == 1:
        gc.freeze()
    return code


if __name__ == "__main__":
    # ``python -m`` looks for modules where the user stands first; a repository must not stand in for a library.
    with contextlib.suppress(OSError):  # the folder may be gone
        if sys.path[0] == os.getcwd():  # noqa: PTH109 -- pathlib takes as long as the whole page of help
            del sys.path[0]
    sys.exit(main())
