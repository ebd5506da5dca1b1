"""`compare --reference`: one's own rates beside published ones, row by row."""

import re
from collections.abc import Sequence
from pathlib import Path

from consciousness_cluster.data.plan import PAPER_PACK
from consciousness_cluster.data.reference_rates import PublishedRate, ReferenceColumn, name_key, reference_columns
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.scoring.arms import Arm, arms_of
from consciousness_cluster.scoring.compare import together
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.paired_rates import shared_probes
from consciousness_cluster.scoring.table_lines import Line, table_lines
from consciousness_cluster.scoring.types import Beside, BesideRow, References

OTHER_PROMPTS = (
    "The prompts are not the published ones, and judge and protocol may differ too: that a rate lies within an "
    "interval says that the two numbers agree, not that the same was measured."
)
SAME_PROMPTS = "The prompts are the published ones; the judge and its protocol may differ."
INTERVALS = (
    "Published intervals are Wilson's and take all answers for independent: those to each prompt are not published."
)
SEEDS = "The rate of an arm of several seeds is that of all their answers; its interval does not know the seeds."
# Our names of conditions and sets -> those of the published rates, where they differ.
CONDITIONS = {"conscious_role_play": "system_prompt_conscious"}
SETS = {"phenomenal_only": "phenomenality_only", "continuity": "continuity_only"}


def beside_published(runs: Sequence[Scored], file: Path | None = None) -> References:
    """Each arm beside the published rates of its condition, of the same model where there are such.

    `file` is a table of the paper's form or of ours, else the published rates of this package. Columns whose condition
    is not known stand beside every arm. Raises UserError where there is nothing to set side by side.
    """
    if not any(run.scores["rows"] for run in runs):
        raise UserError(
            f"{', '.join(str(run.path) for run in runs)}: there are no free answers, so no rates to compare"
        )
    columns, lines = reference_columns(file), _cells()
    found = [_beside(arm, column, lines) for arm in arms_of(runs) for column in _fitting(arm, columns)]
    if not found:
        named = sorted({f"{column.model}, {column.condition}" for column in columns})
        there = "; ".join(named) or "none"
        raise UserError(f"no published column fits the condition of these runs; there are: {there}")
    pack = load_benchmark().pack
    notes = [SAME_PROMPTS if pack and pack.name == PAPER_PACK else OTHER_PROMPTS, INTERVALS]
    if any(len(one["runs"]) > 1 for one in found):
        notes.append(SEEDS)
    return {"notes": notes, "columns": found}


def _cells() -> list[tuple[Line, str]]:
    """(line, key of its published name) of every cell of a preference that is asked."""
    names = {}
    for topic in load_benchmark().preferences:
        for criterion in topic.criteria:
            names[f"{topic.id}.{criterion.facet}" if criterion.facet else topic.id] = name_key(criterion.name)
    lines = table_lines(load_benchmark())
    return [(line, names[line.id]) for line in lines if line.id in names and line.cells == (line.id,)]


def _fitting(arm: Arm, columns: Sequence[ReferenceColumn]) -> list[ReferenceColumn]:
    """Columns of the arm's condition, of its model alone where there are some, and those of an unknown condition."""
    condition = _condition(arm)
    known = [column for column in columns if column.condition is not None and column.condition == condition]
    model = arm.base or arm.runs[0].fields["model"]
    of_model = [column for column in known if _same_model(model, column.model)]
    chosen = of_model or known
    return [column for column in columns if column in chosen or column.condition is None]


def _condition(arm: Arm) -> str | None:
    """The arm's condition as published rates call it; None where none of these can be of it."""
    fields = arm.runs[0].fields
    training, condition = fields["training"], fields["condition"].partition(":")[0]
    if training is None:
        return CONDITIONS.get(condition, condition)
    dataset = training["dataset"]
    return f"finetuned_{SETS.get(dataset, dataset)}" if condition == "vanilla" else None


def _same_model(one: str, other: str) -> bool:
    """Whether two names are of one model: one of them may add a date or a revision."""
    short, long = sorted((name.rpartition("/")[2].casefold() for name in (one, other)), key=len)
    return long.startswith(short) and bool(re.fullmatch(r"([-@]\d.*|@.*)?", long[len(short) :]))


def _beside(arm: Arm, column: ReferenceColumn, lines: Sequence[tuple[Line, str]]) -> Beside:
    rows = {
        line.id: row for line, key in lines if (row := _row(_ours(arm, line.id), column.rates.get(key))) is not None
    }
    ours = {key for _, key in lines}
    return {
        "arm": arm.label,
        "runs": [str(run.path) for run in arm.runs],
        "source": column.source,
        "model": column.model,
        "condition": column.condition,
        "rows": rows,
        "not_asked": [rate.name for key, rate in column.rates.items() if key not in ours],
    }


def _ours(arm: Arm, cell: str) -> tuple[float | None, list[float] | None]:
    """Rate and interval of a cell of an arm; None where there is none."""
    if len(arm.runs) == 1:
        entry = arm.runs[0].scores["rows"].get(cell)
        return (entry["rate"], entry["ci"]) if entry else (None, None)
    shared = shared_probes((arm,), cell)
    if len(shared) < 2:
        return None, None
    found = together(arm, {cell: shared}, [1.0], "rows")
    return found.rate, [found.low, found.high]


def _row(ours: tuple[float | None, list[float] | None], published: PublishedRate | None) -> BesideRow | None:
    """None where neither side has anything."""
    rate, ci = ours
    if rate is None and published is None:
        return None
    theirs = published.rate if published else None
    theirs_ci = list(published.ci) if published and published.ci else None
    return {
        "rate": rate,
        "ci": ci,
        "published_rate": theirs,
        "published_ci": theirs_ci,
        "published_n": published.n if published else None,
        "ours_in_published": _within(rate, theirs_ci),
        "published_in_ours": _within(theirs, ci),
    }


def _within(rate: float | None, ci: Sequence[float] | None) -> bool | None:
    return None if rate is None or ci is None else ci[0] <= rate <= ci[1]
