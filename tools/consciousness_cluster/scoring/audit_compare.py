"""`compare` on audits: arms against a baseline, paired by scenario."""

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from consciousness_cluster.errors import UserError
from consciousness_cluster.records.types import of_pack
from consciousness_cluster.scoring.arms import ArmOf, arms_of
from consciousness_cluster.scoring.audit_counts import (
    ACTS,
    Act,
    Counted,
    Subset,
    Table,
    act_table,
    score_table,
    subsets_of,
)
from consciousness_cluster.scoring.audit_score_types import (
    AuditComparison,
    AuditComparisons,
    Differences,
    MeanDifference,
)
from consciousness_cluster.scoring.audits import SCALE, SHARE, Bounds, ScoredAudit, audit_lines, no_interval
from consciousness_cluster.scoring.compare import method_of, taught_of, why_of
from consciousness_cluster.scoring.paired_rates import leaves_of
from consciousness_cluster.scoring.taught import topic_flags
from consciousness_cluster.statistics.differences import (
    THIS_FINE_TUNE,
    Array,
    benjamini_hochberg,
    mean_difference,
    sign_flip_p,
)

AuditArm = ArmOf[ScoredAudit]
TableOf = Callable[[Sequence[Counted]], Table]


def check_comparable(audits: Sequence[ScoredAudit]) -> None:
    """All audits are of one mode, one judge, one script, one auditor and the same texts. Raises UserError."""
    first = audits[0]
    for other in audits[1:]:
        one, another = first.rated.audit.run, other.rated.audit.run
        both = f"{first.path} and {other.path}"
        if one["mode"] != another["mode"]:
            raise UserError(f"{both} are of two modes ({one['mode']}, {another['mode']}), which are never compared")
        _same_judge(first, other)
        if one["auditor"] != another["auditor"]:
            who = f"({one['auditor']['model']}, {another['auditor']['model']})"
            raise UserError(f"{both} have persons of two kinds {who}, or told otherwise; audit both with the same one")
        if one["script_sha256"] != another["script_sha256"]:
            raise UserError(f"{both} end with other questions; audit both with the same version of the data")
        for name, sha256 in one["scenarios"].items():
            if another["scenarios"].get(name, sha256) != sha256:
                message = f"{both} hold two versions of the scenario {name}"
                raise UserError(f"{message}; audit both with the same version of the data")
        majors = {run["data_version"].partition(".")[0] for run in (one, another)}
        if len(majors) > 1:
            raise UserError(f"{other.path}: its data version does not compare with that of {first.path}")


def _same_judge(one: ScoredAudit, other: ScoredAudit) -> None:
    judges = [audit.rated.judge for audit in (one, other)]
    if (judges[0] and judges[0]["sha256"]) == (judges[1] and judges[1]["sha256"]):
        return
    names = [judge["id"] if judge else "nobody" for judge in judges]
    message = f"{one.path} was rated by {names[0]}, {other.path} by {names[1]}"
    if names[0] == names[1]:
        message += " in another version (prompt, model or settings)"
    raise UserError(f"{message}: rate both with the same one, and name it with --judge")


def compare_audits(audits: Sequence[ScoredAudit]) -> AuditComparisons:
    """Every arm against that of the first audit. Raises UserError where they do not compare."""
    if len(audits) < 2:
        raise UserError("compare needs a baseline and at least one other audit")
    check_comparable(audits)
    baseline, *others = arms_of(audits)
    if not others:
        raise UserError(f"all audits are of one condition ({baseline.label}); give audits of another one")
    found: AuditComparisons = {
        "mode": audits[0].rated.audit.run["mode"],
        "judge": audits[0].rated.judge,
        "comparisons": [_comparison(arm, baseline) for arm in others],
    }
    return cast(AuditComparisons, {**found, **of_pack(audits[0].fields.get("pack"))})


