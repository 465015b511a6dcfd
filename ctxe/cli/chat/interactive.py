"""Runs sessions at the keyboard until the user leaves, each followed by what /new, /resume or /fork asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctxe.cli.chat.session import ChatSession
from ctxe.domain.conversation import Reply, Turn
from ctxe.domain.errors import SessionError
from ctxe.domain.events import ReplyReceived, TurnFinished
from ctxe.domain.value import dataclass, replace

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.project.session.live import Live
    from ctxe.project.session_options import Opening
    from ctxe.terminal.input.prompt import Prompt
    from ctxe.terminal.render import Renderer
    from ctxe.terminal.screen import Screen


FIRST = "type /help for the commands, @ for files, !cmd to run one; Ctrl-D leaves"
"""Shown until the user has entered a line for the first time."""
CONNECT = "set ANTHROPIC_API_KEY or OPENAI_API_KEY, or start ctxe --model ollama/NAME"


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How a session ended: the exit code, its id, and the next one as (new|resume|fork, id), or None.

    ``model``, ``effort`` and ``mode`` are those in use at the end; ``rewind_to`` is as for ChatSession.
    """

    code: int
    session: str
    next_session: tuple[str, str] | None
    model: str
    effort: str
    mode: str
    rewind_to: tuple[int, str] = (0, "")


def run(project: Project, opening: Opening, words: str, screen: Screen) -> int:
    """Run sessions until the user leaves; returns the exit code of the process. Every session is closed properly."""
    from ctxe.cli.offer import ask_window, offer_local
    from ctxe.terminal.input.interrupt import handling_interrupts
    from ctxe.terminal.render import Renderer

    with handling_interrupts(screen), Renderer(screen, listens=True) as renderer:
        renderer.bell.seconds = project.config.screen.bell
        with renderer.paused():
            if offer_local(project, screen) or ask_window(project, screen):
                project = project.again()
            opening = replace(opening, mode=_confirmed(project, screen))
        ended = _run_session(project, opening, words, screen, renderer)
        while ended.next_session is not None:
            project, opening = _carry_over(project, opening, ended)
            ended = _go_on(project, opening, ended, ended.next_session, screen, renderer)
        return ended.code


def _carry_over(project: Project, opening: Opening, ended: SessionEnd) -> tuple[Project, Opening]:
    """Carry over the model and the mode that the user chose to the next session."""
    if (ended.model, ended.effort) != (project.model.id, project.model.effort):
        other = ended.model != project.model.id
        project = project.again(ended.model if other else "", ended.effort)
    return project, replace(opening, mode=ended.mode)


def _go_on(
    project: Project, opening: Opening, before: SessionEnd, wanted: tuple[str, str], screen: Screen, renderer: Renderer
) -> SessionEnd:
    """Run the next session; return to the one before if it cannot be opened."""
    from ctxe.cli.errors import print_error

    turn, begun = before.rewind_to
    try:
        return _run_session(project, replace(_opened_as(opening, *wanted), before=turn), "", screen, renderer, begun)
    except SessionError as error:
        print_error(error.message, error.hint)
        logged = (project.place.sessions / f"{before.session}.jsonl").exists()
        back = _opened_as(opening, "resume" if logged else "new", before.session)
        return _run_session(project, back, "", screen, renderer)


def _opened_as(opening: Opening, kind: str, session: str) -> Opening:
    resume = "" if kind == "new" else session
    return replace(opening, resume=resume, newest=False, fork=kind == "fork", files=())


def _confirmed(project: Project, screen: Screen) -> str:
    """The mode "ask" when the user does not confirm ``auto`` (once per folder); empty: as in the settings."""
    if project.config.approval.mode != "auto" or project.trusted or not screen.keyboard:
        return ""
    from ctxe.terminal.input.prompt import Prompt

    screen.say(f"approval auto: the model edits files and runs commands in {project.root} without asking")
    if Prompt(screen).ask("trust this folder? [y/n]", ("y", "n")) == "y":
        project.trust()
        return ""
    return "ask"


