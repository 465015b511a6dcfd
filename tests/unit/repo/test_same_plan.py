"""The same task over the same tree gives the same plan, whatever order the interpreter gives its sets."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

PLANS = """
import os, sys
from pathlib import Path
from ctxe.repo.git import Git
from ctxe.repo.indexing.index import Index
from ctxe.repo.planning.planner import plan
root = Path(sys.argv[1])
index = Index(root, Git(root, os.environ), None, 1)
index.refresh()
for task in sys.argv[2:]:
    made, ranking = plan(index, task, 4000)
    print(sorted(ranking.scores.items()), [(file.path, file.why, file.text) for file in made.files])
"""
LINE = "boil pour steep strain cup pot kettle leaf water sieve tray spoon sugar lemon milk"
WORDS = LINE.split()


def planted(root: Path) -> None:
    chance = random.Random(3)
    for number in range(20):
        some = chance.sample(WORDS, chance.randint(2, 12))
        names = (f"{one}_{other}_{third}" for one in some for other in some[:3] for third in some[1:3])
        (root / f"m{number}.py").write_text("\n".join(f"def {name}(a):\n    b = a\n    return b\n" for name in names))


def test_a_plan_does_not_depend_on_hash_order(tmp_path: Path) -> None:
    planted(tmp_path)
    chance = random.Random(1)
    tasks = [f"{' '.join(chance.sample(WORDS, 7))} {'_'.join(chance.sample(WORDS, 3))}" for _ in range(12)]
    command = [sys.executable, "-c", PLANS, str(tmp_path), *tasks]
    told = [
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True).stdout
        for seed in ("1", "2")
    ]
    assert told[0].count(b"\n") == len(tasks)
    assert told[1] == told[0]
