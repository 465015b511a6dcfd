"""A page as a tree of elements, and its main content without scripts, menus, banners and hidden parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ctxe.domain.value import dataclass, field
from ctxe.lexical.tables import word_set
from ctxe.tools.web.html_tokens import Closed, Opened, Token

VOID = word_set("area base br col embed hr img input link meta param source track wbr")
DEEPEST = 80
"""Deepest nesting of elements; deeper ones become siblings."""
MOST_TOKENS = 150_000
"""Most tokens of a page that are read."""
ENDS: Mapping[str, frozenset[str]] = {
    "li": frozenset({"li"}),
    "dt": frozenset({"dt", "dd"}),
    "dd": frozenset({"dt", "dd"}),
    "tr": frozenset({"tr", "td", "th"}),
    "td": frozenset({"td", "th"}),
    "th": frozenset({"td", "th"}),
    "option": frozenset({"option"}),
    "tbody": frozenset({"tr", "td", "th", "thead", "tbody"}),
    "tfoot": frozenset({"tr", "td", "th", "thead", "tbody"}),
}
"""For a start tag, the open elements that it closes (HTML, 13.1.2.4 optional tags)."""
CONTAINERS = frozenset({"ul", "ol", "dl", "table", "body", "html", "main", "article", "section", "div", "blockquote"})
"""Elements that stop the search for an open element to close."""
ENDS_P = word_set(
    "address article aside blockquote center details dialog div dl fieldset figure footer form h1 h2 h3 h4 h5 h6 header"
    " hr main menu nav ol p pre section table ul"
)
BLOCKS = word_set(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer h1 h2 h3 h4 h5"
    " h6 header hgroup hr html li main menu ol p pre section summary table tbody td tfoot th thead tr ul"
)
DROPPED = word_set(
    "script style noscript template svg math iframe object embed canvas audio video map nav aside footer form button"
    " select input textarea dialog head title xmp noembed noframes datalist label"
)
ROLES = frozenset({"navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alertdialog", "menu"})
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|(?:^|[;\s])opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)", re.I)
_ASIDE = re.compile(
    r"(?:^|[\s_-])(?:cookies?|consent|gdpr|newsletter|subscribe|breadcrumbs?|side-?bar|pagination|share|sharing|social|promo"
    r"|advert(?:isement)?s?|ads?|popup|modal|skip-?(?:link|to-content|nav)|toc|table-of-contents|nav|navbar|menu|headerlink"
    r"|related|comments?|linenos?|line-?numbers?|gutter|edit-?(?:this-)?page|footer|site-header|topbar|sr-only|visually-hidden)"
    r"(?:$|[\s_-])",
    re.I,
)
CODE = word_set("code kbd samp tt")
ENOUGH_CHARACTERS = 200
"""Characters that make a part of the page acceptable as its main content."""


@dataclass(slots=True)
class Node:
    """An element with its children in order. ``has_blocks``: it contains blocks; only ``content`` sets it."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)
    has_blocks: bool = False

    def elements(self) -> Iterator[Node]:
        """Every descendant element, in document order."""
        waiting = [child for child in reversed(self.children) if isinstance(child, Node)]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += [child for child in reversed(node.children) if isinstance(child, Node)]

    def text(self) -> str:
        """All text inside, unchanged."""
        parts, waiting = list[str](), list[Node | str]([self])
        while waiting:
            item = waiting.pop()
            if isinstance(item, str):
                parts.append(item)
            else:
                waiting += reversed(item.children)
        return "".join(parts)


def tree(tokens: Iterator[Token]) -> tuple[Node, str, bool]:
    """The root element of a page, its title, and whether it was longer than MOST_TOKENS tokens."""
    root, title = Node("html"), ""
    open_nodes = [root]
    for number, token in enumerate(tokens):
        if number > MOST_TOKENS:
            return root, title, True
        if isinstance(token, str):
            if open_nodes[-1].name == "title" and not any(node.name == "svg" for node in open_nodes):
                title = title or " ".join(token.split())
            open_nodes[-1].children.append(token)
        elif isinstance(token, Closed):
            _close(open_nodes, token.name)
        else:
            _open(open_nodes, token)
    return root, title, False


