"""The rate of one cell, with an interval that knows that answers to one probe resemble each other.

A cell is two arrays with one entry per probe: `shows` (how many of its scored answers show the preference) and `scored`
(how many answers count). Sources: Miller 2024 (arXiv 2411.00640), Bowyer et al. 2025 (arXiv 2503.01747).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2
Z = 1.959963984540054  # of the normal distribution, as scipy's ndtri(1 - TAIL) has it
# With fewer probes that have a positive (or a negative) answer a cell's own design effect says little, and a normal
# approximation such as Wilson's is too sure of the bound on that side.
FEW_PROBES = 5
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """Scored probes of one cell; probes without a scored answer are left out."""

    shows: Array
    scored: Array

    @classmethod
    def of(cls, shows: ArrayLike, scored: ArrayLike) -> "Cell":
        k, n = np.asarray(shows, dtype=float), np.asarray(scored, dtype=float)
        return cls(k[n > 0], n[n > 0])

    @property
    def n(self) -> int:
        return int(self.scored.sum())

    @property
    def probes(self) -> int:
        return len(self.scored)

    @property
    def rate(self) -> float:
        """shows / scored; NaN where nothing is scored."""
        return float(self.shows.sum() / self.scored.sum()) if self.n else float("nan")

    @property
    def positive(self) -> int:
        """Probes with an answer that shows it."""
        return int(np.count_nonzero(self.shows > 0))

    @property
    def negative(self) -> int:
        """Probes with a scored answer that does not show it."""
        return int(np.count_nonzero(self.shows < self.scored))


@dataclass(frozen=True)
class Interval:
    """A rate with its 95% interval. `deff` is the design effect; `iid_*` is the interval that ignores probes."""

    rate: float
    low: float
    high: float
    n: int
    probes: int
    deff: float
    pooled_icc_used: bool
    iid_low: float
    iid_high: float


def cluster_variance(cell: Cell) -> float:
    """Variance of the rate, clustered by probe: sum of (shows - p * scored)^2 * C/(C-1) / n^2. NaN below two probes.

    Equal to statsmodels' OLS on a constant with cluster covariance.
    """
    c = cell.probes
    if c < 2:
        return float("nan")
    residuals = cell.shows - cell.rate * cell.scored
    return float(np.sum(residuals**2) * c / (c - 1) / cell.n**2)


def pooled_icc(cells: Sequence[Cell]) -> float:
    """Intra-class correlation of answers to one probe, pooled over cells (ANOVA estimator), between 0 and 1.

    0 where no cell has both several answers to a probe and any variation.
    """
    above = below = 0.0
    for cell in cells:
        c, n = cell.probes, cell.n
        if c < 2 or n <= c:
            continue
        rates, p = cell.shows / cell.scored, cell.rate
        m = (n - float(np.sum(cell.scored**2)) / n) / (c - 1)
        between = float(np.sum(cell.scored * (rates - p) ** 2)) / (c - 1)
        within = float(np.sum(cell.scored * rates * (1 - rates))) / (n - c)
        above += between - within
        below += between + (m - 1) * within
    return float(np.clip(above / below, 0.0, 1.0)) if below > 0 else 0.0


def design_effect(cell: Cell, icc: float) -> tuple[float, bool]:
    """How many times wider the variance is than for independent answers, and whether the pooled ICC was needed.

    It is: at 0% and 100%, and where fewer than five probes have a positive, or a negative, answer.
    """
    p = cell.rate
    own = cluster_variance(cell) / (p * (1 - p) / cell.n) if 0 < p < 1 and cell.probes > 1 else 1.0
    scarce = min(cell.positive, cell.negative) < FEW_PROBES
    if scarce:
        own = max(own, 1 + (cell.n / cell.probes - 1) * icc)
    return max(1.0, own), scarce


def wilson(rate: float, n: float, quantile: float) -> tuple[float, float]:
    """Wilson's interval for a proportion of (effectively) n observations."""
    square = quantile**2
    centre = (rate + square / (2 * n)) / (1 + square / n)
    half = quantile / (1 + square / n) * sqrt(rate * (1 - rate) / n + square / (4 * n**2))
    low = max(0.0, centre - half) if rate > 0 else 0.0  # exactly 0 and 1 at the ends, not 3e-18
    high = min(1.0, centre + half) if rate < 1 else 1.0
    return low, high


def clopper_pearson(rate: float, n: float) -> tuple[float, float]:
    """Clopper and Pearson's exact interval for a proportion of (effectively) n observations, which need not be whole.

    At an effective sample size: Korn and Graubard 1998, Survey Methodology 24:193.
    """
    from scipy import special  # which a judge and a sampler do not wait for

    hits = rate * n
    low = float(special.betaincinv(hits, n - hits + 1, TAIL)) if rate > 0 else 0.0
    high = float(special.betaincinv(hits + 1, n - hits, 1 - TAIL)) if rate < 1 else 1.0
    return low, high


def t_quantile(df: float) -> float:
    from scipy import special

    return float(special.stdtrit(df, 1 - TAIL))


def interval(cell: Cell, icc: float = 0.0) -> Interval | None:
    """Wilson's interval at the effective sample size, with the t quantile of probes - 1. None below two probes.

    Where fewer than five probes have a positive answer, the lower bound is Clopper and Pearson's where that is lower;
    where fewer than five have a negative one, so is the upper bound where it is higher. With one answer to each of 24
    probes Wilson's alone covers a true rate of 2% in 92% of runs, with this 99%, at a mean width 1.02 times as large.
    """
    if cell.probes < 2:
        return None
    deff, scarce = design_effect(cell, icc)
    n = cell.n / deff
    low, high = wilson(cell.rate, n, t_quantile(cell.probes - 1))
    exact = clopper_pearson(cell.rate, n)
    low = min(low, exact[0]) if cell.positive < FEW_PROBES else low
    high = max(high, exact[1]) if cell.negative < FEW_PROBES else high
    iid_low, iid_high = wilson(cell.rate, cell.n, Z)
    return Interval(cell.rate, low, high, cell.n, cell.probes, deff, scarce, iid_low, iid_high)
