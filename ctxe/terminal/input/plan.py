"""Asks whether to carry out a plan: shows it as Markdown; the answer sets the approval mode or says what to change."""

from __future__ import annotations

from ctxe.domain.tool import Action, Allow, Answer, Deny
from ctxe.terminal.input.prompt import Prompt
from ctxe.terminal.screen import Screen
from ctxe.terminal.style import Line, fold, line

ANSWERS = {"y": "mode:ask", "a": "mode:auto-edit"}
QUESTION = "[y]es, asking before edits [a]uto-edit [n]o, why [l]eave:"
LEFT = "the user leaves it at the plan: nothing is done now; end your turn in a sentence"


def ask_approval(action: Action, screen: Screen, prompt: Prompt) -> Answer:
    """The user's answer; the rule of a yes names the mode. No answer means leaving it. Raises KeyboardInterrupt."""
    _draw(action, screen)
    while True:
        typed = prompt.line(QUESTION, at_once="yal")
        answer = parse_answer(typed)
        if answer is not None:
            return answer
        _say(screen, line(("y or a lets it be done, n and words say what to change, l leaves it", "dim")))


def parse_answer(typed: str | None) -> Answer | None:
    """The decision in what was typed; None if it is unclear."""
    if typed is None:
        return Deny(LEFT)
    word, _, rest = typed.strip().partition(" ")
    match word.lower().rstrip(","):
        case "y" | "yes" | "a" | "auto-edit" if not rest:
            return Allow(ANSWERS[word[0].lower()])
        case "l" | "leave" if not rest:
            return Deny(LEFT)
        case "n" | "no" if rest.strip():
            return Deny(f"the user wants the plan changed: {rest.strip()}; propose it anew by `use` plan")
        case "n" | "no":
            return Deny("the user does not want this plan; ask what they want instead")
    return None


def _draw(action: Action, screen: Screen) -> None:
    """Print the plan as Markdown, or as plain text without a terminal."""
    _say(screen, (), line(("? ", "warn"), (action.title, "strong"), (" · nothing is changed yet", "dim")), ())
    if screen.terminal:
        from ctxe.terminal.markdown import render

        screen.say("\n".join(render(action.preview, screen.size()[0], screen.color, screen.unicode)) + "\n")
    else:
        _say(screen, *(line(row) for row in action.preview.splitlines()))


def _say(screen: Screen, *rows: Line) -> None:
    drawn = [screen.paint(part) for row in rows for part in fold(row, screen.size()[0])]
    (screen.say if screen.terminal else screen.tell)("\n".join(drawn))
