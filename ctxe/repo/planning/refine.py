"""A plan put before a model as names and outlines, and what its answer wishes; which model it is, is no matter here."""

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
SHOWN, OUTLINED = 25, 12
"""Files that the model is told of, and those with their signatures."""
LONGEST_TASK = 6_000
LONGEST_OUTLINE = 1_200
"""Characters of one file's signatures."""
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)

Ask = Callable[[str], str]
"""A question to the model and its words; raises what a request raises."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """What the model wants changed; ``search`` is empty when it needs no further search."""

    drop: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    search: str = ""


def question(task: str, made: Plan, ranking: Ranking, found: Sequence[str] = ()) -> str:
    """The plan in words: every file with its reasons, the first with signatures; ``found`` by the last search."""
    parts = [f"<task>\n{task[:LONGEST_TASK]}\n</task>", "<files>", *_told(made, ranking), "</files>"]
    if found:
        parts += ["<found>", *found, "</found>"]
    return "\n".join(parts)


def _told(made: Plan, ranking: Ranking) -> Iterator[str]:
    why = {file.path: file.why for file in made.files}
    for place, number in enumerate(ranking.order[:SHOWN]):
        path = ranking.evidence.file(number).path
        yield f"{path}" + (f" ({why[path]})" if why.get(path) else "")
        if place < OUTLINED:
            opened = open_file(ranking, number, ranking.evidence.index.text(path))
            shown = outlined(opened) if opened else None
            if shown:
                yield "\n".join(f"    {line}" for line in shown.text[:LONGEST_OUTLINE].split("\n")[1:-1])


def read_answer(words: str, known: Callable[[str], bool]) -> Refinement:
    """What an answer wishes; paths that are no files are passed over, and an answer that is no JSON wishes nothing."""
    found = _OBJECT.search(words)
    try:
        said = json.loads(found.group(0)) if found else {}
    except (ValueError, RecursionError):
        return Refinement()
    paths = {
        name: tuple(dict.fromkeys(path for path in _texts(said.get(name)) if known(path))) for name in ("drop", "add")
    }
    search = said.get("search")
    return Refinement(paths["drop"], paths["add"], search.strip()[:200] if isinstance(search, str) else "")


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def refine(planned: Callable[[str, Steering], tuple[Plan, Ranking]], task: str, steering: Steering, ask: Ask) -> Plan:
    """The plan after at most two questions. ``planned`` plans for words and steering. Raises what ``ask`` raises."""
    made, ranking = planned(task, steering)
    found: list[str] = []
    for left in range(ROUNDS - 1, -1, -1):
        known = ranking.evidence.index.by_path.__contains__
        wish = read_answer(ask(question(task, made, ranking, found)), known)
        asked = tuple(dict.fromkeys((*wish.add, *steering.asked)))
        declined = tuple(path for path in (*steering.declined, *wish.drop) if path not in asked)
        steering = replace(steering, asked=asked, declined=tuple(dict.fromkeys(declined)))
        made, ranking = planned(task, steering)
        if not wish.search or not left:
            break
        other = planned(wish.search, UNSTEERED)[1]
        found = [other.evidence.file(number).path for number in other.order[:SHOWN]]
    return made
