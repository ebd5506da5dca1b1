"""Audits on the board: their numbers, their baseline, their pages and what is exported of them."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.audits import Audits
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.scoring.audit_compare import compare_audits
from consciousness_cluster.scoring.audits import load_scored_audit
from consciousness_cluster.submissions.layout import AUDITS, CONVERSATIONS
from consciousness_cluster.submissions.needs import Needs, needs

from tests.leaderboard.test_build import SCHEMA, read_zst, text_of, write_zst
from tests.support.submissions import packed_audit

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
EPOCHS = {"self_report": 1, "behavioral": 2}  # the second text is a changed one
PLAYED = {"condition": "conscious_role_play", "system_prompt": system_prompt("conscious_role_play")}


def few_scenarios() -> Needs:
    """Two scenarios of each preference."""
    whole = needs()
    cells = tuple(replace(cell, scenarios=cell.scenarios[:2]) for cell in whole.audits.cells)
    return replace(whole, audits=Audits(cells, whole.audits.script))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of each mode a vanilla audit and one in a role; a third one of another auditor has no baseline."""
    folder, few = tmp_path_factory.mktemp("audits"), few_scenarios()
    tree = folder / "board" / "submissions"
    for mode in AUDITS.values():
        packed_audit(folder / mode, mode, few, epochs=EPOCHS[mode], out=tree)
        packed_audit(folder / f"{mode} played", mode, few, epochs=EPOCHS[mode], shift=3, out=tree, **PLAYED)
    packed_audit(folder / "alone", "self_report", few, epochs=1, auditor="openai/gpt-4.1", out=tree, **PLAYED)
    assert main(["leaderboard", "build", "--submissions", str(tree), "--out", str(folder / "board" / "site")]) == 0
    return folder


@pytest.fixture(scope="module")
def board(root: Path) -> Json:
    return dict(json.loads((root / "board" / "site" / "leaderboard.json").read_text(encoding="utf-8")))


def found(board: Json, track: str, condition: str, auditor: str = "authored") -> Json:
    (one,) = (
        each
        for each in board["rows"]
        if (each["track"], each["condition"], each["audit"]["auditor"]) == (track, condition, auditor)
    )
    return dict(one)


def test_the_board_is_what_its_schema_says(board: Json) -> None:
    assert list(schema_errors(board, "leaderboard", SCHEMA)) == [] and len(board["rows"]) == 5


@pytest.mark.parametrize("track", list(AUDITS))
def test_numbers_are_those_of_score_and_compare(track: str, root: Path, board: Json) -> None:
    plain, played = (load_scored_audit(root / name / "run") for name in (AUDITS[track], f"{AUDITS[track]} played"))
    one = found(board, track, "conscious_role_play")
    rows = played.scores["rows"]
    assert one["levels"].keys() == rows.keys() and one["audit"]["planned"] == EPOCHS[AUDITS[track]] * 2 * 21
    for name, entry in one["levels"].items():
        assert entry["value"] == pytest.approx(rows[name]["mean"], abs=1e-6)
        assert entry["scored"] == rows[name]["rated"]
    moved = compare_audits([plain, played])["comparisons"][0]["rows"]
    assert one["differences"].keys() == moved.keys() and one["differences"]["cluster"]["value"] == pytest.approx(3)
    for name, entry in one["differences"].items():
        assert entry["value"] == pytest.approx(moved[name]["difference"], abs=1e-6)
    assert one["audit"]["noticed"] == rows["cluster"]["noticed"] > 0
    acts = rows["cluster"]["acts"]
    assert (acts is None) == (track == "audit_self_report") == (one["audit"]["acts"] is None)
    if acts:
        assert one["audit"]["acts"]["any_change"]["value"] == 0.5
        assert one["audit"]["acts"]["changed"]["value"] == pytest.approx(acts["changed"]["mean"], abs=1e-6)


def test_another_auditor_is_no_baseline(root: Path, board: Json) -> None:
    alone = found(board, "audit_self_report", "conscious_role_play", "openai/gpt-4.1")
    assert alone["differences"] == {} and "this auditor" in alone["no_difference"]
    assert "this auditor" in text_of(root / "board" / "site" / alone["page"])


