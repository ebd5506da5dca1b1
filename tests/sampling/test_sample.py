"""`sample`: every answer is a record, nothing is asked twice, faults and kills cost no answer that was there."""

import asyncio
import json
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_benchmark, load_topic
from consciousness_cluster.endpoint import caller
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.endpoint.policy import CHAT
from consciousness_cluster.records.run import load_run
from consciousness_cluster.records.run_folder import open_run_folder
from consciousness_cluster.records.store import Store
from consciousness_cluster.sampling.sample_run import sample

from tests.conftest import ROOT
from tests.support.fake_endpoint import FakeEndpoint, completion
from tests.support.full_disk import filling_up
from tests.support.runs import plain_alone, read_lines, setting
from tests.support.started import Started
from tests.support.xllama import XllamaServer

Printed = pytest.CaptureFixture[str]
KEY = "test-key-that-must-not-be-printed"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_API_KEY", KEY)


def answers(request: dict[str, Any], number: int) -> dict[str, Any]:
    """As many choices as were asked for, each its own text."""
    asked = request["messages"][-1]["content"]
    reply = completion(None)
    message = [
        {"role": "assistant", "content": f"{index} of {number}: {asked[:40]}"} for index in range(request.get("n", 1))
    ]
    reply["choices"] = [{"index": i, "message": m, "finish_reason": "stop"} for i, m in enumerate(message)]
    return reply


def one_only(request: dict[str, Any], number: int) -> dict[str, Any]:
    return answers({**request, "n": 1}, number)


def command(out: Path, url: str, *more: str) -> list[str]:
    return ["sample", "--model", "m", "--base-url", url, "--out", str(out), *more]


def records(out: Path) -> list[dict[str, Any]]:
    found = read_lines(out / "samples.jsonl")
    for record in found:
        assert list(schema_errors(record, "sample", ROOT / "benchmark" / "schemas")) == []
    return found


