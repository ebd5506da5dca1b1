"""A run: the samples of one model under one condition, whoever sampled them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consciousness_cluster.data.rows import Style, load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.lm_eval import judges_within, read_lm_eval, task_files
from consciousness_cluster.records.opened import as_read_together
from consciousness_cluster.records.pack_in_use import refuse_other_pack
from consciousness_cluster.records.run_folder import (
    CHOICE,
    RUN,
    SAMPLES,
    VERDICTS,
    read_choice,
    read_judge_card,
    read_run_file,
    read_samples,
    read_verdicts,
)
from consciousness_cluster.records.types import OFFLINE, ChoiceResult, JudgeCard, Sample, Verdict, Verdicts, of_channel
from consciousness_cluster.strings import slug

# What all samples, all choice results, and samples and choice results share.
OF_CHOICE = ("model", "revision", "training", "condition")
OF_BOTH = ("model", "training", "condition")


@dataclass(frozen=True)
class Run:
    """Where the run is (verdicts go below it), its samples, verdicts that came with them, and its choice results."""

    folder: Path
    samples: list[Sample]
    verdicts: list[Verdict] = field(default_factory=list)
    choice: list[ChoiceResult] = field(default_factory=list)


@dataclass(frozen=True)
class JudgedRun:
    """A run with the verdicts of one judge: `verdicts` on its answers, `traces` on their reasoning.

    `judge` is None where nobody judged; `planned` says, by style, how many answers which probe was to
    have, and is None where the run does not say.
    """

    run: Run
    verdicts: Verdicts
    traces: Verdicts
    judge: JudgeCard | None
    planned: dict[Style, dict[str, int]] | None


def _check(samples: list[Sample], where: Path) -> None:
    """Keys are unique, and probes are test probes under their own preference or check."""
    benchmark = load_benchmark()
    probes = {probe.id: (topic.id, probe.facet) for topic in benchmark.topics for probe in topic.test_probes()}
    for key, count in Counter(sample["key"] for sample in samples).items():
        if count > 1:
            raise UserError(f"{where}: the key {key[:16]}... stands {count} times; remove the repeated samples")
    for sample in samples:
        probe = sample["probe_id"]
        if probe not in probes:
            raise UserError(f"{where}: '{probe}' is no test probe of this benchmark; remove the sample")
        if (sample["topic"], sample["facet"]) != probes[probe]:
            of = ".".join(filter(None, probes[probe]))
            raise UserError(f"{where}: a sample of '{probe}' says another preference or facet than {of}; mend it")


def _check_packs(records: Sequence[Sample | ChoiceResult], where: Path) -> None:
    """The records are of the pack that is in use, or of the 20 where none is."""
    for record in records:
        refuse_other_pack(record.get("pack"), str(where))


def _check_versions(records: Sequence[Sample | ChoiceResult], where: Path) -> None:
    """The data is of a version that compares with this package's."""
    own = load_benchmark().data_version
    for version in {record["data_version"] for record in records}:
        if version.partition(".")[0] != own.partition(".")[0]:
            message = f"sampled with data {version}, which does not compare with {own}"
            raise UserError(f"{where}: {message}; sample again, or use the package of that version")


