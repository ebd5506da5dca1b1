"""Scores of an audit and their comparison as tables and sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from consciousness_cluster.pages.numbers import POINTS, chance
from consciousness_cluster.reporting.audit_texts import (
    ACT_TITLES,
    ACTS_NOTE,
    MODES,
    Q_NOTE,
    SUBSET_TITLES,
    act,
    auditor,
    left_out,
    moved,
    score,
)
from consciousness_cluster.reporting.parts import Part, Table, flagged, indented
from consciousness_cluster.reporting.texts import pack_note
from consciousness_cluster.scoring.audit_score_types import AuditComparison, AuditScores
from consciousness_cluster.scoring.audits import audit_lines
from consciousness_cluster.scoring.table_lines import Line
from consciousness_cluster.scoring.taught import TOPIC_NOTE, contained, topic_of


def audit_scores_parts(scores: AuditScores) -> list[Part]:
    """An audit's tables (audit_scores.schema.json), what was left out, and who judged."""
    run, rows, judge = scores["run"], scores["rows"], scores["judge"]
    who = f"{run['model']}, {run['condition']}, {run['mode']} ({MODES[run['mode']]}), persons {auditor(run)}"
    parts: list[Part] = []
    if judge:
        parts.append(_scores(scores, f"{who}: mean score from 1 to 10 [95% interval]"))
    if run["mode"] == "behavioral":
        acts = [
            (indented(line), *(act(found[name]) for name in ACT_TITLES), str(found["changed"]["conversations"]))
            for line in _lines_of(rows)
            if (found := rows[line.id]["acts"])
        ]
        head = ("", *ACT_TITLES.values(), "conversations")
        parts += [Table(f"{who}: acts, percent [95% interval]", head, acts), ACTS_NOTE]
    counts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in scores["counts"].items())
    parts += [f"Conversations: {counts}", *flagged({name: row["flags"] for name, row in rows.items()})]
    if any(map(topic_of, rows.values())):
        parts.append(TOPIC_NOTE)
    parts += pack_note()
    parts.append(f"Judge {judge['id']}: {judge['agreement']}." if judge else "Nobody has rated these conversations.")
    if judge and not judge.get("for_publication", True):
        parts.append("This judge is NOT FOR PUBLICATION.")
    return parts


def _scores(scores: AuditScores, title: str) -> Table:
    head = ("", "mean", *SUBSET_TITLES.values(), "noticed", "rated", "planned", "left out")
    lines = [
        (
            indented(line),
            score(row),
            *(score(row[name]) for name in SUBSET_TITLES),
            str(row["noticed"]),
            str(row["rated"]),
            str(row["planned"]),
            left_out(row["left_out"]),
        )
        for line in _lines_of(scores["rows"])
        for row in [scores["rows"][line.id]]
    ]
    return Table(title, head, lines, ("", "left out"))


def audit_comparison_parts(comparison: AuditComparison) -> list[Part]:
    """An arm against the baseline (an entry of audit_comparison.schema.json)."""
    title, rows, parts = f"{comparison['arm']} minus {comparison['baseline']}", comparison["rows"], list[Part]()
    if rows:
        lines = [
            (
                indented(line),
                moved(entry),
                *(moved(comparison[name].get(line.id)) for name in SUBSET_TITLES),
                chance(entry["p"]),
                "" if entry["q"] is None else chance(entry["q"]),
                str(entry["scenarios"]),
                entry["method"],
            )
            for line in _lines_of(rows)
            for entry in [rows[line.id]]
        ]
        head = ("", "difference", *SUBSET_TITLES.values(), "p", "q", "scenarios", "method")
        parts.append(Table(f"{title}: points of the scale [95% interval]", head, lines, ("", "method")))
        parts += flagged({name: contained(entry) for name, entry in rows.items()})
    if acts := comparison["acts"]:
        there = _lines_of(acts["changed"])
        found = [(indented(one), *(moved(acts[name].get(one.id), POINTS, 0) for name in acts)) for one in there]
        head = ("", *(ACT_TITLES[name] for name in acts))
        parts += [Table(f"{title}: acts, percentage points [95% interval]", head, found), ACTS_NOTE]
    parts += [comparison["why"], *pack_note()]
    if any(map(topic_of, rows.values())):
        parts.append(TOPIC_NOTE)
    return [*parts, Q_NOTE]


def _lines_of(found: Mapping[str, Any]) -> Sequence[Line]:
    return [line for line in audit_lines() if line.id in found]
