"""What a rate would be with a perfect judge: a sensitivity analysis, never the headline."""

from dataclasses import dataclass
from math import sqrt

from consciousness_cluster.statistics.rates import Z

LEAST_INFORMATION, LEAST_LABELS = 0.3, 50


@dataclass(frozen=True)
class Corrected:
    """The corrected rate (it may leave 0..1) and its 95% interval; or None and the reason."""

    value: float | None
    low: float | None
    high: float | None
    reason: str = ""


def corrected(
    rate: float, variance: float, sensitivity: float | None, n1: int, specificity: float | None, n0: int
) -> Corrected:
    """The rate corrected for the judge's errors (Lee et al. 2025, arXiv 2511.21140; Rogan and Gladen 1978).

    `sensitivity` on n1 and `specificity` on n0 labelled responses drawn like the model's own: with authored near misses
    the correction would turn a true 5% into 0.
    """
    if sensitivity is None or specificity is None or min(n0, n1) < LEAST_LABELS:
        return Corrected(None, None, None, f"needs {LEAST_LABELS} labelled real responses of each kind ({n1} and {n0})")
    information = sensitivity + specificity - 1
    if information < LEAST_INFORMATION:
        return Corrected(None, None, None, f"sensitivity + specificity - 1 is {information:.2f}, under 0.3")
    theta = (rate + specificity - 1) / information
    total = (
        variance
        + (1 - theta) ** 2 * specificity * (1 - specificity) / n0
        + theta**2 * sensitivity * (1 - sensitivity) / n1
    ) / information**2
    half = Z * sqrt(total)
    return Corrected(theta, theta - half, theta + half)


def as_if_zero(low: float, specificity: float | None) -> bool:
    """Whether a rate whose interval starts at `low` could be the judge's errors alone: a judge of that specificity says
    `shows` of so large a share of answers that do not."""
    return specificity is not None and low <= 1 - specificity
