"""Renders Markdown as rows for the screen, block by block; imports rich (80 ms), so it is imported only when needed.

Nothing is fetched or hidden: links and images show their whole address, HTML is shown as it is.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich import box
from rich import markdown as rich_markdown
from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from ctxe.domain.pattern import pattern
from ctxe.safety.display import visible
from ctxe.terminal.style import cells, fold, lines, paint

NARROW = 24  # columns below which text is only wrapped: nested lists and tables would have no room
WIDEST = 120  # columns above which prose is hard to read
WORD = 12  # columns of the longest words that a table does not break
TAIL_LINES, TAIL_CHARACTERS = 40, 6_000  # of an unfinished block that are drawn while it grows

THEME = Theme(
    {
        "markdown.h1": "bold underline cyan",
        "markdown.h2": "bold cyan",
        "markdown.h3": "bold",
        "markdown.h4": "italic",
        "markdown.h5": "italic",
        "markdown.h6": "italic",
        "markdown.code": "cyan",
        "markdown.block_quote": "dim",
        "markdown.list": "none",
        "markdown.item.bullet": "cyan",
        "markdown.item.number": "cyan",
        "markdown.link": "none",
        "markdown.link_url": "underline blue",
        "markdown.table.border": "dim",
        "markdown.table.header": "bold",
    }
)
BLANK_END = pattern(r"(?:\x1b\[[0-9;]*m +\x1b\[0m| )+$")
ASCII = str.maketrans({"•": "*", "▌": "|", "─": "-", "━": "-", "…": "~"})


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """CommonMark with tables and strikethrough, and without HTML, which is treated as plain text."""
    return MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])


@lru_cache(maxsize=1)
def _lexer_names() -> frozenset[str]:
    """The languages built into pygments. For others it would search the installed packages on every call."""
    from pygments.lexers import get_all_lexers

    return frozenset(alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases)


class _Code(rich_markdown.CodeBlock):
    """A code block: indented and coloured, without a background."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        name = self.lexer_name.lower() if self.lexer_name.lower() in _lexer_names() else "text"
        code = str(self.text).rstrip().expandtabs(4)
        drawn = Syntax(code, name, theme="ansi_dark", background_color="default", word_wrap=True)
        yield Padding(drawn, (0, 0, 0, 2))


class _Heading(rich_markdown.Heading):
    """A heading, left-aligned."""

    LEVEL_ALIGN: ClassVar = {}


class _Rule(rich_markdown.HorizontalRule):
    """A horizontal rule, set apart like any other block."""

    new_line = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Rule(style="dim", characters="─")


class _Table(rich_markdown.TableElement):
    """A table that wraps long words instead of cutting them, and becomes a list if it would break ordinary ones."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        heads = [cell.content for cell in self.header.row.cells] if self.header and self.header.row else []
        rows = [[cell.content for cell in row.cells] for row in self.body.rows] if self.body else []
        if options.max_width < max(9 * len(heads), _least_width([heads, *rows])):
            for number, row in enumerate(rows or [[Text("") for _ in heads]]):
                yield from [Text()] * bool(number)
                yield from (
                    Text.assemble((head.plain, "bold"), " ", cell) for head, cell in zip(heads, row, strict=True)
                )
            return
        table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, style="markdown.table.border")
        for head in heads:
            head.stylize("markdown.table.header")
            table.add_column(head, overflow="fold")
        for row in rows:
            table.add_row(*row)
        yield table


def _least_width(rows: Sequence[Sequence[Text]]) -> int:
    """The columns below which a table would break words that are no longer than WORD."""
    columns = ([cell.plain for cell in column] for column in zip(*rows, strict=True))
    longest = [max(min(WORD, cells(word)) for text in column for word in text.split() or [""]) for column in columns]
    return sum(longest) + 3 * (len(longest) - 1)


class _Page(rich_markdown.Markdown):
    """rich's Markdown with tokens from our own parser and the elements above."""

    elements: ClassVar = {
        **rich_markdown.Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
        "hr": _Rule,
        "table_open": _Table,
    }

    def __init__(self, text: str) -> None:
        super().__init__("", code_theme="ansi_dark", hyperlinks=False)
        self.parsed = [_cleaned(token) for token in _parser().parse(text)]


def _cleaned(token: Token) -> Token:
    """The token with clean text: the parser decodes entities and addresses only after the text was cleaned."""
    token.content = visible(token.content)
    if "href" in token.attrs:
        token.attrs["href"] = visible(str(token.attrs["href"]))
    if token.children:
        token.children = _addresses_shown([_cleaned(child) for child in token.children])
    return token


def _addresses_shown(tokens: list[Token]) -> list[Token]:
    """The tokens with images as text with their address, and with links as plain text if the text is the address."""
    shown: list[Token] = []
    bare = False
    for index, token in enumerate(tokens):
        if token.type == "image":
            words = f"[image: {token.content}] ({visible(str(token.attrs.get('src', '')))})"
            shown.append(Token("text", "", 0, content=words))
            continue
        if token.type == "link_open":
            bare = index + 1 < len(tokens) and tokens[index + 1].content == token.attrs.get("href")
        if not (bare and token.type in ("link_open", "link_close")):
            shown.append(token)
    return shown


def code(text: str) -> list[str]:
    """The contents of the code blocks in a text."""
    return [token.content for token in _parser().parse(text) if token.type in ("fence", "code_block")]


def split(text: str) -> tuple[str, str]:
    """The finished blocks of a growing text, and its last block, which may still change."""
    clean = visible(text)
    starts = sorted({token.map[0] for token in _parser().parse(clean) if token.level == 0 and token.map})
    if len(starts) < 2:
        return "", text
    rows = text.replace("\r\n", "\n").split("\n")
    return "\n".join(rows[: starts[-1]]) + "\n", "\n".join(rows[starts[-1] :])


def tail(block: str) -> str:
    """The end of a long unfinished block, enough to watch it grow; an open code fence is repeated at its start."""
    rows = block.split("\n")
    if len(rows) <= TAIL_LINES and len(block) <= TAIL_CHARACTERS:
        return block
    end = "\n".join(rows[-TAIL_LINES:])[-TAIL_CHARACTERS:]
    fence = re.match(r" {0,3}(?:`{3,}|~{3,})[^\n]*", block)
    return f"{fence.group()}\n{end}" if fence and not end.startswith(fence.group()) else end


def render(text: str, width: int, color: bool, unicode: bool) -> list[str]:
    """Blocks of Markdown as painted rows of at most ``width`` columns, without blank rows at either end."""
    if width < NARROW:
        return [paint(row, color) for source in lines(text.strip("\n")) for row in fold(source, width)]
    page = Console(
        file=io.StringIO(),
        width=min(width, WIDEST),
        force_terminal=True,
        color_system="standard" if color else None,
        legacy_windows=False,
        theme=THEME,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    with page.capture() as drawn:
        page.print(_Page(visible(text)))
    rows = [BLANK_END.sub("", row) for row in drawn.get().split("\n")]
    while rows and not rows[-1]:
        rows.pop()
    while rows and not rows[0]:
        del rows[0]
    return rows if unicode else [row.translate(ASCII) for row in rows]
