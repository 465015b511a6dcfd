"""A page as a tree of elements, and its main content without scripts, menus, banners and hidden parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ctxe.domain.value import dataclass, field
from ctxe.lexical.tables import word_set
from ctxe.tools.web.html_tokens import Closed, Opened, Token

VOID = word_set("area base br col embed hr img input link meta param source track wbr")
DEEPEST = 80
"""Nesting of elements, at most; deeper ones become siblings."""
MOST = 150_000
"""Tokens of a page that are read, at most."""
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
HOLDS = frozenset({"ul", "ol", "dl", "table", "body", "html", "main", "article", "section", "div", "blockquote"})
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
ENOUGH = 200
"""Characters that make a part of the page acceptable as its main content."""


@dataclass(slots=True)
class Node:
    """An element with its children in order. ``holds``: it contains blocks; only ``content`` sets it."""

    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    inside: list[Node | str] = field(default_factory=list)
    holds: bool = False

    def elements(self) -> Iterator[Node]:
        """Every descendant element, in document order."""
        waiting = [one for one in reversed(self.inside) if isinstance(one, Node)]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += [one for one in reversed(node.inside) if isinstance(one, Node)]

    def text(self) -> str:
        """All text inside, unchanged."""
        parts, waiting = list[str](), list[Node | str]([self])
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                parts.append(one)
            else:
                waiting += reversed(one.inside)
        return "".join(parts)


def tree(found: Iterator[Token]) -> tuple[Node, str, bool]:
    """The root element of a page, its title, and whether it was longer than MOST tokens."""
    root, title = Node("html"), ""
    open_ = [root]
    for number, token in enumerate(found):
        if number > MOST:
            return root, title, True
        if isinstance(token, str):
            if open_[-1].name == "title" and not any(node.name == "svg" for node in open_):
                title = title or " ".join(token.split())
            open_[-1].inside.append(token)
        elif isinstance(token, Closed):
            _close(open_, token.name)
        else:
            _open(open_, token)
    return root, title, False


def _open(open_: list[Node], token: Opened) -> None:
    if token.name in ENDS_P and any(node.name == "p" for node in open_[-3:]):
        _close(open_, "p")
    if ends := ENDS.get(token.name):
        for place in range(len(open_) - 1, 0, -1):
            if open_[place].name in ends:
                del open_[place:]
            elif open_[place].name in HOLDS:
                break
    node = Node(token.name, token.attributes)
    open_[-1].inside.append(node)
    if token.name not in VOID and not token.empty and len(open_) < DEEPEST:
        open_.append(node)


def _close(open_: list[Node], name: str) -> None:
    """Close the innermost open element of this name, with everything open inside it."""
    for place in range(len(open_) - 1, 0, -1):
        if open_[place].name == name:
            del open_[place:]
            return


def content(root: Node) -> Node:
    """The main content of a page, without menus and banners; the whole page when that is too little."""
    mains = [node for node in root.elements() if node.name == "main" or node.attributes.get("role") == "main"]
    articles = [node for node in root.elements() if node.name == "article"]
    candidates = [*mains[:1], *(articles if len(articles) == 1 else ()), root]
    every = _kept(root, aside=False, whole=False)
    enough = min(ENOUGH, _length(every) // 2)
    for candidate in candidates:
        kept = _kept(candidate, aside=True, whole=candidate is root)
        if _length(kept) >= max(enough, 1):
            return kept
    return every


def _length(node: Node) -> int:
    """Characters of the text inside, white space collapsed."""
    return len(" ".join(node.text().split()))


def _kept(node: Node, *, aside: bool, whole: bool) -> Node:
    """A copy without dropped elements (see ``_passed_over``)."""
    inside: list[Node | str] = []
    for one in node.inside:
        if isinstance(one, str):
            inside.append(one)
        elif not _passed_over(one, aside=aside, whole=whole):
            inside.append(_kept(one, aside=aside, whole=whole))
    holds = any(isinstance(one, Node) and (one.name in BLOCKS or one.holds) for one in inside)
    return Node(node.name, node.attributes, inside, holds and node.name not in CODE)


def _passed_over(node: Node, *, aside: bool, whole: bool) -> bool:
    held = node.attributes
    if node.name in DROPPED or held.get("role", "").lower() in ROLES or is_hidden(held):
        return True
    if whole and aside and node.name == "header":  # of the page; one inside of an article has its title
        return True
    named = f"{held.get('class', '')} {held.get('id', '')}"
    return aside and node.name not in ("body", "html", "main", "article") and _ASIDE.search(named) is not None


def is_hidden(held: Mapping[str, str]) -> bool:
    """Whether an element with these attributes is invisible."""
    gone = "hidden" in held or held.get("aria-hidden", "").lower() == "true"
    return gone or _HIDDEN.search(held.get("style", "")) is not None


def rows(table: Node) -> list[list[Node]]:
    """The cells of a table, row by row, without those of nested tables."""
    found: list[list[Node]] = []
    for row in _own(table, ("tr",)):
        cells = list(_own(row, ("td", "th")))
        found += [cells] if cells else []
    return found


def _own(node: Node, names: Sequence[str]) -> Iterator[Node]:
    for one in node.inside:
        if isinstance(one, Node):
            if one.name in names:
                yield one
            elif one.name in ("thead", "tbody", "tfoot"):
                yield from _own(one, names)
