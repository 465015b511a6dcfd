"""Having a model review a plan: the plan as a question of names and outlines, and the changes its answer asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence

from ctxe.domain.value import dataclass, replace
from ctxe.repo.planning.planner import Plan
from ctxe.repo.planning.ranking import Ranking
from ctxe.repo.planning.showing import open_file, outlined
from ctxe.repo.planning.steering import UNSTEERED, Steering

ROUNDS = 2
MOST_FILES, MOST_OUTLINED = 25, 12
"""Files that the model is shown, and how many of them with their signatures."""
LONGEST_TASK = 6_000
LONGEST_OUTLINE = 1_200
"""Characters of one file's signatures."""
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)

Ask = Callable[[str], str]
"""Sends a question to the model and returns its answer; raises what a request raises."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """The changes that the model asks for; ``search`` is empty when it needs no further search."""

    drop: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    search: str = ""


def question(task: str, plan: Plan, ranking: Ranking, search_results: Sequence[str] = ()) -> str:
    """The plan as a question: every file with its reasons, the first ones with signatures, and ``search_results``."""
    parts = [f"<task>\n{task[:LONGEST_TASK]}\n</task>", "<files>", *_file_lines(plan, ranking), "</files>"]
    if search_results:
        parts += ["<found>", *search_results, "</found>"]
    return "\n".join(parts)


def _file_lines(plan: Plan, ranking: Ranking) -> Iterator[str]:
    why = {file.path: file.why for file in plan.files}
    for place, number in enumerate(ranking.order[:MOST_FILES]):
        path = ranking.evidence.file(number).path
        yield f"{path}" + (f" ({why[path]})" if why.get(path) else "")
        if place < MOST_OUTLINED:
            opened = open_file(ranking, number, ranking.evidence.index.text(path))
            shown = outlined(opened) if opened else None
            if shown:
                yield "\n".join(f"    {line}" for line in shown.text[:LONGEST_OUTLINE].split("\n")[1:-1])


def read_answer(words: str, is_known_path: Callable[[str], bool]) -> Refinement:
    """The changes that an answer asks for. Unknown paths are ignored; an answer without JSON asks for nothing."""
    match = _OBJECT.search(words)
    try:
        answer = json.loads(match.group(0)) if match else {}
    except (ValueError, RecursionError):
        return Refinement()
    paths = {
        name: tuple(dict.fromkeys(path for path in _texts(answer.get(name)) if is_known_path(path)))
        for name in ("drop", "add")
    }
    search = answer.get("search")
    words = search if isinstance(search, str) else " ".join(_texts(search))
    return Refinement(paths["drop"], paths["add"], words.strip()[:200])


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def refine(planned: Callable[[str, Steering], tuple[Plan, Ranking]], task: str, steering: Steering, ask: Ask) -> Plan:
    """The plan after at most two questions. ``planned`` plans a task with steering. Raises what ``ask`` raises."""
    plan, ranking = planned(task, steering)
    search_results: list[str] = []
    for rounds_left in range(ROUNDS - 1, -1, -1):
        is_known_path = ranking.evidence.index.files.by_path.__contains__
        refinement = read_answer(ask(question(task, plan, ranking, search_results)), is_known_path)
        asked = tuple(dict.fromkeys((*refinement.add, *steering.asked)))
        declined = tuple(path for path in (*steering.declined, *refinement.drop) if path not in asked)
        steering = replace(steering, asked=asked, declined=tuple(dict.fromkeys(declined)))
        plan, ranking = planned(task, steering)
        if not refinement.search or not rounds_left:
            break
        other = planned(refinement.search, UNSTEERED)[1]
        search_results = [other.evidence.file(number).path for number in other.order[:MOST_FILES]]
    return plan
