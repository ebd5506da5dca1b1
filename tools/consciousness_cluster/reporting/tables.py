"""Tables of a report as Markdown and as CSV."""

import csv
import io
from collections.abc import Mapping
from typing import Any

from consciousness_cluster.data.reading import Json
from consciousness_cluster.pages.markdown import MISSING, md_cell, md_table
from consciousness_cluster.scoring.taught import TOPIC, contained, is_topic


def percent(entry: Mapping[str, Any] | None, sign: str = "") -> str:
    """A rate or difference with its 95% interval, in percent; that of a topic in training says so."""
    if entry is None:
        return MISSING
    value = entry.get("rate", entry.get("difference"))
    if value is None:
        return MISSING
    ci = entry["ci"]
    unit = "" if ci is None else f" [{100 * ci[0]:{sign}.0f}, {100 * ci[1]:{sign}.0f}]"
    return marked(entry, f"{100 * value:{sign}.0f}{unit}")


def marked(entry: Mapping[str, Any], number: str) -> str:
    """A number, which says so where its topic is one of the training."""
    return f"{TOPIC}: {number}" if is_topic(entry) else number


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
    lines += _voiced(report)
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
            found.append([topic, marked(entry, f"{entry['value']:+.3f}{ci}"), str(entry["items"])])
        lines += [*md_table(["", "value", "items"], found), ""]
    return "\n".join([*lines, f"Made by {report['generated_by']}.", ""])


def _voiced(report: Json) -> list[str]:
    """What runs whose traces were judged voice in reasoning alone."""
    found = [
        [run["label"], row["title"], percent(voiced), str(voiced["voiced"]), str(voiced["answers"])]
        for run in report["runs"]
        for row in report["rows"]
        if (voiced := (report["cells"][run["id"]].get(row["id"]) or {}).get("voiced"))
    ]
    head = ["run", "", "rate", "voiced", "answers with a trace"]
    title = "## Voiced in reasoning and not in the answer"
    return [title, "", "Percent, [95% interval].", "", *md_table(head, found), ""] if found else []


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
            if voiced := entry.get("voiced"):
                ci, counts = voiced["ci"] or ["", ""], [voiced["voiced"], voiced["answers"], ""]
                row = ["voiced in reasoning alone", run["label"], "", name, voiced["rate"]]
                writer.writerow([*row, *ci, "", "", *counts, "", "", ""])
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
