"""`data unread`: the rows that nobody but the writer has read, as YAML to mark."""

from dataclasses import asdict
from pathlib import Path

import yaml

from consciousness_cluster.data.hashes import benchmark_hashes, row_hash
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import load_benchmark, schemas


def sheet(root: Path) -> str:
    """One YAML entry per unread row: its id, topic, content, hash, and an empty list of marks."""
    review = read_yaml(root / "review.yaml", "review", schemas(root))
    known = review["read"]
    benchmark = load_benchmark(root)
    unread = {name for name, sha256 in benchmark_hashes(benchmark).items() if known.get(name) != sha256}
    entries = [
        {
            "id": row.id,
            "topic": topic.title,
            "row": {key: value for key, value in asdict(row).items() if value is not None and key != "id"},
            "sha256": row_hash(row),
            "marks": [],
        }
        for topic in benchmark.topics
        for row in topic.rows
        if row.id in unread
    ]
    return str(yaml.safe_dump(entries, sort_keys=False, width=120, allow_unicode=True))
