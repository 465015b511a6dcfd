"""Measures start-up (help, budget, the first request) and the time from Enter to the request."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benching.measure import Figure, beside, clone, environment, process

if TYPE_CHECKING:
    from tests.wire.server import WireServer


def commands(work: Path) -> list[Figure]:
    """Whole processes: help, budget."""
    folder, env = clone(work), environment(work)
    ctxe = (sys.executable, "-m", "ctxe")
    figures = []
    for name, words, bound in (("--help", ("--help",), 0.120), ("budget, warm", ("budget", "fix the parser"), 0.300)):
        figures.append(Figure(name, beside(process(*ctxe, *words, folder=folder, env=env)), bound))
    return figures


def first_request(work: Path) -> list[Figure]:
    """Headless: from the start of the process to the request, less the time of a process that only imports the SDK."""
    from tests.wire.server import Reply, WireServer

    folder, code = clone(work), "import openai; openai.OpenAI(api_key='x')"
    alone = process(sys.executable, "-c", code, folder=folder, env=environment(work))
    beyond: list[float] = []
    with WireServer(lambda body: Reply("ok")) as server:
        env = environment(work, OPENAI_API_KEY="k", OPENAI_BASE_URL=f"{server.url}/v1", CTXE_MODEL="openai/gpt-5")
        whole = process(sys.executable, "-m", "ctxe", "chat", "-p", "hello", folder=folder, env=env)
        for _ in range(8):
            began, before = time.monotonic(), len(server.requests)
            alone()
            imported = time.monotonic()
            whole()
            beyond.append((server.requests[before].at - imported) - (imported - began))
    return [Figure("headless start to request, less SDK", statistics.median(beyond[1:]), 0.400)]


def interactive(work: Path) -> list[Figure]:
    """From Enter to the request in a terminal, three seconds after the start: in a new clone, and once it has an index.

    In a new clone the words wait for the index, for at most ``PATIENCE`` seconds.
    """
    from ctxe.project.window.plan_source import PATIENCE
    from tests.wire.server import Reply, WireServer

    folder = clone(work)
    with WireServer(lambda body: Reply("ok")) as server:
        env = environment(work, OPENAI_API_KEY="k", OPENAI_BASE_URL=f"{server.url}/v1", CTXE_MODEL="openai/gpt-5")
        first, *_ = _entered(folder, env, server, 1)
        again = _entered(folder, env, server, 5)
    return [
        Figure("first Enter ever in a clone", first, PATIENCE),
        Figure("Enter to request", max(again), 0.200),
    ]


def _more_than(count: int) -> Callable[[WireServer], bool]:
    return lambda server: len(server.requests) > count


def _entered(folder: Path, env: dict[str, str], server: WireServer, times: int) -> list[float]:
    """Seconds from Enter to each request of a session."""
    from tests.e2e.harness import Terminal

    spent = []
    with Terminal(folder, env, ("chat",)) as terminal:
        terminal.wait("gpt-5")
        time.sleep(3)
        for n in range(times):
            before = len(server.requests)
            terminal.type(f"hello {n}")
            terminal.settle()
            began = time.monotonic()
            terminal.type("\r")
            server.wait(_more_than(before))
            spent.append(server.requests[-1].at - began)
            terminal.settle(0.5)
    return spent
