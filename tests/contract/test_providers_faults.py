"""When a provider fails: the number of attempts, the waits and the messages, for every API."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ctxe.domain.errors import (
    AuthError,
    BadReply,
    BadRequest,
    ContextOverflow,
    ProviderError,
    QuotaError,
    RateLimited,
    Unreachable,
)
from ctxe.domain.model import TextDelta, Waiting
from ctxe.providers.retry import RetryLimits
from tests.contract.messages import GOOD
from tests.wire.adapters import APIS, KEY, Clock, hear, patience, speak, waits
from tests.wire.server import (
    Answer,
    Call,
    Drop,
    Entry,
    Reply,
    WireServer,
    failure,
    html,
    overloaded,
    rate_limited,
    redirect,
)

FAULTY = Reply("One two three four five six", piece=3, after=5)
PASSING: dict[str, tuple[Entry, str]] = {
    "500": (Answer(500, failure("boom", kind="api_error")), "wire answered 500 (boom)"),
    "502 as a page": (html(502), "wire answered 502"),
    "503": (Answer(503, ""), "wire is overloaded"),
    "504": (Answer(504, "timeout"), "wire answered 504 (timeout)"),
    "529": (overloaded(), "wire is overloaded"),
    "408": (Answer(408, failure("slow")), "wire answered 408 (slow)"),
    "409": (Answer(409, failure("conflict")), "wire answered 409 (conflict)"),
    "429 without a time": (rate_limited(), "rate limit"),
    "closed before an answer": (Drop(), "no answer"),
    "reset before an answer": (Drop(reset=True), "no answer"),
    "cut": (replace(FAULTY, fault="cut"), "the connection was cut"),
    "reset": (replace(FAULTY, fault="reset"), "the connection was cut"),
    "half a line": (replace(FAULTY, fault="half-line"), "the connection was cut"),
    "no terminal event": (replace(FAULTY, fault="no-end"), "it ended in the middle"),
    "an error inside a 200": (replace(FAULTY, fault="error"), ""),
    "invalid UTF-8": (replace(FAULTY, fault="invalid-utf8"), "bytes that are not text"),
    "malformed JSON": (replace(FAULTY, fault="malformed-json"), "broken JSON"),
    "bad gzip": (replace(FAULTY, fault="gzip"), "compressed bytes that cannot be read"),
    "a captive portal": (html(200), "a web page instead of an answer"),
    "a redirect": (redirect("http://127.0.0.1:9/login"), "redirected"),
    "nothing at all": (Answer(200, "", {"content-type": "text/event-stream"}), "it ended in the middle"),
    "only comments": (Answer(200, ": hm\n\n: hm\n\n", {"content-type": "text/event-stream"}), "it ended in the middle"),
}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("case", PASSING)
def test_a_request_survives_two_passing_faults_and_reports_each_wait(case: str, api: str) -> None:
    entry, why = PASSING[case]
    with WireServer([entry, entry, GOOD]) as server:
        deltas, reply = hear(speak(api, server.url))
        assert len(server.requests) == 3
        assert server.bodies[0] == server.bodies[1] == server.bodies[2]
    assert reply.text == "All is well."
    told = waits(deltas)
    assert len(told) == 2
    assert not why or told == [why] * 2
    last = max(at for at, delta in enumerate(deltas) if isinstance(delta, Waiting))
    assert "".join(delta.text for delta in deltas[last:] if isinstance(delta, TextDelta)) == reply.text


MOST = {"cut": 3, "reset": 3, "half a line": 3, "no terminal event": 3, "invalid UTF-8": 3, "malformed JSON": 3}
MOST |= {"bad gzip": 3, "a captive portal": 3, "a redirect": 3, "nothing at all": 3, "only comments": 3}
RAISED: dict[str, type[ProviderError]] = {
    **dict.fromkeys(MOST, BadReply),
    "429 without a time": RateLimited,
    "closed before an answer": Unreachable,
    "reset before an answer": Unreachable,
}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("case", PASSING)
def test_a_lasting_fault_ends_within_eight_requests_and_a_minute(case: str, api: str) -> None:
    clock = Clock()
    with WireServer(then=PASSING[case][0]) as server:
        provider = speak(api, server.url, patience(clock))
        with pytest.raises(RAISED.get(case, ProviderError)) as caught:
            hear(provider)
        assert len(server.requests) == MOST.get(case, 8)
    assert sum(clock.slept) <= 60
    assert f"({MOST.get(case, 8)} requests in " in caught.value.message
    assert "\n" not in caught.value.message + caught.value.hint
    assert caught.value.__cause__ is None


FINAL: dict[str, tuple[Answer, type[ProviderError], str, str]] = {
    "401": (
        Answer(401, failure(f"Incorrect API key provided: {KEY}", "invalid_api_key", "authentication_error")),
        AuthError,
        "wire refused the key",
        "check WIRE_API_KEY or ask for a new key",
    ),
    "403": (
        Answer(403, failure("Country not supported", kind="permission_error")),
        AuthError,
        "wire denied access to 'wire-model': Country not supported",
        "the key has no rights for this model or from here",
    ),
    "402": (
        Answer(402, failure("Insufficient Balance")),
        QuotaError,
        "the account at wire has no credit left",
        "add credit to the account, or choose another model with --model",
    ),
    "insufficient_quota": (
        Answer(429, failure("You exceeded your current quota", "insufficient_quota", "insufficient_quota")),
        QuotaError,
        "the account at wire has no credit left",
        "add credit to the account, or choose another model with --model",
    ),
    "credit balance": (
        Answer(400, failure("Your credit balance is too low to access the Anthropic API.")),
        QuotaError,
        "the account at wire has no credit left",
        "add credit to the account, or choose another model with --model",
    ),
    "Gemini's way to refuse a key": (
        Answer(400, failure("API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT")),
        AuthError,
        "wire refused the key",
        "check WIRE_API_KEY or ask for a new key",
    ),
    "400": (
        Answer(400, failure("messages: at least one\nmessage \x1b[31mis required")),
        BadRequest,
        "wire refused the request: messages: at least one message is required",
        "",
    ),
    "422": (
        Answer(422, {"detail": "field required"}),
        BadRequest,
        "wire refused the request: field required",
        "",
    ),
    "400 without a word": (Answer(400, ""), BadRequest, "wire refused the request: 400", ""),
}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("case", FINAL)
def test_permanent_errors_are_not_retried_and_get_a_plain_message(case: str, api: str) -> None:
    answer, kind, message, hint = FINAL[case]
    with WireServer([answer]) as server:
        with pytest.raises(ProviderError) as caught:
            hear(speak(api, server.url))
        assert len(server.requests) == 1
    assert (type(caught.value), caught.value.message, caught.value.hint) == (kind, message, hint)


@pytest.mark.parametrize("api", APIS)
def test_an_unknown_model_is_named_with_the_address(api: str) -> None:
    with WireServer([Answer(404, failure("no such model", "model_not_found", "not_found_error"))]) as server:
        with pytest.raises(BadRequest) as caught:
            hear(speak(api, server.url))
        assert caught.value.message == f"wire knows no model 'wire-model' at {server.url}"
        assert len(server.requests) == 1


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("kind", ["authentication_error", "invalid_request_error", "insufficient_quota"])
def test_a_final_error_inside_a_stream_is_final(kind: str, api: str) -> None:
    error = {"type": kind, "code": kind, "message": "no"}
    frame = {"messages": {"type": "error", "error": error}, "chat": {"error": error}}
    frame["responses"] = {"type": "response.failed", "response": {"status": "failed", "error": error}}
    sse = Answer(200, f"data: {json.dumps(frame[api])}\n\n", {"content-type": "text/event-stream"})
    with WireServer([sse]) as server:
        with pytest.raises((AuthError, BadRequest, QuotaError)):
            hear(speak(api, server.url))
        assert len(server.requests) == 1


OVERFLOWS = {
    "OpenAI's code": (400, failure("Too long.", "context_length_exceeded")),
    "Anthropic": (400, failure("prompt is too long: 210000 tokens > 200000 maximum")),
    "Anthropic's sum": (400, failure("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000")),
    "413": (413, failure("Request exceeds the maximum size", kind="request_too_large")),
    "vLLM": (
        400,
        {
            "object": "error",
            "message": "This model's maximum context length is 4096 tokens. However, you requested 5000",
        },
    ),
    "llama.cpp": (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size",
                "type": "exceed_context_size_error",
            }
        },
    ),
    "Ollama": (400, {"error": {"message": "prompt too long; exceeded max context length by 12 tokens"}}),
}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("case", OVERFLOWS)
def test_an_overflow_is_recognised_in_every_format(case: str, api: str) -> None:
    status, body = OVERFLOWS[case]
    with WireServer([Answer(status, body)]) as server:
        with pytest.raises(ContextOverflow):
            hear(speak(api, server.url))
        assert len(server.requests) == 1


def in_seconds(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry_after": "7"}, 7, 10.5),
        ({"retry_after": "0.25"}, 0.25, 0.375),
        ({"retry_after_ms": "1500", "retry_after": "2"}, 1.5, 2.25),
        ({"retry_after": "60"}, 60, 90),
        ({"retry_after": "Fri, 01 Jan 2100 00:00:09 GMT", "date": "Fri, 01 Jan 2100 00:00:00 GMT"}, 9, 13.5),
        ({"retry_after": in_seconds(-3600)}, 0, 1),
        ({"retry_after": "soon"}, 0, 1),
        ({"retry_after": "-5"}, 0, 1),
    ],
)
def test_a_requested_delay_is_kept_within_half_its_length(
    headers: dict[str, str], least: float, most: float, api: str
) -> None:
    for jitter in (0.0, 1.0):
        clock = Clock()
        with WireServer([rate_limited(**headers), GOOD]) as server:
            deltas, _ = hear(speak(api, server.url, patience(clock, jitter=lambda j=jitter: j)))
        assert [delta for delta in deltas if isinstance(delta, Waiting)] == [Waiting(clock.slept[0], "rate limit")]
        assert least <= clock.slept[0] <= most


def test_retries_really_wait_between_requests() -> None:
    with WireServer([rate_limited(retry_after_ms="400"), GOOD]) as server:
        provider = speak("chat", server.url, RetryLimits())
        deltas, _ = hear(provider)
        first, second = server.requests
    assert 0.4 <= second.at - first.at <= 0.6
    assert waits(deltas) == ["rate limit"]


def test_the_retry_delay_in_googles_body_is_kept() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]
    body = {"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED", "details": details}}
    clock = Clock()
    with WireServer([Answer(429, body), GOOD]) as server:
        hear(speak("chat", server.url, patience(clock, jitter=lambda: 0.0)))
    assert clock.slept == [34.5]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("asked", ["61", "3600", "in an hour"])
def test_a_delay_beyond_the_patience_fails_at_once(asked: str, api: str) -> None:
    asked = in_seconds(3600) if asked == "in an hour" else asked
    with WireServer([rate_limited(retry_after=asked)]) as server:
        began = time.monotonic()
        with pytest.raises(RateLimited, match=r"it asks to wait (61 s|60 min|59 min)") as caught:
            hear(speak(api, server.url, RetryLimits()))
        assert time.monotonic() - began < 2
        assert len(server.requests) == 1
    assert caught.value.seconds is not None
    assert caught.value.seconds > 60


def test_the_patience_counts_all_waits_together() -> None:
    clock = Clock()
    with WireServer(then=rate_limited(retry_after="25")) as server:
        with pytest.raises(RateLimited, match=r"3 requests in 5\d s"):
            hear(speak("chat", server.url, patience(clock, jitter=lambda: 0.0)))
        assert (len(server.requests), clock.slept) == (3, [25.0, 25.0])


def test_a_should_not_retry_header_is_respected() -> None:
    with WireServer([rate_limited(x_should_retry="false")]) as server:
        with pytest.raises(RateLimited):
            hear(speak("chat", server.url))
        assert len(server.requests) == 1


@pytest.mark.parametrize("api", APIS)
def test_a_fault_after_the_terminal_event_is_ignored(api: str) -> None:
    with WireServer([Reply("Done.", fault="cut", after=100)]) as server:
        _, reply = hear(speak(api, server.url))
        assert (reply.text, len(server.requests)) == ("Done.", 1)


@pytest.mark.parametrize("api", APIS)
def test_calls_of_a_retried_answer_are_yielded_once(api: str) -> None:
    call = Call("run", {"command": "make"}, id="c-a")
    with WireServer([Reply("Now", calls=[call], fault="no-end", after=4), Reply("Now", calls=[call])]) as server:
        deltas, reply = hear(speak(api, server.url))
        assert len(server.requests) == 2
    assert [item.name for item in reply.calls] == ["run"]
    assert waits(deltas) == ["it ended in the middle"]
