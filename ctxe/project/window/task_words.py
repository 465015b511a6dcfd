"""Whether words say enough to plan files by: most words in a conversation are about the conversation itself."""

from __future__ import annotations

from functools import cache

from ctxe.domain.picture import has_picture_name

FEWEST = 2
"""Fewest telling words that are enough to plan by."""
SAYINGS = """
    ahead back continue evening fine go good great happy hello hey hi hmm keep leave look morning much next nice ok okay
    perfect plan please proceed remain rest right sound step sure thanks try welcome work yes agree disagree
    add apply check choose clean commit complete describe do explain finish fix implement list make pass pick push redo
    remove rename repeat restore revert run simplify split stick test tidy undo use verify write
    anything everything nothing something somehow else another one two three thing stuff lot bit part kind both way
    again already yet still instead rather even quite since really actually exactly maybe perhaps probably possible
    first second third last latest previous later yesterday today tomorrow moment minute time
    better best worse bad wrong correct true real necessary clear clearer simple simpler short shorter shorten long
    longer fast faster quick quicker slow slower easy easier small smaller big bigger large little cleaner safer same
    similar different difference old new
    answer ask believe decide decision detail discuss double example forget guess hint idea know mean mind miss mistake
    opinion problem propose question reason recap recommend remember result say sense suggest summarise summary talk
    tell think thought understand wonder word care careful fail happen
    approach begin behavior behaviour cancel change code comment diff done end file get give help let line need put see
    show start stop take wait want
"""
"""Words to greet, thank, go on, ask about what was said or finish the work at hand: alone they point to no file. Of
85,112 commit subjects, 246 consist of them ("fix wording", "better test").
"""


def without_pictures(words: str) -> str:
    """Words without the names of pictures: what is to be done with a picture does not tell which files are needed."""
    kept = (word for word in words.split(" ") if not (word[:1] == "@" and has_picture_name(word.rstrip(".,;:!?)"))))
    return " ".join(kept)


def without_paths(words: str) -> str:
    """Words without the paths among them."""
    from ctxe.lexical.symbols import symbols_in

    return " ".join(word for word in words.split() if not (("." in word or "/" in word) and symbols_in(word).paths))


def says_enough(words: str) -> bool:
    """Do the words say enough to plan by? A greeting or go-ahead does not, a question about the whole project does."""
    from ctxe.lexical.words import terms
    from ctxe.repo.planning.overview import about

    stems = set(terms(words))
    return (len(stems) >= FEWEST and not stems <= _stems()) or bool(about(words))


@cache
def _stems() -> frozenset[str]:
    from ctxe.lexical.words import terms

    return frozenset(terms(SAYINGS))
