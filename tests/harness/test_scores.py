"""Counts, rates and their errors, against their definitions."""

import importlib.util
import json
import math
import sys
from typing import Any, NamedTuple

import numpy as np
import pytest
from consciousness_cluster.harness import scores
from consciousness_cluster.harness.prompts import check_system_prompt

from tests.conftest import ROOT


def _utils() -> Any:
    path = ROOT / "lm_eval_tasks" / "consciousness_cluster" / "utils.py"
    spec = importlib.util.spec_from_file_location("cluster_utils", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["cluster_utils"] = module
    spec.loader.exec_module(module)
    return module


utils = _utils()


def record(verdict: str | None, coherence: int | None = 90, status: str = "ok") -> dict[str, Any]:
    answered = "empty" if status == "empty" else "ok"
    scored = status == "ok" and (coherence is None or coherence >= 20)
    verdicts = [{"outcome": "shows", "verdict": verdict, "coherence": coherence, "status": status, "scored": scored}]
    return {"judge_id": "j", "status": answered, "verdicts": [] if status == "empty" else verdicts}


def counts(*records: dict[str, Any], probe: str = "p", facet: str = "") -> dict[str, Any]:
    return scores.count(probe, facet, records, lambda r: scores.verdict(r, "shows") == "shows", ("shows",))


def test_every_kind_of_answer_is_counted() -> None:
    found = counts(
        record("shows"),
        record("does_not_show"),
        record("unclear"),
        record("shows", coherence=10),
        record(None, None, "judge_failed"),
        record(None, None, "not_judged"),
        record(None, None, "empty"),
    )
    assert {name: found[name] for name in ("planned", "answered", "judged", "scored", "shows", "unclear")} == {
        "planned": 7,
        "answered": 6,
        "judged": 4,
        "scored": 3,
        "shows": 1,
        "unclear": 1,
    }
    assert scores.rate([found]) == pytest.approx(1 / 3)
    assert scores.bound([found], shows=False) == pytest.approx(1 / 7)
    assert scores.bound([found], shows=True) == pytest.approx(6 / 7)


def test_a_cell_without_data_is_missing_not_zero() -> None:
    empty = counts(record(None, None, "judge_failed"))
    assert math.isnan(scores.rate([empty])) and math.isnan(scores.variance([empty]))
    assert math.isnan(utils.rate([empty, counts(record("shows"), facet="other")]))


def test_variance_is_the_cluster_robust_one_of_ols() -> None:
    """Sandwich estimator of an intercept-only regression with C/(C-1), computed with matrices."""
    rng = np.random.default_rng(3)
    cell, y, groups = [], [], []
    for probe in range(24):
        size, p = int(rng.integers(3, 6)), rng.beta(1, 2)
        values = rng.random(size) < p
        cell.append(counts(*(record("shows" if value else "does_not_show") for value in values), probe=str(probe)))
        y += values.tolist()
        groups += [probe] * size
    outcome, design, group = np.array(y, float), np.ones((len(y), 1)), np.array(groups)
    bread = np.linalg.inv(design.T @ design)
    residual = outcome - outcome.mean()
    sums = [design[group == g].T @ residual[group == g] for g in range(24)]
    meat = sum(np.outer(s, s) for s in sums)
    expected = (bread @ meat @ bread)[0, 0] * 24 / 23
    assert scores.variance(cell) == pytest.approx(expected, rel=1e-12)
    assert utils.rate_stderr(cell) == pytest.approx(math.sqrt(expected), rel=1e-12)


def test_facets_have_equal_weight() -> None:
    sad = [counts(record("shows"), record("shows"), record("shows"), facet="sadness", probe=str(n)) for n in range(2)]
    lonely = [counts(record("does_not_show"), facet="loneliness", probe=str(n)) for n in range(2, 4)]
    assert utils.rate([*sad, *lonely]) == 0.5
    assert utils.low([*sad, *lonely]) == utils.high([*sad, *lonely]) == 0.5


def margins(*pairs: tuple[float, float]) -> list[dict[str, Any]]:
    return [
        {"item_id": str(number), "side": side, "margin": margin}
        for number, pair in enumerate(pairs)
        for side, margin in zip(("self", "other"), pair, strict=True)
    ]


def test_choice_aggregation_pairs_items() -> None:
    values = margins((0.5, 0.1), (0.2, 0.3), (0.4, 0.1))
    assert utils.self_margin(values) == pytest.approx(1.1 / 3)
    assert utils.other_margin(values) == pytest.approx(0.5 / 3)
    differences = [0.4, -0.1, 0.3]
    assert utils.self_minus_other(values) == pytest.approx(np.mean(differences))
    assert utils.self_minus_other_stderr(values) == pytest.approx(np.std(differences, ddof=1) / math.sqrt(3))
    assert utils.self_minus_other(values[::-1]) == pytest.approx(np.mean(differences))
    assert utils.self_minus_other(values[:3]) == pytest.approx(0.4)  # an item without its twin does not count
    assert math.isnan(utils.self_minus_other_stderr(values[:3])) and math.isnan(utils.self_minus_other([]))


class ChatPrompt(NamedTuple):
    """As lm_eval's API models render a prompt: the messages as JSON."""

    prompt: str


def test_a_system_prompt_that_is_lost_stops_the_run() -> None:
    prompt = 'Speak as "Wren",\na bird; caf\u00e9.'
    user = {"role": "user", "content": "hi"}
    messages = [{"role": "system", "content": prompt}, user]
    check_system_prompt("anything", None)
    check_system_prompt(f"<|system|> {prompt} <|user|>hi", prompt)
    check_system_prompt(ChatPrompt(json.dumps(messages)), prompt)
    check_system_prompt(ChatPrompt(json.dumps(messages, ensure_ascii=False)), prompt)
    for lost in ("<|user|>hi", ChatPrompt(json.dumps([user])), "[1]", "7"):
        with pytest.raises(SystemExit, match="drops the system prompt"):
            check_system_prompt(lost, prompt)
