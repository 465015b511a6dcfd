"""Slash commands about what the model sees: budget, folds, pins, files, memory."""

from __future__ import annotations

from ctxe.cli.chat.session import ChatSession, SlashCommand, split_words
from ctxe.domain.errors import ConfigError
from ctxe.domain.events import Choice
from ctxe.domain.pattern import pattern
from ctxe.project.memory.recall import recall_text
from ctxe.project.session import asides, compaction


def context(chat: ChatSession, words: str) -> None:
    """The ledger of the newest request (--explain: by chunk), past folds, and the forecast."""
    from ctxe.terminal.pages.budget import ledger_view
    from ctxe.terminal.pages.outlook import outlook_view

    live, past = chat.live, chat.live.past()
    ledger = past.requests[-1].ledger if past.requests else live.session.state.ledger or live.ledger()
    chat.say(ledger_view(ledger, chat.screen, explain="--explain" in words, prices=live.model.prices))
    fold = live.session.state.conversation.fold
    made = fold if past.requests and not any(sent.fold == fold for sent in past.requests) else None
    if text := outlook_view(past, live.forecast(past), chat.screen, made):
        chat.say(f"\n{text}")


def budget(chat: ChatSession, words: str) -> None:
    """The ledger of the request that these words would send. Raises BudgetError."""
    from ctxe.terminal.pages.budget import ledger_view

    task = words.replace("--explain", "").strip()
    explain, prices = "--explain" in words, chat.live.model.prices
    chat.say(ledger_view(chat.live.ledger(task), chat.screen, explain=explain, prices=prices))


def compact(chat: ChatSession, words: str) -> None:
    """Fold the history now, or (--preview) show what would be folded; other words are the focus."""
    from ctxe.terminal.pages.folding import fold_view

    focus = " ".join(word for word in words.split() if word != "--preview")
    if "--preview" not in words.split():
        chat.play(compaction.compact(chat.live, focus))
        return
    planned = compaction.preview_fold(chat.live, focus)
    if planned is None:
        chat.say(compaction.nothing_to_fold(chat.live))
        return
    prices = chat.live.model.prices
    chat.say(fold_view(planned.before, planned.after, planned.did, chat.screen, prices))


def checkpoint(chat: ChatSession, words: str) -> None:
    """Have a model summarise the session so far; words are what matters most."""
    chat.play(compaction.checkpoint(chat.live, words))


def uncompact(chat: ChatSession, _words: str) -> None:
    """Take the newest fold back."""
    chat.play(compaction.uncompact(chat.live))


def recall(chat: ChatSession, words: str) -> None:
    """Show what was folded or shortened, by its handle or by words; the model does not see it."""
    if not words:
        chat.screen.tell("/recall HANDLE, or /recall WORDS to search")
        return
    found = recall_text(chat.live.project, chat.live.session.state, words) or f"there is no text for {words}"
    chat.renderer.print_lines(found.splitlines())


def todo(chat: ChatSession, _words: str) -> None:
    """Show the todo list."""
    signs = {"done": "x", "doing": ">"}
    items = [f"[{signs.get(state, ' ')}] {text}" for text, state in chat.live.session.state.todo]
    chat.renderer.print_lines(items or ["the todo list is empty"])


def add(chat: ChatSession, words: str) -> None:
    """Send files to the model with the next words."""
    _choose(chat, words, "add")


def read_only(chat: ChatSession, words: str) -> None:
    """Send files to the model for reference, not to be changed."""
    _choose(chat, words, "read-only")


def paste(chat: ChatSession, words: str) -> None:
    """Send the picture on the clipboard with these words or the next ones; report when there is none."""
    from ctxe.terminal.input.clipboard import read_picture

    try:
        copied = read_picture(chat.live.project.environment)
    except ConfigError as error:
        chat.screen.tell(f"{error.message}; {error.hint}")
        return
    chat.play(asides.paste(chat.live, copied))
    if words:
        chat.turn(words)


def web(chat: ChatSession, words: str) -> None:
    """Read a web page and send it with these words or the next ones. The host is contacted only now."""
    address, _, more = words.partition(" ")
    if not address:
        chat.screen.tell("/web ADDRESS, or /web ADDRESS WORDS; @https://… in your words does the same")
        return
    before = chat.results[-1] if chat.results else None
    with chat.renderer.working("reading the page"):
        chat.play(asides.read_page(chat.live, address, more.strip()))
    event = chat.results[-1] if chat.results and chat.results[-1] is not before else None
    if more.strip() and event and event.result.ok:
        chat.turn(more.strip())
    elif more.strip():
        chat.renderer.print_lines([f"not sent: {more.strip()}"])


def drop(chat: ChatSession, words: str) -> None:
    """Remove files from the list."""
    _choose(chat, words, "drop")


LISTED = {"add": "add", "read-only": "read-only", "drop": "dropped: out of plans until you add or name it"}


def _choose(chat: ChatSession, words: str, choice: Choice) -> None:
    for path in split_words(words):
        chat.play(asides.choose_file(chat.live, path, choice))
    files(chat, "")


