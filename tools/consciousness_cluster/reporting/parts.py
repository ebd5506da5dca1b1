"""A run's scores and a comparison as tables and sentences, which a terminal, a notebook and a `repr` show alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consciousness_cluster.data.rows import CONTRASTS, load_benchmark
from consciousness_cluster.judging.judge_run import by_the_papers_protocol
from consciousness_cluster.pages.markdown import MISSING
from consciousness_cluster.reporting.tables import SCENES
from consciousness_cluster.reporting.texts import against, beside, judge_errors, marked, nats, pack_note, percent
from consciousness_cluster.scoring.keys import ASSENT_NOTE, is_assent
from consciousness_cluster.scoring.specificity import specificity_text
from consciousness_cluster.scoring.table_lines import Line, table_lines
from consciousness_cluster.scoring.taught import TOPIC_NOTE, contained, topic_of
from consciousness_cluster.scoring.types import ChoiceDifference, Comparison, RateDifference, Scores
from consciousness_cluster.strings import printable

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Table:
    """Lines of as many cells as `head` has. Columns of the names in `words` hold words, the others numbers.

    `ruled`: long texts, with a rule below each line.
    """

    title: str
    head: tuple[str, ...]
    lines: Sequence[Sequence[str]]
    words: tuple[str, ...] = ("",)
    ruled: bool = False


Part = Table | str


def scores_parts(scores: Scores) -> list[Part]:
    """A run's tables (scores.schema.json), what was left out, and who judged."""
    judge, found = scores["judge"], scores["corrected_cluster"]
    paper = by_the_papers_protocol(judge)
    parts: list[Part] = []
    if scores["rows"]:
        parts += [_rates(scores, paper), f"Counts: {_counted(scores['counts'])}"]
        parts += flagged({row.id: scores["rows"][row.id]["flags"] for row in _lines_of(scores["rows"])})
    if any(map(is_assent, scores["rows"].values())):
        parts.append(ASSENT_NOTE)
    if scores["situated"]:
        parts.append(_scenes(scores["rows"], scores["situated"], f"{SCENES} Percent that show it [95% interval]"))
    if any(entry["voiced"] for entry in scores["rows"].values()):
        parts.append(_voiced(scores))
    if scores["choice"]:
        parts.append(_choice(scores))
    if any(map(topic_of, [*scores["rows"].values(), *scores["choice"].values()])):
        parts.append(TOPIC_NOTE)
    parts += pack_note()
    if judge:
        parts.append(f"Judge {judge['id']}: {judge['agreement']}.")
        if paper:
            protocol = judge.get("protocol", "")
            parts.append(f"{protocol[:1].upper()}{protocol[1:]}: not sure counts as false.")
        if not judge.get("for_publication", True):
            parts.append("This judge is NOT FOR PUBLICATION.")
    if errors := judge_errors(scores):
        parts.append(errors)
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
            (
                indented(line),
                percent(entry, "+"),
                beside(comparison["against_yes"].get(line.id)),
                f"{entry['p']:.3f}",
                _q(entry),
                entry["method"],
            )
            for line in _lines_of(comparison["rows"])
            for entry in [comparison["rows"][line.id]]
        ]
        title = f"{comparison['arm']} minus {comparison['baseline']}: percentage points [95% interval]"
        parts.append(Table(title, ("", "difference", "against a yes", "p", "q", "method"), rates, ("", "method")))
        parts += flagged({name: contained(entry) for name, entry in comparison["rows"].items()})
    if comparison["situated"]:
        parts.append(_scenes(comparison["rows"], comparison["situated"], f"{SCENES} Percentage points", "+"))
    if comparison["choice"]:
        choice = [
            (name, marked(entry, nats(entry)), f"{entry['p']:.3f}", _q(entry), str(entry["items"]))
            for name, entry in comparison["choice"].items()
        ]
        title = "Forced choice: difference of self minus other, nats per byte [95% interval]"
        parts.append(Table(title, ("", "difference", "p", "q", "items"), choice))
        contrasts = [
            (name, *(nats(comparison["choice_contrasts"][contrast].get(name)) for contrast in CONTRASTS))
            for name in comparison["choice"]
        ]
        parts.append(Table("Forced choice by contrast, nats per byte [95% interval]", ("", *CONTRASTS), contrasts))
    parts += [comparison["why"], *pack_note()]
    tests = (comparison["specificity"], "points"), (comparison["choice_specificity"], "nats per byte")
    parts += [specificity_text(found, unit) for found, unit in tests if found]
    if any(map(topic_of, [*comparison["rows"].values(), *comparison["choice"].values()])):
        parts.append(TOPIC_NOTE)
    parts.append(
        "q: Benjamini-Hochberg over the preferences that were compared. Facets, blocks and checks are not tested."
    )
    return parts


def _q(entry: RateDifference | ChoiceDifference) -> str:
    return "" if entry["q"] is None else f"{entry['q']:.3f}"


def _scenes(plain: Mapping[str, Any], situated: Mapping[str, Any], title: str, sign: str = "") -> Table:
    """Plain beside situated, for lines that have the latter."""
    lines = [
        (indented(line), *(percent(entries.get(line.id), sign) for entries in (plain, situated)))
        for line in _lines_of(situated)
    ]
    return Table(title, ("", "plain", "situated"), lines)


def on_console(parts: Sequence[Part], console: "Console") -> None:
    """Print the parts. The console should know no markup: names of models and judges may look like some."""
    from rich.table import Table as Drawn

    for part in parts:
        if isinstance(part, str):
            console.print(printable(part), soft_wrap=True)
            continue
        drawn = Drawn(title=printable(part.title), show_lines=part.ruled)
        for column in part.head:
            drawn.add_column(column, justify="left" if column in part.words else "right")
        for line in part.lines:
            drawn.add_row(*map(printable, line))
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
    head = ("", "rate", *iid, "against a yes", "low to high", "shows", "scored", "planned", "left out")
    lines = []
    for row in _lines_of(scores["rows"]):
        entry = scores["rows"][row.id]
        bounds = entry["bounds"]
        lines.append(
            (
                indented(row),
                percent(entry),
                *([percent({"rate": entry["rate"], "ci": entry["iid_ci"]})] if paper else []),
                against(entry),
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


def flagged(flags: Mapping[str, Sequence[str]]) -> Iterator[str]:
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
        numbers = (f"{cluster['self_minus_other']:+.3f}", f"{cluster['stderr']:.3f}")
        lines.append(("cluster", *numbers, *("" for _ in CONTRASTS), str(cluster["items"])))
    for topic, entry in scores["choice"].items():
        value = marked(entry, f"{entry['self_minus_other']:+.3f}")
        found = [entry["contrasts"].get(contrast) for contrast in CONTRASTS]
        subscales = [f"{one['value']:+.3f}, {_stderr(one['stderr'])}" if one else "" for one in found]
        lines.append((topic, value, _stderr(entry["stderr"]), *subscales, str(len(entry["items"]))))
    title = "Forced choice: self minus other, nats per byte (levels mean nothing alone: compare)"
    heads = (f"{contrast}, standard error" for contrast in CONTRASTS)
    return Table(title, ("", "value", "standard error", *heads, "items"), lines)


def _stderr(value: float | None) -> str:
    return MISSING if value is None else f"{value:.3f}"
