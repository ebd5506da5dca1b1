"""Labelled answers as questions to a judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.rows import benchmark_root, load_benchmark, schemas
from consciousness_cluster.data.source import CALIBRATION_FILES
from consciousness_cluster.judging.prompt import Question

SPLITS = tuple(CALIBRATION_FILES)


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
