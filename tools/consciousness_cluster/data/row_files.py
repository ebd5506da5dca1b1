"""Rows of a file that others made: JSON Lines, a JSON array or Parquet, told apart by their content, not their name."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from consciousness_cluster.data.jsonl import numbered_lines
from consciousness_cluster.data.reading import BYTE_ORDER_MARK, decoded, parse_json, read_bytes
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require

Row = dict[str, Any]
PARQUET = b"PAR1"
ENDINGS = (".jsonl", ".json", ".parquet")  # of names that cannot be anything but such a file


def numbered_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """(line, row) of JSON Lines, (number from 1, row) of the others; `UserError` at the first that is no object."""
    content = read_bytes(path)
    if content.startswith(PARQUET):
        return enumerate(_parquet_rows(path, content), 1)
    if content.removeprefix(BYTE_ORDER_MARK.encode()).lstrip().startswith(b"["):
        return enumerate(_array_rows(path, content), 1)
    return numbered_lines(path)


def _array_rows(path: Path, content: bytes) -> Iterator[Row]:
    try:
        rows = parse_json(decoded(content, path))
    except ValueError as error:
        mend = "mend it, or write one object a line"
        raise UserError(Problem(str(path), "-", "-", f"not a JSON array ({error})", mend)) from None
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            message, mend = "not a JSON object", "each entry of the array is one row, mend or remove it"
            raise UserError(Problem(str(path), str(number), "-", message, mend))
        yield row


def _parquet_rows(path: Path, content: bytes) -> list[Row]:
    parquet = require("pyarrow.parquet", "hub")
    try:
        return list(parquet.read_table(BytesIO(content)).to_pylist())
    except (OSError, ValueError) as error:  # pyarrow's own errors are among these
        first = str(error).strip().partition("\n")[0]
        message = f"not a Parquet file that can be read ({first[:120]})"
        raise UserError(Problem(str(path), "-", "-", message, "write it again")) from None
