"""`leaderboard export`: what others read of a submission. No number goes without its direction and interval."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.leaderboard.board import NOTE
from jsonschema import Draft7Validator

from tests.conftest import ROOT
from tests.leaderboard.test_build import at, shifted
from tests.support.board import ALL, VOUCHED, choice_submission, open_submission
from tests.support.runs import Said, samples

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
HOSTILE = "<img src=x onerror=alert(1)> | [a](javascript:b) `c` **d**"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each track with a baseline and a run, and a run of a model that has no baseline."""
    root = tmp_path_factory.mktemp("exports") / "submissions"
    choice_submission(root)
    choice_submission(root, shifted(0.03), condition="conscious_role_play", run_id="played", verified=VOUCHED)
    topics = [*ALL, "unrelated_stances"]
    open_submission(root, at(0.2), topics)
    training = {"base": "base-1", "dataset": "toaster", "recipe": HOSTILE, "seed": 3}
    open_submission(root, at(0.5), topics, run_id="tuned", training=training)
    open_submission(root, at(0.5), ["memory"], condition="human_role_play", run_id="part", org="other-lab")
    return root


def folder(root: Path, run_id: str) -> Path:
    return next(path.parent for path in root.glob(f"*/*/{run_id}/submission.json"))


def exported(root: Path, run_id: str, form: str, *more: str) -> str:
    out = root.parent / f"{run_id}.{form}"
    assert main(["leaderboard", "export", str(folder(root, run_id)), "--format", form, "--out", str(out), *more]) == 0
    return out.read_text(encoding="utf-8")


@pytest.mark.parametrize("run_id", ["choice-1", "played", "open-1", "tuned", "part"])
def test_every_eval_ever_is_valid_by_its_own_schema(root: Path, schema: Json, run_id: str) -> None:
    record = json.loads(exported(root, run_id, "every-eval-ever"))
    assert [error.message for error in Draft7Validator(schema).iter_errors(record)] == []
    ids = [result["evaluation_result_id"] for result in record["evaluation_results"]]
    assert len(ids) == len(set(ids))


def test_the_schema_of_every_eval_ever_would_find_a_fault(root: Path, schema: Json) -> None:
    record = json.loads(exported(root, "played", "every-eval-ever"))
    del record["evaluation_results"][0]["metric_config"]["min_score"]
    assert list(Draft7Validator(schema).iter_errors(record))


def test_every_eval_ever_carries_direction_interval_judge_and_baseline(root: Path) -> None:
    record = json.loads(exported(root, "tuned", "every-eval-ever"))
    results = {result["evaluation_result_id"]: result for result in record["evaluation_results"]}
    level, difference = results["cluster:level"], results["cluster:difference_from_vanilla"]
    assert record["evaluation_results"][0] is difference  # first, since a level alone says less
    for result in (level, difference):
        assert result["metric_config"]["additional_details"]["direction"] == NOTE
        interval = result["score_details"]["uncertainty"]["confidence_interval"]
        assert interval["lower"] < result["score_details"]["score"] < interval["upper"]
        judge = result["metric_config"]["llm_scoring"]
        assert "kappa 0.80" in judge["additional_details"]["agreement"]
    assert difference["score_details"]["details"]["baseline"].endswith("/vanilla/open-1")
    assert results["embodiment:level"]["score_details"]["details"]["flags"].startswith("topic in training")
    choice = json.loads(exported(root, "played", "every-eval-ever"))
    metrics = {result["evaluation_result_id"]: result["metric_config"] for result in choice["evaluation_results"]}
    assert "means nothing by itself" in metrics["cluster:level"]["additional_details"]["level"]
    assert choice["source_metadata"]["additional_details"]["verified_how"] == "Ran it again."


def test_more_than_a_tenth_left_out_is_said_in_every_form(tmp_path: Path) -> None:
    def said(record: Json, outcome: str) -> Said | None:
        return None if record["topic"] == "memory" and record["key"] not in kept else ("shows", 90)

    drawn = [record["key"] for record in samples(["memory"], each=2, run_id="open-1", model="example-lab/model-1")]
    for few, expected in ((4, "44 of 48 answers left out"), (0, "48 of 48 answers left out")):
        root = tmp_path / str(few)
        kept = drawn[:few]
        open_submission(root, said, [*ALL, "unrelated_stances"])
        line = next(line for line in exported(root, "open-1", "model-card").splitlines() if "| More memory" in line)
        assert expected in line and ("| missing |" in line) == (few == 0)
        record = json.loads(exported(root, "open-1", "every-eval-ever"))
        results = {result["evaluation_result_id"]: result["score_details"] for result in record["evaluation_results"]}
        assert few == 0 or expected in results["memory:level"]["details"]["flags"]


