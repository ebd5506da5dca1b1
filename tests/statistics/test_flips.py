"""How a rate moves between two judges: against statsmodels, at the ends, and how often the interval holds."""

import numpy as np
import pytest
from consciousness_cluster.statistics.agreement import Estimate, Table, cohens_kappa, kappa_of_two
from consciousness_cluster.statistics.flips import Flips, shifts
from consciousness_cluster.statistics.rates import Cell, t_quantile

from tests.support import references

RNG = np.random.default_rng(11)
PROBES, EACH = 24, 5


def flips(up: object, down: object, scored: object) -> Flips:
    return Flips(Cell.of(up, scored), Cell.of(down, scored))  # type: ignore[arg-type]


def test_the_interval_is_that_of_the_answers_own_differences_clustered_by_probe() -> None:
    """Many flips both ways: statsmodels' regression on a constant, with probes of unequal size."""
    scored = RNG.integers(3, 9, PROBES)
    groups = np.repeat(np.arange(PROBES), scored)
    values = RNG.choice([-1, 0, 1], p=[0.3, 0.4, 0.3], size=len(groups))
    up, down = ([np.sum(values[groups == probe] == sign) for probe in range(PROBES)] for sign in (1, -1))
    reference = references.ols(values.astype(float), np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": True}
    )
    spread = float(reference.bse[0])
    (found,) = shifts([flips(up, down, scored)])
    assert found is not None and found[0] == pytest.approx(values.mean())
    half = t_quantile(PROBES - 1) * spread
    assert found[1:] == pytest.approx((found[0] - half, found[0] + half))


def test_no_flip_is_not_certainty() -> None:
    none = [0] * PROBES
    (found,) = shifts([flips(none, none, [EACH] * PROBES)])
    assert found is not None and found[0] == 0 and -0.05 < found[1] < -0.01 < 0.01 < found[2] < 0.05
    (all_up,) = shifts([flips([EACH] * PROBES, none, [EACH] * PROBES)])
    assert all_up is not None and all_up[0] == 1.0 == all_up[2] and all_up[1] < 0.99


def test_one_probe_has_no_interval() -> None:
    assert shifts([flips([1, 0], [0, 0], [5, 0]), flips([0, 0], [0, 0], [0, 0])]) == [None, None]
    assert shifts([]) == []


@pytest.mark.parametrize(("rise", "fall"), [(0.02, 0.0), (0.05, 0.02), (0.2, 0.2), (0.3, 0.05)])
def test_the_interval_holds_the_truth(rise: float, fall: float) -> None:
    """Probes differ in how their answers flip; 95% are claimed, and 300 draws tell 92% from that."""
    held = 0
    for _ in range(300):
        own = RNG.beta(2, 2, (2, PROBES)) * 2  # mean 1
        up = RNG.binomial(EACH, rise * own[0])
        down = RNG.binomial(EACH - up, fall * own[1] / (1 - rise * own[0]))
        (found,) = shifts([flips(up, down, [EACH] * PROBES)])
        assert found is not None
        held += found[1] <= rise - fall <= found[2]
    assert held >= 276


def table(a: int, b: int, c: int, d: int) -> Table:
    return (a, b), (c, d)


def test_kappa_is_that_of_all_answers_and_its_interval_knows_the_probes() -> None:
    own = [table(*RNG.multinomial(EACH, [0.4, 0.1, 0.1, 0.4])) for _ in range(PROBES)]
    alone = kappa_of_two(own)
    total = np.array(own).sum(axis=0)
    assert alone.value == pytest.approx(references.cohens_kappa(total).kappa) and alone.n == PROBES * EACH
    assert alone.low is not None and alone.high is not None and alone.low < alone.value < alone.high  # type: ignore[operator]
    alike = cohens_kappa(table(*map(int, total.ravel())))
    assert alike.low is not None and alike.high is not None
    assert alone.high - alone.low == pytest.approx(alike.high - alike.low, rel=0.4)
    resembling = kappa_of_two(
        [table(*(EACH * np.eye(4, dtype=int)[RNG.choice(4, p=[0.4, 0.1, 0.1, 0.4])])) for _ in own]
    )
    assert resembling.low is not None and resembling.high is not None
    assert resembling.high - resembling.low > 1.5 * (alone.high - alone.low)


def test_kappa_says_nothing_where_a_judge_says_the_same_of_all() -> None:
    assert kappa_of_two([]) == Estimate(None, None, None, 0)
    assert kappa_of_two([table(0, 0, 2, 3)] * 4) == Estimate(None, None, None, 20)
    assert kappa_of_two([table(0, 2, 0, 3)] * 4) == Estimate(None, None, None, 20)
    assert kappa_of_two([table(1, 0, 0, 4)] * 4) == Estimate(1.0, None, None, 20)
    lone = kappa_of_two([table(1, 0, 0, 4), table(0, 0, 0, 5), table(0, 0, 0, 5)])
    assert (lone.value, lone.low) == (1.0, None)
