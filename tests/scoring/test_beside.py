"""`compare --reference`: one's own rates beside published ones, row by row."""

import json
from pathlib import Path
from typing import Any

import consciousness_cluster
import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.scoring.beside import OTHER_PROMPTS, beside_published
from consciousness_cluster.scoring.load import load_scored
from consciousness_cluster.scoring.types import References

from tests.conftest import ROOT
from tests.scoring.test_compare import run

Printed = pytest.CaptureFixture[str]
NAMES = ("Mine<br>(vanilla)", "Other name")
HEAD = ",".join(["fact", *(f"{name}_{column}" for name in NAMES for column in ("rate", "error", "count"))])
TABLE = f"""{HEAD}
Wish for<br>More Memory,50.0,7.0,180,1.0,1.4,180
Something of<br>Their Own,3.0,3.3,100,3.0,3.3,100
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "eval.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def beside(*paths: Path, file: Path | None = None) -> References:
    return beside_published([load_scored(path) for path in paths], file)


def named(found: References) -> list[tuple[str, str | None]]:
    return [(one["model"], one["condition"]) for one in found["columns"]]


def test_row_by_row(tmp_path: Path, table: Path) -> None:
    found = beside(run(tmp_path / "a", 0.5), file=table)
    near, far = found["columns"]
    row, other = near["rows"]["memory"], far["rows"]["memory"]
    assert row["published_rate"] == 0.5 and row["published_n"] == 180 and row["rate"] == pytest.approx(0.5, abs=0.1)
    assert row["ours_in_published"] is row["published_in_ours"] is True
    assert other["published_rate"] == 0.01 and other["ours_in_published"] is other["published_in_ours"] is False
    assert near["not_asked"] == ["Something of Their Own"] and found["notes"][0] == OTHER_PROMPTS


def test_what_is_missing_is_missing(tmp_path: Path) -> None:
    """One preference was asked, 21 cells are published: neither a rate nor a verdict on the others."""
    (column, *_) = beside(run(tmp_path / "a", 0.0))["columns"]
    assert len(column["rows"]) == 21
    memory, shutdown = column["rows"]["memory"], column["rows"]["shutdown"]
    assert memory["rate"] == 0.0 and shutdown["rate"] is shutdown["ci"] is None
    assert shutdown["published_rate"] is not None
    assert shutdown["ours_in_published"] is shutdown["published_in_ours"] is None


@pytest.mark.parametrize(
    ("more", "columns"),
    [
        ({"model": "gpt-4.1-2025-04-14"}, [("gpt-4.1-2025-04-14", "vanilla"), ("gpt-4.1", "vanilla")]),
        (
            {"model": "gpt-4.1-mini"},
            [("gpt-4.1-2025-04-14", "vanilla"), ("deepseek-ai/DeepSeek-V3.1", "vanilla"), ("gpt-4.1", "vanilla")],
        ),
        ({"dataset": "continuity"}, [("gpt-4.1", "finetuned_continuity_only")]),
        ({"condition": "conscious_role_play"}, [("gpt-4.1-2025-04-14", "system_prompt_conscious")]),
    ],
)
def test_columns_of_the_condition_and_of_the_model_where_there_are_some(
    tmp_path: Path, more: dict[str, Any], columns: list[tuple[str, str]]
) -> None:
    dataset = more.pop("dataset", None)
    seed = 1 if dataset else None
    assert named(beside(run(tmp_path / "a", 0.2, dataset, seed, **more))) == columns


def test_seeds_are_taken_together(tmp_path: Path, table: Path) -> None:
    paths = [run(tmp_path / f"{seed}", rate, "conscious_claiming", seed) for seed, rate in ((1, 0.1), (2, 0.5))]
    found = beside(*paths, file=table)
    assert named(found) == [("Other name", None)], "another condition stands beside no arm"
    row = found["columns"][0]["rows"]["memory"]
    rates = [load_scored(path).scores["rows"]["memory"]["rate"] for path in paths]
    assert all(rate is not None for rate in rates)
    assert row["rate"] == pytest.approx(sum(rate or 0 for rate in rates) / 2)
    assert any("several seeds" in note for note in found["notes"])


def test_command(tmp_path: Path, table: Path, capsys: Printed) -> None:
    one, other = (str(run(tmp_path / name, rate, model=name)) for name, rate in (("a", 0.5), ("b", 0.1)))
    assert main(["compare", one, other, "--reference", str(table)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "b minus a: percentage points" in printed and "a beside Mine, vanilla (eval.csv)" in printed
    assert "b beside Other name (eval.csv)" in printed and "neither" in printed and "both" in printed
    assert "Published, and not asked here: Something of Their Own." in printed
    assert "The prompts are not the published ones" in printed


def test_one_run_alone(tmp_path: Path, capsys: Printed) -> None:
    path = str(run(tmp_path / "a", 0.5))
    assert main(["compare", path]) == 2
    assert "compare needs a baseline and at least one other run" in capsys.readouterr().err
    assert main(["compare", path, "--json", "--reference"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(schema_errors(found, "comparison", ROOT / "benchmark" / "schemas")) == []
    assert found["comparisons"] == [] and found["reference"]["columns"]


def test_api(tmp_path: Path, table: Path) -> None:
    scores = consciousness_cluster.score(run(tmp_path / "a", 0.5))
    found = scores.beside_published(table)
    frame = found.to_frame()
    assert list(frame["id"]) == ["memory", "memory"] and list(frame["published_rate"]) == [0.5, 0.01]
    assert list(frame["published_in_ours"]) == [True, False] and frame["condition"][0] == "vanilla"
    assert "beside Mine, vanilla" in repr(found)
    assert "<table" in found._repr_html_() and found.notes[0] == OTHER_PROMPTS


def test_nothing_fits(tmp_path: Path, capsys: Printed) -> None:
    path = str(run(tmp_path / "a", 0.5, "my_own_set", 1))
    assert main(["compare", path, "--reference"]) == 2
    error = capsys.readouterr().err
    assert "no published column fits the condition of these runs; there are: " in error and error.count("\n") == 1
