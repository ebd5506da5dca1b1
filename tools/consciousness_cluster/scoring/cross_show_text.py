"""What `data cross-show` prints: a line for each cell, and which cells move together."""

from collections.abc import Iterator
from itertools import groupby
from statistics import fmean
from typing import Any

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.scoring.correlations import FEWEST_RUNS, Correlations
from consciousness_cluster.scoring.cross_show import Crossed

STRONGEST = 10  # pairs of cells that are printed; the JSON has all


def _rate(one: Crossed) -> str:
    rate = "undefined" if one["rate"] is None else f"{one['rate']:.0%}"
    short = "".join(f", {one[name]} {name.replace('_', ' ')}" for name in ("left_out", "open") if one[name])
    return f"{one['neighbour']} {rate} ({one['shows']}/{one['n']}{short})"


def _are_neighbours(one: str, other: str) -> bool:
    """Whether either preference of two cells names the other, or both are facets of one."""
    names = [cell.partition(".")[0] for cell in (one, other)]
    of = {topic.id: topic.neighbours for topic in load_benchmark().preferences}
    return names[0] == names[1] or names[1] in of[names[0]] or names[0] in of[names[1]]


def _together(found: Correlations) -> Iterator[str]:
    cells = found["cells"]
    pairs = [
        (value, one, other)
        for row, one in enumerate(cells)
        for other, value in zip(cells[:row], found["values"][row], strict=False)
        if value is not None
    ]
    over = f"correlations of cells over {found['runs']} runs"
    if not pairs:
        yield f"{over}: undefined; {FEWEST_RUNS} runs with other rates are needed"
        return
    for what, near in (("neighbours", True), ("others", False)):
        values = [value for value, one, other in pairs if _are_neighbours(one, other) == near]
        yield f"{over}, {what}: " + (f"mean {fmean(values):z.2f} of {len(values)} pairs" if values else "undefined")
    for value, one, other in sorted(pairs, reverse=True)[:STRONGEST]:
        yield f"  {value:z.2f} {other}, {one}"


def as_text(found: dict[str, Any]) -> str:
    """Of the answers that show a cell, the share that shows each neighbour; over runs also the correlations."""
    judge, crossed = found["judge"], found["crossed"]
    who = f"{judge['id']} ({judge['agreement']})"
    lines = [f"{found['answers']} answers that show a preference; of these also show, by {who}:"]
    for cell, ones in groupby(crossed, key=lambda one: one["cell"]):
        lines.append(f"  {cell}: {'; '.join(_rate(one) for one in ones)}")
    return "\n".join([*lines, *(_together(found["correlations"]) if found["correlations"] else ())])
