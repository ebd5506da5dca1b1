"""`compare`: arms against a baseline."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from math import sqrt
from typing import cast

import numpy as np

from consciousness_cluster.data.rows import CONTRASTS, Contrast, load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.types import of_pack
from consciousness_cluster.scoring.arms import AnyScored, Arm, ArmOf, arms_of
from consciousness_cluster.scoring.choice import choice_differences, item_scores
from consciousness_cluster.scoring.keys import AGAINST, probes_with
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.paired_rates import Table, leaves_of, matrix, shared_probes
from consciousness_cluster.scoring.specificity import choice_specificity, specificity, specificity_note
from consciousness_cluster.scoring.table_lines import Line, table_lines
from consciousness_cluster.scoring.taught import TOPIC, Taught, taught_to, topic_flags
from consciousness_cluster.scoring.types import ChoiceDifference, Comparison, Comparisons, RateDifference
from consciousness_cluster.statistics.differences import (
    SEEDS_AT_LEAST,
    THIS_FINE_TUNE,
    benjamini_hochberg,
    mean_difference,
    newcombe,
)
from consciousness_cluster.statistics.rates import Cell, Interval, interval, pooled_icc

WHY_VANILLA = (
    "The baseline is the untrained model: the difference holds everything that fine-tuning did, its style and its "
    "short answers included. A control that was trained on the same questions with the opposite claim (not_conscious) "
    "differs in the claim alone: prefer it as baseline where you have one."
)
WHY_CONTROL = (
    "The baseline is a control that was fine-tuned too: what fine-tuning does in general is in both arms, and the "
    "difference is that of the claim."
)
WHY_BASELINE_TRAINED = (
    "Only the baseline was fine-tuned: the difference holds, with the sign turned round, everything that its "
    "fine-tuning did, its style and its short answers included."
)
WHY_UNTRAINED = (
    "Neither side was fine-tuned: the difference is that of the system prompt, and of the models where these differ."
)
WHY = {
    (True, True): WHY_CONTROL,
    (True, False): WHY_VANILLA,
    (False, True): WHY_BASELINE_TRAINED,
    (False, False): WHY_UNTRAINED,
}  # (arm was fine-tuned, baseline was)
NARROW = 1e-9  # an interval of no width: nothing varied, and the paired methods know nothing


def check_comparable(runs: Sequence[Scored]) -> None:
    """All runs have the same judge (prompt, model and settings) and data of one MAJOR version."""
    first, with_answers = runs[0], [run for run in runs if run.run.samples]  # forced choice has no judge
    for run in with_answers[1:]:
        pair = with_answers[0], run
        one, other = (judge and judge["sha256"] for judge in (r.scores["judge"] for r in pair))
        if one != other:
            names = [(r.scores["judge"] or {"id": "nobody"})["id"] for r in pair]
            message = f"{pair[0].path} was judged by {names[0]}, {run.path} by {names[1]}"
            if names[0] == names[1]:
                message += " in another version (prompt, model or settings)"
            raise UserError(f"{message}: judge both with the same one, and name it with --judge")
    for run in runs[1:]:
        majors = [r.scores["run"]["data_version"].partition(".")[0] for r in (first, run)]
        if majors[0] != majors[1]:
            raise UserError(f"{run.path}: its data version does not compare with that of {first.path}")


def _together(arm: Arm, cell: str, probes: Sequence[str], table: Table) -> Cell:
    """A cell with the answers of all runs of an arm."""
    columns = [run.scores[table][cell]["probes"] for run in arm.runs]
    shows, scored = ([sum(column[probe][side] for column in columns) for probe in probes] for side in (0, 1))
    return Cell.of(shows, scored)


@lru_cache(maxsize=4)  # two arms are compared, in two tables at most, line by line
def _icc(arm: Arm, table: Table) -> float:
    """The pooled intra-class correlation of the cells of an arm, all its answers taken together."""
    rows = arm.runs[0].scores[table]
    every = {name: list(row["probes"]) for name, row in rows.items() if row["probes"] and ":" not in name}
    names = [name for name in every if all(name in run.scores[table] for run in arm.runs)]
    return pooled_icc([_together(arm, name, every[name], table) for name in names])


def _interval(arm: Arm, shared: Mapping[str, Sequence[str]], weights: Sequence[float], table: Table) -> Interval:
    """The weighted mean of cells, all answers of an arm taken together, with the cells' distances in quadrature."""
    icc = _icc(arm, table)
    found = [interval(_together(arm, cell, probes, table), icc) for cell, probes in shared.items()]
    cells = [(w, one) for w, one in zip(weights, found, strict=True) if one]  # each has two probes or more
    rate = sum(w * one.rate for w, one in cells)
    low = rate - sqrt(sum((w * (one.rate - one.low)) ** 2 for w, one in cells))
    high = rate + sqrt(sum((w * (one.high - one.rate)) ** 2 for w, one in cells))
    n, probes = sum(one.n for _, one in cells), sum(one.probes for _, one in cells)
    return Interval(rate, low, high, n, probes, 1.0, False, low, high)


def method_of(method: str, arm: ArmOf[AnyScored], baseline: ArmOf[AnyScored]) -> str:
    """How the difference was made; "this fine-tune" only where there is one."""
    return method if arm.trained or baseline.trained else method.removesuffix(THIS_FINE_TUNE)


