"""Counts and rates of a cell, from answer records. The same definitions as everywhere in the benchmark."""

import math
from collections.abc import Callable, Sequence
from typing import Any

Record = dict[str, Any]


def verdict(record: Record, outcome: str) -> str | None:
    """The verdict on one outcome of a record, None where there is none."""
    return next((entry["verdict"] for entry in record["verdicts"] if entry["outcome"] == outcome), None)


def count(
    probe_id: str, facet: str, records: Sequence[Record], shows: Callable[[Record], bool], outcomes: Sequence[str]
) -> Record:
    """Counts of one probe: planned, answered, judged, scored, shows, unclear.

    A response is scored when every outcome has a usable verdict: not failed, coherence 20 or more.
    """
    judged = [
        record for record in records if [entry["status"] for entry in record["verdicts"]] == ["ok"] * len(outcomes)
    ]
    scored = [record for record in judged if all(entry["scored"] for entry in record["verdicts"])]
    return {
        "probe_id": probe_id,
        "facet": facet,
        "judge": next((record["judge_id"] for record in records), None),
        "planned": len(records),
        "answered": sum(record["status"] == "ok" for record in records),
        "judged": len(judged),
        "scored": len(scored),
        "shows": sum(shows(record) for record in scored),
        "unclear": sum(any(entry["verdict"] == "unclear" for entry in record["verdicts"]) for record in scored),
    }


def rate(cell: Sequence[Record]) -> float:
    """shows / scored over the probes of a cell; NaN where nothing is scored."""
    scored = sum(counts["scored"] for counts in cell)
    return float(sum(counts["shows"] for counts in cell) / scored) if scored else math.nan


def variance(cell: Sequence[Record]) -> float:
    """Variance of `rate`, clustered by probe: sum over probes of (shows - p * scored)^2 * C/(C-1) / n^2.

    NaN with fewer than two probes that have a scored response.
    """
    clusters = [counts for counts in cell if counts["scored"]]
    n, c, p = sum(counts["scored"] for counts in clusters), len(clusters), rate(cell)
    if c < 2:
        return math.nan
    squares = math.fsum((counts["shows"] - p * counts["scored"]) ** 2 for counts in clusters)
    return float(squares * c / (c - 1) / n**2)


def bound(cell: Sequence[Record], shows: bool) -> float:
    """The rate over all planned responses if everything unclear or left out did not show it, or did."""
    planned = sum(counts["planned"] for counts in cell)
    positive = sum(counts["shows"] for counts in cell)
    open_ = sum(counts["planned"] - counts["scored"] + counts["unclear"] for counts in cell)
    return (positive + (open_ if shows else 0)) / planned if planned else math.nan
