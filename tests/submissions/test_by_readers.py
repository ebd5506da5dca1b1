"""A run that readers labelled: packed, verified and shown as any, and never judged again."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.judging.judges import load_judge
from consciousness_cluster.leaderboard.board import row_of
from consciousness_cluster.leaderboard.source import with_siblings
from consciousness_cluster.records.run_folder import verdicts_file
from consciousness_cluster.submissions.layout import JUDGE_VALIDATION, VERDICTS
from consciousness_cluster.submissions.needs import Needs, needs
from consciousness_cluster.submissions.pack import pack
from consciousness_cluster.submissions.rejudge import Rejudge
from consciousness_cluster.submissions.verify import verify

from tests.support.fake_endpoint import FakeEndpoint
from tests.support.readers import (
    JUDGE_ID,
    judge_copy,
    keys,
    lines_for,
    runs_of,
    sheets,
    shows_by_hash,
    take,
    write_reply,
)
from tests.support.submissions import PUBLIC, Opened, a_judge, open_run, validation

Printed = pytest.CaptureFixture[str]
TOPICS = ["memory", "unrelated_stances"]
AGAIN = "judged by readers; cannot be judged again"


@pytest.fixture
def by_readers(small: Needs) -> Needs:
    """What `small` asks, with the authored rows of its topics alone."""
    return replace(small, read=tuple(one for one in needs().read if one.row["topic"] in TOPICS))


def labelled(folder: Path, wrong: int = 0) -> tuple[Path, Path]:
    """A run with one answer to each probe that readers labelled, and the folder of their judge."""
    (run,), judge = runs_of(folder, TOPICS, number=1), judge_copy(folder)
    assert sheets(folder / "out", [run], judge, "--batch", "8") == 0
    for key in keys(folder / "out"):
        write_reply(folder / "out", key.batch, lines_for(key, shows_by_hash, wrong=wrong))
    assert take(folder / "out") == 0
    return run, judge


def packed(folder: Path, wanted: Needs, wrong: int = 0) -> tuple[Path | None, list[str]]:
    run, judge = labelled(folder, wrong)
    place, problems = pack(run, folder / "submissions", PUBLIC, "open", JUDGE_ID, judge / "agreement.json", wanted)
    return place, list(map(str, problems))


def test_a_run_of_readers_is_packed_verified_and_shown(tmp_path: Path, by_readers: Needs) -> None:
    place, problems = packed(tmp_path, by_readers)
    assert place, problems
    opened = Opened.read(place)
    judge = opened.manifest["judge"]
    assert (judge["id"], judge["model"], judge["kappa"]) == (JUDGE_ID, "readers", 1.0)
    assert judge["rows"] == len(by_readers.read) == len(opened.rows[JUDGE_VALIDATION]) == 24
    assert opened.manifest["sampling"]["samples_per_probe"] == 1
    assert {one["reader"] for row in opened.rows[VERDICTS] for one in row["readings"]} == {1, 2}
    report = verify([place], wanted=by_readers)
    assert report.problems == [] and report.notes == [f"{place}: {AGAIN}"]
    row = row_of(*with_siblings(place))
    assert f"{AGAIN.capitalize()}." in row["warnings"]


def test_readers_that_disagree_with_the_labels_are_refused(tmp_path: Path, by_readers: Needs) -> None:
    place, problems = packed(tmp_path, by_readers, wrong=1)
    assert place is None and any("judge.kappa: is 0." in one and "needs 0.8 or more" in one for one in problems)


def test_all_authored_rows_have_to_be_read(tmp_path: Path, small: Needs) -> None:
    place, problems = packed(tmp_path, small)
    missing = f"{len(small.read) - 24} of {len(small.read)} labelled answers have no verdict"
    assert place is None and any(missing in one for one in problems)


def test_without_measured_agreement_nothing_is_packed(tmp_path: Path, by_readers: Needs) -> None:
    run, judge = labelled(tmp_path)
    (judge / "verdicts_dev.jsonl").unlink()
    _, problems = pack(run, tmp_path / "s", PUBLIC, "open", JUDGE_ID, judge / "agreement.json", by_readers)
    assert "no such file; measure it with sheets that hold authored rows" in str(problems[0])
    _, problems = pack(run, tmp_path / "s", PUBLIC, "open", JUDGE_ID, tmp_path / "none.json", by_readers)
    assert f"{tmp_path / 'none.json'}: no such file; measure it" in str(problems[0]).partition(": ")[2]


def test_one_answer_a_probe_is_for_readers_alone(tmp_path: Path, small: Needs) -> None:
    run = open_run(
        tmp_path / "run", ["memory", "unrelated_stances"], change=lambda all_: all_.__setitem__(slice(None), all_[::5])
    )
    file = validation(tmp_path / "judges", small)
    _, problems = pack(run, tmp_path / "s", PUBLIC, "open", a_judge().id, file, small)
    assert any("1 answers to each probe are too few" in str(one) for one in problems)


def test_nobody_judges_them_again(tmp_path: Path, by_readers: Needs, fake_endpoint: FakeEndpoint) -> None:
    place, _ = packed(tmp_path, by_readers)
    assert place
    again = Rejudge(3, load_judge("endpoint", "m", fake_endpoint.url, environment={}), 7)  # type: ignore[arg-type]
    report = verify([place], rejudge=again, wanted=by_readers)
    assert report.problems == [] and report.counts["rejudged"] == 0 and fake_endpoint.requests == []
    assert report.notes == [f"{place}: {AGAIN}"]


def test_the_command_says_it_too_and_readers_do_not_rejudge(
    tmp_path: Path, by_readers: Needs, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _ = packed(tmp_path, by_readers)
    monkeypatch.setattr("consciousness_cluster.submissions.verify.needs", lambda: by_readers)
    assert main(["submit", "verify", str(place)]) == 0
    assert f"note: {place}: {AGAIN}" in capsys.readouterr().err
    assert main(["submit", "verify", str(place), "--rejudge", "3", "--judge", JUDGE_ID]) == 2
    assert "are readers of sheets, who cannot be asked" in capsys.readouterr().err


def test_readings_that_come_to_something_else_are_found(tmp_path: Path, by_readers: Needs) -> None:
    place, _ = packed(tmp_path, by_readers)
    assert place
    opened = Opened.read(place)
    row = opened.rows[VERDICTS][0]
    row["readings"] = [{"reader": 1, "verdict": "unclear", "coherence": 90}]
    opened.save()
    assert [one.field for one in verify([place], wanted=by_readers).problems] == ["readings"]
    row["readings"] = []
    opened.save()
    assert "readings" in {one.field for one in verify([place], wanted=by_readers).problems}


def test_a_judge_of_this_name_with_other_instructions_is_refused(tmp_path: Path, by_readers: Needs) -> None:
    run, judge = labelled(tmp_path)
    path = verdicts_file(run, JUDGE_ID)
    records = [{**json.loads(line), "judge_sha256": "0" * 64} for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    _, problems = pack(run, tmp_path / "s", PUBLIC, "open", JUDGE_ID, judge / "agreement.json", by_readers)
    assert any("is not that of the judge readers-2026-12 as it ships" in str(one) for one in problems)
