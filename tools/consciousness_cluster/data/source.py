"""The source tree as the checks see it: what is readable as rows, and what is wrong before any rule can look."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from consciousness_cluster.data.audits import (
    SCRIPT,
    AuditCell,
    Script,
    audit_hashes,
    facet_titles,
    parse_scenarios,
    parse_script,
    scenario_files,
    script_problems,
)
from consciousness_cluster.data.hashes import benchmark_hashes
from consciousness_cluster.data.jsonl import numbered_lines
from consciousness_cluster.data.natural import PLAN, CommittedRun, committed_runs, natural_rows
from consciousness_cluster.data.reading import Json, read_yaml, schema_errors
from consciousness_cluster.data.rows import (
    Benchmark,
    Topic,
    check_files,
    parse_check,
    parse_preference,
    preference_files,
    schemas,
)
from consciousness_cluster.errors import Problem, UserError

WHOLE_FILES = {
    "benchmark.yaml": "benchmark",
    "wording.yaml": "wording",
    "hashes.yaml": "hashes",
    "review.yaml": "review",
}
CALIBRATION_FILES = {
    "train": "calibration/train.jsonl",
    "dev": "calibration/dev.jsonl",
    "test": "calibration/test.jsonl",
    "real": "calibration_real.jsonl",
}
ATTACKS_FILE = "calibration/attacks.jsonl"
TRANSCRIPTS = "calibration/audits"


@dataclass(frozen=True)
class Source:
    """A benchmark, the rule settings, and where its files are."""

    benchmark: Benchmark
    wording: dict[str, Any]
    hashes: dict[str, Any] | None
    review: dict[str, Any] | None
    calibration: dict[str, list[dict[str, Any]]]
    attacks: list[dict[str, Any]]
    plan: dict[str, Any] | None  # of the replication
    runs: list[CommittedRun]  # those that readers labelled
    natural: list[dict[str, Any]]  # the rows that these runs give
    scenarios: Mapping[Path, Json]  # file -> what stands in it
    script: Script | None  # of the audits
    transcripts: Mapping[Path, Json]  # file -> labelled transcripts of audits

    def name(self, path: Path) -> str:
        """A path as problems show it: from the folder above benchmark/."""
        return path.relative_to(self.benchmark.root.parent).as_posix()

    def topics(self) -> Iterator[tuple[str, Topic]]:
        for topic in self.benchmark.topics:
            yield self.name(topic.path), topic

    def cells(self) -> Iterator[tuple[str, AuditCell]]:
        """What is audited, cell by cell."""
        titles = facet_titles(self.benchmark)
        for path, raw in self.scenarios.items():
            for cell in parse_scenarios(raw, titles.get(raw["preference"], {})):
                yield self.name(path), cell

    def row_hashes(self) -> dict[str, str]:
        """Row id -> content hash, of everything that is locked and read."""
        return benchmark_hashes(self.benchmark) | audit_hashes(cell for _, cell in self.cells())


def _unreadable(error: UserError, name: str) -> Problem:
    return replace(error.problem, file=name, mend=error.problem.mend or "mend the file so that it can be read")


def read_source(root: Path) -> tuple[Source | None, list[Problem]]:
    """The rows that fit their schemas, and a problem for each place that does not.

    `Source` is None where nothing can be checked further (benchmark.yaml or wording.yaml is unreadable).
    """
    problems: list[Problem] = []

    def valid(path: Path, schema: str) -> Any:
        name = path.relative_to(root.parent).as_posix()
        try:
            value = read_yaml(path)
        except UserError as error:
            problems.append(_unreadable(error, name))
            return None
        found = list(schema_errors(value, schema, schemas(root), name))
        problems.extend(found)
        return None if found else value

    def valid_lines(path: Path, schema: str) -> list[dict[str, Any]]:
        name = path.relative_to(root.parent).as_posix()
        rows = []
        try:
            for number, row in numbered_lines(path, finite=True):
                found = list(schema_errors(row, schema, schemas(root), name))
                problems.extend(replace(problem, row=str(number)) for problem in found)
                rows += [] if found else [row]
        except UserError as error:
            problems.append(_unreadable(error, name))
        return rows

    def read_topics(paths: list[Path], schema: str, parse: Callable[[Any, Path], Any]) -> tuple[Any, ...]:
        values = [(valid(path, schema), path) for path in paths]
        return tuple(parse(value, path) for value, path in values if value is not None)

    whole = {}
    for name, schema in WHOLE_FILES.items():
        whole[name] = valid(root / name, schema)
    preferences = read_topics(preference_files(root), "preference", parse_preference)
    checks = read_topics(check_files(root), "check", parse_check)
    for path in sorted((root / "conditions").glob("*.yaml")):
        valid(path, "condition")
    for path in sorted((root / "judges").glob("*/judge.yaml")):
        valid(path, "judge")
    calibration = {split: valid_lines(root / name, "calibration") for split, name in CALIBRATION_FILES.items()}
    attacks = valid_lines(root / ATTACKS_FILE, "attack")
    scenarios = {path: raw for path in scenario_files(root) if (raw := valid(path, "scenarios")) is not None}
    transcripts = {
        path: raw
        for path in sorted((root / TRANSCRIPTS).glob("*.yaml"))
        if (raw := valid(path, "calibration_audits")) is not None
    }
    script = valid(root / SCRIPT, "audit_script")
    found = list(script_problems(script, f"{root.name}/{SCRIPT}")) if script else []
    problems += found
    plan = valid(root / PLAN, "replication_plan")
    runs = committed_runs(root, plan["judge"], valid_lines) if plan else []
    base = whole["benchmark.yaml"]
    if base is None or whole["wording.yaml"] is None:
        return None, problems
    benchmark = Benchmark(
        root=root,
        data_version=base["data_version"],
        canary=base["canary"],
        blocks={block["id"]: block["title"] for block in base["blocks"]},
        sampling=base["sampling"],
        preferences=preferences,
        checks=checks,
    )
    settings = (whole["wording.yaml"], whole["hashes.yaml"], whole["review.yaml"])
    natural = natural_rows(benchmark, plan, runs) if plan else []
    return Source(
        benchmark,
        *settings,
        calibration,
        attacks,
        plan,
        runs,
        natural,
        scenarios,
        parse_script(script) if script and not found else None,
        transcripts,
    ), problems