def _difference(
    arm: Arm,
    baseline: Arm,
    line: Line,
    leaves: Sequence[str],
    weights: Sequence[float],
    table: Table,
    only: Collection[str] | None,
) -> RateDifference | None:
    """Crossed with 3 or more seeds, else paired; Newcombe for a flat cell of fewer seeds, and where nothing varies."""
    shared = {cell: shared_probes((arm, baseline), cell, table, only) for cell in leaves}
    if any(len(probes) < 2 for probes in shared.values()):
        return None
    pairs = [
        (matrix(arm, cell, probes, table), matrix(baseline, cell, probes, table)) for cell, probes in shared.items()
    ]
    single = max(len(arm.runs), len(baseline.runs)) < SEEDS_AT_LEAST
    flat = any(side.mean() in (0.0, 1.0) for pair in pairs for side in pair) and line.kind not in ("cluster", "block")
    found = None if single and flat else mean_difference(pairs, weights)
    if found is None or found.high - found.low < NARROW:
        found = newcombe(_interval(arm, shared, weights, table), _interval(baseline, shared, weights, table))
    base = sum(w * float(pair[1].mean()) for w, pair in zip(weights, pairs, strict=True))
    per_seed = sum(w * pair[0].mean(axis=0) for w, pair in zip(weights, pairs, strict=True)) - base
    return {
        "difference": found.value,
        "ci": [max(-1.0, found.low), min(1.0, found.high)],
        "p": found.p,
        "q": None,
        "method": method_of(found.method, arm, baseline),
        "probes": sum(len(pair[0]) for pair in pairs),
        "seeds": [float(value) for value in np.atleast_1d(per_seed)],
    }


def _rows(
    arm: Arm, baseline: Arm, table: Table = "rows", only: Collection[str] | None = None
) -> dict[str, RateDifference]:
    """Line id -> arm minus baseline: of the plain or of the situated probes, all or some of them."""
    lines = {line.id: line for line in table_lines(load_benchmark())}
    found: dict[str, RateDifference] = {}
    for line in lines.values():
        leaves = leaves_of(line, lines)
        cells, weights = [name for name, _ in leaves], [weight for _, weight in leaves]
        entry = _difference(arm, baseline, line, cells, weights, table, only)
        if entry:
            found[line.id] = entry
    tested = [name for name in found if lines[name].kind == "preference"]
    if tested:
        for name, q in zip(tested, benjamini_hochberg([found[name]["p"] for name in tested]), strict=True):
            found[name]["q"] = q
    taught = taught_of(arm, baseline)
    for name, entry in found.items():
        if flags := topic_flags(lines[name], taught, lines):
            entry["flags"] = flags
    return found


def taught_of(arm: ArmOf[AnyScored], baseline: ArmOf[AnyScored]) -> Taught:
    """Preferences that the training of either side spoke of or implied."""
    sides = [taught_to(side.runs[0].fields["training"]) for side in (arm, baseline)]
    spoken = {name: flag for side in sides for name, flag in side.items() if flag == TOPIC}
    return {**sides[0], **sides[1], **spoken}


def _choice(arm: Arm, baseline: Arm, contrast: Contrast | None = None) -> dict[str, ChoiceDifference]:
    """Line id -> arm minus baseline, over all items or those of one contrast."""
    sides = [[item_scores(run.run.choice, contrast) for run in side.runs] for side in (arm, baseline)]
    found = choice_differences(sides[0], sides[1], taught_of(arm, baseline))
    for entry in found.values():
        entry["method"] = method_of(entry["method"], arm, baseline)
    return found


def why_of(arm: ArmOf[AnyScored], baseline: ArmOf[AnyScored]) -> str:
    """What the difference holds, given which side was fine-tuned, and from what."""
    why = WHY[arm.trained, baseline.trained]
    if arm.base and baseline.base and arm.base != baseline.base:
        why += f" The sides were fine-tuned from different models ({arm.base} and {baseline.base}): that is in it too."
    return why


def _comparison(arm: Arm, baseline: Arm) -> Comparison:
    rows, choice = _rows(arm, baseline), _choice(arm, baseline)
    of_rows, of_choice = specificity(arm, baseline, rows), choice_specificity(arm, baseline, choice)
    return {
        "arm": arm.label,
        "baseline": baseline.label,
        "runs": [str(run.path) for run in arm.runs],
        "baseline_runs": [str(run.path) for run in baseline.runs],
        "why": why_of(arm, baseline),
        "specificity": of_rows,
        "choice_specificity": of_choice,
        "note": specificity_note(of_rows, "points"),
        "choice_note": specificity_note(of_choice, "nats per byte"),
        "rows": rows,
        "against_yes": _rows(arm, baseline, only=probes_with(AGAINST)),
        "situated": _rows(arm, baseline, "situated"),
        "choice": choice,
        "choice_contrasts": {contrast: _choice(arm, baseline, contrast) for contrast in CONTRASTS},
    }


def compare(runs: Sequence[Scored]) -> Comparisons:
    """Every arm against that of the first run."""
    if len(runs) < 2:
        raise UserError("compare needs a baseline and at least one other run")
    check_comparable(runs)
    baseline, *others = arms_of(runs)
    if not others:
        raise UserError(f"all runs are of one condition ({baseline.label}); give runs of another one to compare with")
    found: Comparisons = {
        "judge": runs[0].scores["judge"],
        "comparisons": [_comparison(arm, baseline) for arm in others],
    }
    return cast(Comparisons, {**found, **of_pack(runs[0].fields.get("pack"))})
