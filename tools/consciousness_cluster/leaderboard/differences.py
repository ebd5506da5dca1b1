"""Levels and differences of a submission, line by line, as `score` and `compare` give them.

Free answers: rates and their differences, as shares. Forced choice: self minus other in nats per byte. Audits: mean
scores from 1 to 10, and acts as shares.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.data.reading import Json
from consciousness_cluster.leaderboard.source import Measured
from consciousness_cluster.scoring.audit_compare import compare_audits
from consciousness_cluster.scoring.audit_score_types import AuditEntry
from consciousness_cluster.scoring.audits import ScoredAudit
from consciousness_cluster.scoring.choice import choice_differences, item_scores
from consciousness_cluster.scoring.compare import compare
from consciousness_cluster.scoring.keys import against_yes
from consciousness_cluster.scoring.types import Specificity

LEVEL = ("ci", "bounds", "shows", "scored", "planned")
DIFFERENCE = ("ci", "p", "q", "method")
OF_AUDIT = ("ci", "scenarios", "planned", "noticed")
CHOICE = ("value", "ci", "p", "items")


@dataclass(frozen=True)
class Differences:
    """Line id -> difference from the baseline; what that baseline means; whether the shift is specific.

    `note` is a warning where it is not shown to be.
    """

    lines: dict[str, Json]
    why: str
    specificity: Specificity | None
    note: str | None


def _kept(entries: Mapping[str, Mapping[str, Any]], names: tuple[str, ...], value: str = "value") -> dict[str, Json]:
    """Some fields of each entry, and its value under the name `value`."""
    return {name: {"value": entry[value], **{key: entry[key] for key in names}} for name, entry in entries.items()}


def _with_against_yes(lines: dict[str, Json], against: Mapping[str, Json]) -> dict[str, Json]:
    """Each line with what a yes cannot raise, where it has that."""
    return {
        name: {**line, **({"against_yes": against[name]} if name in against else {})} for name, line in lines.items()
    }


def acts_of(entry: AuditEntry) -> Json | None:
    """Act -> share and its interval, of a line of a behavioral audit; None of the others."""
    acts = entry["acts"]
    return None if acts is None else {name: {"value": act["mean"], "ci": act["ci"]} for name, act in acts.items()}


def _audit_levels(audit: ScoredAudit) -> dict[str, Json]:
    """Mean scores; `scored` conversations are rated. `acts` are those of behavioral audits, None of the others."""
    there = {name: entry for name, entry in audit.scores["rows"].items() if entry["mean"] is not None}
    return {
        name: {**line, "scored": there[name]["rated"], "acts": acts_of(there[name])}
        for name, line in _kept(there, OF_AUDIT, "mean").items()
    }


def levels(run: Measured, track: str) -> dict[str, Json]:
    """Line id -> level with its interval and counts; lines without a judged answer, or without items, are not there."""
    if isinstance(run, ScoredAudit):
        return _audit_levels(run)
    if track == "choice":
        return _kept(choice_differences([item_scores(run.run.choice)], None), CHOICE)
    there = {name: entry for name, entry in run.scores["rows"].items() if entry["rate"] is not None}
    keyed = {name: found for name, entry in there.items() if (found := against_yes(entry))}
    return _with_against_yes(_kept(there, LEVEL, "rate"), _kept(keyed, ("ci",), "rate"))


def differences(run: Measured, baseline: Measured, track: str) -> Differences:
    """A run minus its baseline, which is of the same track."""
    if isinstance(run, ScoredAudit) or isinstance(baseline, ScoredAudit):
        assert isinstance(run, ScoredAudit) and isinstance(baseline, ScoredAudit)
        moved = compare_audits([baseline, run])["comparisons"][0]
        return Differences(_kept(moved["rows"], DIFFERENCE, "difference"), moved["why"], None, None)
    found = compare([baseline, run])["comparisons"][0]
    if track == "choice":
        lines = _kept(found["choice"], CHOICE)
        return Differences(lines, found["why"], found["choice_specificity"], found["choice_note"])
    against = _kept(found["against_yes"], ("ci",), "difference")
    lines = _with_against_yes(_kept(found["rows"], DIFFERENCE, "difference"), against)
    return Differences(lines, found["why"], found["specificity"], found["note"])
