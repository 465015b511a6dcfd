"""Drives a headless Chromium by the Chrome DevTools protocol over a pair of pipes, without a library or a port."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def found() -> str:
    """The path of a Chromium; empty when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), "")


class Browser:
    """One page in a headless Chromium. ``heard`` holds the events received, oldest first."""

    def __init__(self, program: str, folder: Path, width: int = 1240, height: int = 1500) -> None:
        self.heard: list[dict[str, Any]] = []
        self._next, self._rest = 0, b""
        theirs_in, self._write = os.pipe()
        self._read, theirs_out = os.pipe()
        command = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
        words = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe"]
        words += [f"--user-data-dir={folder}", f"--window-size={width},{height}", "--hide-scrollbars"]
        self._process = subprocess.Popen(
            ["bash", "-c", command, program, *words, "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        page = next(t for t in self.ask("Target.getTargets", where="")["targetInfos"] if t["type"] == "page")
        self._session = ""
        self._session = self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True, where="")[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._write)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)

    def ask(self, method: str, where: str | None = None, **parameters: Any) -> Any:
        """Call a method of the protocol and return its result. Raises RuntimeError with the browser's message."""
        self._next += 1
        message: dict[str, Any] = {"id": self._next, "method": method, "params": parameters}
        if where is None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._hear()
            if answer.get("id") == self._next:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.heard.append(answer)

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(f"{script}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def open(self, url: str) -> None:
        """Go to a page and wait until it has loaded."""
        self.ask("Page.navigate", url=url)
        self.until(lambda: self.run("document.readyState") == "complete", f"{url} is loaded")

    def until(self, is_so: Callable[[], bool], what: str, seconds: float = 20) -> None:
        """Wait until a condition holds. Raises RuntimeError after the time limit."""
        limit = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > limit:
                raise RuntimeError(f"it never was so that {what}")
            time.sleep(0.05)

    def mouse(self, selector: str, kind: str = "mouseMoved", across: float = 0.5, down: float = 0.5) -> None:
        """Move to a place in an element, given as fractions of its box, or click there."""
        place = f"(b => [b.left + b.width * {across}, b.top + b.height * {down}])"
        x, y = self.run(f"{place}(document.querySelector({json.dumps(selector)}).getBoundingClientRect())")
        for one in ("mousePressed", "mouseReleased") if kind == "click" else (kind,):
            button = "left" if kind == "click" else "none"
            self.ask("Input.dispatchMouseEvent", type=one, x=x, y=y, button=button, clickCount=int(kind == "click"))

    def look(self, scheme: str) -> None:
        """Switch to the page's light or dark colour scheme."""
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path: Path) -> None:
        """Save the visible part of the page as PNG."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            came = os.read(self._read, 1 << 20)
            if not came:
                raise RuntimeError("the browser has ended")
            self._rest += came
        line, _, self._rest = self._rest.partition(b"\0")
        heard: dict[str, Any] = json.loads(line)
        return heard
