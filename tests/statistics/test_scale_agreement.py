"""Agreement on a scale: kappa as statsmodels has it, intervals that know the clusters."""

import numpy as np
import pytest
from consciousness_cluster.statistics import scale_agreement as module
from consciousness_cluster.statistics.scale_agreement import scale_agreement, share_estimate, weighted_kappa


def drawn(n: int, seed: int) -> tuple[list[int], list[int]]:
    draw = np.random.default_rng(seed)
    one = draw.integers(1, 11, n)
    return one.tolist(), np.clip(one + draw.integers(-3, 4, n), 1, 10).tolist()


@pytest.mark.parametrize(("n", "seed"), [(2, 1), (9, 2), (40, 3), (300, 4)])
def test_kappa_is_that_of_statsmodels(n: int, seed: int) -> None:
    from statsmodels.stats.inter_rater import cohens_kappa  # not where tests are collected: it loads pandas

    one, other = drawn(n, seed)
    table = np.zeros((10, 10))
    for a, b in zip(one, other, strict=True):
        table[a - 1, b - 1] += 1
    found = scale_agreement(one, other, [str(place) for place in range(n)])
    expected = cohens_kappa(table, wt="quadratic", return_results=False)
    assert found.weighted_kappa.value == pytest.approx(expected)


def test_a_weight_is_how_often_a_thing_stands_there() -> None:
    one, other = (np.asarray(side, dtype=float) for side in drawn(12, 5))
    weights = np.asarray([[3.0, 0, 1, 2, 0, 1, 1, 1, 0, 2, 1, 0]])
    often = weights[0].astype(int)
    written_out = weighted_kappa(np.repeat(one, often), np.repeat(other, often), np.ones((1, 12)))
    assert weighted_kappa(one, other, weights)[0] == pytest.approx(written_out[0])


def test_numbers_by_hand() -> None:
    found = scale_agreement([1, 1, 8, 5], [1, 2, 8, 9], ["a", "a", "b", "c"])
    assert (found.n, found.clusters) == (4, 3)
    assert found.within_one.value == 0.75 and found.signed_error.value == pytest.approx((0 + 1 + 0 + 4) / 4)


def test_perfect_and_contrary_raters() -> None:
    one, names = [1, 3, 8, 10], ["a", "b", "c", "d"]
    perfect = scale_agreement(one, one, names)
    assert perfect.weighted_kappa.value == 1.0 and perfect.within_one.value == 1.0 and perfect.signed_error.value == 0.0
    assert perfect.within_one.low is None and perfect.weighted_kappa.low is None
    assert scale_agreement(one, [11 - score for score in one], names).weighted_kappa.value == pytest.approx(
        -0.9, abs=0.1
    )


def test_what_says_nothing_has_no_number() -> None:
    none = scale_agreement([], [], [])
    assert (none.n, none.weighted_kappa.value, none.within_one.value) == (0, None, None)
    alike = scale_agreement([1, 1], [1, 1], ["a", "b"])
    assert alike.weighted_kappa.value is None and alike.within_one.value == 1.0
    assert scale_agreement([1, 1], [1, 9], ["a", "b"]).weighted_kappa.value is None
    assert scale_agreement([1, 9], [1, 1], ["a", "b"]).weighted_kappa.value == 0.0
    single = scale_agreement([1, 4, 9], [2, 4, 3], ["a", "a", "a"])
    assert single.within_one.value == pytest.approx(2 / 3) and single.within_one.low is None
    assert share_estimate([], []).value is None


def test_clusters_widen_the_interval() -> None:
    right = [True] * 30 + [False] * 30
    apart = share_estimate(right, [str(place) for place in range(60)])
    together = share_estimate(right, [str(place // 15) for place in range(60)])
    assert apart.value == together.value == 0.5
    for one in (apart, together):
        assert one.low is not None and one.high is not None and one.low < 0.5 < one.high
    assert together.high - together.low > 2 * (apart.high - apart.low)  # type: ignore[operator]
    assert apart.low == pytest.approx(0.5 - 1.96 * (0.25 / 60) ** 0.5, abs=0.02)
    assert share_estimate(right, [str(place) for place in range(60)]) == apart


def test_the_interval_holds_the_truth_about_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 200)
    draw, held = np.random.default_rng(11), 0
    for _ in range(100):
        errors = np.repeat(draw.normal(0, 1, 30), 2) + draw.normal(0, 1, 60)
        found = scale_agreement([5.0] * 60, (5 + errors).tolist(), [str(place // 2) for place in range(60)])
        assert found.signed_error.low is not None and found.signed_error.high is not None
        held += found.signed_error.low <= 0 <= found.signed_error.high
    assert 86 <= held <= 99
