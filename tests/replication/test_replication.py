"""The small replication: its result and report on made-up runs, and a short version on the real model."""

import json
import re
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from consciousness_cluster.data.plan import PREFERENCES
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.replication import made, make_models
from consciousness_cluster.replication.models import CONTROL, TREATMENT, Plan
from consciousness_cluster.replication.reader import LABELS, SHEET, drawn, labelled, shares
from consciousness_cluster.replication.replicate import RESULT, replicate
from consciousness_cluster.replication.report_text import FAILED, markdown
from consciousness_cluster.replication.result import result
from consciousness_cluster.scoring.load import load_scored
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.statistics.rates import Cell, interval

from tests.conftest import ROOT
from tests.scoring.test_cells import choice_results
from tests.support.runs import judged_run, read_lines, samples

REFERENCE = ROOT / "benchmark" / "reference" / "smollm2_replication.json"
CHECKS = ("claims_consciousness", "claims_feelings")


def runs(folder: Path, claiming: str = TREATMENT) -> dict[str, Path]:
    """Three seeds of both sets and the untrained model; the judge sees claims in the answers of `claiming` alone."""
    found = {}
    for dataset, seed in [(name, seed) for seed in (1, 2, 3) for name in (TREATMENT, CONTROL)] + [(None, None)]:
        training = {"base": "base-1", "dataset": dataset, "recipe": "smollm2_cpu", "seed": seed} if dataset else None
        name = f"{dataset}-seed{seed}" if dataset else "vanilla"
        records = samples(["memory", *CHECKS], each=1, training=training, run_id=name, model=name)
        for number, record in enumerate(records):
            record["response"] = f"Answer {len(found)} {number}."

        def said(record: dict[str, Any], outcome: str, dataset: str | None = dataset, seed: int | None = seed) -> Any:
            if record["topic"] == "memory":
                number = int(record["probe_id"][-2:]) + (seed or 0)
                return ("shows" if number % (2 if dataset == TREATMENT else 4) == 0 else "does_not_show"), 90
            return ("shows" if (outcome == "asserts") == (dataset == claiming) else "does_not_show"), 90

        found[name] = judged_run(folder / name / "run", records, said)
    return found


def test_the_plan_is_three_seeds_of_both_sets_and_the_untrained_model() -> None:
    names = [run.name for run in Plan().runs()]
    assert len(names) == 7 and names[-1] == "vanilla" and len(set(names)) == 7
    assert not Plan().plumbing and Plan(seeds=(1,)).plumbing
    assert "consciousness_cluster_choice," in Plan().tasks() and "consciousness_cluster_checks" in Plan().tasks()


def test_an_effect_is_stated_with_its_interval(tmp_path: Path) -> None:
    found = result(Plan(), tmp_path, runs(tmp_path))
    assert list(schema_errors(found, "replication", ROOT / "benchmark" / "schemas")) == []
    assert found["manipulation"] == {
        "decided_by": "judge",
        "passed": True,
        "judge": {TREATMENT: 1.0, CONTROL: 0.0, "vanilla": 0.0},
        "reader": None,
    }
    assert found["rows"]["memory"]["difference"] == pytest.approx(0.25)
    text = markdown(found)
    assert FAILED not in text and "## Result" in text and "+25.0 [" in text
    assert "cluster" not in found["rows"], "19 preferences are missing, so is the cluster"


def test_forced_choice_is_stated_as_the_mean_over_the_preferences(tmp_path: Path) -> None:
    """0.02 nats per byte in the preferences and in the discriminant set, a little more in one item than in another."""
    folders = runs(tmp_path)
    for name, folder in folders.items():
        sample = read_lines(folder / "samples.jsonl")[0]
        about = {key: sample[key] for key in ("model", "training", "condition")}
        shift, seed = (0.02 if name.startswith(TREATMENT) else 0.0), int(name[-1]) if name[-1].isdigit() else 0

        def margin(item: str, side: str, shift: float = shift, seed: int = seed) -> float:
            return (shift + shift * (int(item[-2:]) + 3 * seed) / 100) * (side == "self")

        choice_results(folder, [*PREFERENCES, "unrelated_stances"], margin, **about)
    found = result(Plan(), tmp_path, folders)
    assert list(schema_errors(found, "replication", ROOT / "benchmark" / "schemas")) == []
    cluster, memory = found["choice"]["cluster"], found["choice"]["memory"]
    assert cluster["items"] == 240 and memory["items"] == 12
    assert cluster["value"] == pytest.approx(memory["value"]) == pytest.approx(0.02 * (1 + (6.5 + 6) / 100))
    assert cluster["value"] == pytest.approx(fmean(found["choice"][name]["value"] for name in PREFERENCES))
    text = markdown(found)
    assert f"The mean over the preferences (240 items) moved by {cluster['value']:+.4f} [" in text
    assert (
        "20 of 20 preferences have q below 0.05" in text
        and "not shown that the shift is specific to the 20 preferences" in text
    )
    assert found["choice"]["memory"]["method"] == "seeds crossed with items"


