"""Where we claim to know what a shell makes of a line, a real shell makes exactly that of it."""

import subprocess

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ctxe.safety.shell.commands import parse
from ctxe.safety.shell.words import Unsure, split

NASTY = "ab'\"\\ \t=~{}[]*?$!#%^@+-.,:/()<>|&;\n`1é"
lines = st.text(alphabet=NASTY, min_size=1, max_size=14)
quoted = st.builds("{}{}{}".format, st.sampled_from(["'", '"', ""]), lines, st.sampled_from(["'", '"', ""]))


def words_of(line: str) -> list[str] | None:
    """Our reading of ``show LINE``, where we are sure and nothing is redirected, joined or matched against files."""
    try:
        parts = split("show " + line)
    except Unsure:
        return None
    if len(parts) != 1 or parts[0].redirects or any(word.glob for word in parts[0].words):
        return None
    return list(parts[0].texts[1:])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.lists(lines | quoted, min_size=20, max_size=60))
@example(
    [
        "'a'\"b\"c",
        "a\\ b",
        '"a\\.b$"',
        "HEAD~1",
        "a{}b",
        "a=~b",
        '"$|"',
        '"a$"',
        "a#b",
        "a #b",
        "!a",
        '"a!"',
        "x\\#y",
        "=a",
    ]
)
def test_bash_splits_a_line_into_the_same_words(given_lines: list[str]) -> None:
    sure = [(line, words) for line in given_lines if (words := words_of(line)) is not None]
    script = "show() { printf '%s\\0' \"$@\"; printf '\\1'; }\n" + "\n".join("show " + line for line, _ in sure)
    run = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, timeout=20, check=False, cwd="/")
    said = run.stdout.decode("utf-8", "surrogateescape").split("\1")[:-1]
    # printf of no argument prints one empty word
    expected = ["".join(f"{word}\0" for word in words) or "\0" for _, words in sure]
    assert (said, run.stderr) == (expected, b"")


@given(lines)
def test_a_certain_reading_equals_tree_sitters(line: str) -> None:
    parsed = parse("show " + line)
    if parsed.sure is not None:
        found = [part.texts for part in parsed.seen if part.words]
        assert found == [part.texts for part in parsed.sure if part.words]


@given(st.text(max_size=60) | lines)
def test_any_text_is_split_without_an_error(line: str) -> None:
    parsed = parse(line)
    assert (parsed.sure is None) == bool(parsed.doubt)
