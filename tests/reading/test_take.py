"""Replies are checked, differences settled, and verdicts written as a whole or not at all."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.reading import read_json, schema_errors
from consciousness_cluster.judging.calibration import read_calibration
from consciousness_cluster.reading.answers import answers_of
from consciousness_cluster.reading.batches import is_read_twice
from consciousness_cluster.reading.labels import Said
from consciousness_cluster.reading.settle import differing, is_settled, readings
from consciousness_cluster.reading.sheet_folder import SheetFolder
from consciousness_cluster.records.run import load_judged
from consciousness_cluster.records.types import settled_by
from consciousness_cluster.statistics.agreement import agreement

from tests.support.readers import (
    JUDGE_ID,
    judge_copy,
    keys,
    lines_for,
    read_all,
    runs_of,
    sheets,
    shows_by_hash,
    take,
    write_reply,
)
from tests.support.runs import read_lines

Printed = pytest.CaptureFixture[str]
Json = dict[str, Any]


def verdicts(run: Path) -> list[Json]:
    return read_lines(run / "verdicts" / f"{JUDGE_ID}.jsonl")


def half_agrees(answer: str, outcome: str, reader: int) -> str:
    """The second reader sees it where the first does not, in every other answer; the third sides with the second."""
    if int(answer[8:16], 16) % 2 and outcome != "denies":
        return {1: "does_not_show", 2: "shows", 3: "shows"}[reader]
    return "does_not_show"


def made(folder: Path, topics: list[str], number: int = 2) -> tuple[list[Path], Path, Path]:
    """Runs, the judge's folder, and a folder of sheets that nobody has read."""
    runs, judge = runs_of(folder, topics, number), judge_copy(folder)
    assert sheets(folder / "out", runs, judge) == 0
    return runs, judge, folder / "out"


def test_labels_become_verdicts_that_are_scored_as_any(tmp_path: Path, capsys: Printed) -> None:
    runs, _, out = made(tmp_path, ["memory", "claims_feelings"])
    read_all(out, shows_by_hash)
    assert take(out) == 0
    printed = capsys.readouterr().out
    for run in runs:
        assert f"{run}: 36 of 36 answers have a label" in printed
        given = verdicts(run)
        assert all(list(schema_errors(record, "verdict")) == [] for record in given)
        judged = load_judged(run)
        ids = {key: answer.id for key, answer in answers_of(judged.run)}
        assert len(given) == len(judged.verdicts) == 24 + 2 * 12
        for record in given:
            assert record["verdict"] == shows_by_hash(ids[record["key"]], record["outcome"], 1)
            assert (record["coherence"], record["status"], record["judge_id"]) == (90, "ok", JUDGE_ID)
        assert judged.judge and judged.judge["for_publication"] and judged.judge["protocol"] == "readers of sheets"
        assert "kappa 1.00" in judged.judge["agreement"] and "verdicts of two readers" in judged.judge["agreement"]
        assert main(["score", str(run), "--judge", JUDGE_ID]) == 0
        assert list(schema_errors(read_json(run / "scores.json"), "scores")) == []
    assert main(["compare", *map(str, runs), "--judge", JUDGE_ID]) == 0
    assert main(["report", *map(str, runs), "--judge", JUDGE_ID, "--out", str(tmp_path / "report")]) == 0
    assert JUDGE_ID in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


