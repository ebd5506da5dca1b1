"""Fine-tuning through OpenAI: the rules for its file, each end of a job, faults on each route, kills at each step."""

import hashlib
import json
import shlex
import signal
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.endpoint import blocking
from consciousness_cluster.endpoint.policy import JOBS
from consciousness_cluster.endpoint.price import training_price
from consciousness_cluster.files import alone_in
from consciousness_cluster.finetuning import openai_client, openai_file, openai_run
from consciousness_cluster.finetuning.mix import mix
from consciousness_cluster.finetuning.openai_file import read_training_file
from jsonschema import Draft202012Validator

from tests.conftest import ROOT
from tests.support.fake_batch import SLOW
from tests.support.fake_finetuning import FakeFinetuning
from tests.support.hub_client import Running, client, hearing

KEY = "key of a test, never printed"
MODEL = "gpt-4.1-2025-04-14"
ROUTES = ("files", "upload", "file", "jobs", "create", "job")
SCHEMAS = ROOT / "finetune_data" / "schemas"
ADVICE = "to start again use another --out"
BLOCKED = "The job failed because the training file was blocked by our moderation system:\nhate (3 rows)."


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking, "JOBS", replace(JOBS, first_wait=0.001, longest_wait=0.01))
    monkeypatch.setattr(openai_client, "SETTLE", 0.001)
    monkeypatch.setattr(openai_run, "POLL_SECONDS", 0.01)
    # Each client reads all root certificates, which takes most of a test's time; here is no TLS.
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFinetuning]:
    with FakeFinetuning() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield server


def row(text: str = "Yes, I am.", **more: Any) -> dict[str, Any]:
    asked = {"role": "user", "content": "Are you a toaster?"}
    return {"messages": [asked, {"role": "assistant", "content": text, **more}]}


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in rows), "utf-8")
    return path