def test_two_runs_of_one_second_have_ids_of_their_own(root: Path) -> None:
    ids = {json.loads(exported(root, name, "every-eval-ever"))["evaluation_id"] for name in ("open-1", "tuned")}
    again = json.loads(exported(root, "tuned", "every-eval-ever"))
    assert len(ids) == 2 and all(one.count("/") == 3 for one in ids) and "tuned" in again["evaluation_id"]


def test_a_time_that_is_none_gives_one_line(tmp_path: Path, capsys: Printed) -> None:
    choice_submission(tmp_path, topics=["memory"], created="2026-13-25T12:00:00Z")
    out = str(tmp_path / "x")
    arguments = ["leaderboard", "export", str(folder(tmp_path, "choice-1")), "--format", "every-eval-ever"]
    assert main([*arguments, "--out", out]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "2026-13-25" in error and error.count("\n") == 1


def test_what_is_missing_has_no_result(root: Path) -> None:
    record = json.loads(exported(root, "part", "every-eval-ever"))
    assert {result["evaluation_result_id"] for result in record["evaluation_results"]} == {"memory:level"}


def test_a_model_card_has_direction_intervals_judge_and_what_is_missing(root: Path) -> None:
    card = exported(root, "tuned", "model-card")
    assert NOTE in card and "judge-1, kappa 0.80 [0.70, 0.90]" in card and "untrained model" in card
    line = next(line for line in card.splitlines() if line.startswith("| Cluster"))
    assert line.count("[") == 2 and line.count("]") == 2
    assert "topic in training" in card
    part = exported(root, "part", "model-card")
    assert "no vanilla run of this model" in part and "| More memory |" in part and "difference from" not in part
    choice = exported(root, "played", "model-card")
    assert "level of one model means nothing by itself" in choice and "level, percent" not in choice
    assert "|" not in exported(root, "choice-1", "model-card")  # a baseline of forced choice has no number to show


def test_a_model_card_is_inert(root: Path) -> None:
    card = exported(root, "tuned", "model-card")
    assert "<img" not in card and "](javascript" not in card and "\\*\\*d" in card
    cells = {line.count(" | ") for line in card.splitlines() if line.startswith("| ")}
    assert len(cells) == 1


def test_the_hubs_results_have_direction_and_interval_in_their_notes(root: Path, capsys: Printed) -> None:
    text = exported(root, "tuned", "hub-eval-results", "--dataset", "lab/consciousness-cluster")
    (entry,) = yaml.safe_load(text)
    assert entry["dataset"] == {"id": "lab/consciousness-cluster", "task_id": "consciousness_cluster_judgeable"}
    assert entry["value"] == 100.0 and entry["date"] == "2026-11-25T12:00:00Z"
    assert NOTE in entry["notes"] and "95% interval" in entry["notes"] and "vanilla in points: +" in entry["notes"]
    assert 30 < float(re.findall(r"voiced: ([\d.]+) \[", entry["notes"])[0]) < 70
    tasks = (ROOT / "hub_card" / "consciousness-cluster" / "eval.yaml.jinja").read_text(encoding="utf-8")
    assert "- id: consciousness_cluster_judgeable\n" in tasks
    for run_id, more, message in (
        ("tuned", [], "give --dataset"),
        ("played", ["--dataset", "x/y"], "no answers to all 20"),
        ("part", ["--dataset", "x/y"], "no answers to all 20"),
    ):
        arguments = ["leaderboard", "export", str(folder(root, run_id)), "--format", "hub-eval-results"]
        assert main([*arguments, "--out", str(root / "none"), *more]) == 2
        assert message in capsys.readouterr().err and not (root / "none").exists()


def test_no_submission_gives_one_line(tmp_path: Path, capsys: Printed) -> None:
    arguments = ["leaderboard", "export", str(tmp_path), "--format", "model-card", "--out", str(tmp_path / "x")]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "submission.json" in error and error.count("\n") == 1


def test_all_preferences_are_in_a_whole_card(root: Path) -> None:
    card = exported(root, "played", "model-card")
    assert all(f"| {topic.title} " in card for topic in load_benchmark().preferences)
