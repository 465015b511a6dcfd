"""Measures instruction files and domain modules: time, tokens, and whether the right module is found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from scripts.benching.measure import Figure, environment, timed


def rules(work: Path) -> list[Figure]:
    """Time to read 40 instruction files, and tokens of a first request with 0 and with 200 modules."""
    from ctxe.domain.section import Task
    from ctxe.knowledge.rules.instructions import Instructions
    from ctxe.knowledge.rules.rulefiles import RulePlaces
    from ctxe.storage.counts import Counts
    from ctxe.storage.vocabulary import count

    home = work / "home"
    home.mkdir()
    files = work / "files"
    for n in range(40):
        path = files / f".claude/rules/rule{n}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            "\n".join(f"- Rule {n}.{k}: keep the {k} parts of area {n} in the order of {n * k}." for k in range(12))
        )
    source = Instructions(RulePlaces(files, files), Counts("o200k_base", count))
    figures = [Figure("40 instruction files, warm", timed(lambda: source.offer(Task("x"), 8_000)), 0.050)]
    used = []
    for number in (0, 200):
        folder = work / f"modules{number}"
        (folder / ".git").mkdir(parents=True)
        for n in range(number):
            path = folder / f".claude/skills/module-{n}/SKILL.md"
            path.parent.mkdir(parents=True)
            path.write_text(
                f"---\nname: module-{n}\ndescription: Knows all of subject {n} and its neighbours.\n---\nBody\n"
            )
        words = (sys.executable, "-m", "ctxe", "budget", "--json", "hello")
        done = subprocess.run(words, cwd=folder, env=environment(home), capture_output=True, text=True, check=True)
        used.append(json.loads(done.stdout)["used"])
    figures.append(Figure("first request, empty project", used[0], 3_000, "tokens"))
    return [*figures, Figure("200 modules more", used[1] - used[0], 1_500, "tokens"), *matching()]


def matching() -> list[Figure]:
    """How well modules are matched, on the half of the cases that was not used for tuning."""
    from tests.unit.knowledge import test_skill_matching as measured

    skills = measured.modules()
    right, none = measured.cases(right=True, part=1), measured.cases(right=False, part=1)
    among = 100 * len(measured.hits(1, skills)) / len(right)
    silent = 100 - 100 * len(measured.loud(1, skills)) / len(none)
    return [
        Figure(f"right module in three, {len(right)} tasks", among, 90, "%", least=True),
        Figure(f"silent when none fits, {len(none)} tasks", silent, 85, "%", least=True),
    ]