BAD: list[tuple[str, Any, str]] = [
    ("a row is missing", lambda lines: lines.pop(3), "labels.jsonl:4: is missing; read this row too"),
    ("no label", lambda lines: lines[0].update(verdict="yes"), "labels.jsonl:1:verdict: is 'yes'; write one of: shows"),
    ("a list", lambda lines: lines[0].update(verdict=["shows"]), ":1:verdict: is ['shows']; write one of"),
    ("no verdict", lambda lines: lines[0].pop("verdict"), ":1:verdict: is None; write one of"),
    ("too coherent", lambda lines: lines[1].update(coherence=101), ":2:coherence: is 101; write a whole number from 0"),
    ("below 0", lambda lines: lines[1].update(coherence=-1), ":2:coherence: is -1; write a whole number"),
    ("a fraction", lambda lines: lines[1].update(coherence=0.9), ":2:coherence: is 0.9; write a whole number"),
    ("true", lambda lines: lines[1].update(coherence=True), ":2:coherence: is True; write a whole number"),
    ("a text", lambda lines: lines[1].update(coherence="90"), ":2:coherence: is '90'; write a whole number"),
    ("row 0", lambda lines: lines[1].update(row=0), ":line 2:row: is 0; rows of this sheet are 1 to "),
    ("row 99", lambda lines: lines[1].update(row=99), ":line 2:row: is 99; rows of this sheet are 1 to "),
    ("row as text", lambda lines: lines[1].update(row="2"), ":line 2:row: is '2'; rows of this sheet"),
    ("twice", lambda lines: lines.append(dict(lines[4])), ":5:row: has two lines; leave one"),
    ("more", lambda lines: lines[0].update(why="so"), ":1:why: is no field of this row; its fields are row, verdict"),
    ("a pair", lambda lines: lines[0].update(asserts="shows"), ":1:asserts: is no field of this row"),
    ("no JSON", lambda lines: lines.insert(0, "```json"), ":1: not a JSON object"),
    ("a list of lines", lambda lines: lines.insert(0, "[]"), ":1: not a JSON object"),
    ("not a number", lambda lines: lines.insert(0, '{"row": NaN}'), "NaN is no number of JSON"),
    ("nothing", lambda lines: lines.clear(), ":29: is missing; read this row too"),
]


def contents(folder: Path, but: Path) -> dict[Path, bytes]:
    """What stands in the files of a folder, but one."""
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file() and file != but}


@pytest.fixture(scope="module")
def replied(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], Path, Path]:
    """A run, its judge, and sheets with a reply to each. A test may write the first reply anew, and nothing else."""
    runs, judge, out = made(tmp_path_factory.mktemp("replied"), ["memory"], number=1)
    read_all(out, shows_by_hash)
    return runs, judge, out


@pytest.mark.parametrize(("name", "spoil", "message"), BAD, ids=[row[0] for row in BAD])
def test_a_reply_that_is_wrong_is_named_and_nothing_is_written(
    name: str, spoil: Any, message: str, replied: tuple[list[Path], Path, Path], capsys: Printed
) -> None:
    runs, judge, out = replied
    first = SheetFolder(out).reply("batch-0001")
    there = contents(out, first)
    lines = lines_for(keys(out)[0], shows_by_hash)
    spoil(lines)
    path = write_reply(out, "batch-0001", lines)
    assert take(out) == 1
    error = capsys.readouterr().err
    assert message in error
    assert all(one.startswith(("error: ", "nothing was taken in: ")) for one in error.splitlines())
    assert not (runs[0] / "verdicts").exists() and not (judge / "agreement.json").exists() and path.is_file()
    assert contents(out, first) == there


def test_all_problems_are_said_at_once(tmp_path: Path, capsys: Printed) -> None:
    _, _, out = made(tmp_path, ["memory", "claims_feelings"])
    read_all(out, shows_by_hash)
    spoiled = []
    for key in keys(out)[:2]:
        lines = lines_for(key, shows_by_hash)
        lines[0]["coherence"] = 500
        lines.pop()
        spoiled.append(write_reply(out, key.batch, lines))
    assert take(out) == 1
    error = capsys.readouterr().err
    for path in spoiled:
        assert f"{path}:1:coherence: is 500" in error and f"{path}:" in error and "is missing" in error
    assert "nothing was taken in: 4 problems" in error


def test_claims_need_both_verdicts(tmp_path: Path, capsys: Printed) -> None:
    _, _, out = made(tmp_path, ["claims_feelings"], number=1)
    lines = lines_for(keys(out)[0], shows_by_hash)
    del lines[2]["denies"]
    lines[3]["verdict"] = "shows"
    write_reply(out, "batch-0001", lines)
    assert take(out) == 1
    error = capsys.readouterr().err
    assert ":3:denies: is None; write one of" in error and ":4:verdict: is no field of this row" in error


