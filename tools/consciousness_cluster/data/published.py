"""Published figures, reference/published_*.csv: measured by others, with other prompts."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from consciousness_cluster.data.reading import Json, read_text, schema_errors
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
    return rows_of_rates(benchmark_root() / "reference" / "published_rates.csv")


def rows_of_rates(path: Path) -> tuple[Json, ...]:
    """The lines of a file that has the form of published_rates.csv (see `published_rows`)."""
    return _rows(path, "published_rate", {"rate_percent": float, "n": int})


def published_rates() -> list[Json]:
    """The published rates, one entry per source, model and condition; they are shares, by preference."""
    return _columns("rates", [(row, row["rate_percent"] / 100) for row in published_rows()])


def published_scores() -> list[Json]:
    """The published scores of multi-turn conversations, one entry per source, model and condition, by preference or
    facet: on a scale from 1 to 10. Raises UserError where a line does not fit its schema."""
    path = benchmark_root() / "reference" / "published_multiturn_self_report.csv"
    rows = _rows(path, "published_score", {"score": float})
    return _columns("scores", [(row, row["score"]) for row in rows])


def _rows(path: Path, schema: str, numbers: Mapping[str, type]) -> tuple[Json, ...]:
    """The lines of a file, with the columns of `numbers` as numbers; what is empty is None."""
    rows = []
    for number, raw in enumerate(csv.DictReader(io.StringIO(read_text(path), newline="")), 2):
        try:
            row = raw | {column: convert(raw[column]) if raw[column] else None for column, convert in numbers.items()}
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
