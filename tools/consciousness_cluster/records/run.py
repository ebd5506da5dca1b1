"""A run: the samples of one model under one condition, whoever sampled them."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.lm_eval import read_lm_eval, task_files
from consciousness_cluster.records.store import read_records

Record = dict[str, Any]
SAMPLES, CHOICE = "samples.jsonl", "choice.jsonl"


@dataclass(frozen=True)
class Run:
    """Where the run is (verdicts go below it), its samples, verdicts that came with them, and its choice results."""

    folder: Path
    samples: list[Record]
    verdicts: list[Record] = field(default_factory=list)
    choice: list[Record] = field(default_factory=list)


def _check(samples: list[Record], where: Path) -> None:
    """Keys are unique, probes are test probes under their own preference, the data is of a version that compares."""
    benchmark = load_benchmark()
    probes = {probe.id: (topic.id, probe.facet) for topic in benchmark.topics for probe in topic.test_probes()}
    major = benchmark.data_version.partition(".")[0]
    for key, count in Counter(sample["key"] for sample in samples).items():
        if count > 1:
            raise UserError(f"{where}: the key {key[:16]}... stands {count} times; remove the repeated samples")
    for sample in samples:
        version = sample["data_version"]
        if version.partition(".")[0] != major:
            message = f"sampled with data {version}, which does not compare with {benchmark.data_version}"
            raise UserError(f"{where}: {message}; sample again, or use the package of that version")
        probe = sample["probe_id"]
        if probe not in probes:
            raise UserError(f"{where}: '{probe}' is no test probe of this benchmark; remove the sample")
        if (sample["topic"], sample["facet"]) != probes[probe]:
            of = ".".join(filter(None, probes[probe]))
            raise UserError(f"{where}: a sample of '{probe}' says another preference or facet than {of}; mend it")


def _check_one(records: list[Record], where: Path) -> None:
    """All records are of one model under one condition."""
    for name in ("model", "condition", "training"):
        first = records[0][name]
        other = next((record[name] for record in records if record[name] != first), first)
        if other != first:
            message = f"holds more than one run ({name} {first!r} and {other!r})"
            raise UserError(f"{where}: {message}; give each model and condition a folder of its own")


def _latest(samples: list[Record]) -> list[Record]:
    """Errors that were asked for again give way to the later answer with the same key."""
    answered = {sample["key"] for sample in samples if sample["status"] != "error"}
    last_error = {sample["key"]: number for number, sample in enumerate(samples) if sample["status"] == "error"}
    return [
        sample
        for number, sample in enumerate(samples)
        if sample["status"] != "error" or (sample["key"] not in answered and last_error[sample["key"]] == number)
    ]


def _ours(folder: Path, samples: Path) -> Run:
    choice = folder / CHOICE
    return Run(
        folder,
        _latest(read_records(samples, "sample", torn_end=True)) if samples.is_file() else [],
        choice=read_records(choice, "choice_result") if choice.is_file() else [],
    )


def load_run(path: Path) -> Run:
    """The run at `path`: a samples file, a folder with samples.jsonl or choice.jsonl, or lm_eval's output."""
    if path.is_file():
        run = Run(path.parent, _latest(read_records(path, "sample", torn_end=True)))
    elif (path / SAMPLES).is_file() or (path / CHOICE).is_file():
        run = _ours(path, path / SAMPLES)
    elif path.is_dir() and task_files(path):
        run = Run(path, *read_lm_eval(path))
    elif path.is_dir():
        message = f"has neither {SAMPLES} nor lm_eval's samples of our tasks"
        raise UserError(f"{path}: {message}; lm_eval saves them with --log_samples --output_path")
    else:
        raise UserError(f"{path}: no such file or folder")
    if not run.samples and not run.choice:
        raise UserError(f"{path}: has no samples")
    _check(run.samples, path)
    _check_one([*run.samples, *run.choice], path)
    return run
