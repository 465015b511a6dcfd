"""Passing values to commands without validation when they already have the right type."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


def with_lean_parsing(command: Any) -> Any:
    """The command and its subcommands, parsing only the values that need it; the accepted values stay the same.

    Typer validates every value with pydantic, even defaults and plain strings, and importing it takes as long as a
    short command. No setting prevents that. Versions of Typer without pydantic never read these attributes.
    """
    for parameter in command.params:
        _direct(parameter)
    make_help_option = command.get_help_option  # creates an option, whose value is validated too
    command.get_help_option = lambda context: _direct(make_help_option(context))
    for inner in getattr(command, "commands", {}).values():
        with_lean_parsing(inner)
    return command


def _direct(parameter: Any) -> Any:
    """The parameter with a lazy reader in place of the one that Typer creates at the first value."""
    descriptor = getattr(parameter, "type_descriptor", None)
    if descriptor is not None:
        parameter._runtime_param = _LateReader(descriptor.annotation, descriptor.choices or ())
    return parameter


class _LateReader:
    """Replaces Typer's reader of a parameter until a value needs validation."""

    def __init__(self, kind: Any, choices: Collection[Any]) -> None:
        self._kind, self._choices = kind, choices

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value for the command. Raises Typer's errors for an invalid one."""
        is_multiple = param.multiple or param.nargs == -1
        if value is None:
            return () if is_multiple else None
        if self._kind == list[str] and is_multiple and not isinstance(value, str):
            return [str(item) for item in value]
        if value in self._choices or (isinstance(self._kind, type) and type(value) is self._kind):
            return value
        param._runtime_param = None
        return param.get_runtime_param().coerce(value, param=param, ctx=ctx)
