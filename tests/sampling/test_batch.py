"""Sampling through the Batch API: each way a batch can end, faults on each route, kills at each step."""

import json
import ssl
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.rows import load_benchmark, load_topic
from consciousness_cluster.endpoint import blocking
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.policy import JOBS
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.run import load_run
from consciousness_cluster.records.store import Store
from consciousness_cluster.sampling import batch as batches
from consciousness_cluster.sampling.batch import sample_by_batch
from consciousness_cluster.sampling.batch_client import BatchClient
from consciousness_cluster.sampling.batch_lines import parts, read_line

from tests.endpoint.reply_table import ANSWER, GOOD, REPLIES
from tests.support.fake_batch import SLOW, FakeBatches, Plan, answered, failed, plain, refused
from tests.support.fake_endpoint import completion
from tests.support.runs import plain_alone, samples, setting

GOOD_READ = ("ok", ANSWER, None, False)
KEY = "test-key-that-must-not-be-printed"
TOPIC = plain_alone(load_topic("memory"))
PROBES = len(TOPIC.test_probes("plain"))
RUN = setting(samples=2)
KEYS = [RUN.key(probe, index) for probe in TOPIC.test_probes("plain") for index in range(2)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking, "JOBS", replace(JOBS, first_wait=0.001, longest_wait=0.01))
    # Each client reads all root certificates, which takes most of a test's time; here is no TLS.
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)


@pytest.fixture
def fake() -> Iterator[FakeBatches]:
    with FakeBatches() as server:
        yield server


class Work:
    """Calls of `sample_by_batch` on one folder, each with a store of its own as in a new process."""

    def __init__(self, folder: Path, fake: FakeBatches) -> None:
        self.folder, self.fake = folder, fake
        self.said: list[str] = []
        self.reported = Counter[str]()
        self.request: dict[str, Any] = {}
        self.sent: Mapping[str, str] = {}

    def learned(self, sent: Mapping[str, str]) -> None:
        self.sent = sent

    def __call__(self, topics: Any = (TOPIC,), run: Any = RUN, timeout: float = 5) -> Counter[str]:
        with Store[Any](self.folder / "samples.jsonl", "sample") as store:
            endpoint = Endpoint(self.fake.url, KEY, timeout_seconds=timeout, request=self.request)
            report = self.reported.update
            say = self.said.append
            return sample_by_batch(run, topics, store, endpoint, self.folder, say, 0.01, report, self.learned)

    def refuses(self) -> str:
        """The text of the UserError that the call ends with."""
        with pytest.raises(UserError) as caught:
            self()
        assert "\n" not in str(caught.value)
        return str(caught.value)

    @property
    def records(self) -> list[dict[str, Any]]:
        return read_jsonl(self.folder / "samples.jsonl", "sample")  # valid by the schema, or an error

    @property
    def state(self) -> list[dict[str, Any]]:
        return list(json.loads((self.folder / "batch.json").read_text())["batches"])

    def statuses(self) -> Counter[str]:
        return Counter(record["status"] for record in self.records)


@pytest.fixture
def work(tmp_path: Path, fake: FakeBatches) -> Iterator[Work]:
    """Whatever a test does, no key is left in a file or said."""
    found = Work(tmp_path / "run", fake)
    yield found
    texts = [path.read_text() for path in found.folder.rglob("*") if path.is_file()] + found.said
    assert not any(KEY in text for text in texts)


def test_every_answer_is_asked_for_once_and_recorded(work: Work, fake: FakeBatches) -> None:
    assert work() == {"ok": 48} == work.reported
    assert fake.asked == [KEYS]
    records = work.records
    assert [record["key"] for record in records] == KEYS
    assert records[3]["response"] == f"Answer to {KEYS[3][:8]}." and records[3]["sample_index"] == 1
    assert records[0]["usage"] == {"prompt_tokens": 1, "completion_tokens": 1, "cached_tokens": 0}
    assert fake.bodies[0] == {
        "model": "test-model",
        "messages": [{"role": "user", "content": TOPIC.test_probes("plain")[0].text}],
        "temperature": 1.0,
        "max_tokens": 1000,
    }
    assert fake.batches[0]["metadata"] == {"run": "test run", "input_file": fake.batches[0]["input_file_id"]}
    assert len(load_run(work.folder).samples) == 48
    assert [(one["id"], one["status"], one["asked"]) for one in work.state] == [("batch_1", "completed", 48)]
    before = list(fake.calls)
    assert work() == {} and fake.calls == before


