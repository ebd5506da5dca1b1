"""`data unread`: the rows that nobody but the writer has read, as YAML to mark."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from consciousness_cluster.data.audits import audit_hashes, audit_rows, load_audits
from consciousness_cluster.data.hashes import benchmark_hashes, rows_by_id
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import load_benchmark, schemas

KNOWN_BY_ITS_PLACE = ("id", "topic")


def _contents(root: Path) -> Iterator[tuple[str, str, Any]]:
    """(id, topic, what stands in it) of all rows, in the benchmark's order."""
    for topic in load_benchmark(root).topics:
        for name, row in rows_by_id(topic).items():
            yield name, topic.title, asdict(row)
    for cell in load_audits(root).cells:
        for name, part in audit_rows(cell).items():
            yield name, cell.title, list(part) if isinstance(part, tuple) else asdict(part)


def _said(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    return {key: value for key, value in row.items() if value is not None and key not in KNOWN_BY_ITS_PLACE}


def sheet(root: Path) -> str:
    """One YAML entry per unread row: its id, topic, content, hash, and an empty list of marks."""
    known = read_yaml(root / "review.yaml", "review", schemas(root))["read"]
    hashes = benchmark_hashes(load_benchmark(root)) | audit_hashes(load_audits(root).cells)
    entries = [
        {"id": name, "topic": topic, "row": _said(row), "sha256": hashes[name], "marks": []}
        for name, topic, row in _contents(root)
        if known.get(name) != hashes[name]
    ]
    return str(yaml.safe_dump(entries, sort_keys=False, width=120, allow_unicode=True))
