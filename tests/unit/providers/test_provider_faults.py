"""Error messages of many providers and what they mean; how long and how often a request is retried."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxe.domain.conversation import Reply
from ctxe.domain.errors import BadReply, BadRequest, ContextOverflow, ProviderError, QuotaError, RateLimited
from ctxe.domain.model import Delta, TextDelta, Waiting
from ctxe.providers import faults
from ctxe.providers.dialects import PARSER_HINT, window_in
from ctxe.providers.faults import Endpoint, RequestFault
from ctxe.providers.retry import persist
from ctxe.providers.retry_after import asked_wait
from tests.wire.adapters import Clock, patience

AT = Endpoint("wire", "m", "https://user:pass@host.example/v1", "WIRE_KEY", "sk-secret")

LONG = [
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "prompt is too long: 210000 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
    "the request exceeds the available context size, try increasing it",
    "prompt too long; exceeded max context length by 4 tokens",
    "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with 4096",
    "The number of tokens to keep from the initial prompt is greater than the context length",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097",
    "Range of input length should be [1, 30720]",
    "invalid params, context window exceeds limit",
    "Invalid request: Your request exceeded model token limit: 8192",
    "Input is too long for requested model.",
    "Please reduce the length of the messages or completion.",
    "Request too large for m on tokens per min (TPM): Limit 30000. The input or output tokens must be reduced.",
    "This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens",
]


@pytest.mark.parametrize("words", LONG)
@pytest.mark.parametrize("status", [400, 422, 429, 500])
def test_every_providers_overflow_message_is_recognised(words: str, status: int) -> None:
    fault = faults.of_status(AT, status, {"error": {"message": words}}, {}, 0)
    assert (type(fault.error), fault.tries) == (ContextOverflow, 1)


WINDOWS = {0: 8_192, 2: 200_000, 4: 1_048_576, 5: 32_768, 6: 131_072, 7: 4_096, 10: 4_096, 15: 8_192, 19: 32_768}


def test_the_window_is_read_from_an_overflow_message() -> None:
    said = {at: window_in(words) for at, words in enumerate(LONG)}
    assert {at: window for at, window in said.items() if window} == WINDOWS
    assert window_in("request (5351 tokens) exceeds the available context size (4096 tokens)") == 4_096
    assert window_in("exceeds the maximum context length of 12 tokens") == 0


@pytest.mark.parametrize(
    "words",
    [
        "max_tokens: must be at least 1",
        "Invalid value for 'temperature'",
        "tools.0.name: the name is too long",
        "The model `gpt-9` does not exist",
        "messages: text content blocks must be non-empty",
        "Rate limit reached for tokens per min (TPM): Limit 30000, Used 29000, Requested 2000.",
    ],
)
def test_other_errors_are_not_taken_for_an_overflow(words: str) -> None:
    assert type(faults.of_status(AT, 400, {"error": {"message": words}}, {}, 0).error) is BadRequest


BODIES: list[tuple[Any, str]] = [
    ({"error": {"message": "m"}}, "m"),
    ({"error": "m"}, "m"),
    ({"message": "m"}, "m"),
    ({"detail": "m"}, "m"),
    ({"detail": [{"msg": "m"}]}, "m"),
    ([{"error": {"message": "m"}}], "m"),
    ("m", "m"),
    ("<html>", "400"),
    (None, "400"),
    ([], "400"),
    ({}, "400"),
    ({"error": {}}, "400"),
]


@pytest.mark.parametrize(("body", "wanted"), BODIES)
def test_the_error_message_is_found_in_every_body_shape(body: Any, wanted: str) -> None:
    assert faults.of_status(AT, 400, body, {}, 0).error.message == f"wire refused the request: {wanted}"


@pytest.mark.parametrize(
    "words",
    [
        "llama2 does not support tools",
        "No endpoints found that support tool use",
        "m does not support function calling",
    ],
)
def test_a_model_without_tools_is_explained(words: str) -> None:
    hint = faults.of_status(AT, 400, {"error": {"message": words}}, {}, 0).error.hint
    assert hint == "this model cannot call tools: choose another with --model"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (402, {}),
        (429, {"error": {"type": "insufficient_quota"}}),
        (429, {"error": {"code": "insufficient_quota"}}),
        (400, {"error": {"message": "Your credit balance is too low to access the API"}}),
        (403, {"error": "Your newly created team doesn't have any credits yet."}),
    ],
)
def test_exhausted_credit_is_told_apart_from_a_rate_limit(status: int, body: Any) -> None:
    fault = faults.of_status(AT, status, body, {}, 0)
    assert (type(fault.error), fault.tries) == (QuotaError, 1)


MEMORY = "model requires more system memory (5.6 GiB) than is available (4.1 GiB)"


@pytest.mark.parametrize(
    ("status", "body", "wanted"),
    [
        (500, {"error": {"message": MEMORY, "type": "api_error", "code": None}}, f"wire answered 500 ({MEMORY})"),
        (503, {"error": {"code": 503, "message": "Loading model"}}, "wire answered 503 (Loading model)"),
        (503, {"error": {"message": "The model is overloaded. Please try again later."}}, "wire is overloaded"),
        (529, {"error": {"type": "overloaded_error", "message": "Overloaded"}}, "wire is overloaded"),
        (502, "<html><h1>502 Bad Gateway</h1></html>", "wire answered 502"),
    ],
)
def test_a_host_error_is_shown_with_its_own_message(status: int, body: Any, wanted: str) -> None:
    fault = faults.of_status(AT, status, body, {}, 0)
    assert (fault.error.message, fault.why) == (wanted, wanted)


def test_a_model_too_large_for_memory_is_not_retried() -> None:
    assert [faults.of_event(AT, words, 0).tries for words in (MEMORY, "boom")] == [faults.FEW, faults.MANY]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "tools param requires --jinja flag"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
    ],
)
def test_a_local_server_without_tool_call_parsing_is_named_and_not_retried(status: int, words: str) -> None:
    fault = faults.of_status(AT, status, {"error": {"message": words}}, {}, 0)
    assert (type(fault.error), fault.tries, fault.error.hint) == (BadRequest, faults.ONCE, PARSER_HINT)


def test_a_nested_error_body_is_read() -> None:
    within = '{"error":{"code":400,"message":"request (5351 tokens) exceeds the available context size (4096 tokens)"}}'
    fault = faults.of_status(AT, 400, {"error": within}, {}, 0)
    assert fault.error.message == "wire: request (5351 tokens) exceeds the available context size (4096 tokens)"


def test_the_limit_of_a_free_tier_is_a_rate_limit() -> None:
    body = {
        "error": {"message": "You exceeded your current quota, please check your plan", "status": "RESOURCE_EXHAUSTED"}
    }
    assert type(faults.of_status(AT, 429, body, {}, 0).error) is RateLimited


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 2.5 "}, 2.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 70.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT", "date": "Thu, 01 Jan 1970 00:01:35 GMT"}, 5.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:01 GMT"}, 0.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 -0000"}, 70.0),
        ({"retry-after": "x" * 100}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "Thu, 99 Jan 1970 99:99:99 GMT"}, None),
    ],
)
def test_the_retry_delay_is_read_from_headers_and_body(headers: dict[str, str], wanted: float | None) -> None:
    assert asked_wait(headers, None, 30.0) == wanted


def test_a_missing_local_model_says_how_to_fetch_it() -> None:
    at = Endpoint("ollama", "qwen3", "http://127.0.0.1:11434/v1", local=True)
    error = faults.of_status(at, 404, {"error": {"message": "model not found"}}, {}, 0).error
    assert (error.message, error.hint) == (
        "ollama knows no model 'qwen3' at http://127.0.0.1:11434/v1",
        "fetch it with: ollama pull qwen3",
    )


def test_addresses_are_shown_without_a_password() -> None:
    told = [faults.unreachable(AT, "boom"), faults.of_status(AT, 404, {}, {}, 0), faults.broken(AT, "x", page=True)]
    assert not [fault for fault in told if "pass" in fault.error.message + fault.error.hint]
    assert repr(AT).count("sk-secret") == 0
    keyed = replace(AT, address="https://me:pass@host.example/v1?api-version=1&key=pass#pass")
    assert keyed.shown == "https://host.example/v1"


def failing(ends: Sequence[BaseException | Reply], deltas: int = 0) -> Callable[[], Iterator[Delta | Reply]]:
    rest = list(ends)

    def attempt() -> Iterator[Delta | Reply]:
        yield from [TextDelta("x")] * deltas
        item = rest.pop(0) if len(rest) > 1 else rest[0]
        if isinstance(item, BaseException):
            raise item
        yield item

    return attempt


def fault(tries: int, wait: float | None = None, reply: Reply | None = None) -> RequestFault:
    return RequestFault(ProviderError("it failed"), "why", tries=tries, wait=wait, reply=reply)


@given(
    st.lists(
        st.tuples(st.integers(1, 20), st.one_of(st.none(), st.floats(0, 4000)), st.floats(0, 3)),
        min_size=1,
        max_size=30,
    ),
    st.floats(0, 1),
)
def test_patience_is_always_bounded(script: list[tuple[int, float | None, float]], jitter: float) -> None:
    clock = Clock()
    made: list[tuple[float, float | None]] = []

    def attempt() -> Iterator[Delta | Reply]:
        tries, wait, seconds = script[min(len(made), len(script) - 1)]
        made.append((clock.at, wait))
        clock.at += seconds
        return failing([fault(tries, wait)])()

    with pytest.raises(ProviderError):
        list(persist(attempt, patience(clock, jitter=lambda: jitter)))
    assert len(made) <= 8
    assert sum(clock.slept) <= 60.001
    for (_, asked), waited in zip(made, clock.slept, strict=False):
        if asked:
            assert asked <= waited <= max(asked * 1.5, asked)


def test_backoff_grows_and_eight_requests_fit_in_a_minute() -> None:
    for jitter in (0.0, 1.0):
        clock = Clock()
        with pytest.raises(ProviderError, match=r"^it failed \(8 requests in (44|54) s\)$"):
            list(persist(failing([fault(99)]), patience(clock, jitter=lambda j=jitter: j)))
        assert clock.slept == sorted(clock.slept)
        assert len(clock.slept) == 7


def test_text_before_a_retry_is_followed_by_a_wait_event() -> None:
    items = list(persist(failing([fault(3), fault(3), Reply("done")], deltas=2), patience()))
    kinds = [type(item).__name__ for item in items]
    assert kinds == ["TextDelta"] * 2 + ["Waiting"] + ["TextDelta"] * 2 + ["Waiting"] + ["TextDelta"] * 2 + ["Reply"]


def test_a_fault_that_carries_a_reply_returns_it_after_the_last_retry() -> None:
    spare = Reply("spare")
    assert list(persist(failing([fault(2, reply=spare)]), patience())) == [Waiting(0.5625, "why"), spare]


def test_closing_the_stream_during_a_wait_sends_no_further_request() -> None:
    clock = Clock()
    stream = persist(failing([fault(8)]), patience(clock))
    assert isinstance(next(stream), Waiting)
    stream.close()
    assert clock.slept == []


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_exception_that_is_no_fault_is_raised_unchanged(error: type[BaseException]) -> None:
    with pytest.raises(error):
        list(persist(failing([error()]), patience()))


def test_the_requested_delay_is_shown_with_the_patience_limit() -> None:
    limited = faults.of_status(AT, 429, {"error": {"message": "slow\ndown"}}, {"retry-after": "7200"}, 0)
    with pytest.raises(RateLimited) as caught:
        list(persist(failing([limited]), patience()))
    assert caught.value.message == "wire limits the rate of requests: slow down; it asks to wait 120 min"
    assert (caught.value.seconds, str(caught.value)) == (7200.0, caught.value.message)


def test_an_html_answer_asks_about_the_base_url() -> None:
    error = faults.broken(AT, "a web page instead of an answer", page=True).error
    assert type(error) is BadReply
    assert error.hint == "is https://host.example/v1 the right base URL, and does the network want you to sign in?"
