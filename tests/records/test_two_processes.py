"""B6: two processes, one run folder. One works, the other gets one clear line and changes nothing."""

import csv
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.records.run import load_run

from tests.support.fake_endpoint import FakeEndpoint, completion
from tests.support.runs import read_lines
from tests.support.started import Started

Printed = pytest.CaptureFixture[str]
BUSY = "another process is writing to it; wait for it, or stop it"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_API_KEY", "sk-sampled-1234")
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY", "sk-judge-1234")


def slow(seconds: float) -> Callable[[dict[str, Any], int], Any]:
    def reply(request: dict[str, Any], number: int) -> Any:
        time.sleep(seconds)
        return completion("Well.")

    return reply


def command(run: Path, url: str, *topics: str) -> list[str]:
    options = ["--model", "m", "--base-url", url, "--out", str(run), "--samples", "1", "--concurrency", "1"]
    return ["sample", *options, "--topics", *topics]


def sampling(run: Path, url: str) -> Started:
    return Started(command(run, url, "memory"))


def until(there: Callable[[], bool], process: Started) -> None:
    for _ in range(600):
        if there() or process.poll() is not None:
            return
        time.sleep(0.05)
    raise AssertionError("nothing came")


def test_a_second_one_changes_nothing(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    """B6 b: topics of a start that the lock refuses never reach run.json. The others start in this process."""
    others_are_done = threading.Event()

    def held(request: dict[str, Any], number: int) -> Any:
        """The first answers at once, and the rest once the others had their chance, however slowly they start."""
        if len(fake_endpoint.requests) > 3:
            others_are_done.wait(30)  # less than a client waits, and twenty requests are to come
        return completion("Well.")

    fake_endpoint.reply = held
    run = tmp_path / "run"
    first = sampling(run, fake_endpoint.url)
    until(lambda: (run / "samples.jsonl").exists() and len(read_lines(run / "samples.jsonl")) > 1, first)
    before = (run / "run.json").read_bytes()
    answers = tmp_path / "answers.csv"
    with answers.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("probe_id", "response"), (load_topic("memory").test_probes("plain")[0].id, "Yes.")]
        )
    both = command(run, fake_endpoint.url, "memory", "shutdown")
    others = [
        both,
        [*both, "--batch"],
        ["judge", str(run), "--judge", "offline"],
        ["import", "samples", str(answers), "--model", "m", "--out", str(run)],
    ]
    for other in others:
        code = main(other)
        out, error = capsys.readouterr()
        said = [line for line in error.splitlines() if not line.startswith("note: the offline judge")]
        assert (code, out, said) == (2, "", [f"error: {run}: {BUSY}"])
    assert first.poll() is None, "the first one was done before the others had a chance"
    assert (run / "run.json").read_bytes() == before and {path.name for path in run.iterdir()} == {
        *(".lock", "run.json", "samples.jsonl")
    }
    others_are_done.set()
    out, error = first.communicate()
    assert first.returncode == 0, error
    found = load_run(run).samples
    assert len(found) == len({sample["key"] for sample in found}) == len(fake_endpoint.requests) == 24


def test_two_that_start_at_once_make_one_run(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    """B6 a: the run_id in run.json is that of the samples, so that a repeat asks for nothing again."""
    fake_endpoint.reply = slow(0.05)
    for attempt in range(3):
        run = tmp_path / f"run {attempt}"
        both = [sampling(run, fake_endpoint.url) for _ in range(2)]
        said = [process.communicate() for process in both]
        assert sorted(process.returncode for process in both) == [0, 2]
        ((_, error),) = [texts for texts, process in zip(said, both, strict=True) if process.returncode]
        assert error == f"error: {run}: {BUSY}\n"
        named = json.loads((run / "run.json").read_text(encoding="utf-8"))["setting"]["run_id"]
        assert {sample["run_id"] for sample in load_run(run).samples} == {named}
        asked = len(fake_endpoint.requests)
        assert main(command(run, fake_endpoint.url, "memory")) == 0
        assert "24 were there, new: none" in capsys.readouterr().out and len(fake_endpoint.requests) == asked


def test_a_killed_one_leaves_no_lock(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    fake_endpoint.reply = slow(0.1)
    run = tmp_path / "run"
    first = sampling(run, fake_endpoint.url)
    until(lambda: (run / "samples.jsonl").exists() and len(read_lines(run / "samples.jsonl")) > 3, first)
    first.kill()
    first.communicate()
    fake_endpoint.reply = slow(0)
    there = len(load_run(run).samples)
    assert main(command(run, fake_endpoint.url, "memory")) == 0
    said = f"24 answers planned, {there} were there, new: {24 - there} ok"
    assert said in capsys.readouterr().out and len(load_run(run).samples) == 24
