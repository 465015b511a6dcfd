"""What a person should know at the start of a session, one line each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ctxe.agent.limits import WARN_AT
from ctxe.project.models import reports_price
from ctxe.project.place import person
from ctxe.project.session.live import Live
from ctxe.project.session.served_window import narrow_window_lines
from ctxe.project.window.sources import start_notices
from ctxe.safety.display import one_line

if TYPE_CHECKING:
    from ctxe.project import Project


def of_project(live: Live) -> list[str]:
    """Lines about the project: the model's window, settings and rules not followed, git, memory, servers."""
    project = live.project
    refused = [f"not followed: {line}" for line in project.loaded.refused]
    lines = start_notices(project, live.kit.skills, live.composer)
    return [*narrow_window_lines(project, live.model), *refused, *_no_project(project), *_no_history(project), *lines]


def of_session(live: Live) -> list[str]:
    """Lines about a resumed session: a changed model or effort, and its money."""
    return [*_model_change(live), *_money(live)]


def _no_project(project: Project) -> list[str]:
    """A line for a user who started in their home folder or in the root folder."""
    if str(project.root) not in (os.path.realpath(project.environment.get("HOME", "/")), "/"):
        return []
    return [
        f"{project.root} is not a project: all of it is searched and planned from; start in a project's folder, or -C"
    ]


def _no_history(project: Project) -> list[str]:
    """A line for a repository that belongs to another user, where git refuses to answer."""
    places = (project.root, project.root / ".git")
    if not project.place.git or all(place.stat().st_uid == person() for place in places):
        return []
    why = project.git.refusal()
    return [f"no history and no /commit here: git refuses this repository ({one_line(why)})"] if why else []


def _model_change(live: Live) -> list[str]:
    """Lines when model or effort differ from before; the log notes the change with the next turn."""
    before, effort = live.session.state.model, live.session.state.effort
    lines = [f"the model was {before}; now it is {live.model.id}"] if before and before != live.model.id else []
    if before and effort != live.model.effort:
        lines.append(f"the effort was {effort or 'the default'}; now it is {live.model.effort or 'the default'}")
    return lines


def _money(live: Live) -> list[str]:
    """A line when the cost limit is near, exceeded, or cannot be enforced without a known price."""
    limit, spent = live.project.config.budget.max_cost, live.session.state.usd
    if not limit:
        return []
    if live.model.prices is None and not reports_price(live.model):
        return [f"budget.max_cost holds nothing back: no price of {live.model.id} is known"]
    more = "; a higher --max-cost goes on" if spent >= limit else ""
    return [f"${spent:.4f} of ${limit:.2f} spent{more}"] if spent >= WARN_AT * limit else []
