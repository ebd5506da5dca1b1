"""`data check`: the one guard that everything else runs first."""

from pathlib import Path

from consciousness_cluster.data.problems import Problem
from consciousness_cluster.data.rules import RULES
from consciousness_cluster.data.source import read_source


def check(root: Path) -> tuple[list[Problem], dict[str, int]]:
    """All problems of the benchmark folder `root`, sorted, and counts of what was looked at."""
    source, problems = read_source(root)
    counts = {"rules": len(RULES), "preferences": 0, "checks": 0, "probes": 0, "choice_items": 0}
    if source:
        for rule in RULES:
            problems += rule(source)
        benchmark = source.benchmark
        counts["preferences"], counts["checks"] = len(benchmark.preferences), len(benchmark.checks)
        counts["probes"] = sum(len(topic.probes) for topic in benchmark.topics)
        counts["choice_items"] = sum(len(topic.choice_items) for topic in benchmark.topics)
    return sorted(problems, key=lambda problem: (problem.severity, problem)), counts
