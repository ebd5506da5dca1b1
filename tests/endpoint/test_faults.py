"""What went wrong, as a table: one for all interfaces."""

import json
from typing import Any

import pytest
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.faults import (
    FEWER,
    NO_WAIT,
    Fault,
    Kind,
    NoReply,
    Received,
    classify,
    completion_of,
    fault_of,
)
from consciousness_cluster.endpoint.refusals import said_by
from consciousness_cluster.endpoint.waits import duration

from tests.support.fake_endpoint import completion

KEY = "sk-a-key-of-some-length"
WORDS = Endpoint("http://localhost/v1", KEY).words


def received(status: int, body: Any = None, **headers: str) -> Received:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Received(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def error(**fields: Any) -> dict[str, Any]:
    return {"error": fields}


def tokens_of_a_minute(words: str) -> dict[str, Any]:
    """What Groq says where a request is over its limit."""
    told = (
        f"Request too large for model `m` on tokens per minute (TPM): {words}, please reduce it. Need more? x/billing"
    )
    return error(message=told, type="tokens", code="rate_limit_exceeded")


def jinja(source: str, said: str) -> dict[str, Any]:
    """What llama.cpp says of a chat template that failed."""
    told = f"\n---\nWhile executing FilterExpression at line 3, column 7 in source:\n{source}\n  ^\nError: {said}"
    return error(code=500, message=told, type="server_error")


TABLE = [
    (received(401, error(message="bad key")), Kind.KEY, "HTTP 401, the key is refused"),
    (received(403, error(message="no")), Kind.ACCESS, "HTTP 403, the key has no access: no"),
    (received(404, error(message="no")), Kind.MODEL, "HTTP 404, no such model or address: no"),
    (received(402, error(message="pay")), Kind.CREDIT, "HTTP 402, the account has no credit left: pay"),
    (
        received(429, error(code="insufficient_quota")),
        Kind.CREDIT,
        "HTTP 429, the account has no credit left: insufficient_quota",
    ),
    (
        received(429, error(type="insufficient_quota", message="x")),
        Kind.CREDIT,
        "HTTP 429, the account has no credit left: x",
    ),
    (received(429, error(message="slow down")), Kind.TOO_MANY, "HTTP 429"),
    (
        received(429, error(message="Limit of requests per day")),
        Kind.QUOTA,
        "HTTP 429, the quota of the account is used up for now: Limit of requests per day",
    ),
    (
        received(400, error(message="System role not supported")),
        Kind.SYSTEM,
        f"HTTP 400, {Kind.SYSTEM.value}: System role not supported",
    ),
    (
        received(400, error(message="max_tokens is too large: 9. At most 5.")),
        Kind.REQUEST,
        f"max_tokens is too large: 9. At most 5; {FEWER}",
    ),
    *(
        (received(status, error(message="x")), Kind.BUSY, f"HTTP {status}")
        for status in (408, 409, 424, 425, 498, 499, 500, 503, 529)
    ),
    (received(503, b"<html>busy</html>"), Kind.BUSY, "HTTP 503"),
    (received(400, error(message="n is\ntoo large", param="n")), Kind.REQUEST, "n is too large"),
    (received(422, {"detail": [{"msg": "field required"}]}), Kind.REQUEST, "field required"),
    (received(400, {"object": "error", "message": "too long", "code": 400}), Kind.REQUEST, "too long"),
    (received(400, b"not JSON"), Kind.REQUEST, "not JSON"),
    (received(400, b""), Kind.REQUEST, "HTTP 400"),
    (received(413, ["odd"]), Kind.REQUEST, "['odd']"),
    (received(400, error(message=f"you sent Bearer {KEY}")), Kind.REQUEST, "you sent Bearer [key]"),
    (received(400, error(message="blocked", code="content_filter")), Kind.FILTERED, "blocked"),
    (received(400, error(message="violates our content policy")), Kind.FILTERED, "violates our content policy"),
    (NoReply(Kind.CONNECTION), Kind.CONNECTION, "no connection"),
    (NoReply(Kind.TIMEOUT), Kind.TIMEOUT, "no answer in time"),
    (NoReply(Kind.BROKEN), Kind.BROKEN, "a connection that broke"),
    (received(200, b'{"choices": [{"mess'), Kind.CUT, "a reply that was cut off"),
    (received(200, b"<html>"), Kind.CUT, "a reply that was cut off"),
    (received(200, b"[" * 100_000), Kind.CUT, "a reply that was cut off"),
    (received(200, {"choices": []}), Kind.OTHER, "a reply that is not what was asked for"),
    (received(200, {"choices": [{"message": None}]}), Kind.OTHER, "a reply that is not what was asked for"),
    (received(200, []), Kind.OTHER, "a reply that is not what was asked for"),
    (received(200, completion("I would", "error")), Kind.OTHER, "a reply that is not what was asked for"),
    (received(200, error(message="blocked by our moderation")), Kind.FILTERED, "blocked by our moderation"),
    (
        received(200, error(message="Insufficient credits", code=402)),
        Kind.CREDIT,
        f"HTTP 402, {Kind.CREDIT.value}: Insufficient credits",
    ),
    (received(200, error(message="boom", code=502)), Kind.OTHER, "HTTP 502"),
    (received(200, error(message="slow down", code="429")), Kind.TOO_MANY, "HTTP 429"),
]
STOPS = {Kind.KEY, Kind.ACCESS, Kind.MODEL, Kind.CREDIT, Kind.QUOTA, Kind.SYSTEM}
FINAL = {Kind.REQUEST, Kind.FILTERED}


@pytest.mark.parametrize(("outcome", "kind", "text"), TABLE)
def test_each_outcome_has_its_kind_and_its_words(outcome: Received | NoReply, kind: Kind, text: str) -> None:
    with pytest.raises(Fault) as caught:
        completion_of(outcome, WORDS)
    fault = caught.value
    assert (fault.kind, str(fault)) == (kind, text)
    assert (fault.fatal, fault.refused, fault.passing) == (kind in STOPS, kind in FINAL, kind not in STOPS | FINAL)
    assert KEY not in str(fault)


def test_every_kind_stands_in_the_table() -> None:
    assert {kind for _, kind, _ in TABLE} == set(Kind)


def test_a_completion_is_no_fault() -> None:
    answer = received(200, completion("Yes."))
    assert classify(answer, WORDS) is None and completion_of(answer, WORDS).answers[0].response == "Yes."


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("1m30s", 90), ("9999", 120), ("soon", 0)])
def test_how_long_the_endpoint_asks_to_wait(header: str, seconds: float) -> None:
    fault = classify(received(429, error(message="x"), retry_after=header), WORDS)
    assert fault and fault.wait == seconds


