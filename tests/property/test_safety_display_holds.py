"""Whatever the text: no dangerous character is left, and nothing else is lost."""

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from ctxe.safety.display import exact, strip_invisible, visible

ODD = "\x1b\x9b\x9d\x90\x07\r\n\t\\[]P;0mJ\u200d\u200c\u200e\u202e\ufe0f\U000e0041❤🏴अش1a ‹\u00a0\ud800"
texts = st.text() | st.text(alphabet=ODD, max_size=40)


def controls(text: str) -> list[str]:
    return [c for c in text if unicodedata.category(c) in {"Cc", "Zl", "Zp", "Cs"} and c not in "\n\t"]


@given(texts)
@example("\x1b\x1b[m[2J")
def test_no_control_character_survives(text: str) -> None:
    assert controls(visible(text)) == []
    assert controls(exact(text)) == []


@given(texts)
def test_visible_text_has_no_added_lines(text: str) -> None:
    assert visible(text).count("\n") <= text.count("\n")


@given(texts)
def test_clean_text_is_untouched(text: str) -> None:
    # whether a direction mark belongs depends on how near right-to-left letters are, which spelling out changes
    once = visible(text.translate(dict.fromkeys(map(ord, "\u200e\u200f\u061c"))))
    assert visible(once) == once


@given(texts)
def test_stripping_takes_only_what_it_reports(text: str) -> None:
    clean, found = strip_invisible(text)
    assert len(clean) + sum(hidden.count for hidden in found) + text.startswith("\ufeff") == len(text)
    assert strip_invisible(clean) == (clean, ())


@given(st.text(alphabet=st.characters(codec="ascii", min_codepoint=32, max_codepoint=126)))
def test_exact_loses_no_visible_character(text: str) -> None:
    assert exact(text).split("‹")[0] == text.split(" " * 17, maxsplit=1)[0]
