"""Forced choice of all arms as one table, and what it says in words."""

from collections.abc import Iterator, Mapping, Sequence

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.reporting.parts import Table
from consciousness_cluster.reporting.texts import nats
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.scoring.types import ChoiceDifference, Comparison, Scores

TITLE = "Forced choice: self minus other in nats per byte, and its difference from the first model [95% interval]"


def choice_table(scores: Mapping[str, Scores], comparisons: Sequence[Comparison]) -> Table:
    """Arm -> scores, and each arm but the first against that: a line for each preference and control that was asked.

    What was not measured is a dash.
    """
    first, *others = scores
    head = ("", "items", *scores, *(f"{name} minus {first}" for name in others))
    lines = []
    for line in table_lines(load_benchmark()):
        there = [each["choice"].get(line.id) for each in scores.values()]
        if any(there):
            levels = [f"{entry['self_minus_other']:+.3f}" if entry else "-" for entry in there]
            items = str(max(len(entry["items"]) for entry in there if entry))
            differences = [nats(comparison["choice"].get(line.id)) or "-" for comparison in comparisons]
            title = f"{line.title} (control)" if line.kind == "control" else line.title
            lines.append((title, items, *levels, *differences))
    return Table(TITLE, head, lines)


def _moved(entry: ChoiceDifference) -> bool:
    return not entry["ci"][0] <= 0 <= entry["ci"][1]


def moved_lines(scores: Mapping[str, Scores], comparisons: Sequence[Comparison]) -> Iterator[str]:
    """A sentence for each arm but the first: which preferences and controls have an interval without 0."""
    first, *others = scores
    lines = {line.id: line for line in table_lines(load_benchmark())}
    for name, comparison in zip(others, comparisons, strict=True):
        told = []
        for kind, words in (("preference", "preferences"), ("control", "controls")):
            tested = {topic: entry for topic, entry in comparison["choice"].items() if lines[topic].kind == kind}
            moved = [lines[topic].title for topic, entry in tested.items() if _moved(entry)]
            listed = f" ({', '.join(moved)})" if moved else ""
            told.append(f"{len(moved)} of {len(tested)} {words}{listed}")
        yield f"Forced choice, {name} against {first}: the interval is without 0 in {' and in '.join(told)}."
