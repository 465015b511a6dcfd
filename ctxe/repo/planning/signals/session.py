"""Signals from outside the task: files the session touched, files that memory names, and similarity by vectors."""

from __future__ import annotations

from ctxe.repo.planning.evidence import Evidence, Scores


def touched(evidence: Evidence) -> Scores:
    """Files that the session read or changed; the latest scores highest."""
    numbers = [number for path in evidence.steering.touched if (number := evidence.index.by_path.get(path)) is not None]
    return {number: (place + 1) / len(numbers) for place, number in enumerate(numbers)}


def remembered(evidence: Evidence) -> Scores:
    """Files that a decision, a memory or a failure names."""
    return {number: 1.0 for path in evidence.steering.named if (number := evidence.index.by_path.get(path)) is not None}


def meaning(evidence: Evidence) -> Scores:
    """How close the file's best window is to the task, when vectors are set up."""
    return evidence.meaning