def _run_session(
    project: Project, opening: Opening, words: str, screen: Screen, renderer: Renderer, begun: str = ""
) -> SessionEnd:
    """Run one session until the user leaves it, with ``begun`` in the input line.

    Raises ConfigError, SessionError, StoreError.
    """
    from ctxe.cli.chat import repl
    from ctxe.project.memory import inbox
    from ctxe.project.session.opening import open_session
    from ctxe.project.session.status_lines import going
    from ctxe.terminal.input.ask import Asker
    from ctxe.terminal.input.form import FormAsker
    from ctxe.terminal.input.prompt import Prompt

    prompt = Prompt(
        screen,
        history=project.place.user / "history",
        editor=project.editor,
        vi=project.config.screen.keys == "vi",
    )
    asker = Asker(screen, project.root, prompt, renderer.paused)
    with open_session(project, opening, asker) as live:
        chat = ChatSession(live, screen, renderer, prompt, input_text=begun)
        prompt.toolbar, prompt.cycle = chat.toolbar, chat.cycle
        _add_completions(prompt, live)
        live.kit.servers.asks = FormAsker(screen, prompt, renderer.paused)
        asker.edits = lambda: (lambda: live.permit.switch("auto-edit")) if live.permit.mode == "ask" else None
        renderer.bind_keys(chat.cycle, lambda: " · ".join([live.permit.mode, *going(live)]), live.kit.jobs.request_move)
        live.warm_up()
        print_greeting(chat)
        code, model = repl.run(chat, words), live.model
    if live.proposed and not chat.next_session:
        renderer.print_lines([inbox.inbox_notice(project)])
    return SessionEnd(
        code, live.session.id, chat.next_session, model.id, model.effort, live.permit.mode, chat.rewind_to
    )


def _add_completions(prompt: Prompt, live: Live) -> None:
    """Add what servers offer to the completions, as known at the time of typing."""
    from ctxe.cli.chat import slash, slash_completion, slash_servers
    from ctxe.project.planning.completion import paths
    from ctxe.terminal.input.completions import Completions

    project = live.project
    own = slash.completions(project)
    prompt.completions = Completions(
        lambda: [*own, *((name, says) for name, says in slash_servers.prompts(live))],
        lambda begun: [*slash_servers.mentions(live, begun), *paths(project, begun)],
        lambda name, begun: (
            slash_servers.complete_argument(live, name, begun) or slash_completion.arguments(project, name, begun)
        ),
    )


def print_greeting(chat: ChatSession) -> None:
    """Show folder and model, and what the user should know before the first message."""
    from ctxe.project.memory import inbox
    from ctxe.project.session.status_lines import banner, rules
    from ctxe.terminal.figures import plural

    live = chat.live
    hints = [CONNECT] if live.model.provider == "offline" else []
    if chat.screen.keyboard and live.project.config.memory.enabled:
        hints += filter(None, [inbox.inbox_notice(live.project)])
    if chat.screen.keyboard and not (live.project.place.user / "history").exists():
        hints.append(FIRST)
    chat.renderer.print_lines([banner(live), *(rules(live) if chat.screen.keyboard else ()), *live.notices, *hints])
    if turns := live.session.state.conversation.turns:
        chat.renderer.print_lines([f"continuing session {live.session.id}; {plural(len(turns), 'turn')} so far"])
        _show_last_turn(chat, turns[-1])


def _show_last_turn(chat: ChatSession, turn: Turn) -> None:
    """Show the last message and answer of a resumed session on a live screen."""
    if not chat.screen.live:
        return
    chat.renderer.show_words(turn.words)
    said = next((step.reply.text for step in reversed(turn.steps) if step.reply.text.strip()), "")
    if said:
        chat.renderer.show(ReplyReceived(Reply(said)))
    chat.renderer.show(TurnFinished(turn.outcome or "interrupted"))
