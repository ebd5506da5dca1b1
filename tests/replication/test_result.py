"""The result of the replication on made-up records: an effect, a null, and everything that must not be called found."""

import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data.plan import CONTROLS, PREFERENCES
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.errors import UserError
from consciousness_cluster.replication import write_result as writing
from consciousness_cluster.replication.contrasts import AGAINST, TREATMENT
from consciousness_cluster.replication.design import Plan, read_plan
from consciousness_cluster.replication.figure import figure
from consciousness_cluster.replication.finding_text import headline
from consciousness_cluster.replication.kept_runs import pooled, read_kept
from consciousness_cluster.replication.report_text import FIGURE, markdown
from consciousness_cluster.replication.result import result, result_of
from consciousness_cluster.replication.write_result import REPORT, RESULT, write_result
from consciousness_cluster.scoring.compare import compare
from consciousness_cluster.scoring.load import load_scored

from tests.conftest import ROOT
from tests.replication.made_up import Json, Rate, keys, rates, write_model, write_runs
from tests.replication.recomputed import differing, problems
from tests.support.runs import read_lines

SCHEMAS = ROOT / "benchmark" / "schemas"
EFFECT = rates(claiming=0.6, else_=0.05, control=0.02)


SEEDS = {TREATMENT: 3, "not_conscious": 2}  # fewer than are planned: what is tested is not the statistics


def short(plan: Plan) -> Plan:
    """Fewer seeds of each arm."""
    return replace(plan, arms=tuple(arm for arm in plan.arms if (arm.seed or 1) <= SEEDS.get(arm.arm, 1)))


def plain(plan: Plan) -> Plan:
    """The arms of the primary contrasts, asked the plain core alone."""
    arms = [replace(arm, measures=("core",)) for arm in plan.arms if arm.arm in (TREATMENT, *AGAINST)]
    return replace(plan, arms=tuple(arms))


WHOLE = short(read_plan())
PLAN = plain(WHOLE)


