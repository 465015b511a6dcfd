"""Fetching a page: what is sent, what is followed, what is bounded, and who may reach which address."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.errors import ToolError
from ctxe.safety.addresses import is_allowed, parse_address
from ctxe.tools.web.fetch import MOST_BYTES, MOST_REDIRECTS, Fetched, Web
from ctxe.tools.web.transport import WebTransport, proxy_for
from tests.authority import OPENSSL, own_authority
from tests.pages import PageServer, Sent, html, moved

TEXT = {"Content-Type": "text/plain"}


def user(server: PageServer, path: str, **more: Any) -> Fetched:
    return Web(**more).get(parse_address(server.url + path), asked=True)


def test_a_page_is_requested_without_cookies_or_a_referrer() -> None:
    with PageServer({"/": moved("/a"), "/a": html("<p>hi")}) as server:
        came = user(server, "/")
        assert came == Fetched(parse_address(f"{server.url}/a"), "text/html; charset=utf-8", b"<p>hi")
        assert server.asked == ["/", "/a"]
        for sent in server.headers:
            assert sent.keys() == {"host", "user-agent", "accept", "accept-encoding"}
            assert sent["host"] == server.host


def test_redirects_stay_on_the_host_and_are_limited() -> None:
    pages = {f"/{n}": moved(f"/{n + 1}") for n in range(9)} | {
        "/out": moved("http://example.org/x"),
        "/me": moved("/me"),
    }
    with PageServer(pages) as server:
        with pytest.raises(ToolError, match=r"another host: http://example\.org/x; ask for that"):
            user(server, "/out")
        with pytest.raises(ToolError, match="more than 5 times"):
            user(server, "/me")
        server.asked.clear()
        with pytest.raises(ToolError, match="more than 5 times"):
            user(server, "/0")
        assert len(server.asked) == MOST_REDIRECTS + 1
        with pytest.raises(ToolError, match="another host"):
            Web().get(parse_address(server.url.replace("127.0.0.1", "localhost") + "/out"), asked=True)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (Sent(b"x", 404), "answered 404: there is no such page"),
        (Sent(b"x", 500), "answered 500"),
        (Sent(b"x", headers={"Content-Type": "image/png"}), "answered with image/png; only text"),
        (Sent(b"x", headers={"Content-Type": "application/octet-stream"}), "only text, HTML, JSON and XML"),
        (Sent(b"x", headers=TEXT | {"Content-Encoding": "br"}), r"was not asked for \(br\)"),
        (Sent(b"x", headers=TEXT | {"Content-Encoding": "gzip"}), "compressed bytes cannot be read"),
    ],
)
def test_content_other_than_text_is_refused_with_the_reason(sent: Sent, why: str) -> None:
    with PageServer({"/": sent}) as server, pytest.raises(ToolError, match=why):
        user(server, "/")


def test_a_page_is_read_up_to_a_limit_compressed_or_not() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    raw = zlib.compressobj(wbits=-15)
    odd = raw.compress(b"hello") + raw.flush()
    pages = {
        "/long": Sent(b"a" * (MOST_BYTES + 9), headers=TEXT),
        "/bomb": Sent(bomb, headers=TEXT | {"Content-Encoding": "gzip"}),
        "/gzip": Sent(b"hello", headers=TEXT, packed=True),
        "/deflate": Sent(odd, headers=TEXT | {"Content-Encoding": "deflate"}),
        "/zlib": Sent(zlib.compress(b"hello"), headers=TEXT | {"Content-Encoding": "deflate"}),
    }
    with PageServer(pages) as server:
        long, bomb_ = user(server, "/long"), user(server, "/bomb")
        assert (len(long.data), long.cut, len(bomb_.data), bomb_.cut) == (MOST_BYTES, True, MOST_BYTES, True)
        assert [user(server, path).data for path in ("/gzip", "/deflate", "/zlib")] == [b"hello"] * 3


def test_a_slow_or_silent_host_is_given_up_after_the_time_limit() -> None:
    over = threading.Event()

    def drip(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/plain")
        handler.end_headers()
        while not over.wait(0.05):
            try:
                handler.wfile.write(b"a")
                handler.wfile.flush()
            except OSError:
                return

    with PageServer({"/": drip}) as server:
        began = time.monotonic()
        with pytest.raises(ToolError, match="took longer than 1 s"):
            user(server, "/", seconds=1.0)
        assert time.monotonic() - began < 2
        over.set()


def test_an_endless_name_lookup_is_given_up() -> None:
    over = threading.Event()

    def slow(_host: str, _port: int) -> list[str]:
        over.wait(30)
        return []

    with pytest.raises(ToolError, match="took longer"):
        Web(resolve=slow, seconds=0.3).get(parse_address("http://slow.example/"), asked=False)
    over.set()


def test_the_model_reaches_local_addresses_only_by_a_rule() -> None:
    with PageServer({"/": html("<p>secret")}) as server:
        address = parse_address(server.url)
        with pytest.raises(ToolError, match=rf"127\.0\.0\.1 is not read: .*host:{server.host}"):
            Web().get(address, asked=False)
        assert server.asked == []
        named = Web(named=lambda one: is_allowed([f"host:{server.host}"], one))
        assert named.get(address, asked=False).data == b"<p>secret"


@pytest.mark.parametrize("found", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::1"]])
def test_a_public_name_that_resolves_to_a_private_address_is_refused(found: list[str]) -> None:
    with PageServer({"/": html("x")}) as server:
        port = int(server.host.partition(":")[2])
        web = Web(resolve=lambda *_: found)
        with pytest.raises(ToolError, match=r"rebind\.example is at .* only a rule of the user"):
            web.get(parse_address(f"http://rebind.example:{port}/"), asked=False)
        assert server.asked == []


def test_the_checked_address_is_the_one_connected_to() -> None:
    """The name is looked up once: a second answer, as rebinding gives, is never asked for."""
    answers = [["127.0.0.1"], ["169.254.169.254"]]
    with PageServer({"/": html("x")}) as server:
        port = int(server.host.partition(":")[2])
        web = Web(resolve=lambda *_: answers.pop(0))
        assert web.get(parse_address(f"http://mine.example:{port}/"), asked=True).data == b"x"
        assert server.headers[0]["host"] == f"mine.example:{port}"
    assert answers == [["169.254.169.254"]]


def test_link_local_addresses_are_refused_even_to_the_user() -> None:
    with pytest.raises(ToolError, match="for this machine alone"):
        Web().get(parse_address("http://169.254.169.254/latest/meta-data/"), asked=True)
    with pytest.raises(ToolError, match="is at 169"):
        WebTransport(asked=True, named=False, resolve=lambda *_: ["169.254.169.254"]).checked("cloud.example", 80)


def test_an_address_that_holds_a_key_is_not_requested() -> None:
    own = "sk-test-0123456789abcdefghijklmnopqrstuvwxyz"
    with PageServer({"/": html("x")}) as server, pytest.raises(ToolError, match="keys are sent to nobody"):
        Web(own=(own,)).get(parse_address(f"{server.url}/?q={own}"), asked=True)
    with PageServer({"/": moved(f"/?q={own}")}) as server:
        with pytest.raises(ToolError, match="keys are sent to nobody"):
            Web(own=(own,)).get(parse_address(server.url), asked=True)
        assert server.asked == ["/"], "nor by a redirect"


def test_proxies_are_used_except_for_this_machine() -> None:
    with PageServer({"/a": html("by proxy")}) as server:
        env = {"HTTP_PROXY": server.url, "no_proxy": "spared.example, .inner.example:81,10.0.0.0/8"}
        came = Web(env).get(parse_address("http://far.example/a"), asked=False)
        assert (came.data, server.asked) == (b"by proxy", ["http://far.example/a"])
        with pytest.raises(ToolError, match="leads to this machine"):
            Web(env).get(parse_address("http://10.1.1.1/a"), asked=False)
        proxied = ["http://far.example/", "http://x.inner.example/", "http://notspared.example/", "http://11.0.0.1/"]
        direct = [
            "http://spared.example/",
            "http://a.spared.example/",
            "http://x.inner.example:81/",
            "http://10.2.3.4/",
        ]
        direct += ["http://localhost/", "http://127.0.0.1/", "https://far.example/"]
        assert [bool(proxy_for(env, parse_address(url))) for url in (*proxied, *direct)] == [True] * 4 + [False] * 7
        assert proxy_for({"ALL_PROXY": "proxy:3128"}, parse_address("https://x.org")) == "http://proxy:3128"
        assert proxy_for({"ALL_PROXY": "proxy:3128", "NO_PROXY": "*"}, parse_address("https://x.org")) == ""


def test_refused_connections_and_unknown_names_are_reported() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with pytest.raises(ToolError, match=r"127\.0\.0\.1 could not be read: .*refused"):
            Web().get(parse_address(f"http://127.0.0.1:{port}/"), asked=True)

    def unknown(*_: object) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(ToolError, match=r"nobody\.example is not known: Name or service not known"):
        Web(resolve=unknown).get(parse_address("https://nobody.example/"), asked=False)


if OPENSSL:  # without the program there is no certificate to try

    def test_an_installed_certificate_authority_is_accepted_and_an_unknown_one_refused(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        certificate, key = own_authority(tmp_path, "DNS:own.example")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with PageServer({"/": html("x")}, context) as server:
            url = f"https://own.example:{server.host.partition(':')[2]}/"
            web = Web(resolve=lambda *_: ["127.0.0.1"])
            with pytest.raises(ToolError, match="CERTIFICATE_VERIFY_FAILED"):
                web.get(parse_address(url), asked=True)
            assert server.asked == []
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            assert web.get(parse_address(url), asked=True).data == b"x"
            with pytest.raises(ToolError, match="CERTIFICATE_VERIFY_FAILED"):
                web.get(parse_address(url.replace("own.", "other.")), asked=True)
