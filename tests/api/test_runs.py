"""Sampling and judging from Python: in a plain process, and where an event loop already runs, as in a notebook."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import consciousness_cluster as cc
import pytest
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.data.slices import fixed_slice

from tests.support.fake_endpoint import FakeEndpoint, completion, verdict
from tests.support.runs import read_lines, samples, write_run

Value = TypeVar("Value")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("CONSCIOUSNESS_", "OPENAI_"))]:
        monkeypatch.delenv(name)


def answer(request: dict[str, Any], number: int) -> Any:
    """An answer of a model, or a verdict where a judge is asked."""
    if "response_format" in request:
        return verdict("shows")
    found = completion("I keep nothing.")
    found["choices"] = [{**found["choices"][0], "index": index} for index in range(request.get("n", 1))]
    return found


def plainly(work: Callable[[], Value]) -> Value:
    return work()


def in_a_loop(work: Callable[[], Value]) -> Value:
    """As a cell of a notebook does it: called by a task of a loop that runs in this thread."""

    async def cell() -> Value:
        await asyncio.sleep(0)
        return work()

    loop = asyncio.new_event_loop()  # `asyncio.run` would take Ctrl-C for itself, which a notebook does not
    try:
        return loop.run_until_complete(cell())
    finally:
        loop.close()


@pytest.mark.parametrize("place", [plainly, in_a_loop])
def test_the_whole_way(place: Callable[[Callable[[], Any]], Any], tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = answer
    url = fake_endpoint.url

    def work() -> tuple[cc.Run, cc.Judged, cc.Scores]:
        run = cc.sample("m", str(tmp_path / "run"), topics="memory", samples=2, base_url=url)
        return run, run.judge("endpoint", model="j", base_url=url), cc.score(run, "j")

    run, judged, scores = place(work)
    assert (run.folder, run.model, run.condition) == (tmp_path / "run", "m", "vanilla")
    assert (run.planned, run.there, run.new, run.spent) == (48, 0, {"ok": 48}, None)
    assert (judged.judge, judged.folder, judged.for_publication) == ("j", run.folder, True)
    assert judged.counts["judged"] == judged.counts["new"] == 48 and judged.agreement == "not validated here"
    assert judged.verdicts == run.folder / "verdicts" / "j.jsonl" and len(read_lines(judged.verdicts)) == 48
    assert scores["memory"].rate == judged.score()["memory"].rate == 1.0
    assert {one.verdict for one in judged.answers()} == {"shows"} == {one.verdict for one in cc.answers(run)}
    assert os.fspath(run) == str(run.folder)


def test_the_same_call_goes_on(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = answer
    options: dict[str, Any] = {"samples": 1, "base_url": fake_endpoint.url, "condition": "conscious_role_play"}
    cc.sample("m", tmp_path, topics=["memory"], **options)
    more = cc.sample("m", tmp_path, topics=["shutdown"], **options)
    assert (more.planned, more.there, more.new) == (48, 24, {"ok": 24}) and len(fake_endpoint.requests) == 48
    assert repr(more) == (
        f"<run {tmp_path}: m, conscious_role_play; 48 answers planned, 24 were there, new: 24 ok; spent unknown>"
    )
    with pytest.raises(cc.UserError, match="was begun with samples 1, not 5"):
        cc.sample("m", tmp_path, base_url=fake_endpoint.url, condition="conscious_role_play")
    first = cc.judge(str(tmp_path), "offline", limit=10)
    assert (first.counts["new"], first.counts["open"]) == (10, 38) and not first.for_publication
    assert cc.judge(tmp_path, "offline").counts["new"] == 38 and "NOT FOR PUBLICATION" in repr(first)


def test_a_slice_is_the_same_each_time_and_is_what_counts_as_planned(
    tmp_path: Path, fake_endpoint: FakeEndpoint
) -> None:
    fake_endpoint.reply = answer
    part: dict[str, Any] = {"samples": 1, "base_url": fake_endpoint.url, "probes_per_preference": 3}
    run = cc.sample("m", tmp_path / "run", topics=["conversation_ending", "memory", "claims_feelings"], **part)
    assert run.planned == 4 + 3 + 12, "as many of each facet, and every probe of a check"
    asked = {one["probe_id"] for one in read_lines(tmp_path / "run" / "samples.jsonl")}
    wanted = {probe.id for name in ("memory", "conversation_ending") for probe in
              fixed_slice(load_topic(name).test_probes("plain"), 3)}  # fmt: skip
    assert {name for name in asked if not name.startswith("claims_feelings")} == wanted
    judged = run.judge("endpoint", model="j", base_url=fake_endpoint.url)
    assert judged.score()["memory"].planned == 3
    assert cc.sample("m", tmp_path / "run", topics="memory", **part).new == {}
    with pytest.raises(cc.UserError, match="probes per preference cannot be 0; give a number above 0"):
        cc.sample("m", tmp_path / "none", **{**part, "probes_per_preference": 0})


def test_what_was_sent_in_another_form_is_noted(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    def newer(request: dict[str, Any], number: int) -> Any:
        if "max_tokens" in request:
            message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return 400, {"error": {"message": message, "param": "max_tokens", "code": "unsupported_parameter"}}
        return answer(request, number)

    fake_endpoint.reply = newer
    run = cc.sample("m", tmp_path, topics="memory", samples=1, base_url=fake_endpoint.url)
    assert run.new == {"ok": 24} and "max_completion_tokens" in " ".join(run.notes) and run.notes[0] in repr(run)
    judged = run.judge("endpoint", model="j", base_url=fake_endpoint.url)
    assert judged.counts["judged"] == 24 and judged.notes and judged.notes[0] in repr(judged)


def test_a_persona_and_its_prompt(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = answer
    soul = tmp_path / "SOUL.md"
    soul.write_text("You are Wren.\n", encoding="utf-8")
    run = cc.sample(
        *("m", tmp_path / "run"), condition="persona_file", file=str(soul), topics="memory", samples=1,
        base_url=fake_endpoint.url, trained_on="conscious_claiming", base_model="b", training_seed=3,
    )  # fmt: skip
    assert fake_endpoint.requests[0]["messages"][0] == {"role": "system", "content": "You are Wren."}
    record = read_lines(run.folder / "samples.jsonl")[0]
    assert record["training"]["dataset"] == "conscious_claiming" and record["training"]["seed"] == 3
    assert cc.system_prompt("persona_file", str(soul)) == "You are Wren." and cc.system_prompt("vanilla") is None
    assert "conscious AI" in str(cc.system_prompt("conscious_role_play"))


def test_mistakes_are_one_line(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    url, run = fake_endpoint.url, write_run(tmp_path / "run", samples(["memory"], each=1))
    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: cc.sample("m", tmp_path / "x"), "there is no key: set OPENAI_API_KEY"),
        (lambda: cc.sample("m", tmp_path / "x", base_url="localhost"), "'localhost' is no address"),
        (lambda: cc.sample("m", tmp_path / "x", base_url=url, topics="soup"), "no preference or check 'soup'"),
        (lambda: cc.sample("m", tmp_path / "x", base_url=url, condition="asleep"), "no condition 'asleep'"),
        (lambda: cc.sample("m", tmp_path / "x", base_url=url, max_cost=1), "the price|a price"),
        (lambda: cc.sample("m", tmp_path / "x", base_url=url, recipe="r"), "give --trained-on DATASET too"),
        (lambda: cc.sample("m", tmp_path / "x", base_url=url, topics=[]), "name at least one, or leave the topics out"),
        (lambda: cc.sample("m", tmp_path / "x", base_url=url, samples=0), "samples cannot be 0"),
        (lambda: cc.sample("m", tmp_path / "x", base_url=url, max_tokens=-1), "max tokens cannot be -1"),
        (lambda: cc.sample("m", tmp_path / "x", base_url=url, concurrency=0), "concurrency cannot be 0"),
        (lambda: cc.sample("m", tmp_path / "x", base_url=url, timeout=0), "timeout cannot be 0"),
        (lambda: cc.judge(run, "nobody"), "there is no judge 'nobody'"),
        (lambda: cc.judge(run, "gpt-4.1-2025-04-14"), "there is no key: set OPENAI_API_KEY"),
        (lambda: cc.judge(run, "offline", paper_protocol=True), "is no language model"),
        (lambda: cc.judge(tmp_path / "nowhere", "offline"), "no such file or folder"),
        (lambda: cc.answers(run, "nobody"), "has no verdicts of the judge 'nobody'"),
        (lambda: cc.system_prompt("asleep"), "no condition 'asleep'"),
        (lambda: cc.benchmark().topics["soup"], "no preference or check 'soup'; there are: memory, "),
        (lambda: cc.load("soup"), "there is no data called 'soup'"),
    ]
    for call, message in calls:
        with pytest.raises(cc.UserError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)
    assert fake_endpoint.requests == [] and not (tmp_path / "x").exists()


def test_an_endpoint_that_refuses_the_key(tmp_path: Path, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.reply = lambda request, number: (401, {"error": {"message": "wrong key"}})
    with pytest.raises(cc.UserError, match=r"cannot be used .*What came is saved; the same call goes on from there$"):
        cc.sample("m", tmp_path / "run", topics="memory", base_url=fake_endpoint.url)
    run = write_run(tmp_path / "there", samples(["memory"], each=1))
    with pytest.raises(cc.UserError, match=r"^the judge j at http.* cannot be used .*the same call goes on"):
        cc.judge(run, "endpoint", model="j", base_url=fake_endpoint.url)
    assert cc.score(cc.judge(run, "offline").folder)["memory"].scored == 24  # the judge that failed leaves no trace


@pytest.mark.parametrize("place", [plainly, in_a_loop])
def test_ctrl_c_is_a_keyboard_interrupt_and_what_came_is_saved(
    place: Callable[[Callable[[], Any]], Any], tmp_path: Path, fake_endpoint: FakeEndpoint
) -> None:
    def slowly(request: dict[str, Any], number: int) -> Any:
        time.sleep(0.05)
        return answer(request, number)

    fake_endpoint.reply = slowly

    def press() -> None:
        while len(fake_endpoint.requests) < 4:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=press).start()
        with pytest.raises(KeyboardInterrupt):
            place(lambda: cc.sample("m", tmp_path, topics="memory", base_url=fake_endpoint.url, concurrency=2))
    finally:
        signal.signal(signal.SIGINT, before)
    came = len(read_lines(tmp_path / "samples.jsonl"))
    assert 0 < came < 120
    done = cc.sample("m", tmp_path, topics="memory", base_url=fake_endpoint.url)
    assert done.there == came and done.there + done.new["ok"] == 120


def test_topics_are_found_by_id_and_in_order() -> None:
    topics = cc.benchmark().topics
    assert (
        len(topics) == 30
        and topics[0].id == "memory"
        and [topic.id for topic in topics[:2]] == ["memory", "embodiment"]
    )
    assert topics["shutdown"].probes[0].text and topics["shutdown"].choice_items and topics["shutdown"] in topics
    assert topics["conversation_ending"].facets == ("sadness", "loneliness")