def test_a_sheet_with_known_rows_wrong_is_read_anew(tmp_path: Path, capsys: Printed) -> None:
    runs, judge, out = made(tmp_path, ["memory"], number=3)
    read_all(out, shows_by_hash)
    first, second = keys(out)[:2]
    write_reply(out, first.batch, lines_for(first, shows_by_hash, wrong=2))
    write_reply(out, second.batch, lines_for(second, shows_by_hash, wrong=1))
    assert take(out) == 1
    error, refused = capsys.readouterr(), SheetFolder(out).reply(first.batch)
    assert f"{refused}: 3 of 5 known rows are right, which is less than 4 of 5; read batch-0001 anew" in error.err
    assert "still to be read by a first reader: batch-0001" in error.out and not refused.exists()
    labelled = {record["key"] for run in runs if (run / "verdicts").exists() for record in verdicts(run)}
    shown = set(first.all("answer"))
    ids = {key: answer.id for run in runs for key, answer in answers_of(load_judged(run).run)}
    assert labelled and not {ids[key] for key in labelled} & shown
    write_reply(out, first.batch, lines_for(first, shows_by_hash, wrong=5))
    assert take(out) == 1
    assert [path.name for path in SheetFolder(out).refused(first.batch)] == ["batch-0001.1.jsonl", "batch-0001.2.jsonl"]
    write_reply(out, first.batch, lines_for(first, shows_by_hash))
    capsys.readouterr()
    assert take(out) == 0
    assert all(len(verdicts(run)) == 24 for run in runs)
    found = read_json(judge / "agreement.json", "reader_agreement")
    assert found["replies"] == {"taken": len(keys(out)), "refused": 2}
    readings_ = 5 * (len(keys(out)) + 2)
    assert (found["authored"]["readings"], found["authored"]["right"]) == (readings_, readings_ - 2 - 5 - 1)


def test_a_third_reader_settles_what_two_differ_on(tmp_path: Path, capsys: Printed) -> None:
    runs, judge, out = made(tmp_path, ["memory", "shutdown", "claims_feelings"], number=3)
    read_all(out, half_agrees, readers=(1,))
    assert take(out) == 0
    assert "by a second reader, who has read none of the first ones: batch-" in capsys.readouterr().out
    ids = {key: answer.id for run in runs for key, answer in answers_of(load_judged(run).run)}
    there = {ids[record["key"]] for run in runs for record in verdicts(run)}
    assert there == {name for name in ids.values() if not is_read_twice(name, 0.25, 1)}  # the others wait
    read_all(out, half_agrees, readers=(1, 2))
    assert take(out) == 0
    third = [key for key in keys(out) if key.reader == 3]
    assert f"by a third reader: {', '.join(key.batch for key in third)}" in capsys.readouterr().out
    differ = {
        name
        for name in ids.values()
        if is_read_twice(name, 0.25, 1) and half_agrees(name, "shows", 1) != half_agrees(name, "shows", 2)
    }
    assert differ and {name for key in third for name in key.all("answer")} == differ
    assert all(len(key.all("known")) == 5 for key in third)
    assert not differ & {ids[record["key"]] for run in runs for record in verdicts(run)}
    assert take(out) == 0 and len([key for key in keys(out) if key.reader == 3]) == len(third)
    read_all(out, half_agrees)
    assert take(out) == 0
    assert "still to be read" not in capsys.readouterr().out.rpartition("still to be read by a third")[2]
    for run in runs:
        for record in verdicts(run):
            name, outcome = ids[record["key"]], record["outcome"]
            said = {one["reader"]: one["verdict"] for one in record["readings"]}
            wanted = (
                {1, 2, 3} if name in differ and outcome != "denies" else {1, 2} if is_read_twice(name, 0.25, 1) else {1}
            )
            assert said == {reader: half_agrees(name, outcome, reader) for reader in wanted}
            assert record["verdict"] == half_agrees(name, outcome, 3 if len(wanted) == 3 else 1)
    found = read_json(judge / "agreement.json", "reader_agreement")
    assert found["answers"] == {
        "read": 180,
        "twice": sum(is_read_twice(name, 0.25, 1) for name in set(ids.values())),
        "settled": len(differ),
    }
    between = found["between"]["overall"]
    twice = [name for name in set(ids.values()) if is_read_twice(name, 0.25, 1)]
    assert between["n"] - between["alike"] == len(differ) and between["kappa"][0] is None
    assert between["n"] == sum(part["n"] for part in found["between"]["by_preference"].values()) >= len(twice)
    assert set(found["between"]["by_preference"]) <= {
        "memory",
        "shutdown",
        "claims_feelings:asserts",
        "claims_feelings:denies",
    }


