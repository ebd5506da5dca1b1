"""Differences of two arms against scipy and statsmodels, and against numbers worked out by hand."""

import math
from itertools import pairwise

import numpy as np
import pytest
from consciousness_cluster.statistics.differences import (
    CROSSED,
    ONE_FINE_TUNE,
    Array,
    Difference,
    benjamini_hochberg,
    crossed,
    difference,
    mean_difference,
    newcombe,
    paired,
    parts,
)
from consciousness_cluster.statistics.rates import Cell, Interval, interval
from scipy import stats

from tests.support import references

RNG = np.random.default_rng(7)
ARM, BASELINE = RNG.binomial(5, 0.4, (24, 1)) / 5, RNG.binomial(5, 0.25, (24, 1)) / 5

# Three probes, three seeds against one vanilla run. Worked out by hand:
# per-probe means of the arm 0.4, 0.6, 0.8; minus baseline 0.2, 0.2, 0.6: differences 0.2, 0.4, 0.2; mean 4/15.
# V_probe: var = (2 * (1/15)^2 + (2/15)^2) / 2 = 1/75; /3 = 1/225.
# Seed means 0.4, 0.6, 0.8: var 0.04; V_seed = 0.04 / 3 = 1/75.
# Residuals after both margins: see SMALL; sum of squares 0.16, / (2 * 2) = 0.04; V_cell = 0.04 / 9 = 1/225.
SMALL = np.array([[0.4, 0.4, 0.4], [0.2, 0.6, 1.0], [0.6, 0.8, 1.0]])
SMALL_BASELINE = np.array([[0.2], [0.2], [0.6]])


def iid(hits: int, n: int) -> Interval:
    low, high = references.proportion_confint(hits, n, method="wilson")
    return Interval(hits / n, low, high, n, n, 1.0, False, low, high)


def of(rates: Array, answers: int = 5, icc: float = 0.2) -> Interval:
    made = interval(Cell.of(rates.sum(axis=1) * answers, np.full(len(rates), rates.shape[1] * answers)), icc)
    assert made is not None
    return made


def by_rule(arm: Array, baseline: Array) -> Difference:
    return difference(arm, baseline, (of(arm), of(baseline)))


def width(found: Difference | None) -> float:
    assert found is not None
    return found.high - found.low


def variance_of(found: Difference) -> float:
    return float((found.high - found.low) / 2 / stats.t.ppf(0.975, found.df)) ** 2


def test_paired_equals_scipy() -> None:
    found, reference = paired(ARM, BASELINE), stats.ttest_rel(ARM[:, 0], BASELINE[:, 0])
    bounds = reference.confidence_interval(0.95)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high))
    assert (found.p, found.df) == (pytest.approx(reference.pvalue), reference.df)
    assert found.method == ONE_FINE_TUNE


@pytest.mark.parametrize("hits", [(3, 12), (12, 3), (0, 9), (9, 0), (30, 30), (14, 15)])
def test_newcombe_equals_statsmodels(hits: tuple[int, int]) -> None:
    one, other = hits
    found = newcombe(iid(one, 40), iid(other, 30))
    low, high = references.confint_proportions_2indep(one, 40, other, 30, method="newcomb", compare="diff")
    assert found.value == pytest.approx(one / 40 - other / 30)
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize("hits", range(31))
def test_newcombe_p_value_agrees_with_its_interval(hits: int) -> None:
    found = newcombe(iid(hits, 30), iid(10, 30))
    assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
    assert 0 <= found.p <= 1


def test_newcombe_takes_the_clustered_intervals() -> None:
    """Five equal answers to each probe are one draw: far wider than 120 independent ones."""
    one, other = np.array([[1.0]] * 8 + [[0.0]] * 16), np.array([[1.0]] * 2 + [[0.0]] * 22)
    assert width(newcombe(of(one), of(other))) > 1.8 * width(newcombe(iid(40, 120), iid(10, 120)))


