"""The shards of a run as one run: `merge RUN... --out DIR`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.hub_copy import benchmark_at
from consciousness_cluster.data.rows import Benchmark
from consciousness_cluster.data.shards import Shard
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.records.run import load_run
from consciousness_cluster.records.run_folder import (
    MAY_CHANGE,
    RUN,
    SAMPLES,
    VERDICTS,
    RunFile,
    open_run_folder,
    read_judge_card,
    read_run_file,
    read_samples,
    read_verdicts,
)
from consciousness_cluster.records.types import JudgeCard, Sample, Verdict, sample_key

SAME = "merge the shards of one run: `sample` with the same options but for --shard and --out"
GO_ON = "go on with it: the same `sample` command"


@dataclass(frozen=True)
class Merged:
    """What became of the shards. `there`: the folder held them already, and was left as it is."""

    folder: Path
    run: RunFile
    answers: int
    errors: int
    verdicts: int
    there: bool


@dataclass(frozen=True)
class _Part:
    """One shard: its settings, all its records as they stand in its file, and what judges say of them."""

    folder: Path
    run: RunFile
    shard: Shard
    samples: list[Sample]
    verdicts: dict[str, list[Verdict]]
    judges: dict[str, JudgeCard]


def merge_shards(folders: Sequence[Path], out: Path) -> Merged:
    """Write the run that these shards are, with the verdicts on its answers, into the folder `out`.

    Keys are made anew, by a run id that follows from those of the shards: what is merged twice is the same. The answers
    are written last, so that a folder which holds them is whole; one that holds them already is left as it is. Raises
    UserError where the shards are not all of one run.
    """
    parts = sorted(map(_read, folders), key=lambda part: part.shard.number)
    for part in parts[1:]:
        _check_same(parts[0], part)
    _check_all_there(parts)
    _check_judges(parts)
    setting = parts[0].run.setting
    benchmark = benchmark_at(setting.dataset, setting.dataset_revision)
    for part in parts:
        _check_whole(part, benchmark)
    run = _merged_run(parts)
    samples, verdicts, judges = _records(parts, run.setting.run_id, benchmark)
    with open_run_folder(out) as writer:
        there = _holds(out, run)
        if not there:
            writer.put(samples, (), verdicts, judges, run)
    last = {sample["key"]: sample["status"] for sample in samples}
    errors = sum(status == "error" for status in last.values())
    return Merged(out, run, len(last), errors, sum(map(len, verdicts.values())), there)


def _wrong(folder: Path, message: str, mend: str) -> NoReturn:
    raise UserError(Problem(str(folder), "-", "-", message, mend))


def _read(folder: Path) -> _Part:
    run = read_run_file(folder)
    if run is None or run.shard is None:
        _wrong(folder, "is no shard of a run" if run else f"holds no {RUN}", "name folders that `sample --shard` wrote")
    load_run(folder)  # which holds that its records are of one run
    found: dict[str, list[Verdict]] = {}
    judges: dict[str, JudgeCard] = {}
    for path in sorted((folder / VERDICTS).glob("*.jsonl")):
        if given := read_verdicts(path):
            found[given[0]["judge_id"]] = given
            if card := read_judge_card(path):
                judges[given[0]["judge_id"]] = card
    return _Part(folder, run, run.shard, read_samples(folder / SAMPLES), found, judges)


def _settings(run: RunFile) -> dict[str, Any]:
    fixed = {name: value for name, value in asdict(run.setting).items() if name not in MAY_CHANGE}
    return {**fixed, "probes": run.probes, "sent": run.sent}


def _check_same(first: _Part, other: _Part) -> None:
    if first.shard.of != other.shard.of:
        _wrong(other.folder, f"is shard {other.shard}, and {first.folder} {first.shard}", SAME)
    mine, its = _settings(first.run), _settings(other.run)
    for name, value in mine.items():
        if its[name] != value:
            _wrong(other.folder, f"has {name} {its[name]!r}, and {first.folder} {value!r}", SAME)


def _check_judges(parts: Sequence[_Part]) -> None:
    first: dict[str, tuple[str, Path]] = {}
    for part in parts:
        for judge, given in part.verdicts.items():
            for record in given:
                version, folder = first.setdefault(judge, (record["judge_sha256"], part.folder))
                if version != record["judge_sha256"]:
                    message = f"has verdicts of another version of the judge {judge} than {folder}"
                    _wrong(part.folder, message, f"remove {VERDICTS} there, and judge the merged run")


def _check_all_there(parts: Sequence[_Part]) -> None:
    for part, after in pairwise(parts):
        if part.shard == after.shard:
            _wrong(after.folder, f"is shard {after.shard}, as {part.folder} is", "name each shard once")
    of, there = parts[0].shard.of, {part.shard.number for part in parts}
    missing = [str(number) for number in range(1, of + 1) if number not in there]
    if missing:
        shown = ", ".join(missing[:10]) + (", ..." if len(missing) > 10 else "")
        raise UserError(f"{len(missing)} of {of} shards are missing: {shown}; name their folders too, or sample them")


def _check_whole(part: _Part, benchmark: Benchmark) -> None:
    """A shard has the answers of its share and no others."""
    version = part.run.setting.data_version
    if version != benchmark.data_version:
        message = f"was sampled with data {version}, and this package has {benchmark.data_version}"
        _wrong(part.folder, message, "merge with the version of the package that sampled")
    asked = [probe.id for topic in part.run.asked(benchmark.topics) for probe in topic.probes]
    wanted = {(probe, index) for probe in asked for index in range(part.run.setting.samples)}
    there = {(sample["probe_id"], sample["sample_index"]) for sample in part.samples}
    if strange := sorted(there - wanted):
        message = f"has answer {strange[0][1]} to {strange[0][0]}, which is not of shard {part.shard}"
        _wrong(part.folder, message, "restore the folder as `sample` wrote it")
    if missing := len(wanted - there):
        _wrong(part.folder, f"lacks {missing} of {len(wanted)} answers", GO_ON)


def _merged_run(parts: Sequence[_Part]) -> RunFile:
    first, ids = parts[0].run, [part.run.setting.run_id for part in parts]
    run_id = f"{first.setting.model} {first.setting.condition} {len(parts)} shards {sha256_json(ids)[:12]}"
    endpoints = ", ".join(dict.fromkeys(part.run.endpoint for part in parts))
    return replace(first, setting=replace(first.setting, run_id=run_id), endpoint=endpoints, shard=None)


def _records(
    parts: Sequence[_Part], run_id: str, benchmark: Benchmark
) -> tuple[list[Sample], dict[str, list[Verdict]], dict[str, JudgeCard]]:
    """All records with the keys of the merged run, answers in the order of the benchmark."""
    ids = (probe.id for topic in benchmark.topics for probe in topic.probes)
    place = {probe: number for number, probe in enumerate(ids)}
    key_of = {
        sample["key"]: sample_key(run_id, sample["probe_id"], sample["condition"], sample["sample_index"])
        for part in parts
        for sample in part.samples
    }
    samples: list[Sample] = [
        {**sample, "run_id": run_id, "key": key_of[sample["key"]]} for part in parts for sample in part.samples
    ]
    samples.sort(key=lambda sample: (place[sample["probe_id"]], sample["sample_index"]))
    verdicts: dict[str, list[Verdict]] = {}
    for part in parts:
        for judge, given in part.verdicts.items():
            known: list[Verdict] = [{**one, "key": key_of[one["key"]]} for one in given if one["key"] in key_of]
            verdicts.setdefault(judge, []).extend(known)
    return samples, verdicts, {judge: card for part in reversed(parts) for judge, card in part.judges.items()}


def _holds(out: Path, run: RunFile) -> bool:
    """Whether a folder holds the merged run already. Raises UserError where it holds another."""
    there = read_run_file(out)
    if there and there.setting.run_id != run.setting.run_id:
        _wrong(out, "holds another run", "merge into another folder")
    return there is not None and (out / SAMPLES).exists()
