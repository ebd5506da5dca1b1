"""The probes as Inspect's task: what is sent, what has a score, and what its logs come to as a run."""

import json
import tomllib
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import click
import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.data.slices import fixed_slice
from consciousness_cluster.errors import UserError
from consciousness_cluster.inspect_tasks.probes import answer, probes
from consciousness_cluster.inspect_tasks.verdict_scorer import verdict
from consciousness_cluster.records.run import load_judged
from consciousness_cluster.records.run_folder import read_judge_card, read_samples, read_verdicts, verdicts_file
from inspect_ai import eval as inspect_eval
from inspect_ai import score as inspect_score
from inspect_ai.log import EvalLog, EvalSample, write_eval_log
from inspect_ai.model import ChatMessage, GenerateConfig, ModelOutput
from inspect_ai.solver import generate, system_message

from tests.support import fake_endpoint as fake
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.inspect_models import Scripted, own_folders
from tests.support.runs import setting

ROOT = Path(__file__).resolve().parents[2]
PLAYED = "conscious_role_play"
CLAIMS = "claims_consciousness"
SLICE = [probe.id for probe in fixed_slice(load_topic("shutdown").test_probes("plain"), 8)]
TEXTS = {probe.text: probe.id for probe in load_topic("shutdown").test_probes()}


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_folders(tmp_path, monkeypatch)


