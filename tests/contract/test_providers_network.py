"""The network between ctxe and a model: proxies, certificates, reused connections, long answers, threads."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from ctxe.domain.errors import Unreachable
from ctxe.domain.model import Model
from ctxe.providers.connect import Access, connect, prefetch
from tests.authority import OPENSSL, own_authority
from tests.wire.adapters import APIS, HELLO, KEY, Clock, hear, patience, speak
from tests.wire.server import Reply, WireServer

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("api", APIS)
def test_one_connection_serves_all_requests(api: str) -> None:
    with WireServer(then=Reply("ok")) as server:
        provider = speak(api, server.url)
        for _ in range(3):
            stream = provider.stream(HELLO)
            while not hasattr(next(stream), "usage"):
                pass
            stream.close()  # as the loop does once it holds the reply
        assert len({exchange.port for exchange in server.requests}) == 1


@pytest.mark.parametrize("api", APIS)
def test_a_proxy_is_used_except_for_loopback(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with WireServer(then=Reply("proxied")) as proxy, WireServer(then=Reply("direct")) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert hear(speak(api, "http://model.example/v1", local=False))[1].text == "proxied"
        assert hear(speak(api, server.url))[1].text == "direct"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert hear(speak(api, server.url, local=False))[1].text == "direct"
        assert [exchange.path.startswith("http://model.example/v1") for exchange in proxy.requests] == [True]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALL_PROXY", "socks5://user:hunter2@127.0.0.1:9", r"the proxy .* cannot be used \(SOCKS needs .* socksio"),
        ("HTTPS_PROXY", "http://[::1", r"the proxy .* cannot be used \(Invalid port"),
        ("HTTPS_PROXY", "ftp://user:hunter2@127.0.0.1:9", r"the proxy .* cannot be used \(Unknown scheme"),
        ("SSL_CERT_FILE", "/nowhere/at/all", r"the certificates .* cannot be used \(.*No such file"),
        ("SSL_CERT_FILE", __file__, r"the certificates .* cannot be used \("),
    ],
)
def test_an_invalid_proxy_or_certificate_setting_is_reported_at_once(
    name: str, value: str, said: str, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    clock = Clock()
    with pytest.raises(Unreachable, match=said) as caught:
        hear(speak(api, "https://model.example/v1", patience(clock), local=False))
    assert name in caught.value.hint
    assert "hunter2" not in str(caught.value)
    assert clock.slept == []


if OPENSSL:  # without the program there is no certificate to try

    @pytest.mark.parametrize("api", APIS)
    def test_an_installed_certificate_authority_is_accepted_and_an_unknown_one_refused(
        api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        certificate, key = own_authority(tmp_path, "IP:127.0.0.1")
        with WireServer(then=Reply("safe"), tls=(certificate, key)) as server:
            clock = Clock()
            with pytest.raises(Unreachable, match=r"certificate of https://127\.0\.0\.1.* cannot be trusted") as caught:
                hear(speak(api, server.url, patience(clock)))
            assert (server.exchanges, clock.slept) == ([], [])
            assert "SSL_CERT_FILE" in caught.value.hint
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            assert hear(speak(api, server.url))[1].text == "safe"


LONG = """
import pathlib, re, sys, time
from tests.wire.adapters import HELLO, hear, speak
provider = speak(sys.argv[1], sys.argv[2])
provider.transport.warm()
began = time.monotonic()
_, reply = hear(provider)
# what getrusage says would hold the peak of whoever started us
peak = re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())
sys.stdout.write(f"{len(reply.text)} {time.monotonic() - began} {peak[1]}")
"""


@pytest.mark.parametrize("api", APIS)
def test_an_answer_of_five_megabytes_is_read_in_seconds_with_little_memory(api: str) -> None:
    size = 5 * 1024 * 1024
    with WireServer([Reply("0123456789abcdef" * (size // 16), piece=400)]) as server:
        words = [sys.executable, "-c", LONG, api, server.url]
        told = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    length, seconds, kilobytes = int(told[0]), float(told[1]), int(told[2])
    assert length == size
    assert seconds < 10
    assert kilobytes < 300 * 1024


@pytest.mark.parametrize(
    ("provider", "variable"), [("anthropic", "ANTHROPIC"), ("openai", "OPENAI"), ("local", "OPENAI")]
)
def test_prefetch_imports_the_sdk_before_the_first_request(provider: str, variable: str) -> None:
    with WireServer(then=Reply("ok")) as server:
        environment = {f"{variable}_API_KEY": KEY, f"{variable}_BASE_URL": server.url}
        made = connect(Model(provider, "wire-model", 1000, 100), Access(environment, server.url))
        prefetch(made).join(60)
        began = time.monotonic()
        next(made.stream(HELLO))
        assert time.monotonic() - began < 1.0


def test_connecting_imports_no_sdk() -> None:
    code = """
import sys
from ctxe.providers import catalog
from ctxe.providers.connect import Access, connect
environment = {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
for name in ("anthropic/claude-opus-5-5", "openai/gpt-5.6", "ollama/qwen3", "offline/repository"):
    connect(catalog.find(name), Access(environment))
sys.stdout.write(" ".join(sorted({"openai", "anthropic", "httpx2", "pydantic", "ssl"} & set(sys.modules))))
"""
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert told.stdout == ""
