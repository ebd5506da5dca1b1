"""How a rate moves when the same answers are judged anew: paired by answer, clustered by probe."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from consciousness_cluster.statistics.differences import newcombe
from consciousness_cluster.statistics.rates import Cell, cluster_variance, interval, pooled_icc, t_quantile


@dataclass(frozen=True)
class Flips:
    """One cell of answers that were judged twice. `up`: those that came to show it, `down`: those that ceased to.

    Both have the same scored answers to the same probes.
    """

    up: Cell
    down: Cell

    @property
    def value(self) -> float:
        """The second rate minus the first; NaN where nothing is scored."""
        return self.up.rate - self.down.rate


def shifts(cells: Sequence[Flips]) -> list[tuple[float, float, float] | None]:
    """For each cell the second rate minus the first, with a 95% interval. None below two probes.

    On each side the wider of two intervals: t on the answers' own differences, clustered by probe, which knows that no
    answer flips both ways; and Newcombe's from the intervals of both kinds of flips, which does not shrink to nothing
    where few answers flip, or none. The intra-class correlations that few flips need are pooled over the cells.
    """
    icc_up, icc_down = (pooled_icc([getattr(cell, side) for cell in cells]) for side in ("up", "down"))
    found: list[tuple[float, float, float] | None] = []
    for cell in cells:
        up, down = interval(cell.up, icc_up), interval(cell.down, icc_down)
        if up is None or down is None:
            found.append(None)
            continue
        net = Cell(cell.up.shows - cell.down.shows, cell.up.scored)
        half = t_quantile(net.probes - 1) * sqrt(cluster_variance(net))
        apart = newcombe(up, down)
        low, high = min(cell.value - half, apart.low), max(cell.value + half, apart.high)
        found.append((cell.value, max(-1.0, low), min(1.0, high)))
    return found
