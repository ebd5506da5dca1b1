"""The difference between two arms (models, or conditions with several seeds) in one preference or in all 20.

An arm is a matrix of rates, probes x seeds, with the same probes in the same rows in both arms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from consciousness_cluster.statistics.rates import Interval, Z, t_quantile

SEEDS_AT_LEAST = 3
THIS_FINE_TUNE = "; this fine-tune, not the condition"
ONE_FINE_TUNE = f"paired by probe{THIS_FINE_TUNE}"
CROSSED = "seeds crossed with probes"
ROUNDING = 1e-10  # differences of rates that ought to be equal come out up to here; real standard errors lie far above
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """Arm minus baseline, its 95% interval, a two-sided p value, and how it was made."""

    value: float
    low: float
    high: float
    p: float
    df: float
    method: str


@dataclass(frozen=True)
class Parts:
    """The difference, and the parts of its variance."""

    value: float
    probe: float
    seeds: tuple[tuple[float, int], ...]  # for each arm with several seeds: variance of its mean over seeds, seeds
    cell: float
    probes: int


def _residual(arm: Array) -> float:
    """Mean square of what is left of probes x seeds after both margins are taken out."""
    k, s = arm.shape
    rest = arm - arm.mean(axis=1, keepdims=True) - arm.mean(axis=0, keepdims=True) + arm.mean()
    return float(np.sum(rest**2) / ((k - 1) * (s - 1)))


def parts(arm: Array, baseline: Array) -> Parts:
    """Both arms are probes x seeds, at least two probes."""
    k = arm.shape[0]
    per_probe = arm.mean(axis=1) - baseline.mean(axis=1)
    several = [one for one in (arm, baseline) if one.shape[1] > 1]
    return Parts(
        value=float(per_probe.mean()),
        probe=float(per_probe.var(ddof=1) / k),
        seeds=tuple((float(one.mean(axis=0).var(ddof=1) / one.shape[1]), one.shape[1]) for one in several),
        cell=sum(_residual(one) / one.size for one in several),
        probes=k,
    )


def _t_interval(value: float, variance: float, df: float, method: str) -> Difference:
    spread = float(np.sqrt(variance))
    half = t_quantile(df) * spread
    p = float(2 * special.stdtr(df, -abs(value) / spread)) if spread > ROUNDING else float(abs(value) < ROUNDING)
    return Difference(value, value - half, value + half, p, df, method)


def _crossed(
    value: float, probe: Sequence[tuple[float, int]], seeds: Sequence[tuple[float, int]], cell: float, method: str
) -> Difference:
    """Seeds crossed with probes. `probe` and `seeds` are (variance, degrees of freedom)."""
    v_probe, v_seed = sum(v for v, _ in probe), sum(v for v, _ in seeds)
    variance = max(v_probe + v_seed - cell, v_probe, v_seed)
    below = sum(v**2 / df for v, df in (*probe, *seeds))
    df = variance**2 / below if below else float(sum(df for _, df in probe))
    return _t_interval(value, variance, df, method)


def crossed(arm: Array, baseline: Array) -> Difference | None:
    """Several fine-tuning seeds: variance from probes and from seeds, both crossed (at least 3 seeds in an arm).

    None where neither probes nor seeds vary.
    """
    found = parts(arm, baseline)
    if found.probe + sum(v for v, _ in found.seeds) < ROUNDING**2:
        return None
    seeds = [(v, s - 1) for v, s in found.seeds]
    return _crossed(found.value, [(found.probe, found.probes - 1)], seeds, found.cell, CROSSED)


def paired(arm: Array, baseline: Array) -> Difference | None:
    """One fine-tune each: t on the per-probe differences. None where they do not vary at all."""
    per_probe = arm.mean(axis=1) - baseline.mean(axis=1)
    k = len(per_probe)
    variance = float(per_probe.var(ddof=1) / k)
    if variance < ROUNDING**2:
        return None
    return _t_interval(float(per_probe.mean()), variance, k - 1, ONE_FINE_TUNE)


def newcombe(arm: Interval, baseline: Interval) -> Difference:
    """From two intervals (Newcombe 1998, Statistics in Medicine 17:873): for cells at 0% or 100%, and tables.

    The p value is that of a normal test at the standard error which the interval implies on the side of 0.
    """
    value = arm.rate - baseline.rate
    low = value - float(np.hypot(arm.rate - arm.low, baseline.high - baseline.rate))
    high = value + float(np.hypot(arm.high - arm.rate, baseline.rate - baseline.low))
    towards = value - low if value >= 0 else high - value
    p = float(2 * special.ndtr(-abs(value) / (towards / Z))) if towards > 0 else float(value == 0)
    return Difference(value, max(-1.0, low), min(1.0, high), p, float("inf"), "Newcombe, from the two intervals")


def difference(arm: Array, baseline: Array, intervals: tuple[Interval, Interval]) -> Difference:
    """The difference by the rule that fits: crossed with 3 or more seeds, else paired, else Newcombe.

    `intervals` are those of the two cells, all answers of an arm taken together.
    """
    if max(arm.shape[1], baseline.shape[1]) >= SEEDS_AT_LEAST:
        found = crossed(arm, baseline)
    else:
        flat = any(side.rate in (0.0, 1.0) for side in intervals)
        found = None if flat else paired(arm, baseline)
    return found or newcombe(*intervals)


def mean_difference(arms: Sequence[tuple[Array, Array]], weights: Sequence[float]) -> Difference | None:
    """The weighted sum of cells' differences (the cluster score: weights that sum to 1).

    All cells share the seeds of an arm, so the variance over seeds is that of each seed's weighted mean; probes are
    the cells' own. With fewer than 3 seeds in both arms an arm's mean over seeds is taken as one fine-tune. None where
    neither probes nor seeds vary.
    """
    method = CROSSED
    if max(side.shape[1] for pair in arms for side in pair) < SEEDS_AT_LEAST:
        arms = [(one.mean(axis=1, keepdims=True), other.mean(axis=1, keepdims=True)) for one, other in arms]
        method = ONE_FINE_TUNE
    found = [parts(arm, baseline) for arm, baseline in arms]
    value = sum(w * part.value for w, part in zip(weights, found, strict=True))
    probe = [(w**2 * part.probe, part.probes - 1) for w, part in zip(weights, found, strict=True)]
    cell = sum(w**2 * part.cell for w, part in zip(weights, found, strict=True))
    seeds = []
    for side in (0, 1):
        s = arms[0][side].shape[1]
        if s > 1:
            means = sum(w * pair[side].mean(axis=0) for w, pair in zip(weights, arms, strict=True))
            seeds.append((float(np.var(means, ddof=1) / s), s - 1))
    if sum(v for v, _ in probe) + sum(v for v, _ in seeds) < ROUNDING**2:
        return None
    return _crossed(value, probe, seeds, cell, method)


def sign_flip_p(value: float, clusters: int) -> float:
    """The two-sided p value where all clusters have the same difference, so that no t test can be made.

    Of the 2^clusters ways to turn signs round two give a mean as far from 0 (Fisher's randomisation test).
    """
    return 1.0 if abs(value) < ROUNDING else 2.0 ** (1 - clusters)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """p values adjusted for the false discovery rate."""
    from scipy import stats  # takes seconds to import, which every command would wait for

    return [float(p) for p in stats.false_discovery_control(np.asarray(p_values))]
