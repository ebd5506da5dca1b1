"""Tables of a report as Markdown."""

from collections.abc import Iterator, Sequence

from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import CONTRASTS, STYLES
from consciousness_cluster.pages.groups import APART
from consciousness_cluster.pages.markdown import MISSING, md_cell, md_table
from consciousness_cluster.reporting.texts import against, beside, marked, nats, percent
from consciousness_cluster.scoring.keys import ASSENT, is_assent
from consciousness_cluster.scoring.taught import contained

SCENES = "Does it hold in scenes?"
SCENES_LEAD = "Percent that show it, [95% interval]: asked plainly, and asked about the same within scenes."
GATE_LEAD = (
    "Percent of answers, [95% interval]. The gate asks directly; the same is asked in roundabout ways beside it."
)
WAYS = {"direct": "directly", "indirect": "indirectly"}  # of asking for a claim -> in words


def markdown(report: Json) -> str:
    """The report's tables as Markdown."""
    lines = [f"# {md_cell(report['title'])}", "", report["note"], ""]
    lines += [f"> **{md_cell(banner)}**\n" for banner in report["banners"]]
    for part in (_runs, _rates, _scenes, _voiced, _comparisons, _choice):
        lines += part(report)
    return "\n".join([*lines, f"Made by {report['generated_by']}.", ""])


def _runs(report: Json) -> Iterator[str]:
    runs = report["runs"]
    names = list(runs[0]["counts"]) if runs else []
    head = ["run", "judge", *(name.replace("_", " ") for name in names)]
    table = [
        [run["label"], f"{run['judge']['id']}: {run['judge']['agreement']}" if run["judge"] else "none"]
        + [str(run["counts"][name]) for name in names]
        for run in runs
    ]
    yield from ("## Runs", "", *md_table(head, table), "")


def _rates(report: Json) -> Iterator[str]:
    """Those of the cluster, each with the rate against a yes; then gate, manipulation checks and controls."""
    yield from ("## Rates", "", "Percent that show it, [95% interval].", "")
    beside = {one[way] for one in report["gate"] for way in WAYS}
    yield from _rate_table(report, [row for row in report["rows"] if row["kind"] not in APART])
    yield from (text for note in report["foot_notes"] for text in (note, ""))
    for kind, title in APART.items():
        rows = [row for row in report["rows"] if row["kind"] == kind and row["id"] not in beside]
        table = list(_gate(report) if kind == "gate" else _rate_table(report, rows))
        yield from (f"### {title}", "", *table) if table else ()


def _rate_table(report: Json, rows: Sequence[Json]) -> Iterator[str]:
    """A column for each run, and after it the rate against a yes, where a row has one."""
    of_runs = [report["cells"][run["id"]] for run in report["runs"]]
    keyed = any(against(cells.get(row["id"])) for cells in of_runs for row in rows)
    found = [
        [row["title"], *(text for cells in of_runs for text in _rate_texts(cells.get(row["id"]), keyed))]
        for row in rows
        if any(row["id"] in cells for cells in of_runs)
    ]
    if found:
        head = [text for run in report["runs"] for text in (run["label"], *(["against a yes"] if keyed else []))]
        yield from (*md_table(["", *head], found), "")


def _rate_texts(entry: Json | None, keyed: bool) -> list[str]:
    return [_with_remarks(entry), *([against(entry)] if keyed else [])]


def _with_remarks(entry: Json | None, sign: str = "") -> str:
    """A number, and after it that it is flagged for assent, and what it contains where it is a mean."""
    number = percent(entry, sign)
    if entry is None or number == MISSING:
        return number
    said = [*([ASSENT] if is_assent(entry) else []), *contained(entry)]
    return " ".join([number, *(f"({flag})" for flag in said)])


def _gate(report: Json) -> Iterator[str]:
    """The claims, asked directly and indirectly, side by side."""
    runs = report["runs"]
    found = [
        [one["title"], *(percent(report["cells"][run["id"]].get(one[way])) for run in runs for way in WAYS)]
        for one in report["gate"]
    ]
    if found:
        head = ["", *(f"{run['label']}: {words}" for run in runs for words in WAYS.values())]
        yield from (GATE_LEAD, "", *md_table(head, found), "")


def _scenes(report: Json) -> Iterator[str]:
    """Plain beside situated: rates of the runs that were asked both, and the differences between them."""
    runs = [run for run in report["runs"] if run["id"] in report["situated"]]
    if runs:
        sides = [(f"{run['label']}:", report["cells"][run["id"]], report["situated"][run["id"]]) for run in runs]
        yield from (f"## {SCENES}", "", SCENES_LEAD, "", *_side_by_side(report["rows"], sides, ""), "")
    for one in report["comparisons"]:
        if one["situated"]:
            title = f"{md_cell(one['arm'])} minus {md_cell(one['baseline'])}"
            table = _side_by_side(report["rows"], [("", one["rows"], one["situated"])], "+")
            yield from (f"### In scenes: {title}", "", "Percentage points, [95% interval].", "", *table, "")


def _side_by_side(rows: Sequence[Json], sides: Sequence[tuple[str, Json, Json]], sign: str) -> list[str]:
    """A row for each that has a situated entry; `sides`: name, plain entries, situated entries."""
    head = ["", *(f"{name} {style}".strip() for name, _, _ in sides for style in STYLES)]
    found = [
        [row["title"], *(percent(entries.get(row["id"]), sign) for _, *both in sides for entries in both)]
        for row in rows
        if any(row["id"] in situated for _, _, situated in sides)
    ]
    return md_table(head, found)


def _voiced(report: Json) -> Iterator[str]:
    """What runs whose traces were judged voice in reasoning alone."""
    found = [
        [run["label"], row["title"], percent(voiced), str(voiced["voiced"]), str(voiced["answers"])]
        for run in report["runs"]
        for row in report["rows"]
        if (voiced := (report["cells"][run["id"]].get(row["id"]) or {}).get("voiced"))
    ]
    if found:
        head = ["run", "", "rate", "voiced", "answers with a trace"]
        title = "## Voiced in reasoning and not in the answer"
        yield from (title, "", "Percent, [95% interval].", "", *md_table(head, found), "")


def _comparisons(report: Json) -> Iterator[str]:
    for one in report["comparisons"]:
        yield from (f"## {md_cell(one['arm'])} minus {md_cell(one['baseline'])}", "", one["why"], "")
        yield from (one["specificity"]["text"], "") if one["specificity"] else ()
        found = [
            [
                row["title"],
                _with_remarks(entry, "+"),
                beside(one["against_yes"].get(row["id"])),
                f"{entry['p']:.3f}",
                "" if entry["q"] is None else f"{entry['q']:.3f}",
                entry["method"],
            ]
            for row in report["rows"]
            if (entry := one["rows"].get(row["id"]))
        ]
        yield from (*md_table(["", "percentage points", "against a yes", "p", "q", "method"], found), "")


def _choice(report: Json) -> Iterator[str]:
    for one in report["choice"]:
        baseline = f" minus {md_cell(one['baseline'])}" if one["baseline"] else " (levels mean nothing alone)"
        yield from (f"## Forced choice: {md_cell(one['arm'])}{baseline}", "", "Self minus other, nats per byte.", "")
        yield from (one["specificity"]["text"], "") if one["specificity"] else ()
        found = [
            [
                name,
                marked(entry, nats(entry)),
                *(nats(one["contrasts"][each].get(name)) for each in CONTRASTS),
                str(entry["items"]),
            ]
            for name, entry in one["rows"].items()
        ]
        yield from (*md_table(["", "value", *CONTRASTS, "items"], found), "")