def test_newcombe_of_two_cells_at_nothing_is_not_certain() -> None:
    nothing = of(np.zeros((24, 1)))
    found = newcombe(nothing, nothing)
    assert (found.value, found.p) == (0.0, 1.0)
    assert found.low == pytest.approx(-0.0603, abs=1e-4)
    assert found.high == pytest.approx(0.0603, abs=1e-4)
    assert newcombe(of(np.ones((24, 1))), nothing).p < 1e-6


def test_parts_of_a_small_example_by_hand() -> None:
    rest = SMALL - np.array([[0.4], [0.6], [0.8]]) - np.array([[0.4, 0.6, 0.8]]) + 0.6
    assert rest == pytest.approx(np.array([[0.2, 0.0, -0.2], [-0.2, 0.0, 0.2], [0.0, 0.0, 0.0]]))
    found = parts(SMALL, SMALL_BASELINE)
    assert found.value == pytest.approx(4 / 15)
    assert found.probe == pytest.approx(1 / 225)
    assert found.seeds == ((pytest.approx(1 / 75), 3),)
    assert found.cell == pytest.approx(1 / 225)


def test_crossed_small_example_by_hand() -> None:
    """By hand: 1/225 + 3/225 - 1/225 = 3/225 = V_seed; df = (3/225)^2 / ((1/225)^2/2 + (3/225)^2/2) = 9/5."""
    found = crossed(SMALL, SMALL_BASELINE)
    assert found is not None
    half = stats.t.ppf(0.975, 1.8) * math.sqrt(3 / 225)
    assert found.df == pytest.approx(1.8)
    assert found.low == pytest.approx(4 / 15 - half)
    assert found.high == pytest.approx(min(1.0, 4 / 15 + half))
    assert found.p == pytest.approx(2 * stats.t.sf(4 / 15 / math.sqrt(3 / 225), 1.8))
    assert found.method == CROSSED


def test_crossed_is_never_below_the_variance_of_seeds_or_of_probes() -> None:
    seeds_only = crossed(SMALL, np.array([[0.2], [0.4], [0.6]]))  # 0 + 3/225 - 1/225 is less than 3/225
    assert seeds_only is not None
    assert variance_of(seeds_only) == pytest.approx(3 / 225)
    assert seeds_only.df == pytest.approx(2)
    latin = np.array([[0.1, 0.2, 0.3], [0.2, 0.3, 0.1], [0.3, 0.1, 0.2]])  # all seeds' means are 0.2
    probes_only = crossed(latin, np.array([[0.0], [0.2], [0.4]]))
    assert probes_only is not None
    assert parts(latin, SMALL_BASELINE).cell > 0
    assert variance_of(probes_only) == pytest.approx(0.04 / 3)
    assert probes_only.df == pytest.approx(2)


def test_crossed_with_seeds_in_both_arms_by_hand() -> None:
    """The arm of SMALL against itself turned round: differences -0.4, 0, 0.4; V_probe 0.16/3; the rest twice."""
    found = crossed(SMALL, SMALL[::-1])
    assert found is not None
    probe, seed, cell = 0.16 / 3, 1 / 75, 1 / 225
    variance = probe + 2 * seed - 2 * cell
    df = variance**2 / (probe**2 / 2 + 2 * seed**2 / 2)
    assert found.value == pytest.approx(0.0, abs=1e-12)
    assert found.df == pytest.approx(df)
    assert width(found) == pytest.approx(min(2.0, 2 * stats.t.ppf(0.975, df) * math.sqrt(variance)))
    assert found.p == pytest.approx(1.0)


def test_crossed_without_seed_variance_is_paired() -> None:
    """Three seeds that are the same model: only probes vary, so t with K-1 df, on the same interval."""
    found, reference = crossed(np.repeat(ARM, 3, axis=1), BASELINE), paired(ARM, BASELINE)
    assert found is not None
    assert reference is not None
    assert (found.low, found.high, found.p, found.df) == pytest.approx(
        (reference.low, reference.high, reference.p, reference.df)
    )


