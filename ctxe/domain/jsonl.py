"""JSON as other programs read it, a value a line: what any of them takes for the end of a line is escaped."""

from __future__ import annotations

from typing import Any

LINE_ENDS = {end: f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
"""Besides the control characters that JSON escapes itself (Unicode 17, section 5.8); Python splits lines at each."""


def json_text(value: object, encoding: str = "utf-8", **how: Any) -> str:
    """A value as JSON, non-ASCII as it is; pure ASCII where the encoding cannot hold all of it.

    UTF-8 holds no half of a surrogate pair: Python keeps bytes so that are no text, and JSON may have escaped one.
    """
    import json

    text = json.dumps(value, ensure_ascii=False, **how)
    if text.isascii():
        return text
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(value, **how)
    for end, escaped in LINE_ENDS.items():  # by far faster than a table, letter by letter
        text = text.replace(end, escaped)
    return text
