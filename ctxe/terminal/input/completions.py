"""What the input line completes. Imports no prompt-toolkit: an input line is made before it is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctxe.domain.value import dataclass


@dataclass(frozen=True, slots=True)
class Completions:
    """``commands`` gives name and help of each command; ``files`` the paths for the text after @, best first.

    ``arguments`` gives the values for a command's name and the word begun.
    """

    commands: Callable[[], Sequence[tuple[str, str]]] = tuple
    files: Callable[[str], Sequence[str]] = lambda _: ()
    arguments: Callable[[str, str], Sequence[str]] = lambda *_: ()


NO_COMPLETIONS = Completions()