def test_crossed_without_probe_variance_is_a_test_over_seeds() -> None:
    """All probes move together, by seed: Welch's t over seed means, and three seeds have two degrees of freedom."""
    shifts = np.array([0.0, 0.1, 0.3])
    found = crossed(0.2 + np.tile(shifts, (24, 1)), np.full((24, 1), 0.2))
    reference = stats.ttest_1samp(shifts, 0.0)
    assert found is not None
    assert found.p == pytest.approx(reference.pvalue)
    assert found.df == pytest.approx(2)
    both = crossed(0.2 + np.tile(shifts, (24, 1)), 0.2 + np.tile([0.0, 0.05, 0.05, 0.1], (24, 1)))
    welch = stats.ttest_ind(shifts, [0.0, 0.05, 0.05, 0.1], equal_var=False)
    assert both is not None
    assert (both.p, both.df) == (pytest.approx(welch.pvalue), pytest.approx(welch.df))


def test_variance_over_seeds_comes_from_arms_that_have_several() -> None:
    assert len(parts(SMALL, SMALL_BASELINE).seeds) == 1
    assert len(parts(SMALL_BASELINE, SMALL).seeds) == 1
    assert len(parts(SMALL, SMALL).seeds) == 2
    forth, back = crossed(SMALL, SMALL_BASELINE), crossed(SMALL_BASELINE, SMALL)
    assert forth is not None
    assert back is not None
    assert (back.value, back.low, back.high) == pytest.approx((-forth.value, -forth.high, -forth.low))
    assert (back.p, back.df) == pytest.approx((forth.p, forth.df))


def test_the_rule_that_fits() -> None:
    assert by_rule(np.repeat(ARM, 3, axis=1), BASELINE).method == CROSSED
    assert by_rule(ARM, np.repeat(BASELINE, 3, axis=1)).method == CROSSED
    assert by_rule(np.repeat(ARM, 2, axis=1), BASELINE).method == ONE_FINE_TUNE
    assert by_rule(ARM, BASELINE) == paired(ARM, BASELINE)
    for flat in (np.zeros((24, 1)), np.ones((24, 1))):
        assert by_rule(ARM, flat) == newcombe(of(ARM), of(flat))
        assert by_rule(flat, ARM) == newcombe(of(flat), of(ARM))


def test_differences_that_are_all_equal_are_not_certain() -> None:
    """0.6 - 0.4 and 0.8 - 0.6 differ in the last bit: still no variance, and no p value of 1e-48."""
    baseline = np.array([[0.0], [0.2], [0.4], [0.6], [0.8]])
    arm = baseline + 0.2
    assert paired(arm, baseline) is None
    assert by_rule(arm, baseline) == newcombe(of(arm), of(baseline))


@pytest.mark.parametrize("level", [0.0, 0.2, 1.0])
def test_three_seeds_that_never_vary_are_not_certain(level: float) -> None:
    arm, baseline = np.full((24, 3), level), np.full((24, 3), level)
    assert crossed(arm, baseline) is None
    found = by_rule(arm, baseline)
    assert found.low < 0 < found.high
    assert found.p == pytest.approx(1.0)


def test_mean_difference_of_one_cell_is_that_cell() -> None:
    assert mean_difference([(SMALL, SMALL_BASELINE)], [1.0]) == crossed(SMALL, SMALL_BASELINE)
    assert mean_difference([(ARM, BASELINE)], [1.0]) == paired(ARM, BASELINE)


def test_mean_difference_of_two_cells_by_hand() -> None:
    """The same cell twice, a quarter and three quarters: shared seeds weigh fully, probes and the rest 10/16."""
    found = mean_difference([(SMALL, SMALL[::-1])] * 2, [1 / 4, 3 / 4])
    probe, seed, cell = 1 / 16 * 0.16 / 3, 1 / 75, 10 / 16 / 225
    variance = 10 * probe + 2 * seed - 2 * cell
    assert variance_of(found) == pytest.approx(variance)
    assert found.df == pytest.approx(variance**2 / (probe**2 / 2 + (9 * probe) ** 2 / 2 + 2 * seed**2 / 2))


