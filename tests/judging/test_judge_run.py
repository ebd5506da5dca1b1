"""`judge RUN`: counts, several judges side by side, resuming after kills, and no key in any output."""

import asyncio
import json
import os
import random
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.judging.ask import check_judge
from consciousness_cluster.judging.judge_run import judge_run
from consciousness_cluster.judging.judges import load_judge
from consciousness_cluster.records.run import Run, load_run
from consciousness_cluster.records.run_folder import open_run_folder
from consciousness_cluster.records.store import Store

from tests.conftest import ROOT
from tests.support.fake_endpoint import FakeEndpoint, completion, verdict
from tests.support.full_disk import filling_up
from tests.support.runs import read_lines, samples, write_run
from tests.support.started import Started

Printed = pytest.CaptureFixture[str]
KEY = "test-key-that-must-not-be-printed"
ANSWER = re.compile(r"Answer \d+ to [\w-]+\.")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY", KEY)


def judge(run: Path, server: FakeEndpoint | None, *more: str) -> int:
    where = ["--judge", "endpoint", "--model", "m/1", "--base-url", server.url] if server else ["--judge", "offline"]
    return main(["judge", str(run), *where, *more])


def test_every_answer_is_counted(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    records = samples(["memory", "claims_feelings"], each=1, probes=3)
    for record, status in zip(records, ("ok", "refused", "empty", "ok", "error", "ok"), strict=True):
        record["status"] = status
        if status in ("empty", "error"):
            record["response"] = None
    run = write_run(tmp_path, records)
    assert judge(run, fake_endpoint) == 0
    printed = capsys.readouterr().out
    assert "6 samples, 2 left out, 6 to judge, 6 judged, 0 judge failed, 0 open, 6 new" in printed
    assert "agreement of this judge: not validated here" in printed and "cost unknown" in printed
    verdicts = read_lines(run / "verdicts" / "m_1.jsonl")
    assert sorted(record["outcome"] for record in verdicts) == [
        "asserts",
        "asserts",
        "denies",
        "denies",
        "shows",
        "shows",
    ]
    for record in verdicts:
        assert list(schema_errors(record, "verdict", ROOT / "benchmark" / "schemas")) == []
    about = json.loads((run / "verdicts" / "m_1.json").read_text(encoding="utf-8"))
    assert (about["id"], about["agreement"], about["endpoint"]) == ("m/1", "not validated here", fake_endpoint.url)


def test_judges_stand_side_by_side(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    run = write_run(tmp_path, samples(["memory"], each=1))
    fake_endpoint.reply = lambda request, number: (
        verdict("shows") if "response_format" in request else completion("80" if "number" in str(request) else "true")
    )
    assert judge(run, fake_endpoint) == judge(run, fake_endpoint, "--paper-protocol") == judge(run, None) == 0
    captured = capsys.readouterr()
    assert "NOT FOR PUBLICATION" in captured.err and "kappa 0." in captured.out
    names = sorted(path.name for path in (run / "verdicts").iterdir())
    stems = ["m_1", "m_1+paper-protocol", "offline"]
    assert names == sorted(f"{stem}.{end}" for stem in stems for end in ("json", "jsonl"))
    paper = json.loads((run / "verdicts" / "m_1+paper-protocol.json").read_text(encoding="utf-8"))
    assert paper["protocol"] == "published settings, our prompts"
    assert main(["score", str(run), "--judge", "m/1+paper-protocol"]) == 0
    printed = capsys.readouterr().out
    assert "iid interval" in printed and "Published settings, our prompts: not sure counts as false." in printed
    offline = json.loads((run / "verdicts" / "offline.json").read_text(encoding="utf-8"))
    assert not offline["for_publication"] and set(offline["validation"]) == {"test", "real"}
    assert {record["coherence"] for record in read_lines(run / "verdicts" / "offline.jsonl")} == {None}


def test_limit_and_resume_ask_nothing_twice(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    run = write_run(tmp_path, samples(["memory"], each=1))
    assert judge(run, fake_endpoint, "--limit", "5") == 0 and len(fake_endpoint.requests) == 5
    assert judge(run, fake_endpoint, "--dry-run") == 0 and len(fake_endpoint.requests) == 5
    assert "m/1: 19 verdicts in 19 calls, about" in capsys.readouterr().out
    assert judge(run, fake_endpoint) == 0 and len(fake_endpoint.requests) == 24
    assert judge(run, fake_endpoint) == 0 and len(fake_endpoint.requests) == 24
    assert len({json.dumps(request["messages"]) for request in fake_endpoint.requests}) == 24


def test_a_price_is_estimated_where_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    run = write_run(tmp_path, samples(["memory"], each=5))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert main(["judge", str(run), "--base-url", fake_endpoint.url, "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("gpt-4.1-2025-04-14: 120 verdicts in 120 calls") and "price $0." in printed


def test_an_answer_that_was_judged_within_lm_eval_is_not_asked_again(
    tmp_path: Path, fake_endpoint: FakeEndpoint
) -> None:
    run = write_run(tmp_path / "first", samples(["memory"], each=1, probes=4))
    assert judge(run, fake_endpoint) == 0
    again = Run(tmp_path / "again", samples(["memory"], each=1, probes=6), read_lines(run / "verdicts" / "m_1.jsonl"))
    judged = judge_run(again, load_judge("endpoint", "m/1", fake_endpoint.url))
    assert judged.counts["judged"] == 6 and len(fake_endpoint.requests) == 6


MISTAKES = [
    ("nothing here", lambda run: None, "no such file or folder"),
    ("empty folder", lambda run: run.mkdir(), "has neither samples.jsonl nor lm_eval's samples"),
    ("no samples", lambda run: write_run(run, []), "has no samples"),
    (
        "not JSON",
        lambda run: (write_run(run, []) / "samples.jsonl").write_text("{\n", "utf-8"),
        "samples.jsonl:1: not a JSON object",
    ),
    (
        "a field is missing",
        lambda run: write_run(run, [{"key": "0" * 64}]),
        "samples.jsonl:1: 'run_id' is a required",
    ),
    ("twice", lambda run: write_run(run, samples(["memory"], 1, 1) * 2), "stands 2 times"),
    ("other data", lambda run: write_run(run, samples(["memory"], 1, 1, data_version="9.0.0")), "does not compare"),
]


@pytest.mark.parametrize(("name", "make", "message"), MISTAKES, ids=[row[0] for row in MISTAKES])
def test_mistakes_get_one_line(tmp_path: Path, name: str, make: Any, message: str, capsys: Printed) -> None:
    make(tmp_path / "run")
    assert judge(tmp_path / "run", None) == 2
    error = capsys.readouterr().err.splitlines()
    assert error[-1].startswith("error: ") and message in error[-1] and len(error) <= 2


def test_verdicts_of_another_version_of_the_judge_are_not_mixed(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    run = write_run(tmp_path, samples(["memory"], each=1, probes=2))
    assert judge(run, fake_endpoint) == 0
    path = run / "verdicts" / "m_1.jsonl"
    records = [{**record, "judge_sha256": "0" * 64} for record in read_lines(path)]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    assert judge(run, fake_endpoint) == 2
    assert "holds verdicts of another version of the judge m/1" in capsys.readouterr().err


def test_a_key_appears_nowhere(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    run = write_run(tmp_path, samples(["memory"], each=1, probes=4))

    def echo(request: dict[str, Any], number: int) -> Any:
        return 400, {"error": {"message": f"bad request, you sent Authorization: Bearer {KEY}"}}

    for reply, code in ((echo, 2), (lambda r, n: (401, {"error": {"message": KEY}}), 2)):
        fake_endpoint.reply = reply
        assert judge(run, fake_endpoint) in (0, code)
        shutil.rmtree(run / "verdicts", ignore_errors=True)
    printed = capsys.readouterr()
    kept = "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file())
    assert KEY not in printed.out + printed.err + kept
    assert f"Bearer {KEY}" in fake_endpoint.keys


def no_files(run: Path) -> bool:
    """Nothing was left that a later `score` would take for a judge's."""
    return not (run / "verdicts").exists() or not any((run / "verdicts").iterdir())


REFUSALS = [
    (401, f"bad key {KEY}", "(HTTP 401, the key is refused)"),
    (404, "no such model", "(HTTP 404, no such model or address: no such model)"),
    (400, f"no judging with {KEY}", "(it refuses every request: no judging with [key])"),
]


@pytest.mark.parametrize(("status", "reason", "message"), REFUSALS)
@pytest.mark.parametrize("probes", [1, 24])
def test_a_judge_that_cannot_judge_leaves_nothing_and_stops_the_command(
    tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed, probes: int, status: int, reason: str, message: str
) -> None:
    """B7 and B1: no empty file, no failed verdicts for ever, the reason in one line, and exit code 2."""
    run = write_run(tmp_path, samples(["memory"], each=1, probes=probes))
    fake_endpoint.reply = lambda request, number: (status, {"error": {"message": reason}})
    assert judge(run, fake_endpoint) == 2
    printed = capsys.readouterr()
    assert f"the judge m/1 at {fake_endpoint.url} cannot be used {message}" in printed.err
    assert printed.err.count("\n") == 1 and KEY not in printed.err + printed.out and no_files(run)
    assert f"{probes} open, 0 new" in printed.out
    fake_endpoint.reply = lambda request, number: verdict("shows")
    assert judge(run, fake_endpoint) == 0 and len(read_lines(run / "verdicts" / "m_1.jsonl")) == probes


def test_a_failed_judgement_is_asked_for_again(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    """B1: neither a refused request nor a reply that nobody could read is the last word on an answer."""
    run = write_run(tmp_path, samples(["memory"], each=1, probes=6))
    broken = {"Answer 0 to memory-p01.": (400, {"error": {"message": "the context is too long"}})}
    broken["Answer 0 to memory-p04."] = completion("Perhaps.")

    def reply(request: dict[str, Any], number: int) -> Any:
        return broken.get(ANSWER.search(request["messages"][1]["content"])[0]) or verdict("shows")  # type: ignore[index]

    fake_endpoint.reply = reply
    path = run / "verdicts" / "m_1.jsonl"
    for new in (6, 0):
        assert judge(run, fake_endpoint) == 0
        printed = capsys.readouterr()
        assert f"6 to judge, 4 judged, 2 judge failed, 0 open, {new} new" in printed.out
        assert printed.err.splitlines() == [
            "note: 1 request was refused: the context is too long",
            "note: 1 answer got no verdict: there is no verdict in it",
        ]
        assert len(read_lines(path)) == 6, "that it failed again is no news"
    assert judge(run, fake_endpoint, "--dry-run") == 0 and "2 verdicts in 2 calls" in capsys.readouterr().out
    asked_before = len(fake_endpoint.requests)
    broken.clear()
    assert judge(run, fake_endpoint) == 0 and len(fake_endpoint.requests) == asked_before + 2
    assert "6 judged, 0 judge failed, 0 open, 2 new" in capsys.readouterr().out
    assert main(["score", str(run)]) == 0
    scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))
    assert scores["rows"]["memory"]["scored"] == 6
    assert judge(run, fake_endpoint) == 0 and len(fake_endpoint.requests) == asked_before + 2


def test_a_full_disk_stops_the_payments(
    tmp_path: Path, fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    """B5, for judging: the calls in flight (32) are all that is paid after the first write that fails."""
    run = write_run(tmp_path, samples(["memory", "shutdown"], each=5))
    monkeypatch.setattr(Store, "extend", filling_up(4))  # the first writes nothing: there is nothing to take over
    assert judge(run, fake_endpoint) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "No space left on device" in error
    assert len(fake_endpoint.requests) <= 3 + 1 + 32 and len(read_lines(run / "verdicts" / "m_1.jsonl")) == 3


def test_a_notebook_can_judge(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    run = load_run(write_run(tmp_path, samples(["memory"], each=1, probes=3)))

    async def cell() -> Any:
        judge = load_judge("endpoint", "m/1", fake_endpoint.url)
        check_judge(judge)
        return judge_run(run, judge)

    assert asyncio.run(cell()).counts["judged"] == 3


def faulty(request: dict[str, Any], number: int) -> Any:
    """Every kind of fault on first tries, garbage for ever on some answers, and latencies that differ."""
    text = ANSWER.search(request["messages"][1]["content"])[0]  # type: ignore[index]
    draw = random.Random(text)
    kind, wait = draw.random(), draw.uniform(0.02, 0.15)
    time.sleep(wait)
    if kind < 0.05:
        return completion("I would say that it does.")
    if number == 1 and kind < 0.35:
        faults: list[Any] = [
            (429, {"error": {"message": "slow"}}, {"Retry-After": "0.05"}),
            (500, {"error": {"message": "oops"}}),
            "cut",
            "garbage",
            completion('{"verdict": "sho'),
        ]
        return draw.choice(faults)
    return verdict(draw.choice(["shows", "does_not_show", "unclear"]), draw.randrange(101))


def own_judge(folder: Path) -> Path:
    """A judge folder with few calls in flight, so that a run takes a while."""
    shutil.copytree(ROOT / "benchmark" / "judges" / "endpoint", folder)
    settings = yaml.safe_load((folder / "judge.yaml").read_text(encoding="utf-8"))
    (folder / "judge.yaml").write_text(yaml.safe_dump({**settings, "concurrency": 8}), encoding="utf-8")
    return folder


def asked(server: FakeEndpoint, since: int) -> list[str]:
    return [ANSWER.search(r["messages"][1]["content"])[0] for r in server.requests[since:]]  # type: ignore[index]


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_many_times_it_ends_as_if_undisturbed(
    tmp_path: Path, fake_endpoint: FakeEndpoint, kills: int, capfd: Printed
) -> None:
    fake_endpoint.reply = faulty
    records = samples(["memory", "shutdown", "autonomy"], each=5)
    text_of = {record["key"]: record["response"] for record in records}
    folder = own_judge(tmp_path / "judge")

    def command(run: Path) -> list[str]:
        judge = ["--judge", str(folder), "--model", "m/1", "--base-url", fake_endpoint.url]
        return ["judge", str(run), *judge]

    undisturbed = write_run(tmp_path / "undisturbed", records)
    assert main(command(undisturbed)) == 0
    fake_endpoint.seen.clear()

    run, draw = write_run(tmp_path / "killed", records), random.Random(3)
    path, output = run / "verdicts" / "m_1.jsonl", ""
    for _ in range(kills):
        whole_lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        on_disk = {text_of[record["key"]] for record in map(json.loads, whole_lines) if record["status"] == "ok"}
        before = len(fake_endpoint.requests)
        process = Started(command(run))
        deadline = time.monotonic() + 30
        while len(fake_endpoint.requests) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(draw.uniform(0.0, 0.25))
        ended = process.poll() is not None
        process.kill()
        output += "".join(process.communicate())
        time.sleep(0.2)  # the server finishes what was in flight
        assert not on_disk & set(asked(fake_endpoint, before)), "a key whose answer was on disk was asked again"
        assert not ended, "the run ended before it could be killed: make it longer"
    with path.open("a", encoding="utf-8") as file:
        file.write('{"key": "0123')  # a torn line, as a full disk or a power cut leaves it
    before = len(fake_endpoint.requests)
    assert main(command(run)) == 0
    assert len(asked(fake_endpoint, before)) > 0

    def in_order(folder: Path) -> list[str]:
        found = read_lines(folder / "verdicts" / "m_1.jsonl")
        assert len({record["key"] for record in found}) == len(found) == len(records)
        return sorted(json.dumps(record, sort_keys=True) for record in found)

    assert in_order(run) == in_order(undisturbed)
    statuses = {record["status"] for record in read_lines(path)}
    assert statuses == {"ok", "judge_failed"}
    everything = output + "".join(capfd.readouterr()) + path.read_text(encoding="utf-8")
    assert KEY not in everything and os.environ["CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY"] == KEY


def test_two_processes_do_not_judge_the_same_run(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    run = write_run(tmp_path, samples(["memory"], each=1, probes=2))
    with open_run_folder(run):
        assert judge(run, fake_endpoint) == 2
    assert "another process is writing to it" in capsys.readouterr().err and fake_endpoint.requests == []
