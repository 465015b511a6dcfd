"""The offer of a model server that answers on this machine, made once to a person without a configured model."""

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
    from ctxe.terminal.prompt import Prompt

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
