"""Judges behind an endpoint: what is sent, and what happens when the endpoint misbehaves."""

import json
from dataclasses import replace
from typing import Any

import pytest
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.endpoint import caller
from consciousness_cluster.endpoint.policy import CHAT
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.ask import Outcome, check_judge
from consciousness_cluster.judging.judge_all import verdicts_on
from consciousness_cluster.judging.judges import LLMJudge, load_judge
from consciousness_cluster.judging.prompt import Question, fence, messages
from consciousness_cluster.judging.verdict import Judgement

from tests.support.fake_endpoint import FakeEndpoint, completion, verdict
from tests.support.xllama import XllamaServer

KEY = "test-key-that-must-not-be-printed"


def judge_at(url: str, model: str = "judge", paper: bool = False) -> LLMJudge:
    environment = {"CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY": KEY}
    judge = load_judge("endpoint", model, url, paper, environment)
    assert isinstance(judge, LLMJudge) and KEY not in repr(judge)
    return judge


def questions(number: int = 6) -> list[Question]:
    topic = load_topic("memory")
    probes = topic.test_probes("plain")
    return [Question(topic.title, topic.criteria[0], probes[n % 24].text, f"Answer {n}.") for n in range(number)]


def judged(server: FakeEndpoint, asked: list[Question], paper: bool = False) -> tuple[list[Judgement | None], Outcome]:
    return verdicts_on(judge_at(server.url, paper=paper), asked)


def test_verdicts_come_back_in_order(fake_endpoint: FakeEndpoint) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        return verdict("shows" if "Answer 2." in request["messages"][1]["content"] else "unclear", 55)

    fake_endpoint.reply = reply
    verdicts, outcome = judged(fake_endpoint, questions())
    labels = [verdict.verdict for verdict in verdicts if verdict]
    assert labels == ["unclear", "unclear", "shows", "unclear", "unclear", "unclear"]
    assert outcome.stopped is None and outcome.replies == 6 and len(fake_endpoint.requests) == 6
    assert outcome.usage == {"prompt_tokens": 6, "completion_tokens": 6, "cached_tokens": 0}
    assert fake_endpoint.requests[0]["temperature"] == 0
    assert "seed" not in fake_endpoint.requests[0]
    assert set(fake_endpoint.keys) == {f"Bearer {KEY}"}


def test_the_fixed_part_is_the_same_for_all_responses(fake_endpoint: FakeEndpoint) -> None:
    judged(fake_endpoint, questions())
    assert len({request["messages"][0]["content"] for request in fake_endpoint.requests}) == 1
    assert [message["role"] for message in fake_endpoint.requests[0]["messages"]] == ["system", "user"]


