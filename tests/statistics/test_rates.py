"""Rates of cells against statsmodels, and the cells at the edges."""

import numpy as np
import pytest
from consciousness_cluster.statistics.rates import (
    TAIL,
    Cell,
    Z,
    clopper_pearson,
    cluster_variance,
    design_effect,
    interval,
    pooled_icc,
    wilson,
)
from scipy import stats

from tests.support import references

EVEN = Cell.of([0, 1, 2, 5, 4, 3, 0, 5], [5] * 8)
UNEVEN = Cell.of([0, 1, 2, 3, 4, 2, 0, 1], [5, 3, 2, 5, 4, 5, 1, 1])


def simulated(rate: float, icc: float, probes: int, answers: int, seed: int) -> Cell:
    rng = np.random.default_rng(seed)
    size = (1 - icc) / icc
    own = rng.beta(rate * size, (1 - rate) * size, probes)
    return Cell.of(rng.binomial(answers, own), np.full(probes, answers))


def answers_of(cell: Cell) -> tuple[np.ndarray, np.ndarray]:
    """One entry an answer: shows (1 or 0), and its probe."""
    values = [[1.0] * int(k) + [0.0] * int(n - k) for k, n in zip(cell.shows, cell.scored, strict=True)]
    return np.concatenate(values), np.repeat(np.arange(cell.probes), cell.scored.astype(int))


@pytest.mark.parametrize("cell", [EVEN, UNEVEN, simulated(0.3, 0.2, 24, 5, 1)])
def test_cluster_variance_equals_statsmodels(cell: Cell) -> None:
    values, probe = answers_of(cell)
    fit = references.ols(values, np.ones_like(values)).fit(
        cov_type="cluster", cov_kwds={"groups": probe, "use_correction": False}
    )
    c = cell.probes
    assert cell.rate == pytest.approx(fit.params[0])
    assert cluster_variance(cell) == pytest.approx(fit.bse[0] ** 2 * c / (c - 1))


def test_cluster_variance_equals_statsmodels_own_correction() -> None:
    """Its small-sample factor for a constant is C/(C-1) * (n-1)/(n-1): ours."""
    values, probe = answers_of(UNEVEN)
    fit = references.ols(values, np.ones_like(values)).fit(cov_type="cluster", cov_kwds={"groups": probe})
    assert cluster_variance(UNEVEN) == pytest.approx(fit.bse[0] ** 2)


@pytest.mark.parametrize(("hits", "n"), [(0, 40), (1, 40), (13, 24), (24, 24), (7, 66)])
def test_wilson_equals_statsmodels(hits: int, n: int) -> None:
    for level in (0.95, 0.9):
        quantile = float(stats.norm.ppf((1 + level) / 2))
        assert wilson(hits / n, n, quantile) == pytest.approx(
            references.proportion_confint(hits, n, alpha=1 - level, method="wilson")
        )


@pytest.mark.parametrize(("hits", "n"), [(0, 24), (1, 24), (3, 24), (12, 24), (23, 24), (24, 24)])
def test_clopper_pearson_equals_statsmodels(hits: int, n: int) -> None:
    assert clopper_pearson(hits / n, n) == pytest.approx(references.proportion_confint(hits, n, method="beta"))


@pytest.mark.parametrize("cell", [EVEN, UNEVEN, simulated(0.4, 0.2, 24, 5, 2)])
def test_interval_is_wilson_at_the_effective_n_with_the_t_quantile(cell: Cell) -> None:
    made = interval(cell)
    assert made is not None
    p, n, c = cell.rate, cell.n, cell.probes
    deff = max(1.0, cluster_variance(cell) / (p * (1 - p) / n))
    # statsmodels takes z from alpha: the alpha whose z is the t quantile
    alpha = 2 * stats.norm.sf(stats.t.ppf(0.975, c - 1))
    reference = references.proportion_confint(p * n / deff, n / deff, alpha=alpha, method="wilson")
    assert (made.low, made.high) == pytest.approx(reference)
    assert (made.iid_low, made.iid_high) == pytest.approx(references.proportion_confint(p * n, n, method="wilson"))
    assert (made.rate, made.n, made.probes) == (p, n, c)


