"""Contradictions between instruction files of several tools, and texts that only look like one."""

from __future__ import annotations

import pytest

from ctxe.knowledge.rules.overlap import merge


def told(one: str, other: str) -> list[tuple[str, str]]:
    return [(conflict.first.text, conflict.second.text) for conflict in merge([one, other]).conflicts]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("- Line length: 100", "- Line length: 88"),
        ("- Python version is 3.11", "- Python version is 3.12"),
        ("- Use tabs for indentation.", "- Indent with two spaces."),
        ("- Run `npm run build` before a commit.", "- Build with `pnpm build`."),
        ("- Install dependencies with poetry.", "- Dependencies: install them by pip."),
        ("- Strings have single quotes.", "- Always double quotes for strings."),
        ("- Tests are written with jest.", "- Write tests for vitest."),
        ("- Never commit generated files to the repository.", "- Always commit generated files to the repository."),
    ],
)
def test_two_values_of_one_thing_are_a_contradiction(one: str, other: str) -> None:
    assert told(one, other) == [(one, other)]


def test_one_heading_with_two_values_is_a_contradiction() -> None:
    assert told("## Indentation\n\nUse tabs.", "# Indentation\n\nFour blanks.") == [("Use tabs.", "Four blanks.")]
    assert told("## Branches\n\nBranch from main, name them feat/x.", "## Branches\n\nBranch from develop always.") == [
        ("Branch from main, name them feat/x.", "Branch from develop always.")
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("- Use tabs for indentation.", "- Never use spaces for indentation."),
        ("- Prefer tabs over spaces for indentation.", "- Use tabs for indentation."),
        ("- Install with npm.", "- Publish by yarn after review."),
        ("- Use single quotes in strings.", "- Double the timeout in slow networks."),
        ("## Tests\n\nRun `pytest -q` from the root of it.", "## Tests\n\nName each of them for what it shows."),
        ("## Tests\n\nRun pytest.", "## Tests\n\nRun pytest with coverage."),
        ("## Style\n\nShort functions.\n\nPlain names.", "## Style\n\nLong functions."),
        ("- Use tabs for indentation.\n- Use spaces for indentation.", "- Names are nouns."),
    ],
)
def test_compatible_instructions_are_not_reported_as_contradictions(one: str, other: str) -> None:
    assert told(one, other) == []
