"""HTML as Markdown: the text that a reader of the page would read, without navigation around it."""

from __future__ import annotations

import gc
import time

import pytest

from ctxe.tools.web.html_tokens import Closed, Opened, tokens
from ctxe.tools.web.markdown import markdown, shown

HERE = "https://x.org/docs/a.html?v=1"

PAGE = """<!DOCTYPE html>
<html><head><title>Frobs &mdash; manual</title><style>p { color: red }</style>
<script>if (a <b && "</p>") {}</script></head>
<body class="no-sidebar">
<header><a href="/">Home</a></header>
<nav><ul><li><a href="/one">One</a></ul></nav>
<div id="cookie-consent">We use cookies.</div>
<main>
<h1>Frobs<a class="headerlink" href="#frobs">¶</a></h1>
<p>A <b>frob</b> is made by <code>frob(  1 )</code>; see <a href="../ref?x=1#a">the
reference</a>, <a href="https://other.org/x">others</a>, <a href="#here">below</a>,
<a href="javascript:evil()">this</a>.
<p hidden>Hidden one</p><p style="Display : none">Hidden two</p><p aria-hidden="true">Hidden three</p>
<p>Left <em>open
<h2>Install</h2>
<ul><li>one<li><p>two</p><ul><li>deep <b>er</b></ul></li></ul>
<ol start="3"><li>three<li>four</ol>
<pre><code class="language-python">def f():
\treturn "&lt;a&gt;"   # ```

</code></pre>
<table><thead><tr><th>name<th>value</thead><tbody><tr><td>a|b<td><a href="/t">1</a><br>2<tr><td>lone</table>
<blockquote><p>quoted<p>more</blockquote>
<dl><dt>term<dd>meaning</dl>
<p>one<br>two<img src="x.png" alt="a  shot"><img src="y.png"></p>
<button>Press</button><svg><title>icon</title></svg><form>Search <input></form>
</main>
<footer>Bye</footer></body></html>"""

READ = """# Frobs

A **frob** is made by `frob( 1 )`; see [the reference](/ref?x=1#a), [others](https://other.org/x), below, this.

Left open

## Install

- one
- two
  - deep **er**

3. three
4. four

```python
def f():
    return "<a>"   # ```
```

| name | value |
| --- | --- |
| a\\|b | [1](/t) 2 |
| lone |  |

> quoted
>
> more

**term**

meaning

one
two[image: a shot]"""


def test_a_page_becomes_the_markdown_a_reader_would_see() -> None:
    assert markdown(PAGE, HERE) == ("Frobs \u2014 manual", READ, False)


@pytest.mark.parametrize(
    ("html", "read"),
    [
        ("plain words", "plain words"),
        (
            "a &lt;b&gt; &amp;amp; &#x41;&#66; &unknown; &#99999999999999999999; 1 < 2 <3",
            "a <b> &amp; AB &unknown; \ufffd 1 < 2 <3",
        ),
        ("<p>one<p>two<div>three</div>four", "one\n\ntwo\n\nthree\n\nfour"),
        ("<a href=/x><h2>Linked</h2><p>text</p></a>", "## Linked\n\ntext"),
        ("<pre>a\n  b<br>c</pre>", "```\na\n  b\nc\n```"),
        ("<pre>```\nx\n```</pre>", "````\n```\nx\n```\n````"),
        ('<div class="highlight-rust notranslate"><pre>fn</pre></div>', "```\nfn\n```"),
        ('<pre><code class="sourceCode language-c++">x</code></pre>', "```c++\nx\n```"),
        ("<table><tr><td><table><tr><td>in<td>ner</table><td>out</table>", "| in | ner |\n| --- | --- |\n\nout"),
        ("<ul>loose<li>a<ol><li>b<li>c</ol><li></ul>", "- loose\n- a\n  1. b\n  2. c"),
        ("<h1> </h1><h7>x</h7><hr>", "x\n\n---"),
        ("<b></b><b> x </b>y", "**x** y"),
        ("<title>t</title><body>x<!-- <p>no --> y<!--> z", "x y z"),
        ("<script>never ends", ""),
        ("<p>x<a href='never ends", "x"),
        ("", ""),
        ("<textarea>form</textarea><noscript>enable</noscript>x", "x"),
    ],
)
def test_html_elements_become_markdown(html: str, read: str) -> None:
    assert markdown(html, HERE)[1] == read


def test_the_main_part_is_read_unless_it_holds_too_little() -> None:
    long = "word " * 60
    menu = "<div class='sidebar'>menu</div><div role=navigation>menu</div>"
    assert markdown(f"<header>top</header>{menu}<article><header><h1>T</h1></header>{long}</article>more", HERE)[1] == (
        f"# T\n\n{long.strip()}"
    )
    assert markdown(f"{menu}<div>{long}</div>", HERE)[1] == long.strip()
    assert markdown(f"<main>short</main><div>{long}</div>", HERE)[1] == f"short\n\n{long.strip()}"
    assert markdown(f"<div id=toc>{long}</div>x", HERE)[1] == f"{long.strip()}\n\nx", "better a menu than nothing"


def test_links_are_written_as_short_as_they_resolve() -> None:
    links = {
        "b.html": "/docs/b.html",
        "/c?d": "/c?d",
        "//y.org/z": "https://y.org/z",
        "http://x.org/z": "/z",
        "#there": "",
        "a.html?v=1#there": "",
        "mailto:a@x.org": "",
        "data:text/html,x": "",
        "https://[bad/": "",
        "https://x.org/" + "a" * 400: "",
        "https://x.org/a b": "",
    }
    assert {href: shown(HERE, href) for href in links} == links


def test_html_tokens_match_those_of_a_browser() -> None:
    found = list(tokens("<A HREF=x Href=y data-a='\"' b=c\"d e/>t</A x><br/><style></STYLE><p>"))
    opened = Opened("a", {"href": "x", "data-a": '"', "b": 'c"d', "e": ""}, True)
    assert found == [
        opened,
        "t",
        Closed("a"),
        Opened("br", {}, True),
        Opened("style"),
        "",
        Closed("style"),
        Opened("p"),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        "<div>" * 300_000,
        "<ul><li>" * 200_000 + "x",
        "<b>" * 400_000 + "x",
        "<a " + " ".join(f"x{n}=1" for n in range(200_000)) + ">",
        "<a " * 500_000,
        "<a b='" * 300_000,
        "<!--" * 400_000,
        "<![CDATA[" * 200_000,
        "</a " * 400_000,
        "<title>" * 200_000,
        "&#" + "9" * 1_900_000 + ";",
        "<" * 1_900_000,
        "<pre>" + "`" * 1_900_000,
        "<table>" + "<tr><td>x" * 200_000,
        "<p class='" + "ad " * 600_000 + "'>x",
    ],
    ids=lambda bad: bad[:9],
)
def test_a_page_is_converted_in_linear_time(bad: str) -> None:
    """Four times the length takes about four times as long, however fast the machine is; squared it were sixteen."""

    def spent(length: int) -> float:
        gc.disable()  # else garbage is looked for in all that other tests have left
        began = time.process_time()
        markdown(bad[:length], HERE)
        gc.enable()
        return time.process_time() - began

    assert any(spent(250_000) < 0.2 + 7 * spent(62_500) for _ in range(3))  # the machine itself may slow down between
