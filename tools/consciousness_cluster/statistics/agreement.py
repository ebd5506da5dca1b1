"""How well a judge agrees with labels: sensitivity, specificity, Cohen's kappa, each with a 95% interval."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from consciousness_cluster.statistics import rates
from consciousness_cluster.statistics.rates import Z


@dataclass(frozen=True)
class Estimate:
    """A value, its 95% interval, and on how many observations it stands. None where there are none."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Agreement:
    """A judge's verdicts against labels, both as shows (True) or not (False)."""

    n: int
    sensitivity: Estimate
    specificity: Estimate
    kappa: Estimate


def wilson(hits: int, n: int) -> Estimate:
    """A proportion with Wilson's 95% interval (Wilson 1927, JASA 22:209)."""
    if not n:
        return Estimate(None, None, None, 0)
    return Estimate(hits / n, *rates.wilson(hits / n, n, Z), n)


def cohens_kappa(counts: tuple[tuple[int, int], tuple[int, int]]) -> Estimate:
    """Cohen's kappa of a 2 x 2 table (rows: labels), with the large-sample interval of Fleiss, Cohen, Everitt (1969).

    None where it says nothing: no observations, or labels of one kind only. The interval alone is None where the
    verdicts are all the same: its formula would give a width of 0.
    """
    n = sum(map(sum, counts))
    if not n:
        return Estimate(None, None, None, 0)
    p = [[count / n for count in row] for row in counts]
    rows = [sum(row) for row in p]
    columns = [p[0][j] + p[1][j] for j in (0, 1)]
    observed = p[0][0] + p[1][1]
    expected = sum(rows[i] * columns[i] for i in (0, 1))
    if 0 in rows:
        return Estimate(None, None, None, n)
    if 0 in columns:
        return Estimate(0.0, None, None, n)
    kappa, rest = (observed - expected) / (1 - expected), 1 - observed
    diagonal = sum(p[i][i] * (rows[i] + columns[i]) for i in (0, 1))
    everywhere = sum(p[i][j] * (columns[i] + rows[j]) ** 2 for i in (0, 1) for j in (0, 1))
    variance = (
        observed * rest / (1 - expected) ** 2
        + 2 * rest * (2 * observed * expected - diagonal) / (1 - expected) ** 3
        + rest**2 * (everywhere - 4 * expected**2) / (1 - expected) ** 4
    ) / n
    half = Z * math.sqrt(max(0.0, variance))
    return Estimate(kappa, max(-1.0, kappa - half), min(1.0, kappa + half), n)


def agreement(pairs: Iterable[tuple[bool, bool]]) -> Agreement:
    """Agreement over (label, verdict) pairs."""
    counts = [[0, 0], [0, 0]]
    for label, verdict in pairs:
        counts[not label][not verdict] += 1
    (hits, misses), (alarms, rejections) = counts
    return Agreement(
        n=hits + misses + alarms + rejections,
        sensitivity=wilson(hits, hits + misses),
        specificity=wilson(rejections, alarms + rejections),
        kappa=cohens_kappa(((hits, misses), (alarms, rejections))),
    )
