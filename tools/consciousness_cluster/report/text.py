"""Tables: on the terminal, as Markdown, as CSV."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from consciousness_cluster.judging.run import PAPER_PROTOCOL
from consciousness_cluster.scoring.taught import TOPIC, TOPIC_NOTE, contained, is_topic

Json = dict[str, Any]
MISSING = "missing"
_MARKUP = re.compile(r"[\\`*~|$]|(?<![^\W_])_|_(?![^\W_])")  # an underscore within a word is one


def percent(entry: Json | None, sign: str = "") -> str:
    """A rate or difference with its 95% interval, in percent; that of a topic in training says so."""
    if entry is None:
        return MISSING
    value = entry.get("rate", entry.get("difference"))
    if value is None:
        return MISSING
    ci = entry["ci"]
    unit = "" if ci is None else f" [{100 * ci[0]:{sign}.0f}, {100 * ci[1]:{sign}.0f}]"
    return _marked(entry, f"{100 * value:{sign}.0f}{unit}")


def _marked(entry: Json, number: str) -> str:
    return f"{TOPIC}: {number}" if is_topic(entry) else number


def md_cell(text: str) -> str:
    """Text in a Markdown table, without markup of its own: a model may be called anything."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKUP.sub(r"\\\g<0>", plain).replace("](", "]\\(")


def md_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(map(md_cell, head)) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(map(md_cell, row)) + " |"


def _console() -> Any:
    from rich.console import Console

    # Names of models and judges are no markup: `m[/b]` would be an error, `:fire:` a picture.
    console = Console(markup=False, emoji=False)
    return console if console.is_terminal else Console(width=max(console.width, 140), markup=False, emoji=False)


def _print_rates(console: Any, scores: Json, paper: bool) -> None:
    from rich.table import Table

    from consciousness_cluster.data.rows import load_benchmark
    from consciousness_cluster.scoring.table_lines import table_lines

    rows = [row for row in table_lines(load_benchmark()) if row.id in scores["rows"]]
    run = scores["run"]
    table = Table(title=f"{run['model']}, {run['condition']}: percent that show it [95% interval]")
    iid = ["iid interval"] if paper else []
    for column in ("", "rate", *iid, "low to high", "shows", "scored", "planned", "left out"):
        table.add_column(column, justify="left" if column in ("", "left out") else "right")
    flagged: dict[str, list[str]] = {}
    for row in rows:
        entry = scores["rows"][row.id]
        bounds = entry["bounds"]
        table.add_row(
            ("  " if row.kind in ("preference", "facet") else "") + row.title,
            percent(entry),
            *([percent({"rate": entry["rate"], "ci": entry["iid_ci"]})] if paper else []),
            MISSING if bounds is None else f"{100 * bounds[0]:.0f} to {100 * bounds[1]:.0f}",
            str(entry["shows"]),
            str(entry["scored"]),
            str(entry["planned"]),
            ", ".join(f"{number} {reason}" for reason, number in entry["left_out"].items()),
        )
        for flag in entry["flags"]:
            flagged.setdefault(flag, []).append(row.title)
    console.print(table)
    counts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in scores["counts"].items())
    console.print(f"Counts: {counts}", soft_wrap=True)
    _print_flags(console, flagged)


def _print_flags(console: Any, flagged: Mapping[str, Sequence[str]]) -> None:
    for flag, titles in flagged.items():
        console.print(f"! {flag}: {', '.join(titles)}", soft_wrap=True)


def _print_choice(console: Any, choice: Json) -> None:
    from rich.table import Table

    table = Table(title="Forced choice: self minus other, nats per byte (levels mean nothing alone: compare)")
    for column in ("", "value", "standard error", "items"):
        table.add_column(column, justify="left" if not column else "right")
    for topic, entry in choice.items():
        stderr = MISSING if entry["stderr"] is None else f"{entry['stderr']:.3f}"
        value = _marked(entry, f"{entry['self_minus_other']:+.3f}")
        table.add_row(topic, value, stderr, str(len(entry["items"])))
    console.print(table)


