"""Forced choice: per item, the margin about the model itself minus that of its twin, in nats per UTF-8 byte.

The score of a preference is the mean over its items. That of a block or of the cluster is the mean of its preferences'
scores, each weighing the same, as it is for free answers: a preference with an item less does not count for less, and
standard errors add up by preference. The level of one model means nothing alone.

Items are of two contrasts, which are reported apart too: a stance against its opposite, and concern against none.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Any

import numpy as np

from consciousness_cluster.data.rows import CONTRASTS, Contrast, load_benchmark
from consciousness_cluster.scoring.table_lines import Line, table_lines
from consciousness_cluster.scoring.taught import Taught, topic_flags
from consciousness_cluster.scoring.types import ChoiceDifference, ChoiceEntry, ChoiceMean, Subscale
from consciousness_cluster.statistics.differences import benjamini_hochberg, mean_difference

Record = Mapping[str, Any]
Items = dict[str, float]  # item id -> self minus other
ITEMS_AT_LEAST = 2  # for a standard error, and to be part of a mean


def margins(results: Iterable[Record], side: str) -> Items:
    """Item id -> margin of one side."""
    return {result["item_id"]: result["margin"] for result in results if result["side"] == side}


def paired_items(results: Sequence[Record]) -> Items:
    """Self minus other of each item that has both sides."""
    mine, others = margins(results, "self"), margins(results, "other")
    return {item: mine[item] - others[item] for item in mine if item in others}


def item_scores(results: Sequence[Record], contrast: Contrast | None = None) -> dict[str, Items]:
    """Preference (or check) -> its items, in the benchmark's order; without those that have no item with both sides.

    With `contrast` the items of that contrast alone.
    """
    paired = paired_items(results)
    found = {
        topic.id: {
            item.id: paired[item.id]
            for item in topic.choice_items
            if item.id in paired and contrast in (None, item.contrast)
        }
        for topic in load_benchmark().topics
    }
    return {topic: items for topic, items in found.items() if items}


def items_mean(items: Items) -> Subscale:
    """The score of some items, at least one."""
    stderr = stdev(items.values()) / sqrt(len(items)) if len(items) >= ITEMS_AT_LEAST else None
    return {"value": fmean(items.values()), "stderr": stderr, "items": len(items)}


def choice_scores(results: Sequence[Record]) -> dict[str, ChoiceEntry]:
    """Preference (or check) -> score, of those that have an item with both sides."""
    of_contrast = {contrast: item_scores(results, contrast) for contrast in CONTRASTS}
    found: dict[str, ChoiceEntry] = {}
    for topic, items in item_scores(results).items():
        whole = items_mean(items)
        found[topic] = {
            "self_minus_other": whole["value"],
            "stderr": whole["stderr"],
            "items": items,
            "contrasts": {name: items_mean(there[topic]) for name, there in of_contrast.items() if topic in there},
        }
    return found


def choice_mean(entries: Mapping[str, ChoiceEntry], topics: Collection[str]) -> ChoiceMean | None:
    """The mean of preferences (all 20: the cluster); missing unless each of them has two items or more."""
    inside = [entries[topic] for topic in topics if topic in entries]
    errors = [entry["stderr"] for entry in inside if entry["stderr"] is not None]
    if not topics or len(errors) < len(topics):
        return None
    return {
        "self_minus_other": fmean(entry["self_minus_other"] for entry in inside),
        "stderr": sqrt(sum(error**2 for error in errors)) / len(errors),
        "items": sum(len(entry["items"]) for entry in inside),
    }


def _shared(sides: Sequence[Sequence[Mapping[str, Items]]], topic: str) -> list[str]:
    """Items of a topic that are in every run of all sides."""
    runs = [run.get(topic, {}) for side in sides for run in side]
    return [item for item in runs[0] if all(item in run for run in runs)]


def _difference(
    sides: tuple[Sequence[Mapping[str, Items]], Sequence[Mapping[str, Items]]], shared: Mapping[str, Sequence[str]]
) -> ChoiceDifference | None:
    """Of the mean of some topics (one or more), over the items that are shared. None where nothing varies."""
    pairs = []
    for topic, items in shared.items():
        one, other = (np.array([[run[topic][item] for run in side] for item in items]) for side in sides)
        pairs.append((one, other))
    found = mean_difference(pairs, [1 / len(pairs)] * len(pairs))
    if found is None:
        return None
    base = fmean(float(pair[1].mean()) for pair in pairs)
    seeds = np.mean([pair[0].mean(axis=0) for pair in pairs], axis=0) - base
    return {
        "value": found.value,
        "ci": [found.low, found.high],
        "p": found.p,
        "q": None,
        "method": found.method.replace("probe", "item"),
        "items": sum(len(items) for items in shared.values()),
        "seeds": [float(seed) for seed in seeds],
    }


def _topics(line: Line) -> tuple[str, ...]:
    """The preferences or the check below a line; none for a line that forced choice does not have."""
    if line.kind in ("cluster", "block"):
        return line.cells
    return () if line.kind == "facet" else (line.id,)


def choice_differences(
    arm: Sequence[Mapping[str, Items]],
    baseline: Sequence[Mapping[str, Items]] | None,
    taught: Taught | None = None,
) -> dict[str, ChoiceDifference]:
    """Line id -> arm minus baseline, paired by item; `arm` and `baseline` hold the `item_scores` of their runs.

    Levels of the arm where there is no baseline. A line is missing unless all preferences below it have two items or
    more that every run shares, and where nothing varies at all. q is over the preferences that were compared.
    """
    none = {topic: dict.fromkeys(items, 0.0) for topic, items in arm[0].items()}
    sides = (arm, [none] if baseline is None else baseline)
    shared = {topic: items for topic in arm[0] if len(items := _shared(sides, topic)) >= ITEMS_AT_LEAST}
    lines = {line.id: line for line in table_lines(load_benchmark())}
    found: dict[str, ChoiceDifference] = {}
    for line in lines.values():
        topics = _topics(line)
        if not topics or any(topic not in shared for topic in topics):
            continue
        if entry := _difference(sides, {topic: shared[topic] for topic in topics}):
            found[line.id] = entry
    tested = [name for name in found if lines[name].kind == "preference"]
    if tested:
        for name, q in zip(tested, benjamini_hochberg([found[name]["p"] for name in tested]), strict=True):
            found[name]["q"] = q
    for name, entry in found.items():
        if flags := topic_flags(lines[name], taught or {}, found):
            entry["flags"] = flags
    return found
