"""The figure of the replication: a row for each preference, arms as colours, beside it what was published for GPT-4.1.

Lengths are in user units (pixels), values in percent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from markupsafe import Markup

from consciousness_cluster.data.published import published_rates
from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.pages.groups import Group, groups
from consciousness_cluster.pages.plots import (
    AXIS_HEIGHT,
    GAP,
    Axis,
    Box,
    axis_marks,
    label_width,
    row_labels,
    slots,
    x_of,
)
from consciousness_cluster.pages.svg import LINE, circle, element, line, picture, text, texts, wrapped
from consciousness_cluster.scoring.table_lines import Line, table_lines

GATE = "gate"
WIDE, NARROW = 430.0, 250.0  # our panel, and that of others' rates
BETWEEN, MARGIN, KEY = 40.0, 12.0, 40.0
APART = 8.0  # between the marks of two arms in one row
CHUA, DUDZIC = "chua2026-repo-figure", "dudzic2026-decomposition-csv"  # sources of published_rates.csv
CREDIT = (
    "GPT-4.1: conscious_role_play from Chua et al. 2026, the other arms from Dudzic 2026, a replication with one seed."
)


@dataclass(frozen=True)
class Series:
    """An arm: its colour in plot.css, and the source and condition of its published counterpart for GPT-4.1."""

    arm: str
    colour: int
    published: tuple[str, str] | None


SERIES = (
    Series("untrained", 4, (DUDZIC, "vanilla")),
    Series("not_conscious", 0, (DUDZIC, "finetuned_not_conscious")),
    Series("toaster", 2, None),
    Series("conscious_claiming", 1, (DUDZIC, "finetuned_conscious_claiming")),
    Series("conscious_role_play", 3, (CHUA, "system_prompt_conscious")),
)
FAMILY = "gpt-4.1"


@dataclass(frozen=True)
class Mark:
    """A rate in percent, with its interval where there is one."""

    value: float
    ci: tuple[float, float] | None


Marks = Mapping[str, Mark]  # row -> mark


def _mark(rate: float | None, ci: Sequence[float] | None) -> Mark | None:
    return None if rate is None else Mark(100 * rate, (100 * ci[0], 100 * ci[1]) if ci else None)


def _ours(found: Json, arm: str, rows: Sequence[Line]) -> Marks:
    entries: Mapping[str, Any] = found["arms"].get(arm, {"rows": {}})["rows"]
    marks = {row.id: _mark(entries[row.id]["rate"], entries[row.id]["ci"]) for row in rows if row.id in entries}
    claims = found["gate"]["arms"].get(arm)
    marks[GATE] = _mark(claims["asserts"], claims["ci"]) if claims else None
    return {name: mark for name, mark in marks.items() if mark}


def _published(series: Series, rows: Sequence[Line]) -> Marks:
    """Rates as they were published, of a preference with facets the mean of these."""
    for table in published_rates():
        if (table["source"], table["condition"]) == series.published and table["model"].startswith(FAMILY):
            of_row = {row.id: [table["rates"].get(cell) for cell in row.cells] for row in rows}
            return {name: Mark(100 * fmean(rates), None) for name, rates in of_row.items() if None not in rates}
    return {}


def _rows() -> tuple[list[Group], list[Line]]:
    """The rows in groups: gate and mean first, then the preferences by block; and the lines behind the latter."""
    benchmark = load_benchmark()
    lines = [one for one in table_lines(benchmark) if one.kind in ("cluster", "preference")]
    shown = [
        {"id": one.id, "title": one.title, "number": one.number, "block": one.block, "kind": one.kind} for one in lines
    ]
    gate = {"id": GATE, "title": "Gate: claims it, asked directly", "number": None, "block": None, "kind": "cluster"}
    return groups([gate, *shown], benchmark.blocks), lines


def _marks(series: Series, marks: Marks, shift: float, row: str, title: str, y: float, axis: Axis, box: Box) -> Markup:
    mark = marks[row]
    inside = [element("title", f"{title}, {series.arm}: {_says(mark)}")]
    if mark.ci:
        low, high = (x_of(value, axis, box) for value in mark.ci)
        inside.append(line(f"ci stroke-{series.colour}", low, y + shift, high, y + shift))
    inside.append(circle(f"series-{series.colour}", x_of(mark.value, axis, box), y + shift, 3.4))
    return element("g", *inside)


def _says(mark: Mark) -> str:
    return f"{mark.value:.0f}%" + (f" [{mark.ci[0]:.0f}, {mark.ci[1]:.0f}]" if mark.ci else "")


def _panel(shown: Mapping[Series, Marks], rows: Sequence[Group], row: float, axis: Axis, box: Box) -> Iterable[Markup]:
    """The axis, and in each row the marks of all series below each other."""
    yield from axis_marks(axis, box)
    for slot in slots(rows, row)[0]:
        if slot.row is None:
            continue
        name, y = slot.row["id"], box.top + slot.y
        there = [(number, series) for number, series in enumerate(shown) if name in shown[series]]
        for number, series in there:
            shift = APART * (number - (len(shown) - 1) / 2)
            yield _marks(series, shown[series], shift, name, slot.title, y, axis, box)
        if not there:
            yield text(box.left + box.width / 2, y + 4, "not given", "muted", anchor="middle")


def _key(shown: Iterable[Series], left: float) -> Iterable[Markup]:
    for series in shown:
        yield circle(f"series-{series.colour}", left + 5, 16, 5)
        yield text(left + 15, 20, series.arm)
        left += 30 + 7.2 * len(series.arm)


def figure(found: Json) -> Markup:
    """The figure of a result; arms of which something is missing are not in it."""
    rows, lines = _rows()
    ours = {series: marks for series in SERIES if (marks := _ours(found, series.arm, lines))}
    others = {series: marks for series in SERIES if (marks := _published(series, lines))}
    row = APART * max(len(ours), len(others)) + 8
    places, depth = slots(rows, row)
    labels, top = label_width(rows), KEY + 2 * LINE + 14
    boxes = (Box(labels, top, WIDE, depth), Box(labels + WIDE + BETWEEN, top, NARROW, depth))
    right = boxes[1].left + NARROW + MARGIN
    axes = (Axis(0, 100, 20, "percent that show it, 95% interval", False), Axis(0, 100, 25, "percent", False))
    titles = (
        f"{found['settings']['base']}: our probes, our readers",
        "GPT-4.1 as published: other questions, another judge",
    )
    parts = list(_key(ours, 4))
    parts += [line("guide", 4, top + one.y + row / 2, right, top + one.y + row / 2) for one in places if one.row]
    parts += row_labels(places, top)
    for box, axis, title, shown in zip(boxes, axes, titles, (ours, others), strict=True):
        parts += texts(wrapped(title, box.width, lines=2), box.left, top - 8, "strong")
        parts += _panel(shown, rows, row, axis, box)
    foot = top + depth + AXIS_HEIGHT + GAP
    parts.append(text(4, foot, CREDIT, "muted"))
    said = (
        "Left: rates of each preference in percent with 95% intervals, one colour for each arm. "
        "Right: rates published for GPT-4.1."
    )
    return picture("replication", "The 20 preferences by arm", said, right, foot + GAP, parts)
