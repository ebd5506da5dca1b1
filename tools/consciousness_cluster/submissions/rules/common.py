"""What all records of a submission share."""

from collections.abc import Iterator, Mapping
from math import isclose
from typing import Any

from consciousness_cluster.submissions.layout import Json, public_model
from consciousness_cluster.submissions.problems import Found

PACK = "pack the run again"


def shared_fields(about: Json) -> dict[str, Any]:
    """Field of a sample or choice result -> what it is in all of them."""
    names = ("training", "condition", "engine", "data_version")
    return {
        "model": public_model(about),
        "revision": about["model"]["revision"],
        **{name: about[name] for name in names},
    }


def shown(value: Any) -> str:
    """A value of a file in a message, cut short."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def same_number(expected: float, found: Any) -> bool:
    """Within 1e-9 of their size: what another machine's arithmetic may make of the same records."""
    try:
        return type(found) in (int, float) and isclose(expected, found, rel_tol=1e-9, abs_tol=1e-12)
    except OverflowError:
        return False


def some(places: list[str]) -> str:
    """The first of many places."""
    return ", ".join(places[:3]) + (", ..." if len(places) > 3 else "")


def unlike(row: str, record: Json, shared: Mapping[str, Any]) -> Iterator[Found]:
    """A problem for each field that differs from what submission.json says of the whole submission."""
    for name, value in shared.items():
        if record[name] != value:
            yield row, name, f"is {shown(record[name])}, submission.json says {shown(value)}", PACK
