"""The settings to start or reach a server, with variables expanded."""

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
    """How to start a server, by ``command`` (argv) in ``cwd`` with exactly ``environment``, or to reach it, by ``url``
    with ``headers``. ``root`` is the folder that a started server is told to work on. ``timeout`` limits a call and
    ``start_timeout`` the start, in seconds. ``signed`` is the file of a sign-in, ``login`` a sign-in in progress.
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
    """Replace ``${NAME}`` and ``${NAME:-default}`` in a text. Raises ToolError for a variable without a value."""

    def value(match: re.Match[str]) -> str:
        setting = variable(match[1])
        if not setting and match[2] is not None:
            return match[2]
        if setting is None:
            raise ToolError(f"the variable {match[1]} is not set")
        return setting

    return _VARIABLE.sub(value, text)


def variables(texts: Iterable[str]) -> tuple[str, ...]:
    """The names of the variables in texts, each once, in order."""

    def names() -> Iterator[str]:
        for text in texts:
            yield from (match[1] for match in _VARIABLE.finditer(text))

    return tuple(dict.fromkeys(names()))
