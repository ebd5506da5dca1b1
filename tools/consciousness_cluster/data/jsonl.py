"""Read JSON Lines. Every error names file, row and field, and says what to do."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import BYTE_ORDER_MARK, decoded, parse_json, read_bytes, schema_errors
from consciousness_cluster.errors import Problem, UserError


def torn(content: bytes) -> int:
    """How many bytes at the end are a line that was cut off: it has no line end, and is no whole JSON object."""
    last = content[content.rfind(b"\n") + 1 :]
    try:
        return 0 if isinstance(parse_json(last), dict) else len(last)
    except ValueError:
        return len(last)


def numbered_lines(path: Path, torn_end: bool = False, finite: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) for each line that is not blank; `UserError` at the first that is no JSON object.

    With `torn_end` a last line that was cut off is passed over: a process that was killed leaves such a one. With
    `finite` a number that JSON does not know, such as NaN, is an error.
    """
    content = read_bytes(path)
    if torn_end:
        content = content[: len(content) - torn(content)]
    for number, line in enumerate(decoded(content, path).split("\n"), 1):
        if not line.lstrip(BYTE_ORDER_MARK).strip():  # one within the file is where files were put together
            continue
        reason = ""
        try:
            value = parse_json(line, finite)
        except ValueError as error:
            value, reason = None, f" ({error})"
        if not isinstance(value, dict):
            message, mend = f"not a JSON object{reason}", "each line is one row, mend or remove it"
            raise UserError(Problem(str(path), str(number), "-", message, mend))
        yield number, value


def read_jsonl(path: Path, schema: str, schemas: Path | None = None, torn_end: bool = False) -> list[dict[str, Any]]:
    """All rows, valid by the schema; `UserError` names the first place that is not.

    `schemas` is the folder of the schema, the benchmark's where it is None; see `numbered_lines` for `torn_end`.
    """
    rows = []
    for number, row in numbered_lines(path, torn_end, finite=True):
        for problem in schema_errors(row, schema, schemas, str(path)):
            raise UserError(replace(problem, row=str(number)))
        rows.append(row)
    return rows