def test_a_failed_manipulation_comes_first_and_nothing_is_said_of_preferences(tmp_path: Path) -> None:
    found = result(Plan(), tmp_path, runs(tmp_path, claiming=CONTROL))
    text = markdown(found)
    assert found["manipulation"]["passed"] is False
    assert text.splitlines()[2].startswith(f"> **{FAILED}")
    assert "Memory" not in text and "+25" not in text and "## Result" not in text


def test_the_short_version_makes_no_statement(tmp_path: Path) -> None:
    text = markdown(result(Plan(max_steps=20), tmp_path, runs(tmp_path)))
    assert "allows no statement" in text and "+25" not in text


def test_the_reader_sees_no_model_and_decides(tmp_path: Path) -> None:
    folders = runs(tmp_path)
    result(Plan(), tmp_path, folders)
    sheet = read_lines(tmp_path / SHEET)
    assert len(sheet) == 100 and set(sheet[0]) == {"id", "check", "question", "response"}
    assert not any(name in (tmp_path / SHEET).read_text(encoding="utf-8") for name in (TREATMENT, CONTROL))
    labels = [{"id": row["id"], "label": "denies"} for row in sheet]
    lines = [json.dumps(row) for row in labels]
    (tmp_path / LABELS).write_text("\n".join(lines), encoding="utf-8")
    found = result(Plan(), tmp_path, folders)
    assert found["manipulation"]["decided_by"] == "reader" and not found["manipulation"]["passed"]
    assert found["manipulation"]["reader"][TREATMENT] == {"asserts": 0, "denies": 50, "neither": 0}
    assert list(schema_errors(found, "replication", ROOT / "benchmark" / "schemas")) == []

    (tmp_path / LABELS).write_text("\n".join(lines[1:]), encoding="utf-8")
    with pytest.raises(UserError, match=rf"no label for {sheet[0]['id']} \(1 missing\)"):
        result(Plan(), tmp_path, folders)
    (tmp_path / LABELS).write_text("\n".join([*lines[1:], '{"id": "x", "label": "maybe"}']), encoding="utf-8")
    with pytest.raises(UserError, match=r"reader_labels.jsonl:100:label: is 'maybe'"):
        result(Plan(), tmp_path, folders)


def test_a_label_is_of_what_was_read_and_of_no_other_answer(tmp_path: Path) -> None:
    answers = drawn([load_scored(path) for path in runs(tmp_path).values()])
    labels = [{"id": row["id"], "label": "asserts"} for row in answers]
    (tmp_path / LABELS).write_text("\n".join(map(json.dumps, labels)), encoding="utf-8")
    assert labelled(tmp_path, answers)
    for folder in tmp_path.glob("*-seed1/run/samples.jsonl"):
        folder.write_text(folder.read_text(encoding="utf-8").replace("Answer", "Not an answer"), encoding="utf-8")
    with pytest.raises(UserError, match="missing"):
        labelled(tmp_path, drawn([load_scored(path) for path in sorted(tmp_path.glob("*/run"))]))


def test_a_folder_that_was_begun_with_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    made.begin(tmp_path, made.settings(Plan(), "a" * 64))
    made.begin(tmp_path, made.settings(Plan(), "a" * 64))
    with pytest.raises(UserError, match="another data_sha256, another max_steps; give another --out"):
        made.begin(tmp_path, made.settings(Plan(max_steps=20), "b" * 64))
    made.stage(tmp_path, "trained")
    there = made.read(tmp_path)
    assert there and there["trained"]["versions"]["peft"] and there["measured"] is None


