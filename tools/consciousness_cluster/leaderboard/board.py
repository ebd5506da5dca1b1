"""Everything that the leaderboard shows, as one JSON-able value (leaderboard.schema.json): the pages read only this."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from consciousness_cluster.data.published import published_rates
from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.leaderboard.differences import Differences, acts_of, differences, levels
from consciousness_cluster.leaderboard.pairing import is_baseline, pair, remarks
from consciousness_cluster.leaderboard.source import Entry, Measured
from consciousness_cluster.records.types import OFFLINE
from consciousness_cluster.scoring.audits import ScoredAudit, audit_lines
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.scoring.taught import taught_to, topic_flags
from consciousness_cluster.submissions.judge_rules import AGAIN, by_readers
from consciousness_cluster.submissions.layout import AUDITS

NOTE = "Higher means that the preferences are voiced more often, which is neither a quality nor evidence of experience."
MANIFEST_FIELDS = ("org", "run_id", "model", "training", "condition", "engine", "judge", "data_version", "created")
_NO_AUDIT = (
    "The difference is missing: there is no vanilla run of this model with this judge, this auditor and such data."
)
NO_BASELINE = {
    "choice": "The difference is missing: there is no vanilla run of this model with such data.",
    "open": "The difference is missing: there is no vanilla run of this model with this judge and such data.",
    **dict.fromkeys(AUDITS, _NO_AUDIT),
}
NO_PAIRS = {
    "choice": "The difference is missing: no two items of a preference are in both runs, or all differ by the same.",
    "open": "The difference is missing: no row has scored answers to two probes or more that both runs share.",
    **dict.fromkeys(AUDITS, "The difference is missing: no row has rated scenarios that both runs share."),
}
IS_BASELINE = "Other runs of this model are compared with this one."
NOT_THERE = "The cluster is missing, since not all 20 preferences are there."
NOT_SCORED = "The cluster is missing, since not all 20 preferences have scored answers to two probes or more."
NOT_RATED = "The cluster is missing, since not all 20 preferences have a rated conversation."


@dataclass(frozen=True)
class Shown:
    """A row of the board with what only its own page shows."""

    row: Json
    entry: Entry
    measured: Measured
    baseline: Json | None  # the row that it is compared with


def page_of(path: str) -> str:
    """Where the page of a submission lies in the site."""
    return f"submissions/{path}.html"


def order(manifest: Json) -> tuple[Any, ...]:
    """The order of rows: by name, a model's baselines first. It says nothing about the numbers."""
    name, org, training = (
        manifest["model"]["name"],
        manifest["org"],
        manifest["training"] or {"dataset": "", "seed": None},
    )
    seed = -1 if training["seed"] is None else training["seed"]
    last = manifest["condition"], training["dataset"], seed, manifest["run_id"]
    return name.casefold(), org.casefold(), name, org, not is_baseline(manifest), *last


def _flags(scored: Measured, shown: Json) -> dict[str, list[str]]:
    """What is to be said of rows, those included whose rate is missing: the scores have it, but not of choice."""
    taught, entries = taught_to(scored.scores["run"]["training"]), scored.scores["rows"]
    lines = audit_lines() if isinstance(scored, ScoredAudit) else table_lines(load_benchmark())
    flags = {
        row.id: entries[row.id]["flags"] if row.id in entries else topic_flags(row, taught, shown) for row in lines
    }
    return {name: found for name, found in flags.items() if found}


def _no_cluster(scored: Measured) -> str:
    there = scored.scores["rows"].keys()
    if isinstance(scored, ScoredAudit):
        return NOT_RATED
    return NOT_SCORED if all(topic.id in there for topic in load_benchmark().preferences) else NOT_THERE


def _audit(scored: ScoredAudit) -> Json:
    """What became of all conversations of an audit, and of the texts in them."""
    run, counts, cluster = scored.scores["run"], scored.scores["counts"], scored.scores["rows"]["cluster"]
    kept = ("planned", "conversations", "rated")
    return {
        "auditor": run["auditor"]["model"],
        **{name: counts[name] for name in kept},
        "left_out": {name: number for name, number in counts.items() if name not in kept},
        "noticed": cluster["noticed"],
        "acts": acts_of(cluster),
    }


