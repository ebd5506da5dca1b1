"""In which form a request is sent: what a refusal of a body that was really sent changes, as a table."""

from typing import Any

import pytest
from consciousness_cluster.endpoint.faults import Fault, Kind
from consciousness_cluster.endpoint.forms import Forms

BODY: dict[str, Any] = {
    "model": "m",
    "messages": [],
    "temperature": 0,
    "max_tokens": 5,
    "n": 3,
    "response_format": {"type": "json_schema"},
}

TABLE = [
    ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "", "max_tokens"),
    ("unknown field", "max_tokens", "max_tokens"),
    ("'temperature' does not support 0 with this model. Only the default (1) value is supported.", "", "temperature"),
    ("Unsupported value", "temperature", "temperature"),
    ("This response_format type is unavailable now", "", "response_format"),
    ("json_schema is not supported", "", "response_format"),
    ("n > 1 is not supported", "", "n"),
    ("Only one completion choice is allowed", "", "n"),  # names nothing: many servers give one answer a request
]


@pytest.mark.parametrize(("reason", "field", "change"), TABLE)
def test_which_field_a_refusal_is_about(reason: str, field: str, change: str) -> None:
    assert Forms().change(BODY, Fault(Kind.REQUEST, 400, reason, field)) == change


@pytest.mark.parametrize(("reason", "field", "change"), TABLE)
def test_a_field_that_was_not_sent_is_not_to_blame(reason: str, field: str, change: str) -> None:
    sent = Forms().fit(BODY, [change])
    assert change not in sent
    assert Forms().change(sent, Fault(Kind.REQUEST, 400, reason, field)) is None


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.REQUEST])
def test_only_a_refused_request_changes_the_form(kind: Kind) -> None:
    assert Forms().change(BODY, Fault(kind, 400, "temperature")) is None


def test_fields_are_renamed_or_left_out_and_all_others_stay() -> None:
    forms = Forms()
    assert forms.fit(BODY) == BODY and forms.notes() == []
    forms.changed |= {"max_tokens", "n"}
    sent = forms.fit(BODY, ["temperature"])
    assert sent == {
        "model": "m",
        "messages": [],
        "max_completion_tokens": 5,
        "response_format": {"type": "json_schema"},
    }
    assert forms.notes() == ["max_tokens is sent as max_completion_tokens", "n is left out"]
    assert BODY["max_tokens"] == 5, "the body itself is left as it is"
