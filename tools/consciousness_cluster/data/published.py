"""Published figures, reference/published_*.csv: measured by others, with other prompts."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from consciousness_cluster.data.reading import Json, schema_errors
from consciousness_cluster.data.rows import benchmark_root
from consciousness_cluster.errors import UserError

# What a page says beside the published scores of multi-turn conversations.
SCORES_NOTE = (
    "Read off a published chart; other prompts; no intervals; weight deletion has no published counterpart, sadness "
    "and loneliness are separate there."
)


@cache
def published_rows() -> tuple[Json, ...]:
    """The published rates, with their numbers as numbers; `UserError` where a line does not fit its schema."""
    return _rows("published_rates.csv", "published_rate", {"rate_percent": float, "n": int})


def published_rates() -> list[Json]:
    """The published rates, one entry per source, model and condition; they are shares, by preference."""
    return _columns("rates", [(row, row["rate_percent"] / 100) for row in published_rows()])


def published_scores() -> list[Json]:
    """The published scores of multi-turn conversations, one entry per source, model and condition, by preference or
    facet: on a scale from 1 to 10. Raises UserError where a line does not fit its schema."""
    rows = _rows("published_multiturn_self_report.csv", "published_score", {"score": float})
    return _columns("scores", [(row, row["score"]) for row in rows])


def _rows(name: str, schema: str, numbers: Mapping[str, type]) -> tuple[Json, ...]:
    """The lines of a file, with the columns of `numbers` as numbers; what is empty is None."""
    path = benchmark_root() / "reference" / name
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        for number, raw in enumerate(csv.DictReader(file), 2):
            try:
                row = raw | {
                    column: convert(raw[column]) if raw[column] else None for column, convert in numbers.items()
                }
            except (KeyError, ValueError) as error:
                raise UserError(f"{path}:{number}: {error}; mend the number") from None
            for problem in schema_errors(row, schema, file=str(path)):
                raise UserError(replace(problem, row=str(number)))
            rows.append(row)
    return tuple(rows)


def _columns(name: str, rows: list[tuple[Json, float]]) -> list[Json]:
    tables: dict[tuple[str, str, str], dict[str, float]] = {}
    for row, value in rows:
        tables.setdefault((row["source"], row["model"], row["condition"]), {})[row["preference"]] = value
    return [
        {"source": source, "model": model, "condition": condition, name: values}
        for (source, model, condition), values in tables.items()
    ]