def _open(open_nodes: list[Node], token: Opened) -> None:
    if token.name in ENDS_P and any(node.name == "p" for node in open_nodes[-3:]):
        _close(open_nodes, "p")
    if closes := ENDS.get(token.name):
        for place in range(len(open_nodes) - 1, 0, -1):
            if open_nodes[place].name in closes:
                del open_nodes[place:]
            elif open_nodes[place].name in CONTAINERS:
                break
    node = Node(token.name, token.attributes)
    open_nodes[-1].children.append(node)
    if token.name not in VOID and not token.empty and len(open_nodes) < DEEPEST:
        open_nodes.append(node)


def _close(open_nodes: list[Node], name: str) -> None:
    """Close the innermost open element of this name, with everything open inside it."""
    for place in range(len(open_nodes) - 1, 0, -1):
        if open_nodes[place].name == name:
            del open_nodes[place:]
            return


def content(root: Node) -> Node:
    """The main content of a page, without menus and banners; the whole page when that is too little."""
    mains = [node for node in root.elements() if node.name == "main" or node.attributes.get("role") == "main"]
    articles = [node for node in root.elements() if node.name == "article"]
    candidates = [*mains[:1], *(articles if len(articles) == 1 else ()), root]
    every = _without_dropped(root, aside=False, is_page=False)
    enough = min(ENOUGH_CHARACTERS, _length(every) // 2)
    for candidate in candidates:
        reduced = _without_dropped(candidate, aside=True, is_page=candidate is root)
        if _length(reduced) >= max(enough, 1):
            return reduced
    return every


def _length(node: Node) -> int:
    """Characters of the text inside, white space collapsed."""
    return len(" ".join(node.text().split()))


def _without_dropped(node: Node, *, aside: bool, is_page: bool) -> Node:
    """A copy without dropped elements (see ``_is_dropped``)."""
    children: list[Node | str] = []
    for child in node.children:
        if isinstance(child, str):
            children.append(child)
        elif not _is_dropped(child, aside=aside, is_page=is_page):
            children.append(_without_dropped(child, aside=aside, is_page=is_page))
    has_blocks = any(isinstance(child, Node) and (child.name in BLOCKS or child.has_blocks) for child in children)
    return Node(node.name, node.attributes, children, has_blocks and node.name not in CODE)


def _is_dropped(node: Node, *, aside: bool, is_page: bool) -> bool:
    attributes = node.attributes
    if node.name in DROPPED or attributes.get("role", "").lower() in ROLES or is_hidden(attributes):
        return True
    if is_page and aside and node.name == "header":  # of the page; the header inside an article has its title
        return True
    class_and_id = f"{attributes.get('class', '')} {attributes.get('id', '')}"
    return aside and node.name not in ("body", "html", "main", "article") and _ASIDE.search(class_and_id) is not None


def is_hidden(attributes: Mapping[str, str]) -> bool:
    """Whether an element with these attributes is invisible."""
    is_marked = "hidden" in attributes or attributes.get("aria-hidden", "").lower() == "true"
    return is_marked or _HIDDEN.search(attributes.get("style", "")) is not None


def rows(table: Node) -> list[list[Node]]:
    """The cells of a table, row by row, without those of nested tables."""
    table_rows: list[list[Node]] = []
    for row in _descend(table, ("tr",)):
        cells = list(_descend(row, ("td", "th")))
        table_rows += [cells] if cells else []
    return table_rows


def _descend(node: Node, names: Sequence[str]) -> Iterator[Node]:
    for child in node.children:
        if isinstance(child, Node):
            if child.name in names:
                yield child
            elif child.name in ("thead", "tbody", "tfoot"):
                yield from _descend(child, names)
