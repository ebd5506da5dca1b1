"""Which answers and which known rows stand together on a sheet, and in which order. No file is touched here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consciousness_cluster.data.hashes import sha256_json
from consciousness_cluster.reading.answers import Answer, Cell, cells
from consciousness_cluster.reading.known_rows import Draw, KnownRow

Row = Answer | KnownRow


@dataclass(frozen=True)
class Batch:
    """The rows of a sheet, those of a cell together, and which reader it is for: the first, a second or a third."""

    reader: int
    rows: tuple[Row, ...]


def chance(*parts: object) -> float:
    """A number from 0 to 1 that hangs on the parts alone."""
    return int(sha256_json(list(parts))[:13], 16) / 16**13


def cell_of(row: Row) -> Cell:
    return row.cell if isinstance(row, Answer) else row.answer.cell


def is_read_twice(answer_id: str, second: float, seed: int) -> bool:
    """Whether an answer belongs to the share that a second reader reads. Runs that come later change nothing."""
    return chance(seed, "second", answer_id) < second


def batches(
    answers: Iterable[Answer], reader: int, size: int, known: int, draw: Draw, seed: int, before: int
) -> list[Batch]:
    """All sheets for one reader. A sheet is of one cell where a cell fills it; what is left of the cells shares sheets.

    `size` rows a sheet at most, `known` of which are authored; `before`: how many sheets there are already.
    """
    order = sorted(answers, key=lambda answer: chance(seed, reader, answer.id))
    found = []
    for number, group in enumerate(_groups(order, size - known), before):
        there = list(dict.fromkeys(answer.cell for answer in group))
        there.sort(key=lambda cell: -sum(answer.cell == cell for answer in group))
        rows: list[Row] = [*group, *draw.rows_for(there, known)]
        rows.sort(key=lambda row: chance(seed, reader, number, row.id))
        found.append(Batch(reader, tuple(row for cell in cells() for row in rows if cell_of(row) == cell)))
    return found


def _groups(answers: Sequence[Answer], room: int) -> list[list[Answer]]:
    """Answers that share a sheet: whole sheets of a cell, then the rests, the largest first, each where it fits."""
    whole: list[list[Answer]] = []
    rests: list[list[Answer]] = []
    for cell in cells():
        of_cell = [answer for answer in answers if answer.cell == cell]
        for start in range(0, len(of_cell), room):
            part = of_cell[start : start + room]
            (whole if len(part) == room else rests).append(part)
    shared: list[list[Answer]] = []
    for rest in sorted(rests, key=len, reverse=True):
        place = next((group for group in shared if len(group) + len(rest) <= room), None)
        if place is None:
            shared.append(rest)
        else:
            place += rest
    return whole + shared
