"""Means of several cells: facets, blocks, the cluster."""

from collections.abc import Sequence
from math import sqrt


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