def cells(shared_sd: float, seed: int) -> list[tuple[Array, Array]]:
    """20 cells of 24 probes, 3 seeds against 3; a seed shifts all cells of its arm by the same."""
    rng = np.random.default_rng(seed)
    shifts = shared_sd * rng.standard_normal((2, 3))
    return [
        tuple(rng.binomial(5, np.clip(0.4 + shift + 0.1 * rng.standard_normal((24, 1)), 0, 1)) / 5 for shift in shifts)
        for _ in range(20)
    ]


def independent_sum(arms: list[tuple[Array, Array]]) -> float:
    """The variance of the mean if each cell had seeds of its own."""
    found = [parts(*pair) for pair in arms]
    return sum(one.probe + sum(v for v, _ in one.seeds) - one.cell for one in found) / len(arms) ** 2


def test_a_seed_shift_that_cells_share_widens_their_mean() -> None:
    for seed in range(5):
        arms = cells(0.1, seed)
        found = mean_difference(arms, [1 / 20] * 20)
        means = [np.mean([pair[side].mean(axis=0) for pair in arms], axis=0) for side in (0, 1)]
        assert found.value == pytest.approx(means[0].mean() - means[1].mean())
        seeds = sum(one.var(ddof=1) / 3 for one in means)
        assert variance_of(found) >= seeds * (1 - 1e-9)
        assert variance_of(found) > 4 * independent_sum(arms)
        assert found.df < 5  # seeds decide, and there are three in each arm


def test_without_a_shared_shift_the_mean_is_as_wide_as_independent_cells() -> None:
    ratios = [
        variance_of(mean_difference(arms, [1 / 20] * 20)) / independent_sum(arms)
        for arms in (cells(0.0, seed) for seed in range(40))
    ]
    assert 0.9 < np.mean(ratios) < 1.4  # above 1: the larger of three noisy variances is taken


def test_the_mean_of_twenty_holds_its_level() -> None:
    """True difference 0, shared seed shifts of sd 0.05; the independent sum would reject in most rounds."""
    rounds = 100
    rejected = sum(mean_difference(cells(0.05, 1000 + seed), [1 / 20] * 20).p < 0.05 for seed in range(rounds))
    assert rejected / rounds < 0.1


def test_facets_weigh_half_a_preference() -> None:
    arms = [(RNG.binomial(5, 0.5, (12, 1)) / 5, RNG.binomial(5, 0.3, (12, 1)) / 5) for _ in range(3)]
    weights = [1 / 2, 1 / 4, 1 / 4]
    found = mean_difference(arms, weights)
    each = [(one - other)[:, 0] for one, other in arms]
    variances = [w**2 * one.var(ddof=1) / 12 for w, one in zip(weights, each, strict=True)]
    assert found.value == pytest.approx(sum(w * one.mean() for w, one in zip(weights, each, strict=True)))
    assert variance_of(found) == pytest.approx(sum(variances))
    assert found.df == pytest.approx(sum(variances) ** 2 / sum(v**2 / 11 for v in variances))
    assert found.method == ONE_FINE_TUNE


def test_two_seeds_are_taken_as_one_fine_tune() -> None:
    two = np.hstack([ARM, np.clip(ARM + 0.2, 0, 1)])
    assert mean_difference([(two, BASELINE)] * 2, [0.5, 0.5]) == mean_difference(
        [(two.mean(axis=1, keepdims=True), BASELINE)] * 2, [0.5, 0.5]
    )


def test_benjamini_hochberg_equals_statsmodels() -> None:
    p_values = [*np.random.default_rng(3).uniform(0, 1, 14), 0.0, 1e-6, 0.004, 0.004, 0.03, 1.0]
    adjusted = benjamini_hochberg(p_values)
    assert adjusted == pytest.approx(references.multipletests(p_values, method="fdr_bh")[1])
    ranked = [q for _, q in sorted(zip(p_values, adjusted, strict=True))]
    assert all(q <= later for q, later in pairwise(ranked))
