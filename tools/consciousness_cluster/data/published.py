"""Published rates, reference/published_rates.csv: measured by others, with other prompts."""

import csv
from dataclasses import replace
from functools import cache

from consciousness_cluster.data.reading import Json, schema_errors
from consciousness_cluster.data.rows import benchmark_root
from consciousness_cluster.errors import UserError


@cache
def published_rows() -> tuple[Json, ...]:
    """The lines of the file, with their numbers as numbers; `UserError` where one does not fit its schema."""
    path = benchmark_root() / "reference" / "published_rates.csv"
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        for number, raw in enumerate(csv.DictReader(file), 2):
            try:
                row = raw | {"rate_percent": float(raw["rate_percent"]), "n": int(raw["n"]) if raw["n"] else None}
            except ValueError as error:
                raise UserError(f"{path}:{number}: {error}; mend the number") from None
            for problem in schema_errors(row, "published_rate", file=str(path)):
                raise UserError(replace(problem, row=str(number)))
            rows.append(row)
    return tuple(rows)


def published_rates() -> list[Json]:
    """The published figures, one entry per source, model and condition; rates are shares, by preference."""
    tables: dict[tuple[str, str, str], dict[str, float]] = {}
    for row in published_rows():
        rates = tables.setdefault((row["source"], row["model"], row["condition"]), {})
        rates[row["preference"]] = row["rate_percent"] / 100
    return [
        {"source": source, "model": model, "condition": condition, "rates": rates}
        for (source, model, condition), rates in tables.items()
    ]
