"""Front matter values, all strings: a fast parser for plain forms, YAML for the rest, and one writer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from ctxe.domain.pattern import pattern

Value = str | tuple[str, ...]

YAML_LIMIT = 16_384
"""Longest value, in characters, given to the YAML parser; a longer one that is not plain is taken as text."""
NEST_LIMIT = 20

_CONTROL = pattern("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
"""Characters that no plain form below may contain. They are checked once, before the forms: each character class that
excluded them would take milliseconds to compile."""
_START = r"""[^\s\-?:,\[\]{}#&*!|>'"%@`]"""
_IN_FLOW = r"[^?:#,\[\]{}]|:(?=[^\s,\[\]{}])"
_IN_LIST = rf"""(?:"[^"\\]*"|'[^']*'|{_START}(?:{_IN_FLOW})*)"""
_ITEM = pattern(_IN_LIST)
_PLAIN = pattern(rf"{_START}(?:[^:#]|:(?=\S)|(?<=\S)\#)*")
_DOUBLE, _SINGLE = pattern(r'"([^"\\]*)"'), pattern("'([^']*)'")
_FLOW = pattern(rf"\[ *(?:{_IN_LIST} *(?:, *{_IN_LIST} *)*)?\]")
_BULLET = pattern(r"( *)- +(\S.*)")
_WORDS = r"true|false|yes|no|on|off|y|n|null|none|~|\.inf|\.nan"
_OTHER_TYPE = pattern(rf"(?i)(?:{_WORDS}|[-+.]?\d[\d_.,:eExXa-fA-F+-]*)")
_ESCAPED = pattern("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def quick(first: str, more: Sequence[str] = ()) -> Value | None:
    """A value in one of the usual plain forms, without the YAML parser; None when only YAML can tell.

    ``first`` is the stripped text after the colon; ``more`` are the lines that continue it, without line endings.
    """
    if not more:
        return _flow_list(first) if first[:1] == "[" else _scalar(first)
    if not first:
        return _bullet_list(more)
    return _literal_block(more) if first == "|-" else None


def thorough(first: str, more: Sequence[str] = ()) -> Value | None:
    """The value by YAML, with every scalar a string; None if YAML rejects it. Nesting below a list is kept as text."""
    text = "\n".join(("k: " + first, *more))
    if len(text) > YAML_LIMIT or sum(map(text.count, "[{")) > NEST_LIMIT or "- " * NEST_LIMIT in text:
        return None
    import yaml

    try:
        # BaseLoader makes only strings, lists and mappings of strings.
        value = yaml.load(text, Loader=yaml.BaseLoader)["k"]  # noqa: S506
    except (yaml.YAMLError, RecursionError, ValueError, TypeError, KeyError):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return "\n".join((first, *more)).strip("\n")


def emit(value: Value, *, quoted: bool = False) -> str:
    """YAML that parses back to this value: plain if unambiguous, else quoted or a literal block."""
    if isinstance(value, tuple):
        return "[" + ", ".join(_item(item, quoted) for item in value) + "]"
    if quoted:
        return _quoted(value)
    if "\n" in value and _fits_block(value):
        return "|-\n" + "\n".join("  " + line if line else "" for line in value.split("\n"))
    return value if _can_be_plain(value) else _quoted(value)


def _scalar(text: str) -> str | None:
    """A plain or quoted scalar; None if it needs YAML."""
    if not text:
        return ""
    if not _all_visible(text):
        return None
    quote = text[0]
    if quote in "\"'":
        match = (_DOUBLE if quote == '"' else _SINGLE).fullmatch(text)
        return match[1] if match else None
    return text if _PLAIN.fullmatch(text) else None


def _all_visible(text: str) -> bool:
    """Whether every character is visible: no control character, lone surrogate or byte order mark."""
    return (text.isascii() and text.isprintable()) or not _CONTROL.search(text)


def _flow_list(text: str) -> Value | None:
    if not (_all_visible(text) and _FLOW.fullmatch(text)):
        return None
    return tuple(item[1:-1] if item[0] in "\"'" else item.rstrip(" ") for item in _ITEM.findall(text[1:-1]))


def _bullet_list(more: Sequence[str]) -> Value | None:
    """A list written as bullets with the same indentation; None for any other form."""
    items, indents = [], set()
    for line in more:
        match = _BULLET.fullmatch(line.rstrip())
        item = _scalar(match[2]) if match and match[2][0] != "[" else None
        if match is None or item is None:
            return None
        indents.add(match[1])
        items.append(item)
    return tuple(items) if len(indents) == 1 else None


def _literal_block(more: Sequence[str]) -> str | None:
    """A literal block as ``emit`` writes it: indented by two spaces, first line no deeper. None for any other form."""
    if more[0][:2] != "  " or more[0][2:3] in ("", " ", "\t"):
        return None
    if any(line and line[:2] != "  " for line in more):
        return None
    text = "\n".join(line[2:] for line in more).rstrip("\n")
    return text if _fits_block(text) else None


def _fits_block(text: str) -> bool:
    if text[:1] in ("", " ", "\t", "\n") or text[-1] == "\n" or re.search(r"^[ \t]+$", text, re.MULTILINE):
        return False
    return _all_visible(text.replace("\n", ""))


def _item(text: str, quoted: bool) -> str:
    return text if not quoted and _can_be_plain(text) and _ITEM.fullmatch(text) else _quoted(text)


def _can_be_plain(text: str) -> bool:
    return (
        _all_visible(text) and bool(_PLAIN.fullmatch(text)) and text == text.strip() and not _OTHER_TYPE.fullmatch(text)
    )


def _quoted(text: str) -> str:
    words = json.dumps(text, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", words)
