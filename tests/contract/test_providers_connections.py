"""Connections to a provider: refused, silent, slow, closed, redirected; and where the key is sent."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal

import pytest

from ctxe.domain.errors import BadReply, BadRequest, ProviderError, Unreachable
from ctxe.domain.model import TextDelta
from ctxe.providers.retry import RetryLimits
from tests.contract.messages import GOOD
from tests.wire.adapters import APIS, HELLO, KEY, Clock, hear, patience, speak, waits
from tests.wire.server import Answer, Reply, WireServer, failure, redirect


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:  # bound and never listening: refuses everybody
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("local", "made"), [(True, 3), (False, 8)])
def test_a_refused_connection_is_retried_and_reported(closed_port: int, api: str, local: bool, made: int) -> None:
    clock = Clock()
    provider = speak(api, f"http://127.0.0.1:{closed_port}", patience(clock), local=local)
    with pytest.raises(Unreachable, match=rf"127\.0\.0\.1:{closed_port}.*\({made} requests in \d+ s\)$"):
        hear(provider)
    assert len(clock.slept) == made - 1
    assert sum(clock.slept) <= 60


@pytest.mark.parametrize("api", APIS)
def test_a_silent_server_is_given_up_after_the_timeout(api: str) -> None:
    stalled = Reply("One two three", fault="stall", seconds=30)
    with WireServer([GOOD, stalled, GOOD]) as server:
        hear(speak(api, server.url, patience()))  # loads the SDK, which may take seconds by itself
        began = time.monotonic()
        deltas, reply = hear(speak(api, server.url, patience(idle=0.3)))
        assert time.monotonic() - began < 3
        assert (reply.text, waits(deltas)) == ("All is well.", ["silence for 0.3 s"])
        server.wait(lambda s: s.hung_up == 1, 5)


def test_a_slow_stream_does_not_time_out() -> None:
    with WireServer([Reply("0123456789", piece=1, fault="drip", seconds=0.1)]) as server:
        _, reply = hear(speak("chat", server.url, patience(idle=0.3)))
    assert reply.text == "0123456789"


@pytest.mark.parametrize("api", APIS)
def test_closing_the_iterator_closes_the_connection(api: str) -> None:
    with WireServer([Reply("One two three four", piece=3, fault="stall", after=6, seconds=30)]) as server:
        stream = speak(api, server.url).stream(HELLO)
        assert any(isinstance(delta, TextDelta) for delta in islice(stream, 2))
        stream.close()
        server.wait(lambda s: s.hung_up == 1, 5)
        assert len(server.requests) == 1


@pytest.mark.parametrize("api", APIS)
def test_an_interrupt_during_a_wait_ends_the_request(api: str) -> None:
    with WireServer([Reply("One two three", fault="stall", seconds=30)]) as server:
        provider = speak(api, server.url, RetryLimits())
        main = threading.main_thread().ident
        assert main is not None
        timer = threading.Timer(0.4, lambda: signal.pthread_kill(main, signal.SIGINT))
        timer.start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            hear(provider)
        timer.join()
        assert time.monotonic() - began < 1.4
        server.wait(lambda s: s.hung_up == 1, 5)


@pytest.mark.parametrize("endless", ["flood", "drip"])
@pytest.mark.parametrize("api", APIS)
def test_an_endless_error_body_is_read_up_to_a_limit(api: str, endless: Literal["flood", "drip"]) -> None:
    with WireServer(then=Answer(422, failure("that parameter is odd"), endless=endless)) as server:
        began = time.monotonic()
        with pytest.raises(BadRequest, match="that parameter is odd"):
            hear(speak(api, server.url, patience(refusal=1.0)))
        assert time.monotonic() - began < 6
        server.wait(lambda s: s.hung_up == 1, 5)


@pytest.mark.parametrize("api", APIS)
def test_the_key_is_not_sent_along_a_redirect(api: str) -> None:
    with WireServer(then=GOOD) as trap, WireServer(then=redirect(f"{trap.url}/v1/messages?x=1")) as server:
        with pytest.raises(BadReply) as caught:
            hear(speak(api, server.url))
        assert trap.exchanges == []
        assert caught.value.message.startswith(f"{server.url} redirects to {trap.url} (3 requests in ")


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
def test_the_key_appears_in_no_message_or_repr(status: int, api: str) -> None:
    told = Answer(status, failure(f"the key {KEY} of Bearer {KEY} is odd"))
    with WireServer(then=told) as server:
        provider = speak(api, server.url)
        with pytest.raises(ProviderError) as caught:
            hear(provider)
    seen = [
        str(caught.value),
        caught.value.hint,
        repr(caught.value),
        repr(provider.transport),
        repr(provider.transport.endpoint),
    ]
    assert not [text for text in seen if KEY in text]


@pytest.mark.parametrize("api", APIS)
def test_each_provider_gets_its_own_path_and_key(api: str) -> None:
    with WireServer([GOOD], key=KEY) as server:
        hear(speak(api, server.url))
        sent = server.requests[0]
    paths: dict[str, Any] = {"messages": "/v1/messages", "chat": "/chat/completions", "responses": "/responses"}
    assert sent.path == paths[api]
    # which of the two headers is the SDK's own choice; never both
    assert [name for name in ("x-api-key", "authorization") if name in sent.headers] in (
        ["x-api-key"],
        ["authorization"],
    )
