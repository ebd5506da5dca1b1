"""The scores of both conditions and their comparison as one table, preference by preference."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from consciousness_cluster.data.plan import CONTROLS
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.scoring.table_lines import table_lines
from consciousness_cluster.scoring.types import ChoiceDifference, Comparison, Scores

if TYPE_CHECKING:
    from rich.console import Console

NOT_THERE = "-"
SHOWN = ("cluster", "preference", "control")
README = "README, 'Judge, score, compare, report'"


def _level(scores: Scores, name: str) -> str:
    """Forced choice of a line: value and standard error."""
    entry = scores["choice_cluster"] if name == "cluster" else scores["choice"].get(name)
    if entry is None:
        return NOT_THERE
    error = "" if entry["stderr"] is None else f" ± {entry['stderr']:.3f}"
    return f"{entry['self_minus_other']:.3f}{error}"


def _difference(entry: ChoiceDifference | None) -> str:
    if entry is None:
        return NOT_THERE
    low, high = entry["ci"]
    return f"{entry['value']:+.3f} [{low:+.3f}, {high:+.3f}]"


def _open(scores: Scores, name: str) -> str:
    """Free answers of a line: how many show it; how many there are where nobody judged."""
    entry = scores["rows"].get(name)
    if entry is None:
        return NOT_THERE
    if scores["judge"] is None:
        return f"{entry['left_out'].get('open', 0)} of {entry['planned']} answered"
    return f"{entry['shows']} of {entry['scored']}"


def table(scores: Mapping[str, Scores], comparison: Comparison) -> list[Sequence[str]]:
    """Condition -> scores, and the second condition against the first: the head, then a line for each preference.

    What was not measured is a dash.
    """
    head = ["preference", *(f"choice\n{name}" for name in scores), "difference", *(f"open\n{name}" for name in scores)]
    lines: list[Sequence[str]] = [head]
    for line in table_lines(load_benchmark()):
        if line.kind in SHOWN:
            levels = [_level(each, line.id) for each in scores.values()]
            answers = [_open(each, line.id) for each in scores.values()]
            lines.append([line.id, *levels, _difference(comparison["choice"].get(line.id)), *answers])
    return lines


def judge_lines(scores: Mapping[str, Scores]) -> Iterator[str]:
    """Who judged the open answers, with the measured agreement, in a line each; one line where nobody did."""
    judges = {each["judge"]["id"]: each["judge"] for each in scores.values() if each["judge"]}
    for judge in judges.values():
        yield f"Judge {judge['id']}: {judge['agreement']}."
    if not judges:
        yield f"Open answers are not judged: see {README}."
    elif not all(judge["for_publication"] for judge in judges.values()):
        yield f"This judge is not for publication. A better one: {README}."


def print_table(lines: Sequence[Sequence[str]], console: "Console") -> None:
    """The table on the terminal, or as plain text into a pipe."""
    from rich.console import Console
    from rich.table import Table

    head, *body = lines
    drawn = Table(title="Choice: self minus other, nats per byte, ± standard error. Open: answers that show it")
    for column in head:
        drawn.add_column(column, justify="left" if column == head[0] else "right")
    for line in body:
        drawn.add_row(*line, end_section=line in (body[0], body[-len(CONTROLS) - 1]))
    wide = console if console.is_terminal else Console(width=max(console.width, 140))
    wide.print(drawn)
