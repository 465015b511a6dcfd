"""The way in: ``ctxe`` and ``python -m ctxe``."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the process exit code."""
    from ctxe import __version__

    sys.stdout.write(f"ctxe {__version__}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
