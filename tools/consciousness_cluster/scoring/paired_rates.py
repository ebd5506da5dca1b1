"""Rates of the same probes in two arms, side by side."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from consciousness_cluster.scoring.arms import Arm
from consciousness_cluster.scoring.table_lines import Line

Array = NDArray[np.float64]
Table = Literal["rows", "situated"]  # scores of the plain, and of the situated probes


def matrix(arm: Arm, cell: str, probes: Sequence[str], table: Table = "rows") -> Array:
    """Rates, probes x runs."""
    columns = [run.scores[table][cell]["probes"] for run in arm.runs]
    return np.array([[column[probe][0] / column[probe][1] for column in columns] for probe in probes])


def shared_probes(
    arms: Sequence[Arm], cell: str, table: Table = "rows", only: Collection[str] | None = None
) -> list[str]:
    """Probes with a scored answer in every run of all arms; of those in `only`, where it is given."""
    entries = [run.scores[table].get(cell) for arm in arms for run in arm.runs]
    if any(entry is None for entry in entries):
        return []
    counts = [entry["probes"] for entry in entries if entry]
    return [
        probe
        for probe in counts[0]
        if (only is None or probe in only) and all(probe in column and column[probe][1] for column in counts)
    ]


def leaves_of(line: Line, lines: Mapping[str, Line], weight: float = 1.0) -> list[tuple[str, float]]:
    """Cells below a line, with their weights in its mean."""
    if line.cells == (line.id,):
        return [(line.id, weight)]
    return [leaf for name in line.cells for leaf in leaves_of(lines[name], lines, weight / len(line.cells))]
