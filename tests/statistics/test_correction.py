"""A rate with a perfect judge, and a rate that could be the judge's errors alone."""

import pytest
from consciousness_cluster.statistics.correction import as_if_zero, corrected


def test_the_correction_takes_a_judges_errors_back() -> None:
    """Of 1,000 answers 100 show it; a judge of sensitivity 0.8 and specificity 0.9 finds 80 + 90."""
    found = corrected(0.17, 0.0001, 0.8, 100, 0.9, 900)
    assert found.value == pytest.approx(0.1) and found.low is not None and found.low < 0.1
    assert corrected(0.17, 0.0001, 0.8, 10, 0.9, 900).reason.startswith("needs 50 labelled real responses")
    assert corrected(0.17, 0.0001, 0.5, 100, 0.6, 900).reason == "sensitivity + specificity - 1 is 0.10, under 0.3"


@pytest.mark.parametrize(
    ("low", "specificity", "zero"), [(0.005, 0.97, True), (0.02, 0.97, True), (0.04, 0.97, False), (0, None, False)]
)
def test_a_rate_that_reaches_down_to_the_judges_errors(low: float, specificity: float | None, zero: bool) -> None:
    assert as_if_zero(low, specificity) == zero
