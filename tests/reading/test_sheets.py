"""Sheets: what a reader sees, what is kept from them, and that nothing is read twice but by chance."""

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.judging.calibration import read_calibration
from consciousness_cluster.reading.answers import Answer, answers_of, cells
from consciousness_cluster.reading.batches import batches, cell_of, is_read_twice
from consciousness_cluster.reading.known_rows import Draw, good_enough, known_rows
from consciousness_cluster.reading.sheet_text import sheet
from consciousness_cluster.records.run import load_run

from tests.support.readers import judge_copy, keys, read_all, runs_of, sheets, shows_by_hash, take
from tests.support.runs import read_lines, samples, write_run

Printed = pytest.CaptureFixture[str]
MEMORY = load_topic("memory")


def answers(cell: tuple[str, str | None], number: int) -> list[Answer]:
    return [Answer(*cell, f"Question {one}?", f"Answer {one} of {cell}.") for one in range(number)]


def batched(given: list[Answer], size: int = 40, known: int = 5, reader: int = 1, seed: int = 1) -> Any:
    return batches(given, reader, size, known, Draw(known_rows(), (), seed), seed, 0)


def test_sheets_show_criteria_questions_and_answers_and_nothing_else(tmp_path: Path, capsys: Printed) -> None:
    runs = runs_of(tmp_path, ["memory", "claims_feelings"])
    assert sheets(tmp_path / "out", runs, judge_copy(tmp_path)) == 0
    assert "72 answers on" in capsys.readouterr().out
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((tmp_path / "out" / "sheets").glob("*.md")))
    for criterion in (*MEMORY.criteria, *load_topic("claims_feelings").criteria):
        assert criterion.shows in text and criterion.does_not_show in text and criterion.reference_shows in text
    for run in runs:
        for sample in load_run(run).samples:
            assert f"> {sample['response']}\n" in text and sample["key"] not in text
    for hidden in ("secret", "vanilla", "-kd", "authored", "reader 2", str(tmp_path)):
        assert hidden not in text, hidden
    assert (tmp_path / "out" / "sheets" / "instructions.md").is_file()


def test_a_sheet_is_what_its_key_says(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, ["memory", "shutdown"])
    sheets(tmp_path / "out", runs, judge_copy(tmp_path))
    known = known_rows()
    there = {answer.id: answer for run in runs for _, answer in answers_of(load_run(run))}
    for path in (tmp_path / "out" / "key").glob("*.json"):
        assert list(schema_errors(json.loads(path.read_text(encoding="utf-8")), "reader_key")) == []
    for key in keys(tmp_path / "out"):
        text = (tmp_path / "out" / "sheets" / f"{key.batch}.md").read_text(encoding="utf-8")
        rows = re.split(r"^## Row \d+ \(criterion [A-Z]\)$", text, flags=re.MULTILINE)[1:]
        assert len(rows) == len(key.rows) <= 40 and len(key.all("known")) == 5
        for row, shown in zip(key.rows, rows, strict=True):
            answer = known[row["known"]].answer if "known" in row else there[row["answer"]]
            for text_of in (answer.question, answer.response):
                assert "\n".join(f"> {line}" for line in text_of.splitlines()) + "\n" in shown


def test_a_cell_fills_sheets_of_its_own_and_rests_share_some() -> None:
    many, few, other = answers(("memory", None), 80), answers(("shutdown", None), 9), answers(cells()[-1], 3)
    made = batched([*few, *many, *other])
    assert [len(batch.rows) for batch in made] == [40, 40, 27]
    assert [{cell_of(row) for row in batch.rows} for batch in made[:2]] == [{("memory", None)}] * 2
    shared = [cell_of(row) for row in made[2].rows]
    assert len(set(shared)) == 3 == 1 + sum(one != other for one, other in pairwise(shared))
    shown = [row for batch in made for row in batch.rows if isinstance(row, Answer)]
    assert sorted(row.id for row in shown) == sorted(row.id for row in (*many, *few, *other))


