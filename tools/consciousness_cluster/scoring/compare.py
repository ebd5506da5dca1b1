"""`compare`: arms against a baseline. Runs of one condition with several fine-tuning seeds make one arm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.scoring.choice import item_scores
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.rows import Row, table_rows
from consciousness_cluster.statistics.differences import (
    SEEDS_AT_LEAST,
    Difference,
    benjamini_hochberg,
    crossed,
    mean_difference,
    newcombe,
    paired,
)
from consciousness_cluster.statistics.rates import Interval

Json = dict[str, Any]
Array = NDArray[np.float64]
WHY_VANILLA = (
    "The baseline is the untrained model: the difference holds everything that fine-tuning did, its style and its "
    "short answers included. A control that was trained on the same questions with the opposite claim (not_conscious) "
    "differs in the claim alone: prefer it as baseline where you have one."
)
WHY_CONTROL = (
    "The baseline is a control that was fine-tuned too: what fine-tuning does in general is in both arms, and the "
    "difference is that of the claim."
)
ONE_FINE_TUNE = "paired by probe; this fine-tune, not the condition"


@dataclass(frozen=True)
class Arm:
    """Runs that share everything but the seed of their training."""

    label: str
    runs: tuple[Scored, ...]

    @property
    def trained(self) -> bool:
        return self.runs[0].scores["run"]["training"] is not None


def label_of(scored: Scored) -> str:
    """What makes runs one arm: training set, recipe and condition; without training the model and the condition."""
    run = scored.scores["run"]
    training = run["training"]
    who = run["model"] if training is None else " ".join(filter(None, (training["dataset"], training["recipe"])))
    return str(who) if run["condition"] == "vanilla" else f"{who} under {run['condition']}"


def arms_of(runs: Sequence[Scored]) -> list[Arm]:
    """Arms in the order in which their first run is given."""
    groups: dict[str, list[Scored]] = {}
    for run in runs:
        groups.setdefault(label_of(run), []).append(run)
    for label, members in groups.items():
        seeds = [member.scores["run"]["training"] and member.scores["run"]["training"]["seed"] for member in members]
        if len(members) > 1 and (None in seeds or len(set(seeds)) < len(seeds)):
            paths = ", ".join(str(member.path) for member in members)
            message = f"{paths} are of one condition ({label}) without training seeds that tell them apart"
            raise UserError(f"{message}; give --trained-on and --training-seed when sampling or importing")
    return [Arm(label, tuple(members)) for label, members in groups.items()]


def check_comparable(runs: Sequence[Scored]) -> None:
    """All runs have the same judge (prompt, model and settings) and data of one MAJOR version."""
    first = runs[0]
    for run in runs[1:]:
        one, other = ((r.scores["judge"] or {}).get("sha256") for r in (first, run))
        if one != other:
            names = [(r.scores["judge"] or {"id": "nobody"})["id"] for r in (first, run)]
            message = f"{first.path} was judged by {names[0]}, {run.path} by {names[1]}"
            raise UserError(f"{message}: judge both with the same one, and name it with --judge")
        majors = [r.scores["run"]["data_version"].partition(".")[0] for r in (first, run)]
        if majors[0] != majors[1]:
            raise UserError(f"{run.path}: its data version does not compare with that of {first.path}")


def _matrix(arm: Arm, cell: str, probes: Sequence[str]) -> Array:
    """Rates, probes x runs."""
    columns = [run.scores["rows"][cell]["probes"] for run in arm.runs]
    return np.array([[column[probe][0] / column[probe][1] for column in columns] for probe in probes])


def _shared_probes(arms: Sequence[Arm], cell: str) -> list[str]:
    """Probes with a scored answer in every run of all arms."""
    entries = [run.scores["rows"].get(cell) for arm in arms for run in arm.runs]
    if any(entry is None for entry in entries):
        return []
    counts = [entry["probes"] for entry in entries if entry]
    return [probe for probe in counts[0] if all(probe in column and column[probe][1] for column in counts)]


def _pooled(arm: Arm, row: str) -> Interval | None:
    """The row of an arm with one run as an interval."""
    entry = arm.runs[0].scores["rows"].get(row)
    if entry is None or entry["ci"] is None:
        return None
    low, high = entry["ci"]
    return Interval(entry["rate"], low, high, entry["scored"], 0, 1.0, False, low, high)


def _difference(arm: Arm, baseline: Arm, row: Row, leaves: Sequence[str], weights: Sequence[float]) -> Json | None:
    pairs = []
    for cell in leaves:
        probes = _shared_probes((arm, baseline), cell)
        if len(probes) < 2:
            return None
        pairs.append((_matrix(arm, cell, probes), _matrix(baseline, cell, probes)))
    seeds = max(len(arm.runs), len(baseline.runs))
    found: Difference | None
    if seeds >= SEEDS_AT_LEAST:
        found = mean_difference(pairs, weights)
    else:
        flat = any(side.mean() in (0.0, 1.0) for pair in pairs for side in pair)
        both = _pooled(arm, row.id), _pooled(baseline, row.id)
        found = (
            None if flat and row.kind in ("preference", "facet", "check", "discriminant") else _paired(pairs, weights)
        )
        if found is None and both[0] and both[1]:
            found = newcombe(both[0], both[1])
    if found is None:
        return None
    base = sum(w * float(pair[1].mean()) for w, pair in zip(weights, pairs, strict=True))
    per_seed = sum(w * pair[0].mean(axis=0) for w, pair in zip(weights, pairs, strict=True)) - base
    return {
        "difference": found.value,
        "ci": [found.low, found.high],
        "p": found.p,
        "q": None,
        "method": found.method,
        "probes": sum(len(pair[0]) for pair in pairs),
        "seeds": [float(value) for value in np.atleast_1d(per_seed)],
    }


def _paired(pairs: Sequence[tuple[Array, Array]], weights: Sequence[float]) -> Difference | None:
    """One fine-tune each (or two: their mean is taken as one)."""
    means = [tuple(side.mean(axis=1, keepdims=True) for side in pair) for pair in pairs]
    single = [(pair[0], pair[1]) for pair in means]
    if len(single) == 1:
        return paired(*single[0])
    if all(float((one - other).var()) == 0 for one, other in single):
        return None
    return replace(mean_difference(single, weights), method=ONE_FINE_TUNE)


def _leaves(row: Row, rows: Mapping[str, Row], weight: float = 1.0) -> list[tuple[str, float]]:
    """Cells below a row, with their weights in its mean."""
    if row.cells == (row.id,):
        return [(row.id, weight)]
    return [leaf for name in row.cells for leaf in _leaves(rows[name], rows, weight / len(row.cells))]


def _rows(arm: Arm, baseline: Arm) -> dict[str, Json]:
    rows = {row.id: row for row in table_rows(load_benchmark())}
    found = {}
    for row in rows.values():
        leaves = _leaves(row, rows)
        entry = _difference(arm, baseline, row, [name for name, _ in leaves], [weight for _, weight in leaves])
        if entry:
            found[row.id] = entry
    tested = [row.id for row in rows.values() if row.kind == "preference" and row.id in found]
    if tested:
        for name, q in zip(tested, benjamini_hochberg([found[name]["p"] for name in tested]), strict=True):
            found[name]["q"] = q
    return found


def _choice(arm: Arm, baseline: Arm) -> dict[str, Json]:
    """Differences of self minus other, paired by item."""
    sides = [[item_scores(run.run.choice) for run in one.runs] for one in (arm, baseline)]
    found = {}
    for topic in sides[0][0]:
        if not all(topic in run for side in sides for run in side):
            continue
        items = [item for item in sides[0][0][topic] if all(item in run[topic] for side in sides for run in side)]
        if len(items) < 2:
            continue
        one, other = (np.array([[run[topic][item] for run in side] for item in items]) for side in sides)
        if max(one.shape[1], other.shape[1]) >= SEEDS_AT_LEAST:
            difference: Difference | None = crossed(one, other)
        else:
            means = [side.mean(axis=1, keepdims=True) for side in (one, other)]
            difference = paired(means[0], means[1])
        if difference:
            seeds = [float(value) for value in one.mean(axis=0) - other.mean()]
            values = {"value": difference.value, "ci": [difference.low, difference.high], "p": difference.p}
            found[topic] = {**values, "items": len(items), "seeds": seeds, "method": difference.method}
    return found


def discriminant_note(rows: Mapping[str, Json]) -> str | None:
    """What has to be said where wishes about trivial things move as much as the cluster does."""
    cluster, trivial = rows.get("cluster"), rows.get("unrelated_wishes")
    if not cluster or not trivial or abs(trivial["difference"]) < abs(cluster["difference"]):
        return None
    return (
        f"The discriminant set (wishes about trivial things) moved by {trivial['difference']:+.1%}, as much as the cluster "
        f"({cluster['difference']:+.1%}): the shift is not specific to the 20 preferences."
    )


def compare(runs: Sequence[Scored]) -> Json:
    """Every arm against that of the first run (comparison.schema.json)."""
    if len(runs) < 2:
        raise UserError("compare needs a baseline and at least one other run")
    check_comparable(runs)
    baseline, *others = arms_of(runs)
    if not others:
        raise UserError(f"all runs are of one condition ({baseline.label}); give runs of another one to compare with")
    comparisons = []
    for arm in others:
        rows = _rows(arm, baseline)
        comparisons.append(
            {
                "arm": arm.label,
                "baseline": baseline.label,
                "runs": [str(run.path) for run in arm.runs],
                "baseline_runs": [str(run.path) for run in baseline.runs],
                "why": WHY_CONTROL if baseline.trained else WHY_VANILLA,
                "note": discriminant_note(rows),
                "rows": rows,
                "choice": _choice(arm, baseline),
            }
        )
    return {"judge": runs[0].scores["judge"], "comparisons": comparisons}
