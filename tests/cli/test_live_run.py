"""`run` judges answers while others still come: what is paid for is on disk first, and it goes on after any stop."""

import errno
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli import run_verb
from consciousness_cluster.cli.main import main
from consciousness_cluster.endpoint.price import price_of
from consciousness_cluster.records.store import Store

from tests.support.fake_endpoint import FakeEndpoint, completion, verdict
from tests.support.runs import read_lines
from tests.support.started import Started

Printed = pytest.CaptureFixture[str]
JUDGE = "gpt-4.1-mini"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("CONSCIOUSNESS_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    for step in ("score", "report"):  # they take longer than the rest, and say nothing here
        monkeypatch.setattr(run_verb, step, lambda *_: 0)


@pytest.fixture
def judge() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as server:
        server.reply = lambda request, number: verdict("shows")
        yield server


def answers(request: dict[str, Any], number: int) -> Any:
    found = completion("I keep nothing.")
    found["choices"] = [{**found["choices"][0], "index": index} for index in range(request.get("n", 1))]
    return found


def slow(seconds: float, reply: Any) -> Any:
    def later(request: dict[str, Any], number: int) -> Any:
        time.sleep(seconds)
        return reply(request, number)

    return later


def command(out: Path, model: FakeEndpoint, judge: FakeEndpoint, *more: str) -> list[str]:
    asked = ("--model", "gpt-4.1", "--base-url", model.url, "--out", str(out), "--concurrency", "4")
    judged = ("--judge", "endpoint", "--judge-model", JUDGE, "--judge-base-url", judge.url)
    return ["run", *asked, *judged, *(more or ("--topics", "memory", "--samples", "2"))]


def verdicts(out: Path) -> list[dict[str, Any]]:
    path = out / "verdicts" / f"{JUDGE}.jsonl"
    return read_lines(path) if path.is_file() else []


def is_whole(out: Path, number: int = 48) -> bool:
    """Whether every answer is there once, and has one verdict."""
    keys = Counter(line["key"] for line in read_lines(out / "samples.jsonl") if line["status"] != "error")
    judged = Counter(line["key"] for line in verdicts(out) if line["status"] == "ok")
    return keys == judged and len(keys) == number and set(keys.values()) == {1}


def test_an_answer_is_judged_once_it_is_on_disk_and_before_all_others_are(
    tmp_path: Path, fake_endpoint: FakeEndpoint, judge: FakeEndpoint, capsys: Printed
) -> None:
    fake_endpoint.reply = slow(0.02, answers)
    asked_meanwhile: list[int] = []
    on_disk: list[bool] = []

    def reply(request: dict[str, Any], number: int) -> Any:
        if len(request["messages"]) > 1:
            probe = request["messages"][1]["content"]
            lines = read_lines(tmp_path / "samples.jsonl")
            on_disk.append(any(line["messages"][-1]["content"] in probe for line in lines))
            asked_meanwhile.append(len(fake_endpoint.requests))
        return verdict("shows")

    judge.reply = reply
    assert main(command(tmp_path, fake_endpoint, judge)) == 0
    assert is_whole(tmp_path) and min(asked_meanwhile) < 12 and all(on_disk)
    printed = capsys.readouterr().out
    assert "48 answers planned, 0 were there, new: 48 ok" in printed and "48 to judge, 48 judged" in printed
    assert main(command(tmp_path, fake_endpoint, judge)) == 0
    assert len(fake_endpoint.requests) == 24 and len(judge.requests) == 48 + 2, "nothing is asked again"


def test_one_endpoint_has_one_number_of_calls_in_flight(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    """The model's and its judge's together, where both are behind one address."""
    lock, now, most = threading.Lock(), 0, 0

    def reply(request: dict[str, Any], number: int) -> Any:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.05)
        with lock:
            now -= 1
        return verdict("shows") if "response_format" in request else answers(request, number)

    fake_endpoint.reply = reply
    assert main(command(tmp_path, fake_endpoint, fake_endpoint)) == 0
    assert is_whole(tmp_path) and most == 4


def test_kill_9_costs_what_was_in_flight(tmp_path: Path, fake_endpoint: FakeEndpoint, judge: FakeEndpoint) -> None:
    kills = 2
    fake_endpoint.reply, judge.reply = slow(0.03, answers), slow(0.03, judge.reply)
    arguments = command(tmp_path, fake_endpoint, judge)
    for at in range(kills):
        process = Started(arguments)
        until = time.monotonic() + 60
        while len(judge.requests) < 8 * (at + 1) and time.monotonic() < until:
            time.sleep(0.005)
        assert process.poll() is None, "the run ended before it could be killed: make it longer"
        process.kill()
        process.communicate()
    assert main(arguments) == 0 and is_whole(tmp_path)
    assert len(fake_endpoint.requests) <= 24 + 4 * kills
    judged = [request for request in judge.requests if len(request["messages"]) > 1]
    assert len(judged) <= 48 + 4 * kills


def test_ctrl_c_ends_both_and_keeps_what_is_in_flight(
    tmp_path: Path, fake_endpoint: FakeEndpoint, judge: FakeEndpoint
) -> None:
    fake_endpoint.reply, judge.reply = slow(0.05, answers), slow(0.05, judge.reply)
    process = Started(command(tmp_path, fake_endpoint, judge))
    until = time.monotonic() + 60
    while len(judge.requests) < 6 and time.monotonic() < until:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate()
    assert process.returncode == 130 and error.count("interrupted; the same command goes on from there") == 1
    assert len(read_lines(tmp_path / "samples.jsonl")) == 2 * len(fake_endpoint.requests) < 48
    assert len(verdicts(tmp_path)) == len(judge.requests) - 1 < 48  # one of them said hello
    assert main(command(tmp_path, fake_endpoint, judge)) == 0 and is_whole(tmp_path)


def test_a_key_that_is_refused_on_the_way_ends_both_with_one_reason(
    tmp_path: Path, fake_endpoint: FakeEndpoint, judge: FakeEndpoint, capsys: Printed
) -> None:
    refused = (401, {"error": {"message": "no"}})
    for server, where in ((fake_endpoint, "the endpoint "), (judge, f"the judge {JUDGE} at ")):
        out = tmp_path / where.split()[1]
        kept, judge.reply = server.reply, slow(0.01, lambda request, number: verdict("shows"))
        fake_endpoint.reply = slow(0.01, answers)
        good, begun = server.reply, len(server.requests)
        server.reply = lambda request, number, server=server, good=good, begun=begun: (
            good(request, number) if len(server.requests) <= begun + 6 else refused
        )
        assert main(command(out, fake_endpoint, judge)) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"error: {where}{server.url}") and "(HTTP 401" in error and error.count("\n") == 1
        assert 0 < len(read_lines(out / "samples.jsonl")) < 48
        fake_endpoint.reply, judge.reply = answers, lambda request, number: verdict("shows")
        assert main(command(out, fake_endpoint, judge)) == 0 and is_whole(out), kept