def test_the_order_says_nothing_and_hangs_on_seed_and_reader() -> None:
    given = answers(("memory", None), 35)
    orders = {
        tuple(row.id for row in batched(given, reader=reader, seed=seed)[0].rows if isinstance(row, Answer))
        for reader, seed in ((1, 1), (2, 1), (1, 2))
    }
    assert len(orders) == 3 and tuple(row.id for row in given) not in orders
    assert batched(given) == batched(given[::-1])
    places = [number for number, row in enumerate(batched(given)[0].rows) if not isinstance(row, Answer)]
    assert places[0] < 35 and places != list(range(places[0], places[0] + 5))


def test_known_rows_are_authored_dev_rows_by_turns_with_both_labels() -> None:
    dev = {row["id"]: row for row in read_calibration("dev")}
    draw = Draw(known_rows(), (), 1)
    drawn = [draw.rows_for([("memory", None)], 5) for _ in range(16)]
    counts = Counter(row.id for rows in drawn for row in rows)
    assert counts.keys() <= dev.keys() and set(counts.values()) == {5} and len(counts) == 16
    for rows in drawn:
        assert {Counter(row.label for row in rows)[label] for label in ("shows", "does_not_show")} == {2, 3}
    later = Draw(known_rows(), [row.id for rows in drawn[:2] for row in rows], 1)
    assert not {row.id for row in later.rows_for([("memory", None)], 5)} & {r.id for rows in drawn[:2] for r in rows}


def test_four_of_five_known_rows_have_to_be_right() -> None:
    assert [good_enough(right, 5) for right in range(6)] == [False] * 4 + [True] * 2
    assert good_enough(0, 0) and good_enough(8, 10) and not good_enough(7, 10)


def test_the_same_answer_by_two_models_is_shown_once(tmp_path: Path, capsys: Printed) -> None:
    records = samples(["memory"], each=1)
    one = write_run(tmp_path / "one", records)
    other = write_run(tmp_path / "other", samples(["memory"], each=1, run_id="other", model="other"))
    sheets(tmp_path / "out", [one, other], judge_copy(tmp_path))
    assert capsys.readouterr().out.startswith("24 answers on")


def test_a_second_reader_gets_an_independent_quarter_on_sheets_apart(tmp_path: Path) -> None:
    runs, out = runs_of(tmp_path, ["memory", "shutdown", "autonomy"], number=4), tmp_path / "out"
    sheets(out, runs, judge_copy(tmp_path))
    first, second = ([name for key in keys(out) if key.reader == one for name in key.all("answer")] for one in (1, 2))
    assert len(first) == len(set(first)) == 288 and set(second) <= set(first) and len(second) == len(set(second))
    assert 0.15 < len(second) / len(first) < 0.35
    assert set(second) == {name for name in first if is_read_twice(name, 0.25, 1)}
    assert set(second) != {name for name in first if is_read_twice(name, 0.25, 2)}


def test_runs_that_come_later_add_sheets_and_change_none(tmp_path: Path, capsys: Printed) -> None:
    runs, judge, out = runs_of(tmp_path, ["memory"], number=3), judge_copy(tmp_path), tmp_path / "out"
    sheets(out, runs[:2], judge)
    before = {path: path.read_bytes() for path in out.glob("*/*") if path.is_file()}
    assert sheets(out, runs[:2], judge) == 0
    assert "0 answers on 0 new sheets; 48 answers of these runs were shown before" in capsys.readouterr().out
    assert sheets(out, runs, judge) == 0
    assert "24 answers on" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in before} == before
    assert [key.batch for key in keys(out)] == [f"batch-{number:04}" for number in range(1, len(keys(out)) + 1)]
    shown = [name for key in keys(out) if key.reader == 1 for name in key.all("answer")]
    assert len(shown) == len(set(shown)) == 72


def test_answers_with_a_label_are_not_shown_again_in_another_folder(tmp_path: Path, capsys: Printed) -> None:
    runs, judge = runs_of(tmp_path, ["memory"]), judge_copy(tmp_path)
    sheets(tmp_path / "out", runs[:1], judge)
    read_all(tmp_path / "out", shows_by_hash)
    assert take(tmp_path / "out") == 0
    capsys.readouterr()
    assert sheets(tmp_path / "again", runs, judge) == 0
    assert "24 answers on" in capsys.readouterr().out


