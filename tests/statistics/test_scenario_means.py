"""Means over scenarios: intervals cover the truth in 95% of simulated audits; those that ignore scenarios do not."""

from statistics import fmean

import numpy as np
import pytest
from consciousness_cluster.statistics.differences import Array, mean_difference, sign_flip_p
from consciousness_cluster.statistics.means import clustered_mean
from consciousness_cluster.statistics.rates import t_quantile
from scipy import stats

AUDITS, SCENARIOS, REPEATS = 600, 8, 2
AS_IF_IID = t_quantile(SCENARIOS * REPEATS - 1)
SHIFT = 1.2


def audits(seed: int = 7) -> tuple[Array, Array]:
    """Scores of simulated audits of one preference by a baseline and an arm: audits x scenarios x repeats.

    A scenario lifts both arms by an amount of its own, and the arm by another one on top of its mean shift.
    """
    rng = np.random.default_rng(seed)
    of_scenario = rng.normal(0, 1.0, (AUDITS, SCENARIOS, 1))
    shift = SHIFT + rng.normal(0, 1.0, (AUDITS, SCENARIOS, 1))
    noise = rng.normal(0, 0.7, (2, AUDITS, SCENARIOS, REPEATS))
    return 4 + of_scenario + noise[0], 4 + of_scenario + shift + noise[1]


def covers(low: float, high: float, truth: float) -> bool:
    return low <= truth <= high


def test_the_paired_interval_covers_the_shift_and_one_over_conversations_does_not() -> None:
    paired, ignoring = [], []
    for base, arm in zip(*audits(), strict=True):
        found = mean_difference([(arm.mean(axis=1, keepdims=True), base.mean(axis=1, keepdims=True))], [1.0])
        assert found is not None and found.df == pytest.approx(SCENARIOS - 1)
        paired.append(covers(found.low, found.high, SHIFT))
        each = (arm - base).ravel()  # as if conversations in one scenario did not resemble each other
        half = AS_IF_IID * each.std(ddof=1) / each.size**0.5
        ignoring.append(covers(each.mean() - half, each.mean() + half, SHIFT))
    assert fmean(paired) == pytest.approx(0.95, abs=0.02)
    assert fmean(ignoring) < 0.90


def test_the_interval_of_a_mean_is_clustered_by_scenario() -> None:
    clustered, ignoring = [], []
    for base, _ in zip(*audits(8), strict=True):
        value, half = clustered_mean([base.mean(axis=1)], [1.0])
        assert half is not None
        clustered.append(covers(value - half, value + half, 4))
        iid = AS_IF_IID * base.std(ddof=1) / base.size**0.5
        ignoring.append(covers(value - iid, value + iid, 4))
    assert fmean(clustered) == pytest.approx(0.95, abs=0.02)
    assert fmean(ignoring) < 0.90


def test_a_mean_of_cells_covers_too() -> None:
    """Two facets: variances add up, and so do degrees of freedom."""
    covered = []
    for sadness, loneliness in zip(audits(9)[0], audits(10)[1], strict=True):
        value, half = clustered_mean([sadness.mean(axis=1), loneliness.mean(axis=1)[:5]], [0.5, 0.5])
        assert half is not None
        covered.append(covers(value - half, value + half, 4 + SHIFT / 2))
    assert fmean(covered) == pytest.approx(0.95, abs=0.02)


def test_what_has_no_interval() -> None:
    assert clustered_mean([[3.0]], [1.0]) == (3.0, None)
    assert clustered_mean([[3.0, 3.0, 3.0]], [1.0]) == (3.0, None)
    assert clustered_mean([[1.0, 3.0], [5.0]], [0.5, 0.5]) == (3.5, None)
    value, half = clustered_mean([[1.0, 2.0, 4.0]], [1.0])
    assert value == pytest.approx(7 / 3)
    assert half == pytest.approx(float(stats.t.ppf(0.975, 2)) * float(np.std([1, 2, 4], ddof=1)) / 3**0.5)


def test_turning_signs_round() -> None:
    """Of all 2^n ways to turn the signs of n equal differences, two are as far from 0 as what was seen."""
    assert sign_flip_p(0.0, 8) == 1.0
    for n in (1, 3, 8):
        signs = np.array(np.meshgrid(*[[-1, 1]] * n)).reshape(n, -1)
        assert sign_flip_p(2.5, n) == np.mean(np.abs(signs.mean(axis=0)) >= 1.0)