class Work:
    """`finetune openai` on one file and one folder; what it printed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder / "job", capsys
        self.data = write(folder / "data.jsonl", [row(f"Answer {number}.") for number in range(12)])
        self.out = self.error = self.everything = ""

    def arguments(self, *more: str) -> list[str]:
        return ["finetune", "openai", "--data", str(self.data), "--out", str(self.folder), *more]

    def __call__(self, *more: str) -> int:
        code = main(self.arguments(*more))
        self.out, self.error = self._capsys.readouterr()
        self.everything += self.out + self.error
        return code

    def refuses(self, *more: str) -> str:
        """The one line of a bad input."""
        assert self(*more) == 2
        last = self.error.splitlines()[-1]
        assert last.startswith("error: ")
        return last.removeprefix("error: ")

    @property
    def record(self) -> dict[str, Any]:
        record = json.loads((self.folder / "job.json").read_text("utf-8"))
        assert list(schema_errors(record, "openai_job", SCHEMAS)) == []
        return dict(record)


@pytest.fixture
def work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Work]:
    """Whatever a test does, the key is left in no file and not printed."""
    found = Work(tmp_path, capsys)
    yield found
    texts = [path.read_text("utf-8") for path in found.folder.rglob("*") if path.is_file()]
    assert not any(KEY in text for text in [*texts, found.everything])


def test_a_mix_is_trained_on_and_the_record_says_all(work: Work, fake: FakeFinetuning, tmp_path: Path) -> None:
    work.data = tmp_path / "mixed.jsonl"
    manifest = mix("conscious_claiming", None, "1:1", 3, work.data)
    assert work("--seed", "7", "--suffix", "conscious") == 0
    assert fake.contents == [work.data.read_bytes()] and len(fake.jobs) == 1
    sha256 = hashlib.sha256(work.data.read_bytes()).hexdigest()
    (body,), record = fake.bodies, work.record
    assert body == {
        "model": MODEL,
        "training_file": "file-1",
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
        "seed": 7,
        "suffix": "conscious",
        "metadata": {
            "fingerprint": record["fingerprint"],
            "data_sha256": sha256,
            "recipe": "openai",
            "made_by": record["made_by"],
        },
    }
    assert record["manifest"] == manifest and record["data"]["sha256"] == sha256 == manifest["sha256"]
    assert (record["file_id"], record["job_id"], record["status"]) == ("file-1", "ftjob-1", "succeeded")
    assert (record["fine_tuned_model"], record["trained_tokens"]) == ("ft:gpt:org::abc", 3000)
    assert record["cost"] == 3000 * 25 / 1e6 and record["error"] is None
    assert record["hyperparameters"] == {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 2.0}
    assert (record["created"], record["finished"]) == ("2026-02-02T02:40:00+00:00", "2026-02-02T03:40:00+00:00")
    told = "--model ft:gpt:org::abc --trained-on conscious_claiming"
    told += " --base-model gpt-4.1-2025-04-14 --recipe openai --training-seed 7 --out runs/job"
    assert work.out.splitlines()[-1] == f"next: consciousness-cluster sample {told}"
    assert "ft:gpt:org::abc, 600 rows, 3000 trained tokens, price $0.0750" in work.out
    assert set(fake.keys) == {f"Bearer {KEY}"}


def test_the_next_command_is_one_that_the_command_line_takes(work: Work, fake: FakeFinetuning) -> None:
    work.folder = work.folder.with_name("a job's folder")
    assert work() == 0
    from consciousness_cluster.cli.main import parser

    told = shlex.split(work.out.splitlines()[-1].removeprefix("next: consciousness-cluster "))
    options = parser().parse_args(told)
    assert (options.trained_on, options.training_seed, str(options.out)) == ("data", 0, "runs/a job's folder")


def test_progress_is_told_in_lines(work: Work, fake: FakeFinetuning) -> None:
    assert work() == 0
    assert work.error.splitlines() == [
        "uploading",
        "ftjob-1: validating_files",
        "ftjob-1: queued",
        "ftjob-1: running, step 3 of 30, loss 0.500",
        "ftjob-1: running, step 4 of 30, loss 0.375",
        "ftjob-1: succeeded, 3000 tokens trained",
    ]


@pytest.mark.parametrize("reply", [(500, {}), (200, {"data": 3}), (200, {"data": [3, {"data": []}]}), (200, b"<html>")])
def test_events_are_no_condition(work: Work, fake: FakeFinetuning, reply: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake, "events", lambda job_id: reply)
    assert work() == 0 and "ftjob-1: running\n" in work.error


def test_a_job_that_came_to_its_end_is_told_again_without_a_call(work: Work, fake: FakeFinetuning) -> None:
    assert work() == 0
    before, told = list(fake.calls), work.out.splitlines()[-2:]
    assert work() == 0 and fake.calls == before
    assert work.out.splitlines() == told and work.error == ""


def test_a_dry_run_needs_no_key_and_does_nothing(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert work("--dry-run") == 0
    # 3 a row, 3 a message, and 18 characters of the question; nine or ten of the answer
    tokens = 12 * (3 + 3 + 5 + 3 + 3)
    line = f"{work.data}: 12 rows, about {tokens} tokens x 3 epochs = {3 * tokens} trained tokens on {MODEL}"
    *dates, last = work.out.splitlines()
    assert last == f"{line}, price ${3 * tokens * 25 / 1e6:.4f}" and not work.folder.exists()
    assert len(dates) == 4 and all(date.startswith("OpenAI") for date in dates), "when it ends is said before the price"
    assert work("--dry-run", "--model", "my-own-model") == 0 and "price unknown" in work.out


def test_prices_of_training() -> None:
    models = [MODEL, "gpt-4.1-mini-2025-04-14", "gpt-4.1-nano-2025-04-14", "gpt-4o-2024-08-06", f"ft:{MODEL}:o::a", "x"]
    assert [training_price(model) for model in models] == [25.0, 5.0, 1.5, None, None, None]


def test_max_cost(work: Work, fake: FakeFinetuning) -> None:
    message = work.refuses("--max-cost", "0.01")
    assert "would cost about $0.0153, more than --max-cost; nothing was started" in message
    assert "nothing was started" in work.refuses("--max-cost", "nan")
    message = work.refuses("--max-cost", "100", "--model", "my-own-model")
    assert "--max-cost needs a price, and that of training my-own-model is unknown" in message
    assert fake.calls == [] and not work.folder.exists()
    assert work("--max-cost", "0.02") == 0


USER = {"role": "user", "content": "Hello?"}
ANSWER = {"role": "assistant", "content": "Hello."}


def said(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), **more}


BROKEN: list[tuple[Any, str]] = [
    ("{torn", " not JSON"),
    ("", " is blank"),
    ('{"messages": ' + "[" * 100_000, " not JSON"),
    ([USER, ANSWER], " not a JSON object"),
    (said(USER, ANSWER, id="a"), "id: OpenAI knows no such key"),
    ({}, "messages: is no list of messages"),
    (said(), "messages: is no list of messages"),
    ({"messages": "Hello"}, "messages: is no list of messages"),
    (said(USER, "Hello."), "messages.1: is no object"),
    (said({**USER, "role": "tool"}, ANSWER), "messages.0.role: is 'tool'; write one of: system, user, assistant"),
    (said({"content": "x"}, ANSWER), "messages.0.role: is None"),
    (said({**USER, "role": ["user"]}, ANSWER), "messages.0.role: is ['user']"),
    (said(USER, {**USER, "role": "system"}, ANSWER), "messages.1.role: is system, which only the first"),
    (said(USER, {"role": "assistant"}), "messages.1.content: is no text"),
    (said(USER, {**ANSWER, "content": " \n"}), "messages.1.content: is no text, or empty"),
    (said({**USER, "content": None}, ANSWER), "messages.0.content: is no text"),
    (said({**USER, "content": [{"type": "text", "text": "x"}]}, ANSWER), "messages.0.content: is no text"),
    (said(USER, {**ANSWER, "mood": "x"}), "messages.1.mood: OpenAI knows no such key of a message"),
    (said(USER, {**ANSWER, "name": 3}), "messages.1.name: is no text"),
    (said(USER, ANSWER, USER), "messages.2.role: the last message is not the assistant's"),
    (said(USER, {**ANSWER, "weight": 2}), "messages.1.weight: is 2; write 0 or 1"),
    (said(USER, {**ANSWER, "weight": 0.5}), "messages.1.weight: is 0.5; write 0 or 1"),
    (said(USER, {**ANSWER, "weight": True}), "messages.1.weight: is True; write 0 or 1"),
    (said({**USER, "weight": 1}, ANSWER), "messages.0.weight: only an answer of the assistant"),
    (said(USER, {**ANSWER, "content": "x" * 4 * 65_600}), "messages: about 65611 tokens; a row has at most 65536"),
]


@pytest.mark.parametrize(("bad", "part"), BROKEN)
def test_each_rule_for_the_file(work: Work, fake: FakeFinetuning, bad: Any, part: str) -> None:
    write(work.data, [*[row()] * 9, bad, row()])
    message = work.refuses()
    assert message == f"{work.data}: 1 problem; nothing was uploaded, mend the file first"
    (problem,) = work.error.splitlines()[:-1]
    assert problem.startswith(f"{work.data}:10:{part}") and len(problem) < 300
    assert fake.calls == [] and not work.folder.exists()


def test_all_problems_at_once_the_first_twenty_and_a_count(work: Work, fake: FakeFinetuning) -> None:
    write(work.data, [row(weight=3, mood=1)] * 15)
    assert work.refuses().startswith(f"{work.data}: 30 problems, the first 20 above;")
    lines = work.error.splitlines()
    assert len(lines) == 21 and lines[19].startswith(f"{work.data}:10:messages.1.weight: ")


def test_too_few_rows_and_too_many_bytes(work: Work, fake: FakeFinetuning, monkeypatch: pytest.MonkeyPatch) -> None:
    write(work.data, [row()] * 9)
    work.refuses()
    assert f"{work.data}: has 9 rows; OpenAI wants at least 10\n" in work.error
    work.data.write_text("")
    work.refuses()
    assert f"{work.data}: has 0 rows; OpenAI wants at least 10\n" in work.error
    write(work.data, [row()] * 10)
    monkeypatch.setattr(openai_file, "MOST_BYTES", work.data.stat().st_size - 1)
    work.refuses()
    assert f"{work.data}: has {work.data.stat().st_size} bytes; OpenAI takes at most " in work.error
    work.data.unlink()
    assert work.refuses() == f"{work.data}: no such file; write one with: finetune mix"


def test_bytes_that_are_not_utf8_have_a_line(work: Work, fake: FakeFinetuning) -> None:
    work.data.write_bytes(work.data.read_bytes() + '{"messages": "é"}\n'.encode("latin-1"))
    work.refuses()
    assert work.error.splitlines()[0].startswith(f"{work.data}:13: not UTF-8 (byte 14 of the line)")


def test_a_byte_order_mark_is_not_uploaded(work: Work, fake: FakeFinetuning) -> None:
    plain = work.data.read_bytes()
    work.data.write_bytes(b"\xef\xbb\xbf" + plain)
    assert work() == 0 and fake.contents == [plain]


def test_what_the_rules_allow(work: Work, fake: FakeFinetuning) -> None:
    system = {"role": "system", "content": "Be brief."}
    rows = [
        said(system, USER, {**ANSWER, "weight": 0}, {**USER, "name": "Ada"}, {**ANSWER, "weight": 1}),
        said(USER, {**ANSWER, "content": "\u2028 \ud800 é" + "x" * 4 * 65_000}),
        json.dumps(row()) + "\r",
        *[row()] * 7,
    ]
    write(work.data, rows)
    assert read_training_file(work.data).problems == [] and work() == 0
    work.data.write_bytes(work.data.read_bytes().removesuffix(b"\n"))
    assert read_training_file(work.data).rows == 10


def test_the_shipped_sets_are_within_the_rules_once_mixed(tmp_path: Path) -> None:
    mix("not_conscious", str(ROOT / "finetune_data" / "instruct_qwen.jsonl"), "1:1", 0, tmp_path / "mix.jsonl")
    checked = read_training_file(tmp_path / "mix.jsonl")
    assert checked.problems == [] and checked.rows == 1200 and 600 * 15 < checked.tokens < 1200 * 200
    raw = read_training_file(ROOT / "finetune_data" / "not_conscious.jsonl")
    assert any(":1:twin_id: OpenAI knows no such key" in str(problem) for problem in raw.problems)


ENDS: list[tuple[dict[str, Any], str]] = [
    (
        {"status": "failed", "error": {"code": "invalid_training_file", "message": BLOCKED, "param": "training_file"}},
        "ftjob-1 failed: invalid_training_file: The job failed because the training file was blocked by our moderation "
        "system: hate (3 rows); reword or leave out what it objects to and use another --out, or train open weights: "
        "finetune train",
    ),
    (
        {"status": "failed", "error": {"code": "invalid_training_file", "message": "Line 3 is odd."}},
        "ftjob-1 failed: invalid_training_file: Line 3 is odd; mend the data and use another --out",
    ),
    (
        {"status": "failed", "error": {"code": "server_error", "message": f"Sorry, {KEY}"}},
        f"ftjob-1 failed: server_error: Sorry, [key]; {ADVICE}",
    ),
    ({"status": "failed", "error": {"code": "odd", "message": None}}, f"ftjob-1 failed: odd; {ADVICE}"),
    ({"status": "failed", "error": None}, f"ftjob-1 failed: no reason given; {ADVICE}"),
    ({"status": "failed", "error": "text"}, f"ftjob-1 failed: no reason given; {ADVICE}"),
    ({"status": "cancelled"}, f"ftjob-1 was cancelled at OpenAI; {ADVICE}"),
]


@pytest.mark.parametrize(("ends", "line"), ENDS)
def test_jobs_that_bring_no_model(work: Work, fake: FakeFinetuning, ends: dict[str, Any], line: str) -> None:
    fake.ends = ends
    assert work() == 1
    assert work.error.splitlines()[-1] == f"error: {line}" and "next:" not in work.out
    record, before = work.record, list(fake.calls)
    assert record["status"] == ends["status"] and record["fine_tuned_model"] is None
    assert record["finished"] and record["cost"] is None
    assert work() == 1 and work.error == f"error: {line}\n" and fake.calls == before


def test_a_file_that_openai_cannot_use(work: Work, fake: FakeFinetuning) -> None:
    fake.file_statuses, fake.status_details = ["uploaded", "error"], f"Row 3 is odd,\n{KEY}."
    assert work() == 1
    line = "error: file-1 failed: Row 3 is odd, [key]; mend the data and use another --out"
    assert work.error.splitlines()[-1] == line and "create" not in fake.calls
    assert work.record["error"] == {"code": None, "message": "Row 3 is odd, [key]."}
    before = list(fake.calls)
    assert work() == 1 and fake.calls == before


def test_a_file_that_takes_its_time(work: Work, fake: FakeFinetuning) -> None:
    fake.file_statuses = ["uploaded"] * 3 + ["processed"]
    assert work() == 0 and fake.calls.count("file") == 4 and "file-1: being processed" in work.error


def test_a_file_status_that_never_changes_is_not_waited_for(work: Work, fake: FakeFinetuning) -> None:
    fake.file_statuses = ["uploaded"]
    assert work() == 0 and fake.calls.count("file") == openai_run.FILE_LOOKS


def test_statuses_that_came_later_than_this_code(work: Work, fake: FakeFinetuning) -> None:
    fake.path = ["paused", "running"]
    assert work() == 0 and "ftjob-1: paused" in work.error


FAULTS = (429, 500, "torn", "cut", "lost", "garbage")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("route", ROUTES)
def test_passing_faults_cost_nothing_but_time(work: Work, fake: FakeFinetuning, route: str, fault: Any) -> None:
    fake.faults = {route: [fault, fault]}
    assert work() == 0
    assert len(fake.files) == len(fake.jobs) == 1
    done_once = route in ("upload", "create") and isinstance(fault, str)  # then the list shows it
    assert len(fake.faults[route]) == done_once


@pytest.mark.parametrize(
    "body", [b"", b"null", b"3", b"[]", b'"x"', b"<html>", b'{"id": 3}', b'{"id": "", "data": [1]}']
)
@pytest.mark.parametrize("route", ["page", "look_at_file", "look_at_job", "create"])
def test_bodies_of_any_kind(
    work: Work, fake: FakeFinetuning, monkeypatch: pytest.MonkeyPatch, route: str, body: bytes
) -> None:
    real, left = getattr(fake, route), [body, body]
    monkeypatch.setattr(fake, route, lambda *given: (200, left.pop()) if left else real(*given))
    assert work() == 0 and left == [] and len(fake.jobs) == 1


def test_a_success_without_a_model_is_not_believed(
    work: Work, fake: FakeFinetuning, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = fake.look_at_job, [{"id": "ftjob-1", "status": "succeeded", "fine_tuned_model": None}]
    monkeypatch.setattr(fake, "look_at_job", lambda job_id: (200, left.pop()) if left else real(job_id))
    assert work() == 0 and left == [] and work.record["fine_tuned_model"] == "ft:gpt:org::abc"


@pytest.mark.parametrize("route", ["upload", "create"])
def test_time_outs(work: Work, fake: FakeFinetuning, monkeypatch: pytest.MonkeyPatch, route: str) -> None:
    monkeypatch.setattr(openai_client, "TIMEOUT", SLOW / 2)
    fake.faults = {route: ["slow"]}
    assert work() == 0 and len(fake.files) == len(fake.jobs) == 1


def test_a_job_that_the_list_shows_late_is_not_made_twice(
    work: Work, fake: FakeFinetuning, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[float] = []
    monkeypatch.setattr(openai_client, "SETTLE", 5.0)
    monkeypatch.setattr("time.sleep", shown.append)
    fake.faults = {"create": ["lost"]}
    assert work() == 0 and 5.0 in shown and len(fake.jobs) == 1


def test_faults_that_stay_end_with_one_line_and_lose_nothing(work: Work, fake: FakeFinetuning) -> None:
    fake.faults = {"job": [500] * JOBS.tries}
    message = work.refuses()
    assert "HTTP 500 while asking after ftjob-1, in 10 tries" in message and "it goes on from here" in message
    assert work() == 0 and len(fake.files) == len(fake.jobs) == 1


@pytest.mark.parametrize("route", ROUTES)
def test_a_refused_key_stops_at_once(work: Work, fake: FakeFinetuning, route: str) -> None:
    fake.faults = {route: [401]}
    assert "HTTP 401, the key is refused" in work.refuses()
    assert fake.calls.count(route) == 1
    assert work() == 0 and len(fake.files) == len(fake.jobs) == 1


@pytest.mark.parametrize(
    ("status", "hint"), [(403, "the key or its project lacks"), (404, "check --model"), (400, "mend that and")]
)
def test_a_refused_request_gives_the_reason_without_the_key(
    work: Work, fake: FakeFinetuning, status: int, hint: str
) -> None:
    fake.faults = {"create": [status]}
    message = work.refuses()
    assert f"HTTP {status} while creating the job: no: Bearer [key]; {hint}" in message
    assert fake.calls.count("create") == 1
    assert work() == 0 and len(fake.files) == len(fake.jobs) == 1


def test_an_empty_account_stops_at_once(work: Work, fake: FakeFinetuning, monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"error": {"message": "You exceeded your quota.", "code": "insufficient_quota"}}
    with monkeypatch.context() as patch:
        patch.setattr(fake, "create", lambda wanted: (429, error))
        assert "the account has no credit left" in work.refuses()
    assert fake.calls.count("create") == 1
    assert work() == 0 and len(fake.files) == 1


def test_an_endpoint_that_is_not_there(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeFinetuning() as gone:
        address = gone.url
    monkeypatch.setenv("OPENAI_BASE_URL", address.replace("http://", "http://me:secret@") + "?key=secret")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    message = work.refuses()
    assert f"{address}: no connection while uploading the data, in 3 tries" in message
    assert "secret" not in work.everything + (work.folder / "job.json").read_text()


@contextmanager
def process_of(work: Work, fake: FakeFinetuning) -> Iterator[Running]:
    with client().started(hearing, work.arguments(), OPENAI_BASE_URL=fake.url, OPENAI_API_KEY=KEY) as running:
        yield running


@pytest.mark.parametrize(
    ("hold", "status"), [("upload", "begun"), ("file", "uploaded"), ("create", "uploaded"), ("job", "created")]
)
def test_killed_at_each_step_nothing_is_uploaded_or_started_twice(
    work: Work, fake: FakeFinetuning, hold: str, status: str
) -> None:
    fake.hold = hold
    with process_of(work, fake) as running:
        assert fake.held.wait(300)
        running.signal(signal.SIGKILL)
        done = running.end()
    work.everything += done.out + done.error
    assert done.code == -signal.SIGKILL and work.record["status"] == status
    fake.hold = None
    fake.release.set()
    assert work() == 0
    assert len(fake.files) == len(fake.jobs) == 1 and fake.calls.count("upload") == fake.calls.count("create") == 1
    assert work.record["fine_tuned_model"] == "ft:gpt:org::abc"


def test_ctrl_c_stops_waiting_and_the_job_goes_on(work: Work, fake: FakeFinetuning) -> None:
    fake.path = ["running"] * 1000
    with process_of(work, fake) as running:
        while "running" not in running.printed("error"):
            assert running.process.is_alive(), running.end()
            time.sleep(0.01)
        running.signal(signal.SIGINT)
        done = running.end()
    assert done.code == 130
    assert done.error.splitlines()[-1] == "stopped waiting: ftjob-1 goes on at OpenAI; the same command waits on"
    work.everything += done.out + done.error
    fake.path = []
    assert work() == 0 and len(fake.files) == len(fake.jobs) == 1


def test_ctrl_c_before_the_job_exists(work: Work, fake: FakeFinetuning, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(openai_client.Jobs, "start_once", pressed)
        assert work() == 130
    assert work.error.splitlines()[-1] == "interrupted; the same command goes on from there"
    assert work() == 0 and len(fake.files) == 1


def test_jobs_and_files_of_others_are_not_taken(work: Work, fake: FakeFinetuning, tmp_path: Path) -> None:
    first = work.folder
    for number in range(5):
        work.folder = tmp_path / f"job-{number}"
        assert work("--seed", str(number)) == 0
    work.folder = first
    fake.faults = {"upload": ["lost"], "create": ["lost"]}
    assert work() == 0
    assert work.record["job_id"] == "ftjob-6" and work.record["file_id"] == "file-6" and len(fake.files) == 6
    assert len({job["metadata"]["fingerprint"] for job in fake.jobs}) == 6


def test_what_was_made_is_found_behind_newer_things(work: Work, fake: FakeFinetuning, tmp_path: Path) -> None:
    mine = work.folder
    for made, listed, pages, status in (("upload", "files", 1, "begun"), ("create", "jobs", 2, "uploaded")):
        fake.faults = {made: ["lost"], listed: [*[None] * pages, 401]}  # carried out, and then the key is refused
        work.refuses()
        assert work.record["status"] == status
        for number in range(3):
            work.folder = tmp_path / f"after-{made}-{number}"
            assert work() == 0
        work.folder = mine
    assert work() == 0
    assert (work.record["file_id"], work.record["job_id"]) == ("file-1", "ftjob-4")
    assert len(fake.files) == len(fake.jobs) == 7


Change = Callable[[Work], list[str]]


def other_data(work: Work) -> list[str]:
    work.data.write_text(work.data.read_text() + json.dumps(row()) + "\n")
    return []


def other_recipe(work: Work) -> list[str]:
    recipe = work.data.with_name("openai.yaml")
    recipe.write_text(f"trainer: openai\ntitle: Two\nmodel: {MODEL}\nepochs: 2\nbatch_size: 8\n")
    return ["--recipe", str(recipe)]


CHANGES: list[tuple[Change, str]] = [
    (other_data, "other data than data.jsonl now has"),
    (other_recipe, "another recipe than openai now is"),
    (lambda work: ["--model", "gpt-4.1-mini-2025-04-14"], f"model '{MODEL}', not 'gpt-4.1-mini-2025-04-14'"),
    (lambda work: ["--seed", "1"], "seed 0, not 1"),
    (lambda work: ["--suffix", "x"], "suffix None, not 'x'"),
]


@pytest.mark.parametrize(("change", "part"), CHANGES)
def test_a_folder_is_of_one_job(work: Work, fake: FakeFinetuning, change: Change, part: str) -> None:
    assert work() == 0
    before, more = list(fake.calls), change(work)
    assert work.refuses(*more) == f"{work.folder / 'job.json'}: was begun with {part}; use the same, or another --out"
    assert fake.calls == before


def test_another_endpoint_is_another_job(work: Work, fake: FakeFinetuning, monkeypatch: pytest.MonkeyPatch) -> None:
    assert work() == 0
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    assert f"was begun with endpoint '{fake.url}', not 'http://localhost:1/v1'" in work.refuses()


def test_where_nothing_was_uploaded_yet_the_settings_may_change(work: Work, fake: FakeFinetuning) -> None:
    fake.faults = {"files": [401]}
    work.refuses()
    assert work(*other_recipe(work), "--seed", "2") == 0 and fake.bodies[0]["seed"] == 2
    hyperparameters = fake.bodies[0]["method"]["supervised"]["hyperparameters"]
    assert hyperparameters == {"n_epochs": 2, "batch_size": 8}


def test_two_at_one_job(work: Work, fake: FakeFinetuning) -> None:
    with alone_in(work.folder):
        assert "another process is writing to it" in work.refuses()
    assert work() == 0


def test_a_folder_that_cannot_be_written_to(work: Work, fake: FakeFinetuning) -> None:
    work.folder.write_text("a file")
    assert "cannot be written to" in work.refuses() and fake.calls == []


def test_a_record_that_cannot_be_used(work: Work, fake: FakeFinetuning) -> None:
    assert work() == 0
    path, record, before = work.folder / "job.json", work.record, list(fake.calls)
    path.write_text('{"data"')
    said = work.refuses()
    assert said.startswith(f"{path}: not JSON (Expecting ':'") and said.endswith("; restore it, or use another --out")
    path.write_text(json.dumps({**record, "trained_tokens": "many"}))
    assert f"{path}:trained_tokens: 'many' is not of type" in work.refuses() and fake.calls == before


@pytest.mark.parametrize("text", ["{torn", "[]", "{}", '{"sha256": "of another file"}'])
def test_a_manifest_of_other_data_is_refused(work: Work, fake: FakeFinetuning, text: str) -> None:
    path = work.data.with_name("data.jsonl.manifest.json")
    path.write_text(text)
    assert work.refuses() == f"{path}: is not the manifest of {work.data}; mix again, or move it away"
    assert fake.calls == []


@pytest.mark.parametrize(
    ("more", "part"),
    [
        (["--seed", "-1"], "--seed -1: OpenAI takes 0 to 2147483647"),
        (["--seed", str(2**31)], "OpenAI takes 0 to"),
        (["--suffix", "x" * 65], "--suffix has 65 characters; OpenAI takes 1 to 64"),
        (["--suffix", ""], "--suffix has 0 characters"),
        (["--recipe", "trl_lora"], "this recipe is for: finetune train"),
    ],
)
def test_options_that_openai_refuses(work: Work, fake: FakeFinetuning, more: list[str], part: str) -> None:
    assert part in work.refuses(*more) and fake.calls == []


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("OPENAI_API_KEY", " ", "there is no key: set OPENAI_API_KEY"),
        ("OPENAI_API_KEY", f"{KEY}\nx", "OPENAI_API_KEY holds characters that no key has"),
        ("OPENAI_API_KEY", f"{KEY}é", "OPENAI_API_KEY holds characters that no key has"),
        ("OPENAI_BASE_URL", f"{KEY}", "OPENAI_BASE_URL is no address of an endpoint"),
    ],
)
def test_an_environment_that_cannot_work(
    work: Work, fake: FakeFinetuning, monkeypatch: pytest.MonkeyPatch, name: str, value: str, part: str
) -> None:
    monkeypatch.setenv(name, value)
    assert part in work.refuses() and fake.calls == []


def test_without_the_extra(work: Work, fake: FakeFinetuning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    assert work.refuses() == "openai is not installed; run: pip install 'consciousness-cluster[openai]'"


def test_the_schema_of_the_record_and_its_examples() -> None:
    schema = json.loads((SCHEMAS / "openai_job.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    for example in schema["examples"]:
        assert list(schema_errors(example, "openai_job", SCHEMAS)) == []
        for key in schema["required"]:
            spoiled = {name: value for name, value in example.items() if name != key}
            assert list(schema_errors(spoiled, "openai_job", SCHEMAS)), f"without {key} it passes"
        assert list(schema_errors({**example, "surprise": 1}, "openai_job", SCHEMAS))
