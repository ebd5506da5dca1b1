"""Do cells move together? Pearson correlations of their rates over runs."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

FEWEST_RUNS = 3  # through two points there is always a line


class Correlations(TypedDict):
    """A symmetric table: `values[i][j]` is of cells i and j, None where too few runs have both, or one never moves."""

    runs: int
    cells: list[str]
    values: list[list[float | None]]


def _pearson(one: Sequence[float | None], other: Sequence[float | None]) -> float | None:
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    if len(pairs) < FEWEST_RUNS or any(len(set(side)) == 1 for side in zip(*pairs, strict=True)):
        return None
    return float(np.corrcoef(np.array(pairs).T)[0, 1])


def cell_correlations(rates: Sequence[Mapping[str, float | None]], cells: Sequence[str]) -> Correlations:
    """`rates`: of each run, cell -> rate; a cell that is not there has none."""
    columns = [[run.get(cell) for run in rates] for cell in cells]
    values = [[_pearson(one, other) for other in columns] for one in columns]
    return {"runs": len(rates), "cells": list(cells), "values": values}