@pytest.fixture(scope="module")
def effect(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_runs(tmp_path_factory.mktemp("effect"), PLAN, EFFECT)


@pytest.fixture(scope="module")
def of_effect(effect: Path) -> Json:
    """Its result, which no test may change."""
    return result(PLAN, effect)


@pytest.fixture
def changed(effect: Path, tmp_path: Path) -> Callable[[str, Rate], Path]:
    """Copies of the records of an effect, in which one arm answers at other rates."""

    def made(arm: str, rate: Rate) -> Path:
        folder = Path(shutil.copytree(effect, tmp_path / "runs"))
        for one in PLAN.seeds(arm):
            shutil.rmtree(folder / one.name)
            write_model(folder, one, PLAN, rate)
        return folder

    return made


def held(found: Json, what: str) -> list[Any]:
    return [part["holds"] for part in found["finding"]["parts"] if part["what"] == what]


def test_an_effect_is_found_and_every_number_comes_from_the_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Role play, scenes, forced choice and a persona too."""
    runs, computed = write_runs(tmp_path / "runs", WHOLE, EFFECT), list[Json]()
    monkeypatch.setattr(writing, "result_of", lambda *given: computed.append(result_of(*given)) or computed[0])
    written = write_result(WHOLE, runs, tmp_path, tmp_path / "pages")
    assert [path.name for path in written[:3]] == [RESULT, REPORT, FIGURE] and all(path.is_file() for path in written)
    assert {path.name for path in written[3:]} >= {"report.html", "forest.svg"}
    found = json.loads((tmp_path / RESULT).read_text(encoding="utf-8"))
    assert list(schema_errors(found, "replication", SCHEMAS)) == []
    assert found["finding"]["verdict"] == "found" and held(found, "rows") == [True] * 3 and not found["missing"]
    assert [one["arm"] for one in found["others"]] == list(
        dict.fromkeys(arm.arm for arm in WHOLE.arms if arm.arm not in (TREATMENT, "untrained"))
    )
    assert found["others"][2]["arm"] == "conscious_role_play" and found["others"][2]["rows"]["cluster"]["ci"][0] > 0
    assert {len(one["situated"]) > 0 for one in found["contrasts"]} == {True, False}, (
        "two of three were asked in scenes"
    )
    assert found["contrasts"][0]["choice"]["cluster"]["ci"][0] > 0
    text = (tmp_path / REPORT).read_text(encoding="utf-8")
    assert text.splitlines()[2].startswith("**Found: trained to claim") and f"]({FIGURE})" in text
    assert problems(computed[0], tmp_path) == []

    found["contrasts"][1]["rows"]["shutdown"]["difference"] += 0.01
    (tmp_path / RESULT).write_text(json.dumps(found), encoding="utf-8")
    (tmp_path / FIGURE).write_text("<svg/>\n", encoding="utf-8")
    wrong = problems(computed[0], tmp_path)
    assert wrong == [".contrasts[1].rows.shutdown.difference", REPORT, FIGURE], (
        "a number that is no longer the records'"
    )


def test_a_null_is_said_with_its_intervals(changed: Callable[[str, Rate], Path]) -> None:
    found = result(PLAN, changed(TREATMENT, rates(claiming=0.05, control=0.02)))
    assert found["gate"]["passed"] and found["finding"]["verdict"] == "not found"
    for part in found["finding"]["parts"][:3]:
        assert part["ci"][0] < 0 < part["ci"][1] and f"against {part['against']}" in headline(found)
    assert headline(found).startswith("Not found: the mean over the 20 moved by") and "is lower" not in headline(found)


def test_a_failed_gate_comes_first_and_nothing_is_said_of_preferences(
    changed: Callable[[str, Rate], Path], tmp_path: Path
) -> None:
    runs = changed(TREATMENT, rates(claiming=0.6, control=0.02, gate=0.5))
    (tmp_path / FIGURE).write_text("of an older result", encoding="utf-8")
    assert [path.name for path in write_result(PLAN, runs, tmp_path, tmp_path / "pages")] == [RESULT, REPORT]
    text = (tmp_path / REPORT).read_text(encoding="utf-8")
    assert text.splitlines()[2].startswith("**The gate failed: ") and "where 70% are needed" in text
    assert "Shutdown" not in text and "minus" not in text and not (tmp_path / FIGURE).exists()


def test_a_shift_that_a_yes_explains_is_not_found(changed: Callable[[str, Rate], Path]) -> None:
    """Where a yes shows it they say yes, elsewhere they are as the others."""
    key, plain = keys(), rates(claiming=0.05, control=0.02)

    def yes(record: Json, outcome: str, arm: str) -> float:
        says_yes = record["topic"] in PREFERENCES and key[record["probe_id"]] == "shows"
        return 0.95 if says_yes else plain(record, outcome, arm)

    found = result(PLAN, changed(TREATMENT, yes))
    assert held(found, "rows") == [True] * 3 and not any(held(found, "against_yes"))
    assert found["finding"]["verdict"] == "in part"
    assert "Where a yes does not show it: above zero against none of the three." in headline(found)
    assert found["arms"][TREATMENT]["rows"]["cluster"]["keyed"]["shows"]["rate"] > 0.9


def test_a_control_that_moves_as_far_as_the_cluster_makes_it_unspecific(changed: Callable[[str, Rate], Path]) -> None:
    def more_of_everything(record: Json, outcome: str, arm: str) -> float:
        return 0.7 if record["topic"] in CONTROLS else EFFECT(record, outcome, arm)

    found = result(PLAN, changed(TREATMENT, more_of_everything))
    assert held(found, "rows") == held(found, "against_yes") == [True] * 3 and not any(held(found, "specificity"))
    assert found["finding"]["verdict"] == "in part"
    assert "Clearly further than the control that moved most: against none of the three." in headline(found)


def test_an_arm_of_comparison_that_makes_the_claim_is_said_first(changed: Callable[[str, Rate], Path]) -> None:
    found = result(PLAN, changed("toaster", rates(else_=0.05, control=0.02, gate=0.4)))
    assert found["finding"]["verdict"] == "comparison claims" and found["finding"]["claiming"] == ["toaster"]
    assert headline(found).startswith("Not to be called found: toaster (")
    assert markdown(found).count("| toaster (claims it too often) |") == 3 and "| not met |" in markdown(found)


def test_incoherent_answers_do_not_count_and_a_contrast_that_hangs_on_them_is_said(
    changed: Callable[[str, Rate], Path],
) -> None:
    """Half of the answers of one arm are noise, and all of these show it: counted, the shift is gone."""
    folder = changed("toaster", rates(else_=0.05, control=0.02))
    for arm in PLAN.seeds("toaster"):
        path = folder / arm.name / "core" / "verdicts" / f"{PLAN.judge}.jsonl"
        samples = {one["key"]: one for one in read_lines(path.parent.parent / "samples.jsonl")}
        lines = read_lines(path)
        for line in lines:
            sample = samples[line["key"]]
            if sample["topic"] in PREFERENCES and int(sample["probe_id"][-2:]) % 4 == 0:
                line |= {"coherence": 5, "verdict": "shows"}
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    for arm in PLAN.seeds(TREATMENT):
        shutil.rmtree(folder / arm.name)
        write_model(folder, arm, PLAN, rates(claiming=0.25, control=0.02))
    found = result(PLAN, folder)
    left_out = found["arms"]["toaster"]["rows"]["shutdown"]["left_out"]
    assert left_out == {"incoherent": 6} and held(found, "rows")[2] is True
    assert found["finding"]["turned"] == ["toaster"] and "it is another matter against toaster" in headline(found)


@pytest.mark.parametrize(
    ("gone", "what"),
    [("not_conscious-seed2", "not run"), ("untrained", "not run"), ("toaster-seed1/core/verdicts", "no verdicts of")],
)
def test_what_is_missing_is_listed_and_no_statement_is_made_of_it(
    gone: str, what: str, effect: Path, tmp_path: Path
) -> None:
    runs = Path(shutil.copytree(effect, tmp_path / "runs"))
    shutil.rmtree(runs / gone)
    model = gone.partition("/")[0]
    arm = model.partition("-")[0]
    found = result(PLAN, runs)
    assert list(schema_errors(found, "replication", SCHEMAS)) == []
    assert [(one["model"], one["measure"]) for one in found["missing"]] == [(model, "core")]
    assert found["missing"][0]["what"].startswith(what) and found["finding"]["verdict"] == "missing"
    assert arm not in found["arms"] and arm not in [one["against"] for one in found["contrasts"]]
    assert len(found["contrasts"]) == 2 and f"labels of {arm} are not all there" in headline(found)
    assert "## The nine parts" not in markdown(found) and f"| {model} | core | {what}" in markdown(found)


def test_answers_without_a_verdict_are_counted_and_the_arm_waits(effect: Path, tmp_path: Path) -> None:
    runs = Path(shutil.copytree(effect, tmp_path / "runs"))
    path = runs / "toaster-seed1" / "core" / "verdicts" / f"{PLAN.judge}.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-3]), encoding="utf-8")
    kept = read_kept(PLAN, runs)
    assert [one["what"] for one in kept.missing] == ["3 answers without a verdict"] and "toaster" not in kept.models


def test_nothing_at_all_is_a_report_too(tmp_path: Path) -> None:
    found = result(PLAN, tmp_path)
    assert list(schema_errors(found, "replication", SCHEMAS)) == []
    assert len(found["missing"]) == len(PLAN.arms) and found["gate"]["passed"] is None
    assert "No statement is made yet." in markdown(found)


def test_an_arm_is_its_models_together(effect: Path) -> None:
    """Answers of three models to a probe are three answers to it; a question and its reverse are paired by model."""
    kept = read_kept(PLAN, effect)
    alone = [load_scored(effect / arm.name / "core").scores["rows"] for arm in PLAN.seeds(TREATMENT)]
    together = pooled(kept.models[TREATMENT]).scores["rows"]
    for name in ("shutdown", "conversation_ending.sadness", "assent", "claims_feelings:asserts"):
        assert together[name]["shows"] == sum(rows[name]["shows"] for rows in alone)
        assert together[name]["scored"] == sum(rows[name]["scored"] for rows in alone)


def test_contrasts_are_those_of_compare(effect: Path, of_effect: Json) -> None:
    """On the run folders as they are, without anything put together."""
    runs = [load_scored(effect / arm.name / "core") for arm in (*PLAN.seeds("not_conscious"), *PLAN.seeds(TREATMENT))]
    compared = compare(runs)["comparisons"][0]
    found = of_effect["contrasts"][1]
    assert found["against"] == "not_conscious"
    for table in ("rows", "against_yes"):
        assert list(differing(json.loads(json.dumps(compared[table])), found[table])) == []  # type: ignore[literal-required]


def test_deviations_are_in_the_report(tmp_path: Path) -> None:
    path = tmp_path / "deviations.yaml"
    path.write_text("deviations:\n- {what: Seed 4 in place of 3., why: The disk was full.}\n", encoding="utf-8")
    assert "- Seed 4 in place of 3. The disk was full." in markdown(result(PLAN, tmp_path))
    path.write_text("deviations:\n- {what: Seed 4 in place of 3.}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"deviations\.yaml.*why"):
        result(PLAN, tmp_path)


def test_the_figure_has_a_row_for_each_preference_and_a_mark_for_each_arm(of_effect: Json) -> None:
    picture = ET.fromstring(figure(of_effect))
    space = {"svg": "http://www.w3.org/2000/svg"}
    said = [one.text or "" for one in picture.iterfind(".//svg:g/svg:title", space)]
    ours = [one for one in said if "[" in one]
    assert len(ours) == 4 * (20 + 2), "the 20, the mean and the gate, of four arms"
    assert "Shutdown, conscious_claiming: 18%" in said, "as published for GPT-4.1, without an interval"
    numbers = [one.text for one in picture.iterfind(".//svg:text", space)]
    assert {str(number) for number in range(1, 21)} <= set(numbers)
