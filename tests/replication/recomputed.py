"""Is a result on disk that of the records beside it, and are its report and its figure made of it?"""

import json
from collections.abc import Iterator, Mapping
from math import isclose
from pathlib import Path
from typing import Any

from consciousness_cluster.replication.figure import figure
from consciousness_cluster.replication.finding_text import states
from consciousness_cluster.replication.report_text import FIGURE, markdown
from consciousness_cluster.replication.write_result import REPORT, RESULT

NEAR = 2e-6  # of numbers that are written with six digits


def differing(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """The places in which two JSON values differ by more than rounding."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name, value in one.items():
            yield from differing(value, other[name], f"{where}.{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (value, its) in enumerate(zip(one, other, strict=True)):
            yield from differing(value, its, f"{where}[{number}]")
    elif isinstance(one, float) and isinstance(other, int | float) and not isinstance(other, bool):
        if not isclose(one, other, rel_tol=0, abs_tol=NEAR):
            yield where
    elif one != other:
        yield where


def problems(recomputed: Mapping[str, Any], out: Path) -> list[str]:
    """What in the files of a result in `out` is not what `recomputed`, the result of the records, has."""
    found = json.loads((out / RESULT).read_text(encoding="utf-8"))
    wrong = list(differing(json.loads(json.dumps(recomputed)), found))
    texts = {REPORT: markdown(found), **({FIGURE: figure(found) + "\n"} if states(found) else {})}
    return wrong + [name for name, text in texts.items() if (out / name).read_text(encoding="utf-8") != text]