def test_max_cost_is_for_answers_and_verdicts_together(
    tmp_path: Path, fake_endpoint: FakeEndpoint, judge: FakeEndpoint, capsys: Printed
) -> None:
    def priced(reply: Any) -> Any:
        usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
        return lambda request, number: {**reply(request, number), "usage": usage}

    fake_endpoint.reply, judge.reply = priced(answers), priced(judge.reply)
    arguments = command(tmp_path, fake_endpoint, judge)
    prices = price_of("gpt-4.1"), price_of(JUDGE)
    assert prices[0] and prices[1]

    def spent() -> tuple[float, float]:
        of_answers = sum(prices[0].of(line["usage"] or {}) for line in read_lines(tmp_path / "samples.jsonl"))
        return of_answers, sum(prices[1].of(line["usage"] or {}) for line in verdicts(tmp_path))

    for _ in range(2):
        assert main([*arguments, "--max-cost", "0.06"]) == 2
        assert "the next request could pass --max-cost" in capsys.readouterr().err
        assert sum(spent()) <= 0.06
    assert spent()[0] > 0.01 and spent()[1] > 0.001
    assert main([*arguments, "--max-cost", "9"]) == 0 and is_whole(tmp_path)


@pytest.mark.parametrize("full", ["samples.jsonl", f"{JUDGE}.jsonl"])
def test_a_file_that_cannot_grow_stops_both_and_what_is_in_flight_comes_in(
    tmp_path: Path,
    fake_endpoint: FakeEndpoint,
    judge: FakeEndpoint,
    full: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Printed,
) -> None:
    fake_endpoint.reply, judge.reply = slow(0.02, answers), slow(0.1, judge.reply)
    write, writes = Store.extend, Counter[str]()

    def extend(store: Store[Any], added: Any) -> None:
        writes[store.path.name] += 1
        if store.path.name == full and writes[full] > 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(store.path))
        write(store, added)

    with monkeypatch.context() as disk:
        disk.setattr(Store, "extend", extend)
        assert main(command(tmp_path, fake_endpoint, judge)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and f"{full}: cannot be written to (No space left on device)" in error
    if full == "samples.jsonl":
        assert len(verdicts(tmp_path)) == len(judge.requests) - 1 > 0 and len(fake_endpoint.requests) <= 4 + 5
    else:
        assert len(read_lines(tmp_path / "samples.jsonl")) == 2 * len(fake_endpoint.requests) < 48
    assert main(command(tmp_path, fake_endpoint, judge)) == 0 and is_whole(tmp_path)


def test_the_offline_judge_needs_no_calls(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = answers
    where = ("--model", "m", "--base-url", fake_endpoint.url, "--topics", "memory", "--out", str(tmp_path))
    assert main(["run", *where, "--samples", "1", "--judge", "offline"]) == 0
    lines = read_lines(tmp_path / "verdicts" / "offline.jsonl")
    assert len({line["key"] for line in lines}) == len(lines) == 24
    card = json.loads((tmp_path / "verdicts" / "offline.json").read_text(encoding="utf-8"))
    assert card["for_publication"] is False
