"""`data lock`: record the content hash of every row for this data version."""

from pathlib import Path

import yaml

from consciousness_cluster.data.audits import audit_hashes, load_audits
from consciousness_cluster.data.hashes import benchmark_hashes
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import load_benchmark

HEADER = "# Content hashes of this data version's rows. Written by: consciousness-cluster data lock\n"


def write_lock(root: Path) -> tuple[Path, int]:
    """Write hashes.yaml; the path, and how many hashes are new, changed or gone."""
    path = root / "hashes.yaml"
    old = read_yaml(path).get("rows", {}) if path.is_file() else {}
    benchmark = load_benchmark(root)
    new = benchmark_hashes(benchmark) | audit_hashes(load_audits(root).cells)
    body = yaml.safe_dump({"data_version": benchmark.data_version, "rows": new}, sort_keys=False, width=120)
    path.write_text(HEADER + body, encoding="utf-8")
    return path, sum(old.get(row) != new.get(row) for row in old.keys() | new.keys())
