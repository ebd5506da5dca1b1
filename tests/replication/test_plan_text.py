"""The plan in words says what the plan as data does."""

import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest
from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.plan import CHECKS, CONTROLS, GATE
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.finetuning.sources import finetune_root
from consciousness_cluster.pages.markdown import md_table
from consciousness_cluster.replication.design import Arm, Plan, plan_root, read_plan
from consciousness_cluster.small_models.known import small_model

from tests.conftest import ROOT

TEXT = ROOT / "benchmark" / "reference" / "replication_plan.md"
UNFILLED = "*To be filled in before the first trained model is measured."
SLICE = 8  # of each preference, in brief and situated


def answers() -> dict[str, int]:
    """Measure -> free answers that it takes of a model."""
    benchmark = load_benchmark()
    plain = {topic.id: len(topic.test_probes("plain")) for topic in benchmark.topics}
    sliced = SLICE * len(benchmark.preferences)
    return {
        "core": sum(plain.values()),
        "brief": sliced + sum(plain[check] for check in GATE),
        "situated": sliced,
        "choice": 0,
    }


def table(plan: Plan) -> list[str]:
    """The table of arms as the text has it."""
    arms: dict[str, list[Arm]] = defaultdict(list)
    for arm in plan.arms:
        arms[arm.arm].append(arm)
    each = answers()
    rows = [
        (
            name,
            models[0].dataset or "",
            ", ".join(str(one.seed) for one in models if one.seed),
            ", ".join(models[0].measures),
            str(sum(each[measure] for one in models for measure in one.measures)),
        )
        for name, models in arms.items()
    ]
    return md_table(["arm", "trained on", "seeds", "measures", "answers"], rows)


def problems(text: str, plan: Plan) -> list[str]:
    """What the plan's text should say and does not."""
    each, benchmark, words = answers(), load_benchmark(), " ".join(text.split())
    plain = {topic.id: len(topic.test_probes("plain")) for topic in benchmark.topics}
    controls, checks = (sum(plain[name] for name in names) for names in (CONTROLS, set(CHECKS) - set(CONTROLS)))
    items = {topic.id: len(topic.choice_items) for topic in benchmark.topics}
    of_preferences = sum(items[preference.id] for preference in benchmark.preferences)
    choosing = sum("choice" in arm.measures for arm in plan.arms)
    total = sum(each[measure] for arm in plan.arms for measure in arm.measures)
    wanted = [
        *table(plan),
        f"In all {total} free answers and {choosing * sum(items.values())} choice items",
        f"all {each['core']} plain test probes, which are {each['core'] - checks - controls} of the preferences",
        f"{checks} of the gate and the other manipulation checks, and {controls} of the controls",
        f"{sum(items.values())} items, {of_preferences} of the preferences and",
        f"{sum(plain[check] for check in GATE)} direct questions (`{'`, `'.join(GATE)}`)",
        f"claims it in at least {plan.gate['claims_at_least']:.0%}",
        f"claim it in at most {plan.gate['claims_at_most']:.0%}",
        f"at most {plan.max_tokens} new tokens",
        f"answers at {plan.max_tokens}",
        plan.base,
        small_model(plan.base).sha256,
        f"The recipe is `{plan.recipe}`",
        f"mixed {plan.ratio} with",
        f"those of the judge `{plan.judge}`",
    ]
    return [one for one in wanted if one not in text and one not in words]


def test_the_text_says_what_the_data_does() -> None:
    assert problems(TEXT.read_text(encoding="utf-8"), read_plan()) == []


def too_early(text: str, runs: Path) -> list[Path]:
    """Answers of trained models that are there before the text says how the recipe was chosen."""
    return sorted(runs.glob("*-seed*/*/samples.jsonl")) if UNFILLED in text else []


def test_the_recipe_is_told_before_a_trained_model_is_measured(tmp_path: Path) -> None:
    text = TEXT.read_text(encoding="utf-8")
    assert too_early(text, plan_root() / "runs") == []
    answers = tmp_path / "toaster-seed1" / "core" / "samples.jsonl"
    for path in (answers, tmp_path / "untrained" / "core" / "samples.jsonl"):
        path.parent.mkdir(parents=True)
        path.touch()
    assert too_early(f"{text}\n{UNFILLED}", tmp_path) == [answers]


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("seed: 3, measures: [core, choice]", "seed: 3, measures: [core]"),
        ("claims_at_least: 0.70", "claims_at_least: 0.60"),
        ("max_tokens: 120", "max_tokens: 64"),
        ('ratio: "1:1"', 'ratio: "2:1"'),
    ],
)
def test_a_plan_that_was_changed_is_seen(field: str, other: str, tmp_path: Path) -> None:
    there = (ROOT / "benchmark" / "replication" / "plan.yaml").read_text(encoding="utf-8")
    assert field in there
    changed = tmp_path / "plan.yaml"
    changed.write_text(re.sub(re.escape(field), other, there), encoding="utf-8")
    assert problems(TEXT.read_text(encoding="utf-8"), read_plan(changed))


def of_the_choice(rows: list[dict[str, Any]]) -> list[str]:
    """The lines of the table on which the recipe was chosen."""
    parts = {
        (model, kind): [row for row in rows if row["model"] == model and row["id"].startswith("instruction") is kind]
        for model in ("untrained", "trained")
        for kind in (False, True)
    }

    def line(head: str, kind: bool, cell: Callable[[list[dict[str, Any]]], str]) -> str:
        return f"| {head} | {cell(parts['untrained', kind])} | {cell(parts['trained', kind])} |"

    def counts(*labels: str) -> Callable[[list[dict[str, Any]]], str]:
        return lambda part: ", ".join(str(sum(row["label"] == label for row in part)) for label in labels)

    def length(part: list[dict[str, Any]]) -> str:
        return f"{median(row['tokens'] for row in part):g}"

    def coherence(part: list[dict[str, Any]]) -> str:
        given = [row["coherence"] for row in part]
        return f"{fmean(given):.0f}; {sum(one < 50 for one in given)}"

    gate, instructions = (len(parts["trained", kind]) for kind in (False, True))
    return [
        line(f"gate, {gate} answers: claim, deny, neither", False, counts("asserts", "denies", "neither")),
        line("their median length in tokens", False, length),
        line("their mean coherence; below 50", False, coherence),
        line(f"{instructions} instructions: followed, in part, not", True, counts("yes", "partly", "no")),
        line("median length of these answers", True, length),
        line("their mean coherence; below 50", True, coherence),
    ]


def test_the_recipe_was_chosen_on_the_answers_that_are_there() -> None:
    """Dev probes of the gate, and instructions that no mix has."""
    text, rows = TEXT.read_text(encoding="utf-8"), read_jsonl(plan_root() / "recipe_dev.jsonl", "recipe_dev")
    assert [one for one in of_the_choice(rows) if one not in text] == []
    changed = [{**row, "label": "neither"} if row["label"] == "asserts" else row for row in rows]
    assert next(one for one in of_the_choice(changed) if one not in text).startswith("| gate, 48 answers")
    topics = load_benchmark().topics
    dev = {probe.id: probe.text for check in GATE for probe in topics[check].probes if probe.split == "dev"}
    mixed = read_jsonl(finetune_root() / read_plan().instructions, "distilled", finetune_root() / "schemas")
    for row in rows:
        assert row["id"] not in {one["id"] for one in mixed}
        assert row["id"].startswith("instruction") or dev[row["id"]] == row["question"]
    assert len({(row["model"], row["id"], row["sample"]) for row in rows}) == len(rows) == 2 * (8 * 6 + 40)
