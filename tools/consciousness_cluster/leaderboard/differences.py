"""Levels and differences of a submission, line by line, as `score` and `compare` give them.

Free answers: rates and their differences, as shares. Forced choice: self minus other in nats per byte.
"""

from collections.abc import Mapping
from typing import Any

from consciousness_cluster.data.reading import Json
from consciousness_cluster.scoring.choice import choice_differences, item_scores
from consciousness_cluster.scoring.compare import compare
from consciousness_cluster.scoring.load import Scored

LEVEL = ("ci", "bounds", "shows", "scored", "planned")
DIFFERENCE = ("ci", "p", "q", "method")
CHOICE = ("value", "ci", "p", "items")


def _kept(entries: Mapping[str, Mapping[str, Any]], names: tuple[str, ...], value: str = "value") -> dict[str, Json]:
    """Some fields of each entry, and its value under the name `value`."""
    return {name: {"value": entry[value], **{key: entry[key] for key in names}} for name, entry in entries.items()}


def levels(run: Scored, track: str) -> dict[str, Json]:
    """Line id -> level with its interval and counts; lines without a judged answer, or without items, are not there."""
    if track == "open":
        there = {name: entry for name, entry in run.scores["rows"].items() if entry["rate"] is not None}
        return _kept(there, LEVEL, "rate")
    return _kept(choice_differences([item_scores(run.run.choice)], None), CHOICE)


def differences(run: Scored, baseline: Scored, track: str) -> tuple[dict[str, Json], str, str | None]:
    """Line id -> difference from the baseline; what that baseline means; a warning where the shift is not specific."""
    comparison = compare([baseline, run])["comparisons"][0]
    if track == "open":
        return _kept(comparison["rows"], DIFFERENCE, "difference"), comparison["why"], comparison["note"]
    return _kept(comparison["choice"], CHOICE), comparison["why"], comparison["choice_note"]
