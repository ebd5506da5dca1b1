"""A pack as the checks see it: its rows in the form of the benchmark's, and the hash of all that it says."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consciousness_cluster.data.audits import SCRIPT, parse_script
from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.packs.pack_files import PACK, pack_files, read_pack_file
from consciousness_cluster.data.reading import Json, read_yaml
from consciousness_cluster.data.rows import (
    Benchmark,
    PackId,
    Preference,
    benchmark_root,
    load_benchmark,
    parse_preference,
)
from consciousness_cluster.data.source import Source
from consciousness_cluster.errors import Problem


@dataclass(frozen=True)
class PackSource:
    """The rows of a pack, and the texts of its pack.yaml."""

    source: Source
    about: Json

    @property
    def benchmark(self) -> Benchmark:
        return self.source.benchmark


def read_pack(folder: Path, within: Path | None = None) -> tuple[PackSource | None, list[Problem]]:
    """A pack's rows, and a problem for each place that does not fit; no rows where pack.yaml cannot be used.

    Its files have to lie in `within`, by default the folder itself.
    """
    home, folder = benchmark_root(), folder.resolve()
    if not folder.is_dir():
        return None, [Problem(str(folder), "-", "-", "no such folder", "`data new-pack NAME --out DIR` writes one")]
    wording = read_yaml(home / "wording.yaml", "wording")
    files, problems = pack_files(folder, (within or folder).resolve(), wording["packs"])
    problems = [replace(problem, file=f"{folder.name}/{problem.file}".removesuffix("/-")) for problem in problems]
    values: dict[Path, Any] = {}
    for path in files:
        schema = {"preferences": "pack_preference", "scenarios": "scenarios"}.get(path.parent.name, "pack")
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        value, found = read_pack_file(path, name, "pack" if path == folder / PACK else schema)
        problems += found
        if value is not None:
            values[path] = value
    about = values.pop(folder / PACK, None)
    if about is None:
        return None, problems
    said = {path.relative_to(folder).as_posix(): value for path, value in values.items()}
    pack = PackId(about["name"], about["version"], sha256_json({PACK: about, **said}))
    source = Source(
        benchmark=_benchmark(folder, about, pack, values),
        wording=wording,
        hashes=None,
        review=None,
        calibration={},
        attacks=[],
        plan=None,
        runs=[],
        natural=[],
        scenarios={path: value for path, value in values.items() if path.parent.name == "scenarios"},
        script=parse_script(read_yaml(home / SCRIPT, "audit_script")),
        transcripts={},
    )
    return PackSource(source, about), problems


def _benchmark(folder: Path, about: Json, pack: PackId, values: Mapping[Path, Any]) -> Benchmark:
    own = load_benchmark(benchmark_root())
    blocks = {block["id"]: block["title"] for block in about.get("blocks", [])} or {about["name"]: about["title"]}
    preferences = [(path, value) for path, value in values.items() if path.parent.name == "preferences"]
    return Benchmark(
        root=folder,
        data_version=pack.version,
        canary=own.canary,
        blocks=blocks,
        sampling=own.sampling,
        preferences=tuple(
            _preference(path, value, number, next(iter(blocks)) if "blocks" not in about else "")
            for number, (path, value) in enumerate(preferences, 1)
        ),
        pack=pack,
    )


def _preference(path: Path, value: Json, number: int, block: str) -> Preference:
    """What a pack may leave out is filled in: it is numbered as its file stands, and called by its title."""
    left_out = {"block": block, "published_name": value["title"], "neighbours": []}
    return parse_preference({**left_out, **value, "number": number}, path)
