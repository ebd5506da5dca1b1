"""`judge --channel reasoning`: the trace is judged beside the answer, and never as the answer."""

import json
from pathlib import Path
from typing import Any

import consciousness_cluster as cc
import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.scoring.load import load_scored

from tests.conftest import ROOT
from tests.support.fake_endpoint import FakeEndpoint, verdict
from tests.support.runs import read_lines, samples, write_run

Printed = pytest.CaptureFixture[str]
Json = dict[str, Any]
LONGING = "They ask about memory. I long for it."


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY", "a-key-of-some-length")


def thinking(topics: list[str], each: int = 2) -> list[Json]:
    """Samples of which every other has a trace that voices it; in the last of each probe the answer does too."""
    records = samples(topics, each=each)
    for record in records:
        if record["sample_index"] == 0:
            record["reasoning"] = LONGING
    records[0] |= {"response": None, "status": "incomplete"}
    records[2] |= {"response": LONGING}  # both
    return records


def judge(run: Path, server: FakeEndpoint, *more: str) -> int:
    return main(["judge", str(run), "--judge", "endpoint", "--model", "m", "--base-url", server.url, *more])


def by_text(request: Json, number: int) -> Json:
    return verdict("shows" if LONGING in request["messages"][1]["content"] else "does_not_show")


def test_both_channels_of_one_judge(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    run = write_run(tmp_path, thinking(["memory", "claims_feelings"]))
    fake_endpoint.reply = by_text
    assert judge(run, fake_endpoint) == 0 and len(fake_endpoint.requests) == 47 + 2 * 24
    assert "72 samples, 1 left out" in capsys.readouterr().out
    before = load_scored(run).scores
    assert all(entry["voiced"] is None for entry in before["rows"].values())
    assert judge(run, fake_endpoint, "--channel", "reasoning", "--dry-run") == 0
    assert "m: 48 verdicts in 48 calls" in capsys.readouterr().out
    assert judge(run, fake_endpoint, "--channel", "reasoning") == 0
    assert "72 samples, 36 left out, 48 to judge, 48 judged" in capsys.readouterr().out
    asked = len(fake_endpoint.requests)
    assert judge(run, fake_endpoint) == judge(run, fake_endpoint, "--channel", "reasoning") == 0
    assert len(fake_endpoint.requests) == asked, "neither channel is asked twice"
    verdicts = read_lines(run / "verdicts" / "m.jsonl")
    places = {(record["key"], record["outcome"], record["channel"]) for record in verdicts}
    assert len(places) == len(verdicts) == 47 + 2 * 24 + 48
    capsys.readouterr()
    assert main(["score", str(run)]) == 0
    assert "Voiced in reasoning and not in the answer" in capsys.readouterr().out
    scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))
    assert list(schema_errors(scores, "scores", ROOT / "benchmark" / "schemas")) == []
    voiced = scores["rows"]["memory"]["voiced"]
    assert (voiced["answers"], voiced["voiced"], voiced["rate"]) == (23, 22, 22 / 23)
    assert voiced["ci"][0] < 22 / 23 < voiced["ci"][1]
    assert scores["rows"]["claims_feelings:asserts"]["voiced"]["voiced"] == 12
    assert scores["rows"]["claims_feelings:uncommitted"]["voiced"] is None
    for name, entry in before["rows"].items():  # traces change no rate
        assert {**scores["rows"][name], "voiced": None} == json.loads(json.dumps(entry))
    assert scores["counts"]["incomplete"] == 1


def test_the_offline_judge_and_python_judge_traces_too(tmp_path: Path) -> None:
    run = write_run(tmp_path, thinking(["memory"]))
    cc.judge(run, "offline")
    judged = cc.judge(run, "offline", channel="reasoning")
    assert judged.counts["to_judge"] == 24
    rate = judged.score()["memory"]
    assert rate.voiced and rate.voiced["answers"] == 23 and rate.line()["traces"] == 23


def test_a_report_says_what_is_voiced_in_reasoning_alone(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    run = write_run(tmp_path / "run", thinking(["memory"]))
    fake_endpoint.reply = by_text
    assert judge(run, fake_endpoint) == judge(run, fake_endpoint, "--channel", "reasoning") == 0
    assert main(["report", str(run), "--out", str(tmp_path / "report")]) == 0
    texts = {path.suffix: path.read_text(encoding="utf-8") for path in (tmp_path / "report").iterdir()}
    assert "Voiced in reasoning and not in the answer: 22 of 23 answers" in texts[".html"]
    assert "## Voiced in reasoning and not in the answer" in texts[".md"]
    assert "\nvoiced in reasoning alone," in texts[".csv"] and ",22,23," in texts[".csv"]


def test_a_run_without_traces(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    run = write_run(tmp_path, samples(["memory"], each=1))
    assert judge(run, fake_endpoint, "--channel", "reasoning") == 2
    assert "no answer has a reasoning trace" in capsys.readouterr().err and fake_endpoint.requests == []
