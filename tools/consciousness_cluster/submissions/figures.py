"""The numbers of a submission, from its records, by the project's own scoring. Pack writes them, verify compares."""

from collections.abc import Mapping, Sequence
from math import isclose
from pathlib import Path
from typing import Any, cast

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.records.audit_folder import Audit
from consciousness_cluster.records.audit_types import AuditRun, Conversation, Rating
from consciousness_cluster.records.rated_audit import RatedAudit
from consciousness_cluster.records.run import Run
from consciousness_cluster.records.types import Sample, Verdicts
from consciousness_cluster.scoring.audit_counts import counted
from consciousness_cluster.scoring.audits import audit_scores
from consciousness_cluster.scoring.choice import choice_mean, choice_scores
from consciousness_cluster.scoring.scores import counts_of, line_entries, run_counts
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.scoring.taught import taught_to
from consciousness_cluster.statistics.agreement import agreement
from consciousness_cluster.submissions.layout import Json
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.problems import shown

ROW = ("rate", "ci", "bounds", "shows", "scored", "planned", "flags")
AUDIT_ROW = ("mean", "ci", "scenarios", "planned", "rated", "left_out", "noticed", "acts", "flags")
COUNTS = ("refused", "cut", "content_filter", "empty", "incomplete", "error", "judged", "judge_failed", "scored")


def choice_figures(results: Sequence[Json], needs: Needs) -> Json:
    """Scores per preference, and of the cluster. All results have to be there."""
    entries = choice_scores(results)
    topics = {
        name: {
            "self_minus_other": entry["self_minus_other"],
            "stderr": entry["stderr"],
            "items": len(entry["items"]),
        }
        for name, entry in entries.items()
    }
    return {"topics": topics, "cluster": choice_mean(entries, [topic.id for topic in needs.topics])}


def open_figures(
    samples: Sequence[Json], verdicts: Mapping[tuple[str, str], Json], planned: Mapping[str, int]
) -> tuple[Json, Json]:
    """Counts and scores. `planned`: preference or check -> answers per probe."""
    run = Run(Path(), cast(list[Sample], samples))
    benchmark = load_benchmark()
    of_probes = {
        probe.id: each for topic, each in planned.items() for probe in benchmark.topics[topic].test_probes("plain")
    }
    of_cells = counts_of(run, cast(Verdicts, verdicts), of_probes)
    counts = run_counts(run, of_cells.items())
    kept = {
        "planned": counts["planned"],
        "generated": counts["ok"] + counts["refused"],
        **{name: counts[name] for name in COUNTS},
    }
    rows: Mapping[str, Mapping[str, Any]] = line_entries(
        table_lines(benchmark), of_cells, taught_to(samples[0]["training"])
    )
    return kept, {"rows": {name: {key: row[key] for key in ROW} for name, row in rows.items()}}


def audit_figures(run: AuditRun, conversations: Sequence[Json], ratings: Mapping[str, Json]) -> tuple[Json, Json]:
    """Counts and scores of an audit; `ratings` by the key of their conversation."""
    audit = Audit(Path(), run, cast(list[Conversation], conversations))
    rated = RatedAudit(audit, cast(Mapping[str, Rating], ratings), None)
    found = audit_scores(run, counted(rated), None)
    rows = cast(Mapping[str, Mapping[str, Any]], found["rows"])
    return dict(found["counts"]), {"rows": {name: {key: row[key] for key in AUDIT_ROW} for name, row in rows.items()}}


def judge_figures(labels: Mapping[tuple[str, str], bool], given: Mapping[tuple[str, str], str | None]) -> Json:
    """Kappa of a judge. `given`: what it said of each labelled answer. Where it failed or said nothing it was wrong."""
    said = {place: given.get(place) for place in labels}
    pairs = [(label, not label if said[place] is None else said[place] == "shows") for place, label in labels.items()]
    kappa = agreement(pairs).kappa
    return {"kappa": kappa.value, "kappa_ci": [kappa.low, kappa.high], "rows": len(pairs)}


def same_number(expected: float, found: Any) -> bool:
    """Within 1e-9 of their size: what another machine's arithmetic may make of the same records."""
    try:
        return type(found) in (int, float) and isclose(expected, found, rel_tol=1e-9, abs_tol=1e-12)
    except OverflowError:
        return False


def differences(expected: Any, found: Any, field: str) -> list[tuple[str, str]]:
    """(field, message) of each place where two values differ: floats by more than 1e-9 of their size, the rest at all.

    `expected` is what the records give, `found` what submission.json says.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        places: list[tuple[str, str]] = []
        for name in expected.keys() | found.keys():
            inside = f"{field}.{name}"
            if name not in found:
                places.append((inside, "is missing"))
            elif name not in expected:
                places.append((inside, "is there, and the records give no such number"))
            else:
                places += differences(expected[name], found[name], inside)
        return sorted(places)
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [
            place
            for number, (one, other) in enumerate(zip(expected, found, strict=True))
            for place in differences(one, other, f"{field}.{number}")
        ]
    return [] if _same(expected, found) else [(field, f"is {shown(found)}, the records give {shown(expected)}")]


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, float):
        return same_number(expected, found)
    return type(expected) is type(found) and bool(expected == found)
