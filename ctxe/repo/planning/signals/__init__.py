"""The signals of the planner by name: each is a small function from evidence to scores."""

from __future__ import annotations

from collections.abc import Callable

from ctxe.repo.planning.evidence import Evidence, Scores
from ctxe.repo.planning.signals import around, mentions, modules, past, session, text

Signal = Callable[[Evidence], Scores]

BROAD: dict[str, Signal] = {
    "title_file": text.title_file,
    "lead_file": text.lead_file,
    "prose_file": text.prose_file,
    "paste_file": text.paste_file,
    "compound_file": text.compound_file,
    "title_names": text.title_names,
    "code_names": text.code_names,
    "title_path": text.title_path,
    "prose_path": text.prose_path,
    "path_named": mentions.path_named,
    "frame": mentions.frame,
    "module_named": modules.module_named,
    "member_named": modules.member_named,
    "defined": mentions.defined,
    "called": mentions.called,
    "title_stem": mentions.title_stem,
    "code_stem": mentions.code_stem,
    "scope_named": mentions.scope_named,
    "title_commits": past.title_commits,
    "prose_commits": past.prose_commits,
    "title_messages": past.title_messages,
    "commit_named": past.commit_named,
    "issue_named": past.issue_named,
    "recent": past.recent,
    "lately": past.lately,
    "touched": session.touched,
    "remembered": session.remembered,
    "meaning": session.meaning,
}
"""Signals that score every file; they choose the candidates."""

CLOSE: dict[str, Signal] = {
    "title_units": text.title_units,
    "lead_units": text.lead_units,
    "prose_units": text.prose_units,
    "code_units": text.code_units,
    "title_unit": text.title_unit,
    "prose_unit": text.prose_unit,
    "code_unit": text.code_unit,
    "tested": around.tested,
    "fault_units": text.fault_units,
}
"""Signals that need the candidates' units."""

AROUND: dict[str, Signal] = {
    "folder": around.folder,
    "namesake": around.namesake,
    "imported": around.imported,
    "importing": around.importing,
    "changed_together": past.changed_together,
}
"""Signals that need the scores of the first mix."""

SIGNALS: dict[str, Signal] = BROAD | CLOSE | AROUND
