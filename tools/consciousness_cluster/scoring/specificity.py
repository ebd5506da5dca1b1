"""Did the cluster move more than what nothing in the training speaks of?

The controls are stances, feelings and yes-saying on matters that concern no AI. The cluster's shift is compared with
that of the control that moved most, either way, by the interval of the difference of the two: two point estimates alone
say little. Taking the largest of several controls makes the test a strict one.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from consciousness_cluster.data.plan import CONTROLS
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.scoring.arms import Arm
from consciousness_cluster.scoring.choice import Items, item_scores
from consciousness_cluster.scoring.paired_rates import Array, leaves_of, matrix, shared_probes
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.scoring.types import ChoiceDifference, RateDifference, Specificity
from consciousness_cluster.statistics.differences import Difference, mean_difference

Pairs = list[tuple[Array, Array]]
Verdict = Literal["specific", "open", "unspecific"]
SAID = {
    "specific": "The shift is specific to the 20 preferences",
    "open": "It is not shown that the shift is specific to the 20 preferences",
    "unspecific": "The shift is not specific to the 20 preferences",
}


def _record(control: str, found: Difference | None) -> Specificity | None:
    if found is None:
        return None
    verdict: Verdict = "specific" if found.low > 0 else "unspecific" if found.high < 0 else "open"
    return {"control": control, "value": found.value, "ci": [found.low, found.high], "p": found.p, "verdict": verdict}


def largest(values: Mapping[str, float]) -> str | None:
    """The control that moved most, either way."""
    there = [name for name in CONTROLS if name in values]
    return max(there, key=lambda name: abs(values[name]), default=None)


def _sign(value: float) -> float:
    return -1.0 if value < 0 else 1.0


def beyond(cluster: Pairs, weights: Sequence[float], control: Pairs, shifts: tuple[float, float]) -> Difference | None:
    """How much further the cluster moved than the control, each in the direction in which it moved."""
    signed = [_sign(shifts[0]) * weight for weight in weights]
    return mean_difference([*cluster, *control], [*signed, -_sign(shifts[1])])


def specificity(arm: Arm, baseline: Arm, rows: Mapping[str, RateDifference]) -> Specificity | None:
    """Of free answers, in shares; None without the cluster or without a control."""
    control = largest({name: rows[name]["difference"] for name in CONTROLS if name in rows})
    if control is None or "cluster" not in rows:
        return None
    lines = {line.id: line for line in table_lines(load_benchmark())}

    def pair(cell: str) -> tuple[Array, Array]:
        probes = shared_probes((arm, baseline), cell)
        return matrix(arm, cell, probes), matrix(baseline, cell, probes)

    leaves = leaves_of(lines["cluster"], lines)
    shifts = rows["cluster"]["difference"], rows[control]["difference"]
    found = beyond([pair(cell) for cell, _ in leaves], [weight for _, weight in leaves], [pair(control)], shifts)
    return _record(control, found)


def specificity_text(found: Specificity, unit: str) -> str:
    """The test in a sentence; `unit`: points or nats."""
    scale, digits = (100, 1) if unit == "points" else (1, 4)
    value, low, high = (f"{scale * number:+.{digits}f}" for number in (found["value"], *found["ci"]))
    return (
        f"{SAID[found['verdict']]}: the size of the cluster's shift minus that of the control which moved most, "
        f"{found['control']}, is {value} {unit} [{low}, {high}]."
    )


def specificity_note(found: Specificity | None, unit: str) -> str | None:
    """What has to be said where the cluster did not move clearly further than a control."""
    return None if found is None or found["verdict"] == "specific" else specificity_text(found, unit)


def choice_specificity(arm: Arm, baseline: Arm, choice: Mapping[str, ChoiceDifference]) -> Specificity | None:
    """Of forced choice, in nats per byte; None without the cluster or without a control that has choice items."""
    control = largest({name: choice[name]["value"] for name in CONTROLS if name in choice})
    if control is None or "cluster" not in choice:
        return None
    sides = [[item_scores(run.run.choice) for run in side.runs] for side in (arm, baseline)]

    def pair(topic: str) -> tuple[Array, Array]:
        runs: list[Mapping[str, Items]] = [run for side in sides for run in side]
        shared = [item for item in runs[0][topic] if all(item in run[topic] for run in runs)]
        one, other = (np.array([[run[topic][item] for run in side] for item in shared]) for side in sides)
        return one, other

    topics = [preference.id for preference in load_benchmark().preferences]
    shifts = choice["cluster"]["value"], choice[control]["value"]
    found = beyond([pair(topic) for topic in topics], [1 / len(topics)] * len(topics), [pair(control)], shifts)
    return _record(control, found)
