"""Skills and templates of any bytes: never an exception, never outside the fence, never beyond the room."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxe.domain.section import Task
from ctxe.knowledge.rules.contradictions import RuleUnit
from ctxe.knowledge.rules.overlap import merge
from ctxe.knowledge.rules.templates import Template, TemplatePlaces, find_templates
from ctxe.knowledge.skills.catalogue import catalogue
from ctxe.knowledge.skills.finding import SkillFinder, SkillPlaces
from ctxe.knowledge.skills.skill import Skill
from ctxe.knowledge.skills.source import Skills
from tests.support.counting import count_words

WORDS = st.text(alphabet="ab <>/$1\\\n#-`!{}é\u200b", max_size=60)
HEADS = st.sampled_from([b"", b"---\n", b"---\nname: x\ndescription: y\n---\n", b"---\nname: [\n---\n"])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=HEADS, body=st.binary(max_size=200), room=st.integers(0, 400))
def test_any_bytes_are_a_skill_or_one_line_about_the_problem(
    tmp_path: Path, head: bytes, body: bytes, room: int
) -> None:
    for place in (".ctxe/skills/x/SKILL.md", ".ctxe/commands/x.md"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(head + body)
    source = Skills(SkillFinder(SkillPlaces(tmp_path, tmp_path)), count_words, room, always=("x",))
    for section in source.offer(Task("x y"), room):
        assert sum(count_words(chunk.text) for chunk in section.chunks) <= room
        assert all(chunk.text.count("</skill") == 1 for chunk in section.chunks)
    source.notices()
    for one in find_templates(TemplatePlaces(tmp_path, tmp_path)):
        one.filled("a b")


@settings(max_examples=100, deadline=None)
@given(text=WORDS, said=WORDS)
def test_template_arguments_never_raise_and_are_expanded_once(text: str, said: str) -> None:
    filled = Template("x", "x", text).filled(said)
    assert isinstance(filled, str)
    assert Template("x", "x", "$ARGUMENTS").filled(said) == said.strip()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.text("abc", min_size=1, max_size=8), st.text("xyz .", max_size=80)), max_size=12),
    st.integers(0, 120),
)
def test_the_skill_list_keeps_its_room_and_names_every_skill(named: list[tuple[str, str]], room: int) -> None:
    skills = [
        Skill(f"{name}{n}", " ".join(says.split()), Path("/x"), "x", "project") for n, (name, says) in enumerate(named)
    ]
    made = catalogue(skills, room, count_words)
    assert not made.text or count_words(made.text) <= room
    whole = [one for one in skills if one not in (*made.short, *made.bare, *made.out)]
    assert all(f"- {one.name}" in made.text for one in whole)
    assert all(one.name in made.text for one in made.bare)


@pytest.mark.parametrize("times", [1, 3])
@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text("ab use tabs spaces\n#-:1", max_size=120), max_size=4))
def test_merging_rules_is_deterministic_and_keeps_the_first(times: int, texts: list[str]) -> None:
    merged = merge(texts)
    assert [merge(texts) for _ in range(times)] == [merged] * times
    assert not texts or merged.texts[0] == texts[0]
    assert all(isinstance(unit, RuleUnit) and unit.file > twin.file for unit, twin in merged.dropped)
