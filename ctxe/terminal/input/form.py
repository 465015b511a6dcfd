"""Asks the user for each field of a server's form; nothing is sent to the server before a final yes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from ctxe.domain.form import Form, FormAnswers, FormField, Value
from ctxe.domain.value import dataclass
from ctxe.terminal.calls import limit_rows
from ctxe.terminal.input.prompt import Prompt
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import Line, clean, fold, line

MOST_ROWS = 20
"""Rows of the server's message that are shown."""
PATIENCE = 5
"""Invalid answers to one field after which the form is declined."""


@dataclass(frozen=True, slots=True)
class FormAsker:
    """Asks at the terminal. ``paused`` keeps all other output off it meanwhile."""

    screen: Screen
    prompt: Prompt
    paused: Callable[[str], AbstractContextManager[None]]

    def __call__(self, form: Form) -> FormAnswers | None:
        """The user's values; None if they declined or there is no keyboard. Raises KeyboardInterrupt."""
        if not self.screen.keyboard:
            return None
        with self.paused(form.message):
            self._print(_head(form, self.screen.unicode))
            if form.url:
                return {} if self._confirmed("have you opened it, or will you? [y/n]") else None
            filled = self._ask_fields(form)
            if filled is None:
                return None
            self._print([line((f"  {name}: ", "dim"), value_text(value)) for name, value in filled.items()])
            return filled if self._confirmed(f"send this to the server {form.origin}? [y/n]") else None

    def _ask_fields(self, form: Form) -> dict[str, Value] | None:
        """The answers by field name; None if the user declines."""
        found: dict[str, Value] = {}
        for one in form.fields:
            self._print(_choices(one))
            for _ in range(PATIENCE):
                typed = self.prompt.line(f"{field_label(one)}:")
                if typed is None:
                    return None
                try:
                    value = one.parse_answer(typed)
                except ValueError as error:
                    self._print([line((f"  {error}; Ctrl-D declines", "warn"))])
                    continue
                if value is not None:
                    found[one.name] = value
                break
            else:
                return None
        return found

    def _confirmed(self, question: str) -> bool:
        return self.prompt.ask(question, ("y", "n")) == "y"

    def _print(self, rows: Sequence[Line]) -> None:
        if rows:
            columns = self.screen.size()[0]
            drawn = [self.screen.paint(part) for row in rows for part in fold(row, columns)]
            (self.screen.say if self.screen.terminal else self.screen.tell)("\n".join(drawn))


def field_label(one: FormField) -> str:
    """A field's prompt: its name, description, and the permitted answers."""
    unit = " characters" if one.kind == "text" else ""
    bounds = [f"{word} {n:g}{unit}" for word, n in (("at least", one.least), ("at most", one.most)) if n is not None]
    kind = one.kind if one.kind not in ("text", "choice") else ""
    usual = "" if one.default is None else f"empty: {value_text(one.default)}"
    facts = [kind, *bounds, usual or ("needed" if one.required else "may be empty")]
    return f"{one.name}{f', {one.description}' if one.description else ''} ({', '.join(filter(None, facts))})"


def value_text(value: Value) -> str:
    """A value for display."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return clean(", ".join(value) if isinstance(value, list) else str(value))


def _head(form: Form, unicode: bool) -> list[Line]:
    rows = [line((f"the server {form.origin} asks; what you answer goes to it, Ctrl-D declines", "accent"))]
    rows += limit_rows(
        [line(f"  {clean(row)}") for row in form.message.splitlines() if row.strip()], MOST_ROWS, unicode
    )
    if form.url:
        rows.append(line("  it wants you to open a page of ", (clean(form.host or "no known host"), "strong"), ":"))
        rows.append(line(f"  {clean(form.url)}"))
    return rows


def _choices(one: FormField) -> list[Line]:
    rows = enumerate(one.choices, start=1)
    return [line((f"  {number}. {clean(called)}", "dim")) for number, (_, called) in rows]
