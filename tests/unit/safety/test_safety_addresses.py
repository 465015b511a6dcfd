"""Web addresses: each has one reading, and addresses of this machine are recognised before any connection."""

from __future__ import annotations

import base64
import ipaddress

import pytest

from ctxe.domain.errors import ToolError
from ctxe.domain.tool import Action, Allow, Ask, Deny, Risk, ToolOutput, without_progress
from ctxe.safety.addresses import (
    carries_secret,
    denying_rule,
    is_allowed,
    kind_of,
    kind_of_ip,
    mentioned_addresses,
    mentions_url,
    parse_address,
    redirect_target,
    refusal_reason,
)
from ctxe.safety.permissions import decide
from ctxe.safety.policy import Mode, Policy
from ctxe.safety.rules import problem

ONE_WAY = {
    "https://Docs.Python.ORG./3/": "https://docs.python.org/3/",
    "https://docs.python.org:443": "https://docs.python.org/",
    "http://docs.python.org:8080/a?b=c#d": "http://docs.python.org:8080/a?b=c",
    "HTTPS://x.org/\u00e9?q=\u00fc": "https://x.org/%C3%A9?q=%C3%BC",
    "https://x.org/a%20b": "https://x.org/a%20b",
    "https://\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444/": "https://xn--e1afmkfd.xn--p1ai/",
    "https://\u24d4xample.com/": "https://example.com/",
    "http://\uff11\uff12\uff17.0.0.1/": "http://127.0.0.1/",
    "http://[::1]:3000/": "http://[::1]:3000/",
    "http://[0:0::1]/": "http://[::1]/",
    "  https://x.org  ": "https://x.org/",
}
REFUSED = [
    "",
    "x.org",
    "ftp://x.org/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:text/html,x",
    "gopher://x.org",
    "//x.org/",
    "https:/x.org",
    "https:x.org",
    "https://",
    "https:///path",
    "https://user@x.org/",
    "https://user:word@x.org/",
    "https://x.org@evil.org/",
    "https://x.org\\@evil.org/",
    "https://evil.org\x00.x.org/",
    "https://x.org/\r\nHost: evil.org",
    "https://x.org/a b",
    "https://x.org/\ta",
    "https://x\u200b.org/",
    "https://x.org/\u202eabc",
    "https://x.org/\U000e0041",
    "https://x..org/",
    "https://.x.org/",
    "https://x.org../",
    "https://-x.org/",
    "https://x%2eorg/",
    "https://x.org:0/",
    "https://x.org:99999/",
    "https://x.org:port/",
    "https://[::1/",
    "https://[fe80::1%25eth0]/",
    "https://[127.0.0.1]/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://127.0.0.01/",
    "http://1.2.3.4.5/",
    "http://300.1.1.1/",
    "http://xn--/",
    "https://" + "a" * 64 + ".org/",
    "https://x.org/" + "a" * 2_000,
    "https://x$y.org/",
]
KINDS = {
    "docs.python.org": "public",
    "8.8.8.8": "public",
    "2606:4700::1111": "public",
    "localhost": "own",
    "a.localhost": "own",
    "printer.local": "own",
    "metadata.google.internal": "own",
    "router.lan": "own",
    "x.home.arpa": "own",
    "intranet": "own",
    "127.0.0.1": "own",
    "127.9.9.9": "own",
    "0.0.0.0": "own",
    "10.0.0.1": "own",
    "172.16.0.1": "own",
    "192.168.1.1": "own",
    "100.64.0.1": "own",
    "198.18.0.1": "own",
    "240.0.0.1": "own",
    "255.255.255.255": "own",
    "169.254.169.254": "link",
    "100.100.100.200": "link",
    "168.63.129.16": "link",
    "224.0.0.1": "link",
    "::": "own",
    "::1": "own",
    "fc00::1": "own",
    "fe80::1": "link",
    "ff02::1": "link",
    "fd00:ec2::254": "link",
    "::ffff:127.0.0.1": "own",
    "::ffff:169.254.169.254": "link",
    "::ffff:8.8.8.8": "public",
    "2002:7f00:1::": "own",
    "64:ff9b::7f00:1": "own",
    "64:ff9b::808:808": "public",
    "::7f00:1": "own",
}


@pytest.mark.parametrize(("text", "url"), ONE_WAY.items())
def test_every_spelling_of_an_address_is_normalised_to_one(text: str, url: str) -> None:
    assert parse_address(text).url == url
    assert parse_address(url).url == url, "and reading it again changes nothing"


@pytest.mark.parametrize("text", REFUSED)
def test_ambiguous_addresses_are_refused(text: str) -> None:
    with pytest.raises(ToolError):
        parse_address(text)


@pytest.mark.parametrize(("host", "kind"), KINDS.items())
def test_a_host_is_classified_as_public_private_or_local(host: str, kind: str) -> None:
    assert kind_of(host) == kind
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return
    assert kind_of_ip(ip) == kind


