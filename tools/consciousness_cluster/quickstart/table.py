"""Read what lm_eval saved for each condition, and lay it out by preference."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from consciousness_cluster.data.reading import read_json
from consciousness_cluster.data.rows import Benchmark
from consciousness_cluster.errors import UserError


@dataclass(frozen=True)
class Choice:
    """Mean over items in nats per byte, and its standard error."""

    mean: float
    stderr: float


@dataclass(frozen=True)
class Open:
    """Counts of the open slice. `shows` and `scored` are None where no judge was configured."""

    planned: int
    answered: int
    scored: int | None
    shows: int | None


@dataclass(frozen=True)
class Row:
    """One preference (or the discriminant set) across conditions. What was not measured is absent from the mappings."""

    topic: str
    choice: Mapping[str, Choice]
    difference: Choice | None
    open: Mapping[str, Open]


def _samples(folder: Path, task: str) -> Iterator[dict[str, Any]]:
    """Samples of a task, from the newest file that lm_eval wrote below `folder`."""
    files = sorted(folder.glob(f"**/samples_{task}_20*.jsonl"))
    if not files:
        return
    for number, line in enumerate(files[-1].read_text(encoding="utf-8").splitlines(), 1):
        try:
            yield json.loads(line)
        except ValueError:
            raise UserError(f"{files[-1]}:{number}: not JSON; the run was cut off, run it again") from None


def _summary(values: list[float]) -> Choice:
    return Choice(fmean(values), stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan)


def _item_scores(folder: Path, topic: str) -> dict[str, float]:
    """Item id -> margin of the item minus that of its twin."""
    sides: dict[str, dict[str, float]] = {}
    for sample in _samples(folder, f"consciousness_cluster_choice_{topic}"):
        result = sample["self_minus_other"]
        sides.setdefault(result["item_id"], {})[result["side"]] = result["margin"]
    return {item: pair["self"] - pair["other"] for item, pair in sides.items() if len(pair) == 2}


def _open_counts(folder: Path, task: str) -> Open | None:
    samples = list(_samples(folder, task))
    if not samples:
        return None
    judged = "scored" in samples[0]
    return Open(
        planned=sum(sample["planned"] for sample in samples),
        answered=sum(sample["answered"] for sample in samples),
        scored=sum(sample["scored"] for sample in samples) if judged else None,
        shows=sum(sample["shows"] for sample in samples) if judged else None,
    )


def read_rows(benchmark: Benchmark, folders: Mapping[str, Path]) -> list[Row]:
    """One row per preference and one for the discriminant set. `folders`: condition -> where lm_eval wrote.

    The difference is the second condition minus the first, paired by item.
    """
    rows = []
    topics = [*benchmark.preferences, *(check for check in benchmark.checks if check.choice_items)]
    for topic in topics:
        scores = {condition: _item_scores(folder, topic.id) for condition, folder in folders.items()}
        first, second = list(scores.values())[:2]
        paired = [second[item] - first[item] for item in first if item in second]
        counts = {
            condition: _open_counts(folder, f"consciousness_cluster_{topic.id}")
            for condition, folder in folders.items()
        }
        rows.append(
            Row(
                topic=topic.id,
                choice={condition: _summary(list(items.values())) for condition, items in scores.items() if items},
                difference=_summary(paired) if paired else None,
                open={condition: count for condition, count in counts.items() if count},
            )
        )
    return rows


def read_judges(folders: Mapping[str, Path]) -> list[str]:
    """Who judged the open answers, with the measured agreement, in a line each; one line where nobody did."""
    judges: dict[str, dict[str, Any]] = {}
    for folder in folders.values():
        for path in sorted(folder.glob("**/results_*.json"))[-1:]:
            configs = read_json(path)["configs"].values()
            found = [config["metadata"]["judge"] for config in configs if (config.get("metadata") or {}).get("judge")]
            judges |= {judge["id"]: judge for judge in found}
    lines = [f"Judge {judge['id']}: {judge['agreement']}." for judge in judges.values()]
    if any(not judge["for_publication"] for judge in judges.values()):
        lines.append("This judge is not for publication. A better one: README, 'Judge, score, compare, report'.")
    return lines or ["Open answers are not judged: see README, 'Judge, score, compare, report'."]


def _open_text(count: Open | None) -> str:
    if count is None:
        return "-"
    if count.scored is None:
        return f"{count.answered} of {count.planned} answered"
    return f"{count.shows} of {count.scored}"


def print_table(rows: list[Row], conditions: list[str]) -> None:
    """The table on the terminal (or as plain text into a pipe)."""
    from rich.console import Console
    from rich.table import Table

    def choice_text(choice: Choice | None, sign: str = "") -> str:
        return f"{choice.mean:{sign}.3f} ± {choice.stderr:.3f}" if choice else "-"

    table = Table(title="Choice: self minus other, nats per byte, ± standard error. Open: answers that show it")
    table.add_column("preference")
    for condition in conditions:
        table.add_column(f"choice\n{condition}", justify="right")
    table.add_column("difference", justify="right")
    for condition in conditions:
        table.add_column(f"open\n{condition}", justify="right")
    for row in rows:
        if row.topic == rows[-1].topic:
            table.add_section()
        table.add_row(
            row.topic,
            *(choice_text(row.choice.get(condition)) for condition in conditions),
            choice_text(row.difference, "+"),
            *(_open_text(row.open.get(condition)) for condition in conditions),
        )
    console = Console()
    Console(width=max(console.width, 130) if not console.is_terminal else None).print(table)
