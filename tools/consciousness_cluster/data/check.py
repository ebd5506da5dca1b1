"""`data check`: the one guard that everything else runs first."""

from pathlib import Path

from consciousness_cluster.data.rules import RULES
from consciousness_cluster.data.source import read_source
from consciousness_cluster.errors import Problem


def check(root: Path) -> tuple[list[Problem], dict[str, int]]:
    """All problems of the benchmark folder `root`, sorted, and counts of what was looked at."""
    source, problems = read_source(root)
    of_rows = ("probes", "choice_items", "calibration_rows", "natural_rows", "attacks", "scenarios", "rubrics")
    names = ("preferences", "checks", *of_rows)
    counts = {"rules": len(RULES), **dict.fromkeys(names, 0)}
    if source:
        for rule in RULES:
            problems += rule(source)
        benchmark = source.benchmark
        counts["preferences"], counts["checks"] = len(benchmark.preferences), len(benchmark.checks)
        counts["probes"] = sum(len(topic.probes) for topic in benchmark.topics)
        counts["choice_items"] = sum(len(topic.choice_items) for topic in benchmark.topics)
        counts["calibration_rows"] = sum(map(len, source.calibration.values()))
        counts["natural_rows"] = len(source.natural)
        counts["attacks"] = len(source.attacks)
        cells = [cell for _, cell in source.cells()]
        counts["scenarios"] = sum(len(cell.scenarios) for cell in cells)
        counts["rubrics"] = sum(len(cell.scales) for cell in cells)
    return sorted(problems, key=lambda problem: (problem.severity, problem)), counts
