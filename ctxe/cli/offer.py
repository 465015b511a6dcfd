"""Asking the user about models: whether to use a server found on this machine, and the window of an unknown model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.terminal.screen import Screen


def offer_local(project: Project, screen: Screen) -> bool:
    """Ask whether to use a server that was found, and save a yes in the user's settings; True for a yes.

    Asks nothing when a model is configured or a key is set. Raises ConfigError or StoreError.
    """
    from ctxe.config import save_setting, user_file
    from ctxe.project.models import OFFLINE, choice, local_servers
    from ctxe.terminal.input.prompt import Prompt

    if not screen.keyboard or choice(project).name != OFFLINE:
        return False
    for server in local_servers():
        if not server.models:
            continue
        served = server.models[0]
        name = f"{server.provider}/{served.name}"
        if Prompt(screen).ask(f"{server.url} serves {name}. Use it from now on? [y/n]", ("y", "n")) == "y":
            file = user_file(project.environment)
            save_setting(file, ("model", "name"), name)
            if served.window:
                save_setting(file, ("models", name, "window"), served.window)
            screen.say(f"kept in {file}")
            return True
    return False


def ask_window(project: Project, screen: Screen) -> bool:
    """Ask for the window of a model that the catalog does not know, and save it; True when it was given.

    Raises UnknownModel when nobody answers; also ConfigError, StoreError.
    """
    from ctxe.config import save_setting, user_file
    from ctxe.domain.errors import UnknownModel
    from ctxe.terminal.input.prompt import Prompt

    try:
        _ = project.model
    except UnknownModel as error:
        question, tokens = f"{error.message}. Its window in tokens?", 0
        while not tokens:
            typed = Prompt(screen).line(question) if screen.keyboard else None
            if not (typed or "").strip():
                raise
            tokens = _tokens(typed or "")
            question = "A number, like 128000 or 128k; an empty line cancels. Its window in tokens?"
        file = user_file(project.environment)
        save_setting(file, ("models", error.name, "window"), tokens)
        screen.say(f"kept in {file}")
        return True
    return False


def _tokens(text: str) -> int:
    """A number as people write it (128000, 128,000, 128k, 1M); 0 if it is not one."""
    import re

    match = re.fullmatch(r"([\d,_]*\d)\s*([km]?)", text.strip().lower())
    return int(re.sub("[,_]", "", match[1])) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2]] if match else 0
