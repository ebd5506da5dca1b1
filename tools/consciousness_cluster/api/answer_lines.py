"""The answers of a run, each with its verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, overload

from consciousness_cluster.api.display import as_html, as_text, frame
from consciousness_cluster.reporting.answer_rows import answer_rows
from consciousness_cluster.reporting.parts import Table
from consciousness_cluster.scoring.load import Scored

if TYPE_CHECKING:
    import pandas

SHOWN = 10  # lines of a `repr`
SHORT = 60  # characters of a text within it


@dataclass(frozen=True)
class Answer:
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


class Answers(Sequence[Answer]):
    """The answers of a run by one judge, in the order of its samples.

    Answers to the two claims checks stand in two lines, one for each outcome; all others in one.
    """

    def __init__(self, answers: Sequence[Answer], what: str) -> None:
        """`what` names the run."""
        self._answers, self._what = tuple(answers), what

    @overload
    def __getitem__(self, index: int) -> Answer: ...
    @overload
    def __getitem__(self, index: slice) -> "Answers": ...
    def __getitem__(self, index: int | slice) -> "Answer | Answers":
        found = self._answers[index]
        return found if isinstance(found, Answer) else Answers(found, self._what)

    def __len__(self) -> int:
        return len(self._answers)

    def to_frame(self) -> "pandas.DataFrame":
        """One line for each of these. Raises UserError without the extra `[pandas]`."""
        return frame([vars(answer) for answer in self._answers], [field.name for field in fields(Answer)])

    def __repr__(self) -> str:
        return as_text([self._table()])

    def _repr_html_(self) -> str:
        return as_html([self._table()])

    def _table(self) -> Table:
        lines = [
            (
                *(
                    answer.probe_id,
                    str(answer.sample_index),
                    _short(answer.response or ""),
                    answer.status,
                    answer.outcome,
                ),
                *(answer.verdict or "", "" if answer.coherence is None else str(answer.coherence)),
            )
            for answer in self._answers[:SHOWN]
        ]
        answers = len({answer.key for answer in self._answers})
        title = f"{self._what}: {answers} answers in {len(self)} lines" + (
            f", the first {SHOWN}" if self[SHOWN:] else ""
        )
        head = ("probe", "sample", "answer", "status", "outcome", "verdict", "coherence")
        return Table(title, head, lines, ("probe", "answer", "status", "outcome", "verdict"))


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


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHORT else f"{line[: SHORT - 1]}\u2026"
