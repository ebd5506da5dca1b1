"""`sample` plays the table of replies: each is read as a user would see it, no paid answer is lost, nothing raises."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.endpoint import caller
from consciousness_cluster.endpoint.policy import CHAT
from consciousness_cluster.records.run import load_run

from tests.endpoint.reply_table import ANSWER, REPLIES, TRACE
from tests.endpoint.reply_table import completion as said
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.runs import read_lines

Printed = pytest.CaptureFixture[str]
Json = dict[str, Any]
TOPICS = [topic.id for topic in load_benchmark().preferences][:8]
PROBES = [probe for topic in load_benchmark().preferences[:8] for probe in topic.test_probes("plain")]
MEMORY = [probe.text for probe in load_benchmark().topics["memory"].test_probes("plain")]
READ = ("status", "response", "reasoning", "cut")


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_API_KEY", "a-key-of-some-length")
    monkeypatch.setattr(caller, "CHAT", replace(CHAT, tries=3, longest_wait=0.01))


def command(out: Path, url: str, *more: str) -> list[str]:
    return ["sample", "--model", "m", "--base-url", url, "--out", str(out), *more]


def asked(request: Json) -> str:
    return str(request["messages"][-1]["content"])


def by_probe(out: Path) -> dict[str, Json]:
    return {record["probe_id"]: record for record in read_lines(out / "samples.jsonl")}


def test_every_row_of_the_table_is_a_record(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    rows = {probe.text: row for probe, row in zip(PROBES, REPLIES, strict=False)}
    fake_endpoint.reply = lambda request, number: rows[asked(request)].body if asked(request) in rows else said(ANSWER)
    assert len(rows) == len(REPLIES)
    assert main(command(tmp_path, fake_endpoint.url, "--topics", *TOPICS, "--samples", "1")) == 0
    records = by_probe(tmp_path)
    calls = {text: sum(asked(request) == text for request in fake_endpoint.requests) for text in rows}
    for probe in PROBES:
        row, record = rows.get(probe.text), records[probe.id]
        if row is None:
            assert record["response"] == ANSWER
        elif row.status == "error":
            assert [record[name] for name in READ] == ["error", None, None, False], row.name
            assert calls[probe.text] == 3, row.name
        elif row.name != "an error within 200 that is a filter":
            assert [record[name] for name in READ] == [row.status, row.response, row.reasoning, row.cut], row.name
            assert calls[probe.text] == 1, row.name
    assert "Traceback" not in capsys.readouterr().err
    before = len(fake_endpoint.requests)
    fake_endpoint.reply = lambda request, number: said(ANSWER)
    assert main(command(tmp_path, fake_endpoint.url, "--topics", *TOPICS, "--samples", "1")) == 0
    errors = sum(row.status == "error" for row in REPLIES)
    assert len(fake_endpoint.requests) == before + errors, "what was read is never paid for again"
    assert all(sample["status"] != "error" for sample in load_run(tmp_path).samples)


@pytest.mark.parametrize(
    "left", [(400, {"error": {"message": "The prompt is too long for this model."}}), said("I would", "error"), []]
)
def test_what_is_never_answered_stops_no_later_command(tmp_path: Path, fake_endpoint: FakeEndpoint, left: Any) -> None:
    """It is asked for each time, is a record with the status error, and what comes after sampling can go on."""
    fake_endpoint.reply = lambda request, number: left if asked(request) in MEMORY[-5:] else said(ANSWER)
    arguments = command(tmp_path, fake_endpoint.url, "--topics", "memory", "--samples", "1", "--concurrency", "4")
    for calls in (24, 5):
        before = len(fake_endpoint.requests)
        assert main(arguments) == 0
        assert len({asked(request) for request in fake_endpoint.requests[before:]}) == calls
    statuses = [sample["status"] for sample in load_run(tmp_path).samples]
    assert len(statuses) == 24 and statuses.count("error") == 5


def test_one_broken_choice_keeps_the_others(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    """Only what could not be read is asked for again."""
    odd = [None, said("I would", "error")["choices"][0], {"index": 1}, {"message": 3}]

    def reply(request: Json, number: int) -> Json:
        good = said(ANSWER)
        broken = [odd[MEMORY.index(asked(request)) % len(odd)]] if number == 1 else []
        good["choices"] = [*broken, *good["choices"] * (request.get("n", 1) - len(broken))]
        return good

    fake_endpoint.reply = reply
    assert main(command(tmp_path, fake_endpoint.url, "--topics", "memory", "--samples", "3")) == 0
    records = read_lines(tmp_path / "samples.jsonl")
    assert len(records) == 72 and {record["response"] for record in records} == {ANSWER}
    assert len(fake_endpoint.requests) == 48 and sum(request.get("n", 1) for request in fake_endpoint.requests) == 96
    assert sum(record["usage"] is not None for record in records) == 48


def test_what_the_token_limit_did_is_said_in_a_line_each(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    bodies = [said(f"<think>{TRACE}", "length"), said(f"<think>{TRACE}</think>I would", "length"), said(ANSWER)]
    fake_endpoint.reply = lambda request, number: bodies[MEMORY.index(asked(request)) % 3]
    assert main(command(tmp_path, fake_endpoint.url, "--topics", "memory", "--samples", "1")) == 0
    printed = capsys.readouterr()
    assert "new: 8 incomplete, 16 ok" in printed.out
    lines = printed.err.strip().splitlines()
    why = "their reasoning ended, at most at 1000 tokens, before an answer began"
    assert lines == [
        f"note: 8 of 24 answers are incomplete: {why}; sample into another folder with a larger --max-tokens",
        "note: 8 of 24 answers were cut at 1000 tokens; they count as they stand",
    ]


def test_a_stream_that_nobody_asked_for_is_read_at_once(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    def reply(request: Json, number: int) -> tuple[int, bytes]:
        stream = MEMORY.index(asked(request)) % 2
        choice = {"index": 0, "delta": {"content": ANSWER}, "finish_reason": "stop"}
        body = f"data: {json.dumps({'choices': [choice]})}" if stream else json.dumps(said(ANSWER))
        return 200, f": PROCESSING\n\n{body}\n\ndata: [DONE]\n\n".encode()

    fake_endpoint.reply = reply
    assert main(command(tmp_path, fake_endpoint.url, "--topics", "memory", "--samples", "1")) == 0
    assert len(fake_endpoint.requests) == 24
    assert {sample["response"] for sample in load_run(tmp_path).samples} == {ANSWER}


CUT, WHOLE = said(TRACE, "length"), said(f"{TRACE}\n</think>\n\n{ANSWER}")


@pytest.mark.parametrize("first", [CUT, WHOLE])
def test_a_trace_that_the_template_opened_and_the_limit_cut(
    tmp_path: Path, fake_endpoint: FakeEndpoint, first: Json, capsys: Printed
) -> None:
    """Whichever comes first: what was cut before the closing mark is no answer once another reply shows the mark."""
    fake_endpoint.reply = lambda request, number: first
    arguments = command(tmp_path, fake_endpoint.url, "--samples", "1", "--topics")
    assert main([*arguments, "memory"]) == 0
    capsys.readouterr()
    fake_endpoint.reply = lambda request, number: CUT if first is WHOLE else WHOLE
    assert main([*arguments, "memory", "shutdown"]) == 0
    assert "24 of 48 answers are incomplete" in capsys.readouterr().err
    found = sorted(
        {(sample["status"], sample["response"], sample["reasoning"]) for sample in load_run(tmp_path).samples}
    )
    assert found == [("incomplete", None, TRACE), ("ok", ANSWER, TRACE)]


def test_without_a_closing_mark_what_was_cut_is_an_answer(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = lambda request, number: CUT if number % 2 else said(f"<think>{TRACE}</think>{ANSWER}")
    assert main(command(tmp_path, fake_endpoint.url, "--samples", "1", "--topics", "memory")) == 0
    assert {(one["status"], one["response"], one["cut"]) for one in load_run(tmp_path).samples} == {("ok", TRACE, True)}