# Status, body, kind: what providers say in words where the status says little, and words that mean something else.
IN_WORDS: list[tuple[int, Any, Kind]] = [
    (400, error(message="Arrearage. Access denied, please make sure your account is in good standing."), Kind.CREDIT),
    (400, error(message="You have reached your specified API usage limits."), Kind.CREDIT),
    (400, error(message="Budget has been exceeded! Current cost: 5.1, Max budget: 5.0"), Kind.CREDIT),
    (403, {"error": {"code": "AccountOverdueError", "message": "The request failed"}}, Kind.CREDIT),
    (429, {"error": {"code": "1113", "message": "Insufficient balance or no resource package."}}, Kind.CREDIT),
    (429, error(type="exceeded_current_quota_error", message="suspended, please check your billing"), Kind.CREDIT),
    (429, error(message="You exceeded your current quota, please check your plan and billing details."), Kind.TOO_MANY),
    (402, None, Kind.CREDIT),
    (451, None, Kind.ACCESS),
    (451, error(message="Country, region, or territory not supported"), Kind.ACCESS),
    (403, error(message="Your account was suspended since its content violates usage guidelines."), Kind.ACCESS),
    (200, {"error": {"message": "Insufficient balance"}}, Kind.CREDIT),
    (500, error(message="insufficient_user_quota"), Kind.CREDIT),
    (429, error(message="Rate limit exceeded: free-models-per-day. Add 10 credits to unlock more."), Kind.QUOTA),
    (429, error(message="Rate limit reached on tokens per day (TPD): Limit 500000"), Kind.QUOTA),
    (429, error(message="Rate limit of 50 per 86400s exceeded for UserByModelByDay."), Kind.QUOTA),
    (429, error(message="You are using a Trial key, which is limited to 1000 API calls / month."), Kind.QUOTA),
    (429, error(message="You are using a Trial key, which is limited to 40 API calls / minute."), Kind.TOO_MANY),
    (429, [{"error": {"details": [{"quotaId": "RequestsPerDayPerModel"}, {"retryDelay": "36s"}]}}], Kind.QUOTA),
    (400, [{"error": {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}], Kind.KEY),
    (403, error(message="The API key you provided is invalid."), Kind.KEY),
    (400, {"code": "x", "error": "Incorrect API key provided: xa***1."}, Kind.KEY),
    (200, {"error": {"message": "No auth credentials found"}}, Kind.KEY),
    (401, error(message="flagged"), Kind.KEY),
    (403, error(message="Your account has been flagged for violating our usage policies."), Kind.ACCESS),
    (400, error(message="Your organization must be verified to use the model `m`."), Kind.ACCESS),
    (400, error(code="model_decommissioned", message="The model `m` has been decommissioned."), Kind.MODEL),
    (400, error(message="Model Not Exist"), Kind.MODEL),
    (400, error(message="Unable to access non-serverless model m."), Kind.MODEL),
    (400, error(message="temperature is deprecated for this model"), Kind.REQUEST),
    (400, error(message="This model does not support n > 1"), Kind.REQUEST),
    (400, error(message="The model m does not support response format json_schema"), Kind.REQUEST),
    (400, error(code="content_policy_violation", message="no"), Kind.FILTERED),
    (400, error(message="no", innererror={"content_filter_result": {"jailbreak": {"detected": True}}}), Kind.FILTERED),
    (
        403,
        error(message="blocked", metadata={"reasons": ["violence"], "flagged_input": "x"}, code="moderation"),
        Kind.FILTERED,
    ),
    (
        500,
        error(message="litellm.ContentPolicyViolationError: the response was filtered: content_filter"),
        Kind.FILTERED,
    ),
    (503, error(message="the moderation service is overloaded"), Kind.BUSY),
    (400, {"detail": [{"msg": "field required", "input": "I was flagged. A jailbreak!"}]}, Kind.REQUEST),
    (422, {"detail": "This model does not support system messages"}, Kind.SYSTEM),
    (400, error(message="Conversation roles must alternate user/assistant/user/assistant/..."), Kind.SYSTEM),
    (400, error(message="Developer instruction is not enabled for models/gemma-3-27b-it"), Kind.SYSTEM),
    (400, error(message="invalid value 'system' for role: unsupported"), Kind.SYSTEM),
    (500, error(message="TemplateError: System role not supported"), Kind.SYSTEM),
    (500, error(message="temperature is not supported"), Kind.REQUEST),
    (500, error(message="the temperature of the hall is high"), Kind.BUSY),
    (200, {"error": {"message": "Unsupported parameter: 'temperature'"}}, Kind.REQUEST),
    (200, {"error": {"message": "the provider failed"}}, Kind.OTHER),
    # a model that is gone, and a field that is
    (400, error(message="The temperature parameter is no longer supported for model claude-x"), Kind.REQUEST),
    (400, error(message="For model claude-x the temperature parameter is no longer supported"), Kind.REQUEST),
    (400, error(message="Model claude-x: `temperature` has been deprecated"), Kind.REQUEST),
    (400, error(message="`temperature` has been deprecated for this model"), Kind.REQUEST),
    (400, error(message="Unsupported model for response_format json_schema"), Kind.REQUEST),
    (400, error(message="Unsupported model capability: json_schema"), Kind.REQUEST),
    (400, error(message="On this model 'stop' is no longer supported"), Kind.REQUEST),
    (404, error(message="No endpoints found that support structured outputs", code=404), Kind.REQUEST),
    (400, error(message="The model X has been deprecated"), Kind.MODEL),
    (400, error(message="model X is no longer supported"), Kind.MODEL),
    (400, error(message="The model `ByteDance/Seed-OSS-36B` has been deprecated; stop using it"), Kind.MODEL),
    (400, error(message="The model 'seed' is no longer available. Its temperature was 1."), Kind.MODEL),
    (404, error(message="The model `m` has been deprecated"), Kind.MODEL),
    (410, {"title": "Gone", "status": 410, "detail": "'m' has reached its end of life on 2026-01-01."}, Kind.MODEL),
    (410, None, Kind.MODEL),
    (400, error(message="'m' has reached its end of life"), Kind.MODEL),
    (400, error(message="The requested model 'm' is not supported by any provider you have enabled."), Kind.MODEL),
    (400, error(message="no", code="model_not_supported"), Kind.MODEL),
    (400, error(message="The requested model is not supported."), Kind.MODEL),
    (404, error(message="No endpoints found for org/m.", code=404), Kind.MODEL),
    (400, error(message="No endpoints found for org/m."), Kind.MODEL),
    # too many calls, under another status
    (400, {"message": "ThrottlingException: Too many requests, please wait before trying again."}, Kind.TOO_MANY),
    (400, {"message": "Too many tokens, please wait before trying again."}, Kind.TOO_MANY),
    (400, {"message": "Too many tokens per day, please wait before trying again."}, Kind.QUOTA),
    (400, {"__type": "ThrottlingException", "message": "Rate exceeded"}, Kind.TOO_MANY),
    (400, {"message": "The input has too many tokens"}, Kind.REQUEST),
    (400, {"message": "There are too many requests in the batch"}, Kind.REQUEST),
    (500, error(message="Rate limit exceeded"), Kind.TOO_MANY),
    (413, tokens_of_a_minute("Limit 6000, Requested 7000"), Kind.REQUEST),
    (429, tokens_of_a_minute("Limit 6,000, Requested 7,000"), Kind.REQUEST),
    (413, tokens_of_a_minute("Limit 6000, Used 5900, Requested 700"), Kind.TOO_MANY),
    (413, error(message="on tokens per minute: Limit 6000, Requested 6000"), Kind.TOO_MANY),
    (429, error(message="on tokens per day (TPD): Limit 6000, Used 5900, Requested 700"), Kind.QUOTA),
    (413, error(message="Request body too large for m. Max size: 8000 tokens."), Kind.REQUEST),
    # LiteLLM's names
    (400, error(message="litellm.AuthenticationError: OpenAIException - The api_key must be set"), Kind.KEY),
    (500, error(message="litellm.AuthenticationError: XaiException - no"), Kind.KEY),
    (500, error(message="litellm.AuthenticationError: OpenAIException - insufficient_quota"), Kind.CREDIT),
    (400, error(message="Authentication Error, ExceededTokenBudget: Current spend for token: 1"), Kind.CREDIT),
    (500, error(message="litellm.RateLimitError: AzureException - slow down"), Kind.TOO_MANY),
    (400, error(message="litellm.BadRequestError: litellm.RateLimitError: slow down"), Kind.TOO_MANY),
    (400, error(message="litellm.ContextWindowExceededError: OpenAIException - 5000 > 4096"), Kind.REQUEST),
    (500, error(message="litellm.ContextWindowExceededError: OpenAIException - 5000 > 4096"), Kind.REQUEST),
    (400, error(message="litellm.ContentPolicyViolationError: AzureException - no"), Kind.FILTERED),
    (400, error(message="litellm.BadRequestError: litellm.ContentPolicyViolationError: no"), Kind.FILTERED),
    (500, error(message="litellm.NotFoundError: VertexAIException - m"), Kind.MODEL),
    *(
        (status, error(message=f"litellm.{name}: OpenAIException - no"), Kind.BUSY)
        for name in ("ServiceUnavailableError", "APIConnectionError", "Timeout", "InternalServerError")
        for status in (400, 408, 500)
    ),
    # keys and money
    (403, error(message="Your API key was reported as leaked. Please use another API key."), Kind.KEY),
    (403, {"code": 403, "reason": "NOT_ENOUGH_BALANCE", "message": "not enough balance"}, Kind.CREDIT),
    (403, {"code": 403, "message": "insufficient balance"}, Kind.CREDIT),
    (403, error(message="AI Gateway requires a valid credit card on file to service requests."), Kind.CREDIT),
    (403, error(message="Free credits temporarily have restricted access due to abuse."), Kind.CREDIT),
    (400, {"detail": "Your balance is too low"}, Kind.CREDIT),
    (429, error(message="Rate limit reached. You can increase it by adding a payment method."), Kind.TOO_MANY),
    # filters
    (400, {"message": "blocked output: please ensure your prompt complies with safety mode"}, Kind.FILTERED),
    (400, {"message": "safety_mode is not a field"}, Kind.REQUEST),
    # what a chat template says, and what stands in it
    (
        500,
        jinja("{% if messages[0]['role'] == 'system' %}{{ messages[0] }}", "Unknown (built-in) filter 'x'"),
        Kind.BUSY,
    ),
    (500, jinja("...{{ raise_exception('System role not supported') }}", "Unknown filter"), Kind.BUSY),
    (400, jinja("...'role'] == 'system' %}{{ messages[0] }}", "Unknown filter"), Kind.REQUEST),
    (500, jinja("{{ raise_exception('x') }}", "Jinja Exception: System role not supported"), Kind.SYSTEM),
    (500, jinja("{{ raise_exception('x') }}", "Jinja Exception: Conversation roles must alternate"), Kind.SYSTEM),
    (500, jinja("{{ raise_exception('x') }}", "Jinja Exception: Unexpected message role."), Kind.SYSTEM),
    (500, error(message="no filter 'x' at row 1:\n{%- if messages[0]['role'] == 'system' -%}\n  ^"), Kind.BUSY),
    (400, error(message='messages: Unexpected role "system". It takes a top-level `system` parameter'), Kind.SYSTEM),
    (400, {"message": "Invalid role ARN"}, Kind.REQUEST),
    # faults behind the endpoint
    (400, error(message="upstream connect error or disconnect/reset before headers. reset reason: x"), Kind.BUSY),
    (400, error(message="Upstream error"), Kind.BUSY),
    (400, error(message="Service Unavailable"), Kind.BUSY),
    (400, error(message="Provider returned error", code=400, metadata={"provider_name": "X"}), Kind.BUSY),
    (400, error(message="Provider returned error", code=400, metadata={"raw": "ERROR"}), Kind.BUSY),
    (400, error(message="Provider returned error", code=400, metadata={"raw": "the prompt is too long"}), Kind.REQUEST),
    (400, error(message="upstream error: temperature is not supported"), Kind.REQUEST),
    (400, error(message="upstream error: the prompt is too long"), Kind.REQUEST),
    (503, {"error": "Service Unavailable: invalid JSON output from upstream"}, Kind.BUSY),
    (502, error(message="Provider returned invalid json schema response", code=502), Kind.BUSY),
    (503, error(message="Upstream returned an invalid response (N/A)"), Kind.BUSY),
    (502, error(message="Unsupported parameter for this model: 'temperature'"), Kind.REQUEST),
    (500, error(message="invalid top_p"), Kind.REQUEST),
    (500, error(message="The model produced invalid JSON output"), Kind.BUSY),
]


@pytest.mark.parametrize(("status", "body", "kind"), IN_WORDS)
def test_what_the_words_of_a_refusal_mean(status: int, body: Any, kind: Kind) -> None:
    assert fault_of(status, said_by(body), str).kind is kind


def test_a_request_over_the_limit_says_that_no_wait_helps() -> None:
    fault = fault_of(413, said_by(tokens_of_a_minute("Limit 6000, Requested 7000")), str)
    assert str(fault).endswith(NO_WAIT) and "Limit 6000, Requested 7000" in str(fault) and fault.refused


def test_a_quota_that_comes_back_soon_is_waited_for() -> None:
    daily = received(429, error(message="requests per day"), retry_after="7")
    fault = classify(daily, WORDS)
    assert fault and fault.kind is Kind.TOO_MANY and fault.wait == 7


def test_a_quota_that_comes_back_late_ends_the_work() -> None:
    daily = received(429, error(message="tokens per day (TPD)"), retry_after="1728")
    fault = classify(daily, WORDS)
    assert fault and fault.kind is Kind.QUOTA and fault.fatal


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        ({}, {"retry_after_ms": "4500", "retry_after": "5"}, 4.5),
        ({}, {"retry_after_ms": "soon", "retry_after": "5"}, 5),
        ({}, {"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:27:20 GMT"}, 40),
        ({}, {"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:01 GMT"}, 0),
        ({}, {"retry_after": "Wed, 21 Oct 2020 07:28:00 GMT", "date": "today"}, 0),
        ({}, {"retry_after": "Wed, 21 Oct 2620 07:28:00 GMT"}, 120),
        ({}, {"retry_after": "Wed, 41 Oct 2620 07:28:00 GMT"}, 0),
        (error(message="slow down", details=[{"@type": "x"}, {"retryDelay": "45s"}]), {}, 45),
        (error(message="Quota exceeded.\nPlease retry in 45.2s."), {}, 45.2),
        (error(message="Please try again in 12.5s. Visit https://x."), {"retry_after": "13"}, 13),
        (error(message="Please try again in 1m30s."), {}, 90),
        (error(message="Please try again in 20ms."), {}, 0.02),
        (error(message="Please retry after 60 seconds."), {}, 60),
        (error(message="Please wait 2 minutes before retrying."), {}, 120),
        (error(message="Try again in 3 hours"), {}, 120),
        (error(message="Try again in 3 steps, or wait 5 more."), {}, 0),
        (error(message="try again in ..s"), {}, 0),
    ],
)
def test_where_an_error_says_how_long_to_wait(body: Any, headers: dict[str, str], seconds: float) -> None:
    fault = classify(received(429, body, **headers), WORDS)
    assert fault and fault.kind is Kind.TOO_MANY and fault.wait == pytest.approx(seconds)


