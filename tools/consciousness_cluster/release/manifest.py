"""manifest.json: what a release holds, by content. Parquet bytes depend on pyarrow's version, these hashes do not."""

from collections.abc import Mapping, Sequence
from typing import Any

from consciousness_cluster.data.hashes import sha256_json

Json = dict[str, Any]


def content_sha256(rows: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 of the rows' canonical JSON, in hex. Their order counts, the order of their columns does not."""
    return sha256_json([dict(row) for row in rows])


def manifest(repository: str, version: str, data: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> Json:
    """The manifest of config -> split -> rows. A config's hash is that of its splits' hashes."""
    found: dict[str, Json] = {}
    for name, splits in data.items():
        parts = {split: {"rows": len(rows), "sha256": content_sha256(rows)} for split, rows in splits.items()}
        found[name] = {"splits": parts, "sha256": sha256_json({split: part["sha256"] for split, part in parts.items()})}
    return {"repository": repository, "version": version, "configs": found}
