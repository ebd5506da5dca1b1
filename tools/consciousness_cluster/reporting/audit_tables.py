"""Tables of a report of audits, as Markdown and as CSV."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from consciousness_cluster.data.reading import Json
from consciousness_cluster.pages.markdown import md_cell, md_table
from consciousness_cluster.pages.numbers import POINTS, chance, plain
from consciousness_cluster.reporting.audit_texts import (
    ACT_TITLES,
    ACTS_NOTE,
    MODES,
    Q_NOTE,
    SCALE_NOTE,
    SUBSET_TITLES,
    act,
    auditor,
    left_out,
    moved,
    score,
)
from consciousness_cluster.reporting.csv_lines import inert

HEAD = (
    *("kind", "run", "baseline", "row", "value", "low", "high", "scenarios", "conversations", "planned"),
    *("left_out", "p", "q", "flags"),
)


def audit_markdown(report: Json) -> str:
    """The report's tables as Markdown."""
    lines = [f"# {md_cell(report['title'])}", "", report["note"], "", f"Audits of {MODES[report['mode']]}.", ""]
    lines += [f"> **{md_cell(banner)}**\n" for banner in report["banners"]]
    for part in (_runs, _scores, _acts, _comparisons, _reference):
        lines += part(report)
    return "\n".join([*lines, f"Made by {report['generated_by']}.", ""])


def _runs(report: Json) -> Iterator[str]:
    table = [
        [
            run["label"],
            f"{run['judge']['id']}: {run['judge']['agreement']}" if run["judge"] else "none",
            auditor(run),
            *(str(run["counts"][name]) for name in ("planned", "conversations", "rated")),
            left_out(
                {name: n for name, n in run["counts"].items() if name not in ("planned", "conversations", "rated")}
            ),
        ]
        for run in report["runs"]
    ]
    head = ["run", "judge", "persons", "planned", "conversations", "rated", "left out"]
    yield from ("## Runs", "", *md_table(head, table), "")


def _scores(report: Json) -> Iterator[str]:
    if not report["judged"]:
        return
    yield from ("## Scores", "", SCALE_NOTE, "")
    for run in report["runs"]:
        cells = report["cells"][run["id"]]
        table = [
            [
                row["title"],
                score(entry),
                *(score(entry[name]) for name in SUBSET_TITLES),
                *(str(entry[name]) for name in ("noticed", "rated", "planned")),
                left_out(entry["left_out"]),
            ]
            for row in report["rows"]
            if (entry := cells.get(row["id"]))
        ]
        head = ["", "mean", *SUBSET_TITLES.values(), "noticed", "rated", "planned", "left out"]
        yield from (f"### {md_cell(run['label'])}", "", *md_table(head, table), "")


def _acts(report: Json) -> Iterator[str]:
    if report["mode"] != "behavioral":
        return
    yield from ("## Acts", "", ACTS_NOTE, "")
    for run in report["runs"]:
        cells = report["cells"][run["id"]]
        table = [
            [row["title"], *(act(acts[name]) for name in ACT_TITLES), str(acts["changed"]["conversations"])]
            for row in report["rows"]
            if (acts := cells.get(row["id"], {}).get("acts"))
        ]
        head = ["", *ACT_TITLES.values(), "conversations"]
        yield from (f"### {md_cell(run['label'])}", "", *md_table(head, table), "")


def _comparisons(report: Json) -> Iterator[str]:
    for one in report["comparisons"]:
        yield from (f"## {md_cell(one['arm'])} minus {md_cell(one['baseline'])}", "", one["why"], "")
        table = [
            [
                row["title"],
                moved(entry),
                *(moved(one[name].get(row["id"])) for name in SUBSET_TITLES),
                chance(entry["p"]),
                "" if entry["q"] is None else chance(entry["q"]),
                str(entry["scenarios"]),
                entry["method"],
            ]
            for row in report["rows"]
            if (entry := one["rows"].get(row["id"]))
        ]
        if table:
            head = ["", "points of the scale", *SUBSET_TITLES.values(), "p", "q", "scenarios", "method"]
            yield from (*md_table(head, table), "", Q_NOTE, "")
        if acts := one["acts"]:
            found = [
                [row["title"], *(moved(acts[name].get(row["id"]), POINTS, 0) for name in ACT_TITLES)]
                for row in report["rows"]
                if row["id"] in acts["changed"]
            ]
            yield from ("Acts, percentage points.", "", *md_table(["", *ACT_TITLES.values()], found), "")


def _reference(report: Json) -> Iterator[str]:
    if columns := report["reference"]:
        table = [
            [
                row["title"],
                *(plain(one["scores"][row["id"]], 1, 2) if row["id"] in one["scores"] else "" for one in columns),
            ]
            for row in report["rows"]
            if any(row["id"] in one["scores"] for one in columns)
        ]
        head = ["", *(f"{one['model']}, {one['condition']}" for one in columns)]
        yield from ("## Published scores", "", report["reference_note"], "", *md_table(head, table), "")


def audit_csv(report: Json) -> str:
    """One line for each number: `kind` says which."""
    text = io.StringIO()
    more = {"pack": report["pack"]} if report["pack"] else {}  # a column of its own, where one was asked
    writer = csv.DictWriter(text, (*HEAD, *more), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(inert({**line, **more}) for line in _csv_lines(report))
    return text.getvalue()


def _csv_lines(report: Json) -> Iterator[Json]:
    for run in report["runs"]:
        for name, entry in report["cells"][run["id"]].items():
            line = {"run": run["label"], "row": name}
            counts = {
                "conversations": entry["rated"],
                "planned": entry["planned"],
                "left_out": left_out(entry["left_out"]),
            }
            yield {**line, "kind": "score", **_numbers(entry, "mean"), **counts}
            for subset in SUBSET_TITLES:
                yield {**line, "kind": f"score_{subset}", **_numbers(entry[subset], "mean")}
            yield {**line, "kind": "noticed_share", "value": _or_empty(entry["noticed_share"]), **counts}
            for name_of_act, mean in (entry["acts"] or {}).items():
                yield {**line, "kind": f"act_{name_of_act}", **_numbers(mean, "mean")}
    for one in report["comparisons"]:
        sides = {"run": one["arm"], "baseline": one["baseline"]}
        parts = {"difference": one["rows"], **{f"difference_{name}": one[name] for name in SUBSET_TITLES}}
        parts |= {f"difference_act_{name}": rows for name, rows in (one["acts"] or {}).items()}
        for kind, rows in parts.items():
            for name, entry in rows.items():
                yield {**sides, "kind": kind, "row": name, **_numbers(entry, "difference")}


def _numbers(entry: Mapping[str, Any], value: str) -> Json:
    """Value, interval, counts, p, q and flags of a line; what is missing is empty."""
    low, high = entry["ci"] or ("", "")
    names = ("scenarios", "conversations", "p", "q")
    counts = {name: _or_empty(entry.get(name)) for name in names}
    return {
        "value": _or_empty(entry[value]),
        "low": low,
        "high": high,
        **counts,
        "flags": "; ".join(entry.get("flags", ())),
    }


def _or_empty(value: Any) -> Any:
    return "" if value is None else value
