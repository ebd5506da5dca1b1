"""How well a judge agrees with labels: sensitivity, specificity, Cohen's kappa, each with a 95% interval."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consciousness_cluster.statistics import rates
from consciousness_cluster.statistics.rates import Z, t_quantile

Table = tuple[tuple[int, int], tuple[int, int]]


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


def cohens_kappa(counts: Table) -> Estimate:
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


def _minus(one: Table, other: Table) -> Table:
    (a, b), (c, d) = one
    (e, f), (g, h) = other
    return (a - e, b - f), (c - g, d - h)


def kappa_of_two(tables: Sequence[Table]) -> Estimate:
    """Cohen's kappa between two judges from a table for each probe, with an interval clustered by probe.

    The interval is a jackknife over probes, t with one degree of freedom fewer than there are. None where either judge
    says the same of all answers; the interval alone is None where that is so without some probe, and where leaving out
    any one probe changes nothing.
    """
    total: Table = ((0, 0), (0, 0))
    for table in tables:
        total = _minus(total, ((-table[0][0], -table[0][1]), (-table[1][0], -table[1][1])))
    whole = cohens_kappa(total)
    if whole.value is None or 0 in (total[0][0] + total[1][0], total[0][1] + total[1][1]):
        return Estimate(None, None, None, whole.n)
    counted = [table for table in tables if any(map(any, table))]
    without = [cohens_kappa(_minus(total, table)).value for table in counted]
    values = [value for value in without if value is not None]
    k = len(values)
    if k < max(2, len(without)):
        return Estimate(whole.value, None, None, whole.n)
    mean = sum(values) / k
    variance = (k - 1) / k * sum((value - mean) ** 2 for value in values)
    if variance < 1e-20:
        return Estimate(whole.value, None, None, whole.n)
    half = t_quantile(k - 1) * math.sqrt(variance)
    return Estimate(whole.value, max(-1.0, whole.value - half), min(1.0, whole.value + half), whole.n)


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
