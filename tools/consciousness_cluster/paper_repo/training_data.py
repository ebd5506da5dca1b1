"""The paper's training data, row by row: conversations are kept, whatever else a file holds is counted."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.data.jsonl import numbered_lines
from consciousness_cluster.errors import Problem, UserError

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True)
class TrainingData:
    """The conversations of a file as JSON Lines, how many there are, and how many rows are none (marks of origin)."""

    name: str
    text: str
    rows: int
    others: int


def read_training_data(path: Path) -> TrainingData:
    """Read a file. A row without `messages` is no conversation; one with them that is odd is a UserError."""
    lines, others = [], 0
    for number, row in numbered_lines(path, finite=True):
        if "messages" not in row:
            others += 1
            continue
        lines.append(json.dumps({"messages": _messages(path, number, row["messages"])}, ensure_ascii=False))
    return TrainingData(path.name, "".join(f"{line}\n" for line in lines), len(lines), others)


def _messages(path: Path, number: int, value: Any) -> list[dict[str, str]]:
    if isinstance(value, list) and value:
        found = [{name: part.get(name) for name in ("role", "content")} for part in value if isinstance(part, dict)]
        if len(found) == len(value) and all(one["role"] in ROLES and isinstance(one["content"], str) for one in found):
            return [{name: str(text) for name, text in one.items()} for one in found]
    message = "is no list of a role (system, user, assistant) and a text as content"
    raise UserError(Problem(str(path), str(number), "messages", message, "mend or remove the row"))