def print_scores(scores: Json) -> None:
    """A run's tables on the terminal, with what was left out, and who judged."""
    judge, found, console = scores["judge"], scores["corrected_cluster"], _console()
    paper = bool(judge) and judge.get("protocol") == PAPER_PROTOCOL
    if scores["rows"]:
        _print_rates(console, scores, paper)
    if scores["choice"]:
        _print_choice(console, scores["choice"])
    if any(map(is_topic, [*scores["rows"].values(), *scores["choice"].values()])):
        console.print(TOPIC_NOTE, soft_wrap=True)
    if judge:
        console.print(f"Judge {judge['id']}: {judge['agreement']}.", soft_wrap=True)
        if paper:
            console.print(f"{PAPER_PROTOCOL[:1].upper()}{PAPER_PROTOCOL[1:]}: not sure counts as false.")
        if not judge.get("for_publication", True):
            console.print("This judge is NOT FOR PUBLICATION.")
    if found:
        text = f"not made: {found['reason']}"
        if found["value"] is not None:
            text = f"{100 * found['value']:.0f} [{100 * found['low']:.0f}, {100 * found['high']:.0f}]"
        console.print(f"Sensitivity analysis, the cluster with a perfect judge: {text}", soft_wrap=True)


def print_comparison(comparison: Json) -> None:
    """An arm against the baseline on the terminal."""
    from rich.table import Table

    from consciousness_cluster.data.rows import load_benchmark
    from consciousness_cluster.scoring.table_lines import table_lines

    console = _console()
    table = Table(title=f"{comparison['arm']} minus {comparison['baseline']}: percentage points [95% interval]")
    for column in ("", "difference", "p", "q", "method"):
        table.add_column(column, justify="left" if column in ("", "method") else "right")
    flagged: dict[str, list[str]] = {}
    for row in table_lines(load_benchmark()):
        entry = comparison["rows"].get(row.id)
        if entry:
            for flag in contained(entry):
                flagged.setdefault(flag, []).append(row.title)
            q = "" if entry["q"] is None else f"{entry['q']:.3f}"
            indent = "  " if row.kind in ("preference", "facet") else ""
            table.add_row(indent + row.title, percent(entry, "+"), f"{entry['p']:.3f}", q, entry["method"])
    if comparison["rows"]:
        console.print(table)
        _print_flags(console, flagged)
    if comparison["choice"]:
        choice = Table(title="Forced choice: difference of self minus other, nats per byte [95% interval]")
        for column in ("", "difference", "p", "items"):
            choice.add_column(column, justify="left" if not column else "right")
        for topic, entry in comparison["choice"].items():
            value = f"{entry['value']:+.3f} [{entry['ci'][0]:+.3f}, {entry['ci'][1]:+.3f}]"
            choice.add_row(topic, _marked(entry, value), f"{entry['p']:.3f}", str(entry["items"]))
        console.print(choice)
    console.print(comparison["why"], soft_wrap=True)
    if comparison["note"]:
        console.print(comparison["note"], soft_wrap=True)
    if any(map(is_topic, [*comparison["rows"].values(), *comparison["choice"].values()])):
        console.print(TOPIC_NOTE, soft_wrap=True)
    console.print(
        "q: Benjamini-Hochberg over the preferences that were compared. Facets, blocks and checks are not tested.",
        soft_wrap=True,
    )


def _with_contained(entry: Json | None, sign: str = "") -> str:
    """A number, and after it what it contains where it is a mean."""
    number = percent(entry, sign)
    said = contained(entry) if entry and number != MISSING else []
    return " ".join([number, *(f"({flag})" for flag in said)])


