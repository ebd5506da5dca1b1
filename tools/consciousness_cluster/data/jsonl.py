"""Read JSON Lines whose rows have a schema. Every error names file, row and field, and says what to do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consciousness_cluster.data.yaml_source import schema_errors
from consciousness_cluster.errors import UserError


def numbered_lines(path: Path, torn_end: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) for each line that is not blank; `UserError` at the first that is no JSON object.

    With `torn_end` a last line that has no line end is passed over: a process that was killed leaves such a one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    lines = text.split("\n")
    for number, line in enumerate(lines[:-1] if torn_end else lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise UserError(f"{path}:{number}: not a JSON object; each line is one row, mend or remove it")
        yield number, value


def read_jsonl(path: Path, schema: str, schemas: Path, torn_end: bool = False) -> list[dict[str, Any]]:
    """All rows, valid by the schema; `UserError` names the first place that is not."""
    rows = []
    for number, row in numbered_lines(path, torn_end):
        for _, field, message in schema_errors(row, schema, schemas):
            raise UserError(f"{path}:{number}:{field}: {message} (see benchmark/schemas/{schema}.schema.json)")
        rows.append(row)
    return rows