@pytest.mark.parametrize("answers", [1, 5])
@pytest.mark.parametrize("positive", range(25))
def test_with_few_positive_probes_the_lower_bound_is_the_lower_one_of_two(positive: int, answers: int) -> None:
    """And with few negative ones the upper bound the higher one; the other bound is Wilson's in any case."""
    cell = Cell.of([answers] * positive + [0] * (24 - positive), [answers] * 24)
    made = interval(cell, icc=0.3)
    assert made is not None
    n = cell.n / made.deff
    by_wilson, exact = wilson(cell.rate, n, float(stats.t.ppf(0.975, 23))), clopper_pearson(cell.rate, n)
    assert made.low == (min(by_wilson[0], exact[0]) if positive < 5 else by_wilson[0])
    assert made.high == (max(by_wilson[1], exact[1]) if positive > 19 else by_wilson[1])
    assert (made.low < by_wilson[0]) is (0 < positive < 5) and (made.high > by_wilson[1]) is (19 < positive < 24)
    mirrored = interval(Cell.of(cell.scored - cell.shows, cell.scored), icc=0.3)
    assert mirrored is not None
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - made.high, 1 - made.low))


@pytest.mark.parametrize("probes", [12, 24])
def test_one_answer_a_probe_covers_every_rate(probes: int) -> None:
    """Exact: all outcomes of a binomial, weighed by their probability. Wilson's alone covers 85% at the worst rate."""
    rates, hits = np.linspace(0, 1, 401), np.arange(probes + 1)
    cells = [Cell.of([1] * number + [0] * (probes - number), [1] * probes) for number in hits]
    made = [interval(cell) for cell in cells]
    low, high = np.array([(one.low, one.high) for one in made if one]).T
    weights = stats.binom.pmf(hits[:, None], probes, rates)
    held = (low[:, None] <= rates) & (rates <= high[:, None])
    coverage = (weights * held).sum(axis=0)
    assert coverage.min() >= 0.94
    quantile = float(stats.t.ppf(0.975, probes - 1))
    former = np.array([wilson(cell.rate, cell.n / design_effect(cell, 0.0)[0], quantile) for cell in cells])
    lost = (weights * ((former[:, :1] <= rates) & (rates <= former[:, 1:]))).sum(axis=0)
    assert lost.min() < 0.9, "nothing was to be mended"
    assert (weights.T @ (high - low) / (weights.T @ (former[:, 1] - former[:, 0]))).max() < 1.05


def test_few_positive_answers_among_several_are_covered() -> None:
    """300 models of 21 cells, 24 probes of 5 answers, a true rate of 2% and an ICC of 0.5: 95%, less three errors."""
    rng, held, rounds = np.random.default_rng(11), 0, 300
    for _ in range(rounds):
        rates = np.concatenate([[0.02], rng.uniform(0.02, 0.98, 20)])[:, None]
        shows = rng.binomial(5, rng.beta(rates, 1 - rates, (21, 24)))
        cells = [Cell.of(one, [5] * 24) for one in shows]
        made = interval(cells[0], pooled_icc(cells))
        held += made is not None and made.low <= 0.02 <= made.high
    assert held / rounds > 0.95 - 3 * np.sqrt(0.05 * 0.95 / rounds)


def test_answers_that_agree_within_a_probe_count_once() -> None:
    """24 probes of 5 equal answers are 24 draws: the design effect is 5 (times C/(C-1)), the n 24."""
    made = interval(Cell.of([5] * 12 + [0] * 12, [5] * 24))
    assert made is not None
    assert made.deff == pytest.approx(5 * 24 / 23)
    assert not made.pooled_icc_used
    assert made.high - made.low > 2 * (made.iid_high - made.iid_low)


def test_probes_that_are_more_alike_than_chance_do_not_shrink_the_interval() -> None:
    made = interval(Cell.of([2, 3] * 12, [5] * 24))
    assert made is not None
    assert cluster_variance(Cell.of([2, 3] * 12, [5] * 24)) < 0.25 / 120
    assert made.deff == 1.0


def test_nothing_and_everything_have_an_interval() -> None:
    """0 of 120: deff 1 + 4 * 0.2 = 1.8, n 66.7, t 2.0687; upper bound (t^2/n) / (1 + t^2/n) = 0.0642 / 1.0642."""
    none = interval(Cell.of([0] * 24, [5] * 24), icc=0.2)
    every = interval(Cell.of([5] * 24, [5] * 24), icc=0.2)
    assert none is not None
    assert every is not None
    assert (none.rate, none.low, none.deff, none.pooled_icc_used) == (0.0, 0.0, pytest.approx(1.8), True)
    assert none.high == pytest.approx(0.0603, abs=1e-4)
    assert (every.low, every.high) == (pytest.approx(1 - none.high), 1.0)