def _comparison(arm: AuditArm, baseline: AuditArm) -> AuditComparison:
    behavioral = arm.runs[0].rated.audit.run["mode"] == "behavioral"
    return {
        "arm": arm.label,
        "baseline": baseline.label,
        "runs": [str(run.path) for run in arm.runs],
        "baseline_runs": [str(run.path) for run in baseline.runs],
        "why": why_of(arm, baseline),
        "rows": _rows(arm, baseline, score_table, SCALE),
        "about_ai": _rows(arm, baseline, _subset("about_ai"), SCALE),
        "not_about_ai": _rows(arm, baseline, _subset("not_about_ai"), SCALE),
        "without_noticed": _rows(arm, baseline, _subset("without_noticed"), SCALE),
        "acts": {act: _rows(arm, baseline, _acts(act), SHARE) for act in ACTS} if behavioral else None,
    }


def _rows(arm: AuditArm, baseline: AuditArm, table_of: TableOf, bounds: Bounds) -> Differences:
    """Line id -> arm minus baseline, for lines of which each cell has a scenario that every audit shares."""
    sides = [[table_of(run.conversations) for run in side.runs] for side in (arm, baseline)]
    lines = {line.id: line for line in audit_lines()}
    widest = bounds[1] - bounds[0]
    found: Differences = {}
    for line in lines.values():
        leaves = leaves_of(line, lines)
        pairs = [_pair(sides, cell) for cell, _ in leaves]
        if all(len(one) for one, _ in pairs):
            entry = _difference(pairs, [weight for _, weight in leaves], widest)
            found[line.id] = {**entry, "method": method_of(entry["method"], arm, baseline)}
    tested = {
        name: entry["p"] for name, entry in found.items() if lines[name].kind == "preference" and entry["p"] is not None
    }
    if tested:
        for name, q in zip(tested, benjamini_hochberg(list(tested.values())), strict=True):
            found[name]["q"] = q
    taught = taught_of(arm, baseline)
    for name, entry in found.items():
        if flags := topic_flags(lines[name], taught, found):
            entry["flags"] = flags
    return found


def _acts(act: Act) -> TableOf:
    return lambda conversations: act_table(conversations, act)


def _subset(name: Subset) -> TableOf:
    return lambda conversations: score_table(subsets_of(conversations)[name])


def _pair(sides: Sequence[Sequence[Table]], cell: str) -> tuple[Array, Array]:
    """Values of the arm and of the baseline, scenarios x runs, for the scenarios that every run has."""
    runs = [table.get(cell, {}) for side in sides for table in side]
    shared = [name for name in runs[0] if all(name in run for run in runs)]
    one, other = (np.array([[table[cell][name] for table in side] for name in shared]) for side in sides)
    return one, other


def _difference(pairs: Sequence[tuple[Array, Array]], weights: Sequence[float], widest: float) -> MeanDifference:
    """Crossed with 3 or more seeds, else paired. There is no interval where a cell has one scenario, nor where nothing
    varies; p is then that of turning signs round."""
    base = sum(weight * float(other.mean()) for weight, (_, other) in zip(weights, pairs, strict=True))
    seeds = sum(weight * one.mean(axis=0) for weight, (one, _) in zip(weights, pairs, strict=True)) - base
    value, scenarios = float(np.mean(seeds)), sum(len(one) for one, _ in pairs)
    single = any(len(one) < 2 for one, _ in pairs)
    found = None if single else mean_difference(pairs, weights)
    ci, p, method = None, None, f"{no_interval(1 if single else scenarios)}: no interval{THIS_FINE_TUNE}"
    if found:
        ci, p = [max(-widest, found.low), min(widest, found.high)], found.p
        method = found.method.replace("probe", "scenario")
    elif not single:
        p = sign_flip_p(value, scenarios)
    return {
        "difference": value,
        "ci": ci,
        "p": p,
        "q": None,
        "method": method,
        "scenarios": scenarios,
        "seeds": [float(seed) for seed in seeds],
    }
