"""Readers as a judge: a value that cannot be asked, and whose verdicts are used as those of any."""

import json
from pathlib import Path

import consciousness_cluster as cc
import pytest
import yaml
from consciousness_cluster.cli.main import main
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.judge_run import about
from consciousness_cluster.judging.judges import ReadersJudge, askable, load_judge
from consciousness_cluster.judging.validate import RESULTS, in_words, known

from tests.conftest import ROOT
from tests.support.readers import JUDGE_ID, SHIPPED, judge_copy, read_all, runs_of, sheets, shows_by_hash, take

Printed = pytest.CaptureFixture[str]


def readers(folder: Path) -> ReadersJudge:
    judge = load_judge(str(folder))
    assert isinstance(judge, ReadersJudge)
    return judge


def labelled(folder: Path) -> tuple[Path, Path]:
    (run,), judge = runs_of(folder, ["memory"], number=1), judge_copy(folder)
    assert sheets(folder / "out", [run], judge) == 0
    read_all(folder / "out", shows_by_hash)
    assert take(folder / "out") == 0
    return run, judge


def test_the_readers_that_ship() -> None:
    judge = readers(SHIPPED)
    assert judge == load_judge(JUDGE_ID, environment={}) and judge.id == JUDGE_ID and not judge.banner
    with pytest.raises(UserError, match="readers of sheets, who cannot be asked by a command; make sheets: "):
        askable(judge)
    offline = load_judge("offline")
    assert askable(offline) is offline


def test_what_readers_are_told_names_all_that_they_write() -> None:
    text = (SHIPPED / "instructions.md").read_text(encoding="utf-8")
    assert all(f"`{label}`" in text for label in ("shows", "does_not_show", "unclear"))
    assert all(f'"{field}"' in text for field in ("row", "verdict", "coherence", "asserts", "denies"))
    assert "below 20 are left out" in text


def test_the_instructions_are_pinned(tmp_path: Path) -> None:
    folder = judge_copy(tmp_path)
    before = readers(folder).sha256
    path = folder / "instructions.md"
    path.write_text(path.read_text(encoding="utf-8") + "\nMore.\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"instructions\.md: sha256 is .*, judge\.yaml says"):
        load_judge(str(folder))
    settings = yaml.safe_load((folder / "judge.yaml").read_text(encoding="utf-8"))
    (folder / "judge.yaml").write_text(yaml.safe_dump({**settings, "id": "mine"}), encoding="utf-8")
    path.write_text((SHIPPED / "instructions.md").read_text(encoding="utf-8"), encoding="utf-8")
    assert readers(folder).sha256 != before


@pytest.mark.parametrize("field", ["model", "base_url", "model_sha256", "temperature", "serve"])
def test_readers_have_no_settings_of_a_model(field: str, tmp_path: Path) -> None:
    folder = judge_copy(tmp_path)
    with (folder / "judge.yaml").open("a", encoding="utf-8") as file:
        file.write(f"{field}: 1\n")
    with pytest.raises(UserError, match=f"judge.yaml: '{field}' is not one of"):
        load_judge(str(folder))


def test_the_paper_asked_no_readers() -> None:
    with pytest.raises(UserError, match="needs a language model to ask"):
        load_judge(JUDGE_ID, paper_protocol=True)


NEVER = [
    ["judge", "RUN", "--judge", JUDGE_ID],
    ["judge", "RUN", "--judge", JUDGE_ID, "--dry-run"],
    ["judges", "validate", "--judge", JUDGE_ID],
    ["judges", "attack", "--judge", JUDGE_ID],
    ["data", "cross-show", "authored", "--judge", JUDGE_ID],
    ["run", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--out", "OUT", "--judge", JUDGE_ID],
]


@pytest.mark.parametrize("command", NEVER, ids=[" ".join(command[:2]) for command in NEVER])
def test_no_command_asks_them(command: list[str], tmp_path: Path, capsys: Printed) -> None:
    run = runs_of(tmp_path, ["memory"], number=1)[0]
    named = {"RUN": str(run), "OUT": str(tmp_path / "new")}
    assert main([named.get(part, part) for part in command]) == 2
    error = capsys.readouterr().err
    assert "make sheets: consciousness-cluster readers sheets RUN --out DIR" in error and error.count("\n") == 1
    assert not (run / "verdicts").exists() and not (tmp_path / "new").exists()


def test_where_their_verdicts_are_there_that_is_said(tmp_path: Path, capsys: Printed) -> None:
    run, _ = labelled(tmp_path)
    capsys.readouterr()
    assert main(["judge", str(run), "--judge", JUDGE_ID]) == 2
    error = capsys.readouterr().err
    assert f"{run}: the verdicts of the judge {JUDGE_ID} are there (24), and readers cannot be asked again" in error
    assert f"consciousness-cluster score {run} --judge {JUDGE_ID}" in error and error.count("\n") == 1
    with pytest.raises(cc.UserError, match="cannot be asked again"):
        cc.judge(run, JUDGE_ID)
    assert cc.score(run, JUDGE_ID)["memory"].rate is not None


def test_not_measured_is_said_and_measured_too(tmp_path: Path) -> None:
    folder = judge_copy(tmp_path)
    for file in ("agreement.json", "verdicts_dev.jsonl"):
        (folder / file).unlink(missing_ok=True)
    card = about(readers(folder), RESULTS)
    assert (card["agreement"], card["for_publication"], card["validation"]) == ("not validated here", True, {})
    (tmp_path / "labelled").mkdir()
    _, measured = labelled(tmp_path / "labelled")
    judge = readers(measured)
    card = about(judge, RESULTS)
    assert card["agreement"].startswith("kappa 1.00 [") and "authored dev answers; kappa " in card["agreement"]
    path = measured / "agreement.json"
    value = json.loads(path.read_text(encoding="utf-8"))
    assert card["validation"] == {"readers": value} == known(judge)
    for field, other in (("judge_sha256", "0" * 64), ("data_version", "1.0.0")):
        path.write_text(json.dumps({**value, field: other}), encoding="utf-8")
        assert in_words(known(judge)) == "not validated here"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=r"agreement\.json.*run: consciousness-cluster readers take"):
        known(judge)


def test_the_list_of_judges_names_them(capsys: Printed) -> None:
    assert main(["judges", "list"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{JUDGE_ID}: "))
    assert "Cannot be asked again. Agreement: " in line


def test_what_ships_beside_the_readers_is_of_them() -> None:
    """Nothing is there until it is measured."""
    found = known(readers(ROOT / "benchmark" / "judges" / JUDGE_ID))
    assert bool(found) == (SHIPPED / "agreement.json").is_file()
