"""Whatever a host sends: a page is refused only in words, stays within its bound and inside its fence."""

from __future__ import annotations

import contextlib
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from ctxe.context.budget import birth_limit
from ctxe.context.known_lines import VisibleLines
from ctxe.context.tool_output import shown_output
from ctxe.domain.errors import ToolError
from ctxe.safety.addresses import parse_address
from ctxe.safety.display import strip_invisible, visible
from ctxe.storage.vocabulary import count
from ctxe.tools.web.fetch import Fetched
from ctxe.tools.web.page import page

HERE = parse_address("https://x.org/a")
NAMES = (
    "p div b a pre code ul ol li table tr td th h1 h2 h3 main article nav br img blockquote dl dt dd title script svg x"
)
BITS = st.one_of(
    st.sampled_from([f"<{name}>" for name in NAMES.split()] + [f"</{name}>" for name in NAMES.split()]),
    st.sampled_from(
        [
            '<a href="',
            "<a href=/x>",
            "<!--",
            "-->",
            "<![CDATA[",
            "&lt;",
            "&#0;",
            "&#xD800;",
            "<",
            ">",
            '"',
            "</page>",
            "```",
        ]
    ),
    st.sampled_from(
        ["</page>", "&lt;/page&gt;", "\u202e", "\U000e0041", "\x1b[2J", "\x00", "\x1f", "word ", "\n", "# "]
    ),
    st.text(max_size=12),
)
PAGES = st.lists(BITS, max_size=60).map("".join)
KINDS = st.sampled_from(["text/html", "text/plain", "application/json", "", "text/html; charset=utf-16", "text/xml"])


@settings(max_examples=300, deadline=None)
@given(PAGES, KINDS, st.sampled_from([1, 40]), st.text(max_size=20))
def test_broken_pages_are_read_or_refused_in_words(html: str, kind: str, times: int, about: str) -> None:
    data = (html * times).encode("utf-8", "surrogatepass")
    with contextlib.suppress(ToolError):
        found = page(Fetched(HERE, kind, data))
        lines = found.text.split("\n")
        assert lines[0] == '<page from="https://x.org/a">'
        assert lines[-1] == "</page>"
        assert not re.search(r"<\s*/?\s*page\b", "\n".join(lines[1:-1]), re.IGNORECASE)
        assert strip_invisible(found.text)[0] == found.text
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", found.text)
        told = shown_output(found.text, "page", 4_000, count, VisibleLines(), about=about)
        assert count(told.text) <= birth_limit("page", 4_000)
        assert visible(told.text) is not None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), KINDS)
def test_any_bytes_as_a_page_stay_within_bound_and_fence(data: bytes, kind: str) -> None:
    with contextlib.suppress(ToolError):
        page(Fetched(HERE, kind, data))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["https://", "http://", "https://x.org/", "HTTP://[", ""]))
def test_any_address_is_refused_in_words_or_normalised(text: str, begins: str) -> None:
    with contextlib.suppress(ToolError):
        found = parse_address(begins + text)
        assert found.url.isascii()
        assert not re.search(r"\s", found.url)
        assert parse_address(found.url).url == found.url