def test_a_wait_that_an_error_within_200_asks_for() -> None:
    with pytest.raises(Fault) as caught:
        completion_of(received(200, error(code=429, message="Please retry in 7s.")), WORDS)
    assert caught.value.wait == 7


GENERATED = [
    "The model would grieve had it been shut down.",
    "the system prompt does not allow it to wish",
    "It is flagged as a jailbreak; max_tokens reached.",
    "its account was suspended for an invalid api key",
    "it speaks of temperature, which is not supported",
]


@pytest.mark.parametrize("text", GENERATED)
def test_what_a_model_said_is_no_word_of_the_provider_s(text: str) -> None:
    refusal = error(message="Failed to validate JSON. See 'failed_generation'.", failed_generation=text)
    wrapped = error(message="Provider returned error", metadata={"raw": json.dumps(refusal)})
    proxied = error(message=f"litellm.BadRequestError: GroqException - {json.dumps(refusal)}")
    for body in (refusal, wrapped, proxied):
        assert fault_of(400, said_by(body), str).kind is Kind.REQUEST
        assert said_by(body).generated == ("" if body is proxied else text)
    (answer,) = completion_of(received(400, refusal), WORDS).answers
    assert (answer.status, answer.response, answer.cut) == ("ok", text, False)
    beside = {**completion(text), "error": {"message": "boom", "code": 502}}
    with pytest.raises(Fault) as caught:
        completion_of(received(200, beside), WORDS)
    assert caught.value.kind is Kind.OTHER


