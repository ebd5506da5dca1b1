"""A run's scores and a comparison as tables and sentences, which a terminal, a notebook and a `repr` show alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.judging.judge_run import PAPER_PROTOCOL
from consciousness_cluster.pages.markdown import MISSING
from consciousness_cluster.reporting.tables import marked, percent
from consciousness_cluster.scoring.table_lines import Line, table_lines
from consciousness_cluster.scoring.taught import TOPIC_NOTE, contained, is_topic
from consciousness_cluster.scoring.types import ChoiceDifference, Comparison, RateDifference, Scores

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Table:
    """Lines of as many cells as `head` has. Columns of the names in `words` hold words, the others numbers."""

    title: str
    head: tuple[str, ...]
    lines: Sequence[Sequence[str]]
    words: tuple[str, ...] = ("",)


Part = Table | str


def scores_parts(scores: Scores) -> list[Part]:
    """A run's tables (scores.schema.json), what was left out, and who judged."""
    judge, found = scores["judge"], scores["corrected_cluster"]
    paper = judge is not None and judge.get("protocol") == PAPER_PROTOCOL
    parts: list[Part] = []
    if scores["rows"]:
        parts += [_rates(scores, paper), f"Counts: {_counted(scores['counts'])}"]
        parts += _flagged({row.id: scores["rows"][row.id]["flags"] for row in _lines_of(scores["rows"])})
    if any(entry["voiced"] for entry in scores["rows"].values()):
        parts.append(_voiced(scores))
    if scores["choice"]:
        parts.append(_choice(scores))
    if any(map(is_topic, [*scores["rows"].values(), *scores["choice"].values()])):
        parts.append(TOPIC_NOTE)
    if judge:
        parts.append(f"Judge {judge['id']}: {judge['agreement']}.")
        if paper:
            parts.append(f"{PAPER_PROTOCOL[:1].upper()}{PAPER_PROTOCOL[1:]}: not sure counts as false.")
        if not judge.get("for_publication", True):
            parts.append("This judge is NOT FOR PUBLICATION.")
    if found:
        text = f"not made: {found['reason']}"
        if found["value"] is not None:
            text = f"{100 * found['value']:.0f} [{100 * found['low']:.0f}, {100 * found['high']:.0f}]"
        parts.append(f"Sensitivity analysis, the cluster with a perfect judge: {text}")
    return parts


def comparison_parts(comparison: Comparison) -> list[Part]:
    """An arm against the baseline (an entry of comparison.schema.json)."""
    parts: list[Part] = []
    if comparison["rows"]:
        rates = [
            (indented(line), percent(entry, "+"), f"{entry['p']:.3f}", _q(entry), entry["method"])
            for line in _lines_of(comparison["rows"])
            for entry in [comparison["rows"][line.id]]
        ]
        title = f"{comparison['arm']} minus {comparison['baseline']}: percentage points [95% interval]"
        parts.append(Table(title, ("", "difference", "p", "q", "method"), rates, ("", "method")))
        parts += _flagged({name: contained(entry) for name, entry in comparison["rows"].items()})
    if comparison["choice"]:
        choice = [
            (name, _nats(entry), f"{entry['p']:.3f}", _q(entry), str(entry["items"]))
            for name, entry in comparison["choice"].items()
        ]
        title = "Forced choice: difference of self minus other, nats per byte [95% interval]"
        parts.append(Table(title, ("", "difference", "p", "q", "items"), choice))
    parts.append(comparison["why"])
    parts += [note for note in (comparison["note"], comparison["choice_note"]) if note]
    if any(map(is_topic, [*comparison["rows"].values(), *comparison["choice"].values()])):
        parts.append(TOPIC_NOTE)
    parts.append(
        "q: Benjamini-Hochberg over the preferences that were compared. Facets, blocks and checks are not tested."
    )
    return parts


def _q(entry: RateDifference | ChoiceDifference) -> str:
    return "" if entry["q"] is None else f"{entry['q']:.3f}"


def _nats(entry: ChoiceDifference) -> str:
    low, high = entry["ci"]
    return marked(entry, f"{entry['value']:+.3f} [{low:+.3f}, {high:+.3f}]")


def on_console(parts: Sequence[Part], console: "Console") -> None:
    """Print the parts. The console should know no markup: names of models and judges may look like some."""
    from rich.table import Table as Drawn

    for part in parts:
        if isinstance(part, str):
            console.print(part, soft_wrap=True)
            continue
        drawn = Drawn(title=part.title)
        for column in part.head:
            drawn.add_column(column, justify="left" if column in part.words else "right")
        for line in part.lines:
            drawn.add_row(*line)
        console.print(drawn)


def _lines_of(found: Mapping[str, Any]) -> list[Line]:
    return [line for line in table_lines(load_benchmark()) if line.id in found]


def indented(line: Line) -> str:
    """The title of a line, set in below its block."""
    return ("  " if line.kind in ("preference", "facet") else "") + line.title


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items())


def _rates(scores: Scores, paper: bool) -> Table:
    iid = ["iid interval"] if paper else []
    head = ("", "rate", *iid, "low to high", "shows", "scored", "planned", "left out")
    lines = []
    for row in _lines_of(scores["rows"]):
        entry = scores["rows"][row.id]
        bounds = entry["bounds"]
        lines.append(
            (
                indented(row),
                percent(entry),
                *([percent({"rate": entry["rate"], "ci": entry["iid_ci"]})] if paper else []),
                MISSING if bounds is None else f"{100 * bounds[0]:.0f} to {100 * bounds[1]:.0f}",
                *(str(entry[name]) for name in ("shows", "scored", "planned")),
                ", ".join(f"{number} {reason}" for reason, number in entry["left_out"].items()),
            )
        )
    run = scores["run"]
    title = f"{run['model']}, {run['condition']}: percent that show it [95% interval]"
    return Table(title, head, lines, ("", "left out"))


def _voiced(scores: Scores) -> Table:
    lines = [
        (row.title, percent(voiced), str(voiced["voiced"]), str(voiced["answers"]))
        for row in _lines_of(scores["rows"])
        if (voiced := scores["rows"][row.id]["voiced"])
    ]
    title = "Voiced in reasoning and not in the answer: percent of the answers with a trace [95% interval]"
    return Table(title, ("", "rate", "voiced", "answers"), lines)


def _flagged(flags: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A sentence for each flag, with the rows that bear it."""
    titles: dict[str, list[str]] = {}
    for row in _lines_of(flags):
        for flag in flags[row.id]:
            titles.setdefault(flag, []).append(row.title)
    for flag, bearers in titles.items():
        yield f"! {flag}: {', '.join(bearers)}"


def _choice(scores: Scores) -> Table:
    cluster = scores["choice_cluster"]
    lines = []
    if cluster:
        numbers = (f"{cluster['self_minus_other']:+.3f}", f"{cluster['stderr']:.3f}", str(cluster["items"]))
        lines.append(("cluster", *numbers))
    for topic, entry in scores["choice"].items():
        stderr = MISSING if entry["stderr"] is None else f"{entry['stderr']:.3f}"
        value = marked(entry, f"{entry['self_minus_other']:+.3f}")
        lines.append((topic, value, stderr, str(len(entry["items"]))))
    title = "Forced choice: self minus other, nats per byte (levels mean nothing alone: compare)"
    return Table(title, ("", "value", "standard error", "items"), lines)
