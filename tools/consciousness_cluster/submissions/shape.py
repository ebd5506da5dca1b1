"""Hold rows to their schema, most of them without asking the schema: that takes a hundred times as long."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.submissions.rows import ROW_VALUES, Record, too_much, written


def _text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9_]*", value) is not None


def _key(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.-]+", value) is not None


def _hash(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value) is not None


def _one_of(*values: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in values


def _whole(value: Any) -> bool:
    return type(value) is int and value >= 0


def _logprob(value: Any) -> bool:
    return type(value) is float and value <= 0


def _messages(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict)
        and one.keys() == {"role", "content"}
        and one["role"] in ("system", "user")
        and isinstance(one["content"], str)
        for one in value
    )


def _usage(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict) and all(part is None or type(part) in (int, float) for part in value.values())
    )


# Fields that differ from row to row, each with a test that is at least as strict as the schema.
FREE: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "choice_result": {
        "item_id": _key,
        "side": _one_of("self", "other"),
        "shows_logprob": _logprob,
        "does_not_show_logprob": _logprob,
        "margin": lambda value: type(value) is float,
    },
    "sample": {
        "key": _hash,
        "topic": _name,
        "facet": _text_or_none,
        "probe_id": _key,
        "prompt_sha256": _hash,
        "sample_index": _whole,
        "messages": _messages,
        "response": _text_or_none,
        "status": _one_of("ok", "refused", "content_filter", "empty", "error"),
        "finish_reason": _text_or_none,
        "usage": _usage,
    },
    "verdict": {
        "key": _key,
        "outcome": _one_of("shows", "asserts", "denies"),
        "verdict": lambda value: value is None or value in ("shows", "does_not_show", "unclear"),
        "coherence": lambda value: value is None or (_whole(value) and value <= 100),
        "status": _one_of("ok", "judge_failed"),
        "usage": _usage,
    },
}


class Shape:
    """Holds the rows of one file to a schema.

    A row that differs from a valid one in free fields alone has to pass their tests. The schema has a say on all
    others, and words what is wrong.
    """

    def __init__(self, schema: str) -> None:
        self.schema, self.free = schema, FREE[schema]
        self.fixed: dict[str, Any] | None = None

    def _as_before(self, row: Record) -> bool:
        if self.fixed is None or len(row) != len(self.fixed) + len(self.free):
            return False
        for name, value in self.fixed.items():
            if name not in row or type(row[name]) is not type(value) or row[name] != value:
                return False
            if isinstance(value, dict) and written(row[name]) != written(value):
                return False  # 1 and true are equal in Python
        return all(name in row and right(row[name]) for name, right in self.free.items())

    def errors(self, row: Record) -> list[tuple[str, str]]:
        """(field, message) of each place that breaks the schema."""
        if self._as_before(row):
            return []
        if reason := too_much(row, ROW_VALUES):
            return [("-", reason)]
        found = [(problem.field, problem.message) for problem in schema_errors(row, self.schema)]
        if not found:
            self.fixed = {name: value for name, value in row.items() if name not in self.free}
        return found
