"""Read submission.json and verified.json: strictly, since what one reader passes over another one may believe."""

import json
import math
from typing import Any

from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.submissions.layout import ABOUT_BYTES, Json
from consciousness_cluster.submissions.rows import too_much, values
from consciousness_cluster.submissions.zstd import Unreadable

VALUES = 5_000


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number is too large")
    return value


def read_about(data: bytes) -> Json:
    """The object in a file's bytes. Raises Unreadable where it is not one, or too large."""
    if len(data) > ABOUT_BYTES:
        raise Unreadable(f"has more than {ABOUT_BYTES:,} bytes")
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
        )
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8") from None
    except RecursionError:
        raise Unreadable("is nested too deep") from None
    except ValueError as error:
        raise Unreadable(f"is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise Unreadable("is not a JSON object")
    if reason := too_much(value, VALUES):
        raise Unreadable(reason)
    for _, text in values(value):
        if isinstance(text, str) and not text.isprintable():  # also what is not seen, or turns the text around
            raise Unreadable(f"has a text that is not one line of characters ({text[:40]!r})")
    return value


def about_errors(value: Json, schema: str) -> list[tuple[str, str]]:
    """(field, message) of each place that breaks the schema."""
    return [(problem.field, problem.message) for problem in schema_errors(value, schema)]
