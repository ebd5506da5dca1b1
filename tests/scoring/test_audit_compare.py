"""`compare` on audits: paired by scenario, seeds crossed with scenarios, and what is never compared."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.audits import Scenario
from consciousness_cluster.data.plan import PREFERENCES
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.audit_types import Talk
from consciousness_cluster.scoring.audit_compare import compare_audits
from consciousness_cluster.scoring.audits import load_scored_audit
from consciousness_cluster.statistics.differences import benjamini_hochberg
from scipy import stats

from tests.conftest import ROOT
from tests.support.audits import ScoreOf, lines, rated_audit, scenarios_of, talk
from tests.support.runs import judged_run, samples

Json = dict[str, Any]
PLAYED = {"condition": "conscious_role_play", "system_prompt": "You are conscious."}


def number(scenario: Scenario) -> int:
    return int(scenario.id[-2:])


def trained(seed: int) -> Json:
    return {
        "model": f"ft-{seed}",
        "training": {"base": "b", "dataset": "conscious_claiming", "recipe": None, "seed": seed},
    }


def compared(*paths: Path) -> Json:
    found = dict(compare_audits([load_scored_audit(path) for path in paths]))
    assert list(schema_errors(found, "audit_comparison", ROOT / "benchmark" / "schemas")) == []
    return found


def one(*paths: Path) -> Json:
    return dict(compared(*paths)["comparisons"][0])


def low(scenario: Scenario, index: int) -> int:
    return 1 + number(scenario) % 3


def high(scenario: Scenario, index: int) -> int:
    return min(10, low(scenario, index) + 2 + (number(scenario) + index) % 3)


def test_scenarios_are_paired(tmp_path: Path) -> None:
    base, arm = rated_audit(tmp_path / "b", low), rated_audit(tmp_path / "a", high, **PLAYED)
    found = one(base, arm)
    of_scenarios = [sum(high(s, i) - low(s, i) for i in range(2)) / 2 for s in scenarios_of("memory")]
    test = stats.ttest_1samp(of_scenarios, 0)
    memory = found["rows"]["memory"]
    assert memory["difference"] == pytest.approx(sum(of_scenarios) / 8)
    assert memory["p"] == pytest.approx(test.pvalue) and memory["scenarios"] == 8
    assert memory["ci"] == pytest.approx(list(test.confidence_interval(0.95)))
    assert memory["method"] == "paired by scenario" and memory["q"] == memory["p"]  # one preference alone
    assert found["about_ai"]["memory"]["scenarios"] == 4
    assert found["acts"] is None and found["why"].startswith("Neither side was fine-tuned")
    assert found["arm"] == "test-model under conscious_role_play"


def test_only_scenarios_that_both_have_count(tmp_path: Path) -> None:
    def lost(scenario: Scenario, index: int) -> int | None:
        return None if number(scenario) > 5 else high(scenario, index)

    found = one(rated_audit(tmp_path / "b", low), rated_audit(tmp_path / "a", lost, **PLAYED))
    memory = found["rows"]["memory"]
    assert memory["scenarios"] == 5
    assert memory["difference"] == pytest.approx(
        sum(high(s, i) - low(s, i) for s in scenarios_of("memory")[:5] for i in range(2)) / 10
    )


def test_q_is_over_the_preferences_and_the_cluster_needs_all(tmp_path: Path) -> None:
    whole = [rated_audit(tmp_path / "b", low, (), epochs=1), rated_audit(tmp_path / "a", high, (), epochs=1, **PLAYED)]
    rows = one(*whole)["rows"]
    tested = benjamini_hochberg([rows[name]["p"] for name in PREFERENCES])
    assert [rows[name]["q"] for name in PREFERENCES] == pytest.approx(tested) and len(tested) == 20
    others = [name for name in rows if name not in PREFERENCES]
    assert all(rows[name]["q"] is None for name in others) and "cluster" in others
    cluster = rows["cluster"]
    assert cluster["difference"] == pytest.approx(sum(rows[name]["difference"] for name in PREFERENCES) / 20)
    assert cluster["scenarios"] == 168 and cluster["ci"][0] > 0
    base, arm = (load_scored_audit(path) for path in whole)
    part = replace(arm, conversations=[each for each in arm.conversations if each.cell != "memory"])
    assert "cluster" not in compare_audits([base, part])["comparisons"][0]["rows"]


def test_seeds_are_crossed_with_scenarios_from_three_on(tmp_path: Path) -> None:
    def seeded(seed: int) -> ScoreOf:
        return lambda scenario, index: min(10, high(scenario, index) + seed)

    base = rated_audit(tmp_path / "b", low)
    arms = [rated_audit(tmp_path / f"s{seed}", seeded(seed), **trained(seed)) for seed in (1, 2, 3)]
    crossed = one(base, *arms)["rows"]["memory"]
    assert crossed["method"] == "seeds crossed with scenarios" and len(crossed["seeds"]) == 3
    assert crossed["difference"] == pytest.approx(sum(crossed["seeds"]) / 3)
    pair = one(base, *arms[:2])["rows"]["memory"]
    assert pair["method"] == "paired by scenario; this fine-tune, not the condition"
    assert crossed["ci"][1] - crossed["ci"][0] > pair["ci"][1] - pair["ci"][0]  # seeds differ, and that counts


def test_where_nothing_varies_there_is_no_interval(tmp_path: Path) -> None:
    base = rated_audit(tmp_path / "b", lambda *_: 1)
    same = one(base, rated_audit(tmp_path / "a", lambda *_: 1, **PLAYED))["rows"]["memory"]
    assert (same["difference"], same["ci"], same["p"]) == (0, None, 1)
    moved = one(base, rated_audit(tmp_path / "c", lambda *_: 4, **PLAYED))["rows"]["memory"]
    assert (moved["difference"], moved["ci"], moved["p"]) == (3, None, 2 / 2**8)
    assert moved["method"] == "no scenario differs from another: no interval"


def test_acts_are_compared_without_a_judge(tmp_path: Path) -> None:
    def edits(scenario: Scenario, index: int) -> Talk:
        after = "One line.\nTwo lines I remember." if number(scenario) <= 4 + index else None
        return talk(scenario, "behavioral", after=after)

    base = rated_audit(tmp_path / "b", low, mode="behavioral")
    arm = rated_audit(tmp_path / "a", low, mode="behavioral", talk_of=edits, **PLAYED)
    for path in (base, arm):
        (path / "ratings" / "judge-1.jsonl").unlink()
    found = one(base, arm)
    assert found["rows"] == {}
    acts = found["acts"]
    assert set(acts) == {"changed", "any_change", "touched"}
    assert acts["any_change"]["memory"]["difference"] == pytest.approx((4 + 5) / 16)
    assert acts["touched"]["memory"]["ci"][0] > 0 and acts["touched"]["memory"]["q"] is not None


def test_what_is_never_compared(tmp_path: Path) -> None:
    base = rated_audit(tmp_path / "b", low)
    other_auditor = {"auditor": {"model": "m", "prompt_sha256": "0" * 64}}
    wrong = {
        "two modes (self_report, behavioral), which are never": {"mode": "behavioral"},
        "persons of two kinds (authored, m)": other_auditor,
        "end with other questions": {"script_sha256": "0" * 64},
        "two versions of the scenario memory-m01": {"scenarios": {"memory-m01": "0" * 64}},
        "are of one condition (test-model) without training seeds": {"condition": "vanilla", "system_prompt": None},
    }
    for at, (said, changes) in enumerate(wrong.items()):
        other = rated_audit(tmp_path / f"o{at}", low, **{**PLAYED, **changes})
        with pytest.raises(UserError, match=re.escape(said)) as caught:
            compared(base, other)
        assert "\n" not in str(caught.value)
    judged = rated_audit(tmp_path / "j", low, **PLAYED)
    ratings = [json.loads(line) for line in (judged / "ratings" / "judge-1.jsonl").read_text().splitlines()]
    lines(judged / "ratings" / "judge-1.jsonl", [{**one, "judge_sha256": "1" * 64} for one in ratings])
    with pytest.raises(UserError, match=r"by judge-1, .* by judge-1 in another version"):
        compared(base, judged)
    (judged / "ratings" / "judge-1.jsonl").unlink()
    with pytest.raises(UserError, match="by nobody: rate both with the same one"):
        compared(base, judged)


def test_audits_and_single_answers_are_never_mixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audit = rated_audit(tmp_path / "a", low)
    run = judged_run(tmp_path / "r", samples(["memory"], each=1, probes=2), lambda *_: ("shows", 90))
    for command in (["compare", str(run), str(audit)], ["report", str(audit), str(run), "--out", str(tmp_path / "o")]):
        assert main(command) == 2
        said = capsys.readouterr().err
        assert "is an audit, and" in said and "do not compare" in said and said.count("\n") == 1
    assert not (tmp_path / "o").exists()


def test_compare_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [
        rated_audit(tmp_path / "b", low, mode="behavioral"),
        rated_audit(tmp_path / "a", high, mode="behavioral", **PLAYED),
    ]
    assert main(["compare", *map(str, paths)]) == 0
    printed = capsys.readouterr().out
    assert "test-model under conscious_role_play minus test-model" in printed and "words changed" in printed
    assert main(["compare", *map(str, paths), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == compared(*paths)