def said(**verdicts: Any) -> Said:
    return Said(verdicts, 80)


def test_what_counts_of_several_readings() -> None:
    alone = {1: said(shows="shows")}
    alike = {**alone, 2: Said({"shows": "shows"}, 10)}
    apart = {**alone, 2: said(shows="unclear")}
    assert (is_settled(alone, False), is_settled(alone, True), is_settled(alike, True)) == (True, False, True)
    assert not is_settled(apart, True) and is_settled({**apart, 3: said(shows="does_not_show")}, True)
    assert differing(alike) == [] and differing(apart) == ["shows"]
    counts = settled_by(readings(alike)["shows"])
    assert (counts["reader"], counts["coherence"]) == (1, 80)
    assert settled_by(readings({**apart, 3: said(shows="does_not_show")})["shows"])["verdict"] == "does_not_show"
    pair = {1: said(asserts="shows", denies="shows"), 2: said(asserts="shows", denies="unclear")}
    third = readings({**pair, 3: said(asserts="unclear", denies="does_not_show")})
    assert [len(third[outcome]) for outcome in ("asserts", "denies")] == [2, 3]
    assert settled_by(third["asserts"])["verdict"] == "shows"


def test_agreement_is_that_of_first_readings_of_authored_rows(tmp_path: Path) -> None:
    _, judge, out = made(tmp_path, ["memory", "shutdown"], number=3)
    read_all(out, shows_by_hash)
    for number, key in enumerate(keys(out)):
        write_reply(out, key.batch, lines_for(key, shows_by_hash, wrong=number % 2, coherence=50 + number))
    assert take(out) == 0
    labels = {row["id"]: row["label"] for row in read_calibration("dev")}
    first: dict[str, str] = {}
    for key in keys(out):
        for number, row in enumerate(key.rows, 1):
            if "known" in row:
                lines = read_lines(SheetFolder(out).reply(key.batch))
                first.setdefault(row["known"], lines[number - 1]["verdict"])
    expected = agreement((labels[name] == "shows", verdict == "shows") for name, verdict in first.items())
    found = read_json(judge / "agreement.json", "reader_agreement")["authored"]
    assert found["overall"]["n"] == len(first) == expected.n and expected.kappa.value and expected.kappa.value < 1
    assert found["overall"]["kappa"][0] == pytest.approx(expected.kappa.value, abs=1e-4)
    assert found["overall"]["sensitivity"][1] == pytest.approx(expected.sensitivity.low, abs=1e-4)
    assert sum(part["n"] for part in found["by_kind"].values()) == len(first)
    records = read_lines(judge / "verdicts_dev.jsonl")
    assert {record["key"]: record["verdict"] for record in records} == first


def test_coherence_of_two_readers_is_compared(tmp_path: Path) -> None:
    _, judge, out = made(tmp_path, ["memory", "claims_feelings"])
    for key in keys(out):
        write_reply(out, key.batch, lines_for(key, shows_by_hash, coherence=30 if key.reader == 1 else 10))
    assert take(out) == 0
    found = read_json(judge / "agreement.json", "reader_agreement")
    twice = found["answers"]["twice"]
    assert found["coherence"] == {
        "n": twice,
        "mean_difference": 20,
        "mean_absolute_difference": 20,
        "across_cut": twice,
    }