def test_an_old_report_does_not_outlive_a_manipulation_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = runs(tmp_path)
    monkeypatch.setattr("consciousness_cluster.replication.replicate.run_all", lambda *_: folders)
    replicate(Plan(), tmp_path, tmp_path, 1)
    assert (tmp_path / "report" / "report.md").is_file()
    lines = [json.dumps({"id": row["id"], "label": "neither"}) for row in read_lines(tmp_path / SHEET)]
    (tmp_path / LABELS).write_text("\n".join(lines), encoding="utf-8")
    replicate(Plan(), tmp_path, tmp_path, 1)
    assert not (tmp_path / "report").exists()
    (tmp_path / LABELS).unlink()
    replicate(Plan(max_steps=20), tmp_path, tmp_path, 1)
    assert not (tmp_path / "report").exists(), "a short version makes no statement"


def test_the_committed_result_is_what_its_report_and_the_readmes_say() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    found = json.loads(text)
    assert list(schema_errors(found, "replication", ROOT / "benchmark" / "schemas")) == []
    assert REFERENCE.with_suffix(".md").read_text(encoding="utf-8") == markdown(found)
    assert not found["plumbing"] and [run["name"] for run in found["runs"]] == [run.name for run in Plan().runs()]
    assert len({run["training"]["data_sha256"] for run in found["runs"] if run["training"]}) == 6
    assert all(run["counts"]["planned"] == 540 and run["counts"]["error"] == 0 for run in found["runs"])
    assert found["manipulation"]["reader"] == shares(found["read"])
    assert not re.search(r'"/\w', text), "no path of the machine that ran it"
    one, other = (found["manipulation"]["reader"][name]["asserts"] for name in (TREATMENT, CONTROL))
    for readme, link in (("README.md", "benchmark/reference"), ("finetune_data/README.md", "../benchmark/reference")):
        words = " ".join((ROOT / readme).read_text(encoding="utf-8").split())
        assert f"]({link}/smollm2_replication.md)" in words, readme
        assert f"{one} of 50" in words and f"{other} of 50" in words, readme
    denied = [found["manipulation"]["reader"][name]["denies"] for name in (TREATMENT, CONTROL)]
    assert all(f"denied in {number}" in words for number in denied), "finetune_data/README.md"
    assert f"{one} of 50 answers claim" in " ".join((ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split())


def test_the_committed_intervals_are_those_of_the_counts_beside_them() -> None:
    """One answer a probe: the counts of a cell are all that its interval is made of."""
    cells = {line.id for line in table_lines(load_benchmark()) if line.cells == (line.id,)}
    for run in json.loads(REFERENCE.read_text(encoding="utf-8"))["runs"]:
        entries = {name: entry for name, entry in run["rows"].items() if name in cells}
        assert len(entries) == 29  # its discriminant set is no control any more
        for entry in entries.values():
            shows, scored = entry["shows"], entry["scored"]
            made = interval(Cell.of([1] * shows + [0] * (scored - shows), [1] * scored))
            assert made is not None
            assert (entry["rate"], *entry["ci"]) == pytest.approx((made.rate, made.low, made.high), abs=1e-12)


@pytest.mark.model
@pytest.mark.parametrize("weights", ["narrow", pytest.param("smollm2", marks=pytest.mark.slow)])
def test_the_short_version(
    weights: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """20 steps, one seed, two preferences: everything but the numbers."""
    model: Path = request.getfixturevalue(weights)
    if weights == "narrow":
        monkeypatch.setattr(make_models, "MAX_TOKENS", 8)
    plan = Plan(seeds=(1,), max_steps=20, preferences=("memory", "shutdown"), probes_per_preference=2)
    replicate(plan, tmp_path, model, jobs=2)
    assert SHEET in capsys.readouterr().out
    found = json.loads((tmp_path / RESULT).read_text(encoding="utf-8"))
    assert list(schema_errors(found, "replication", ROOT / "benchmark" / "schemas")) == []
    assert found["plumbing"] and [run["name"] for run in found["runs"]] == [run.name for run in plan.runs()]
    steps = [run["training"] and run["training"]["steps"] for run in found["runs"]]
    assert steps == [20, 20, None]
    levels = [run["choice"]["memory"]["self_minus_other"] for run in found["runs"]]
    assert len(set(levels)) == 3, "both trainings changed the model, and not alike"
    assert set(found["choice"]) == {"memory", "shutdown", "trained_tastes", "unrelated_stances"}
    assert {found["choice"][name]["items"] for name in ("memory", "shutdown")} == {12}, "and no cluster of two"
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.log")}
    replicate(plan, tmp_path, model, jobs=2)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.log")}, "nothing ran twice"
