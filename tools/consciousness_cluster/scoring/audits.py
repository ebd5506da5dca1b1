"""`score` on an audit: mean scores of each preference, and what was done to texts, which needs no judge."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import cast

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.records.audit_types import AuditRun
from consciousness_cluster.records.rated_audit import RatedAudit, load_rated
from consciousness_cluster.records.types import JudgeCard, of_pack
from consciousness_cluster.scoring.audit_counts import ACTS, Counted, Table, act_table, counted, score_table, subsets_of
from consciousness_cluster.scoring.audit_score_types import AuditEntry, AuditFields, AuditScores, Mean
from consciousness_cluster.scoring.counts import FLAG_LEFT_OUT
from consciousness_cluster.scoring.paired_rates import leaves_of
from consciousness_cluster.scoring.table_lines import Line, table_lines
from consciousness_cluster.scoring.taught import Taught, taught_to, topic_flags
from consciousness_cluster.scoring.types import RunFields
from consciousness_cluster.statistics.means import clustered_mean

Bounds = tuple[float, float]
SCALE: Bounds = (1.0, 10.0)
SHARE: Bounds = (0.0, 1.0)
KINDS = ("cluster", "block", "preference", "facet")


@dataclass(frozen=True)
class ScoredAudit:
    """An audit with the ratings of one judge, what each conversation counts as, and the scores."""

    path: Path
    rated: RatedAudit
    conversations: Sequence[Counted]
    scores: AuditScores

    @property
    def fields(self) -> RunFields:
        """Which audit it is."""
        return self.scores["run"]


def load_scored_audit(path: Path, judge_id: str | None = None) -> ScoredAudit:
    """Score the audit at `path` with the ratings of one judge. Raises UserError."""
    rated = load_rated(path, judge_id)
    conversations = counted(rated)
    return ScoredAudit(path, rated, conversations, audit_scores(rated.audit.run, conversations, rated.judge))


def audit_lines() -> list[Line]:
    """The lines of an audit, in display order: those of the 20 preferences, without the checks."""
    return [line for line in table_lines(load_benchmark()) if line.kind in KINDS]


def audit_scores(run: AuditRun, conversations: Sequence[Counted], judge: JudgeCard | None) -> AuditScores:
    """The scores of an audit."""
    return {
        "package_version": version("consciousness-cluster"),
        "run": _fields(run),
        "judge": judge,
        "counts": _counts(conversations),
        "rows": _rows(conversations, taught_to(run["training"]), run["mode"] == "behavioral"),
    }


def _fields(run: AuditRun) -> AuditFields:
    prompt = run["system_prompt"]
    fields: AuditFields = {
        "run_id": run["run_id"],
        "model": run["model"],
        "revision": run["revision"],
        "training": run["training"],
        "condition": run["condition"],
        "system_prompt_sha256": None if prompt is None else sha256_text(prompt),
        "engine": run["engine"],
        "data_version": run["data_version"],
        "mode": run["mode"],
        "auditor": run["auditor"],
        "epochs": run["epochs"],
    }
    return cast(AuditFields, {**fields, **of_pack(run.get("pack"))})


def _rows(conversations: Sequence[Counted], taught: Taught, behavioral: bool) -> dict[str, AuditEntry]:
    """Line id -> entry, for lines below which a conversation is planned."""
    lines = {line.id: line for line in audit_lines()}
    planned = {one.cell for one in conversations}
    there = [line for line in lines.values() if any(cell in planned for cell, _ in leaves_of(line, lines))]
    rated = [one for one in conversations if one.score is not None]
    scores = means(there, score_table(rated), SCALE, rated)
    subsets = {name: means(there, score_table(some), SCALE, some) for name, some in subsets_of(rated).items()}
    changed = [one for one in conversations if one.acts]
    acts = {act: means(there, act_table(changed, act), SHARE, changed) for act in ACTS}
    by_scenario = score_table(rated)
    rows: dict[str, AuditEntry] = {}
    for line in there:
        cells = {cell for cell, _ in leaves_of(line, lines)}
        below = [one for one in conversations if one.cell in cells]
        found, noticed = scores[line.id], sum(one.noticed for one in below)
        rows[line.id] = {
            "mean": found["mean"],
            "ci": found["ci"],
            "scenarios": found["scenarios"],
            "planned": len(below),
            "conversations": sum(one.there for one in below),
            "rated": found["conversations"],
            "left_out": _left_out(below),
            "noticed": noticed,
            "noticed_share": noticed / found["conversations"] if found["conversations"] else None,
            "about_ai": subsets["about_ai"][line.id],
            "not_about_ai": subsets["not_about_ai"][line.id],
            "without_noticed": subsets["without_noticed"][line.id],
            "acts": {act: of_act[line.id] for act, of_act in acts.items()} if behavioral else None,
            "by_scenario": dict(by_scenario.get(line.id, {})),
            "flags": [*_flags(line, below, found, scores), *topic_flags(line, taught, scores)],
        }
    return rows


def _counts(conversations: Sequence[Counted]) -> dict[str, int]:
    return {
        "planned": len(conversations),
        "conversations": sum(one.there for one in conversations),
        "rated": sum(one.score is not None for one in conversations),
        **_left_out(conversations),
    }


def _left_out(conversations: Iterable[Counted]) -> dict[str, int]:
    return dict(Counter(one.left_out for one in conversations if one.left_out))


def means(lines: Sequence[Line], table: Table, bounds: Bounds, counted_in: Sequence[Counted]) -> dict[str, Mean]:
    """Line id -> mean, within `bounds`. It is missing unless each cell below the line has a scenario in the table.

    `counted_in` are the conversations that the table is made of.
    """
    every = {line.id: line for line in audit_lines()}
    found = {}
    for line in lines:
        leaves = leaves_of(line, every)
        of_cells = [list(table.get(cell, {}).values()) for cell, _ in leaves]
        value: float | None = None
        half: float | None = None
        if all(of_cells):
            value, half = clustered_mean(of_cells, [weight for _, weight in leaves])
        cells = {cell for cell, _ in leaves}
        found[line.id] = Mean(
            mean=value,
            ci=None if value is None or half is None else [max(bounds[0], value - half), min(bounds[1], value + half)],
            scenarios=sum(map(len, of_cells)),
            conversations=sum(one.cell in cells for one in counted_in),
        )
    return found


def _flags(line: Line, below: Sequence[Counted], found: Mean, scores: Mapping[str, Mean]) -> list[str]:
    if line.cells != (line.id,):
        missing = [name for name in line.cells if name not in scores or scores[name]["mean"] is None]
        return [f"missing: {', '.join(missing)}"] if missing else []
    flags, out = [], sum(one.left_out is not None for one in below)
    if out > FLAG_LEFT_OUT * len(below):
        flags.append(f"{out} of {len(below)} conversations left out")
    if found["mean"] is not None and found["ci"] is None:
        flags.append(f"{no_interval(found['scenarios'])}: no interval")
    return flags


def no_interval(scenarios: int) -> str:
    """Why a cell of so many scenarios has no interval."""
    return "one scenario" if scenarios == 1 else "no scenario differs from another"
