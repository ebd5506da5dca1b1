"""What a run says of itself beside its records: sampling settings, versions, the time of its files."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import read_json
from consciousness_cluster.records.lm_eval import CHOICE, task_files
from consciousness_cluster.records.run import CHOICE as CHOICE_FILE
from consciousness_cluster.records.run import SAMPLES as SAMPLES_FILE
from consciousness_cluster.sampling.run_folder import read_run_file
from consciousness_cluster.strings import slug
from consciousness_cluster.submissions.layout import Json

VERSIONS = {"lm_eval_version": "lm-eval", "transformers_version": "transformers"}


def _tasks(folder: Path, track: str) -> list[tuple[str, Path, Json]]:
    """(task, samples file, results) of lm_eval's output, for the tasks of a track. `load_run` has checked them."""
    if (folder / SAMPLES_FILE).is_file() or (folder / CHOICE_FILE).is_file():
        return []
    return [
        (task, path, read_json(path.with_name(f"results_{stamp}.json")))
        for task, path, stamp in task_files(folder)
        if task.startswith(CHOICE) == (track == "choice")
    ]


def _one(values: Sequence[Any]) -> Any:
    """The value that all share, None where they do not."""
    return values[0] if values and all(value == values[0] for value in values) else None


def planned_topics(folder: Path) -> list[str]:
    """Preferences and checks that the run was to ask, where it says so."""
    run = read_run_file(folder)
    return run.topics if run else []


def sampling(folder: Path, samples: Sequence[Json]) -> Json:
    """Answers per probe, temperature and length; None for what the run does not say."""
    run = read_run_file(folder)
    if run:
        setting = run.setting
        return {
            "samples_per_probe": setting.samples,
            "temperature": setting.temperature,
            "max_tokens": setting.max_tokens,
        }
    given = [
        results.get("configs", {}).get(f"consciousness_cluster_{task}", {}).get("generation_kwargs") or {}
        for task, _, results in _tasks(folder, "open")
    ]
    return {
        "samples_per_probe": 1 + max(sample["sample_index"] for sample in samples),
        "temperature": _one([kwargs.get("temperature") for kwargs in given]),
        "max_tokens": _one([kwargs.get("max_gen_toks") for kwargs in given]),
    }


def versions(folder: Path, track: str) -> dict[str, str]:
    """Packages that made and packed the run."""
    results = [found for _, _, found in _tasks(folder, track)]
    said = {package: _one([found.get(name) for found in results]) for name, package in VERSIONS.items()}
    return {
        "consciousness-cluster": version("consciousness-cluster"),
        **{package: str(found) for package, found in said.items() if found},
    }


def newest(path: Path, folder: Path, track: str, judge_id: str | None) -> str:
    """The time of the newest file that is packed of the run at `path`, so that packing again gives the same."""
    files = [folder / (CHOICE_FILE if track == "choice" else SAMPLES_FILE)]
    files += [path for _, path, _ in _tasks(folder, track)]
    files += [folder / "verdicts" / f"{slug(judge_id)}.jsonl"] if judge_id and track == "open" else []
    files += [path]  # it may be a samples file of any name
    seconds = max((one.stat().st_mtime for one in files if one.is_file()), default=0.0)
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%dT%H:%M:%SZ}"
