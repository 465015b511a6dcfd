"""Signals from the session itself: files it touched, files that memory, decisions and failures speak of."""

from __future__ import annotations

from ctxe.repo.planning.evidence import Evidence, Scores


def touched(evidence: Evidence) -> Scores:
    """Files that the session read or changed, the latest most."""
    known = [number for path in evidence.steering.touched if (number := evidence.index.by_path.get(path)) is not None]
    return {number: (place + 1) / len(known) for place, number in enumerate(known)}


def remembered(evidence: Evidence) -> Scores:
    """Files that a decision, a memory or a failure names."""
    return {number: 1.0 for path in evidence.steering.named if (number := evidence.index.by_path.get(path)) is not None}


def meaning(evidence: Evidence) -> Scores:
    """How near the file's best window is to the task, when the user has vectors made."""
    return evidence.meaning
