"""The table of slash commands: name, arguments, one line of help, and the function that runs it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ctxe.cli.chat import slash_context, slash_servers, slash_session, slash_work
from ctxe.cli.chat.session import ChatSession, SlashCommand
from ctxe.cli.elsewhere import ADVICE, SLASH
from ctxe.domain.errors import ConfigError
from ctxe.domain.suggestion import nearest_name
from ctxe.project.skills.finder import usable
from ctxe.project.skills.templates import template, templates

if TYPE_CHECKING:
    from ctxe.project import Project


def slash_commands() -> dict[str, SlashCommand]:
    """Every command by name, in the order of the help."""
    every = (
        SlashCommand("help", "[WORD]", "every command, or those that mention a word", help_),
        *slash_session.COMMANDS,
        *slash_context.COMMANDS,
        *slash_work.COMMANDS,
        *slash_servers.COMMANDS,
    )
    return {command.name: command for command in every}


def is_command(line: str) -> bool:
    """True when the line names a command; a path like /etc/hosts at its beginning does not."""
    name = line[1:].split(maxsplit=1)[0] if line[1:].strip() else ""
    return bool(name) and "/" not in name


def run(chat: ChatSession, line: str) -> None:
    """Run the command, prompt template or domain module that a line names; else suggest the nearest name.

    Raises CtxeError.
    """
    from ctxe.terminal.figures import plural

    name, words = split_line(line)
    project = chat.live.project
    if command := slash_commands().get(name):
        _do(chat, command, words)
    elif chat.live.server_requests.is_prompt(name):
        slash_servers.prompt(chat, name, words)
    elif prompt := template(project, name, slash_commands()):
        lines = plural(len(prompt.text.strip().splitlines()), "line")
        chat.renderer.print_lines([f"/{name} says {lines} of {prompt.where}", *prompt.notices])
        chat.turn(prompt.filled(words), own=words)
    elif name in usable(project):
        slash_context.skill(chat, f"{name} {words}")
    elif command := _alias(name, project):
        _do(chat, command, words)
    else:
        chat.renderer.print_lines([f"no command /{name}{_nearest(name, project)}"])


def _do(chat: ChatSession, command: SlashCommand, words: str) -> None:
    """Run a command, except with words that it would ignore: `/clear the table` is not meant to clear.

    Raises CtxeError.
    """
    options = re.findall(r"\[(--\w+)", command.arguments)
    if words and words not in options:
        odd = words.split(maxsplit=1)[0]
        if not re.sub(r"\[--\w+\]", "", command.arguments).strip():
            hint = f"/{command.name} {command.arguments}".rstrip() + f": {command.help}"
            raise ConfigError(f"/{command.name} takes {' or '.join(options) or 'no words'}, so nothing was done", hint)
        if options and odd.startswith("--") and odd not in options:
            raise ConfigError(f"/{command.name} knows no {odd}, so nothing was done", f"it takes {command.arguments}")
    command.run(chat, words)


def split_line(line: str) -> tuple[str, str]:
    """The name after the slash, and the words after it, which may begin on another line."""
    name, *rest = line[1:].split(maxsplit=1)
    return name, rest[0].strip() if rest else ""


def expand_template(project: Project, words: str) -> tuple[str, tuple[str, ...]]:
    """The words of a one-shot, with a prompt template filled in, and notices about it."""
    line = words.strip()
    if not (line.startswith("/") and is_command(line)):
        return words, ()
    name, rest = split_line(line)
    prompt = template(project, name, slash_commands())
    return (prompt.filled(rest), prompt.notices) if prompt else (words, ())


def completions(project: Project) -> list[tuple[str, str]]:
    """(name with slash, help) of every command and prompt template, for completion."""
    own = [(f"/{command.name}", command.help) for command in slash_commands().values()]
    prompts = [one for one in templates(project, slash_commands()) if not one.problem]
    return own + [(f"/{one.name}", f"{one.says} {one.takes}".strip()) for one in prompts]


def _all_names(project: Project) -> list[str]:
    """Every name that may follow a slash."""
    return [*slash_commands(), *(one.name for one in templates(project, slash_commands())), *usable(project)]


def _alias(name: str, project: Project) -> SlashCommand | None:
    """The command of this name in other tools, or the only one that begins with it."""
    if name in SLASH:
        return slash_commands()[SLASH[name]]
    found = [full for full in _all_names(project) if full.startswith(name)]
    return slash_commands().get(found[0]) if len(found) == 1 else None


def _nearest(name: str, project: Project) -> str:
    """A suggestion: what does it here, all names that begin with ``name``, or the most similar one."""
    if name in ADVICE:
        return f": {ADVICE[name]}"
    begin = sorted(f"/{full}" for full in _all_names(project) if full.startswith(name))
    close = nearest_name(name, _all_names(project))
    meant = f"{', '.join(begin[:-1])} or {begin[-1]}" if begin else f"/{close}" if close else ""
    return (f"; did you mean {meant}?" if meant else "") + "; /help lists them"


def help_(chat: ChatSession, words: str) -> None:
    """Every command, and the signs that a line may begin with; with a word, only the rows that contain it."""
    from ctxe.terminal.tables import Column
    from ctxe.terminal.tables import table as draw

    rows = [[f"/{c.name} {c.arguments}".rstrip(), c.help] for c in slash_commands().values()]
    for one in templates(chat.live.project, slash_commands()):
        says = f"{one.where}: {one.problem}" if one.problem else f"{one.says} ({one.where})"
        rows.append([f"/{one.name} {one.takes}".rstrip(), says])
    rows += slash_servers.prompts(chat.live)
    rows += [
        ["@path", "show the model a file; @SERVER:URI a resource of a server"],
        ["!command", "run a command; its output goes with your next message"],
        ["!command &", "the same in the background; /jobs shows and stops it"],
        ["!!command", "run it in the terminal itself, as editors and shells always are; the model is told nothing"],
    ]
    rows += [["#note", "remember a note"], ["Esc", "stop the model; queued words are sent"]]
    rows += [["Esc Esc", "on an empty line: go back to an earlier message of yours"]]
    rows += [["Ctrl-C", "stop the model; queued words come back into the line; twice leaves"]]
    rows += [
        ["Ctrl-B", "move the running command to the background"],
        ["Ctrl-O", "the full output of the last call"],
    ]
    wanted = words.removeprefix("/").lower()
    rows = [row for row in rows if wanted in " ".join(row).lower()]
    if not rows:
        chat.say(f"no command mentions {wanted}; /help alone lists them all")
        return
    chat.say(draw([Column("command", wraps=True), Column("what it does", wraps=True)], rows, chat.screen))
