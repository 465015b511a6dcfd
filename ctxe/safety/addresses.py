"""Web addresses: normalising them, and telling which lead to this machine or its local network."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Literal
from urllib.parse import quote, unquote, urljoin, urlsplit

from ctxe.domain.errors import ToolError
from ctxe.domain.pattern import pattern
from ctxe.domain.value import dataclass
from ctxe.safety.rules import rest_of

LONGEST = 2_000
"""Most characters of an address: a longer one may smuggle data out."""
PORTS = {"http": 80, "https": 443}
IP = ipaddress.IPv4Address | ipaddress.IPv6Address
Kind = Literal["public", "own", "link"]
"""The kind of a host: public, of this machine or its network, or link-local (such as cloud metadata services)."""

_UNUSUAL = pattern(
    r"[\x00-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff\ufff9-\uffff\\]"
)
_TAGS = re.compile("[\U000e0000-\U000e0fff\ud800-\udfff]")
_NAME = pattern(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = pattern(r"(?:[0-9]+|0x[0-9a-f]*)")
_OWN_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "localdomain")
_METADATA = ("100.100.100.200", "192.0.0.192", "fd00:ec2::254", "168.63.129.16")
_MENTION = pattern(r"(?<![\w@])@(https?://[^\s<>\"'`|]+)")
_BARE = pattern(r"(?<![\w@/:])https?://[^\s<>\"'`|]+")


@dataclass(frozen=True, slots=True)
class Address:
    """A normalised address: ``url`` is ASCII and without a fragment.

    ``host`` is a name in lower case (Punycode if it is not ASCII) or an IP address without brackets; ``unicode_host``
    is the name in its own letters if it is Punycode. ``target`` is the path with the query.
    """

    url: str
    scheme: str
    host: str
    port: int
    target: str
    fragment: str = ""
    unicode_host: str = ""

    @property
    def authority(self) -> str:
        """Host and port as in a ``Host`` header or a rule."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """Parse and normalise an address. Raises ToolError when it is invalid or ambiguous."""
    text = text.strip()
    if len(text) > LONGEST:
        raise ToolError(f"the address has {len(text):,} characters; at most {LONGEST:,} are asked for")
    if _UNUSUAL.search(text) or _TAGS.search(text):
        raise ToolError("the address holds blanks, backslashes, control or invisible characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ToolError(f"that is not an address: {error}") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise ToolError("an address begins with https:// or http://; nothing else is read")
    if "@" in parts.netloc:
        raise ToolError("the address holds a name or a password before its host; write it without")
    if port == 0 or not text[len(scheme) :].startswith("://"):
        raise ToolError("that is not the address of a page")
    host, unicode_host = _host(parts.hostname or "", bracketed="[" in parts.netloc)
    target = _quoted(parts.path or "/") + (f"?{_quoted(parts.query)}" if parts.query else "")
    address = Address("", scheme, host, port or PORTS[scheme], target, parts.fragment, unicode_host)
    return Address(
        f"{scheme}://{address.authority}{target}", scheme, host, address.port, target, parts.fragment, unicode_host
    )


def _quoted(part: str) -> str:
    """Percent-encode characters that are not ASCII; existing encoding stays."""
    return quote(part, safe="!#$%&'()*+,/:;=?@[]~-._")


def _host(hostname: str, *, bracketed: bool) -> tuple[str, str]:
    """The normalised host, and its name in its own letters if that differs. Raises ToolError."""
    if bracketed or ":" in hostname:
        try:
            return str(ipaddress.IPv6Address(hostname if "%" not in hostname else "")), ""
        except ValueError:
            raise ToolError("the host is no IPv6 address") from None
    host = hostname.lower().removesuffix(".")
    unicode_host = ""
    if not host.isascii():
        unicode_host, host = host, _ascii(host)
        unicode_host = "" if unicode_host == host else unicode_host
    elif "xn--" in host:
        unicode_host = _from_punycode(host)
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(host)), ""
        except ValueError:
            raise ToolError("an IP address is written as four decimal numbers without zeros before them") from None
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise ToolError("the address has no host")
    return host, unicode_host


def _ascii(host: str) -> str:
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii").lower().removesuffix(".")
    except (idna.IDNAError, UnicodeError):
        raise ToolError("the host is not a valid name") from None


def _from_punycode(host: str) -> str:
    import idna

    try:
        return str(idna.decode(host))
    except (idna.IDNAError, UnicodeError):
        raise ToolError("the host is not a valid name") from None


def kind_of(host: str) -> Kind:
    """The kind of a host, judged by its name or IP address alone."""
    try:
        return kind_of_ip(ipaddress.ip_address(host))
    except ValueError:
        pass
    label = host.rpartition(".")[2]
    return "own" if "." not in host or label in _OWN_NAMES or host.endswith(".home.arpa") else "public"


def kind_of_ip(ip: IP) -> Kind:
    """The kind of an IP address; one that embeds another (mapped, 6to4, Teredo, NAT64) has the kind of that."""
    inner = _inner(ip)
    if inner is not None:
        return kind_of_ip(inner)
    if ip.is_link_local or ip.is_multicast or str(ip) in _METADATA:
        return "link"
    return "public" if ip.is_global else "own"


def _inner(ip: IP) -> IP | None:
    if isinstance(ip, ipaddress.IPv4Address):
        return None
    number = int(ip)
    if ip.ipv4_mapped or ip.sixtofour:
        return ip.ipv4_mapped or ip.sixtofour
    if ip.teredo:
        return ip.teredo[1]
    if number >> 32 in (0, 0x0064FF9B << 64) and number > 1:
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    return None


def refusal_reason(kind: Kind, *, named: bool, asked: bool) -> str:
    """Why a kind of host is refused; empty when it is not. ``named``: by a rule of the user; ``asked``: by the user."""
    if kind == "public" or named or (asked and kind == "own"):
        return ""
    place = "this machine or its own network" if kind == "own" else "a service for this machine alone (link-local)"
    return f"it leads to {place}"


def is_allowed(rules: Iterable[str], address: Address) -> bool:
    """Whether a ``host`` rule matches an address: ``host:docs.python.org``, ``host:*.python.org``, maybe with a port.

    A pattern never matches a host of this machine or its network, which must be named exactly.
    """
    return any(
        rule.lower() in (address.host, address.authority)
        or (kind_of(address.host) == "public" and _fits(rule.lower(), address))
        for rule in rest_of(rules, "host")
    )


def denying_rule(rules: Iterable[str], address: Address) -> str:
    """The ``host`` rule that denies an address; empty when none does. ``*.x.org`` denies x.org as well."""
    for rule in rest_of(rules, "host"):
        if _fits(rule.lower(), address) or rule.lower() == f"*.{address.host}":
            return rule
    return ""


def _fits(rule: str, address: Address) -> bool:
    return any(fnmatchcase(form, rule) for form in (address.host, address.authority))


def redirect_target(address: Address, location: str) -> Address:
    """The address of a redirect. Raises ToolError when it is on another host or no longer encrypted."""
    target = parse_address(urljoin(address.url, location))
    if target.host != address.host or (target.port != address.port and target.port != PORTS[target.scheme]):
        raise ToolError(f"it redirects to another host: {target.url}; ask for that address if it is the right one")
    if address.scheme == "https" and target.scheme != "https":
        raise ToolError(f"it redirects to an address that is not encrypted: {target.url}")
    return target


def carries_secret(address: str, own_keys: Sequence[str]) -> bool:
    """Whether an address contains something like a key, or one of ours: plain, percent-encoded, in base64 or in hex."""
    from ctxe.safety.secrets import mask

    decoded = unquote(unquote(address))
    forms = (address, decoded, decoded.replace("-", "+").replace("_", "/"))
    if any(mask(form, own_keys)[1] for form in forms):
        return True
    lowered = decoded.lower()
    return any(value.encode().hex() in lowered or value[::-1] in decoded for value in own_keys if len(value) >= 8)


def mentioned_addresses(text: str) -> tuple[str, ...]:
    """The addresses after ``@`` in a text, each once, in order, without punctuation at their ends."""
    return tuple(dict.fromkeys(_without_punctuation(address) for address in _MENTION.findall(text)))


def mentions_url(text: str) -> bool:
    """Whether a text contains an address without ``@``."""
    return _BARE.search(text) is not None


def _without_punctuation(address: str) -> str:
    address = address.rstrip(".,;:!?*")
    return address[:-1] if address.endswith(")") and address.count("(") < address.count(")") else address
