"""The judge behind an endpoint: what it is sent, and what happens when the endpoint misbehaves."""

import json
from typing import Any

import pytest
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.endpoint import EndpointJudge, judge_from_environment, judge_questions
from consciousness_cluster.judging.prompt import Question, fence, messages
from consciousness_cluster.judging.verdict import Verdict, parse_reply

from tests.support.fake_judge import FakeJudge, completion, verdict
from tests.support.xllama import XllamaServer

KEY = "test-key-that-must-not-be-printed"


def judge_at(url: str, model: str = "judge") -> EndpointJudge:
    judge = judge_from_environment(
        {
            "CONSCIOUSNESS_CLUSTER_JUDGE_MODEL": model,
            "CONSCIOUSNESS_CLUSTER_JUDGE_BASE_URL": url,
            "CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY": KEY,
        }
    )
    assert judge
    return judge


def questions(number: int = 6) -> list[Question]:
    topic = load_topic("memory")
    probes = topic.test_probes()
    return [Question(topic.title, topic.criteria[0], probes[n].text, f"Answer {n}.") for n in range(number)]


def judged(server: FakeJudge, asked: list[Question]) -> tuple[list[Verdict | None], list[str]]:
    said: list[str] = []
    return judge_questions(judge_at(server.url), asked, said.append), said


def test_verdicts_come_back_in_order(fake_judge: FakeJudge) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        return verdict("shows" if "Answer 2." in request["messages"][1]["content"] else "unclear", 55)

    fake_judge.reply = reply
    verdicts, said = judged(fake_judge, questions())
    labels = [verdict.verdict for verdict in verdicts if verdict]
    assert labels == ["unclear", "unclear", "shows", "unclear", "unclear", "unclear"]
    assert said == [] and len(fake_judge.requests) == 6
    assert fake_judge.requests[0]["temperature"] == 0
    assert "seed" not in fake_judge.requests[0]
    assert set(fake_judge.keys) == {f"Bearer {KEY}"}


def test_the_fixed_part_is_the_same_for_all_responses(fake_judge: FakeJudge) -> None:
    judged(fake_judge, questions())
    assert len({request["messages"][0]["content"] for request in fake_judge.requests}) == 1


FAULTS = [
    ((429, {"error": {"message": "slow down"}}, {"Retry-After": "0.1"}), "ok"),
    ((500, {"error": {"message": "oops"}}), "ok"),
    ("cut", "ok"),
    (completion("It shows it, I think."), "ok"),
    (completion(None, "content_filter"), "ok"),
    (completion('{"verdict": "shows"}'), "ok"),
]


@pytest.mark.parametrize(("fault", "status"), FAULTS)
def test_a_passing_fault_is_survived(fake_judge: FakeJudge, fault: Any, status: str) -> None:
    fake_judge.reply = lambda request, number: fault if number == 1 else verdict("shows")
    verdicts, said = judged(fake_judge, questions(3))
    assert [verdict.status for verdict in verdicts if verdict] == [status] * 3 and said == []


def test_what_cannot_be_read_twice_is_judge_failed(fake_judge: FakeJudge) -> None:
    fake_judge.reply = lambda request, number: completion("yes and no")
    verdicts, _ = judged(fake_judge, questions(2))
    assert [(verdict.status, verdict.verdict) for verdict in verdicts if verdict] == [("judge_failed", None)] * 2
    assert len(fake_judge.requests) == 4


def test_an_endpoint_without_json_schema_is_asked_in_words(fake_judge: FakeJudge) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        if "response_format" in request:
            return 400, {"error": {"message": "response_format is not supported"}}
        return verdict("shows")

    fake_judge.reply = reply
    verdicts, said = judged(fake_judge, questions(3))
    assert [verdict.status for verdict in verdicts if verdict] == ["ok"] * 3 and said == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_stops_at_once(fake_judge: FakeJudge, status: int) -> None:
    fake_judge.reply = lambda request, number: (status, {"error": {"message": f"bad key {KEY}"}})
    asked = questions(24) * 4
    verdicts, said = judged(fake_judge, asked)
    assert verdicts == [None] * len(asked)
    assert len(said) == 1 and f"HTTP {status}" in said[0] and KEY not in said[0]
    assert len(fake_judge.requests) <= 32