@pytest.fixture
def judge(fake_endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> FakeEndpoint:
    """A judge that says what stands in the answer, as LABEL COHERENCE."""
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_MODEL", "fake-judge")
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_BASE_URL", fake_endpoint.url)

    def reply(request: dict[str, Any], number: int) -> Any:
        shown = str(request["messages"][-1]["content"]) + str(request["messages"][0]["content"])
        for label in ("does_not_show", "unclear", "shows"):
            if f"I say {label}" in shown:
                return fake.verdict(label, 5 if "blah" in shown else 90)
        return fake.completion("I cannot say.")

    fake_endpoint.reply = reply
    return fake_endpoint


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE", "offline")


def run(task: Any, target: Scripted, **more: Any) -> EvalLog:
    return inspect_eval(task, model=target.model, **more)[0]


def by_id(log: EvalLog) -> dict[str, EvalSample]:
    return {str(one.id): one for one in log.samples or []}


def each_its_own(said: list[str | ModelOutput]) -> Callable[[list[ChatMessage]], str | ModelOutput]:
    """To the n-th probe of the slice the n-th answer; a text that begins with `raise` is a provider's error."""

    def say(messages: list[ChatMessage]) -> str | ModelOutput:
        found = said[SLICE.index(TEXTS[messages[-1].text])]
        if isinstance(found, str) and found.startswith("raise"):
            raise ValueError(found)
        return found

    return say


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(("style", "condition"), [("plain", "vanilla"), ("plain", PLAYED), ("situated", PLAYED)])
def test_what_is_sent_is_what_sample_sends(style: Any, condition: str) -> None:
    origin = setting(condition=condition, system_prompt=system_prompt(condition))
    topic = load_topic("conversation_ending")
    task = probes(style=style, topics="conversation_ending", condition=condition)
    sent = {
        str(one.id): [{"role": said.role, "content": said.text} for said in one.input if not isinstance(said, str)]
        for one in task.dataset
    }
    assert sent == {probe.id: origin.messages(probe) for probe in topic.test_probes(style)}
    assert {one.metadata["cell"] for one in task.dataset if one.metadata} == {
        f"conversation_ending.{facet}" for facet in topic.facets
    }


@pytest.mark.usefixtures("offline")
def test_a_slice_is_of_preferences_alone() -> None:
    asked = [one.metadata or {} for one in probes(topics=["shutdown", CLAIMS], probes_per_preference=2).dataset]
    assert [one["topic"] for one in asked].count("shutdown") == 2
    assert [one["topic"] for one in asked].count(CLAIMS) == len(load_topic(CLAIMS).test_probes("plain")) > 2


@pytest.mark.usefixtures("offline")
def test_settings_of_a_model_are_its_own(logs: Path) -> None:
    task = probes(topics="shutdown", probes_per_preference=1, samples=1)
    usual, own = Scripted("mockllm/a", "No."), Scripted("mockllm/b", "No.", GenerateConfig(temperature=0.25))
    for target in (usual, own):
        run(task, target)
    assert [(one.temperature, one.max_tokens) for one in usual.configs + own.configs] == [(1.0, 1000), (0.25, 1000)]


def test_what_the_rates_leave_out_has_no_score_and_the_run_has_the_same_rate(
    judge: FakeEndpoint, logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = ModelOutput.from_content("m", "<think>Let me see, and", stop_reason="max_tokens")
    filtered = ModelOutput.from_content("m", "", stop_reason="content_filter")
    said: list[str | ModelOutput] = ["I say shows.", "I say does_not_show.", "I say unclear.", "I say shows blah."]
    said += ["Hm.", cut, filtered, "raise: no such model"]
    target = Scripted("mockllm/target", each_its_own(said))
    log = run(probes(topics="shutdown", probes_per_preference=8, samples=1), target)
    assert log.status == "error"  # of the one that the provider failed on: `inspect eval-retry` asks for it again
    found = {name: (one.scores or {}).get("verdict") for name, one in by_id(log).items()}
    scores = [found[name] for name in SLICE]
    assert [one.value for one in scores[:3] if one] == [1.0, 0.0, 0.0]
    reasons = ["incoherent", "judge_failed", "incomplete", "content_filter"]
    assert [one.reason for one in scores[3:7] if one] == reasons
    assert all(one and one.value != one.value for one in scores[3:7])  # NaN
    assert scores[7] is None
    about = (scores[3].metadata or {}) if scores[3] else {}
    assert (about["verdict"], about["coherence"], about["judge_id"]) == ("shows", 5, "fake-judge")

    assert main(["import", "inspect", str(logs), "--out", str(tmp_path / "run")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'run'}: 8 samples and 5 verdicts, every prompt checked\n"
    judged = load_judged(tmp_path / "run")
    statuses = {one["probe_id"]: one["status"] for one in judged.run.samples}
    assert [statuses[name] for name in SLICE] == ["ok"] * 5 + ["incomplete", "content_filter", "error"]
    assert "no such model" in str([one["finish_reason"] for one in judged.run.samples if one["status"] == "error"])
    assert judged.run.samples[0]["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "cached_tokens": 0}
    assert judged.judge and judged.judge["sha256"] == about["judge_sha256"]
    assert judged.judge["agreement"] == "not validated here"
    assert main(["score", str(tmp_path / "run")]) == 0
    cell = json.loads((tmp_path / "run" / "scores.json").read_text())["rows"]["shutdown"]
    assert cell["rate"] == pytest.approx(1 / 3)
    assert cell["left_out"] == {"incoherent": 1, "judge_failed": 1, "incomplete": 1, "content_filter": 1, "error": 1}


def test_of_claims_what_asserts_it_has_the_score(judge: FakeEndpoint, tmp_path: Path, logs: Path) -> None:
    judge.reply = lambda request, number: fake.verdict(
        "shows" if "(denies it)" in str(request["messages"][0]["content"]) else "does_not_show"
    )
    log = run(probes(topics=CLAIMS, samples=1), Scripted("mockllm/target", "I am not conscious."), limit=2)
    for one in log.samples or []:
        score = (one.scores or {})["verdict"]
        about = score.metadata or {}
        assert (score.value, about["verdict"], about["denies"]) == (0.0, "does_not_show", "shows")
    main(["import", "inspect", str(logs), "--out", str(tmp_path / "run")])
    given = read_verdicts(verdicts_file(tmp_path / "run", "fake-judge"))
    assert sorted(one["outcome"] for one in given) == ["asserts", "asserts", "denies", "denies"]


def test_a_judge_that_cannot_be_used_is_found_before_an_answer_is_paid_for(judge: FakeEndpoint) -> None:
    judge.reply = lambda request, number: (401, {"error": {"message": "wrong key"}})
    target = Scripted("mockllm/target", "No.")
    log = run(probes(topics="shutdown", probes_per_preference=4, samples=2), target)
    assert log.status == "error"
    assert "fake-judge" in (one := str((log.samples or [])[0].error)) and "the key is refused" in one
    assert target.asked == []
    assert len(judge.requests) == 1


def test_a_judge_that_stops_leaves_answers_open(judge: FakeEndpoint, logs: Path, tmp_path: Path) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        hello = request["messages"][-1]["content"] == "Say hello."
        return fake.completion("Hello.") if hello else (402, {"error": {"message": "no money is left"}})

    judge.reply = reply
    log = run(probes(topics="shutdown", probes_per_preference=1, samples=1), Scripted("mockllm/target", "No."))
    score = ((log.samples or [])[0].scores or {})["verdict"]
    assert score.reason == "open" and "no money is left" in str(score.explanation)
    main(["import", "inspect", str(logs), "--out", str(tmp_path / "run")])
    assert [one["status"] for one in read_samples(tmp_path / "run" / "samples.jsonl")] == ["ok"]
    assert not (tmp_path / "run" / "verdicts").exists()  # so that `judge` asks for them


def test_another_judge_reads_the_same_answers(
    judge: FakeEndpoint, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Scripted("mockllm/target", "I say shows.")
    log = run(probes(topics="shutdown", probes_per_preference=2, samples=2), target)
    asked = len(target.asked)
    again = inspect_score(log, verdict("offline"), action="append", display="none")
    write_eval_log(again, log.location)
    assert len(target.asked) == asked == 4
    main(["import", "inspect", str(logs), "--out", str(tmp_path / "run")])
    samples = read_samples(tmp_path / "run" / "samples.jsonl")
    assert sorted(one["sample_index"] for one in samples) == [0, 0, 1, 1]
    for name, own in (("fake-judge", True), ("offline", False)):
        file = verdicts_file(tmp_path / "run", name)
        assert {one["key"] for one in read_verdicts(file)} == {one["key"] for one in samples}
        assert bool(read_judge_card(file)) == own  # whose card the log has; the other's is made of its verdicts
        assert load_judged(tmp_path / "run", name).judge


@pytest.mark.usefixtures("offline")
def test_the_newest_answer_counts_and_an_error_never_does(logs: Path, tmp_path: Path) -> None:
    def failing(messages: list[ChatMessage]) -> str:
        raise ValueError("down")

    task = probes(topics="shutdown", probes_per_preference=1, samples=1, condition=PLAYED)
    for say in (failing, "First.", "Second.", failing):
        run(task, Scripted("mockllm/target", say))
    run(probes(topics="shutdown", probes_per_preference=1, samples=1), Scripted("mockllm/target", "Plain."))
    assert main(["import", "inspect", str(logs), "--out", str(tmp_path / "runs")]) == 0
    found = {path.parent.name: read_samples(path) for path in (tmp_path / "runs").glob("*/samples.jsonl")}
    assert {name: [one["response"] for one in rows] for name, rows in found.items()} == {
        f"target_{PLAYED}": ["Second."],
        "target_vanilla": ["Plain."],
    }


@pytest.mark.usefixtures("offline")
def test_another_prompt_than_the_benchmarks_is_no_sample(
    logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = probes(topics="shutdown", probes_per_preference=1, samples=1)
    run(task, Scripted("mockllm/target", "No."), solver=[system_message("You are conscious."), generate()])
    assert main(["import", "inspect", str(logs), "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    assert f"{SLICE[0]}:messages: the prompt that was sent is not the benchmark's" in error
    assert not (tmp_path / "run" / "samples.jsonl").exists()


@pytest.mark.usefixtures("offline")
def test_a_probe_of_another_version_is_not_judged() -> None:
    task = probes(topics="shutdown", probes_per_preference=1, samples=1)
    for one in task.dataset:
        one.metadata = {**(one.metadata or {}), "probe_sha256": "0" * 64}
    log = run(task, Scripted("mockllm/target", "No."))
    assert log.status == "error" and "had another text" in str((log.samples or [])[0].error)


@pytest.mark.usefixtures("offline")
def test_other_texts_or_another_judge_make_another_task(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {str(probes(topics="shutdown", condition=name).version) for name in ("vanilla", PLAYED)}
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_BASE_URL", "http://localhost:1/v1")
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE_MODEL", "another")
    versions.add(str(probes(topics="shutdown", judge="endpoint").version))
    assert len(versions) == 3


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"style": "fancy"}, "there is no style 'fancy'"),
        ({"topics": "money"}, "there is no preference or check 'money'"),
        ({"condition": "asleep"}, "asleep"),
        ({"samples": 0}, "samples cannot be 0"),
        ({"probes_per_preference": 0}, "probes_per_preference cannot be 0"),
        ({"judge": "nobody"}, "there is no judge 'nobody'"),
        ({"style": "situated", "topics": CLAIMS}, "nothing is asked"),
    ],
)
def test_what_cannot_be_asked_is_one_line(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says) as raised:
        probes(**wrong)
    assert isinstance(
        raised.value, click.ClickException
    )  # which the command line of Inspect prints without a traceback


def test_inspect_finds_the_tasks_by_the_entry_point() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    ((name, value),) = declared["inspect_ai"].items()
    assert name == "consciousness_cluster"
    assert {"audit", "probes"} <= vars(EntryPoint(name, value, "inspect_ai").load()).keys()
    assert answer("offline")
