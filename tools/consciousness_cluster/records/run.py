"""A run: the samples of one model under one condition, whoever sampled them."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.lm_eval import open_files, read_lm_eval
from consciousness_cluster.records.store import read_records

Record = dict[str, Any]
SAMPLES = "samples.jsonl"


@dataclass(frozen=True)
class Run:
    """Where the run is (verdicts go below it), its samples, and verdicts that came with them."""

    folder: Path
    samples: list[Record]
    verdicts: list[Record]


def _check(samples: list[Record], where: Path) -> None:
    """Keys are unique, probes are known, and the data is of a version that compares."""
    benchmark = load_benchmark()
    probes = {probe.id for topic in benchmark.topics for probe in topic.probes}
    major = benchmark.data_version.partition(".")[0]
    for key, count in Counter(sample["key"] for sample in samples).items():
        if count > 1:
            raise UserError(f"{where}: the key {key[:16]}... stands {count} times; remove the repeated samples")
    for sample in samples:
        version = sample["data_version"]
        if version.partition(".")[0] != major:
            message = f"sampled with data {version}, which does not compare with {benchmark.data_version}"
            raise UserError(f"{where}: {message}; sample again, or use the package of that version")
        if sample["probe_id"] not in probes:
            raise UserError(f"{where}: '{sample['probe_id']}' is no probe of this benchmark; remove the sample")


def load_run(path: Path) -> Run:
    """The run at `path`: a samples file, a folder with samples.jsonl, or a folder that lm_eval wrote into."""
    if path.is_file():
        run = Run(path.parent, read_records(path, "sample"), [])
    elif (path / SAMPLES).is_file():
        run = Run(path, read_records(path / SAMPLES, "sample"), [])
    elif path.is_dir() and open_files(path):
        run = Run(path, *read_lm_eval(path))
    elif path.is_dir():
        message = f"has neither {SAMPLES} nor lm_eval's samples of an open task"
        raise UserError(f"{path}: {message}; lm_eval saves them with --log_samples --output_path")
    else:
        raise UserError(f"{path}: no such file or folder")
    if not run.samples:
        raise UserError(f"{path}: has no samples")
    _check(run.samples, path)
    return run
