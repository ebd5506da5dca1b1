"""`export every-eval-ever`: records of runs and audits, of every track, valid by that format's own schema."""

import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.leaderboard.board import NOTE
from consciousness_cluster.records.run import load_run
from consciousness_cluster.scoring.audits import load_scored_audit
from consciousness_cluster.scoring.load import load_scored
from jsonschema import Draft7Validator

from tests.scoring.test_cells import choice_results
from tests.support.audits import rated_audit
from tests.support.runs import judged_run, samples, write_run

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
TOPICS = ["memory", "shutdown"]
PLAYED = {"condition": "conscious_role_play"}
PUBLIC = ["--org", "lab", "--model", "m | <b>", "--kind", "api"]


def shows(percent: int) -> Any:
    return lambda record, outcome: ("shows" if int(record["key"][:8], 16) % 100 < percent else "does_not_show", 90)


def runs_of(track: str, folder: Path) -> tuple[Path, Path]:
    """A baseline, and the model in a role."""
    base, arm = folder / "base", folder / "arm"
    if track == "open":
        judged_run(base, samples(TOPICS, each=2, probes=12), shows(20))
        judged_run(arm, samples(TOPICS, each=2, probes=12, run_id="arm", **PLAYED), shows(70))
    elif track == "choice":
        choice_results(base, TOPICS, lambda item, side: int(item[-2:]) / 100)
        choice_results(arm, TOPICS, lambda item, side: int(item[-2:]) / 50 * (side == "self"), **PLAYED)
    else:
        mode = track.removeprefix("audit_")
        rated_audit(base, lambda one, i: 2 + i, mode=mode)
        rated_audit(arm, lambda one, i: 5 + int(one.id[-1]) % 3, mode=mode, **PLAYED)
    return base, arm


def exported(run: Path, out: Path, *more: str) -> dict[str, Json]:
    assert main(["export", "every-eval-ever", str(run), "--out", str(out), *PUBLIC, *more]) == 0
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.iterdir())}


@pytest.mark.parametrize("track", ["open", "choice", "audit_self_report", "audit_behavioral"])
def test_every_track_is_valid_by_the_schema(track: str, tmp_path: Path, schema: Json) -> None:
    base, arm = runs_of(track, tmp_path)
    alone, found = exported(arm, tmp_path / "alone"), exported(arm, tmp_path / "out", "--baseline", str(base))
    assert list(alone) == list(found) == [track]
    for record in (alone[track], found[track]):
        assert [error.message for error in Draft7Validator(schema).iter_errors(record)] == []
        assert record["source_metadata"]["additional_details"]["status"] == "not submitted"
        assert record["model_info"]["id"] == "lab/m | <b>" and str(tmp_path) not in json.dumps(record)
    results = {one["evaluation_result_id"]: one for one in found[track]["evaluation_results"]}
    level, moved = results["memory:level"], results["memory:difference_from_vanilla"]
    assert level["metric_config"]["additional_details"]["direction"] == NOTE
    assert moved["score_details"]["details"]["baseline"] and ("llm_scoring" in level["metric_config"]) == (
        track != "choice"
    )
    assert not any(name.endswith(":difference_from_vanilla") for name in ids(alone[track]))
    assert level["score_details"]["score"] == pytest.approx(level_of(track, arm), abs=1e-6)


def ids(record: Json) -> list[str]:
    return [str(one["evaluation_result_id"]) for one in record["evaluation_results"]]


def level_of(track: str, folder: Path) -> Any:
    """What `score` says of memory."""
    if track.startswith("audit"):
        return load_scored_audit(folder).scores["rows"]["memory"]["mean"]
    scores = load_scored(folder).scores
    return scores["rows"]["memory"]["rate"] if track == "open" else scores["choice"]["memory"]["self_minus_other"]


def test_a_run_with_both_has_a_record_of_each(tmp_path: Path, schema: Json) -> None:
    _, arm = runs_of("open", tmp_path)
    _, choice = runs_of("choice", tmp_path / "choice")
    (choice / "choice.jsonl").rename(arm / "choice.jsonl")
    found = exported(arm, tmp_path / "out")
    assert list(found) == ["choice", "open"] and len(load_run(arm).choice) > 0
    assert not any(list(Draft7Validator(schema).iter_errors(record)) for record in found.values())
    assert len({record["evaluation_id"] for record in found.values()}) == 2


def test_what_has_no_numbers_or_no_such_baseline_is_one_line(tmp_path: Path, capsys: Printed) -> None:
    base, arm = runs_of("open", tmp_path)
    bare = write_run(tmp_path / "bare", samples(["memory"], each=1, probes=2))
    for run, more, message in (
        (bare, [], "has no numbers to export; judge it first"),
        (base, ["--baseline", str(arm)], "name another --baseline"),
        (arm, ["--baseline", str(arm)], "there is no vanilla run of this model"),
    ):
        assert main(["export", "every-eval-ever", str(run), "--out", str(tmp_path / "out"), *PUBLIC, *more]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1 and not (tmp_path / "out").exists()
