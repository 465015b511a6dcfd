"""Slash commands about the session: leaving, starting over, resuming, models, modes, cost."""

from __future__ import annotations

from typing import get_args

from ctxe.cli.chat.session import ChatSession, SlashCommand, split_words
from ctxe.config.values import Approval
from ctxe.project.session import model_switch
from ctxe.project.sessions import spent_by_all
from ctxe.terminal.figures import plural


def leave(chat: ChatSession, _words: str) -> None:
    """End the session; its log stays."""
    chat.leaving = True


def clear(chat: ChatSession, _words: str) -> None:
    """Clear the screen and start a new session."""
    chat.renderer.clear()
    chat.reopen("new", "")


def new(chat: ChatSession, _words: str) -> None:
    """Start a new session; this one can be resumed."""
    chat.reopen("new", "")


def resume(chat: ChatSession, words: str) -> None:
    """Go on with another session; without an id, pick one from a list. Raises SessionError."""
    from ctxe.cli.sessions import pick_session
    from ctxe.project.sessions import path_of

    if not words and chat.prompt.full:
        words = pick_session(chat.live.project, chat.prompt, excluded=chat.live.session.id) or ""
        if not words:
            return
    if not words:
        chat.command(["sessions", "list"])
        chat.screen.tell("/resume ID goes on with one; its beginning is enough")
        return
    chat.reopen("resume", path_of(chat.live.project.place.sessions, words).stem)


def fork(chat: ChatSession, _words: str) -> None:
    """Go on in a copy; the original stays as it is."""
    chat.reopen("fork", chat.live.session.id)


def rewind(chat: ChatSession, words: str) -> None:
    """Go back, in a copy, to before an earlier message: it returns to the input line, and files are restored if wanted.

    The newest message, the Nth newest, or one picked from a list. Raises StoreError.
    """
    turns = chat.live.session.state.conversation.turns
    if not turns or (words and not (words.isdecimal() and 0 < int(words) <= len(turns))):
        chat.screen.tell(f"/rewind, or /rewind N for the Nth newest words: {plural(len(turns), 'turn')} so far")
        return
    back = int(words) if words else 1
    if not words and chat.prompt.full:
        rows = [(str(n), " ".join(turn.words.split())) for n, turn in enumerate(reversed(turns), start=1)]
        picked = chat.prompt.pick("go back to before which words?", rows)
        if picked is None:
            return
        back = int(picked)
    number = len(turns) - back + 1
    if chat.live.undo.newest_turn() >= number and chat.prompt.ask("put files back, too? [y/n]", ("y", "n")) == "y":
        _put_back(chat, number)
    chat.rewind_to = (number, turns[number - 1].words)
    if not chat.prompt.full:  # there is no input line to put them in
        chat.renderer.print_lines(["taken back:", *turns[number - 1].words.splitlines()])
    chat.reopen("fork", chat.live.session.id)


def _put_back(chat: ChatSession, number: int) -> None:
    """Undo the file changes of a turn and of all later ones, as far as possible."""
    chat.live.undo.undone = number
    while chat.live.undo.undone and chat.live.undo.newest_turn() >= number:
        chat.renderer.print_lines(chat.live.undo.undo())
        chat.play(chat.live.discredit_undone_turn())


def export(chat: ChatSession, words: str) -> None:
    """Print this session as Markdown, or write it to a file."""
    if not chat.live.session.log.count:
        chat.screen.tell("nothing was said yet")
        return
    chat.command(["sessions", "export", chat.live.session.id, *(["--out", words] if words else [])])


def copy(chat: ChatSession, words: str) -> None:
    """Put the newest answer, or only its last code block, on the clipboard. Raises ConfigError."""
    from ctxe.terminal.input.clipboard import copy_text
    from ctxe.terminal.markdown import code

    answers = (turn.answer for turn in reversed(chat.live.session.state.conversation.turns))
    answer = next((text for text in answers if text.strip()), "")
    text = "".join(code(answer)[-1:]) if words == "code" else "" if words else answer
    if not text:
        why = "there is no answer to copy" if not answer else "the newest answer holds no code"
        chat.screen.tell(f"/copy, or /copy code for its last block: {why}" if words in ("", "code") else "/copy [code]")
        return
    taken = copy_text(text, chat.live.project.environment, chat.screen)
    part = "the last block of code" if words else "the newest answer"
    chat.say(f"copied {part} ({plural(len(text.splitlines()), 'line')}) to the clipboard, by {taken}")


