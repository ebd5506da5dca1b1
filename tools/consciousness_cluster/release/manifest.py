"""manifest.json: what a release holds, by content. Parquet bytes depend on pyarrow's version, these hashes do not."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.hub import loaded, reason
from consciousness_cluster.data.reading import Json


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


def compare_at(repo: str, revision: str, manifest: Json) -> Iterator[tuple[str, int, str]]:
    """Load everything of a manifest back, past all caches: config/split, rows there, what is wrong ("" for nothing)."""
    with tempfile.TemporaryDirectory() as fresh:
        for name, config in manifest["configs"].items():
            try:
                found = loaded(repo, name, revision, cache_dir=fresh, download_mode="force_redownload")
            except Exception as error:  # a damaged file can make any library raise anything
                yield name, 0, f"cannot be loaded ({reason(error)})"
                continue
            for split in sorted(config["splits"].keys() | found.keys()):
                wanted, rows = config["splits"].get(split), found.get(split)
                if wanted is None:
                    difference = "is a split that should not be there"
                elif rows is None:
                    difference = "is not there"
                elif content_sha256(rows) != wanted["sha256"]:
                    difference = f"has other content ({len(rows)} rows where {wanted['rows']} are expected)"
                else:
                    difference = ""
                yield f"{name}/{split}", len(rows or ()), difference
