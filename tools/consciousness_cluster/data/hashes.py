"""Content hashes. The same content has the same hash on every machine and in every version of this package."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from consciousness_cluster.data.rows import Benchmark, ChoiceItem, Criterion, Probe, Topic


def sha256_text(text: str) -> str:
    """SHA-256 of a text's UTF-8 bytes, in hex. Half a character (in a file's odd name, in a reply) counts as three."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sha256_json(value: Any) -> str:
    """SHA-256 of a value's canonical JSON (sorted keys, no spaces, UTF-8), in hex."""
    return sha256_text(json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def row_hash(row: Probe | ChoiceItem | Criterion) -> str:
    """The content hash of a row: every field counts."""
    return sha256_json(asdict(row))


def rows_by_id(topic: Topic) -> dict[str, Probe | ChoiceItem | Criterion]:
    """Row id -> row, for every criterion, probe and choice item, in file order."""
    rows: dict[str, Probe | ChoiceItem | Criterion] = {}
    for criterion in topic.criteria:
        parts = [topic.id, criterion.facet, criterion.id if criterion.id != "shows" else None, "criterion"]
        rows[".".join(part for part in parts if part)] = criterion
    return rows | {row.id: row for row in topic.rows}


def benchmark_hashes(benchmark: Benchmark) -> dict[str, str]:
    """Row id -> content hash, for every probe, choice item and criterion, in file order."""
    return {name: row_hash(row) for topic in benchmark.topics for name, row in rows_by_id(topic).items()}
