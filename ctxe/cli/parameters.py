"""What is typed for an option goes to its command as it is where it is of the right kind already."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


def direct(command: Any) -> Any:
    """The command with all below it, taking the same values: words that need no reading are not read.

    Typer has every value read by pydantic, a default and a plain string too, and its import is as long as a short
    command. There is no setting for that. Versions of Typer that do without never look at what is set here.
    """
    for parameter in command.params:
        _direct(parameter)
    asked = command.get_help_option  # it makes an option of its own, with a value like any other's
    command.get_help_option = lambda context: _direct(asked(context))
    for inner in getattr(command, "commands", {}).values():
        direct(inner)
    return command


def _direct(parameter: Any) -> Any:
    """The parameter, with a reader of ours where Typer would make its own at the first value."""
    known = getattr(parameter, "type_descriptor", None)
    if known is not None:
        parameter._runtime_param = _LateReader(known.annotation, known.choices or ())
    return parameter


class _LateReader:
    """Stands where Typer keeps what reads a parameter's values, until one comes that has to be read."""

    def __init__(self, kind: Any, choices: Collection[Any]) -> None:
        self._kind, self._choices = kind, choices

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value for the command. Raises what Typer raises for a bad one."""
        many = param.multiple or param.nargs == -1
        if value is None:
            return () if many else None
        if self._kind == list[str] and many and not isinstance(value, str):
            return [str(one) for one in value]
        if value in self._choices or (isinstance(self._kind, type) and type(value) is self._kind):
            return value
        param._runtime_param = None
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)
