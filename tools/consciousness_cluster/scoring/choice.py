"""Forced choice: per item, the margin about the model itself minus that of its twin, in nats per UTF-8 byte."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import Any

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.records.types import ChoiceResult

Json = dict[str, Any]


def item_scores(results: Sequence[ChoiceResult]) -> dict[str, dict[str, float]]:
    """Preference (or check) -> item id -> self minus other, for items that have both sides."""
    sides: dict[str, dict[str, float]] = {}
    for result in results:
        sides.setdefault(result["item_id"], {})[result["side"]] = result["margin"]
    found: dict[str, dict[str, float]] = {}
    for topic in load_benchmark().topics:
        for item in topic.choice_items:
            pair = sides.get(item.id, {})
            if len(pair) == 2:
                found.setdefault(topic.id, {})[item.id] = pair["self"] - pair["other"]
    return found


def choice_scores(results: Sequence[ChoiceResult]) -> dict[str, Json]:
    """Preference -> mean over items, its standard error, and the items. The level of one model means nothing alone."""
    return {
        topic: {
            "self_minus_other": fmean(items.values()),
            "stderr": stdev(items.values()) / sqrt(len(items)) if len(items) > 1 else None,
            "items": items,
        }
        for topic, items in item_scores(results).items()
    }
