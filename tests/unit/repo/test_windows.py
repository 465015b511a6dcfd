"""Embeddings of windows of files: made once by content, requested for a task, mixed into the plan."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ctxe.repo.git import Git
from ctxe.repo.indexing.index import Index
from ctxe.repo.planning.windows import cut, embed, meaning, missing, windows
from ctxe.storage.vectors import Vectors
from tests.unit.repo.planned import plan
from tests.wire.vectors import vector

FILES = {
    "tea/pot.py": "def pour(pot):\n    return pot.tea\n",
    "tea/sieve.py": "def strain(leaves):\n    return [leaf for leaf in leaves if leaf.small]\n",
    "tea/kettle.py": "def boil(water):\n    return water.hot\n",
    "notes.txt": "buy sugar\n",
}


class Host:
    """Counts what it is asked for."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.texts += texts
        return [vector(text) for text in texts]


def tree(tmp_path: Path) -> Index:
    for path, text in FILES.items():
        (tmp_path / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / path).write_text(text)
    subprocess.run(["git", "-C", str(tmp_path / "tree"), "init", "-q"], check=True)
    index = Index(tmp_path / "tree", Git(tmp_path / "tree", os.environ), tmp_path / "index.db", 1)
    index.refresh()
    return index


def test_a_window_holds_forty_lines_and_the_path() -> None:
    text = "\n".join(f"line {n}" for n in range(1, 101)) + "\n" * 60
    found = list(windows("a.py", text))
    assert [(first, last) for first, last, _ in found] == [(1, 40), (41, 80), (81, 120)]
    assert found[0][2].startswith("a.py\nline 1\n")
    assert next(windows("a.py", text, lambda words: words.replace("line", "***")))[2].startswith("a.py\n*** 1\n")


def test_only_changed_windows_are_embedded_again(tmp_path: Path) -> None:
    index, host = tree(tmp_path), Host()
    vectors = Vectors(index.db, "wire/words", host)
    assert embed(index, vectors) == 0
    assert len(host.texts) == 4
    assert (embed(index, vectors), len(host.texts)) == (0, 4)
    (tmp_path / "tree/tea/pot.py").write_text("def pour(pot):\n    return pot.leaves\n")
    (tmp_path / "tree/tea/kettle.py").unlink()
    index.refresh()
    assert embed(index, vectors) == 0
    assert host.texts[4:] == ["tea/pot.py\ndef pour(pot):\n    return pot.leaves\n"]
    assert index.db.execute("SELECT count(*) FROM windows").fetchone() == (3,)


def test_a_plan_embeds_a_few_windows_and_says_how_many_are_left(tmp_path: Path) -> None:
    index = tree(tmp_path)
    vectors = Vectors(index.db, "wire/words", Host())
    assert embed(index, vectors, most=1) == 3
    cut(index)
    assert len(missing(index, vectors)) == 3


def test_another_model_has_vectors_of_its_own(tmp_path: Path) -> None:
    index = tree(tmp_path)
    embed(index, Vectors(index.db, "wire/words", Host()))
    assert len(missing(index, Vectors(index.db, "wire/other", Host()))) == 4


def test_a_file_of_the_same_meaning_is_ranked_first(tmp_path: Path) -> None:
    index = tree(tmp_path)
    vectors = Vectors(index.db, "wire/words", Host())
    embed(index, vectors)
    task = "bits small"
    scores = meaning(index, vectors, task)
    assert max(scores, key=lambda number: scores[number]) == index.files.by_path["tea/sieve.py"]
    assert scores[index.files.by_path["tea/sieve.py"]] == 1.0
    made = plan(index, "bits", 2000, meaning=meaning(index, vectors, "bits"))
    assert made.files[0].path == "tea/sieve.py"
    assert json.dumps([reason.detail for reason in made.files[0].reasons]) == '["closest in meaning"]'


def test_vectors_survive_a_new_version_of_the_index(tmp_path: Path) -> None:
    index, host = tree(tmp_path), Host()
    embed(index, Vectors(index.db, "wire/words", host))
    index.db.execute("PRAGMA user_version=1")
    index.close()
    again = Index(tmp_path / "tree", Git(tmp_path / "tree", os.environ), tmp_path / "index.db", 1)
    again.refresh()
    assert embed(again, Vectors(again.db, "wire/words", host)) == 0
    assert len(host.texts) == 4
