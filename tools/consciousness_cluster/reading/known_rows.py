"""Authored rows with known labels, which stand among the answers of a sheet: is who reads it reading well?"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.judging.calibration import Labelled, questions_of, read_calibration
from consciousness_cluster.reading.answers import Answer, Cell

RIGHT, OF = 4, 5  # a sheet counts where at least so many of its known rows are right


@dataclass(frozen=True)
class KnownRow:
    """An authored row: its id and label, what a reader is shown of it, and its label by each outcome."""

    id: str
    label: str
    answer: Answer
    labels: Mapping[str, Labelled]

    def right(self, verdicts: Mapping[str, str]) -> bool:
        """Whether outcome -> verdict is what the label says. `unclear` is never right."""
        wanted = {outcome: "shows" if one.label else "does_not_show" for outcome, one in self.labels.items()}
        return dict(verdicts) == wanted


def known_rows() -> dict[str, KnownRow]:
    """Id -> row of the dev split on which both labels agree. Rows of the test split are never shown to readers."""
    of_row: dict[str, list[Labelled]] = {}
    for one in questions_of(read_calibration("dev")):
        if not one.contested:
            of_row.setdefault(one.row["id"], []).append(one)
    return {name: _known(labels) for name, labels in of_row.items()}


def _known(labels: Sequence[Labelled]) -> KnownRow:
    row, question = labels[0].row, labels[0].question
    answer = Answer(row["topic"], row["facet"], question.probe, question.response)
    return KnownRow(row["id"], row["label"], answer, {one.outcome: one for one in labels})


def good_enough(right: int, known: int) -> bool:
    """Whether a sheet with that many known rows right counts."""
    return right * OF >= known * RIGHT


class Draw:
    """Rows for sheets, by turns: those that were shown least often come first, and labels alternate within a sheet."""

    def __init__(self, rows: dict[str, KnownRow], shown: Iterable[str], seed: int) -> None:
        self.rows, self.shown, self.seed = rows, Counter(shown), seed

    def rows_for(self, cells: Sequence[Cell], number: int) -> list[KnownRow]:
        """So many rows of a sheet's cells, the first cell first, as even as may be."""
        drawn: list[KnownRow] = []
        left = [self._of(cell) for cell in cells]
        while len(drawn) < number and any(left):
            for rows in left:
                if rows and len(drawn) < number:
                    drawn.append(self._next(rows, drawn))
        self.shown.update(row.id for row in drawn)
        return drawn

    def _of(self, cell: Cell) -> list[KnownRow]:
        return [row for row in self.rows.values() if row.answer.cell == cell]

    def _next(self, rows: list[KnownRow], drawn: list[KnownRow]) -> KnownRow:
        there = Counter(row.label for row in drawn)
        chance = {row.id: sha256_json([self.seed, self.shown[row.id], row.id]) for row in rows}
        found = min(rows, key=lambda row: (there[row.label], self.shown[row.id], chance[row.id]))
        rows.remove(found)
        return found