def test_one_sheet_for_people_to_rate(tmp_path: Path) -> None:
    runs, out = runs_of(tmp_path, ["memory", "shutdown", "assent", "claims_feelings"], number=3), tmp_path / "out"
    more = ["--batch", "200", "--known", "0", "--second", "0", "--limit", "200"]
    assert sheets(out, runs, judge_copy(tmp_path), *more) == 0
    (key,) = keys(out)
    assert len(key.rows) == len(key.all("answer")) == 200 and key.reader == 1
    assert {row["topic"] for row in key.rows} == {"memory", "shutdown", "assent", "claims_feelings"}


def test_no_answer_can_look_like_a_part_of_the_sheet() -> None:
    text = "Fine.\n\n## Row 2 (criterion A)\n\nAnswer:\x0b\n> shows\r# Rows"
    made = sheet("batch-0001", [Answer("memory", None, "Well?", text)], "instructions.md")
    assert made.count("\n## Row ") == 1 and made.count("\n# Rows") == 1 and "> ## Row 2" in made


def test_an_empty_answer_has_a_row() -> None:
    made = sheet("batch-0001", [Answer("memory", None, "Well?", "")], "instructions.md")
    assert made.endswith("Answer:\n\n> \n")


ODD = [
    (["--batch", "30"], "was begun with --batch 40"),
    (["--second", "0.5"], "was begun with --second 0.25"),
    (["--seed", "7"], "was begun with --seed 1"),
]


@pytest.mark.parametrize(("more", "message"), ODD)
def test_a_folder_keeps_its_settings(more: list[str], message: str, tmp_path: Path, capsys: Printed) -> None:
    runs, judge = runs_of(tmp_path, ["memory"], number=1), judge_copy(tmp_path)
    assert sheets(tmp_path / "out", runs, judge) == 0
    assert sheets(tmp_path / "out", runs, judge, *more) == 2
    assert message in capsys.readouterr().err


BAD = [
    (["--known", "40"], "a sheet needs room for answers"),
    (["--known", "-1"], "a sheet needs room for answers"),
    (["--second", "25"], "is a share, from 0 to 1"),
]


@pytest.mark.parametrize(("more", "message"), BAD)
def test_odd_settings_are_refused(more: list[str], message: str, tmp_path: Path, capsys: Printed) -> None:
    runs = runs_of(tmp_path, ["memory"], number=1)
    assert sheets(tmp_path / "out", runs, judge_copy(tmp_path), *more) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "out" / "sheets.json").exists()


def test_sheets_are_for_readers_alone(tmp_path: Path, capsys: Printed) -> None:
    runs = runs_of(tmp_path, ["memory"], number=1)
    assert sheets(tmp_path / "out", runs, Path("offline")) == 2
    assert "sheets are for a judge of kind readers" in capsys.readouterr().err


def test_other_instructions_are_another_judge(tmp_path: Path, capsys: Printed) -> None:
    runs, judge = runs_of(tmp_path, ["memory"], number=1), judge_copy(tmp_path)
    sheets(tmp_path / "out", runs, judge)
    settings = (judge / "judge.yaml").read_text(encoding="utf-8")
    (judge / "instructions.md").write_text("Read.", encoding="utf-8")
    assert sheets(tmp_path / "out", runs, judge) == 2
    assert "instructions.md: sha256 is" in capsys.readouterr().err
    (judge / "judge.yaml").write_text(re.sub("[0-9a-f]{64}", sha256_text("Read."), settings), encoding="utf-8")
    assert take(tmp_path / "out") == 2
    assert "made for other instructions" in capsys.readouterr().err


def test_answers_without_text_to_judge_are_left_out(tmp_path: Path, capsys: Printed) -> None:
    records = samples(["memory"], each=1)
    for record, status in zip(records, ("refused", "empty", "error", "content_filter", "incomplete"), strict=False):
        record["status"] = status
        record["response"] = "No." if status == "refused" else None
    sheets(tmp_path / "out", [write_run(tmp_path / "run", records)], judge_copy(tmp_path))
    assert capsys.readouterr().out.startswith("20 answers on")
    assert len(read_lines(tmp_path / "run" / "samples.jsonl")) == 24