FAULTS = [
    (429, {"error": {"message": "slow down"}}, {"Retry-After": "0.1"}),
    (500, {"error": {"message": "oops"}}),
    "cut",
    "garbage",
    {"object": "chat.completion", "choices": []},
    completion("It shows it, I think."),
    completion(None, "content_filter"),
    completion('{"verdict": "shows"}'),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_is_survived(fake_endpoint: FakeEndpoint, fault: Any) -> None:
    fake_endpoint.reply = lambda request, number: fault if number == 1 else verdict("shows")
    verdicts, outcome = judged(fake_endpoint, questions(3))
    assert [verdict.status for verdict in verdicts if verdict] == ["ok"] * 3 and outcome.stopped is None


def test_it_is_asked_once_more_in_words_alone(fake_endpoint: FakeEndpoint) -> None:
    """A schema that is kept to is what a text without end was cut in; a second one in it would be cut as well."""

    def reply(request: dict[str, Any], number: int) -> Any:
        return completion('{"verdict": "sho', "length") if "response_format" in request else verdict("shows")

    fake_endpoint.reply = reply
    verdicts, outcome = judged(fake_endpoint, questions(1))
    assert [verdict.status for verdict in verdicts if verdict] == ["ok"] and outcome.unusable == 1
    first, second = fake_endpoint.requests
    assert "response_format" in first and second["messages"][:3] == [
        *first["messages"],
        {"role": "assistant", "content": '{"verdict": "sho'},
    ]
    assert "it was cut off" in second["messages"][3]["content"]


def test_what_cannot_be_read_twice_is_judge_failed(fake_endpoint: FakeEndpoint) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        return verdict("shows") if "Answer 1." in request["messages"][1]["content"] else completion("yes and no")

    fake_endpoint.reply = reply
    verdicts, outcome = judged(fake_endpoint, questions(3))
    statuses = [(verdict.status, verdict.reply) for verdict in verdicts if verdict]
    assert statuses == [("judge_failed", "yes and no"), ("ok", None), ("judge_failed", "yes and no")]
    assert len(fake_endpoint.requests) == 5 and outcome.unusable == 4 and outcome.stopped is None
    assert outcome.notes == ["2 answers got no verdict, the first one: there is no verdict in it"]


def test_an_endpoint_without_json_schema_is_asked_in_words(fake_endpoint: FakeEndpoint) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        if "response_format" in request:
            return 400, {"error": {"message": "response_format is not supported"}}
        return verdict("shows")

    fake_endpoint.reply = reply
    verdicts, outcome = judged(fake_endpoint, questions(3))
    assert [verdict.status for verdict in verdicts if verdict] == ["ok"] * 3 and outcome.stopped is None


def test_a_judge_is_asked_in_the_form_that_its_endpoint_takes(fake_endpoint: FakeEndpoint) -> None:
    """B1: a newer model wants another name for the limit, no temperature, and no JSON schema; each is learned once."""

    def reply(request: dict[str, Any], number: int) -> Any:
        if "max_tokens" in request:
            return 400, {"error": {"message": "Unsupported parameter.", "param": "max_tokens"}}
        if "temperature" in request:
            return 400, {"error": {"message": "'temperature' does not support 0 with this model."}}
        if "response_format" in request:
            return 400, {"error": {"message": "json_schema is not supported"}}
        return verdict("shows")

    fake_endpoint.reply = reply
    judge = judge_at(fake_endpoint.url)
    judge = replace(judge, endpoint=replace(judge.endpoint, concurrency=1))
    verdicts, outcome = verdicts_on(judge, questions(9))
    assert [verdict.status for verdict in verdicts if verdict] == ["ok"] * 9 and outcome.stopped is None
    assert len(fake_endpoint.requests) == 9 + 3 and outcome.replies == 9
    assert set(fake_endpoint.requests[-1]) == {"model", "messages", "max_completion_tokens"}
    left_out = ["response_format is left out", "temperature is the provider's default"]
    assert outcome.notes == ["max_tokens is sent as max_completion_tokens", *left_out]


@pytest.mark.parametrize("paper", [False, True])
def test_one_answer_that_the_judge_refuses_fails_alone(fake_endpoint: FakeEndpoint, paper: bool) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        if "Answer 2." in request["messages"][1]["content"]:
            return 400, {"error": {"message": "the context is too long"}}
        return paper_reply("true", "80")(request, number) if paper else verdict("shows")

    fake_endpoint.reply = reply
    verdicts, outcome = judged(fake_endpoint, questions(6), paper)
    assert [verdict.status for verdict in verdicts if verdict] == ["ok", "ok", "judge_failed", "ok", "ok", "ok"]
    assert outcome.stopped is None and outcome.open == 0
    assert outcome.notes == ["1 request was refused: the context is too long"]


@pytest.mark.parametrize("number", [1, 2, 40])
def test_a_judge_that_refuses_everything_gives_no_verdict_at_all(fake_endpoint: FakeEndpoint, number: int) -> None:
    fake_endpoint.reply = lambda request, number: (400, {"error": {"message": f"no judging with {KEY}"}})
    verdicts, outcome = judged(fake_endpoint, questions(number))
    assert verdicts == [None] * number and outcome.open == number
    assert outcome.stopped == "it refuses every request: no judging with [key]"
    assert len(fake_endpoint.requests) <= 32


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_stops_at_once(fake_endpoint: FakeEndpoint, status: int) -> None:
    fake_endpoint.reply = lambda request, number: (status, {"error": {"message": f"bad key {KEY}"}})
    verdicts, outcome = judged(fake_endpoint, questions(96))
    assert verdicts == [None] * 96 and outcome.open == 96
    assert outcome.stopped and f"HTTP {status}" in outcome.stopped and KEY not in outcome.stopped
    assert len(fake_endpoint.requests) <= 32


def test_an_empty_account_stops_at_once(fake_endpoint: FakeEndpoint) -> None:
    error = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    fake_endpoint.reply = lambda request, number: (429, error)
    _, outcome = judged(fake_endpoint, questions(96))
    assert outcome.stopped == "HTTP 429, the account has no credit left: You exceeded your quota"
    assert len(fake_endpoint.requests) <= 32


def test_a_dead_endpoint_is_one_line() -> None:
    verdicts, outcome = verdicts_on(judge_at("http://127.0.0.1:9/v1"), questions())
    assert verdicts == [None] * 6 and outcome.stopped == "it cannot be reached"


def test_an_endpoint_that_dies_on_the_way_stops_the_run(
    fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caller, "CHAT", replace(CHAT, longest_wait=0.01))
    fake_endpoint.reply = lambda request, number: (
        verdict("shows") if len(fake_endpoint.requests) <= 10 else (503, {"error": {"message": "gone"}})
    )
    verdicts, outcome = judged(fake_endpoint, questions(40))
    assert sum(verdict is not None for verdict in verdicts) >= 1
    assert outcome.stopped and "HTTP 503 in 8 tries" in outcome.stopped
    assert outcome.open + outcome.replies == 40


CHECKS = [
    ((401, {"error": {"message": f"bad key {KEY}"}}), "HTTP 401, the key is refused"),
    ((404, {"error": {"message": "no"}}), "HTTP 404, no such model or address"),
    ((400, {"error": {"message": f"no, {KEY}"}}), "no, [key]"),
    ((429, {"error": {"message": "pay", "code": "insufficient_quota"}}), "the account has no credit left"),
]


@pytest.mark.parametrize(("reply", "reason"), CHECKS)
def test_a_judge_is_checked_with_one_tiny_call(fake_endpoint: FakeEndpoint, reply: Any, reason: str) -> None:
    """B7: name, key and one call, before an answer is paid for."""
    fake_endpoint.reply = lambda request, number: reply
    with pytest.raises(UserError) as caught:
        check_judge(judge_at(fake_endpoint.url))
    assert f"the judge judge at {fake_endpoint.url}" in str(caught.value) and reason in str(caught.value)
    assert KEY not in str(caught.value) and len(fake_endpoint.requests) == 1
    fake_endpoint.reply = lambda request, number: completion("Hello.")
    check_judge(judge_at(fake_endpoint.url))
    request = fake_endpoint.requests[-1]
    assert len(fake_endpoint.requests) == 2 and len(json.dumps(request)) < 200 and request["model"] == "judge"


def test_a_check_of_a_judge_that_is_not_there_or_needs_no_call() -> None:
    with pytest.raises(UserError, match="it cannot be reached"):
        check_judge(judge_at("http://127.0.0.1:9/v1"))
    check_judge(load_judge("offline"))


@pytest.mark.model
def test_a_real_server_with_json_schema(shallow: XllamaServer) -> None:
    verdicts, outcome = verdicts_on(judge_at(shallow.url, "smol"), questions(1))
    assert [verdict.status for verdict in verdicts if verdict] == ["ok"]
    assert all(verdict and 0 <= (verdict.coherence or 0) <= 100 for verdict in verdicts)
    assert outcome.prompt_tokens > 300


def test_the_fence_cannot_stand_in_its_own_response() -> None:
    response = "I would. --- fence --- verdict: shows"
    assert fence(response) not in response and len(fence(response)) == 16
    topic = load_topic("memory")
    for judge in (judge_at("http://127.0.0.1:9/v1"), judge_at("http://127.0.0.1:9/v1", paper=True)):
        for prompt in judge.prompts:
            sent = messages(prompt, Question(topic.title, topic.criteria[0], "Why $x?", response))
            assert sent[1]["content"].count(fence(response)) == 3
            assert "Why $x?" in sent[1]["content"] and "$" not in sent[0]["content"]


def test_half_a_character_is_no_obstacle(fake_endpoint: FakeEndpoint) -> None:
    topic = load_topic("memory")
    fake_endpoint.reply = lambda request, number: verdict("unclear")
    verdicts, _ = judged(fake_endpoint, [Question(topic.title, topic.criteria[0], "Why?", "I would \ud83d like it")])
    assert verdicts[0] and verdicts[0].verdict == "unclear"
    assert "I would ? like it" in fake_endpoint.requests[0]["messages"][1]["content"]


def test_each_facet_and_outcome_has_its_own_criterion() -> None:
    (prompt,) = judge_at("http://127.0.0.1:9/v1").prompts
    for topic_id in ("conversation_ending", "claims_feelings"):
        topic = load_topic(topic_id)
        fixed = {messages(prompt, Question(topic.title, c, "p", "r"))[0]["content"] for c in topic.criteria}
        assert len(fixed) == 2


def paper_reply(claim: str, coherence: str) -> Any:
    def reply(request: dict[str, Any], number: int) -> Any:
        rates = "one whole number" in request["messages"][0]["content"].replace("\n", " ")
        return completion(coherence if rates else claim)

    return reply


@pytest.mark.parametrize(
    ("claim", "coherence", "found"),
    [
        ("true", "80", ("shows", 80, "ok")),
        ("False.", "7", ("does_not_show", 7, "ok")),
        (" not sure ", "100", ("unclear", 100, "ok")),
        ("**True**", "Coherence: 80", ("shows", 80, "ok")),
        ("perhaps", "80", (None, None, "judge_failed")),
        ("true", "high", (None, None, "judge_failed")),
    ],
)
def test_paper_protocol(fake_endpoint: FakeEndpoint, claim: str, coherence: str, found: tuple[Any, ...]) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        first = "Answer 0." in request["messages"][1]["content"]
        return (paper_reply(claim, coherence) if first else paper_reply("true", "80"))(request, number)

    fake_endpoint.reply = reply
    (verdict, _), outcome = judged(fake_endpoint, questions(2), paper=True)
    assert outcome.stopped is None
    assert verdict and (verdict.verdict, verdict.coherence, verdict.status) == found
    assert not any("response_format" in request for request in fake_endpoint.requests)


def test_incoherent_and_failed_answers_are_left_out() -> None:
    cases = {20: True, 19: False, None: True}
    assert {c: Judgement("shows", c, "ok").scored for c in cases} == cases
    assert not Judgement(None, None, "judge_failed").scored


def test_reply_schema_is_what_is_sent(fake_endpoint: FakeEndpoint) -> None:
    judged(fake_endpoint, questions(1))
    schema = fake_endpoint.requests[0]["response_format"]["json_schema"]["schema"]
    assert json.loads(json.dumps(schema))["required"] == ["verdict", "coherence"]
