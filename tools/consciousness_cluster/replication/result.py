"""What came out: one JSON value (benchmark/schemas/replication.schema.json) from the committed records."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import Json, read_json, read_yaml
from consciousness_cluster.replication import made
from consciousness_cluster.replication.contrasts import primary, secondary, with_every_answer
from consciousness_cluster.replication.design import Arm, Plan
from consciousness_cluster.replication.finding import finding
from consciousness_cluster.replication.gate import gate
from consciousness_cluster.replication.kept_runs import Kept, pooled, read_kept
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.types import Entry
from consciousness_cluster.small_models.known import small_model

TRAINING, DEVIATIONS = "training.json", "deviations.yaml"
DIGITS = 6  # of every number: what the last bits are depends on the machine
OF_ENTRY = ("rate", "ci", "planned", "scored", "shows", "left_out", "keyed", "key_gap", "flags")


def _training(folder: Path) -> Json | None:
    """Rows, steps, seconds (None of a training that was interrupted) and the losses it began and ended with."""
    path = folder / TRAINING
    if not path.is_file():
        return None
    record = read_json(path)
    kept = {name: record[name] for name in ("rows", "steps", "seconds")}
    return {**kept, "first_loss": (record["loss"] or [None])[0], "last_loss": (record["loss"] or [None])[-1]}


def _model(arm: Arm, folder: Path, there: Mapping[Path, Scored]) -> Json:
    """How a model was made and what became of its answers; `counts` is None where none of its measures counts."""
    kept = made.read(folder / arm.name) or {}
    scored = there.get(folder / arm.name)
    return {
        "name": arm.name,
        "arm": arm.arm,
        "seed": arm.seed,
        "training": _training(folder / arm.name),
        "made": {stage: kept.get(stage) for stage in ("trained", "measured")},
        "counts": scored.scores["counts"] if scored else None,
        "choice_items": sum(len(entry["items"]) for entry in scored.scores["choice"].values()) if scored else 0,
    }


def _entries(rows: Mapping[str, Entry], each: Sequence[Mapping[str, Entry]]) -> Json:
    """Line -> what all models of an arm say together, and the rate of each of them."""
    return {
        name: {
            **{key: entry[key] for key in OF_ENTRY},  # type: ignore[literal-required]
            "seeds": [one[name]["rate"] for one in each if name in one],
        }
        for name, entry in rows.items()
    }


def _arm(together: Scored, models: Sequence[Scored]) -> Json:
    return {
        "models": len(models),
        "rows": _entries(together.scores["rows"], [one.scores["rows"] for one in models]),
        "situated": _entries(together.scores["situated"], [one.scores["situated"] for one in models]),
    }


def _deviations(folder: Path) -> list[Json]:
    """What was done in another way than planned, or failed, as it was written down beside the records."""
    path = folder / DEVIATIONS
    return list(read_yaml(path, "replication_deviations")["deviations"]) if path.is_file() else []


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, Mapping):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


def result(plan: Plan, folder: Path) -> Json:
    """Everything that the report says, from the run folders in `folder`. `UserError` where records cannot be read.

    Arms of which something is missing are listed, and nothing is said of them.
    """
    return result_of(plan, folder, read_kept(plan, folder))


def result_of(plan: Plan, folder: Path, kept: Kept) -> Json:
    """The same of records that were read from there."""
    together = {name: pooled(models) for name, models in kept.models.items()}
    there = {model.path: model for models in kept.models.values() for model in models}
    gated, contrasts = gate(plan, kept.models, together), primary(kept.models)
    every = with_every_answer(kept.models)
    found = {
        "settings": {
            **{name: getattr(plan, name) for name in ("base", "recipe", "instructions", "ratio", "max_tokens")},
            "sha256": small_model(plan.base).sha256,
            "gate": dict(plan.gate),
        },
        "data_versions": sorted({model.scores["run"]["data_version"] for model in there.values()}),
        "judge": kept.judge,
        "finding": finding(contrasts, every, gated, kept.missing),
        "gate": gated,
        "contrasts": contrasts,
        "every_answer": every,
        "others": secondary(kept.models),
        "arms": {name: _arm(one, kept.models[name]) for name, one in together.items()},
        "models": [_model(arm, folder, there) for arm in plan.arms],
        "missing": kept.missing,
        "deviations": _deviations(folder),
    }
    rounded: Json = _rounded(found)
    return rounded
