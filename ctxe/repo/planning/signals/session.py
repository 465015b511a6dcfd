"""Signals from outside the task: files the session touched, files that memory names, and similarity by vectors."""

from __future__ import annotations

from collections.abc import Iterable

from ctxe.repo.planning.evidence import Evidence, Scores


def touched(evidence: Evidence) -> Scores:
    """Files that the session read or changed; the latest scores highest."""
    numbers = _numbers(evidence, evidence.steering.touched)
    return {number: (place + 1) / len(numbers) for place, number in enumerate(numbers)}


def remembered(evidence: Evidence) -> Scores:
    """Files that a decision, a memory or a failure names."""
    return dict.fromkeys(_numbers(evidence, evidence.steering.named), 1.0)


def meaning(evidence: Evidence) -> Scores:
    """How close the file's best window is to the task, when vectors are set up."""
    return evidence.meaning


def _numbers(evidence: Evidence, paths: Iterable[str]) -> list[int]:
    """The ids of those paths that are indexed."""
    known = evidence.index.files.by_path
    return [known[path] for path in paths if path in known]