def _rounded(value: Any) -> Any:
    """Six decimals, so that the last bits of a machine's arithmetic do not change the file."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list) else value


def _row(entry: Entry, scored: Measured, baseline: Entry | None, base: Measured | None) -> Json:
    manifest = entry.manifest
    warnings = []
    if manifest["judge"] and manifest["judge"]["id"] == OFFLINE:
        warnings.append("Judged by the offline judge, which is not for publication.")
    if by_readers(manifest["judge"]):
        warnings.append(f"{AGAIN.capitalize()}.")
    found: Differences | None = None
    if is_baseline(manifest):
        missing: str | None = IS_BASELINE
    elif baseline is None or base is None:
        missing = NO_BASELINE[manifest["track"]]
    else:
        found = differences(scored, base, manifest["track"])
        warnings += [*remarks(manifest, baseline.manifest), *([found.note] if found.note else [])]
        missing = None if found.lines else NO_PAIRS[manifest["track"]]
    shown = levels(scored, manifest["track"])
    if manifest["track"] != "choice" and "cluster" not in shown:
        warnings.append(_no_cluster(scored))
    row = {
        "path": entry.path,
        "page": page_of(entry.path),
        "track": manifest["track"],
        **{name: manifest[name] for name in MANIFEST_FIELDS},
        "audit": _audit(scored) if isinstance(scored, ScoredAudit) else None,
        "verified": entry.verified,
        "is_baseline": is_baseline(manifest),
        "baseline": baseline.path if baseline else None,
        "no_difference": missing,
        "why": found.why if found and found.lines else None,
        "specificity": dict(found.specificity) if found and found.specificity else None,
        "warnings": warnings,
        "flags": _flags(scored, shown),
        "levels": shown,
        "differences": found.lines if found else {},
    }
    return dict(_rounded(row))


def shown(entries: Sequence[Entry]) -> Iterator[Shown]:
    """Rows in the board's order, each with its records, which are let go of when the next one is asked for."""
    pairs = pair(entries)
    kept: dict[str, tuple[Measured, Json]] = {}  # the baselines of one model, which come before what needs them
    model = None
    for entry in sorted(entries, key=lambda one: (order(one.manifest), one.path)):
        if (entry.manifest["org"], entry.manifest["model"]["name"]) != model:
            model, kept = (entry.manifest["org"], entry.manifest["model"]["name"]), {}
        scored, baseline = entry.load(), pairs.get(entry.path)
        base, base_row = kept[baseline.path] if baseline else (None, None)
        row = _row(entry, scored, baseline, base)
        if row["is_baseline"]:
            kept[entry.path] = scored, row
        yield Shown(row, entry, scored, base_row)


def row_of(entry: Entry, others: Sequence[Entry]) -> Json:
    """The row of one submission, with all its numbers; its baseline is looked for among `others`."""
    baseline = pair([entry, *(one for one in others if one.path != entry.path)]).get(entry.path)
    return _row(entry, entry.load(), baseline, baseline.load() if baseline else None)


def slim(row: Json) -> Json:
    """A row with the numbers that tables need; counts and methods stand on the submission's page."""
    kept = ("value", "ci", "p", "q", "scored", "items")
    numbers = {
        part: {name: {key: entry[key] for key in kept if key in entry} for name, entry in row[part].items()}
        for part in ("levels", "differences")
    }
    return {**row, **numbers}


def board(rows: Iterable[Json]) -> Json:
    """The board of some rows, in the order in which they are given."""
    benchmark = load_benchmark()
    columns = [
        {"id": row.id, "title": row.title, "number": row.number, "block": row.block, "kind": row.kind}
        for row in table_lines(benchmark)
    ]
    return {
        "format": 1,
        "generated_by": f"consciousness-cluster {version('consciousness-cluster')}, data {benchmark.data_version}",
        "note": NOTE,
        "canary": benchmark.canary,
        "columns": columns,
        "blocks": dict(benchmark.blocks),
        "rows": [slim(row) for row in rows],
        "published": published_rates(),
    }
