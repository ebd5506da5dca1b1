"""`data draw`: the rows that the second reader reads, as YAML to mark."""

from dataclasses import asdict
from pathlib import Path

import yaml

from consciousness_cluster.data.hashes import row_hash
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import load_benchmark, schemas
from consciousness_cluster.data.rules.review import draw


def sheet(root: Path) -> str:
    """One YAML entry per drawn row: its id, topic, content, hash, and an empty list of marks."""
    review = read_yaml(root / "review.yaml", "review", schemas(root))
    benchmark = load_benchmark(root)
    rows = {row.id: (topic, row) for topic in benchmark.topics for row in topic.rows}
    entries = []
    later = [row["id"] for row in review.get("later", [])]
    for row_id in draw(benchmark, review["seed"], review["probes"], review["choice_items"], later) + later:
        topic, row = rows[row_id]
        content = {key: value for key, value in asdict(row).items() if value is not None and key != "id"}
        entries.append({"id": row_id, "topic": topic.title, "row": content, "sha256": row_hash(row), "marks": []})
    return str(yaml.safe_dump(entries, sort_keys=False, width=120, allow_unicode=True))