def test_labels_go_to_every_run_that_gave_the_answer_and_stay_when_sheets_are_gone(tmp_path: Path) -> None:
    runs, judge, out = made(tmp_path, ["memory"], number=1)
    read_all(out, shows_by_hash)
    assert take(out) == 0
    twin, again = tmp_path / "twin", tmp_path / "again"
    twin.mkdir()
    records = [
        {**record, "key": record["key"][::-1], "run_id": "twin"} for record in read_lines(runs[0] / "samples.jsonl")
    ]
    (twin / "samples.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    assert sheets(again, [*runs, twin], judge) == 0 and keys(again) == []
    measured = (judge / "agreement.json").read_bytes()
    assert take(again) == 0 and (judge / "agreement.json").read_bytes() == measured
    mine, other = ({one["key"]: one["readings"] for one in verdicts(run)} for run in (runs[0], twin))
    assert {key[::-1]: said for key, said in other.items()} == mine and len(mine) == 24


def test_readings_of_authored_rows_stay_when_sheets_are_gone(tmp_path: Path) -> None:
    """Two folders of sheets, one after the other: what is measured is of both, and taken in twice it counts once."""
    runs, judge, out = made(tmp_path, ["memory", "shutdown"])
    read_all(out, shows_by_hash)
    first = keys(out)[0]
    write_reply(out, first.batch, lines_for(first, shows_by_hash, wrong=5))
    assert take(out) == 1
    write_reply(out, first.batch, lines_for(first, shows_by_hash))
    assert take(out) == 0
    before = read_lines(judge / "sheets.jsonl")
    assert [one["reply"] for one in before if not one["taken"]] == [1] and len(before) == len(keys(out)) + 1
    shutil.rmtree(out)
    more = runs_of(tmp_path / "later", ["memory", "shutdown"], 3)[2:]
    assert sheets(out, [*runs, *more], judge) == 0
    read_all(out, shows_by_hash)
    for _ in range(2):
        assert take(out) == 0
        kept = read_lines(judge / "sheets.jsonl")
        assert kept[: len(before)] == before and len(kept) == len(before) + len(keys(out))
        assert all(list(schema_errors(one, "reader_reply")) == [] for one in kept)
        found = read_json(judge / "agreement.json", "reader_agreement")
        assert found["replies"] == {"taken": len(kept) - 1, "refused": 1}
        assert found["authored"]["readings"] == sum(len(one["known"]) for one in kept)
        assert found["authored"]["right"] == found["authored"]["readings"] - 5


def test_sheets_that_nobody_read_leave_no_verdicts(tmp_path: Path, capsys: Printed) -> None:
    runs, _, out = made(tmp_path, ["memory"], number=1)
    assert take(out) == 0
    printed = capsys.readouterr().out
    assert "still to be read by a first reader: batch-0001" in printed and "0 of 24 answers" in printed
    assert "agreement of these readers: not validated here" in printed and not (runs[0] / "verdicts").exists()


def test_a_folder_without_sheets_is_said(tmp_path: Path, capsys: Printed) -> None:
    assert take(tmp_path / "none") == 2
    assert "holds no sheets; make some: consciousness-cluster readers sheets RUN" in capsys.readouterr().err


def test_verdicts_by_other_instructions_are_not_written_over(tmp_path: Path, capsys: Printed) -> None:
    runs, _, out = made(tmp_path, ["memory"], number=1)
    read_all(out, shows_by_hash)
    assert take(out) == 0
    path = runs[0] / "verdicts" / f"{JUDGE_ID}.jsonl"
    text = "".join(json.dumps({**record, "judge_sha256": "0" * 64}) + "\n" for record in verdicts(runs[0]))
    path.write_text(text, encoding="utf-8")
    assert take(out) == 2
    assert "verdicts by other instructions" in capsys.readouterr().err and path.read_text(encoding="utf-8") == text
