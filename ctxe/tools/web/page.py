"""Turning a fetched page into text for a model: decoded, HTML converted to Markdown, fenced with its URL."""

from __future__ import annotations

import json
import re

from ctxe.domain.errors import ToolError
from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.knowledge.fence import fence
from ctxe.safety.display import one_line
from ctxe.tools.web.fetch import MOST_BYTES, Fetched

TAG = "page"
LONG_LINE = 2_000
"""Characters of a JSON line above which it is reformatted to several lines."""
_HEADING = pattern(r"(?m)^# ")
_HTML = pattern(r"\s*(?:<!doctype html|<html[\s>])")
_CHARSET = pattern(r"charset\s*=\s*[\"']?([\w:.-]{2,40})")
_CHARSETS = (
    r"utf-?8|us-ascii|ascii|utf-?16(?:le|be)?|iso-?8859-\d{1,2}|latin-?\d|windows-?12\d\d|cp12\d\d|shift[-_]?jis|sjis"
    r"|euc-?(?:jp|kr)|gb2312|gbk|gb18030|big5|koi8-?[ru]|tis-?620|macintosh"
)
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page as a model reads it: ``text`` is fenced Markdown, ``bytes`` the size received, ``notices`` are for people.

    ``hidden``: invisible characters were removed.
    """

    url: str
    text: str
    bytes: int
    title: str = ""
    notices: tuple[str, ...] = ()
    hidden: bool = False


def page(fetched: Fetched) -> WebPage:
    """Convert a fetched page. Raises ToolError for binary content and for a page without words."""
    text = decoded(fetched.data, fetched.type)
    title, cut = "", fetched.cut
    if _is_html(fetched.type, text):
        from ctxe.tools.web.markdown import markdown

        title, text, was_cut = markdown(text, fetched.address.url)
        cut = cut or was_cut
        if title and not _HEADING.search(text):
            text = f"# {one_line(title)}\n\n{text}" if text else ""
    elif "json" in fetched.type.lower():
        text = _in_lines(text)
    if not text.strip():
        raise ToolError(f"{fetched.address.url} has no readable text: a script in a browser may create it")
    notes = [f"only the first {MOST_BYTES // 1_000_000} MB were read"] if cut else []
    fenced = fence(text, fetched.address.url, TAG, note=", ".join(notes))
    notices = (*fenced.notices, *notes)
    return WebPage(
        fetched.address.url, fenced.text, len(fetched.data), one_line(title, 120), notices, bool(fenced.notices)
    )


def decoded(data: bytes, kind: str) -> str:
    """Decode by byte order mark, the host's header, the page's own declaration, else as UTF-8 or Windows-1252."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    if b"\0" in data[:4_000]:
        raise ToolError("it is binary, not text")
    head = data[:2_000].decode("latin-1")
    for source in (kind, head):
        match = _CHARSET.search(source)
        if match and re.fullmatch(_CHARSETS, match[1], re.IGNORECASE):
            try:
                return data.decode(match[1], "replace")
            except LookupError:
                continue
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        is_utf8 = len(data) == MOST_BYTES and error.start >= len(data) - 4  # cut inside a character
        return data.decode("utf-8" if is_utf8 else "cp1252", "replace")


def _is_html(kind: str, text: str) -> bool:
    name = kind.partition(";")[0].strip().lower()
    if name in ("text/html", "application/xhtml+xml"):
        return True
    return name in ("", "text/plain") and _HTML.match(text.lower()[:500]) is not None


def _in_lines(text: str) -> str:
    """JSON on one long line, reformatted so that it can be trimmed by lines; other JSON unchanged."""
    if max(map(len, text.split("\n"))) < LONG_LINE:
        return text
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
