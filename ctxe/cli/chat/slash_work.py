"""Slash commands about the work tree: running commands, diffs, undo, commits."""

from __future__ import annotations

from ctxe.cli.chat.session import ChatSession, SlashCommand
from ctxe.project.session import asides, commits
from ctxe.terminal.figures import plural


def run(chat: ChatSession, words: str) -> None:
    """Run a command; the model gets its output with the user's next words.

    An interactive program (an editor), or any command after a second exclamation mark, gets the terminal.
    """
    from ctxe.terminal.input.handover import is_interactive

    command = words.removeprefix("!").strip()
    if not command:
        chat.screen.tell("/run COMMAND, or !command; !!command gives it the terminal")
    elif chat.screen.live and chat.screen.keyboard and (command != words or is_interactive(command)):
        _lend(chat, command)
    else:
        chat.play(asides.run_for_user(chat.live, command))


def _lend(chat: ChatSession, command: str) -> None:
    """Give a program the terminal until it ends; the model sees no output, but files it changed are noticed."""
    from ctxe.terminal.input.handover import run_on_terminal, shell_argv

    project = chat.live.project
    try:
        with chat.renderer.paused():
            code = run_on_terminal(
                chat.screen, shell_argv(command, project.root), str(project.root), project.environment
            )
    except OSError as error:
        chat.screen.tell(f"{command} cannot be started: {error.strerror}")
        return
    chat.renderer.print_lines([f"{command}: exit {code}; none of it goes to the model"])


def test(chat: ChatSession, words: str) -> None:
    """Run the tests (the words, or the last command again); the model gets a failure with the next words."""
    chat.last_test = words or chat.last_test
    if not chat.last_test:
        chat.screen.tell("/test COMMAND once, then /test alone repeats it")
        return
    chat.play(asides.run_for_user(chat.live, chat.last_test))


def output(chat: ChatSession, words: str) -> None:
    """The whole output of the newest call, or the Nth newest, when screen and model had only a part."""
    number = int(words) if words.isdecimal() else 1
    if not 0 < number <= len(chat.results) or (words and not words.isdecimal()):
        held = plural(len(chat.results), "call") + " since this session was opened" if chat.results else "no call yet"
        chat.screen.tell(f"/output, or /output N for the Nth newest: {held}")
        return
    event = chat.results[-number]
    text = event.full or event.result.text
    lines = text.rstrip("\n").split("\n")
    chat.renderer.print_lines([*lines, f"{event.title or event.tool}: {plural(len(lines), 'line')}"])


def diff(chat: ChatSession, _words: str) -> None:
    """What this session changed in the work tree."""
    text = chat.live.undo.diff()
    if text:
        chat.renderer.print_diff(text)
    else:
        chat.say("nothing changed in this session")


def undo(chat: ChatSession, words: str) -> None:
    """Restore the files from before the newest turn that changed any; --force overwrites the user's later changes."""
    chat.renderer.print_lines(chat.live.undo.undo(force=words == "--force"))
    chat.play(chat.live.discredit_undone_turn())


def redo(chat: ChatSession, words: str) -> None:
    """Undo the newest /undo, one at a time; --force overwrites the user's later changes."""
    chat.renderer.print_lines(chat.live.undo.redo(force=words == "--force"))


def commit(chat: ChatSession, words: str) -> None:
    """Commit what this session changed, after showing the message. Raises CtxeError."""
    message = words or commits.message_for(chat.live)
    if not message:
        chat.say("nothing to commit")
        return
    answer = _about(chat, message)
    while answer == "w":
        try:
            with chat.renderer.working("writing the message"):
                message = commits.write_message(chat.live)
        finally:
            chat.play(chat.live.log_purchases())
        answer = _about(chat, message)
    if answer == "e":
        message = chat.prompt.edit(message)
        answer = "y" if message.strip() else "n"
    chat.renderer.print_lines(commits.commit(chat.live, message) if answer == "y" else ["not committed"])


def _about(chat: ChatSession, message: str) -> str:
    chat.renderer.print_lines(["commit message:", *message.splitlines()])
    return chat.prompt.ask("commit? [y]es, [e]dit, have the model [w]rite it, [n]o:", ("y", "e", "w", "n"))


def jobs(chat: ChatSession, words: str) -> None:
    """List background commands; ``show`` what one printed last, ``stop`` one or all.

    Raises ConfigError.
    """
    verb, _, number = words.partition(" ")
    if verb == "show":
        chat.renderer.print_lines(asides.show_job(chat.live, number.strip()))
    elif verb == "stop":
        chat.renderer.print_lines(asides.stop_jobs(chat.live, number.strip()))
    elif words:
        chat.screen.tell("/jobs, /jobs show NUMBER, /jobs stop NUMBER (or all)")
    else:
        _list_jobs(chat)


def _list_jobs(chat: ChatSession) -> None:
    from ctxe.terminal.figures import plural, seconds
    from ctxe.terminal.tables import Column, table

    rows = [
        [str(job.number), job.state, seconds(job.running.seconds), plural(job.running.lines, "line"), job.line]
        for job in chat.live.kit.jobs.by_number.values()
    ]
    if rows:
        chat.say(table(["job", "state", "for", "printed", Column("command", wraps=True)], rows, chat.screen))
    else:
        chat.say("no jobs; `!command &` starts one, and so may the model")


COMMANDS = (
    SlashCommand("run", "COMMAND", "run a command yourself (also !command)", run),
    SlashCommand("test", "[COMMAND]", "run the tests; a failure goes with your next message", test),
    SlashCommand("jobs", "[show|stop NUMBER]", "commands running in the background", jobs),
    SlashCommand("output", "[N]", "the full output of the last call, or the Nth last (also Ctrl-O)", output),
    SlashCommand("diff", "", "what this session changed", diff),
    SlashCommand("undo", "[--force]", "restore files to before the last turn", undo),
    SlashCommand("redo", "[--force]", "redo what the last undo took back", redo),
    SlashCommand("commit", "[MESSAGE]", "commit what this session changed, after asking", commit),
)
