"""Front matter parsed line by line, tolerant of errors, and rewritten so that only the lines of changed keys differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.knowledge.entries.scalars import Value, emit, quick, thorough

BOM = b"\xef\xbb\xbf"
MOST_LINES = 2_000
QUOTED = frozenset({"id", "supersedes"})
"""Keys whose values other YAML readers would take for numbers; always quoted."""
_KEY = pattern(rb"""(?:"([^"\\\r\n]+)"|'([^'\r\n]+)'|([A-Za-z_][\w.-]*(?: [\w.-]+)*))[ \t]*:(?:[ \t]+|(?=\r?\n?\Z))""")
_GOES_ON = pattern(rb"[ \t]+\S|-(?:[ \t]|\r?\n?\Z)")
_MARK = pattern(rb"(<{7}|\|{7}|={7}|>{7})(?: .*)?\r?\n?\Z", re.DOTALL)
_CONFLICT = pattern(rb"^<{7} .*?^>{7} ", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FrontField:
    """One key, its value, and the lines ``[first, last)`` that hold it."""

    key: str
    value: Value
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class FrontPage:
    """A parsed file; opening, lines, closing and body joined are its original bytes."""

    opening: bytes
    lines: tuple[bytes, ...]
    closing: bytes
    body: bytes
    fields: tuple[FrontField, ...]
    problems: tuple[str, ...]

    def values(self) -> dict[str, Value]:
        """The value of each key; of a key that occurs twice, the last."""
        return {field.key: field.value for field in self.fields}

    @property
    def newline(self) -> bytes:
        """The file's line ending, taken from its first line."""
        first = self.opening or self.body.split(b"\n", 1)[0] + b"\n"
        return b"\r\n" if first.endswith(b"\r\n") else b"\n"

    def text(self) -> str:
        """The body as text: LF line endings, no NULs, no blank lines at either end."""
        body = self.body if self.opening else self.body.removeprefix(BOM)
        text = body.decode("utf-8", "replace")
        return text.replace("\r\n", "\n").replace("\0", "").strip("\n")


def parse(data: bytes) -> FrontPage:
    """Parse a file. Never raises: text that cannot be parsed is kept as text and reported in ``problems``."""
    problems = list(_damage(data))
    opening, lines, closing, body = _split_file(data, problems)
    fields = tuple(_fields(lines, problems))
    names = [field.key for field in fields]
    problems += [f"`{name}` is written more than once" for name in dict.fromkeys(names) if names.count(name) > 1]
    return FrontPage(opening, tuple(lines), closing, body, fields, tuple(problems))


def rewrite(data: bytes, changes: Mapping[str, Value | None], text: str | None = None) -> bytes:
    """The file with these keys set (None removes one) and, if given, this body; every other byte is kept."""
    page = parse(data)
    newline = page.newline
    lines = _updated_lines(page, changes, newline)
    body = page.body
    if text is not None and text != page.text():
        body = text.encode("utf-8", "replace").replace(b"\n", newline) + newline
    if not page.opening and not lines:
        return data if body is page.body else body
    opening = page.opening or (BOM if data.startswith(BOM) else b"") + b"---" + newline
    if lines and not opening.endswith(b"\n"):
        opening += newline
    closing = page.closing if page.opening else b"---" + newline
    if body and closing and not closing.endswith(b"\n"):
        closing += newline
    return opening + b"".join(lines) + closing + (body if page.opening else body.removeprefix(BOM))


def _damage(data: bytes) -> Iterator[str]:
    if b"\0" in data:
        yield "it holds NUL bytes"
    if _CONFLICT.search(data):
        yield "it holds unresolved merge markers"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        yield f"line {line} is not UTF-8"


def _split_file(data: bytes, problems: list[str]) -> tuple[bytes, list[bytes], bytes, bytes]:
    """(opening, front matter lines, closing, body); all but the body are empty without front matter."""
    start = len(BOM) if data.startswith(BOM) else 0
    end = data.find(b"\n", start) + 1 or len(data)
    if data[start:end].rstrip() != b"---":
        return b"", [], b"", data
    opening = data[:end]
    lines: list[bytes] = []
    while end < len(data) and len(lines) < MOST_LINES:
        start, end = end, data.find(b"\n", end) + 1 or len(data)
        line = data[start:end]
        if line[:3] in (b"---", b"...") and line.rstrip() in (b"---", b"..."):
            return opening, lines, line, data[end:]
        lines.append(line)
    problems.append("its front matter is never closed with ---")
    blank = next((n for n, line in enumerate(lines) if not line.strip()), len(lines))
    kept = lines[:blank]
    return opening, kept, b"", data[len(opening) + sum(map(len, kept)) :]


def _fields(lines: list[bytes], problems: list[str]) -> Iterator[FrontField]:
    """The keys in order. Of conflicting merge sides only the first is read."""
    at, other_side = 0, False
    while at < len(lines):
        line = lines[at]
        mark = _MARK.match(line) if line[:1] in b"<|=>" else None
        if mark:
            other_side = mark[1][:1] in b"|="
        match = None if mark or other_side else _KEY.match(line)
        if not match:
            if not (mark or other_side) and line.strip() and line.lstrip()[:1] != b"#":
                problems.append(f"line {at + 2} is not `key: value`")
            at += 1
            continue
        last = _value_end(lines, at + 1)
        key = next(part for part in match.groups() if part).decode("utf-8", "replace")
        yield FrontField(key, _value(line[match.end() :], lines[at + 1 : last], at + 2, problems), at, last)
        at = last


def _value_end(lines: list[bytes], at: int) -> int:
    """Where the lines that continue a value end. Blank lines and comments are part of it if more of it follows."""
    last = at
    while at < len(lines):
        line = lines[at]
        at += 1
        if _GOES_ON.match(line):
            last = at
        elif line.strip() and line[:1] != b"#":
            break
    return last


def _value(head: bytes, rest: list[bytes], number: int, problems: list[str]) -> Value:
    """The value after the colon with its continuation lines; plain text if it is not valid YAML."""
    first = head.decode("utf-8", "replace").strip(" \t\r\n")
    more = tuple(line.decode("utf-8", "replace").rstrip("\r\n") for line in rest)
    value = quick(first, more)
    if value is not None:
        return value
    value = thorough(first, more)
    if value is not None:
        return value
    problems.append(f"line {number} is not YAML and was read as text")
    return "\n".join((first, *(line.strip() for line in more))).replace("\0", "").strip()


def _updated_lines(page: FrontPage, changes: Mapping[str, Value | None], newline: bytes) -> list[bytes]:
    """The lines of the front matter with the changed keys replaced, removed (None) or added at the end."""
    by_key = {field.key: field for field in page.fields}
    lines: list[bytes | None] = list(page.lines)
    added: list[bytes] = []
    for key, value in changes.items():
        field = by_key.get(key)
        if field and field.value == value:
            continue
        new = b"" if value is None else _line(key, value, newline)
        if field:
            lines[field.first : field.last] = [new, *([None] * (field.last - field.first - 1))]
        elif new:
            added.append(new)
    kept = [line for line in lines if line is not None]
    if added and kept and not kept[-1].endswith(b"\n"):
        kept[-1] += newline
    # Before any merge conflict: lines after its markers may belong to the side that is not read.
    at = next((n for n, line in enumerate(kept) if _MARK.match(line)), len(kept))
    return kept[:at] + added + kept[at:]


def _line(key: str, value: Value, newline: bytes) -> bytes:
    line = f"{key}: {emit(value, quoted=key in QUOTED)}\n"
    return line.encode("utf-8", "replace").replace(b"\n", newline)
