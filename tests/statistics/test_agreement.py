"""Agreement against statsmodels, over many tables."""

import itertools

import numpy as np
import pytest
from consciousness_cluster.statistics.agreement import Estimate, agreement, cohens_kappa, wilson

from tests.support import references

TABLES = list(itertools.product((1, 4, 30), (0, 3, 12), (0, 5, 9), (2, 7, 40)))


@pytest.mark.parametrize("counts", TABLES)
def test_kappa_equals_statsmodels(counts: tuple[int, int, int, int]) -> None:
    a, b, c, d = counts
    mine, reference = cohens_kappa(((a, b), (c, d))), references.cohens_kappa(np.array([[a, b], [c, d]]))
    assert mine.value == pytest.approx(reference.kappa)
    assert mine.low == pytest.approx(max(-1, reference.kappa_low), abs=1e-9)
    assert mine.high == pytest.approx(min(1, reference.kappa_upp), abs=1e-9)


def test_kappa_says_nothing_without_both_labels() -> None:
    assert cohens_kappa(((0, 0), (0, 0))) == Estimate(None, None, None, 0)
    assert cohens_kappa(((0, 0), (3, 9))) == Estimate(None, None, None, 12)
    assert cohens_kappa(((5, 0), (5, 0))) == Estimate(0.0, None, None, 10)


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (1, 9), (13, 24), (24, 24)])
def test_wilson_equals_statsmodels(hits: int, n: int) -> None:
    low, high = references.proportion_confint(hits, n, method="wilson")
    mine = wilson(hits, n)
    assert (mine.value, mine.low, mine.high) == pytest.approx((hits / n, low, high))
    assert wilson(0, 0) == Estimate(None, None, None, 0)


def test_pairs_are_counted_on_the_right_side() -> None:
    pairs = [(True, True)] * 3 + [(True, False)] * 1 + [(False, True)] * 2 + [(False, False)] * 6
    found = agreement(pairs)
    assert (found.n, found.sensitivity.value, found.specificity.value) == (12, 3 / 4, 6 / 8)
