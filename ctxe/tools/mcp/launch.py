"""How a server is started or reached: its settings with the user's variables filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ctxe.domain.errors import ToolError
from ctxe.domain.value import dataclass, field

if TYPE_CHECKING:
    from ctxe.tools.mcp.login import Login

_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Launch:
    """A server as it would be started: ``command`` (argv) in ``cwd`` with exactly ``environment``, or ``url`` with
    ``headers``. ``root`` is the folder that a started one is told it works on. ``timeout`` and ``start_timeout`` are
    seconds of one call, and until the tools are told. ``signed`` is the file of a sign-in, ``login`` one under way.
    """

    name: str
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path()
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 60.0
    start_timeout: float = 30.0
    root: Path | None = None
    signed: Path | None = None
    login: Login | None = field(default=None, compare=False)


def expand(text: str, variable: Callable[[str], str | None]) -> str:
    """A text with ``${NAME}`` and ``${NAME:-else}`` replaced. Raises ToolError for one that has no value."""

    def value(found: re.Match[str]) -> str:
        given = variable(found[1])
        if not given and found[2] is not None:
            return found[2]
        if given is None:
            raise ToolError(f"the variable {found[1]} is not set")
        return given

    return _VARIABLE.sub(value, text)


def variables(texts: Iterable[str]) -> tuple[str, ...]:
    """The names of the variables that texts would take, each once, in order."""

    def found() -> Iterator[str]:
        for text in texts:
            yield from (match[1] for match in _VARIABLE.finditer(text))

    return tuple(dict.fromkeys(found()))
