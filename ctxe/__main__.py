"""The way in: ``ctxe`` and ``python -m ctxe``."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit code of the process."""
    if None in (sys.stdin, sys.stdout, sys.stderr):  # started with one of them closed
        from ctxe.terminal.streams import fill_missing

        fill_missing()
    from ctxe.cli.app import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
