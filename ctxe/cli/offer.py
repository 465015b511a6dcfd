"""What a person is asked about models: a server found on this machine, and the window of a model nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctxe.project import Project
    from ctxe.terminal.screen import Screen


def offer_local(project: Project, screen: Screen) -> bool:
    """Ask whether a found server shall be used, and keep a yes in the user's settings; True when it was a yes.

    Asks nobody when a model is configured or a key is set. Raises ConfigError or StoreError.
    """
    from ctxe.config import save, user_file
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
            save(file, ("model", "name"), name)
            if served.window:
                save(file, ("models", name, "window"), served.window)
            screen.say(f"kept in {file}")
            return True
    return False


def ask_window(project: Project, screen: Screen) -> bool:
    """Ask for the window of a model that the catalog does not know, and keep the answer; True when there is one.

    Raises UnknownModel where nobody answers, ConfigError or StoreError.
    """
    from ctxe.config import save, user_file
    from ctxe.domain.errors import UnknownModel
    from ctxe.terminal.input.prompt import Prompt

    try:
        _ = project.model
    except UnknownModel as error:
        typed = Prompt(screen).line(f"{error.message}. Its window in tokens?") if screen.keyboard else None
        tokens = (typed or "").strip().replace(",", "").replace("_", "")
        if not tokens.isdecimal() or int(tokens) <= 0:
            raise
        file = user_file(project.environment)
        save(file, ("models", error.name, "window"), int(tokens))
        screen.say(f"kept in {file}")
        return True
    return False
