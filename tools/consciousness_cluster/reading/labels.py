"""What readers reply: a line for each row of a sheet, read strictly, with a problem for each place that is wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard, cast

from consciousness_cluster.data.jsonl import numbered_lines
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.verdict import LABELS
from consciousness_cluster.reading.answers import outcomes_of
from consciousness_cluster.reading.sheet_folder import Key
from consciousness_cluster.records.types import Label


@dataclass(frozen=True)
class Said:
    """What one reader says of one row: outcome -> verdict, and coherence from 0 to 100."""

    verdicts: Mapping[str, Label]
    coherence: int


def _whole(value: Any, low: int, high: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def read_reply(path: Path, key: Key) -> tuple[dict[int, Said], list[Problem]]:
    """Row -> what is said of it, and all that is wrong with the reply to a sheet."""
    said: dict[int, Said] = {}
    problems: list[Problem] = []
    try:
        for line, value in numbered_lines(path, finite=True):
            row = value.get("row")
            if not _whole(row, 1, len(key.rows)):
                mend = f"rows of this sheet are 1 to {len(key.rows)}"
                problems.append(Problem(str(path), f"line {line}", "row", f"is {row!r}", mend))
                continue
            if row in said:
                problems.append(Problem(str(path), str(row), "row", "has two lines", "leave one"))
            outcomes = outcomes_of((key.rows[row - 1]["topic"], key.rows[row - 1]["facet"]))
            fields = {outcome: "verdict" if outcome == "shows" else outcome for outcome in outcomes}
            found = [Problem(str(path), str(row), *wrong) for wrong in _wrong(value, list(fields.values()))]
            problems += found
            if found:
                said.setdefault(row, Said({}, 0))
            else:
                verdicts = {outcome: cast(Label, value[field]) for outcome, field in fields.items()}
                said[row] = Said(verdicts, value["coherence"])
    except UserError as error:
        return said, [*problems, error.problem]
    missing = [str(row) for row in range(1, len(key.rows) + 1) if row not in said]
    problems += [Problem(str(path), row, "-", "is missing", "read this row too") for row in missing]
    return said, problems


def _wrong(value: Mapping[str, Any], fields: list[str]) -> Iterator[tuple[str, str, str]]:
    """(field, message, mend) of each field of a line that is not as it should be."""
    for field in fields:
        if value.get(field) not in LABELS:
            yield field, f"is {value.get(field)!r}", f"write one of: {', '.join(LABELS)}"
    if not _whole(value.get("coherence"), 0, 100):
        yield "coherence", f"is {value.get('coherence')!r}", "write a whole number from 0 to 100"
    for name in value.keys() - {"row", "coherence", *fields}:
        yield name, "is no field of this row", f"its fields are row, {', '.join(fields)}, coherence"
