"""Prompt templates: found by name, filled with arguments, each problem in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxe.knowledge.rules.templates import Template, TemplatePlaces, find_templates


def write(root: Path, **held: str) -> Path:
    for name, text in held.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("text", "words", "filled"),
    [
        ("Review it.", "", "Review it."),
        ("Review it.", "the parser", "Review it.\n\nthe parser"),
        ("Review $ARGUMENTS now.", "a b", "Review a b now."),
        ("From $1 to $2; $3 is none.", "'first one' second", "From first one to second;  is none."),
        ("$1 costs \\$5, not $12.", "tea", "tea costs $5, not $12."),
        ("Only \\$1 here.", "x", "Only $1 here.\n\nx"),
        ("Say {{args}} and $@.", "hi $1", "Say hi $1 and hi $1."),
        ("Fix $1.", "don't stop", "Fix don't."),
    ],
)
def test_arguments_are_put_where_the_template_says(text: str, words: str, filled: str) -> None:
    assert Template("x", "x.md", text).filled(words) == filled


def test_template_folders_names_and_problems_are_reported(tmp_path: Path) -> None:
    root = write(
        tmp_path / "repo",
        **{
            ".ctxe/commands/review.md": "---\ndescription: Looks at it\nargument-hint: FILE\n---\nReview $1.\n",
            ".claude/commands/review.md": "Another.",
            ".claude/commands/git/fix.md": "# Fix the last commit\n\nDo !`git log` and fix.",
            ".claude/commands/help.md": "Help.",
            ".claude/commands/empty.md": "---\ndescription: x\n---\n",
            ".claude/commands/odd name.md": "No.",
            ".claude/commands/README.md": "No.",
            ".claude/commands/hidden.md": "Say\u200b \U000e0041nothing.",
            ".claude/commands/long.md": "x" * 70_000,
            ".claude/commands/ignored.md": "Ignored.",
            "web/.claude/commands/css.md": "Style $ARGUMENTS.",
        },
    )
    (tmp_path / "out.md").write_text("Outside.")
    (root / ".claude/commands/link.md").symlink_to(tmp_path / "out.md")
    own = write(tmp_path / "own", **{"mine.md": "Mine.", "review.md": "Mine too."})
    places = TemplatePlaces(root, root / "web", (own, tmp_path / "none"), lambda path: "ignored" not in path)
    found = find_templates(places, ("help",))
    same = ".ctxe/commands/review.md has the same name and stands before it"
    assert [(one.name, one.where, one.problem) for one in found] == [
        ("css", "web/.claude/commands/css.md", ""),
        ("review", ".ctxe/commands/review.md", ""),
        ("empty", ".claude/commands/empty.md", "it says nothing"),
        ("git:fix", ".claude/commands/git/fix.md", ""),
        ("help", ".claude/commands/help.md", "/help is a command of ctxe"),
        ("hidden", ".claude/commands/hidden.md", ""),
        ("ignored", ".claude/commands/ignored.md", "must not be read (.ctxeignore)"),
        ("link", ".claude/commands/link.md", "is a link that leads out of the repository: not followed"),
        ("long", ".claude/commands/long.md", "is longer than 64 KiB"),
        ("review", ".claude/commands/review.md", same),
        ("mine", str(own / "mine.md"), ""),
        ("review", str(own / "review.md"), same),
    ]
    by_name = {one.name: one for one in found if not one.problem}
    assert (by_name["review"].takes, by_name["review"].says) == ("FILE", "Looks at it")
    assert by_name["git:fix"].says == "Fix the last commit"
    assert by_name["git:fix"].notices == (
        "its !`commands` do not run by themselves: the model may run them, and you are asked",
    )
    assert by_name["hidden"].text == "Say nothing."
    assert by_name["hidden"].notices == ("line 1: 2 invisible characters removed",)
