"""Training cases: changes in public histories whose message describes the task, and the files they changed."""

from __future__ import annotations

import json
import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ctxe.repo.kinds import kind, language

REPOSITORIES = (
    "pypa/pip", "pypa/setuptools", "psf/black", "python/mypy", "scrapy/scrapy", "sqlalchemy/sqlalchemy",
    "python-attrs/attrs", "Textualize/rich", "pydantic/pydantic-ai", "Aider-AI/aider", "rust-lang/cargo",
    "astral-sh/uv", "ethereum/go-ethereum", "charmbracelet/crush", "google-gemini/gemini-cli", "cline/cline",
    "badlogic/pi-mono", "square/okhttp", "curl/curl", "libgit2/libgit2",
)  # fmt: skip
"""Public repositories from which cases are mined; all others stay unseen."""
MOST_COMMITS = 12_000
LATER, SPAN = 12, 80
"""Changes soon after a case's own that its index is asked about too, and within how many commits they come."""
FAMILIES = {"typescript": "ts", "tsx": "ts", "vue": "ts", "javascript": "js", "cpp": "c", "kotlin": "java"}
_LANGUAGES = frozenset(("python", "go", "rust", "java", "ruby", "c", "swift", *FAMILIES))
_DULL = re.compile(
    r"(?:merge|revert|release|bump|prepare|version|v?\d+\.\d+|update (?:changelog|dependenc|deps|translations|copyright"
    r"|readme|docs)|chore\(deps|chore\(release|build\(deps|changelog|typo|fix typo|fix lint|lint|format|reformat|black"
    r"|style|wip|tidy|cleanup$|docs?[:(]|ci[:(]|tests?[:(])",
    re.IGNORECASE,
)
_TRAILER = re.compile(
    r"\s*(?:signed-off-by|co-authored-by|reviewed-by|acked-by|change-id|pr-url|refs?|see also|closes|fixes|resolves"
    r"|issue|bug|cc|piperorigin-revid)\b[:\s#].*$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"https?://\S+|\s*\((?:gh-)?#?\d+\)", re.IGNORECASE)
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@")


@dataclass(frozen=True)
class Case:
    """A task and the source files that its change touched; the tree is that of commit ``base``.

    ``sha`` is the commit that holds text and change; ``text`` and ``patch`` stand here for cases from elsewhere.
    ``group`` tells where the case is from: mined, commit or issue. ``near`` is the id of a case whose index stands for
    the tree of this one, a few commits older; empty for a case with an index of its own.
    """

    id: str
    group: str
    repo: str
    language: str
    base: str
    gold: tuple[str, ...]
    sha: str = ""
    text: str = ""
    patch: str = ""
    near: str = ""


def git(mirror: Path, *words: str) -> str:
    """Output of a git command in a mirror. Raises RuntimeError when it fails."""
    done = subprocess.run(["git", f"--git-dir={mirror}", *words], capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"git {words[0]} in {mirror}: {done.stderr.decode('utf-8', 'replace').strip()[:200]}")
    return done.stdout.decode("utf-8", "replace")


def mirror_of(mirrors: Path, repo: str) -> Path:
    """Folder of a repository's bare mirror."""
    return mirrors / repo.replace("/", "+") / "repo"


def clean(message: str) -> str:
    """A commit's message without trailers, addresses and numbers of requests."""
    lines = message.replace("\r", "").split("\n")
    kept = [_NUMBER.sub("", line).rstrip() for line in lines if not (_TRAILER.match(line) and len(line) < 90)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def mine(mirrors: Path, repo: str, count: int) -> list[Case]:
    """At most ``count`` changes of one to five existing source files with a descriptive message, newer ones first."""
    found = list(_fitting(mirror_of(mirrors, repo), repo))
    chance = random.Random("m" + repo)
    middle = len(found) * 2 // 3
    newer, older = found[:middle], found[middle:]
    most = min(count * 3 // 4, len(newer))
    return chance.sample(newer, most) + chance.sample(older, min(count - count * 3 // 4, len(older)))


def later(mirrors: Path, repo: str, cases: Sequence[Case]) -> list[Case]:
    """Further changes of a repository, each soon after one of its ``cases``, so that they share its index.

    What an index lacks of the few commits between hardly matters to any signal, and many cases teach more than few.
    """
    mirror = mirror_of(mirrors, repo)
    known = {case.sha: case for case in _fitting(mirror, repo)}
    newest_first = git(mirror, "log", "--no-merges", f"-{MOST_COMMITS}", "--format=%H", "HEAD").split()
    order = newest_first[::-1]
    place = {sha: number for number, sha in enumerate(order)}
    free = known.keys() - {case.sha for case in cases}
    found: list[Case] = []
    for case in cases:
        start = place.get(case.sha, len(order))
        some = [sha for sha in order[start : start + SPAN] if sha in free][:LATER]
        free -= set(some)
        found += [replace(known[sha], near=case.id) for sha in some]
    return found


def _fitting(mirror: Path, repo: str) -> Iterator[Case]:
    form = "--format=%x02%H%x00%P%x00%B%x00%x03"
    span = ("-z", "--no-merges", "--no-renames", f"-{MOST_COMMITS}", form, "--name-status", "HEAD")
    for record in git(mirror, "log", *span).split("\x02")[1:]:
        head, _, names = record.partition("\x03")
        sha, parent, message = head.split("\0")[:3]
        words = [word for word in names.lstrip("\0\n").split("\0") if word]
        changed = [(words[n].strip("\n"), words[n + 1]) for n in range(0, len(words) - 1, 2)]
        gold = tuple(path for state, path in changed if state in ("M", "D") and _is_source(path))
        text = clean(message)
        told = 80 <= len(text) <= 6000 and len(text.split()) >= 12 and not _DULL.match(text)
        if parent and " " not in parent and told and 1 <= len(gold) <= 5 and len(changed) <= 30:
            most = Counter(language(path) for path in gold).most_common(1)[0][0]
            yield Case(f"mined:{repo}@{sha[:12]}", "mined", repo, most, parent, gold, sha)


def _is_source(path: str) -> bool:
    return kind(path) == "source" and language(path) in _LANGUAGES


def given(folder: Path) -> list[Case]:
    """The cases of a benchmark's folder: ``cases.json``, and the issues of ``lite_dev.jsonl`` by their ids."""
    lines = (folder / "lite_dev.jsonl").read_text("utf-8").splitlines()
    issues = {row["instance_id"]: row for row in map(json.loads, lines)}
    found = []
    for row in json.loads((folder / "cases.json").read_text("utf-8"))["cases"]:
        shared = (row["id"], row["repo"], row["lang"], row["base"], tuple(row["gold"]))
        issue = issues.get(row["text"].get("value", ""))
        if issue:
            more = ("", issue["problem_statement"], issue["patch"])
            found.append(Case(shared[0], "issue", *shared[1:], *more))
        else:
            found.append(Case(shared[0], "commit", *shared[1:], row["text"]["sha"]))
    return found


def text_of(mirrors: Path, case: Case) -> str:
    """The words of a case's task."""
    return case.text or clean(git(mirror_of(mirrors, case.repo), "log", "-1", "--format=%B", case.sha))


def lines_of(mirrors: Path, case: Case) -> dict[str, set[int]]:
    """The lines of the old files that the change deletes or inserts after, and line 1 of each, by path."""
    diff = ("diff", "--no-color", "--no-renames", "-U0", case.base, case.sha, "--", *case.gold)
    return touched(case.patch or git(mirror_of(mirrors, case.repo), *diff))


def touched(patch: str) -> dict[str, set[int]]:
    """The changed lines of a unified diff, by path, with or without lines of context.

    Line 1 counts as touched, as the benchmark's own count has it: who edits a file looks at its head.
    """
    found: dict[str, set[int]] = {}
    path, old = "", 0
    for line in patch.splitlines():
        if line.startswith("--- "):
            path = line[6:].split("\t")[0].strip() if line.startswith("--- a/") else ""
            if path:
                found[path] = {1}
        elif line.startswith("diff --git"):
            path = ""
        elif hunk := _HUNK.match(line):
            old = int(hunk[1])
            if path and hunk[2] == "0":
                found.setdefault(path, set()).add(max(1, old))
                old += 1
        elif path and line[:1] == "-":
            found.setdefault(path, set()).add(old)
            old += 1
        elif path and line[:1] == "+" and not line.startswith("+++ "):
            found.setdefault(path, set()).add(max(1, old - 1))
        elif line[:1] in (" ", ""):
            old += 1
    return found


def without_names(text: str, gold: Sequence[str]) -> str:
    """A text without words that name a file of the change by path, name or dotted module."""
    paths = [path.lower() for path in gold]
    names = {name for path in paths for name in _names(path)}

    def told(word: str) -> bool:
        bare = re.sub(r"(:\d+)+$|#l\d+.*$", "", word.strip("\"'`*_()[]{}<>,;:!?").rstrip(".").lower())
        return bare in names or any(
            f"/{bare}".endswith(f"/{path}") or ("/" in bare and f"/{path}".endswith(f"/{bare}")) for path in paths
        )

    return "".join(part for part in re.split(r"(\s+)", text) if part.isspace() or not told(part))


def _names(path: str) -> Iterator[str]:
    folders, stem = path.split("/"), path.rpartition(".")[0].split("/")
    yield from (path, folders[-1])
    yield from (".".join(stem[n:]) for n in range(len(stem) - 1))


def save(cases: Sequence[Case], path: Path) -> None:
    """Write cases as JSON."""
    path.write_text(json.dumps([asdict(case) for case in cases]), "utf-8")


def load(path: Path) -> list[Case]:
    """Load the cases that ``save`` wrote."""
    return [Case(**{**row, "gold": tuple(row["gold"])}) for row in json.loads(path.read_text("utf-8"))]
