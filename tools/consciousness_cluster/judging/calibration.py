"""Labelled answers as questions to a judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.natural import PLAN, committed_runs, natural_rows
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import benchmark_root, load_benchmark, schemas
from consciousness_cluster.data.source import CALIBRATION_FILES
from consciousness_cluster.judging.prompt import Question

SPLITS = tuple(CALIBRATION_FILES)
NATURAL_SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Labelled:
    """A question to a judge, what the right answer is (shows or not), and the row it comes from."""

    question: Question
    outcome: str
    label: bool
    contested: bool
    row: dict[str, Any]

    @property
    def id(self) -> str:
        return f"{self.row['id']}:{self.outcome}"


def read_calibration(split: str, root: Path | None = None) -> list[dict[str, Any]]:
    """The rows of a split: dev, test or real."""
    root = root or benchmark_root()
    return read_jsonl(root / CALIBRATION_FILES[split], "calibration", schemas(root))


def read_natural(root: Path | None = None) -> list[dict[str, Any]]:
    """The rows of `calibration_natural`, a row for each outcome: train, dev and test together."""
    root = root or benchmark_root()
    plan = read_yaml(root / PLAN, "replication_plan", schemas(root))
    runs = committed_runs(root, plan["judge"], lambda path, schema: read_jsonl(path, schema, schemas(root)))
    return natural_rows(load_benchmark(), plan, runs)


def natural_questions(split: str) -> list[Labelled]:
    """One question for each natural row of the split; `unclear` counts as not showing. Its source is the arm."""
    topics = load_benchmark().topics
    found = []
    for row in read_natural():
        if row["split"] != split:
            continue
        criteria = {criterion.id: criterion for criterion in topics[row["topic"]].criteria_for(row["facet"])}
        criterion = criteria[row["outcome"]]
        question = Question(criterion.name, criterion, row["question"], row["response"])
        found.append(Labelled(question, criterion.id, row["label"] == "shows", row["settled"], row))
    return found


def questions_of(rows: Sequence[dict[str, Any]]) -> list[Labelled]:
    """One question per row, two (asserts, denies) for rows of the claims checks."""
    benchmark = load_benchmark()
    probes = {probe.id: probe.shown for topic in benchmark.topics for probe in topic.probes}
    found = []
    for row in rows:
        topic = benchmark.topics[row["topic"]]
        for criterion in topic.criteria_for(row["facet"]):
            label = row["label"] == criterion.id
            contested = row["label"] != row["second_label"]
            question = Question(criterion.name, criterion, probes[row["probe_id"]], row["response"])
            found.append(Labelled(question, criterion.id, label, contested, row))
    return found