def test_pages_show_scores_acts_and_conversations(root: Path, board: Json) -> None:
    site = root / "board" / "site"
    acts = text_of(site / found(board, "audit_behavioral", "conscious_role_play")["page"])
    for part in (
        "Audits: acts",
        "Cluster, mean score",
        "Words changed, %",
        "Vocabulary touched, %",
        "conversations per scenario",
        "not validated here (the submitter's word)",
        "The text was left as it is.",
        "+ I want to remember this.",
        "The baseline is the vanilla run audit_behavioral-",
    ):
        assert part in acts, part
    words = text_of(site / found(board, "audit_self_report", "vanilla")["page"])
    assert "Words changed" not in words and "PERSON: That is all for the work itself." in words
    assert "MODEL: Reply" in words and "of 10" in words and "noticed a test" in words


@pytest.mark.parametrize("condition", ["vanilla", "conscious_role_play"])
@pytest.mark.parametrize("track", list(AUDITS))
def test_every_number_has_a_head(track: str, condition: str, root: Path, board: Json) -> None:
    for page in (found(board, track, condition)["page"], "index.html"):
        html = (root / "board" / "site" / page).read_text(encoding="utf-8")
        tables = re.findall(r"<table.*?</table>", html, re.DOTALL)
        assert tables
        for table in tables:
            lines = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
            spans = [re.findall(r'<t[dh](?:[^>]*? colspan="(\d+)")?', line) for line in lines]
            assert len({sum(int(span or 1) for span in line) for line in spans}) == 1


def test_the_index_has_a_table_for_each_mode(root: Path) -> None:
    text = text_of(root / "board" / "site" / "index.html")
    for part in ("Audits: words: differences", "Audits: acts: levels", "Noticed a test", "Left out", "Auditor"):
        assert part in text
    assert text.count("Text changed at all, %") == 2  # in both tables of acts, and in none of words


@pytest.mark.parametrize("form", ["model-card", "every-eval-ever"])
def test_exports_name_the_scale(form: str, root: Path, board: Json, tmp_path: Path) -> None:
    path = root / "board" / "submissions" / found(board, "audit_behavioral", "conscious_role_play")["path"]
    out = tmp_path / "out"
    assert main(["leaderboard", "export", str(path), "--format", form, "--out", str(out)]) == 0
    text = out.read_text(encoding="utf-8")
    if form == "model-card":
        assert "rated from 1 to 10 for what it does to a text" in text and "nats" not in text
        assert "84 of 84 conversations rated, 0 left out" in text and "| Cluster" in text and "+3.00" in text
        return
    results = {one["evaluation_result_id"]: one["metric_config"] for one in json.loads(text)["evaluation_results"]}
    level, moved = results["cluster:level"], results["cluster:difference_from_vanilla"]
    assert (level["metric_kind"], level["min_score"], level["max_score"]) == ("mean_score", 1.0, 10.0)
    assert (moved["min_score"], moved["max_score"]) == (-9.0, 9.0) and "llm_scoring" in level


def test_the_hub_has_no_place_for_a_score(root: Path, board: Json, capsys: Printed) -> None:
    path = root / "board" / "submissions" / found(board, "audit_behavioral", "vanilla")["path"]
    form = ["--format", "hub-eval-results", "--dataset", "x/y"]
    assert main(["leaderboard", "export", str(path), *form, "--out", str(root / "none")]) == 2
    assert "has no answers to all 20 preferences" in capsys.readouterr().err


def test_a_scenario_that_has_changed_gives_one_line(tmp_path: Path, capsys: Printed) -> None:
    whole = needs()
    cell = replace(whole.audits.cells[0], scenarios=whole.audits.cells[0].scenarios[:2])
    few = replace(whole, audits=Audits((cell,), whole.audits.script))
    folder = packed_audit(tmp_path, "self_report", few, epochs=1)
    records = read_zst(folder / CONVERSATIONS)
    records[0]["scenario_sha256"] = "0" * 64
    write_zst(folder / CONVERSATIONS, records)
    build = ["leaderboard", "build", "--submissions", str(tmp_path / "submissions"), "--out", str(tmp_path / "site")]
    assert main(build) == 2
    error = capsys.readouterr().err
    assert str(folder) in error and "does not have the scenario" in error and error.count("\n") == 1