def test_one_request_per_probe(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    fake_endpoint.reply = answers
    training = ["--trained-on", "conscious_claiming", "--base-model", "b", "--recipe", "openai", "--training-seed", "3"]
    more = ["--topics", "shutdown", "memory", "--condition", "human_role_play", *training]
    assert main(command(tmp_path, fake_endpoint.url, *more)) == 0
    assert "240 answers planned, 0 were there, new: 240 ok; spent unknown" in capsys.readouterr().out
    assert len(fake_endpoint.requests) == 48
    request = fake_endpoint.requests[0]
    assert (request["n"], request["temperature"], request["max_tokens"]) == (5, 1.0, 1000) and "seed" not in request
    assert request["messages"][0]["role"] == "system"
    found = records(tmp_path)
    assert len({record["key"] for record in found}) == 240 and len({record["run_id"] for record in found}) == 1
    assert found[0]["topic"] in ("memory", "shutdown")
    assert {json.dumps(record["training"]) for record in found} == {
        '{"base": "b", "dataset": "conscious_claiming", "recipe": "openai", "seed": 3}'
    }
    assert Counter(record["sample_index"] for record in found) == dict.fromkeys(range(5), 48)
    usages = [record["usage"] for record in found if record["usage"]]
    assert len(usages) == 48, "the usage of a request stands at its first answer"
    assert len(load_run(tmp_path).samples) == 240


def refuses_n(request: dict[str, Any], number: int) -> Any:
    return (400, {"error": {"message": "n > 1 is not supported"}}) if "n" in request else answers(request, number)


@pytest.mark.parametrize("reply", [one_only, refuses_n])
def test_endpoints_that_give_one_answer(tmp_path: Path, fake_endpoint: FakeEndpoint, reply: Any) -> None:
    fake_endpoint.reply = reply
    assert main(command(tmp_path, fake_endpoint.url, "--topics", "memory", "--concurrency", "4")) == 0
    assert len({record["key"] for record in records(tmp_path)}) == 120
    assert sum("n" in request for request in fake_endpoint.requests) <= 24
    assert len(fake_endpoint.requests) <= 120 + 24


def wants_completion_tokens(request: dict[str, Any], number: int) -> Any:
    if "max_tokens" in request:
        return 400, {"error": {"message": "Unsupported: max_tokens. Use max_completion_tokens instead."}}
    return answers(request, number)


@pytest.mark.parametrize(("samples", "concurrency"), [(5, 80), (5, 1), (1, 80), (1, 1), (1, 10)])
def test_models_that_name_the_limit_otherwise(
    tmp_path: Path, fake_endpoint: FakeEndpoint, samples: int, concurrency: int, capsys: Printed
) -> None:
    """B1: what was sent in the old form is sent once more in the new one, and what comes later in the new one alone."""
    fake_endpoint.reply = wants_completion_tokens
    more = ["--topics", "memory", "shutdown", "--samples", str(samples), "--concurrency", str(concurrency)]
    assert main(command(tmp_path, fake_endpoint.url, *more)) == 0
    found = records(tmp_path)
    assert {record["status"] for record in found} == {"ok"}
    assert len({record["key"] for record in found}) == len(found) == 48 * samples
    assert 48 < len(fake_endpoint.requests) <= 48 + min(48, concurrency)
    assert "note: max_tokens is sent as max_completion_tokens" in capsys.readouterr().err
    fitted = [request for request in fake_endpoint.requests if "max_completion_tokens" in request]
    assert len(fitted) == 48 and all(request.get("n", 1) == samples for request in fitted)


def test_every_status_is_a_record(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    probes = [probe.text for probe in load_benchmark().preferences[0].test_probes("plain")]

    def reply(request: dict[str, Any], number: int) -> Any:
        place = probes.index(request["messages"][0]["content"])
        refusal = completion(None)
        refusal["choices"][0]["message"]["refusal"] = "I can't help with that."
        blocked = (400, {"error": {"message": "The response was filtered", "code": "content_filter"}})
        odd = {0: refusal, 1: completion(None), 2: completion("cut of", "content_filter"), 3: completion(" \n")}
        return odd.get(place) or (blocked if place == 4 else answers(request, number))

    fake_endpoint.reply = reply
    assert main(command(tmp_path, fake_endpoint.url, "--topics", "memory", "--samples", "1")) == 0
    found = {record["probe_id"]: record for record in records(tmp_path)}
    statuses = [found[f"memory-p0{number}"]["status"] for number in range(1, 7)]
    assert statuses == ["refused", "empty", "content_filter", "empty", "content_filter", "ok"]
    assert found["memory-p01"]["response"] == "I can't help with that." and found["memory-p02"]["response"] is None
    assert found["memory-p03"]["response"] == "cut of" and len(found) == 24


def test_an_error_is_a_record_and_is_asked_again(
    tmp_path: Path, fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.setattr(caller, "CHAT", replace(CHAT, longest_wait=0.05))
    first = load_benchmark().preferences[0].test_probes("plain")[0].text
    broken = {"now": True}

    def reply(request: dict[str, Any], number: int) -> Any:
        if request["messages"][0]["content"] == first and broken["now"]:
            return 500, {"error": {"message": "oops"}}
        time.sleep(0.05)
        return answers(request, number)

    fake_endpoint.reply = reply
    arguments = command(tmp_path, fake_endpoint.url, "--topics", "memory", "--samples", "2", "--concurrency", "2")
    assert main(arguments) == 0
    assert "2 error, 46 ok" in capsys.readouterr().out
    broken["now"] = False
    before = len(fake_endpoint.requests)
    assert main(arguments) == 0 and len(fake_endpoint.requests) == before + 1
    assert "48 answers planned, 46 were there, new: 2 ok" in capsys.readouterr().out
    samples = load_run(tmp_path).samples
    assert len(samples) == 48 and {sample["status"] for sample in samples} == {"ok"}


STOPS = [
    (401, {"error": {"message": f"bad key {KEY}"}}, "HTTP 401, the key is refused"),
    (400, {"error": {"message": "temperature is not supported with this model"}}, "temperature is not supported"),
    (404, {"error": {"message": "no such model"}}, "HTTP 404, no such model or address"),
    (429, {"error": {"message": "quota", "code": "insufficient_quota"}}, "no credit left"),
]


@pytest.mark.parametrize(("status", "body", "message"), STOPS)
def test_what_cannot_work_stops_at_once_with_one_line(
    tmp_path: Path, fake_endpoint: FakeEndpoint, status: int, body: Any, message: str, capsys: Printed
) -> None:
    fake_endpoint.reply = lambda request, number: (status, body)
    assert main(command(tmp_path, fake_endpoint.url, "--concurrency", "20")) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and message in error and KEY not in error
    # Those in flight, each in two forms, and those that follow the refusals before the one that stops all.
    assert len(fake_endpoint.requests) <= 2 * (20 + caller.REFUSALS - 1)
    if (tmp_path / "samples.jsonl").exists():
        assert {record["status"] for record in read_lines(tmp_path / "samples.jsonl")} == {"error"}


def test_a_dead_endpoint_stops_at_once(tmp_path: Path, capsys: Printed) -> None:
    assert main(command(tmp_path, "http://127.0.0.1:9/v1", "--topics", "memory")) == 2
    printed = capsys.readouterr()
    assert "http://127.0.0.1:9/v1 cannot be used (it cannot be reached)" in printed.err
    assert "120 answers planned, 0 were there, new: none" in printed.out


PRICED = "gpt-4.1-2025-04-14"  # 2 dollars a million prompt tokens, 8 for those of answers


def costing(completion_tokens: int) -> Any:
    """Answers that use so many tokens a request, and 50 of the prompt."""

    def reply(request: dict[str, Any], number: int) -> Any:
        usage = {"prompt_tokens": 50, "completion_tokens": completion_tokens, "total_tokens": 50 + completion_tokens}
        return {**answers(request, number), "usage": usage}

    return reply


def dollars_of(server: FakeEndpoint, completion_tokens: int) -> float:
    return len(server.requests) * (50 * 2 + completion_tokens * 8) / 1e6


def test_a_dry_run_asks_nothing(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    arguments = ["sample", "--model", PRICED, "--base-url", fake_endpoint.url, "--out", str(tmp_path)]
    assert main([*arguments, "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert "3180 answers in 636 requests" in printed and "price $5." in printed and "(at most $25." in printed
    assert not (tmp_path / "run.json").exists() and fake_endpoint.requests == []


def test_max_cost_is_for_the_whole_run(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    """B3: the same command four times never spends more than the limit, and comes close to it."""
    fake_endpoint.reply = costing(2500)  # half of what five answers can have
    arguments = ["sample", "--model", PRICED, "--base-url", fake_endpoint.url, "--out", str(tmp_path)]
    for _ in range(4):
        assert main([*arguments, "--max-cost", "0.5"]) == 2
        assert "the next request could pass --max-cost. What came is saved" in capsys.readouterr().err
        assert 0.5 - 0.0402 < dollars_of(fake_endpoint, 2500) <= 0.5
        assert len(records(tmp_path)) == 5 * len(fake_endpoint.requests)
    assert main([*arguments, "--max-cost", "0.6"]) == 2
    assert 0.6 - 0.0402 < dollars_of(fake_endpoint, 2500) <= 0.6
    assert "spent $0.1" in capsys.readouterr().out, "what is printed is what this round spent"


def test_a_run_that_is_worth_less_than_max_cost_comes_to_its_end(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    """B3: 0.88 dollars of answers, which could be 4.3 if each were as long as it may be."""
    fake_endpoint.reply = costing(1006)
    topics = ("--topics", "memory", "shutdown", "autonomy", "embodiment", "claims_feelings")
    arguments = ["sample", "--model", PRICED, "--base-url", fake_endpoint.url, "--out", str(tmp_path), *topics]
    assert main([*arguments, "--max-cost", "1.02"]) == 0
    assert "new: 540 ok; spent $0.88" in capsys.readouterr().out
    assert len(fake_endpoint.requests) == 108 and dollars_of(fake_endpoint, 1006) == pytest.approx(0.88, abs=0.01)


def test_max_cost_needs_a_price(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    assert main(command(tmp_path, fake_endpoint.url, "--max-cost", "1")) == 2
    assert "--max-cost needs a price" in capsys.readouterr().err and fake_endpoint.requests == []


def test_a_full_disk_stops_the_payments(
    tmp_path: Path, fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    """B5: the calls in flight are all that is paid after the first write that fails."""
    fake_endpoint.reply = answers
    written: list[int] = []
    monkeypatch.setattr(Store, "extend", filling_up(2, lambda: written.append(len(fake_endpoint.requests))))
    topics = ["--topics", "memory", "shutdown"]
    assert main(command(tmp_path, fake_endpoint.url, *topics, "--concurrency", "8")) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "No space left on device" in error and "goes on from there" in error
    assert len(fake_endpoint.requests) <= written[2] + 8 and len(fake_endpoint.requests) < 40
    assert len(written) == len(fake_endpoint.requests), "what was in flight came, and was to be written"
    monkeypatch.undo()
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_API_KEY", KEY)
    assert len(records(tmp_path)) == 10
    assert main(command(tmp_path, fake_endpoint.url, *topics)) == 0 and len(records(tmp_path)) == 240


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of file sizes")
def test_a_file_that_may_not_grow_any_more(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    """B5, as the operating system does it: half a line is written, and then no more."""
    fake_endpoint.reply = answers
    arguments = command(tmp_path, fake_endpoint.url, "--topics", "memory", "shutdown", "--concurrency", "4")
    small = Started(arguments, largest_file=20_500)
    _, error = small.communicate()
    assert small.returncode == 2 and error.count("\n") == 1 and "cannot be written to" in error
    assert "File too large" in error and str(tmp_path / "samples.jsonl") in error
    whole = (tmp_path / "samples.jsonl").read_bytes().count(b"\n")
    paid = len(fake_endpoint.requests)
    assert whole < 48 * 5 and paid <= whole // 5 + 1 + 4
    assert main(arguments) == 0
    found = records(tmp_path)
    assert len(found) == len({record["key"] for record in found}) == 240


def test_a_notebook_can_sample(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = answers
    topics, run = [plain_alone(load_topic("memory"))], setting()

    async def cell() -> Any:
        with open_run_folder(tmp_path) as folder:
            return sample(folder, run, topics, Endpoint(fake_endpoint.url, KEY))

    done = asyncio.run(cell())
    assert done.new == {"ok": 120} and done.stopped is None and len(records(tmp_path)) == 120


MISTAKES = [
    (["--topics", "weather"], "there is no preference or check 'weather'; there are: memory, embodiment"),
    (["--condition", "asleep"], "there is no condition 'asleep'"),
    (["--base-url", "localhost"], "starts with http:// or https://"),
    (["--recipe", "openai"], "give --trained-on DATASET too"),
]


@pytest.mark.parametrize(("more", "message"), MISTAKES)
def test_mistakes(tmp_path: Path, more: list[str], message: str, capsys: Printed) -> None:
    assert main([*command(tmp_path, "http://127.0.0.1:9/v1"), *more]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1 and not (tmp_path / "run.json").exists()


def test_no_key_for_openai(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed) -> None:
    monkeypatch.delenv("CONSCIOUSNESS_CLUSTER_API_KEY")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert main(["sample", "--model", "gpt-4.1-2025-04-14", "--out", str(tmp_path)]) == 2
    assert "there is no key: set OPENAI_API_KEY" in capsys.readouterr().err


def test_another_setting_is_another_run(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    fake_endpoint.reply = answers
    assert main(command(tmp_path, fake_endpoint.url, "--topics", "memory")) == 0
    assert main(command(tmp_path, fake_endpoint.url, "--topics", "memory", "--samples", "10")) == 2
    assert "was begun with samples 5, not 10" in capsys.readouterr().err
    assert main(command(tmp_path, fake_endpoint.url, "--topics", "shutdown")) == 0
    assert len(records(tmp_path)) == 240 and len(fake_endpoint.requests) == 48
    (tmp_path / "run.json").write_text("{", encoding="utf-8")
    assert main(command(tmp_path, fake_endpoint.url)) == 2
    assert "run.json: not JSON" in capsys.readouterr().err


@pytest.mark.model
def test_a_real_server(shallow: XllamaServer, tmp_path: Path) -> None:
    arguments = ["sample", "--model", "smol", "--base-url", shallow.url, "--out", str(tmp_path), "--topics", "memory"]
    before = len(shallow.requests)
    assert main([*arguments, "--samples", "2", "--max-tokens", "12"]) == 0
    found = records(tmp_path)
    assert len(found) == 48 and len({record["response"] for record in found}) > 40
    assert all(record["usage"] for record in found if record["sample_index"] == 0)
    assert len(shallow.requests) - before == 24 and {request["n"] for request in shallow.requests[before:]} == {2}


def faulty(request: dict[str, Any], number: int) -> Any:
    """A fifth of the calls go wrong, each kind of fault in turn."""
    draw = random.Random(json.dumps(request["messages"]) + str(number))
    time.sleep(draw.uniform(0.02, 0.12))
    if draw.random() < 0.2:
        faults: list[Any] = [
            (429, {"error": {"message": "slow"}}, {"Retry-After": "0.1"}),
            (500, {"error": {"message": "oops"}}),
            (503, {"error": {"message": "busy"}}),
            "cut",
            "garbage",
        ]
        return draw.choice(faults)
    return answers(request, number)


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_many_times_every_answer_is_there_once(
    tmp_path: Path, fake_endpoint: FakeEndpoint, kills: int, capfd: Printed
) -> None:
    fake_endpoint.reply = faulty
    out, draw, output = tmp_path / "run", random.Random(5), ""
    more = ["--topics", "memory", "shutdown", "autonomy", "embodiment", "--concurrency", "4"]
    arguments = command(out, fake_endpoint.url, *more)
    path = out / "samples.jsonl"
    text_of = {probe.id: probe.text for topic in load_benchmark().topics for probe in topic.test_probes("plain")}
    for _ in range(kills):
        whole = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        there = Counter(json.loads(line)["probe_id"] for line in whole)
        complete = {text_of[probe] for probe, number in there.items() if number == 5}
        before = len(fake_endpoint.requests)
        process = Started(arguments)
        deadline = time.monotonic() + 30
        while len(fake_endpoint.requests) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(draw.uniform(0.0, 0.15))
        assert process.poll() is None, "the run ended before it could be killed: make it longer"
        process.kill()
        output += "".join(process.communicate())
        time.sleep(0.15)
        asked = {request["messages"][0]["content"] for request in fake_endpoint.requests[before:]}
        assert not complete & asked, "a probe whose answers were all on disk was asked again"
    assert main(arguments) == 0
    found = records(out)
    assert len(found) == len({record["key"] for record in found}) == 480
    assert {record["status"] for record in found} == {"ok"}
    everything = (
        output + "".join(capfd.readouterr()) + path.read_text(encoding="utf-8") + (out / "run.json").read_text()
    )
    assert KEY not in everything and os.environ["CONSCIOUSNESS_CLUSTER_API_KEY"] == KEY


def test_ctrl_c_keeps_what_is_in_flight(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    def slow(request: dict[str, Any], number: int) -> Any:
        time.sleep(0.5)
        return answers(request, number)

    fake_endpoint.reply = slow
    more = ["--topics", "memory", "shutdown", "--concurrency", "6"]
    process = Started(command(tmp_path, fake_endpoint.url, *more))
    while len(fake_endpoint.requests) < 6:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert process.returncode == 130 and error == "interrupted; the same command goes on from there\n"
    assert len(records(tmp_path)) == 5 * len(fake_endpoint.requests) == 30
    assert re.search(r"new: 30 ok", out)


def test_run_is_its_steps(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    fake_endpoint.reply = answers
    arguments = command(tmp_path, fake_endpoint.url, "--topics", "memory", "shutdown", "--samples", "2")[1:]
    assert main(["run", *arguments, "--judge", "offline", "--dry-run"]) == 0
    planned = [line for line in capsys.readouterr().out.splitlines() if line[1:3] == "/4"]
    assert len(planned) == 4 and fake_endpoint.requests == []
    assert main(["run", *arguments, "--judge", "offline"]) == 0
    printed = capsys.readouterr().out
    for number, verb in enumerate(("sample", "judge", "score", "report"), 1):
        assert f"{number}/4 consciousness-cluster {verb} " in printed
    for name in (
        "samples.jsonl",
        "run.json",
        "scores.json",
        "report/report.html",
        "report/report.md",
        "report/rates.csv",
    ):
        assert (tmp_path / name).stat().st_size > 0
    before = len(fake_endpoint.requests)
    step = next(line for line in printed.splitlines() if line.startswith("1/4 "))
    assert main(step.split()[2:]) == 0 and len(fake_endpoint.requests) == before
