"""Measures the memory: recall queries, its pages, and the gate among thousands of failures."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from scripts.benching.measure import Figure, beside, environment, process


def recalling(work: Path) -> list[Figure]:
    """Recall queries with all entries already read: the median over 800 entries, the 95th percentile over 100,000."""
    from ctxe.knowledge.recall.query import Query
    from ctxe.knowledge.recall.ranker import Ranker

    figures = []
    for number, words, asked, share, bound in ((800, 90, 50, 0.5, 0.010), (100_000, 25, 200, 0.95, 0.020)):
        entries, ranker, spent = sayings(number, words, "failure" if number == 800 else "fact"), Ranker(), []
        said = 60 if number == 800 else 12
        questions = [Query(" ".join(entries[n * 3].text.split()[:said]), entries[n].files) for n in range(asked)]
        for question in questions:
            ranker.ranked(question, entries)
        for question in questions:
            began = time.perf_counter()
            ranker.ranked(question, entries)
            spent.append(time.perf_counter() - began)
        spent.sort()
        figures.append(
            Figure(
                f"recall, {number:,} entries, {'median' if share == 0.5 else 'p95'}", spent[int(share * asked)], bound
            )
        )
    return figures


def listing(work: Path) -> list[Figure]:
    """`memory show` of 2,000 entries, and a search among them, as whole processes."""
    from ctxe.knowledge.upkeep.bulk import as_lines

    env, folder = environment(work), work / "project"
    folder.mkdir()
    (work / "entries.jsonl").write_text(as_lines(sayings(2_000, 40, "fact")))
    ctxe = (sys.executable, "-m", "ctxe")
    subprocess.run(
        (*ctxe, "memory", "import", str(work / "entries.jsonl")), cwd=folder, env=env, check=True, capture_output=True
    )
    shown = beside(process(*ctxe, "memory", "show", folder=folder, env=env), 5)
    found = beside(process(*ctxe, "memory", "search", "where is this", folder=folder, env=env), 5)
    return [
        Figure("memory show, 2,000 entries", shown, 0.500),
        Figure("memory search, 2,000", found, 0.700),
    ]


def gating(work: Path) -> list[Figure]:
    """p99 processor time of the gate among 5,000 failures, each of which depends on two real files."""
    from ctxe.domain.section import digest_bytes
    from ctxe.domain.tool import Action, Risk
    from ctxe.knowledge.entries.entry import Entry
    from ctxe.knowledge.failures.gate import Gate
    from ctxe.knowledge.failures.remembered import groups
    from ctxe.project.session.memory.session_gate import SessionGate

    def digest(path: str) -> str:
        return digest_bytes((work / path).read_bytes())

    for n in range(10):
        (work / f"part{n}.py").write_text("x = 1\n" * 2_000)
    state = [f"part{n}.py@{digest(f'part{n}.py')[:12]}" for n in range(10)]
    known = [
        Entry(
            f"f-{n}",
            "failure",
            f"`{call}`: E",
            "resolved",
            signature=f"{n:032x}",
            command=call,
            call=call,
            fix="x",
            state=(state[n % 10], state[n % 7]),
        )
        for n in range(5_000)
        for call in [f"pytest tests/test_{n}.py"]
    ]
    figures = []
    for _ in range(3):
        gate, took = SessionGate(Gate(), "tell", str(work), digest), []
        gate.learn(groups(known, {}))
        for n in range(0, 10_000, 3):
            given = json.dumps({"command": f"cd {work} && pytest tests/test_{n}.py"})
            action = Action(
                "run_command", "", Risk.EXECUTE, lambda: iter(()), command=json.loads(given)["command"], arguments=given
            )
            began = time.thread_time()
            said = gate.known_failure(action)
            took.append(time.thread_time() - began)
            assert (said is not None) is (n < 5_000)
        figures.append(sorted(took)[int(0.99 * len(took))])
    return [Figure("gate among 5,000 failures, p99 of cpu", min(figures), 0.005)]


def sayings(number: int, words: int, kind: str) -> list[Any]:
    """Entries of made-up words with a Zipf distribution, the same on every run."""
    from ctxe.knowledge.entries.entry import Entry

    chance = random.Random(number)
    letters = "bcdfgklmnprstvz"
    vocabulary = [
        "".join(chance.choice(letters) + chance.choice("aeiou") for _ in range(chance.randint(2, 4)))
        for _ in range(30_000)
    ]
    weights = list(itertools.accumulate(1.0 / (rank + 9) for rank in range(len(vocabulary))))
    return [
        Entry(
            f"e{n}",
            kind,
            "",
            text=" ".join(chance.choices(vocabulary, cum_weights=weights, k=words)),
            ts=str(n),
            files=(f"src/{n % 97}.py",),
            path=f"p{n}",
        )
        for n in range(number)
    ]