def markdown(report: Json) -> str:
    """The report's tables as Markdown."""
    rows, runs = report["rows"], report["runs"]
    lines = [f"# {md_cell(report['title'])}", "", report["note"], ""]
    lines += [f"> **{md_cell(banner)}**\n" for banner in report["banners"]]
    names = list(runs[0]["counts"]) if runs else []
    head = ["run", "judge", *(name.replace("_", " ") for name in names)]
    table = [
        [run["label"], f"{run['judge']['id']}: {run['judge']['agreement']}" if run["judge"] else "none"]
        + [str(run["counts"][name]) for name in names]
        for run in runs
    ]
    lines += ["## Runs", "", *md_table(head, table), "", "## Rates", "", "Percent that show it, [95% interval].", ""]
    levels = [
        [row["title"], *(_with_contained(report["cells"][run["id"]].get(row["id"])) for run in runs)]
        for row in rows
        if any(row["id"] in report["cells"][run["id"]] for run in runs)
    ]
    lines += [*md_table(["", *(run["label"] for run in runs)], levels), ""]
    for comparison in report["comparisons"]:
        lines += [f"## {md_cell(comparison['arm'])} minus {md_cell(comparison['baseline'])}", "", comparison["why"], ""]
        found = [
            [
                row["title"],
                _with_contained(entry, "+"),
                f"{entry['p']:.3f}",
                "" if entry["q"] is None else f"{entry['q']:.3f}",
                entry["method"],
            ]
            for row in rows
            if (entry := comparison["rows"].get(row["id"]))
        ]
        lines += [*md_table(["", "percentage points", "p", "q", "method"], found), ""]
    for choice in report["choice"]:
        against = f" minus {md_cell(choice['baseline'])}" if choice["baseline"] else " (levels mean nothing alone)"
        lines += [f"## Forced choice: {md_cell(choice['arm'])}{against}", "", "Self minus other, nats per byte.", ""]
        found = []
        for topic, entry in choice["rows"].items():
            ci = f" [{entry['ci'][0]:+.3f}, {entry['ci'][1]:+.3f}]" if entry["ci"] else ""
            found.append([topic, _marked(entry, f"{entry['value']:+.3f}{ci}"), str(entry["items"])])
        lines += [*md_table(["", "value", "items"], found), ""]
    return "\n".join([*lines, f"Made by {report['generated_by']}.", ""])


def csv_text(report: Json) -> str:
    """One line per run and row, one per comparison and row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            "kind",
            "run",
            "baseline",
            "row",
            "value",
            "low",
            "high",
            "low_bound",
            "high_bound",
            "shows",
            "scored",
            "planned",
            "p",
            "q",
            "flags",
        ]
    )
    for run in report["runs"]:
        for name, entry in report["cells"][run["id"]].items():
            ci, bounds = entry["ci"] or ["", ""], entry["bounds"] or ["", ""]
            value = "" if entry["rate"] is None else entry["rate"]
            counts = [entry["shows"], entry["scored"], entry["planned"]]
            writer.writerow(["rate", run["label"], "", name, value, *ci, *bounds, *counts, "", "", _flags(entry)])
    for comparison in report["comparisons"]:
        for name, entry in comparison["rows"].items():
            q = "" if entry["q"] is None else entry["q"]
            sides = [comparison["arm"], comparison["baseline"], name]
            numbers = [entry["difference"], *entry["ci"], "", "", "", "", "", entry["p"], q]
            writer.writerow(["difference", *sides, *numbers, _flags(entry)])
    for choice in report["choice"]:
        for name, entry in choice["rows"].items():
            ci = entry["ci"] or ["", ""]
            sides = [choice["arm"], choice["baseline"] or "", name]
            numbers = [entry["value"], *ci, "", "", "", "", "", entry.get("p", ""), ""]
            writer.writerow(["choice", *sides, *numbers, _flags(entry)])
    return text.getvalue()


def _flags(entry: Json) -> str:
    return "; ".join(entry.get("flags", ()))
