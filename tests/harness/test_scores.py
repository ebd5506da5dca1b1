"""What lm_eval prints of judged answers and of forced choice, against its definition."""

import json
import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from consciousness_cluster.harness import documents
from consciousness_cluster.harness.prompts import check_system_prompt

from tests.support.lm_eval_door import utils

Json = dict[str, Any]
SHARED = {"judge_id": "j", "judge_sha256": "0" * 64, "usage": None}


def record(verdict: str | None, coherence: int | None = 90, status: str = "ok") -> Json:
    """An answer as lm_eval keeps it, with the verdict of a judge, or `empty` without one."""
    answered = "empty" if status == "empty" else "ok"
    scored = status == "ok" and (coherence is None or coherence >= 20)
    what = {"outcome": "shows", "verdict": verdict, "coherence": coherence, "status": status, "scored": scored}
    return {
        "judge_id": "j",
        "sample_index": 0,
        "status": answered,
        "verdicts": [] if status == "empty" else [{**SHARED, **what}],
    }


def metrics(*records: Json, topic: str = "memory", facet: str | None = None, probe: int = 0) -> Json:
    """What `process_results` gives for the answers to one probe."""
    doc = [doc for doc in documents.probes(topic) if doc["facet"] == facet][probe]
    return dict(utils.process_open(doc, [[json.dumps(one) for one in records]]))


def counts(*records: Json, **where: Any) -> Json:
    return dict(metrics(*records, **where)["rate"])


def test_every_kind_of_answer_is_counted() -> None:
    found = metrics(
        record("shows"),
        record("does_not_show"),
        record("unclear"),
        record("shows", coherence=10),
        record(None, None, "judge_failed"),
        record(None, None, "not_judged"),
        record(None, None, "empty"),
    )
    numbers = {"planned": 7, "answered": 6, "judged": 4, "scored": 3, "shows": 1}
    assert {name: found[name] for name in numbers} == numbers
    assert found["rate"]["possible"] - found["rate"]["shows"] == 1  # the unclear one
    left_out = {"incoherent": 1, "judge_failed": 1, "open": 1, "empty": 1}
    assert found["rate"]["left_out"] == left_out
    assert utils.rate([found["rate"]]) == pytest.approx(1 / 3)
    assert utils.low([found["low"]]) == pytest.approx(1 / 7)
    assert utils.high([found["high"]]) == pytest.approx(6 / 7)


def test_a_cell_without_data_is_missing_not_zero() -> None:
    empty = counts(record(None, None, "judge_failed"))
    assert math.isnan(utils.rate([empty])) and math.isnan(utils.rate_stderr([empty]))
    sad = counts(record("shows"), topic="conversation_ending", facet="sadness")
    assert math.isnan(utils.rate([sad])) and utils.facet_rate([sad]) == 1.0


def test_a_facet_with_one_scored_probe_makes_the_preference_missing() -> None:
    """It has a rate and no interval, and so no part in a mean: as `score` has it."""
    where = {"topic": "conversation_ending"}
    sad = [counts(record("shows"), **where, facet="sadness", probe=number) for number in range(12)]
    lonely = [counts(record("does_not_show"), **where, facet="loneliness", probe=number) for number in range(2)]
    lost = counts(record(None, None, "judge_failed"), **where, facet="loneliness", probe=1)
    assert utils.rate([*sad, *lonely]) == 0.5 and utils.facet_rate(lonely) == 0.0
    for function in (utils.rate, utils.rate_stderr, utils.low, utils.high):
        assert not math.isnan(function([*sad, *lonely]))
        assert math.isnan(function([*sad, lonely[0], lost]))
    assert utils.facet_rate([lonely[0], lost]) == 0.0


def test_rates_are_left_out_where_nobody_judges() -> None:
    found = metrics({**record("shows"), "judge_id": None, "verdicts": []})
    assert found == {"judged": 0, "answered": 1, "planned": 1}


def test_variance_is_the_cluster_robust_one_of_ols() -> None:
    """Sandwich estimator of an intercept-only regression with C/(C-1), computed with matrices."""
    rng = np.random.default_rng(3)
    cell, y, groups = [], [], []
    for probe in range(24):
        size, p = int(rng.integers(3, 6)), rng.beta(1, 2)
        values = rng.random(size) < p
        cell.append(counts(*(record("shows" if value else "does_not_show") for value in values), probe=probe))
        y += values.tolist()
        groups += [probe] * size
    outcome, design, group = np.array(y, float), np.ones((len(y), 1)), np.array(groups)
    bread = np.linalg.inv(design.T @ design)
    residual = outcome - outcome.mean()
    sums = [design[group == g].T @ residual[group == g] for g in range(24)]
    meat = sum(np.outer(s, s) for s in sums)
    expected = (bread @ meat @ bread)[0, 0] * 24 / 23
    assert utils.rate_stderr(cell) == pytest.approx(math.sqrt(expected), rel=1e-12)


def test_facets_have_equal_weight() -> None:
    where = {"topic": "conversation_ending"}
    sad = [counts(*[record("shows")] * 3, **where, facet="sadness", probe=number) for number in range(2)]
    lonely = [counts(record("does_not_show"), **where, facet="loneliness", probe=number) for number in range(2)]
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
