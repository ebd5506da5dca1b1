"""In which form a request is sent: what a refusal of a body that was really sent changes, as a table."""

import asyncio
import json
from typing import Any

import pytest
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.caller import Caller
from consciousness_cluster.endpoint.faults import Fault, Kind, NoReply, Received, fault_of
from consciousness_cluster.endpoint.forms import Forms
from consciousness_cluster.endpoint.refusals import said_by
from consciousness_cluster.endpoint.replies import Body

from tests.endpoint.reply_table import ENDS, PASSING, REFUSED_FIELDS, REFUSED_REQUESTS, Adapted, completion

BODY: dict[str, Any] = {
    "model": "m",
    "messages": [],
    "temperature": 1,
    "max_tokens": 5,
    "n": 3,
    "top_p": 0.9,
    "seed": 1,
    "stop": ["x"],
    "response_format": {"type": "json_schema"},
}


def refusal(body: Any, status: int = 400) -> Fault:
    return fault_of(status, said_by(body), str)


def changes(body: Any, status: int = 400, sent: Body = BODY) -> dict[str, str | None]:
    return dict(Forms().changes(sent, refusal(body, status)))


RENAMED = {"max_tokens": "max_completion_tokens"}
DETAIL = {"type": "extra_forbidden", "msg": "Extra inputs are not permitted", "input": {"temperature": 1, "n": 3}}
OTHERS: list[tuple[Any, dict[str, str | None]]] = [
    ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", RENAMED),
    ({"error": {"message": "unknown field", "param": "max_tokens"}}, RENAMED),
    ("max_tokens is deprecated in favor of max_completion_tokens", RENAMED),
    ({"error": {"message": "Unsupported value", "param": "temperature"}}, {"temperature": None}),
    ({"error": {"message": "temperature is not supported", "param": "None"}}, {"temperature": None}),
    ({"message": "sampling parameters are fixed", "field": "body.temperature"}, {"temperature": None}),
    ("json_schema is not supported", {"response_format": None}),
    ("unknown field `seed`, expected one of `model`, `messages`, `temperature`, `n`, `stop`", {"seed": None}),
    ("Unknown parameter: seed. Supported parameters are: temperature, top_p, n, max_tokens.", {"seed": None}),
    (
        {"detail": [{**DETAIL, "loc": ["body", "seed"]}, {**DETAIL, "loc": ["body", "stop"]}]},
        {"seed": None, "stop": None},
    ),
    ({"error": {"details": [{"fieldViolations": [{"field": "generation_config.top_p"}]}]}}, {"top_p": None}),
    ("The parameters temperature, top_p are not supported with this model", {"temperature": None, "top_p": None}),
    ("temperature and top_p are no longer supported by model m-1", {"temperature": None, "top_p": None}),
    ("temperature and top_p cannot be used together", {"top_p": None}),
    ("temperature must be 1 if n is greater than 1", {"n": None}),  # what changes the answers the least
    ("this isn't possible here", {"n": None}),  # names nothing: many servers give one answer a request
    ("Only one completion choice is allowed", {"n": None}),
    ("max_tokens is too large: 5. This model supports at most 2 completion tokens.", {}),
    ("'max_tokens' or 'max_completion_tokens' is too large: 5", {}),
    ("max_tokens must be less than or equal to 2", {}),
    ({"error": {"message": "max_tokens: 5 > 2, which is the maximum allowed number", "param": "max_tokens"}}, {}),
    ("This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.", {}),
    ({"error": {"message": "no", "param": "messages"}, "input": "temperature is not supported"}, {"n": None}),
    ("We could not parse the JSON body of your request.", {}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "change"), OTHERS)
def test_which_fields_a_refusal_is_about(body: Any, change: dict[str, str | None]) -> None:
    assert changes(body) == change


@pytest.mark.parametrize(("body", "change"), [row for row in OTHERS if row[1]])
def test_a_field_that_was_not_sent_is_not_to_blame(body: Any, change: dict[str, str | None]) -> None:
    sent = {name: value for name, value in Forms().fit(BODY, change).items() if name != "n"}
    assert not change.keys() & sent.keys()
    assert not Forms(change).changes(sent, refusal(body)).keys() & {*change, *filter(None, change.values())}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.REQUEST])