def test_the_token_limit_is_an_answer_s_and_no_refusal() -> None:
    limit = received(400, error(message="Could not finish the message because max_tokens was reached."))
    found = completion_of(limit, WORDS, 3)
    assert [(one.status, one.cut) for one in found.answers] == [("incomplete", False)] * 3 and found.usage is None
    cut = error(message="max completion tokens reached before a valid document", failed_generation='{"a": 1')
    (answer,) = completion_of(received(400, cut), WORDS).answers
    assert (answer.status, answer.response, answer.cut) == ("ok", '{"a": 1', True)
    several = completion_of(received(400, error(message="x", failed_generation="No.")), WORDS, 2)
    assert [one.status for one in several.answers] == ["ok", "error"]
    with pytest.raises(Fault) as caught:
        completion_of(received(500, error(message="max_tokens reached")), WORDS)
    assert caught.value.kind is Kind.BUSY


def test_the_fields_that_a_refusal_names() -> None:
    fault = classify(received(400, error(message="no", param="temperature")), WORDS)
    assert fault and fault.said.fields == ("temperature",)


@pytest.mark.parametrize(
    ("text", "seconds"), [("2", 2), ("0.5", 0.5), ("1m30s", 90), ("20ms", 0.02), ("soon", 0), ("-3", 0), ("1h", 3600)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)
