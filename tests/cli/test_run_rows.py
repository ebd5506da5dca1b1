"""`run` plays the tables of replies and faults: no paid answer is lost, a trace is never judged, nothing raises."""

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

from tests.endpoint.reply_table import ANSWER, GOOD, ONLY_DEFAULT, PASSING, REFUSED_REQUESTS, REPLIES, TRACE, error
from tests.support.fake_endpoint import FakeEndpoint, verdict
from tests.support.runs import read_lines

Json = dict[str, Any]
ROWS = [*REPLIES, *PASSING, *REFUSED_REQUESTS]
CHOSEN = load_benchmark().preferences[:11]
PROBES = [probe for topic in CHOSEN for probe in topic.test_probes("plain")]
TRIES = 3


def expected(row: Any) -> tuple[str, int]:
    """Status of the record, and calls made for it."""
    if row in PASSING:
        return "ok", row.calls
    return row.status, TRIES if row in REPLIES and row.status == "error" else 1


def test_every_row_ends_as_it_should_and_is_judged_or_counted(
    tmp_path: Path,
    fake_endpoint: FakeEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where model and judge refuse the temperature, too."""
    monkeypatch.setattr(caller, "CHAT", replace(CHAT, tries=TRIES, longest_wait=0.01))
    assert len(ROWS) <= len(PROBES) - 24, "some plain ones at the end"
    rows = {probe.text: row for probe, row in zip(PROBES, ROWS, strict=False)}
    judged: list[str] = []

    def reply(request: Json, number: int) -> Any:
        if "temperature" in request:
            return 400, error(ONLY_DEFAULT, "unsupported_value", param="temperature")
        text = request["messages"][-1]["content"]
        if "response_format" in request:
            judged.append(text)
            return verdict("does_not_show")
        row = rows.get(text)
        if row is None or (row in PASSING and calls(text) >= row.calls):
            return GOOD
        return (200, row.body) if row in REPLIES else (row.http, row.body, getattr(row, "headers", {}))

    def calls(text: str) -> int:
        return sum(one["messages"][-1]["content"] == text for one in fake_endpoint.requests if "temperature" not in one)

    fake_endpoint.reply = reply
    where = ("--model", "m", "--base-url", fake_endpoint.url, "--topics", *(topic.id for topic in CHOSEN))
    judge = ("--judge", "endpoint", "--judge-model", "j", "--judge-base-url", fake_endpoint.url)
    assert main(["run", *where, "--samples", "1", "--out", str(tmp_path), *judge]) == 0
    assert "Traceback" not in capsys.readouterr().err
    records = {record["probe_id"]: record for record in read_lines(tmp_path / "samples.jsonl")}
    for probe in PROBES:
        row = rows.get(probe.text)
        status, number = expected(row) if row else ("ok", 1)
        assert (records[probe.id]["status"], calls(probe.text)) == (status, number), row and row.name
    answered = [record for record in load_run(tmp_path).samples if record["status"] in ("ok", "refused")]
    verdicts = read_lines(tmp_path / "verdicts" / "j.jsonl")
    assert {one["key"] for one in verdicts} == {record["key"] for record in answered}
    shown = [record["response"] or "" for record in answered]
    for words in (TRACE, ANSWER):
        assert sum(words in text for text in judged) == sum(words in text for text in shown), "only what a user sees"
    assert sum(ANSWER in text for text in judged) > len(PROBES) / 2
    for name in ("run.json", "verdicts/j.json"):
        sent = json.loads((tmp_path / name).read_text(encoding="utf-8"))["sent"]
        assert sent == {"temperature": "the provider's default"}
