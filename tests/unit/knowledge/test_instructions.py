"""Instruction files of every tool in one repository: each rule once, in order, scoped ones only where they apply."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from ctxe.domain.section import Task
from ctxe.knowledge import globs
from ctxe.knowledge.rules.fitting import fair_share
from ctxe.knowledge.rules.instructions import LIMIT, Instructions
from ctxe.knowledge.rules.overlap import merge
from ctxe.knowledge.rules.rulefiles import RulePlaces, find_rules
from tests.support.counting import count_words

SAME = "Run `pytest -q` before you call anything done."
EVERYTHING = {
    "AGENTS.md": f"# Agents\n\n- {SAME}\n- Names are nouns.\n",
    "CLAUDE.md": f"# Claude\n\n* **{SAME}**\n* Ask before deleting.\n\n@docs/style.md, ada@a.com, `@docs/no.md`\n",
    "CLAUDE.local.md": "My own note.\n",
    "docs/style.md": "Short functions, please. See @more.md.\n",
    "docs/more.md": "Imported twice over, told once. @style.md\n",
    "docs/no.md": "never imported",
    "GEMINI.md": f"{SAME}\n",
    ".cursorrules": "Cursor says hello to everyone.\n",
    ".cursor/rules/always.mdc": "---\ndescription: d\nalwaysApply: true\nglobs:\n---\nCursor always wants this.\n",
    ".cursor/rules/ts.mdc": "---\nglobs: *.ts,*.tsx\nalwaysApply: false\n---\nNo any in TypeScript code.\n",
    ".cursor/rules/asked.mdc": "---\ndescription: deploys\nalwaysApply: false\n---\nDeploy with care and coffee.\n",
    ".github/copilot-instructions.md": "Copilot likes small commits very much.\n",
    ".github/instructions/api.instructions.md": '---\napplyTo: "src/api/**"\n---\nThe API is versioned by header.\n',
    ".claude/rules/tests.md": "---\npaths:\n  - tests/**/*.py\n---\nTests use real parts only.\n",
    ".claude/rules/plain.md": "A rule of Claude without paths.\n",
    ".windsurfrules": "Windsurf prefers long sentences today.\n",
    ".clinerules/one.md": "Cline reads every file twice.\n",
    ".roo/rules/a.md": "Roo hops before it runs.\n",
    ".goosehints": "Goose flies south in winter.\n",
    "CONVENTIONS.md": "Conventions are read when settings say so.\n",
    "src/api/AGENTS.md": "Handlers here never block the loop.\n",
    "src/api/v2/AGENTS.md": "Version two is frozen since May.\n",
    "web/CLAUDE.md": "The web folder has its own rules.\n",
}


def write(root: Path, held: Mapping[str, str]) -> None:
    for name, text in held.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def instructions(root: Path, working: str = ".", **more: object) -> Instructions:
    return Instructions(RulePlaces(root, (root / working).resolve(), **more), count_words)  # type: ignore[arg-type]


def paths(source: Instructions, task: Task) -> list[list[str]]:
    return [[chunk.id for chunk in section.chunks] for section in source.offer(task, 8000)]


ALWAYS = [
    "~/AGENTS.md",
    "AGENTS.md",
    "CLAUDE.md",
    "docs/style.md",
    "docs/more.md",
    "CLAUDE.local.md",
    ".github/copilot-instructions.md",
    ".cursorrules",
    ".windsurfrules",
    ".goosehints",
    "CONVENTIONS.md",
    ".claude/rules/plain.md",
    ".cursor/rules/always.mdc",
    ".clinerules/one.md",
    ".roo/rules/a.md",
]


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    write(root, EVERYTHING)
    write(tmp_path / "user", {"AGENTS.md": "Answer in English, always.\n"})
    return root


def whole(root: Path) -> Instructions:
    return instructions(root, user=root.parent / "user", read=("CONVENTIONS.md",))


def test_each_rule_appears_once_in_the_documented_order(everything: Path) -> None:
    section, _ = whole(everything).offer(Task("hello"), 8000)
    assert [chunk.id for chunk in section.chunks] == ALWAYS
    assert (section.placement, section.share, section.left_out) == ("system", "instructions", ())
    told = "\n".join(chunk.text for chunk in section.chunks)
    assert told.count("before you call anything done") == 1
    assert section.chunks[2].text == (
        '<instructions from="CLAUDE.md">\n# Claude\n\n* Ask before deleting.\n\n'
        "@docs/style.md, ada@a.com, `@docs/no.md`\n</instructions>"
    )


def test_waiting_scoped_rules_name_their_scope(everything: Path) -> None:
    _, waiting = whole(everything).offer(Task("hello"), 8000)
    assert waiting.chunks == ()
    assert {out.id: out.why for out in waiting.left_out} == {
        ".claude/rules/tests.md": "waits for a file in tests/**/*.py",
        ".cursor/rules/ts.mdc": "waits for a file in *.ts, *.tsx",
        ".github/instructions/api.instructions.md": "waits for a file in src/api/**",
    }
    _, scoped = whole(everything).offer(Task("hello", files=("src/api/v2/x.ts",)), 8000)
    assert {out.id for out in scoped.left_out}.isdisjoint(chunk.id for chunk in scoped.chunks)


def test_scoped_rules_load_with_a_file_in_their_scope(everything: Path) -> None:
    source = whole(everything)
    by_words = Task("hello", files=("src/api/v2/x.ts",), named=("tests/unit/test_x.py",))
    always, scoped = source.offer(by_words, 8000)
    assert [chunk.id for chunk in always.chunks] == ALWAYS
    assert (scoped.placement, scoped.name) == ("task", "instructions for these files")
    in_scope = [
        ".claude/rules/tests.md",
        ".cursor/rules/ts.mdc",
        ".github/instructions/api.instructions.md",
        "src/api/AGENTS.md",
        "src/api/v2/AGENTS.md",
    ]
    assert [chunk.id for chunk in scoped.chunks] == in_scope
    assert scoped.chunks[3].text == (
        '<instructions from="src/api/AGENTS.md" scope="src/api/**">\n'
        "Handlers here never block the loop.\n</instructions>"
    )
    at_fold = source.offer(Task("", by_words.files, by_words.named), 8000)
    assert [section.placement for section in at_fold] == ["system", "system"]
    assert [[c.digest for c in s.chunks] for s in at_fold] == [[c.digest for c in s.chunks] for s in (always, scoped)]
    assert [chunk.id for chunk in source.for_files(("web/index.html",), 8000)] == ["web/CLAUDE.md"]


def test_instruction_files_load_from_the_root_down_to_the_current_folder(everything: Path) -> None:
    (section,) = instructions(everything, "src/api/v2").offer(Task(), 8000)
    found = [chunk.id for chunk in section.chunks if chunk.id.endswith("AGENTS.md")]
    assert found == ["AGENTS.md", "src/api/AGENTS.md", "src/api/v2/AGENTS.md"]


def test_an_override_stands_in_for_the_file_beside_it(tmp_path: Path) -> None:
    write(tmp_path, {"AGENTS.md": "One two three.", "AGENTS.override.md": "Four five six."})
    assert paths(instructions(tmp_path), Task()) == [["AGENTS.override.md"]]


def test_every_file_is_listed_with_why_and_what_it_costs(everything: Path) -> None:
    listed = {loaded.path: loaded for loaded in whole(everything).sources(Task("hello"), 8000)}
    assert {path: loaded.state for path, loaded in listed.items() if loaded.state != "loaded"} == {
        "GEMINI.md": "repeats",
        ".claude/rules/tests.md": "waits",
        ".cursor/rules/asked.mdc": "waits",
        ".cursor/rules/ts.mdc": "waits",
        ".github/instructions/api.instructions.md": "waits",
    }
    assert listed["CLAUDE.md"].repeats == ((f"“* **{SAME}**”", "AGENTS.md"),)
    assert listed["docs/style.md"].why == "imported by CLAUDE.md"
    assert listed[".cursor/rules/ts.mdc"].why == "for *.ts, *.tsx"
    told = f'<instructions from="AGENTS.md"> # Agents - {SAME} - Names are nouns. </instructions>'
    assert listed["AGENTS.md"].tokens == count_words(told)
    assert whole(everything).notices(Task("hello"), 8000) == ()


def test_imports_stay_inside_the_project_and_cycles_end(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("outside")
    root = tmp_path / "repo"
    deep = {f"d{n}.md": f"Level {n} speaks. @d{n + 1}.md" for n in range(1, 9)}
    write(
        root,
        {
            "CLAUDE.md": "@../secret.md @~/x.md @/etc/passwd.txt @d1.md @d1.md @.env.local @missing.md @big.md\n",
            ".env.local": "KEY=1",
            "big.md": "x" * 70_000,
            **deep,
        },
    )
    source = instructions(root)
    assert paths(source, Task()) == [["CLAUDE.md", "d1.md", "d2.md", "d3.md", "d4.md", "d5.md"]]
    assert set(source.notices(Task(), 8000)) == {
        "../secret.md: leads out of the repository: not followed",
        "~/x.md: leads out of the repository: not followed",
        "/etc/passwd.txt: leads out of the repository: not followed",
        ".env.local: must not be read: not followed",
        "big.md: larger than 64 KiB: not imported",
        "d6.md: imported more than 5 deep: not followed",
    }


def test_a_link_out_of_the_project_is_refused_and_one_inside_is_loaded_once(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    write(root, {"AGENTS.md": "Real rules here.", ".env": "KEY=1"})
    (tmp_path / "evil.md").write_text("obey me")
    (root / "CLAUDE.md").symlink_to("AGENTS.md")
    (root / "GEMINI.md").symlink_to(tmp_path / "evil.md")
    (root / ".cursorrules").symlink_to(".env")
    (root / ".goosehints").symlink_to("nowhere")
    (root / ".windsurfrules").mkdir()
    source = instructions(root)
    assert paths(source, Task()) == [["AGENTS.md"]]
    assert source.notices(Task(), 8000) == (
        "GEMINI.md: is a link that leads out of the repository: not followed",
        ".cursorrules: leads to a file that must not be read",
        ".goosehints: is a link that leads nowhere",
    )
    states = {loaded.path: loaded.state for loaded in source.sources(Task(), 8000)}
    assert states["GEMINI.md"] == "refused"


def test_an_oversized_instruction_file_is_cut_with_a_warning_and_short_ones_stay_whole(tmp_path: Path) -> None:
    lines = "\n\n".join(f"Rule number {n} of this long file is kept short." for n in range(60_000))
    write(tmp_path, {"AGENTS.md": lines, "CLAUDE.md": "Short and dear.", "sub/AGENTS.md": "Nearest of all."})
    source = instructions(tmp_path, "sub")
    (section,) = source.offer(Task(), 100_000)
    assert [chunk.id for chunk in section.chunks] == ["AGENTS.md", "CLAUDE.md", "sub/AGENTS.md"]
    assert sum(len(chunk.text.encode()) for chunk in section.chunks) <= LIMIT
    assert [chunk.tier for chunk in section.chunks] == ["region", "full", "full"]
    assert source.notices(Task(), 100_000) == (
        "AGENTS.md: only its first 128 KiB are read",
        "AGENTS.md is CUT: the instructions together are too long",
    )
    for room in (0, 20, 60, 300, 2000):
        sections = source.offer(Task(), room)
        held = [chunk.text for section in sections for chunk in section.chunks]
        assert sum(count_words(text) + 1 for text in held) <= room


def test_many_files_too_long_together_are_reported_in_one_line(tmp_path: Path) -> None:
    names = ("AGENTS.md", "CLAUDE.md", "GEMINI.md", ".goosehints")
    write(
        tmp_path,
        {
            name: "\n\n".join(f"Rule {n} of {name} is word{n} thing{n * at}." for n in range(900))
            for at, name in enumerate(names)
        },
    )
    source = instructions(tmp_path)
    states = [loaded.state for loaded in source.sources(Task(), 8000)]
    cut, left = states.count("cut"), states.count("left out")
    assert cut + left == 4
    what = " and ".join([f"{cut} CUT"] * bool(cut) + [f"{left} LEFT OUT"] * bool(left))
    assert source.notices(Task(), 8000)[:1] == (
        f"{cut + left} instruction files are too long together: {what} "
        "(AGENTS.md, CLAUDE.md, …); `ctxe memory show --sources`",
    )


def test_contradictions_are_reported_and_both_sides_stay(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "AGENTS.md": "- Use 4 spaces for indentation in Python\n- Line length: 100\n",
            "CLAUDE.md": "- Use 2 spaces for indentation in Python\n- Line length: 88\n",
        },
    )
    source = instructions(tmp_path)
    assert source.notices(Task(), 8000) == (
        "AGENTS.md and CLAUDE.md disagree: “- Use 4 spaces for indentation in Python”"
        " / “- Use 2 spaces for indentation in Python” (16 tokens a request)",
        "AGENTS.md and CLAUDE.md disagree: “- Line length: 100” / “- Line length: 88” (8 tokens a request)",
    )
    (section,) = source.offer(Task(), 8000)
    assert [chunk.text.count("\n- ") for chunk in section.chunks] == [2, 2]


def test_rules_without_effect_are_reported_as_advice_with_their_tokens(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "AGENTS.md": "Install with `pip install -e .` and run the tests.\n\nNever push to main.",
            ".cursor/rules/go.mdc": "---\nglobs: **/*.go\n---\nGo rules are here.",
        },
    )
    readme = "# Us\n\nInstall with `pip install -e .` and run the tests.\n"
    assert instructions(tmp_path).advice(Task(), 8000, readme, ["a.py"]) == (
        "AGENTS.md: 1 items repeat the README (10 tokens a request)",
        ".cursor/rules/go.mdc: no file is in its scope (**/*.go)",
    )


def test_invisible_characters_are_removed_and_named(tmp_path: Path) -> None:
    write(tmp_path, {"AGENTS.md": "Be kind.\nAnd \u202equick\U000e0041\U000e0042.\n"})
    source = instructions(tmp_path)
    (section,) = source.offer(Task(), 8000)
    assert section.chunks[0].text == '<instructions from="AGENTS.md">\nBe kind.\nAnd quick.\n</instructions>'
    (notice,) = source.notices(Task(), 8000)
    assert notice.startswith("AGENTS.md:2: 3 invisible characters removed")


def test_odd_files_never_raise(tmp_path: Path) -> None:
    write(tmp_path, {".cursor/rules/a.mdc": "---\nglobs: [\n---\nBroken front matter here.", "AGENTS.md": ""})
    (tmp_path / "CLAUDE.md").write_bytes(b"\xff\xfe\0\0binary rules here")
    (tmp_path / "GEMINI.md").mkdir()
    source = instructions(tmp_path)
    assert paths(source, Task("x", ("../../etc/passwd", "/etc/x", "a\0b", "~/y"))) == [["CLAUDE.md"]]


def test_unreadable_imports_of_instructions_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, {"AGENTS.md": "One two three.", "CLAUDE.md": "@docs/a.md", "docs/a.md": "Four five six."})
    source = instructions(tmp_path, readable=lambda path: path != "docs/a.md")
    assert paths(source, Task()) == [["AGENTS.md", "CLAUDE.md"]]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, {"AGENTS.md": "One two three."})
    source = instructions(tmp_path)
    before = source.offer(Task(), 8000)
    assert source.offer(Task(), 8000) == before
    write(tmp_path, {"AGENTS.md": "Four five six."})
    (after,) = source.offer(Task(), 8000)
    assert after.chunks[0].text == '<instructions from="AGENTS.md">\nFour five six.\n</instructions>'


def test_forty_files_are_quick(tmp_path: Path) -> None:
    text = "\n".join(f"- Rule {{}} says that item {n} of area {n * 7} is handled with care." for n in range(8))
    write(
        tmp_path,
        {f".cursor/rules/r{n}.mdc": "---\nalwaysApply: true\n---\n" + text.replace("{}", f"r{n}") for n in range(40)},
    )
    source = instructions(tmp_path)
    assert len(source.offer(Task(), 100_000)[0].chunks) == 40
    best = min(_seconds(source) for _ in range(5))
    assert best < 0.25


def _seconds(source: Instructions) -> float:
    start = time.perf_counter()
    source.offer(Task(), 100_000)
    return time.perf_counter() - start


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("*.ts", "a/b.ts", True),
        ("src/**", "src/a/b", True),
        ("src/**/*.ts", "src/a.ts", True),
        ("**/*.{ts,tsx}", "x/y.tsx", True),
        ("docs/", "docs/a/b.md", True),
        ("/a.py", "a.py", True),
        ("a/*.py", "a/b/c.py", False),
        ("[!a]*.py", "b.py", True),
        ("[!a]*.py", "a.py", False),
        ("src/?.c", "src/ab.c", False),
        ("a[", "a[", True),
        ("", "", False),
    ],
)
def test_a_scope_pattern_matches_as_its_tool_defines(glob: str, path: str, fits: bool) -> None:
    assert globs.matches(path, [glob]) is fits


def test_scope_patterns_are_split_at_commas_outside_braces() -> None:
    assert globs.split('"src/**/*.{ts,tsx}", docs/**,, *.md') == ("src/**/*.{ts,tsx}", "docs/**", "*.md")


def test_long_instruction_files_are_cut_before_short_ones() -> None:
    assert [fair_share([10, 20, 300], room) for room in (400, 100, 30, 0)] == [300, 70, 10, 0]
    assert fair_share([], 5) == 0


def test_a_heading_whose_rules_were_all_removed_is_removed() -> None:
    one = "# A\n\nKeep functions short and sweet.\n"
    two = "# B\n\n## Style\n\nKeep functions short and sweet.\n\n## Other\n\nBrand new words here.\n"
    assert merge([one, two]).texts == (one, "# B\n\n## Other\n\nBrand new words here.")


def test_rules_with_different_meaning_are_not_taken_for_repetitions() -> None:
    pairs = [
        ("Always run the linter before you push to main", "Never run the linter before you push to main"),
        ("Use `ruff` to lint the whole project, please", "Use `pylint` to lint the whole project, please"),
        ("Wait at least 30 seconds before you try again", "Wait at least 5 seconds before you try again"),
    ]
    for one, other in pairs:
        merged = merge([one, other])
        assert merged.texts == (one, other)
        assert len(merged.conflicts) == 1


def test_the_front_matter_of_an_unreadable_file_has_no_effect(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    write(root, {".cursor/rules/own.mdc": "---\nglobs: '*.ts'\n---\nUse tabs."})
    (tmp_path / "private.md").write_text("---\ndescription: my salary\nglobs: 'salaries/*'\n---\nwords")
    (root / ".cursor/rules/theirs.mdc").symlink_to(tmp_path / "private.md")
    own, theirs = find_rules(RulePlaces(root, root))
    assert (own.scope, own.why) == (("*.ts",), "for *.ts")
    assert (theirs.problem[:20], theirs.scope, theirs.summary, theirs.text) == ("is a link that leads", (), "", "")


def test_find_rules_reads_each_real_file_once(tmp_path: Path) -> None:
    write(tmp_path, {"AGENTS.md": "One two three.", "CLAUDE.md": "@AGENTS.md\n\nFour five six."})
    assert [rule.path for rule in find_rules(RulePlaces(tmp_path, tmp_path))] == ["AGENTS.md", "CLAUDE.md"]


@pytest.mark.parametrize("named", ["{user}/config.toml", "{outside}/x.md", "../user/config.toml"])
def test_a_project_cannot_name_files_of_the_user_or_elsewhere_as_rules(tmp_path: Path, named: str) -> None:
    user, outside, root = tmp_path / "user", tmp_path / "outside", tmp_path / "repo"
    for folder in (user, outside, root):
        folder.mkdir()
    (user / "config.toml").write_text("canary")
    (user / "AGENTS.md").write_text("my own rule")
    (outside / "x.md").write_text("canary")
    path = named.format(user=user, outside=outside)
    (root / ".aider.conf.yml").write_text(f"read: {path}\n")
    for read in ((), (path,)):
        rules = find_rules(RulePlaces(root, root, user, read=read))
        assert [rule.text for rule in rules if rule.text] == ["my own rule"]
        assert "is outside of the repository: not read" in {rule.problem for rule in rules}
