"""Splitting HTML into tokens in one pass, so that the time is linear for any input."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass, field

RAW = frozenset(("script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "textarea", "title"))
"""Elements whose content is text up to their end tag."""
UNESCAPED = ("textarea", "title")
MOST_ATTRIBUTES = 60
LONGEST_VALUE = 4_000

_TAG_NAME = pattern(r"[a-zA-Z][^\s/>]*")
_SPACE = pattern(r"[\s/]*")
_ATTRIBUTE = pattern(r"([^\s/>][^\s/>=]*)(\s*=\s*)?")
_UNQUOTED = pattern(r"[^\s>]*")
_HUGE_NUMBER = pattern(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{7,});?")


@dataclass(frozen=True, slots=True)
class Opened:
    """A start tag: its name in lower case, its attributes with unescaped values (the first of each name)."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Closed:
    """An end tag."""

    name: str


Token = str | Opened | Closed
"""A str is text, unescaped."""


def tokens(html: str) -> Iterator[Token]:
    """The tokens of a page, split as a browser does, without comments. A tag that never ends drops the rest."""
    at = 0
    while (mark := html.find("<", at)) >= 0:
        if mark > at:
            yield text_of(html[at:mark])
        after = html[mark + 1 : mark + 2]
        if html.startswith("<!--", mark):
            at = _past(html, "-->", mark + 2)
        elif after in ("!", "?"):
            at = _past(html, ">", mark)
        elif after == "/":
            name = _TAG_NAME.match(html, mark + 2)
            at = _past(html, ">", mark)
            if name and at:
                yield Closed(name.group().lower())
        elif after.isascii() and after.isalpha():
            opened, at = _opened(html, mark)
            if opened is not None:
                yield opened
                if opened.name in RAW and not opened.empty:
                    inside, at = _raw(html, opened.name, at)
                    yield inside
                    yield Closed(opened.name)
        else:
            yield "<"
            at = mark + 1
        if not at:
            return
    if at < len(html):
        yield text_of(html[at:])


def text_of(text: str) -> str:
    """A text with character references replaced."""
    return unescape(_HUGE_NUMBER.sub("\ufffd", text)) if "&" in text else text


def _past(html: str, end: str, at: int) -> int:
    """The position after the next ``end``; 0 for none."""
    found = html.find(end, at)
    return found + len(end) if found >= 0 else 0


def _opened(html: str, mark: int) -> tuple[Opened | None, int]:
    """The start tag at a position, and the position after it; None and 0 for a tag that never ends."""
    name = _TAG_NAME.match(html, mark + 1)
    assert name is not None
    at, held = name.end(), dict[str, str]()
    while True:
        space = _SPACE.match(html, at)
        at = space.end() if space else at
        if at >= len(html):
            return None, 0
        if html[at] == ">":
            return Opened(name.group().lower(), held, html[at - 1] == "/"), at + 1
        key, value, at = _attribute(html, at)
        if not at:
            return None, 0
        if len(held) < MOST_ATTRIBUTES:
            held.setdefault(key.lower(), text_of(value[:LONGEST_VALUE]))


def _attribute(html: str, at: int) -> tuple[str, str, int]:
    """Name and value of an attribute, and the position after it, which is 0 when its quote never closes."""
    found = _ATTRIBUTE.match(html, at)
    if found is None:  # a lone "=", as in <a =>
        return "", "", at + 1
    if not found[2]:
        return found[1], "", found.end(1)
    at = found.end()
    quote = html[at : at + 1]
    if quote in ("'", '"') and quote:
        end = html.find(quote, at + 1)
        return found[1], html[at + 1 : end], end + 1 if end >= 0 else 0
    plain = _UNQUOTED.match(html, at)
    assert plain is not None
    return found[1], plain.group(), plain.end()


def _raw(html: str, name: str, at: int) -> tuple[str, int]:
    """The text up to the end tag of a RAW element, and the position after that; 0 when it never ends."""
    found = re.compile(rf"</{name}(?=[\s/>])[^>]*>?", re.IGNORECASE).search(html, at)
    inside = html[at : found.start() if found else len(html)]
    return text_of(inside) if name in UNESCAPED else inside, found.end() if found else 0
