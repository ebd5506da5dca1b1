"""How a list of problems is printed, and what a command that finds some exits with."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from consciousness_cluster.errors import Problem

SHOWN = 20


def exit_code(problems: Sequence[Problem]) -> int:
    """0 clean, 1 errors, 2 warnings only."""
    if any(problem.severity == "error" for problem in problems):
        return 1
    return 2 if problems else 0


def as_text(problems: Sequence[Problem]) -> str:
    """The first 20 problems, then how many more there are."""
    lines = [f"{problem.severity}: {problem}" for problem in problems[:SHOWN]]
    if len(problems) > SHOWN:
        lines.append(f"and {len(problems) - SHOWN} more (--format json lists them all)")
    return "\n".join(lines)


def as_json(problems: Sequence[Problem], counts: dict[str, int]) -> str:
    """All problems and the counts of what was checked, as one JSON object."""
    errors = sum(problem.severity == "error" for problem in problems)
    report = {
        "errors": errors,
        "warnings": len(problems) - errors,
        "checked": counts,
        "problems": [asdict(problem) for problem in problems],
    }
    return json.dumps(report, indent=2, ensure_ascii=False)