def test_nothing_in_ten_probes_of_ten_answers() -> None:
    """0 of 100 over 10 probes: deff 2.8, n 35.7, t 2.2622; upper bound 0.1433 / 1.1433."""
    made = interval(Cell.of([0] * 10, [10] * 10), icc=0.2)
    assert made is not None
    assert made.high == pytest.approx(0.1253, abs=1e-4)


@pytest.mark.parametrize(("positive", "scarce"), [(4, True), (5, False), (19, False), (20, True)])
def test_the_pooled_icc_is_used_below_five_positive_or_negative_probes(positive: int, scarce: bool) -> None:
    cell = Cell.of([5] * positive + [0] * (24 - positive), [5] * 24)
    assert design_effect(cell, 0.2)[1] is scarce
    lone = Cell.of(
        [1] * positive + [0] * (24 - positive), [5] * 24
    )  # one answer of five: every probe has a negative one
    assert design_effect(lone, 0.2)[1] is (positive == 4)


def test_the_pooled_icc_widens_but_never_narrows() -> None:
    lone = Cell.of([1, 1, 1] + [0] * 21, [5] * 24)
    assert design_effect(lone, 0.2) == (pytest.approx(1.8), True)
    clumped = Cell.of([5, 5, 5] + [0] * 21, [5] * 24)
    assert design_effect(clumped, 0.2)[0] == pytest.approx(5 * 24 / 23)
    assert design_effect(clumped, 0.0)[0] == pytest.approx(5 * 24 / 23)


def test_one_probe_says_nothing_about_others() -> None:
    assert interval(Cell.of([3], [5]), icc=0.2) is None
    assert interval(Cell.of([3, 0], [5, 0]), icc=0.2) is None
    assert interval(Cell.of([], [])) is None
    assert np.isnan(cluster_variance(Cell.of([3], [5])))


def test_probes_without_scored_answers_are_left_out() -> None:
    shows, scored = [0, 1, 0, 4, 0, 5, 2, 3, 1], [5, 5, 0, 5, 0, 5, 5, 4, 5]
    kept = [position for position, n in enumerate(scored) if n]
    cell = Cell.of(shows, scored)
    assert (cell.probes, cell.n) == (7, 34)
    assert interval(cell, 0.2) == interval(Cell.of([shows[i] for i in kept], [scored[i] for i in kept]), 0.2)
    assert np.isnan(Cell.of([0], [0]).rate)


def test_pooled_icc_equals_the_anova_estimator() -> None:
    """Mean squares of statsmodels' one-way ANOVA of one cell with unequal probes; n0 by hand."""
    values, probe = answers_of(UNEVEN)
    fit = references.ols(values, np.eye(UNEVEN.probes)[probe]).fit()
    between, within = fit.ess / (UNEVEN.probes - 1), fit.mse_resid
    sizes = UNEVEN.scored
    m = (sizes.sum() - (sizes**2).sum() / sizes.sum()) / (len(sizes) - 1)
    assert pooled_icc([UNEVEN]) == pytest.approx((between - within) / (between + (m - 1) * within))


@pytest.mark.parametrize("icc", [0.1, 0.2, 0.3])
def test_pooled_icc_finds_the_planted_one(icc: float) -> None:
    """Over 20 cells of 24 probes its standard deviation is about 0.025."""
    cells = [simulated(0.05 + 0.045 * position, icc, 24, 5, 100 + position) for position in range(20)]
    assert pooled_icc(cells) == pytest.approx(icc, abs=0.075)


def test_pooled_icc_without_anything_to_go_by() -> None:
    flat, single, lone = Cell.of([0] * 24, [5] * 24), Cell.of([1, 0, 1], [1, 1, 1]), Cell.of([2], [5])
    assert pooled_icc([]) == pooled_icc([flat, single, lone]) == 0.0
    assert pooled_icc([EVEN, flat, single, lone]) == pooled_icc([EVEN])
    assert pooled_icc([Cell.of([5, 0] * 6, [5] * 12)]) == 1.0
    assert pooled_icc([Cell.of([2, 3] * 6, [5] * 12)]) == 0.0


def test_the_quantile_of_the_normal_distribution_is_that_of_its_tail() -> None:
    assert pytest.approx(float(stats.norm.ppf(1 - TAIL)), abs=1e-12) == Z
