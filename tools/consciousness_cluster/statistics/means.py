"""Means of several cells: facets, blocks, the cluster."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from consciousness_cluster.statistics.differences import mean_difference


def mean_interval(cells: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    """(mean, low, high) of (rate, low, high) cells with probes of their own.

    The cells' distances to their bounds are added in quadrature (Zou and Donner 2008, Stat. Med. 27:1693), so that
    cells at 0% or 100% widen the mean's interval as they should.
    """
    n = len(cells)
    mean = sum(rate for rate, _, _ in cells) / n
    below = sqrt(sum((rate - low) ** 2 for rate, low, _ in cells)) / n
    above = sqrt(sum((high - rate) ** 2 for rate, _, high in cells)) / n
    return mean, mean - below, mean + above


def clustered_mean(cells: Sequence[ArrayLike], weights: Sequence[float]) -> tuple[float, float | None]:
    """The weighted mean of cells' means over clusters, and half of its 95% interval by Student's t.

    Each cell holds a value for each of its clusters (scenarios). One cell has clusters - 1 degrees of freedom; of
    several, each with clusters of its own, variances are added and so are the degrees of freedom, as Welch and
    Satterthwaite do. The half is None where a cell has one cluster, and where nothing varies.
    """
    arrays = [np.asarray(cell, dtype=float).reshape(-1, 1) for cell in cells]
    value = sum(weight * float(one.mean()) for weight, one in zip(weights, arrays, strict=True))
    if any(len(one) < 2 for one in arrays):
        return value, None
    found = mean_difference([(one, np.zeros_like(one)) for one in arrays], weights)
    return value, found.high - found.value if found else None
