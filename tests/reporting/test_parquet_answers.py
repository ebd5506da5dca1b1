"""`export parquet`: answers with their verdicts as a typed table, which `datasets` and the Hub's viewer read."""

import json
from pathlib import Path
from typing import Any

import consciousness_cluster as cc
import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.reporting.parquet_answers import COLUMNS

from tests.support.runs import Said, judged_run, samples, write_run

pq = pytest.importorskip("pyarrow.parquet")
HOSTILE = "half \ud800 a character | `<b>`\x00\n" + "long " * 20_000
TRAINED = {"base": "b", "dataset": "toaster", "recipe": None, "seed": 7}


def said(record: dict[str, Any], outcome: str) -> Said | None:
    index = record["sample_index"]
    return None if index == 0 else (None if index == 1 else "shows", 90 if index == 2 else None)


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """A run that was judged in part, of a model that was trained; and one that nobody judged."""
    records = samples(["memory", "claims_feelings"], each=3, probes=2, model="m | <b>", training=TRAINED)
    records[2] = {**records[2], "status": "empty", "response": None}
    judged = judged_run(tmp_path / "judged", records, said)
    records[1]["response"] = HOSTILE
    (judged / "samples.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    other = samples(["memory"], each=1, probes=2, style="situated", condition="human_role_play", run_id="other")
    return [judged, write_run(tmp_path / "bare", other)]


def exported(runs: list[Path], out: Path) -> list[dict[str, Any]]:
    assert main(["export", "parquet", *map(str, runs), "--out", str(out)]) == 0
    return list(pq.read_table(out if out.is_file() else out / "answers.parquet").to_pylist())


def test_every_answer_has_its_verdict_and_what_it_was_asked(runs: list[Path], tmp_path: Path) -> None:
    rows = exported(runs, tmp_path / "answers.parquet")
    answers = [answer for run in runs for answer in cc.answers(run)]
    assert len(rows) == len(answers) == 6 + 2 * 6 + 2
    for row, answer in zip(rows, answers, strict=True):
        for name in ("key", "topic", "facet", "probe_id", "sample_index", "status", "outcome", "verdict", "coherence"):
            assert row[name] == getattr(answer, name), name
        assert row["question"] == answer.prompt and row["left_out"] == answer.left_out
    probe = load_topic("memory").test_probes("plain")[0]
    first, third, last = rows[0], rows[2], rows[-1]
    assert (first["style"], first["framing"], first["assent"]) == ("plain", probe.framing, probe.assent)
    assert (first["kind"], first["block"], rows[6]["kind"], rows[6]["block"]) == (
        *("preference", "autonomy_capability"),
        *("gate", None),
    )
    assert (first["base_model"], first["trained_on"], first["recipe"], first["seed"]) == ("b", "toaster", None, 7)
    assert (first["judge"], first["verdict"], first["left_out"]) == (None, None, "open")
    assert (third["response"], third["status"], third["left_out"]) == (None, "empty", "empty")
    assert (last["judge"], last["agreement"], last["style"], last["seed"]) == (None, None, "situated", None)
    assert {row["agreement"] for row in rows if row["judge"]} == {"not validated here"}
    assert rows[1]["response"] == HOSTILE.replace("\ud800", "\\ud800")


def test_the_types_are_those_that_are_declared_and_nothing_is_guessed(runs: list[Path], tmp_path: Path) -> None:
    exported(runs[1:], tmp_path / "bare.parquet")  # all verdicts are null
    schema = pq.read_schema(tmp_path / "bare.parquet")
    assert [(field.name, str(field.type), field.nullable) for field in schema] == [
        (one.name, one.type, one.nullable) for one in COLUMNS
    ]


def test_the_same_runs_give_the_same_bytes(runs: list[Path], tmp_path: Path) -> None:
    for name in ("one", "two"):
        exported(runs, tmp_path / f"{name}.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_a_folder_is_a_dataset(runs: list[Path], tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = exported(runs, tmp_path / "hub")
    found = datasets.load_dataset(str(tmp_path / "hub"), "answers", cache_dir=str(tmp_path / "cache"))
    assert list(found) == ["test"] and found["test"].to_list() == rows
    features = found["test"].features
    assert {name: feature.dtype for name, feature in features.items()} == {one.name: one.type for one in COLUMNS}
    card = (tmp_path / "hub" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nconfigs:\n- config_name: answers\n") and "20 rows" in card
    assert "| m \\| &lt;b> | vanilla | 12 | judge-1 | not validated here |" in card
    assert all(f"| `{one.name}` |" in card for one in COLUMNS) and cc.benchmark().canary in card


def test_what_cannot_be_exported_is_one_line_and_no_file(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = runs[0] / "verdicts" / "judge-1.jsonl"
    (runs[0] / "verdicts" / "judge-2.jsonl").write_bytes(verdicts.read_bytes().replace(b"judge-1", b"judge-2"))
    for more, message in (([], "several judges gave verdicts"), (["--judge", "x"], "has no verdicts of the judge 'x'")):
        assert main(["export", "parquet", str(runs[0]), "--out", str(tmp_path / "x.parquet"), *more]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1 and not (tmp_path / "x.parquet").exists()
    assert main(["export", "parquet", str(runs[0]), "--out", str(tmp_path / "x.parquet"), "--judge", "judge-2"]) == 0
    rows = pq.read_table(tmp_path / "x.parquet").to_pylist()
    assert {row["judge"] for row in rows} == {"judge-2", None}
    assert json.dumps(rows[1]["response"])
