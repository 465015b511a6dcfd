"""JSON, one value per line, for other programs: every character that one of them takes for a line end is escaped."""

from __future__ import annotations

from typing import Any

LINE_ENDS = {end: f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
"""Line ends besides the control characters that JSON escapes (Unicode 17, section 5.8); Python splits lines at each."""


def json_text(value: object, encoding: str = "utf-8", **how: Any) -> str:
    """A value as JSON, with non-ASCII as it is; pure ASCII if the encoding cannot represent all of it.

    UTF-8 cannot encode a lone surrogate: Python keeps undecodable bytes as such, and JSON may contain an escaped one.
    """
    import json

    text = json.dumps(value, ensure_ascii=False, **how)
    if text.isascii():
        return text
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(value, **how)
    for end, escaped in LINE_ENDS.items():  # far faster than str.translate
        text = text.replace(end, escaped)
    return text
