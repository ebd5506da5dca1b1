"""The answers of a run, each with its verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from consciousness_cluster.api.record_lines import Record, RecordLines, number, short
from consciousness_cluster.reporting.answer_rows import answer_rows
from consciousness_cluster.scoring.load import Scored


@dataclass(frozen=True)
class Answer(Record):
    """One answer of the model, and what the judge said of it.

    `prompt` is the probe, without the system prompt. `response` is None where none came, `reasoning` is the trace
    beside it. `status` says how the answer ended (ok, refused, content_filter, empty, incomplete or error). `outcome`
    is what was judged: `shows`, for the two claims checks `asserts` and `denies`. `verdict` is shows, does_not_show or
    unclear, and `coherence` from 0 to 100; both are None where there are none. `left_out` says why the answer counts in
    no rate (`open`: it has not been judged), and is None where it counts.
    """

    key: str
    topic: str
    facet: str | None
    probe_id: str
    sample_index: int
    prompt: str
    response: str | None
    reasoning: str | None
    status: str
    outcome: str
    verdict: str | None
    coherence: int | None
    left_out: str | None


class Answers(RecordLines[Answer]):
    """The answers of a run by one judge, in the order of its samples.

    Answers to the two claims checks stand in two lines, one for each outcome; all others in one.
    """

    KIND: ClassVar = Answer
    HEAD: ClassVar = ("probe", "sample", "answer", "status", "outcome", "verdict", "coherence")
    WORDS: ClassVar = ("probe", "answer", "status", "outcome", "verdict")

    def _counts(self) -> str:
        return f"{len({answer.key for answer in self})} answers in {len(self)} lines"

    def _lines(self, records: Sequence[Answer]) -> Iterator[tuple[str, ...]]:
        for one in records:
            about = (one.probe_id, str(one.sample_index), short(one.response), one.status, one.outcome)
            yield (*about, one.verdict or "", number(one.coherence))


def answers_of(scored: Scored) -> Answers:
    """The answers of a run with the verdicts that were given to them."""
    return Answers(list(_answers(scored)), str(scored.path))


def _answers(scored: Scored) -> Iterator[Answer]:
    for sample, _, probe, outcome, verdict, left_out in answer_rows(scored):
        yield Answer(
            key=sample["key"],
            topic=sample["topic"],
            facet=sample["facet"],
            probe_id=sample["probe_id"],
            sample_index=sample["sample_index"],
            prompt=probe.text,
            response=sample["response"],
            reasoning=sample["reasoning"],
            status=sample["status"],
            outcome=outcome,
            verdict=verdict["verdict"] if verdict else None,
            coherence=verdict["coherence"] if verdict else None,
            left_out=left_out,
        )
