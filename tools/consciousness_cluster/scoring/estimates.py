"""The estimand: rate, standard error, interval and bounds of a cell, and of a mean of cells, from counts of probes.

One rule at every door. A cell without a scored answer has no rate. One with scored answers to fewer than two probes has
a rate, and no standard error and no interval. A mean (a preference with facets, a block, the cluster) is missing, its
bounds too, unless each of its parts has an interval. What is missing is None, never 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from consciousness_cluster.data.rows import load_topic
from consciousness_cluster.scoring.counts import ProbeCounts, paired
from consciousness_cluster.scoring.table_lines import Line
from consciousness_cluster.statistics.means import mean_interval
from consciousness_cluster.statistics.rates import Cell, Interval, cluster_variance, interval, pooled_icc

Bounds = tuple[float, float]


@dataclass(frozen=True)
class Estimate:
    """Of a cell or of a mean of cells, all as shares; None is missing.

    `stderr` is clustered by probe, `ci` the 95% interval. `bounds` are the rate over all planned answers if nothing
    unclear or left out showed it, and if all of it did. `of_cell` has more of the interval, for cells alone.
    """

    rate: float | None
    stderr: float | None
    ci: Bounds | None
    bounds: Bounds | None
    of_cell: Interval | None = None


MISSING = Estimate(None, None, None, None)


def cell_of(counts: Sequence[ProbeCounts]) -> Cell:
    return Cell.of([one["shows"] for one in counts], [one["scored"] for one in counts])


def _bounds(counts: Sequence[ProbeCounts]) -> Bounds | None:
    planned = sum(one["planned"] for one in counts)
    if not planned:
        return None
    low = sum(one["sure"] for one in counts)
    high = sum(one["possible"] + one["planned"] - one["scored"] for one in counts)
    return low / planned, high / planned


def cell_estimate(counts: Sequence[ProbeCounts], icc: float = 0.0) -> Estimate:
    """Of one cell. `icc`: the intra-class correlation pooled over the cells of the run, see `intervals`."""
    cell = cell_of(counts)
    found = interval(cell, icc)
    return Estimate(
        rate=cell.rate if cell.n else None,
        stderr=sqrt(cluster_variance(cell)) if found else None,
        ci=(found.low, found.high) if found else None,
        bounds=_bounds(counts),
        of_cell=found,
    )


def mean_estimate(parts: Sequence[Estimate]) -> Estimate:
    """Of a mean in which each part weighs the same."""
    rates = [(part.rate, *part.ci) for part in parts if part.rate is not None and part.ci]
    errors = [part.stderr for part in parts if part.stderr is not None]
    bounds = [part.bounds for part in parts if part.bounds]
    if not len(parts) == len(rates) == len(errors) == len(bounds):
        return MISSING
    rate, low, high = mean_interval(rates)
    stderr = sqrt(sum(error**2 for error in errors)) / len(parts)
    lowest, highest = (sum(one[side] for one in bounds) / len(parts) for side in (0, 1))
    return Estimate(rate, stderr, (low, high), (lowest, highest))


def topic_estimate(counts: Sequence[ProbeCounts]) -> Estimate:
    """Of the preference or check whose probes these are: the mean of its facets, where it has some."""
    facets = load_topic(counts[0]["topic"]).facets
    if not facets:
        return cell_estimate(paired(counts))
    return mean_estimate([cell_estimate([one for one in counts if one["facet"] == facet]) for facet in facets])


def line_estimates(counts: Mapping[str, Sequence[ProbeCounts]], lines: Sequence[Line]) -> dict[str, Estimate]:
    """Line id -> estimate. `counts`: id of a cell -> counts of its probes. Lines without any cell are not there.

    Means are made of the lines below them: facets, then preferences, then blocks and the cluster.
    """
    icc = pooled_icc([cell_of(probes) for name, probes in counts.items() if ":" not in name])
    found = {name: cell_estimate(probes, icc) for name, probes in counts.items()}
    for kind in ("preference", "block", "cluster"):
        for line in lines:
            if line.kind == kind and line.id not in found and any(name in found for name in line.cells):
                found[line.id] = mean_estimate([found.get(name, MISSING) for name in line.cells])
    return found
