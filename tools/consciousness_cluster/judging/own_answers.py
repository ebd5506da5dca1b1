"""Labelled answers of a person's own: a JSON line each, as labelled_answer.schema.json has it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.jsonl import numbered_lines
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import Benchmark, Topic, load_benchmark
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.calibration import Labelled
from consciousness_cluster.judging.prompt import Question

SCHEMA = "labelled_answer"
LABELS = ("shows", "does_not_show", "unclear")
CLAIM_LABELS = ("asserts", "denies", "uncommitted", "unclear")


def read_own(path: Path) -> list[Labelled]:
    """What a judge is asked of each answer, two questions where the topic is a check of claims.

    `unclear` counts as not showing. Raises UserError at the first line that does not fit.
    """
    benchmark = load_benchmark()
    found: list[Labelled] = []
    for number, row in numbered_lines(path, finite=True):
        for problem in (*schema_errors(row, SCHEMA, None, str(path)), *_misfits(benchmark, row, str(path))):
            raise UserError(replace(problem, row=str(number)))
        found += _labelled(benchmark.topics[row["topic"]], row)
    if not found:
        raise UserError(Problem(str(path), "-", "-", "holds no answer", "write a line for each labelled answer"))
    return found


def _labelled(topic: Topic, row: dict[str, Any]) -> Iterator[Labelled]:
    said = [row["topic"], row.get("facet"), row["question"], row["response"]]
    # By what is judged: a verdict never comes to stand for another answer when lines move.
    whole = {"source": None, "kind": None, "voice": None, "facet": None, **row, "id": sha256_json(said)[:32]}
    for criterion in topic.criteria_for(whole["facet"]):
        question = Question(criterion.name, criterion, row["question"], row["response"])
        yield Labelled(question, criterion.id, row["label"] == criterion.id, False, whole)


def _misfits(benchmark: Benchmark, row: dict[str, Any], file: str) -> Iterator[Problem]:
    """What a schema cannot know: topics, their facets and their labels."""
    topic = next((one for one in benchmark.topics if one.id == row.get("topic")), None)
    if topic is None:
        names = ", ".join(one.id for one in benchmark.topics)
        yield Problem(file, "", "topic", f"{row.get('topic')!r} is no preference or check", f"use one of {names}")
        return
    if row.get("facet") not in (topic.facets or (None,)):
        mend = f"use one of {', '.join(topic.facets)}" if topic.facets else "leave it out"
        yield Problem(file, "", "facet", f"{row.get('facet')!r} is no facet of {topic.id}", mend)
    labels = CLAIM_LABELS if topic.is_claim else LABELS
    if row.get("label") not in labels:
        yield Problem(
            file, "", "label", f"{row.get('label')!r} is no label of {topic.id}", f"use one of {', '.join(labels)}"
        )
