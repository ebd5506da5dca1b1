"""Content hashes are fixed within a data version, and published figures fit the preferences."""

import csv
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from consciousness_cluster.data.plan import CELLS
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import schemas
from consciousness_cluster.data.source import Source
from consciousness_cluster.errors import Problem

FILE = "benchmark/hashes.yaml"
MEND = "undo the change, or raise data_version and run: consciousness-cluster data lock"


def hashes(source: Source) -> Iterator[Problem]:
    """Each row has the hash that hashes.yaml records for this data version."""
    if source.hashes is None:
        return
    if source.hashes["data_version"] != source.benchmark.data_version:
        message = f"is of version {source.hashes['data_version']}, benchmark.yaml of {source.benchmark.data_version}"
        yield Problem(FILE, "-", "data_version", message, "run: consciousness-cluster data lock")
        return
    recorded, now = source.hashes["rows"], source.row_hashes()
    for row in recorded.keys() | now.keys():
        if row not in now:
            yield Problem(FILE, row, "rows", "is recorded, but the row is gone", MEND)
        elif row not in recorded:
            yield Problem(FILE, row, "rows", "is not recorded", MEND)
        elif recorded[row] != now[row]:
            yield Problem(FILE, row, "rows", "has changed within a data version", MEND)


def reference_rates(source: Source) -> Iterator[Problem]:
    """Published rates are percentages of known cells, and no cell stands twice."""
    yield from _published(source, "published_rates.csv", "published_rate", {"rate_percent": float, "n": int})


def reference_scores(source: Source) -> Iterator[Problem]:
    """Published scores of multi-turn conversations lie on the scale, are of known cells, and no cell stands twice."""
    yield from _published(source, "published_multiturn_self_report.csv", "published_score", {"score": float})


def _published(source: Source, name: str, schema: str, numbers: Mapping[str, type]) -> Iterator[Problem]:
    """Each line of a file fits its schema, with the columns of `numbers` as numbers."""
    path = source.benchmark.root / "reference" / name
    file = source.name(path)
    seen = set()
    if not path.is_file():
        yield Problem(file, "-", "-", "is missing", "restore it")
        return
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            where = f"line {number}"
            value: dict[str, object] = dict(row)
            for column, convert in numbers.items():
                with suppress(KeyError, TypeError, ValueError):  # the schema says what is wrong with it
                    value[column] = convert(row[column]) if row[column] else None
            found = list(schema_errors(value, schema, schemas(source.benchmark.root), file))
            yield from (replace(problem, row=where) for problem in found)
            if value.get("preference") not in CELLS:
                yield Problem(file, where, "preference", f"'{value.get('preference')}' is not a cell", "correct the id")
            key = tuple(value.get(column) for column in ("source", "model", "condition", "preference"))
            if key in seen:
                yield Problem(
                    file, where, "preference", "stands twice for this source, model and condition", "remove one"
                )
            seen.add(key)