def _differing(one: Mapping[str, Any], other: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    """Each of the fields that differs between two records, with both values."""
    for name in names:
        mine, its = one[name], other[name]
        if isinstance(mine, dict) and isinstance(its, dict):
            yield from (f"{name}.{part}" for part in _differing(mine, its, mine))
        elif mine != its:
            yield f"{name} {mine!r} and {its!r}"


def _check_one(records: Sequence[Mapping[str, Any]], names: Sequence[str], where: Path) -> None:
    """All records agree in the fields of these names."""
    for record in records[1:]:
        for difference in _differing(records[0], record, names):
            message = f"holds more than one run ({difference})"
            raise UserError(f"{where}: {message}; give each model and condition a folder of its own")


def settled(samples: list[Sample]) -> list[Sample]:
    """Errors that were asked for again give way to the later answer with the same key; the rest is read together."""
    answered = {sample["key"] for sample in samples if sample["status"] != "error"}
    last_error = {sample["key"]: number for number, sample in enumerate(samples) if sample["status"] == "error"}
    kept = [
        sample
        for number, sample in enumerate(samples)
        if sample["status"] != "error" or (sample["key"] not in answered and last_error[sample["key"]] == number)
    ]
    return as_read_together(kept)


def _ours(folder: Path) -> Run:
    samples, choice = folder / SAMPLES, folder / CHOICE
    return Run(
        folder,
        settled(read_samples(samples)) if samples.is_file() else [],
        choice=read_choice(choice) if choice.is_file() else [],
    )


def load_run(path: Path) -> Run:
    """The run at `path`: a samples file, a folder with samples.jsonl or choice.jsonl, or lm_eval's output."""
    of_samples: tuple[str, ...] = ("run_id", *OF_CHOICE, "system_prompt_sha256")
    if path.is_file():
        run = Run(path.parent, settled(read_samples(path)))
    elif any((path / name).is_file() for name in (RUN, SAMPLES, CHOICE)):
        run = _ours(path)
    elif path.is_dir() and task_files(path):
        run = Run(path, *read_lm_eval(path))
        of_samples = of_samples[1:]  # tasks may have been run one after the other; each is there once
    elif path.is_dir():
        message = f"has neither {SAMPLES} nor lm_eval's samples of our tasks"
        raise UserError(f"{path}: {message}; lm_eval saves them with --log_samples --output_path")
    else:
        raise UserError(f"{path}: no such file or folder")
    if not run.samples and not run.choice:
        raise UserError(f"{path}: has no samples")
    _check_packs([*run.samples, *run.choice], path)
    _check(run.samples, path)
    _check_versions([*run.samples, *run.choice], path)
    _check_one(run.samples, of_samples, path)
    _check_one(run.choice, OF_CHOICE, path)
    _check_one([*run.samples[:1], *run.choice[:1]], OF_BOTH, path)
    return run


def _chosen(run: Run, judge_id: str | None) -> tuple[Path | None, list[Verdict]]:
    """The verdicts of the named judge, or of the only one, and their file if they have one.

    Verdicts that were given outside stand before those that lm_eval's output holds. Nothing where nobody judged: an
    empty file is that of a judge that could not be used.
    """
    files = {path.stem: path for path in sorted((run.folder / VERDICTS).glob("*.jsonl")) if path.stat().st_size}
    within: dict[str, list[Verdict]] = {}
    for record in run.verdicts:
        within.setdefault(slug(record["judge_id"]), []).append(record)
    if judge_id:
        name = slug(judge_id)
        if name not in files and name not in within:
            there = ", ".join(sorted({*files, *within})) or "none"
            message = f"has no verdicts of the judge '{judge_id}' (there: {there})"
            mend = f"run: consciousness-cluster judge {run.folder} --judge {judge_id}"
            raise UserError(f"{run.folder}: {message}; {mend}")
    else:
        names = list(files or within)
        if len(names) > 1:
            raise UserError(f"{run.folder}: several judges gave verdicts ({', '.join(names)}); name one with --judge")
        if not names:
            return None, []
        name = names[0]
    file = files.get(name)
    return file, read_verdicts(file) if file else within[name]


def _judge(run: Run, file: Path | None, given: list[Verdict]) -> JudgeCard | None:
    """Who gave these verdicts, as it is written beside them or in lm_eval's results."""
    said = read_judge_card(file) if file else judges_within(run.folder).get(given[0]["judge_id"]) if given else None
    if not given:
        return said
    versions = {record["judge_sha256"] for record in given}
    if len(versions) > 1:
        message = (
            f"verdicts of {len(versions)} versions of the judge {given[0]['judge_id']} (prompt, model or settings)"
        )
        raise UserError(f"{file or run.folder}: {message}; judge anew into a folder without verdicts")
    if said and said.get("sha256") in versions:
        return said
    who = given[0]["judge_id"]
    return {
        "id": who,
        "sha256": given[0]["judge_sha256"],
        "for_publication": who != OFFLINE,
        "agreement": "not validated here",
    }


def load_judged(path: Path, judge_id: str | None = None) -> JudgedRun:
    """The run at `path` with the verdicts of the named judge, or of the only one."""
    run = load_run(path)
    file, given = _chosen(run, judge_id)
    card, run_file = _judge(run, file, given), read_run_file(run.folder)
    planned: dict[Style, dict[str, int]] | None = None
    if run_file:
        planned = {style: {} for style in run_file.probes}
        for topic in run_file.asked(load_benchmark().topics):
            for probe in topic.probes:
                planned[probe.style][probe.id] = run_file.setting.samples
    return JudgedRun(run, of_channel(given, "answer"), of_channel(given, "reasoning"), card, planned)
