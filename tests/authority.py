"""A private certificate authority, as companies have them: no machine trusts it until its certificate is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

OPENSSL = shutil.which("openssl") or ""
"""Empty where the program is not installed: then there is no certificate to try."""


def own_authority(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for ``name`` (as in ``IP:127.0.0.1``) and its key."""
    certificate, key = folder / "own.pem", folder / "own.key"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ctxe-test"]
    names = ["-addext", f"subjectAltName={name}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([OPENSSL, *words, *names], check=True, capture_output=True)
    return certificate, key