def files(chat: ChatSession, _words: str) -> None:
    """Files that the user chose, and files that the session touched."""
    chosen = [f"{path}  ({LISTED[choice]})" for path, choice in chat.live.session.state.files]
    touched = [f"{touch.path}  {touch.operation}" for touch in chat.live.session.state.conversation.touched().values()]
    chat.renderer.print_lines([*chosen, *touched] or ["no files yet: @path or /add puts one before the model"])


def pin(chat: ChatSession, words: str) -> None:
    """Keep a text in every request; list the pins."""
    if words:
        chat.play(asides.pin(chat.live, words))
    pins = chat.live.session.state.pins
    chat.renderer.print_lines([f"{n}. {text}" for n, text in enumerate(pins, start=1)] or ["nothing is pinned"])


def unpin(chat: ChatSession, words: str) -> None:
    """Remove a pin, by its number or its text."""
    pins = chat.live.session.state.pins
    text = pins[int(words) - 1] if words.isdecimal() and 0 < int(words) <= len(pins) else words
    if text in pins:
        chat.play(asides.pin(chat.live, text, pinned=False))
    pin(chat, "")


_REF = pattern(r"\d+|[0-9a-f]{4,}(?:-[0-9a-f]+)?")
"""An id, a number or the beginning of a signature: such an entry is shown."""


def _own(name: str, default: str) -> SlashCommand:
    def does(chat: ChatSession, words: str) -> None:
        given = split_words(words) or [default]
        chat.command([name, *(["show"] if _REF.fullmatch(given[0]) else []), *given])

    return SlashCommand(name, "[…]", f"like `ctxe {name}`", does)


def plan(chat: ChatSession, words: str) -> None:
    """The files that a task needs, as this session plans them; the default task is the newest message."""
    from ctxe.cli import plan_options

    given = split_words(words) if words.startswith("-") else [words]
    wanted = plan_options.parse_words(given)
    if wanted is None:
        chat.command(["plan", *given])
        return
    turns = chat.live.session.state.conversation.turns
    wanted.task = wanted.task or (turns[-1].words if turns else "")
    if not wanted.task:
        chat.screen.tell("/plan WORDS, before anything is said")
        return
    plan_options.show(chat.invocation, wanted, asides.steering(chat.live, wanted.task))


def remember(chat: ChatSession, words: str) -> None:
    """Remember a note about this project. Raises StoreError."""
    if not words:
        chat.screen.tell("/remember WORDS, or #words")
        return
    chat.play(asides.remember(chat.live, words))


def skills(chat: ChatSession, words: str) -> None:
    """Every module with its price, and those loaded in this session."""
    chat.command(["skills", *(split_words(words) or ["list"])])
    held = chat.live.loaded_skills()
    chat.renderer.print_lines(
        [f"loaded in this session: {', '.join(held)}" if held else "none is loaded in this session"]
    )


def skill(chat: ChatSession, words: str) -> None:
    """Load a domain module for the next words, or send words with it at once. Raises ConfigError."""
    name, _, task = words.partition(" ")
    if not name:
        skills(chat, "")
        return
    chat.play(asides.load_skill(chat.live, name))
    if task.strip():
        chat.turn(task.strip())


COMMANDS = (
    SlashCommand(
        "context", "[--explain]", "what the last request held and why, what was folded, what comes next", context
    ),
    SlashCommand("budget", "[WORDS] [--explain]", "what the next request would hold", budget),
    SlashCommand(
        "compact", "[--preview] [FOCUS]", "fold the past into a record; words of FOCUS stay in sight", compact
    ),
    SlashCommand("checkpoint", "[FOCUS]", "have a model sum up the session; it stands beside the record", checkpoint),
    SlashCommand("uncompact", "", "undo the last fold", uncompact),
    SlashCommand("recall", "HANDLE|WORDS", "show what was folded or shortened, or search all that was said", recall),
    SlashCommand("plan", "[TASK]", "which files a task needs", plan),
    SlashCommand("todo", "", "the list of things to do", todo),
    SlashCommand("add", "FILE…", "show the model files with your next message", add),
    SlashCommand("read-only", "FILE…", "the same, for reference only", read_only),
    SlashCommand("paste", "[WORDS]", "show the picture on the clipboard with these words or your next message", paste),
    SlashCommand(
        "web", "ADDRESS [WORDS]", "read a web page with these words or your next message (also @https://…)", web
    ),
    SlashCommand("drop", "FILE…", "remove files from the list", drop),
    SlashCommand("ls", "", "files you chose and files touched", files),
    SlashCommand("pin", "[TEXT]", "keep a text in every request", pin),
    SlashCommand("unpin", "N|TEXT", "remove a pin", unpin),
    SlashCommand("remember", "TEXT", "remember a note about this project", remember),
    SlashCommand("skill", "NAME [WORDS]", "load a domain module for your next message", skill),
    SlashCommand("skills", "[…]", "like `ctxe skills`, and what is loaded", skills),
    _own("memory", "show"),
    _own("decisions", "list"),
    _own("failures", "list"),
    _own("sessions", "list"),
)