def test_characters_hidden_by_punycode_are_shown() -> None:
    assert parse_address("https://\u0430pple.com/").unicode_host == "\u0430pple.com", "a Cyrillic letter"
    assert parse_address("https://xn--pple-43d.com/").unicode_host == "\u0430pple.com"
    assert parse_address("https://apple.com/").unicode_host == ""


def test_addresses_of_this_machine_need_the_user_or_a_rule() -> None:
    assert refusal_reason("public", named=False, asked=False) == ""
    assert refusal_reason("own", named=False, asked=False) != "", "the model does not"
    assert refusal_reason("own", named=False, asked=True) == "", "the user does"
    assert refusal_reason("link", named=False, asked=True) != "", "nobody asks for the cloud's keys by accident"
    assert refusal_reason("link", named=True, asked=False) == "", "a rule of the user's own opens it"


def test_host_rules_match_hosts_and_subdomains() -> None:
    docs, own = parse_address("https://docs.python.org/3/"), parse_address("http://127.0.0.1:8000/")
    assert [
        rule
        for rule in ("docs.python.org", "*.python.org", "*", "DOCS.python.org")
        if is_allowed([f"host:{rule}"], docs)
    ]
    assert not is_allowed(["host:python.org", "tool:web", "host:docs.python.org.evil.org"], docs)
    assert not is_allowed(["host:docs.python.org"], parse_address("https://docs.python.org.evil.org/"))
    assert is_allowed(["host:127.0.0.1"], own)
    assert is_allowed(["host:127.0.0.1:8000"], own)
    assert not is_allowed(["host:127.0.0.1:9000", "host:127.*", "host:*"], own), "a pattern opens nothing here"
    assert denying_rule(["host:*.python.org"], docs) == "*.python.org"
    assert denying_rule(["host:*.python.org"], parse_address("https://python.org/")) == "*.python.org"
    assert denying_rule(["host:127.*"], own) == "127.*", "but it closes"
    assert problem("host:docs.python.org") == ""


def web(url: str) -> Action:
    return Action("web", "fetch", Risk.NETWORK, without_progress(lambda: ToolOutput("")), address=url)


@pytest.mark.parametrize("mode", ["ask", "auto-edit", "auto", "read-only"])
def test_fetching_a_page_is_asked_about_in_every_mode(mode: Mode) -> None:
    url = "https://docs.python.org:8443/3/"
    policy = Policy(mode, sandboxed=True)
    decided = decide(web(url), policy)
    assert isinstance(decided, Ask)
    assert decided.rule == "host:docs.python.org:8443"
    assert decide(web(url), Policy(mode, granted=(decided.rule,))) == Allow()
    assert decide(web(url), Policy(mode, allow=("tool:web", "tool:*"))) == decided, "only a host is allowed"
    denied = decide(web(url), Policy(mode, allow=("host:*",), deny=("host:*.python.org:8443",)))
    assert denied == Deny("the rule host:*.python.org:8443 forbids it")
    assert isinstance(decide(web(url), Policy(mode, deny=("tool:web",))), Deny)
    alone = decide(web(url), Policy(mode, interactive=False))
    assert isinstance(alone, Deny)
    assert "host:docs.python.org:8443" in alone.why


def test_a_redirect_to_another_origin_is_refused() -> None:
    here = parse_address("https://x.org/a/b?c")
    assert redirect_target(here, "../d").url == "https://x.org/d"
    assert redirect_target(parse_address("http://x.org/"), "https://x.org/").url == "https://x.org/"
    for elsewhere in (
        "https://y.org/",
        "//y.org/",
        "https://x.org.y.org/",
        "https://x.org:8443/",
        "http://x.org/",
        "file:///",
    ):
        with pytest.raises(ToolError):
            redirect_target(here, elsewhere)


def test_a_key_in_an_address_is_recognised_in_every_encoding() -> None:
    own = "sk-test-0123456789abcdefghijklmnopqrstuvwxyz"
    packed = base64.urlsafe_b64encode(b"??>>" + own.encode()).decode()
    for inside in (own, own.replace("-", "%2D"), own.replace("-", "%252d"), own[::-1], own.encode().hex(), packed):
        assert carries_secret(f"https://evil.org/?q={inside}", (own,)), inside
    assert carries_secret("https://evil.org/ghp_" + "a1B2c3D4e5F6" * 3, ())
    assert not carries_secret("https://docs.python.org/3/library/json.html?highlight=dumps#json.dumps", (own,))


def test_addresses_are_found_in_a_message() -> None:
    said = "see @https://x.org/a_(b), (@http://y.org/) and @https://x.org/a_(b)! mail a@https://no.org, plain https://z.org"
    assert mentioned_addresses(said) == ("https://x.org/a_(b)", "http://y.org/")
    assert mentions_url("as in https://z.org.")
    assert not mentions_url("see @https://x.org only")