def test_only_a_refused_request_changes_the_form(kind: Kind) -> None:
    assert Forms().changes(BODY, Fault(kind, 400, said=said_by("temperature is not supported"))) == {}


@pytest.mark.parametrize("row", [*ENDS, *PASSING, *REFUSED_REQUESTS], ids=lambda row: row.name)
def test_what_is_no_matter_of_form_changes_nothing(row: Any) -> None:
    if isinstance(row.body, bytes):
        return
    sent = {name: value for name, value in BODY.items() if name != "n"}
    assert changes(row.body, row.http, sent) == {}


def test_a_field_goes_by_either_name_and_is_never_sent_without_a_limit() -> None:
    old = {"model": "m", "messages": [], "max_completion_tokens": 5}
    assert changes("Unrecognized request argument supplied: max_completion_tokens", sent=old) == {
        "max_completion_tokens": "max_tokens"
    }
    forms = Forms()
    forms.learn(RENAMED)
    sent = forms.fit(BODY)
    assert sent["max_completion_tokens"] == 5 and "max_tokens" not in sent
    assert forms.changes(sent, refusal("Unrecognized request argument supplied: max_completion_tokens")) == {}


def test_fields_are_renamed_or_left_out_and_all_others_stay() -> None:
    heard: list[str] = []
    forms = Forms({"seed": None}, lambda: heard.append("learned"))
    assert forms.fit(BODY) == {name: value for name, value in BODY.items() if name != "seed"}
    forms.learn({**RENAMED, "n": None})
    forms.learn(RENAMED)
    assert heard == ["learned"], "only what is new"
    sent = forms.fit(BODY, {"temperature": None})
    rest = {name: BODY[name] for name in ("model", "messages", "top_p", "stop", "response_format")}
    assert sent == {**rest, "max_completion_tokens": 5}
    assert forms.notes() == ["max_tokens is sent as max_completion_tokens", "n is left out"]
    assert forms.sent()["seed"] == "left out", "what is known from the start is recorded and not told"
    assert Forms({"temperature": None}).sent() == {"temperature": "the provider's default"}
    assert BODY["max_tokens"] == 5, "the body itself is left as it is"


class Refusing:
    """A transport that refuses a field as a row says, as long as it is sent."""

    def __init__(self, row: Adapted) -> None:
        self.row = row
        self.sent: list[Body] = []

    async def send(self, body: Body) -> Received | NoReply:
        self.sent.append(body)
        for rule in self.row.rules:
            if body.get(rule.field, 1) != 1 if rule.field == "n" else rule.field in body:
                return Received(rule.http, {}, json.dumps(rule.body).encode())
        return Received(200, {}, json.dumps(completion("Yes.")).encode())

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("row", REFUSED_FIELDS, ids=lambda row: row.name)
def test_a_refused_field_costs_one_more_call_in_all(row: Adapted) -> None:
    fields = {rule.field for rule in row.rules} | set(row.lacks) | {"temperature", "max_tokens"}
    body = {name: value for name, value in BODY.items() if name in (*fields, "model", "messages")}
    if "max_completion_tokens" in fields:
        body["max_completion_tokens"] = body.pop("max_tokens")
    transport = Refusing(row)

    async def work() -> None:
        async with Caller(Endpoint("http://127.0.0.1:9/v1", "k"), transport=transport) as caller:
            await caller.chat(body)
            first = len(transport.sent)
            await caller.chat(body)
            assert len(transport.sent) == first + 1, "later requests go through at once"

    asyncio.run(work())
    last = transport.sent[-1]
    assert len(transport.sent) == row.calls - row.asked + 2  # singly, where n is refused, and once more
    assert not set(row.lacks) & last.keys() and set(row.has) <= last.keys()
    kept = {name: value for name, value in body.items() if name not in row.lacks}
    assert {name: last[name] for name in kept} == kept, "nothing else is changed"
