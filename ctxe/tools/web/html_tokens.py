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
    position = 0
    while (mark := html.find("<", position)) >= 0:
        if mark > position:
            yield text_of(html[position:mark])
        next_character = html[mark + 1 : mark + 2]
        if html.startswith("<!--", mark):
            position = _past(html, "-->", mark + 2)
        elif next_character in ("!", "?"):
            position = _past(html, ">", mark)
        elif next_character == "/":
            name = _TAG_NAME.match(html, mark + 2)
            position = _past(html, ">", mark)
            if name and position:
                yield Closed(name.group().lower())
        elif next_character.isascii() and next_character.isalpha():
            opened, position = _opened(html, mark)
            if opened is not None:
                yield opened
                if opened.name in RAW and not opened.empty:
                    raw_text, position = _raw(html, opened.name, position)
                    yield raw_text
                    yield Closed(opened.name)
        else:
            yield "<"
            position = mark + 1
        if not position:
            return
    if position < len(html):
        yield text_of(html[position:])


def text_of(text: str) -> str:
    """A text with character references replaced."""
    return unescape(_HUGE_NUMBER.sub("\ufffd", text)) if "&" in text else text


def _past(html: str, end: str, position: int) -> int:
    """The position after the next ``end``; 0 for none."""
    start = html.find(end, position)
    return start + len(end) if start >= 0 else 0


def _opened(html: str, mark: int) -> tuple[Opened | None, int]:
    """The start tag at a position, and the position after it; None and 0 for a tag that never ends."""
    name = _TAG_NAME.match(html, mark + 1)
    assert name is not None
    position, attributes = name.end(), dict[str, str]()
    while True:
        space = _SPACE.match(html, position)
        position = space.end() if space else position
        if position >= len(html):
            return None, 0
        if html[position] == ">":
            return Opened(name.group().lower(), attributes, html[position - 1] == "/"), position + 1
        key, value, position = _attribute(html, position)
        if not position:
            return None, 0
        if len(attributes) < MOST_ATTRIBUTES:
            attributes.setdefault(key.lower(), text_of(value[:LONGEST_VALUE]))


def _attribute(html: str, position: int) -> tuple[str, str, int]:
    """Name and value of an attribute, and the position after it, which is 0 when its quote never closes."""
    match = _ATTRIBUTE.match(html, position)
    if match is None:  # a lone "=", as in <a =>
        return "", "", position + 1
    if not match[2]:
        return match[1], "", match.end(1)
    position = match.end()
    quote = html[position : position + 1]
    if quote in ("'", '"') and quote:
        end = html.find(quote, position + 1)
        return match[1], html[position + 1 : end], end + 1 if end >= 0 else 0
    unquoted = _UNQUOTED.match(html, position)
    assert unquoted is not None
    return match[1], unquoted.group(), unquoted.end()


def _raw(html: str, name: str, position: int) -> tuple[str, int]:
    """The text up to the end tag of a RAW element, and the position after that; 0 when it never ends."""
    end_tag = re.compile(rf"</{name}(?=[\s/>])[^>]*>?", re.IGNORECASE).search(html, position)
    raw_text = html[position : end_tag.start() if end_tag else len(html)]
    return text_of(raw_text) if name in UNESCAPED else raw_text, end_tag.end() if end_tag else 0