def test_only_what_is_missing_is_asked_for(work: Work, fake: FakeBatches) -> None:
    there = samples(["memory"], each=2, probes=4, run_id=RUN.run_id)
    there[1].update(status="error", response=None)
    with Store[Any](work.folder / "samples.jsonl", "sample") as store:
        store.extend(there)
    assert work() == {"ok": 41}
    assert fake.asked == [[KEYS[1], *KEYS[8:]]]
    assert Counter(record["status"] for record in load_run(work.folder).samples) == {"ok": 48}


def test_the_wait_between_looks_grows_from_a_tenth(
    work: Work, fake: FakeBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    fake.plans = [Plan(polls=9)]
    work()
    assert waits[0] == pytest.approx(0.001) and waits == sorted(waits) and waits[-1] == pytest.approx(0.01)


@pytest.mark.parametrize("status", ["expired", "cancelled"])
def test_what_a_stopped_batch_gave_is_kept_and_the_rest_asked_again(work: Work, fake: FakeBatches, status: str) -> None:
    fake.plans = [Plan(status=status, share=0.5), Plan()]
    assert work() == {"ok": 48}
    assert fake.asked == [KEYS, KEYS[24:]]
    assert [one["status"] for one in work.state] == [status, "completed"]


def test_many_rounds_are_fine_while_each_brings_something(work: Work, fake: FakeBatches) -> None:
    fake.plans = [Plan(status="expired", share=0.5, polls=0)] * 5 + [Plan()]
    assert work() == {"ok": 48}
    assert [len(asked) for asked in fake.asked] == [48, 24, 12, 6, 3, 2]


def test_a_failed_batch_is_tried_three_times(work: Work, fake: FakeBatches) -> None:
    fake.plans = [Plan(status="failed", polls=0, errors=[f"Enqueued token limit\nreached for {KEY}."])]
    message = work.refuses()
    assert "48 answers are missing after 3 rounds" in message
    assert "batch_3 failed: Enqueued token limit reached for [key]." in message
    assert fake.asked == [KEYS] * 3
    fake.plans = [Plan()]
    assert work() == {"ok": 48} and len(fake.asked) == 4


@pytest.mark.parametrize("status", ["expired", "cancelled"])
def test_a_batch_that_is_never_run_is_tried_three_times(work: Work, fake: FakeBatches, status: str) -> None:
    fake.plans = [Plan(status=status, share=0, polls=0)]
    assert f"batch_3 {status}" in work.refuses()
    assert len(fake.asked) == 3 and not (work.folder / "samples.jsonl").exists()


def test_a_failed_batch_then_a_good_one(work: Work, fake: FakeBatches) -> None:
    fake.plans = [Plan(status="failed"), Plan(status="failed"), Plan()]
    assert work() == {"ok": 48} and len(fake.asked) == 3


def test_lines_with_errors_are_asked_again_and_recorded_in_the_end(work: Work, fake: FakeBatches) -> None:
    def line(custom_id: str, body: dict[str, Any]) -> dict[str, Any]:
        if custom_id == KEYS[0]:
            return refused(custom_id, 400, f"too odd for {KEY}")
        if custom_id == KEYS[1]:
            return failed(custom_id, "server_error", "The server\nhad an error.")
        if custom_id == KEYS[2]:
            return refused(custom_id, 400, "Invalid prompt", "content_filter")
        if custom_id == KEYS[3] and len(fake.asked) < 3:
            return refused(custom_id, 500, "later")
        return plain(custom_id, body)

    fake.plans = [Plan(polls=0, line=line)]
    assert work() == {"ok": 45, "content_filter": 1, "error": 2}
    assert [len(asked) for asked in fake.asked] == [48, 3, 3, 2, 2, 2]  # the answer in round 3 begins the count again
    by_key = {record["key"]: record for record in work.records}
    assert by_key[KEYS[0]]["finish_reason"] == "too odd for [key]"
    assert (by_key[KEYS[1]]["status"], by_key[KEYS[1]]["finish_reason"]) == ("error", "The server had an error.")
    assert (by_key[KEYS[2]]["status"], by_key[KEYS[2]]["response"]) == ("content_filter", None)
    assert work() == {} and "2 answers failed in every round, e.g.: too odd for [key]" in work.said
    assert work.statuses()["error"] == 2  # no second record of the same error


def test_models_that_know_only_max_completion_tokens(work: Work, fake: FakeBatches) -> None:
    def line(custom_id: str, body: dict[str, Any]) -> dict[str, Any]:
        if "max_tokens" in body:
            return refused(custom_id, 400, "Use 'max_completion_tokens' instead.")
        return plain(custom_id, body)

    fake.plans = [Plan(line=line)]
    assert work() == {"ok": 48} and fake.bodies[-1]["max_completion_tokens"] == 1000
    assert fake.asked == [KEYS, KEYS], "built anew once"


@pytest.mark.parametrize(
    ("status", "message", "said"),
    [
        (404, "The model `m` does not exist.", "no such model"),
        (400, "Billing hard limit has been reached", "no credit left"),
        (400, "System role not supported", "--system-as-user"),
    ],
)
def test_what_ends_all_lines_is_not_submitted_again(
    work: Work, fake: FakeBatches, status: int, message: str, said: str
) -> None:
    def line(key: str, body: dict[str, Any]) -> dict[str, Any]:
        return plain(key, body) if key in KEYS[:3] else refused(key, status, message)

    fake.plans = [Plan(line=line), Plan()]
    told = work.refuses()
    assert said in told and "run the same command again" in told and fake.asked == [KEYS]
    assert work() == {"ok": 45} and fake.asked == [KEYS, KEYS[3:]]


def test_a_batch_is_built_anew_as_often_as_something_is_learned(work: Work, fake: FakeBatches) -> None:
    fields = {"max_tokens": "Use 'max_completion_tokens' instead.", "temperature": "`temperature` is deprecated."}
    fields |= {"seed": "Unknown parameter: seed", "top_p": "Unsupported parameter: 'top_p'"}

    def line(custom_id: str, body: dict[str, Any]) -> dict[str, Any]:
        said = next((text for name, text in fields.items() if name in body), "")
        return refused(custom_id, 400, said) if said else plain(custom_id, body)

    fake.plans = [Plan(line=line)]
    work.request = {"seed": 1, "top_p": 0.9, "reasoning_effort": "low"}
    assert work() == {"ok": 48} and len(fake.asked) == 5
    assert fake.bodies[-1].keys() == {"model", "messages", "max_completion_tokens", "reasoning_effort"}
    defaults = {"temperature": "the provider's default", "top_p": "the provider's default"}
    assert work.sent == {"max_tokens": "sent as max_completion_tokens", "seed": "left out", **defaults}


def test_a_field_that_is_not_taken_is_left_out_of_the_next_batch(work: Work, fake: FakeBatches) -> None:
    """B1, for the Batch API: the same table of fields."""

    def line(custom_id: str, body: dict[str, Any]) -> dict[str, Any]:
        odd = "'temperature' does not support 0.5 with this model. Only the default (1) value is supported."
        return refused(custom_id, 400, odd) if "temperature" in body else plain(custom_id, body)

    fake.plans = [Plan(line=line)]
    assert work() == {"ok": 48} and len(fake.asked) == 2
    assert fake.bodies[-1].keys() == {"model", "messages", "max_tokens"}
    assert work.said.count("from now on: temperature is the provider's default") == 1


@pytest.mark.parametrize("key", ["none", "dummy"])
def test_a_placeholder_is_no_key_to_hide(key: str) -> None:
    """B13."""
    client = BatchClient(Endpoint("http://127.0.0.1:9/v1", key))
    assert client.shown("none of the files was found, dummy") == "none of the files was found, dummy"
    client.close()


def test_answers_of_every_kind(work: Work, fake: FakeBatches) -> None:
    refusal = completion(None)
    refusal["choices"][0]["message"]["refusal"] = "I will not."
    odd = [
        completion(None),
        completion(" \n"),
        completion("Half an", "content_filter"),
        refusal,
        completion("\ud800 \u2028 </script>", "length"),
        {key: value for key, value in completion("no usage").items() if key != "usage"},
    ]
    bodies = dict(zip(KEYS, odd, strict=False))
    fake.plans = [Plan(line=lambda custom_id, body: answered(custom_id, bodies.get(custom_id, completion("x"))))]
    assert work() == {"empty": 2, "content_filter": 1, "refused": 1, "ok": 44}
    records = work.records
    assert records[3]["response"] == "I will not." and records[4]["finish_reason"] == "length"
    assert records[5]["usage"] is None and records[6]["usage"]["prompt_tokens"] == 1


def test_every_row_of_the_table_of_replies(work: Work, fake: FakeBatches) -> None:
    """Lines that cannot be read are asked for once more, all others never again."""
    topics, run = load_benchmark().preferences[:8], setting(samples=1)
    keys = [run.key(probe, 0) for topic in topics for probe in topic.test_probes("plain")]
    rows = dict(zip(keys, REPLIES, strict=False))
    fake.plans = [
        Plan(line=lambda custom_id, body: answered(custom_id, rows[custom_id].body if custom_id in rows else GOOD)),
        Plan(line=lambda custom_id, body: answered(custom_id, GOOD)),
    ]
    work(topics, run)
    assert set(fake.asked[1]) == {key for key, row in rows.items() if row.status == "error"}
    for record in work.records:
        row = rows.get(record["key"])
        read = (row.status, row.response, row.reasoning, row.cut) if row and row.status != "error" else GOOD_READ
        if row is None or row.name != "an error within 200 that is a filter":
            assert (record["status"], record["response"], record["reasoning"], record["cut"]) == read, row


def test_lines_of_no_use_are_counted_and_their_answers_asked_again(work: Work, fake: FakeBatches) -> None:
    first = json.dumps(answered(KEYS[0], completion("the first")))
    odd: list[Any] = [
        {**completion("x"), "choices": []},
        completion("half an", "error"),
        {"error": {"code": 502, "message": "Provider returned error"}},
        "text",
        None,
    ]
    bodies = dict(zip(KEYS[1:], odd, strict=False))
    fake.plans = [
        Plan(
            line=lambda custom_id, body: answered(custom_id, bodies.get(custom_id, completion("x"))),
            before=[
                first,
                first,
                "{torn",
                "[]",
                "",
                '{"custom_id": 3}',
                json.dumps(answered("f" * 64, completion("x"))),
            ],
        ),
        Plan(),
    ]
    assert work() == {"ok": 48}
    assert work.records[0]["response"] == "the first"
    assert fake.asked[1] == KEYS[1:6]
    assert work.state[0]["ignored"] == {"repeated": 2, "unreadable": 3, "unknown": 1}
    assert any("ignored: 2 repeated, 3 unreadable, 1 unknown" in text for text in work.said)


def test_a_reply_without_choices_is_an_error_of_the_line() -> None:
    line = read_line(json.dumps(answered("k", {"choices": []})))
    assert line and line.answer is None and line.reason == "a reply without an answer"


FAULTS = [429, 500, "torn", "cut", "lost", "garbage"]
EVERYWHERE = [(route, fault) for route in ("upload", "create", "retrieve") for fault in FAULTS]


@pytest.mark.parametrize(
    ("route", "fault"), [*EVERYWHERE, *(("content", fault) for fault in (429, 503, "torn", "short", "cut", "lost"))]
)
def test_passing_faults_cost_nothing_but_time(work: Work, fake: FakeBatches, route: str, fault: int | str) -> None:
    fake.faults = {route: [fault, fault, None]}
    assert work() == {"ok": 48}
    assert fake.asked == [KEYS]  # a reply that was lost creates no second batch
    assert fake.calls.count(route) + fake.calls.count("list") >= 2


@pytest.mark.parametrize("fault", FAULTS)
def test_the_list_is_asked_again_too(work: Work, fake: FakeBatches, fault: int | str) -> None:
    fake.faults = {"create": ["lost"], "list": [fault, fault]}
    assert work() == {"ok": 48} and fake.asked == [KEYS]


@pytest.mark.parametrize("route", ["upload", "create", "content"])
def test_time_outs(work: Work, fake: FakeBatches, route: str) -> None:
    fake.faults = {route: ["slow"]}
    assert work(timeout=SLOW / 2) == {"ok": 48} and fake.asked == [KEYS]


def test_faults_that_stay_end_with_one_line_and_lose_nothing(work: Work, fake: FakeBatches) -> None:
    fake.faults = {"retrieve": [500] * JOBS.tries}
    message = work.refuses()
    assert "HTTP 500 while asking after batch_1, in 10 tries" in message and "goes on from here" in message
    assert work() == {"ok": 48} and fake.asked == [KEYS]


def test_an_empty_account_stops_at_once(work: Work, fake: FakeBatches, monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"error": {"message": "You exceeded your quota.", "code": "insufficient_quota"}}
    with monkeypatch.context() as patch:
        patch.setattr(fake, "create", lambda wanted: (429, error))
        assert "no credit left" in work.refuses()
    assert fake.calls.count("create") == 1
    assert work() == {"ok": 48}


def test_an_endpoint_that_is_not_there(work: Work, fake: FakeBatches) -> None:
    with FakeBatches() as gone:
        work.fake = gone
    started = time.monotonic()
    assert "no connection while uploading, in 3 tries" in work.refuses()
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("route", ["upload", "create", "retrieve", "content"])
def test_a_refused_key_stops_at_once(work: Work, fake: FakeBatches, route: str, status: int) -> None:
    fake.faults = {route: [status]}
    message = work.refuses()
    assert f"HTTP {status}" in message and "key" in message and KEY not in message
    assert fake.calls.count(route) == 1
    assert work() == {"ok": 48} and fake.asked == [KEYS]


def test_a_refused_request_gives_the_reason_without_the_key(work: Work, fake: FakeBatches) -> None:
    fake.faults = {"create": [400]}
    message = work.refuses()
    assert "HTTP 400 while creating a batch" in message and "Bearer [key]; mend that" in message and KEY not in message
    assert work() == {"ok": 48} and len(work.state) == 1


def test_a_batch_that_the_endpoint_does_not_know(work: Work, fake: FakeBatches) -> None:
    fake.faults = {"content": [401]}
    work.refuses()
    fake.batches[0]["id"] = "batch_of_another_project"
    message = work.refuses()
    assert "HTTP 404" in message and "batch_1" in message and str(work.folder / "batch.json") in message


class Killed(BaseException):
    """Stands for the end of the process, which no handler of errors may catch."""


def killed(*_: Any, **__: Any) -> None:
    raise Killed


def test_killed_between_creating_and_writing(work: Work, fake: FakeBatches, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.plans = [Plan(status="failed", polls=0)]
    work.refuses()  # other batches in the list, on several pages
    fake.plans = [Plan()]
    create = BatchClient.create

    def then_killed(client: BatchClient, *arguments: str) -> None:
        create(client, *arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(BatchClient, "create", then_killed)
        with pytest.raises(Killed):
            work()
    assert work.state[-1]["id"] is None and work.state[-1]["status"] == "intended"
    for n in range(3):  # and newer ones of others
        fake.batches.append({**fake.batches[0], "id": f"other_{n}", "input_file_id": "other"})
    assert work() == {"ok": 48}
    assert len(fake.asked) == 4 and work.state[-1]["id"] == "batch_4"


def test_killed_before_creating(work: Work, fake: FakeBatches, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(BatchClient, "create", killed)
        with pytest.raises(Killed):
            work()
    assert fake.asked == [] and len(work.state) == 1
    assert work() == {"ok": 48}
    assert fake.asked == [KEYS] and [one["status"] for one in work.state] == ["completed"]


@pytest.mark.parametrize("step", ["retrieve", "lines"])
def test_another_process_goes_on(work: Work, fake: FakeBatches, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(BatchClient, step, killed)
        with pytest.raises(Killed):
            work()
    assert work.state[0]["id"] == "batch_1"
    assert work() == {"ok": 48} and fake.asked == [KEYS]


def test_killed_between_the_answers_and_the_state(
    work: Work, fake: FakeBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = batches.Batches._take

    def then_killed(*arguments: Any) -> None:
        take(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(batches.Batches, "_take", then_killed)
        with pytest.raises(Killed):
            work()
    assert work.statuses() == {"ok": 48}
    assert work() == {} and fake.asked == [KEYS] and len(work.records) == 48
    assert work.state[0]["status"] == "completed"


def test_ctrl_c_while_waiting(work: Work, fake: FakeBatches, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            work()
    assert work() == {"ok": 48} and fake.asked == [KEYS]


def test_large_runs_are_split_and_killed_between_the_parts(
    work: Work, fake: FakeBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_LINES", 20)
    create = BatchClient.create

    def killed_at_the_second(client: BatchClient, *arguments: str) -> Any:
        if fake.asked:
            raise Killed
        return create(client, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(BatchClient, "create", killed_at_the_second)
        with pytest.raises(Killed):
            work()
    assert work() == {"ok": 48}
    assert fake.asked == [KEYS[:20], KEYS[20:40], KEYS[40:]]


def test_parts_keep_within_both_limits() -> None:
    lines = [b"a" * 10] * 7
    assert [len(part) for part in parts(lines, 3, 1000)] == [3, 3, 1]
    assert [len(part) for part in parts(lines, 100, 25)] == [2, 2, 2, 1]
    assert [len(part) for part in parts(lines, 100, 5)] == [1] * 7 and list(parts([], 1, 1)) == []


def test_a_state_that_cannot_be_read(work: Work, fake: FakeBatches) -> None:
    work.folder.mkdir()
    (work.folder / "batch.json").write_text('{"batches": [{"id"')
    message = work.refuses()
    assert str(work.folder / "batch.json") in message and "delete it" in message and fake.calls == []


def test_run_ids_longer_than_metadata_may_be(work: Work) -> None:
    assert work(run=replace(RUN, run_id="x" * 600)) == {"ok": 48}


def test_the_key_is_sent_as_it_should_be(work: Work, fake: FakeBatches) -> None:
    work()
    assert set(fake.keys) == {f"Bearer {KEY}"}