def inspect(chat: ChatSession, words: str) -> None:
    """Write this session as an HTML page; --open shows it in the browser. Raises StoreError."""
    if not chat.live.session.log.count:
        chat.screen.tell("nothing was said yet")
        return
    chat.command(["sessions", "inspect", chat.live.session.id, *split_words(words)])


def model(chat: ChatSession, words: str) -> None:
    """Show the model, or switch to another one, with an effort if given. Raises ConfigError."""
    if words:
        name, _, level = words.partition(" ")
        chat.play(model_switch.switch(chat.live, name, level.strip()))
    current = chat.live.model
    thinks = f", effort {current.effort}" if current.effort else ""
    chat.say(f"{current.id}: window {current.window:,} tokens, replies up to {current.max_output:,}{thinks}")
    if not words:
        chat.renderer.print_lines(["/model NAME [EFFORT] talks to another one; Tab completes the names that are known"])


def effort(chat: ChatSession, words: str) -> None:
    """Show how hard the model thinks, or change it. Raises ConfigError."""
    if words:
        chat.play(model_switch.think(chat.live, words))
    current = chat.live.model
    chat.say(f"{current.id}: effort {current.effort or 'as its provider has it'}")
    if not words and current.reasoning:
        takes = ", ".join(current.efforts) or "what its provider knows"
        chat.renderer.print_lines([f"/effort LEVEL changes it: {takes}; default leaves it to the provider"])


def approve(chat: ChatSession, words: str) -> None:
    """Show or set the approval mode of this session. Raises ConfigError."""
    if words == "auto" and not _confirmed(chat):
        return
    if words:
        chat.live.permit.switch(words)
    chat.say(f"approval: {chat.live.permit.description()}")
    if not words:
        others = "|".join(mode for mode in get_args(Approval) if mode != chat.live.permit.mode)
        chat.renderer.print_lines(
            [f"/approve {others} changes it for this session; Shift-Tab goes through all but auto"]
        )


def _confirmed(chat: ChatSession) -> bool:
    """True when the folder is trusted; asks once, as on the command line."""
    project = chat.live.project
    if project.trusted or not chat.screen.keyboard:
        return project.trusted
    chat.say(f"approval auto: the model edits files and runs commands in {project.root} without asking")
    yes = chat.prompt.ask("trust this folder? [y/n]", ("y", "n")) == "y"
    if yes:
        project.trust()
    return yes


def cost(chat: ChatSession, _words: str) -> None:
    """The cost of this session, of its next request, and of all sessions in this project."""
    from ctxe.terminal.pages.money import money_view

    past, project = chat.live.past(), chat.live.project
    limit = project.config.budget.max_cost
    chat.say(money_view(past, chat.live.forecast(past), limit, spent_by_all(project), chat.screen))


def config(chat: ChatSession, words: str) -> None:
    """Show all settings, or one."""
    chat.command(["config", *(["get", words] if words else ["show"])])


COMMANDS = (
    SlashCommand("exit", "", "leave; the session can be resumed", leave),
    SlashCommand("new", "", "start a new session", new),
    SlashCommand("clear", "", "clear the screen and start a new session", clear),
    SlashCommand("resume", "[ID]", "resume an earlier session", resume),
    SlashCommand("fork", "", "continue in a copy of this session", fork),
    SlashCommand("rewind", "[N]", "go back to an earlier message of yours, in a copy (also Esc Esc)", rewind),
    SlashCommand("export", "[FILE]", "this session as Markdown", export),
    SlashCommand("copy", "[code]", "copy the last answer, or its last code block", copy),
    SlashCommand(
        "inspect",
        "[--open] [--out FILE]",
        "this session as a page: every request over time, its text, its cost",
        inspect,
    ),
    SlashCommand("model", "[NAME [EFFORT]]", "show or change the model", model),
    SlashCommand(
        "effort", "[LEVEL]", "show or change how hard it thinks: low, medium or high, if the model can", effort
    ),
    SlashCommand("approve", "[MODE]", "who decides what runs: ask, auto-edit, auto, read-only", approve),
    SlashCommand("cost", "", "cost of this session, of its next request, of this project", cost),
    SlashCommand("config", "[KEY]", "settings", config),
)
