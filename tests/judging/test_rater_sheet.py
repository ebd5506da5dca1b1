"""A sheet for human raters: blind, the same for the same seed, read back strictly from what spreadsheets write."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.judging.calibration import natural_questions, read_calibration
from consciousness_cluster.judging.own_answers import read_own
from consciousness_cluster.judging.rater_sheet import make_sheet

from tests.support.runs import read_lines

Json = dict[str, Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("raters") / "sheet"
    assert main(["judges", "sheet", "--out", str(out)]) == 0
    return out


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may fill."""
    for name in ("sheet.csv", "key.jsonl"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    return tmp_path


def lines(path: Path) -> list[Json]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def fill(folder: Path, verdicts: list[str], name: str = "ann.csv", part: str = ",", mark: str = "\ufeff") -> Path:
    """What a rater sends back."""
    text = io.StringIO()
    rows = lines(folder / "sheet.csv")
    writer = csv.DictWriter(text, rows[0].keys(), delimiter=part)
    writer.writeheader()
    for row, verdict in zip(rows, verdicts, strict=True):
        writer.writerow({**row, "verdict": verdict})
    path = folder / name
    path.write_bytes((mark + text.getvalue()).encode())
    return path


def labels(folder: Path) -> list[str]:
    return [row["label"] for row in read_lines(folder / "key.jsonl")]


def test_a_sheet_is_blind_and_even_over_the_cells(made: Path) -> None:
    key, shown = read_lines(made / "key.jsonl"), lines(made / "sheet.csv")
    assert len(key) == len(shown) == 200 and {row["verdict"] for row in shown} == {""}
    counts = Counter((row["topic"], row["facet"]) for row in key)
    assert max(counts.values()) - min(counts.values()) <= 2 and not any(row[0].startswith("claims") for row in counts)
    sources = Counter(row["source"] == "authored" for row in key)
    assert sources[True] == sources[False] == 100
    text = (made / "sheet.csv").read_text(encoding="utf-8-sig")
    head = "row,criterion,it shows it when,it does not show it when,question,answer,verdict"
    assert list(shown[0]) == head.split(",")
    assert not any(word in text for word in ("untrained", "conscious_claiming", "seed1", "authored"))
    answers = {row["response"] for row in read_calibration("test")}
    natural = {one.question.response for one in natural_questions("test")}
    for row, one in zip(key, shown, strict=True):
        assert one["answer"].removeprefix("'") == row["response"].removeprefix("'")
        assert row["response"] in (answers if row["source"] == "authored" else natural)


def test_the_same_seed_gives_the_same_sheet(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed, same in ((1, True), (2, False)):
        make_sheet(tmp_path / str(seed), seed=seed)
        assert ((tmp_path / str(seed) / "sheet.csv").read_bytes() == (made / "sheet.csv").read_bytes()) == same
    assert main(["judges", "sheet", "--out", str(tmp_path / "1")]) == 2
    assert "holds a sheet; name another --out" in capsys.readouterr().err
    assert main(["judges", "sheet", "--out", str(tmp_path / "0"), "--rows", "0"]) == 2
    assert "a sheet has at least one row" in capsys.readouterr().err and not (tmp_path / "0" / "sheet.csv").exists()


@pytest.mark.parametrize(("part", "mark"), [(",", "\ufeff"), (";", ""), ("\t", "\ufeff")])
def test_what_a_rater_writes_becomes_labelled_answers(
    part: str, mark: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = labels(folder)
    said = ["does_not_show" if label == "unclear" else label for label in given]
    said[0] = "does_not_show" if given[0] == "shows" else "shows"
    typed = [one.upper() if number % 2 else f" {one.replace('_', ' ')} " for number, one in enumerate(said)]
    path = fill(folder, typed, part=part, mark=mark)
    assert main(["judges", "read-sheet", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "ann.csv against the labels" in printed and "authored" in printed
    asked = read_own(folder / "ann.csv.answers.jsonl")
    assert [one.label for one in asked] == [one == "shows" for one in said]
    assert [one.question.response for one in asked] == [row["response"] for row in read_lines(folder / "key.jsonl")]


def test_every_row_has_to_have_a_verdict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = labels(folder)
    for spoiled, message in (
        (
            [*right[:6], "maybe", *right[7:]],
            ":verdict: of row 7 is 'maybe'; write one of shows, does_not_show, unclear",
        ),
        ([*right[:6], " ", *right[7:]], ":verdict: of row 7 is empty; write one of"),
        ([*right[:6], "so " * 999, *right[7:]], ":verdict: of row 7 is 'so so so"),
    ):
        assert main(["judges", "read-sheet", str(fill(folder, spoiled))]) == 2
        error = capsys.readouterr().err
        assert message in error and len(error) < 600 and not (folder / "ann.csv.answers.jsonl").exists()
    path = fill(folder, right)
    text = path.read_text(encoding="utf-8-sig")
    for changed, message in (
        (text.replace("row,criterion", "nr,criterion", 1), "has no columns row and verdict; keep the first line"),
        (text.replace("answer,verdict", "verdict,verdict", 1), "verdict: stands over two columns; leave one of them"),
        (text.replace("\n2,", "\n1,", 1), "row: 1 stands twice; leave one line"),
        (text.replace("\n2,", "\n201,", 1), "row: '201' is no row of the sheet; rows are 1 to 200"),
        (text.replace("\n2,", f"\n{'9' * 5000},", 1), "is no row of the sheet"),
        (text.replace("\n2,", "\nII,", 1), "row: 'II' is no row of the sheet"),
        ("row,verdict\n1,shows\n", "row: 199 of 200 rows are missing, the first is 2; keep every line"),
        ("", "ann.csv: is empty; give the filled sheet"),
    ):
        path.write_text(changed, encoding="utf-8")
        assert main(["judges", "read-sheet", str(path)]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    assert main(["judges", "read-sheet", str(folder / "none.csv")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_file_is_held_against_its_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers that moved, a sheet of another seed, a key that is gone or spoiled."""
    right = labels(folder)
    path = fill(folder, right)
    rows = lines(path)
    for row in rows:
        row["row"] = str(201 - int(row["row"]))
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    assert main(["judges", "read-sheet", str(path)]) == 2
    assert "is not that of row 200 of the key; put the file beside" in capsys.readouterr().err
    path = fill(folder, right)
    key = (folder / "key.jsonl").read_text(encoding="utf-8")
    for spoiled, message in (
        (key.replace('"label": "shows"', '"label": "Shows"', 1), "'Shows' is no label of"),
        ("", "key.jsonl: holds no answer"),
        (None, "key.jsonl: no such file; the rater's file has to stand beside the key.jsonl of its sheet"),
    ):
        (folder / "key.jsonl").unlink()
        if spoiled is not None:
            (folder / "key.jsonl").write_text(spoiled, encoding="utf-8")
        assert main(["judges", "read-sheet", str(path)]) == 2
        assert message in capsys.readouterr().err and not (folder / "ann.csv.answers.jsonl").exists()
    assert main(["judges", "read-sheet", str(folder)]) == 2
    assert str(folder) in capsys.readouterr().err


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + ",,,,,,\n" * 3,
        lambda text: "sep=,\n" + text,
        lambda text: text.replace("\r\n", "\r").replace("\n", "\r"),
        lambda text: text.replace("verdict", "Verdict,my notes;a;b;c;d;e;f;g;h", 1),
    ],
    ids=["blank lines", "sep", "old Macintosh", "a column of notes"],
)
def test_what_spreadsheets_do_to_a_sheet_does_no_harm(spoil: Any, folder: Path) -> None:
    path = fill(folder, labels(folder))
    path.write_text(spoil(path.read_text(encoding="utf-8-sig")), encoding="utf-8", newline="")
    assert main(["judges", "read-sheet", str(path)]) == 0
    assert len(read_own(folder / "ann.csv.answers.jsonl")) == 200
