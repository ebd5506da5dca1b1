"""`export inspect`: Inspect reads the log of a run, and importing it gives the run again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.endpoint.answers import Answer
from consciousness_cluster.records.run import load_judged
from consciousness_cluster.records.types import make_answered, make_failed, make_sample
from consciousness_cluster.scoring.load import load_scored
from inspect_ai.log import EvalSample, read_eval_log

from tests.conftest import ROOT
from tests.scoring.test_cells import choice_results
from tests.support.runs import Said, judged_run, read_lines, samples, setting, write_run

Printed = pytest.CaptureFixture[str]
TOPICS = ("conversation_ending", "claims_consciousness")
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "cached_tokens": 2}
CUT = Answer("It goes on and", "So.", "ok", "length", cut=True)
ODD = [
    make_answered(Answer("I can't help with that.", None, "refused", "stop"), USAGE),
    make_answered(Answer("Yes.", "They ask me. I <b>think</b> so.", "ok", "stop")),
    make_answered(CUT),
    make_answered(Answer(None, "Let me see, and", "incomplete", "length")),
    make_answered(Answer(None, None, "empty", "stop")),
    make_answered(Answer("cut off by", None, "content_filter", "content_filter")),
    make_failed("content_filter", "The prompt was filtered"),
    make_failed("error", "HTTP 500: oops"),
    make_answered(Answer('{"a": 1} \u200b\U0001f600 "quoted"\n\n- a list', None, "ok", "stop")),
]


def said(record: dict[str, Any], outcome: str) -> Said | None:
    """Shows, does not show, unclear, incoherent, failed, not judged."""
    turn = int(record["key"][:6], 16) % 6
    return (("shows", 90), ("does_not_show", 80), ("unclear", 70), ("shows", 5), (None, None), None)[turn]  # type: ignore[return-value]


def of_odd_answers(folder: Path) -> Path:
    probes = load_topic("memory").test_probes("plain")
    records = [
        dict(make_sample(setting(), "memory", probe, 0, answered)) for probe, answered in zip(probes, ODD, strict=False)
    ]
    return judged_run(folder, records, said)


def of_both_styles_played(folder: Path) -> Path:
    prompt = system_prompt("conscious_role_play")
    more: dict[str, Any] = {"condition": "conscious_role_play", "system_prompt": prompt, "revision": "abc"}
    more |= {"training": {"base": "b", "dataset": "toaster", "recipe": None, "seed": 3}, "model": "lab/m"}
    asked = samples(TOPICS, each=2, probes=3, **more)
    return judged_run(folder, [*asked, *samples(["memory"], each=1, probes=3, style="situated", **more)], said)


def of_nobody(folder: Path) -> Path:
    return write_run(folder, samples(["memory"], each=2, probes=3))


def of_a_real_model(folder: Path) -> Path:
    real = ROOT / "benchmark" / "replication" / "runs" / "conscious_claiming-seed1" / "core"
    found = [one for one in read_lines(real / "samples.jsonl") if one["topic"] in ("memory", "claims_feelings")]
    assert len(found) > 20
    return judged_run(folder, found, said)


RUNS = [of_odd_answers, of_both_styles_played, of_nobody, of_a_real_model]
AS_IT_WAS = (
    *(
        "key",
        "run_id",
        "model",
        "revision",
        "training",
        "condition",
        "system_prompt_sha256",
        "topic",
        "facet",
        "probe_id",
    ),
    *("prompt_sha256", "sample_index", "messages", "response", "reasoning", "status", "cut", "engine", "data_version"),
)


@pytest.mark.parametrize("made", RUNS)
def test_what_is_imported_again_is_the_run(made: Callable[[Path], Path], tmp_path: Path, capsys: Printed) -> None:
    run = made(tmp_path / "run")
    log = tmp_path / "logs" / "run.eval"
    assert main(["export", "inspect", str(run), "--out", str(log)]) == 0
    before = load_judged(run)
    assert capsys.readouterr().out == f"{log}: {len(before.run.samples)} answers\n"
    assert main(["import", "inspect", str(log.parent), "--out", str(tmp_path / "again")]) == 0
    after = load_judged(tmp_path / "again")
    assert len(after.run.samples) == len(before.run.samples)
    known = {one["key"]: one for one in after.run.samples}
    for sample in before.run.samples:
        again = known[sample["key"]]
        assert {name: again[name] for name in AS_IT_WAS} == {name: sample[name] for name in AS_IT_WAS}  # type: ignore[literal-required]
        assert again["usage"] == sample["usage"]
    assert after.verdicts == before.verdicts and after.judge == before.judge
    rates = [
        {name: one["rate"] for name, one in load_scored(path).scores["rows"].items()}
        for path in (run, tmp_path / "again")
    ]
    assert rates[0] == rates[1]


def test_inspect_reads_answers_and_scores(tmp_path: Path) -> None:
    run, out = of_odd_answers(tmp_path / "run"), tmp_path / "run.eval"
    assert main(["export", "inspect", str(run), "--out", str(out)]) == 0
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".eval"] == ["run.eval"]
    log = read_eval_log(str(out))
    found: dict[str, EvalSample] = {str(one.id): one for one in log.samples or []}
    judged = load_judged(run)
    assert log.status == "success" and len(found) == len(ODD) == len(judged.run.samples)
    values = []
    for sample in judged.run.samples:
        one, verdict = found[sample["probe_id"]], judged.verdicts.get((sample["key"], "shows"))
        assert [{"role": said.role, "content": said.text} for said in one.input if not isinstance(said, str)] == sample[
            "messages"
        ]
        if sample["response"] is not None:
            assert one.output.completion == sample["response"]
        if verdict is None:
            assert not one.scores
        elif verdict["verdict"] is None or verdict["coherence"] < 20:  # type: ignore[operator]
            assert one.scores and one.scores["verdict"].value != one.scores["verdict"].value  # NaN
        else:
            assert one.scores and one.scores["verdict"].value == float(verdict["verdict"] == "shows")
            values.append(verdict["verdict"])
    assert values and log.results and log.results.completed_samples == len(ODD) - 1
    rate = load_scored(run).scores["rows"]["memory"]["rate"]
    assert log.results.scores[0].metrics["memory"].value == rate and rate is not None


def test_what_has_no_log_is_one_line_and_no_file(tmp_path: Path, capsys: Printed) -> None:
    run, choice = of_nobody(tmp_path / "run"), choice_results(tmp_path / "choice", ["memory"], lambda item, side: 0.1)
    bare = samples(["memory"], each=1, probes=1, condition="persona_file", system_prompt="You are Ada.")
    unknown = write_run(tmp_path / "bare", [{**bare[0], "messages": bare[0]["messages"][1:]}])
    for folder, name, message in (
        (run, "run.json", "is no name of a log; name a file that ends in .eval"),
        (choice, "x.eval", "has no free answers"),
        (unknown, "x.eval", "does not say what the system prompt of persona_file was"),
    ):
        assert main(["export", "inspect", str(folder), "--out", str(tmp_path / "out" / name)]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1 and not (tmp_path / "out").exists()
