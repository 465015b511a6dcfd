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
        found = urljoin(base, href.strip())
        parts, here = urlsplit(found), urlsplit(base)
        own = parts.netloc == here.netloc
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or len(found) > LONGEST_LINK or re.search(r"[\s<>]", found):
        return ""
    if own and (parts.path, parts.query) == (here.path, here.query):
        return ""
    return found.removeprefix(f"{parts.scheme}://{parts.netloc}") if own else found


def blocks(node: Node, link: Link) -> Iterator[str]:
    """The Markdown blocks of an element, each without blank lines around it."""
    words: list[str] = []
    for one in node.inside:
        if isinstance(one, str) or not (one.name in BLOCKS or one.holds):
            words.append(inline(one, link))
            continue
        yield from _paragraph(words)
        words = []
        yield from _block(one, link)
    yield from _paragraph(words)


def _paragraph(words: list[str]) -> Iterator[str]:
    lines = [" ".join(line.split()) for line in "".join(words).split("\x1f")]
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
    if not any(one.name == "br" for one in node.elements()):
        return node.text()
    parts = (
        "\n" if one.name == "br" else _with_breaks(one) if isinstance(one, Node) else one
        for one in (_as_node(each) for each in node.inside)
    )
    return "".join(parts)


def _as_node(one: Node | str) -> Node:
    return one if isinstance(one, Node) else Node("", {}, [one])


def _language(node: Node) -> str:
    named = [node.attributes, *(one.attributes for one in list(node.elements())[:3])]
    for held in named:
        found = _LANGUAGE.search(held.get("class", "")) or re.fullmatch(r"([\w+#.-]{1,20})", held.get("data-lang", ""))
        if found:
            return found[1].lower()
    return ""


def _list(node: Node, link: Link) -> Iterator[str]:
    """A list as one block, the content of items indented."""
    number, ordered, told = _start(node), node.name == "ol", list[str]()
    for one in node.inside:
        if isinstance(one, str) and not one.strip():
            continue
        sign = f"{number}. " if ordered else "- "
        item = one if isinstance(one, Node) and one.name == "li" else Node("li", {}, [one], holds=True)
        held = list(blocks(item, link))
        if held:
            text = "\n".join(held).replace("\n", "\n" + " " * len(sign))
            told.append(sign + "\n".join(line.rstrip() for line in text.split("\n")))
            number += 1
    if told:
        yield "\n".join(told)


def _start(node: Node) -> int:
    start = node.attributes.get("start", "")
    return int(start) if start.isdecimal() and len(start) < 6 else 1


def _table(node: Node, link: Link) -> Iterator[str]:
    """A Markdown table; a table for layout only is converted to the blocks of its content."""
    found = rows(node)
    width = max((len(row) for row in found), default=0)
    nested = any(one.name in ("table", "pre", "ul", "ol", "h1", "h2", "h3") for one in node.elements())
    if nested or width < 2 or width > WIDEST:
        yield from blocks(node, link)
        return
    yield from (
        text for one in node.inside if isinstance(one, Node) and one.name == "caption" for text in blocks(one, link)
    )
    told = [[_cell(cell, link) for cell in row] + [""] * (width - len(row)) for row in found]
    told.insert(1, ["---"] * width)
    yield "\n".join(f"| {' | '.join(row)} |" for row in told)


def _cell(node: Node, link: Link) -> str:
    return " ".join(inline(node, link).replace("\x1f", " ").split()).replace("|", "\\|")


def inline(one: Node | str, link: Link) -> str:
    """Inline content as Markdown. A line break becomes the control character 1f, which is removed from page text."""
    if isinstance(one, str):
        return one.replace("\x1f", " ")
    if one.name == "br":
        return "\x1f"
    if one.name == "img":
        words = " ".join(one.attributes.get("alt", "").split())
        return f"[image: {words}]" if words else ""
    if one.name in CODE:
        return _marked(" ".join(one.text().split()), "`")
    text = "".join(inline(inner, link) for inner in one.inside)
    if one.name in ("strong", "b"):
        return _marked(text, "**")
    if one.name == "a":
        return _linked(text, link(one.attributes.get("href", "")) if one.attributes.get("href") else "")
    return f" {text} " if one.name in BLOCKS else text


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
