"""What readers read: each different answer of some runs once, whoever gave it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.judging.judge_run import JUDGED_STATUS
from consciousness_cluster.records.run import Run

Cell = tuple[str, str | None]  # topic and facet: what shares its criteria


@dataclass(frozen=True)
class Answer:
    """An answer to a question, to be read by the criteria of a topic and facet."""

    topic: str
    facet: str | None
    question: str
    response: str

    @cached_property
    def id(self) -> str:
        """By what is read, so that a label can never come to stand for another answer."""
        return sha256_json(list(asdict(self).values()))

    @property
    def cell(self) -> Cell:
        return self.topic, self.facet


def cells() -> list[Cell]:
    """All cells, in the benchmark's order."""
    return [(topic.id, facet) for topic in load_benchmark().topics for facet in topic.facets or (None,)]


def outcomes_of(cell: Cell) -> list[str]:
    """What is said of an answer of that cell: `shows`, or `asserts` and `denies`."""
    topic, facet = cell
    return [criterion.id for criterion in load_benchmark().topics[topic].criteria_for(facet)]


def answers_of(run: Run) -> Iterator[tuple[str, Answer]]:
    """(key of the sample, answer) of all that can be judged in a run, in the order of the samples."""
    shown = {probe.id: probe.shown for topic in load_benchmark().topics for probe in topic.probes}
    for sample in run.samples:
        if sample["status"] in JUDGED_STATUS:
            question = shown[sample["probe_id"]]
            yield sample["key"], Answer(sample["topic"], sample["facet"], question, sample["response"] or "")


def different(runs: Sequence[Run]) -> dict[str, Answer]:
    """Id -> answer, over all runs."""
    return {answer.id: answer for run in runs for _, answer in answers_of(run)}
