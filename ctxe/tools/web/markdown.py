"""Converting a page's elements to Markdown: headings, lists, code, tables, quotes, links."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urljoin, urlsplit

from ctxe.tools.web.html_tokens import tokens
from ctxe.tools.web.html_tree import BLOCKS, CODE, Node, content, rows, tree

LONGEST_LINK = 300
WIDEST = 30
"""Columns of a table; a wider one becomes lines of text."""
_LANGUAGE = re.compile(r"(?:^|\s|-)(?:(?:language|lang|highlight|source)-|brush:\s*)([\w+#.-]{1,20})", re.I)
Link = Callable[[str], str]
"""Converts the ``href`` of a link to the URL that is shown; empty for a link that is shown as plain text."""


def markdown(html: str, url: str) -> tuple[str, str, bool]:
    """(title, Markdown, whether it was cut) of the page at ``url``. Never raises."""
    root, title, cut = tree(tokens(html))
    return title, "\n\n".join(blocks(content(root), partial(shown, url))), cut


def shown(base: str, href: str) -> str:
    """The URL of a link as it is shown: without the host if it is the page's; empty for places on the same page."""
    try:
        url = urljoin(base, href.strip())
        parts, base_parts = urlsplit(url), urlsplit(base)
        same_host = parts.netloc == base_parts.netloc
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or len(url) > LONGEST_LINK or re.search(r"[\s<>]", url):
        return ""
    if same_host and (parts.path, parts.query) == (base_parts.path, base_parts.query):
        return ""
    return url.removeprefix(f"{parts.scheme}://{parts.netloc}") if same_host else url


def blocks(node: Node, link: Link) -> Iterator[str]:
    """The Markdown blocks of an element, each without blank lines around it."""
    parts: list[str] = []
    for child in node.children:
        if isinstance(child, str) or not (child.name in BLOCKS or child.has_blocks):
            parts.append(inline(child, link))
            continue
        yield from _paragraph(parts)
        parts = []
        yield from _block(child, link)
    yield from _paragraph(parts)


def _paragraph(parts: list[str]) -> Iterator[str]:
    lines = [" ".join(line.split()) for line in "".join(parts).split("\x1f")]
    text = "\n".join(line for line in lines if line)
    if text:
        yield text


def _block(node: Node, link: Link) -> Iterator[str]:
    """The Markdown blocks of one block element."""
    if len(node.name) == 2 and node.name[0] == "h" and node.name[1] in "123456":
        title = " ".join(inline(node, lambda _: "").replace("\x1f", " ").split()).strip("¶#§ ")
        if title:
            yield f"{'#' * int(node.name[1])} {title}"
    elif node.name == "pre":
        yield from _code(node)
    elif node.name in ("ul", "ol", "menu"):
        yield from _list(node, link)
    elif node.name == "table":
        yield from _table(node, link)
    elif node.name == "blockquote":
        quoted = "\n\n".join(blocks(node, link))
        if quoted:
            yield "\n".join(f"> {line}".rstrip() for line in quoted.split("\n"))
    elif node.name == "hr":
        yield "---"
    elif node.name == "dt":
        yield from (f"**{text}**" if "\n" not in text and "**" not in text else text for text in blocks(node, link))
    else:
        yield from blocks(node, link)


def _code(node: Node) -> Iterator[str]:
    """A code block, in a fence longer than any inside it."""
    text = _with_breaks(node).strip("\r\n").replace("\r\n", "\n").replace("\t", "    ").rstrip()
    if not text:
        return
    runs = re.findall(r"^\s*(`{3,})", text, re.M)
    fence = "`" * (max(map(len, runs), default=2) + 1)
    yield f"{fence}{_language(node)}\n{text}\n{fence}"


def _with_breaks(node: Node) -> str:
    if not any(child.name == "br" for child in node.elements()):
        return node.text()
    parts = (
        "\n" if child.name == "br" else _with_breaks(child) if isinstance(child, Node) else child
        for child in (_as_node(item) for item in node.children)
    )
    return "".join(parts)


def _as_node(item: Node | str) -> Node:
    return item if isinstance(item, Node) else Node("", {}, [item])


def _language(node: Node) -> str:
    candidates = [node.attributes, *(inner.attributes for inner in list(node.elements())[:3])]
    for attributes in candidates:
        match = _LANGUAGE.search(attributes.get("class", "")) or re.fullmatch(
            r"([\w+#.-]{1,20})", attributes.get("data-lang", "")
        )
        if match:
            return match[1].lower()
    return ""


def _list(node: Node, link: Link) -> Iterator[str]:
    """A list as one block, the content of items indented."""
    number, ordered, lines = _start(node), node.name == "ol", list[str]()
    for child in node.children:
        if isinstance(child, str) and not child.strip():
            continue
        sign = f"{number}. " if ordered else "- "
        item = child if isinstance(child, Node) and child.name == "li" else Node("li", {}, [child], has_blocks=True)
        item_blocks = list(blocks(item, link))
        if item_blocks:
            text = "\n".join(item_blocks).replace("\n", "\n" + " " * len(sign))
            lines.append(sign + "\n".join(line.rstrip() for line in text.split("\n")))
            number += 1
    if lines:
        yield "\n".join(lines)


def _start(node: Node) -> int:
    start = node.attributes.get("start", "")
    return int(start) if start.isdecimal() and len(start) < 6 else 1


def _table(node: Node, link: Link) -> Iterator[str]:
    """A Markdown table; a table for layout only is converted to the blocks of its content."""
    table_rows = rows(node)
    width = max((len(row) for row in table_rows), default=0)
    nested = any(child.name in ("table", "pre", "ul", "ol", "h1", "h2", "h3") for child in node.elements())
    if nested or width < 2 or width > WIDEST:
        yield from blocks(node, link)
        return
    yield from (
        text
        for child in node.children
        if isinstance(child, Node) and child.name == "caption"
        for text in blocks(child, link)
    )
    lines = [[_cell(cell, link) for cell in row] + [""] * (width - len(row)) for row in table_rows]
    lines.insert(1, ["---"] * width)
    yield "\n".join(f"| {' | '.join(row)} |" for row in lines)


def _cell(node: Node, link: Link) -> str:
    return " ".join(inline(node, link).replace("\x1f", " ").split()).replace("|", "\\|")


def inline(item: Node | str, link: Link) -> str:
    """Inline content as Markdown. A line break becomes the control character 1f, which is removed from page text."""
    if isinstance(item, str):
        return item.replace("\x1f", " ")
    if item.name == "br":
        return "\x1f"
    if item.name == "img":
        words = " ".join(item.attributes.get("alt", "").split())
        return f"[image: {words}]" if words else ""
    if item.name in CODE:
        return _marked(" ".join(item.text().split()), "`")
    text = "".join(inline(inner, link) for inner in item.children)
    if item.name in ("strong", "b"):
        return _marked(text, "**")
    if item.name == "a":
        return _linked(text, link(item.attributes.get("href", "")) if item.attributes.get("href") else "")
    return f" {text} " if item.name in BLOCKS else text


def _marked(text: str, sign: str) -> str:
    bare = text.strip()
    if not bare or sign in bare or "\x1f" in bare:
        return text
    head, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{head}{sign}{bare}{sign}{tail}"


def _linked(text: str, href: str) -> str:
    bare = " ".join(text.split())
    if not href or not bare or bare in ("¶", "#", "§") or "](" in bare:
        return "" if bare in ("¶", "#", "§") else text
    return f"[{bare}]({href})" if bare != href else bare
