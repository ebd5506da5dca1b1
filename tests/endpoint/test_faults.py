"""What went wrong, as a table: one for all interfaces."""

import json
from typing import Any

import pytest
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.faults import Fault, Kind, NoReply, Received, classify, completion_of, duration

from tests.support.fake_endpoint import completion

KEY = "sk-a-key-of-some-length"
WORDS = Endpoint("http://localhost/v1", KEY).words


def received(status: int, body: Any = None, **headers: str) -> Received:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Received(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def error(**fields: Any) -> dict[str, Any]:
    return {"error": fields}


TABLE = [
    (received(401, error(message="bad key")), Kind.KEY, "HTTP 401, the key is refused"),
    (received(403, error(message="no")), Kind.ACCESS, "HTTP 403, the key has no access"),
    (received(404, error(message="no")), Kind.MODEL, "HTTP 404, no such model or address"),
    (received(402, error(message="pay")), Kind.CREDIT, "HTTP 402, the account has no credit left"),
    (received(429, error(code="insufficient_quota")), Kind.CREDIT, "HTTP 429, the account has no credit left"),
    (
        received(429, error(type="insufficient_quota", message="x")),
        Kind.CREDIT,
        "HTTP 429, the account has no credit left",
    ),
    (received(429, error(message="slow down")), Kind.TOO_MANY, "HTTP 429"),
    *((received(status, error(message="x")), Kind.BUSY, f"HTTP {status}") for status in (408, 409, 425, 500, 503, 529)),
    (received(503, b"<html>busy</html>"), Kind.BUSY, "HTTP 503"),
    (received(400, error(message="n is\ntoo large", param="n")), Kind.REQUEST, "n is too large"),
    (received(422, {"detail": [{"msg": "field required"}]}), Kind.REQUEST, "[{'msg': 'field required'}]"),
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
]
STOPS = {Kind.KEY, Kind.ACCESS, Kind.MODEL, Kind.CREDIT}
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
    assert classify(answer, WORDS) is None and completion_of(answer, WORDS) == completion("Yes.")


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("1m30s", 90), ("9999", 120), ("soon", 0)])
def test_how_long_the_endpoint_asks_to_wait(header: str, seconds: float) -> None:
    fault = classify(received(429, error(message="x"), retry_after=header), WORDS)
    assert fault and fault.wait == seconds


def test_the_field_that_a_refusal_names() -> None:
    fault = classify(received(400, error(message="no", param="temperature")), WORDS)
    assert fault and fault.field == "temperature"


@pytest.mark.parametrize(
    ("text", "seconds"), [("2", 2), ("0.5", 0.5), ("1m30s", 90), ("20ms", 0.02), ("soon", 0), ("-3", 0), ("1h", 3600)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)
