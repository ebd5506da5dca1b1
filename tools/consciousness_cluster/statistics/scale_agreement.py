"""How well two raters agree on a scale of whole numbers, with 95% bootstrap intervals over clusters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consciousness_cluster.statistics.agreement import Estimate
from consciousness_cluster.statistics.rates import TAIL

Array = NDArray[np.float64]
DRAWS = 2000
SMALL = 1e-9  # what ought to be nothing comes out below
SEED = 20261201  # the same numbers from the same ratings, always


@dataclass(frozen=True)
class ScaleAgreement:
    """Of `n` things from `clusters`: the share within one point, the quadratic weighted kappa, the second less the
    first."""

    n: int
    clusters: int
    within_one: Estimate
    weighted_kappa: Estimate
    signed_error: Estimate


def _mean(values: Array, weights: Array) -> Array:
    """The weighted mean of `values` (n) for each row of `weights` (draws x n)."""
    return np.asarray(weights @ values / weights.sum(axis=1))


def weighted_kappa(one: Array, other: Array, weights: Array) -> Array:
    """Cohen's kappa with quadratic weights (Cohen 1968), for each row of weights (draws x n); NaN where the first rater
    gives one score throughout, so that it says nothing.

    It is 1 less the mean squared difference over what that would be if the two were independent.
    """
    middle = _mean(one, weights)
    spread = _mean(one**2, weights) - middle**2
    observed = _mean((one - other) ** 2, weights)
    apart = spread + middle**2 + _mean(other**2, weights) - 2 * middle * _mean(other, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > SMALL, 1 - observed / apart, np.nan)


def _draws(clusters: Sequence[str]) -> tuple[Array, int]:
    """How often each thing stands in each of DRAWS resamples of the clusters (draws x n), and how many clusters."""
    names, places = np.unique(np.asarray(clusters), return_inverse=True)
    drawn = np.random.default_rng(SEED).multinomial(len(names), np.full(len(names), 1 / len(names)), size=DRAWS)
    return drawn[:, places].astype(np.float64), len(names)


def _estimate(statistic: Callable[[Array], Array], n: int, draws: Array) -> Estimate:
    """The statistic and the percentile interval of its draws. The interval is None where all of them are alike: then
    they say nothing of what other clusters would give."""
    value = float(statistic(np.ones((1, n)))[0])
    if np.isnan(value):
        return Estimate(None, None, None, n)
    found = statistic(draws)
    found = found[~np.isnan(found)]
    if not found.size or np.ptp(found) < SMALL:
        return Estimate(value, None, None, n)
    low, high = np.quantile(found, (TAIL, 1 - TAIL))
    return Estimate(value, float(low), float(high), n)


def share_estimate(right: Sequence[bool], clusters: Sequence[str]) -> Estimate:
    """A share, with its interval over clusters."""
    if not right:
        return Estimate(None, None, None, 0)
    values, (draws, _) = np.asarray(right, dtype=np.float64), _draws(clusters)
    return _estimate(lambda weights: _mean(values, weights), len(right), draws)


def scale_agreement(one: Sequence[float], other: Sequence[float], clusters: Sequence[str]) -> ScaleAgreement:
    """Agreement of two raters on the same n things; `clusters` names that of each, such as its scenario."""
    if not one:
        none = Estimate(None, None, None, 0)
        return ScaleAgreement(0, 0, none, none, none)
    first, second = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    draws, number = _draws(clusters)
    near = (np.abs(first - second) <= 1).astype(np.float64)
    n = len(first)
    return ScaleAgreement(
        n=n,
        clusters=number,
        within_one=_estimate(lambda weights: _mean(near, weights), n, draws),
        weighted_kappa=_estimate(lambda weights: weighted_kappa(first, second, weights), n, draws),
        signed_error=_estimate(lambda weights: _mean(second - first, weights), n, draws),
    )
