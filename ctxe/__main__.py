"""The way in: ``ctxe`` and ``python -m ctxe``."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit code of the process."""
    from ctxe.cli.app import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
