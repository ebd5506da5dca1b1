"""Levels and differences of a submission, row by row, by the project's own statistics.

Free answers: rates and their differences, as `score` and `compare` give them. Forced choice: self minus other in nats
per byte, by item, as `compare` pairs them; blocks and the cluster are means over preferences.
"""

from collections.abc import Sequence

import numpy as np

from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.records.types import ChoiceResult
from consciousness_cluster.scoring.choice import item_scores
from consciousness_cluster.scoring.compare import compare, discriminant_note
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.statistics.differences import mean_difference

CHOICE_NOTE = (
    "The discriminant set (wishes about trivial things) moved as much as the cluster: the shift is not specific to the "
    "20 preferences."
)


def choice_rows(run: Sequence[ChoiceResult], baseline: Sequence[ChoiceResult] | None) -> dict[str, Json]:
    """Row id -> value, interval, p and number of items: differences from the baseline, or levels where it is None.

    A mean is missing unless all preferences below it are there with two items or more; so is what does not vary at all.
    """
    mine = item_scores(run)
    theirs = item_scores(baseline) if baseline is not None else {}
    matrices = {}
    for topic, items in mine.items():
        shared = [item for item in items if baseline is None or item in theirs.get(topic, {})]
        if len(shared) > 1:
            zeros = dict.fromkeys(shared, 0.0)
            sides = (items, zeros if baseline is None else theirs[topic])
            matrices[topic] = tuple(np.array([[side[item]] for item in shared]) for side in sides)
    found = {}
    for row in table_lines(load_benchmark()):
        topics = (row.id,) if row.kind in ("preference", "discriminant") else row.cells
        if row.kind in ("facet", "check") or any(topic not in matrices for topic in topics):
            continue
        pairs = [(matrices[topic][0], matrices[topic][1]) for topic in topics]
        difference = mean_difference(pairs, [1 / len(pairs)] * len(pairs))
        if difference:
            values = {"value": difference.value, "ci": [difference.low, difference.high], "p": difference.p}
            found[row.id] = {**values, "items": sum(len(one) for one, _ in pairs)}
    return found


def open_levels(run: Scored) -> dict[str, Json]:
    """Row id -> rate with its interval and counts; rows without a judged answer are not there."""
    names = ("ci", "bounds", "shows", "scored", "planned")
    return {
        name: {"value": entry["rate"], **{key: entry[key] for key in names}}
        for name, entry in run.scores["rows"].items()
        if entry["rate"] is not None
    }


def levels(run: Scored, track: str) -> dict[str, Json]:
    """Row id -> level."""
    return open_levels(run) if track == "open" else choice_rows(run.run.choice, None)


def differences(run: Scored, baseline: Scored, track: str) -> tuple[dict[str, Json], str, str | None]:
    """Row id -> difference from the baseline; what that baseline means; a warning where the shift is not specific."""
    comparison = compare([baseline, run])["comparisons"][0]
    if track == "open":
        names = ("ci", "p", "q", "method")
        rows = {
            name: {"value": entry["difference"], **{key: entry[key] for key in names}}
            for name, entry in comparison["rows"].items()
        }
        note = comparison["note"]
    else:
        rows = choice_rows(run.run.choice, baseline.run.choice)
        as_rates = {name: {"difference": entry["value"], "ci": entry["ci"]} for name, entry in rows.items()}
        note = CHOICE_NOTE if discriminant_note(as_rates) else None
    return rows, comparison["why"], note
