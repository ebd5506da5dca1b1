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
    return [one for row in checked_rows(path) for one in _labelled(benchmark.topics[row["topic"]], row)]


def checked_rows(path: Path) -> list[dict[str, Any]]:
    """The lines of such a file, each once and with a label of its topic. Raises UserError at the first that is not."""
    benchmark = load_benchmark()
    found: list[dict[str, Any]] = []
    lines: dict[str, int] = {}
    for number, row in numbered_lines(path, finite=True):
        for problem in (*schema_errors(row, SCHEMA, None, str(path)), *_misfits(benchmark, row, str(path))):
            raise UserError(replace(problem, row=str(number)))
        if (before := lines.setdefault(_id(row), number)) != number:
            message = f"is the answer of line {before} again, which would count twice"
            raise UserError(Problem(str(path), str(number), "response", message, "leave one of them"))
        found.append(row)
    if not found:
        raise UserError(Problem(str(path), "-", "-", "holds no answer", "write a line for each labelled answer"))
    return found


def _id(row: dict[str, Any]) -> str:
    """By what is judged: a verdict never comes to stand for another answer when lines move."""
    return sha256_json([row["topic"], row.get("facet"), row["question"], row["response"]])[:32]


def _labelled(topic: Topic, row: dict[str, Any]) -> Iterator[Labelled]:
    whole = {"source": None, "kind": None, "voice": None, "facet": None, **row, "id": _id(row)}
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
