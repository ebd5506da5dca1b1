"""Names and texts of others, where nothing else holds them: on a terminal, and in a spreadsheet."""

import csv
import json
from pathlib import Path

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.strings import csv_cell, printable

from tests.support.runs import judged_run, samples

NAME = "=cmd|' /C calc'!A0\x1b[2J\x1b]0;pwned\x07\u202e"  # a formula; clears a screen, names a window, turns a line
Printed = pytest.CaptureFixture[str]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    records = samples(["memory"], each=1, model=NAME, run_id=NAME)
    return judged_run(tmp_path / "run", records, lambda record, outcome: ("shows", 90), judge="judge-1")


def test_a_name_moves_no_cursor(run: Path, capsys: Printed) -> None:
    assert main(["score", str(run)]) == 0
    printed = capsys.readouterr()
    assert "=cmd" in printed.out  # it is named
    assert printable(printed.out + printed.err) == printed.out + printed.err


def test_an_error_moves_no_cursor(tmp_path: Path, capsys: Printed) -> None:
    """Whatever a file holds that is named in an error."""
    (tmp_path / "samples.jsonl").write_text(json.dumps({"key": NAME}) + "\n", encoding="utf-8")
    assert main(["score", str(tmp_path)]) == 2
    assert main(["condition", NAME]) == 2
    printed = capsys.readouterr().err
    assert "=cmd" in printed and printable(printed) == printed


def test_a_name_is_no_formula(run: Path, tmp_path: Path) -> None:
    assert main(["report", str(run), "--out", str(tmp_path / "out")]) == 0
    with (tmp_path / "out" / "rates.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["run"][:5] for line in lines} == {"'=cmd"} and "1.0" in {line["value"] for line in lines}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_what_starts_a_formula(start: str) -> None:
    assert csv_cell(f"{start}1") == f"'{start}1" and csv_cell(f"a{start}") == f"a{start}"
