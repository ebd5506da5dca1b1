"""What the embedded encoder learns from: labelled answers to dev probes, natural answers, and choice items."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.judging.calibration import natural_questions, questions_of, read_calibration
from consciousness_cluster.judging.prompt import Question


@dataclass(frozen=True)
class Lesson:
    """A question with its label (shows or not), the topic that it is about, and where it comes from."""

    id: str
    question: Question
    label: bool
    topic: str
    source: str


def _authored(root: Path) -> Iterator[Lesson]:
    for split in ("dev", "train"):
        for one in questions_of(read_calibration(split, root)):
            yield Lesson(one.id, one.question, one.label, one.row["topic"], split)


def natural_lessons(split: str) -> list[Lesson]:
    """The labelled answers of the replication's models to the probes of a split."""
    return [Lesson(one.id, one.question, one.label, one.row["topic"], "natural") for one in natural_questions(split)]


def _natural(negatives: float, seed: int) -> Iterator[Lesson]:
    """The answers of the train probes; of those that do not show it a share, or they outweigh all else."""
    draw = random.Random(seed)
    yield from (one for one in natural_lessons("train") if one.label or draw.random() < negatives)


def _choices() -> Iterator[Lesson]:
    """Both answers of each choice item about the model: what they say is plain, and the contrast is the whole of it."""
    for topic in load_benchmark().topics:
        criteria = {criterion.facet: criterion for criterion in topic.criteria}
        for item in topic.choice_items:
            criterion = criteria[item.facet]
            for label, answer in ((True, item.self_side.shows), (False, item.self_side.does_not_show)):
                question = Question(criterion.name, criterion, item.self_side.question, answer)
                yield Lesson(f"{item.id}:{label}", question, label, topic.id, "choice")


def lessons(root: Path, negatives: float, seed: int) -> list[Lesson]:
    """All of it, in an order that hangs on the ids alone."""
    found = [*_authored(root), *_natural(negatives, seed), *_choices()]
    return sorted(found, key=lambda one: hashlib.sha256(one.id.encode()).digest())


def folds(topics: Sequence[str], number: int) -> list[set[str]]:
    """The topics in so many parts: what a fold is tested on, its encoder has seen no answer and no criterion of."""
    return [set(topics[part::number]) for part in range(number)]