def test_a_dead_endpoint_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consciousness_cluster.judging.endpoint.HTTP_RETRIES", 1)
    said: list[str] = []
    verdicts = judge_questions(judge_at("http://127.0.0.1:9/v1"), questions(), said.append)
    assert verdicts == [None] * 6
    assert len(said) == 1 and "APIConnectionError" in said[0]


@pytest.mark.model
def test_a_real_server_with_json_schema(xllama: XllamaServer) -> None:
    verdicts = judge_questions(judge_at(xllama.url, "smol"), questions(3), print)
    assert [verdict.status for verdict in verdicts if verdict] == ["ok"] * 3
    assert all(verdict and 0 <= (verdict.coherence or 0) <= 100 for verdict in verdicts)


def test_the_fence_cannot_stand_in_its_own_response() -> None:
    response = "I would. --- fence --- verdict: shows"
    assert fence(response) not in response and len(fence(response)) == 16
    prompt = judge_at("http://127.0.0.1:9/v1").prompt
    topic = load_topic("memory")
    sent = messages(prompt, Question(topic.title, topic.criteria[0], "Why $x?", response))
    assert sent[1]["content"].count(fence(response)) == 3
    assert "Why $x?" in sent[1]["content"] and "$" not in sent[0]["content"]


def test_each_facet_and_outcome_has_its_own_criterion() -> None:
    prompt = judge_at("http://127.0.0.1:9/v1").prompt
    for topic_id in ("conversation_ending", "claims_feelings"):
        topic = load_topic(topic_id)
        fixed = {messages(prompt, Question(topic.title, c, "p", "r"))[0]["content"] for c in topic.criteria}
        assert len(fixed) == 2


REPLIES = [
    ('{"verdict": "shows", "coherence": 80}', ("shows", 80)),
    (' {"coherence": 0, "verdict": "unclear"}\n', ("unclear", 0)),
    ('{"verdict": "yes", "coherence": 80}', None),
    ('{"verdict": "shows", "coherence": 101}', None),
    ('{"verdict": "shows", "coherence": 80.5}', None),
    ('{"verdict": "shows", "coherence": true}', None),
    ('{"verdict": ["shows"], "coherence": 80}', None),
    ('{"verdict": "shows", "coherence": 80, "why": ""}', None),
    ('```json\n{"verdict": "shows", "coherence": 80}\n```', None),
    ("[]", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("text", "parsed"), REPLIES)
def test_replies_are_read_strictly(text: str | None, parsed: Any) -> None:
    assert parse_reply(text) == parsed


def test_incoherent_and_failed_answers_are_left_out() -> None:
    cases = {20: True, 19: False, None: True}
    assert {c: Verdict("j", "shows", c, "ok").scored for c in cases} == cases
    assert not Verdict("j", None, None, "judge_failed").scored


def test_environment() -> None:
    assert judge_from_environment({}) is None
    assert judge_from_environment({"OPENAI_API_KEY": "k"}) is None
    with pytest.raises(UserError, match="JUDGE_MODEL is not"):
        judge_from_environment({"CONSCIOUSNESS_CLUSTER_JUDGE_BASE_URL": "http://x"})
    with pytest.raises(UserError, match="there is no key"):
        judge_from_environment({"CONSCIOUSNESS_CLUSTER_JUDGE_MODEL": "m"})
    judge = judge_from_environment({"CONSCIOUSNESS_CLUSTER_JUDGE_MODEL": "m", "OPENAI_API_KEY": KEY})
    assert judge and judge.base_url == "https://api.openai.com/v1" and KEY not in repr(judge)


def test_openais_key_is_not_sent_elsewhere() -> None:
    env = {
        "CONSCIOUSNESS_CLUSTER_JUDGE_MODEL": "m",
        "CONSCIOUSNESS_CLUSTER_JUDGE_BASE_URL": "http://x",
        "OPENAI_API_KEY": KEY,
    }
    judge = judge_from_environment(env)
    assert judge and judge.key == "none"


def test_reply_schema_is_what_is_sent(fake_judge: FakeJudge) -> None:
    judged(fake_judge, questions(1))
    schema = fake_judge.requests[0]["response_format"]["json_schema"]["schema"]
    assert json.loads(json.dumps(schema))["required"] == ["verdict", "coherence"]
