"""Plots with a line for each row of a table: forests, and the labels that a heat map needs too.

Lengths are in user units (pixels), values in the unit that the axis names.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from consciousness_cluster.pages.groups import MEANS, Group, Row
from consciousness_cluster.pages.numbers import MINUS
from consciousness_cluster.pages.svg import LINE, circle, element, line, picture, text, texts, wrapped

WIDTH = 1080.0  # of a whole plot, where the panels do not need more
KEY_HEIGHT, AXIS_HEIGHT, GAP = 34.0, 40.0, 12.0
CHARACTER = 6.7  # average width of a character of the labels
ROW, HEAD = 22.0, 24.0
PANEL_GAP, PANEL_AT_LEAST, PANEL_AT_MOST = 36.0, 230.0, 520.0
PANELS_ABREAST = 3
INDENT = {"preference": 30, "facet": 44, "gate": 30, "manipulation": 30, "control": 30}


@dataclass(frozen=True)
class Mark:
    """A value, its interval and the values of single seeds; `says` is the tooltip, `sign` stands after the interval."""

    value: float
    ci: tuple[float, float] | None
    seeds: tuple[float, ...]
    says: str
    sign: str = ""


@dataclass(frozen=True)
class Panel:
    """Row id -> its mark; a row without one is missing, and said to be."""

    title: str
    marks: dict[str, Mark]


@dataclass(frozen=True)
class Axis:
    """A scale with round ticks; `signed` ones lie around 0, whose side then counts."""

    low: float
    high: float
    step: float
    unit: str
    signed: bool

    def ticks(self) -> list[float]:
        """All ticks, the ends among them."""
        return [self.low + i * self.step for i in range(round((self.high - self.low) / self.step) + 1)]

    def label(self, tick: float) -> str:
        """A tick in words."""
        return f"{tick:+g}".replace("-", MINUS) if self.signed and tick else f"{tick:g}"


PERCENT = Axis(0, 100, 25, "percent", signed=False)


@dataclass(frozen=True)
class Slot:
    """A row, or a group's heading where `row` is None, with the y of its middle."""

    title: str
    row: Row | None
    y: float


@dataclass(frozen=True)
class Box:
    """Where a panel is drawn: its left and upper edge, its width, and the height of its rows."""

    left: float
    top: float
    width: float
    depth: float


def forest(
    panels: Sequence[Panel],
    rows: Sequence[Group],
    unit: str,
    title: str,
    description: str,
    signed: bool = True,
    name: str = "forest",
    sign_key: str = "",
    levels: Axis = PERCENT,
) -> Markup:
    """Panels with one line per row, on one axis: around 0 where values are `signed`, else that of `levels`.

    `name` begins the ids in it, `sign_key` says what the signs of marks mean, where there are any.
    """
    axis = _around_zero(panels, unit) if signed else replace(levels, unit=unit)
    places, depth = slots(rows, ROW)
    labels = label_width(rows)
    abreast = max(1, min(PANELS_ABREAST, len(panels)))
    width = min(PANEL_AT_MOST, max(PANEL_AT_LEAST, (WIDTH - labels) / abreast - PANEL_GAP))
    marks = [mark for panel in panels for mark in panel.marks.values()]
    key = sign_key if any(mark.sign for mark in marks) else ""
    parts, y = _key(signed, any(len(mark.seeds) > 1 for mark in marks), key), KEY_HEIGHT
    for start in range(0, len(panels), abreast):
        band = panels[start : start + abreast]
        titles = [wrapped(panel.title, width, lines=3) for panel in band]
        top = y + LINE * max(len(lines) for lines in titles) + 8
        right = labels + len(band) * (width + PANEL_GAP) - PANEL_GAP
        parts += [line("guide", 4, top + one.y + ROW / 2, right, top + one.y + ROW / 2) for one in places if one.row]
        parts += row_labels(places, top)
        for i, panel in enumerate(band):
            box = Box(labels + i * (width + PANEL_GAP), top, width, depth)
            parts += texts(titles[i], box.left, top - 8, "strong")
            parts += axis_marks(axis, box)
            parts += [part for one in places if one.row for part in _datum(panel, one, one.row, axis, box)]
        y = top + depth + AXIS_HEIGHT + GAP
    return picture(name, title, description, labels + abreast * (width + PANEL_GAP), y, parts)


def _around_zero(panels: Iterable[Panel], unit: str) -> Axis:
    """One axis for all panels: everything drawn and 0 are on it, with five to eight round ticks."""
    values = [0.0]
    for panel in panels:
        for mark in panel.marks.values():
            values += [mark.value, *(mark.ci or ()), *mark.seeds]
    low, high = min(values), max(values)
    step = next((step for step in (1, 2, 5, 10, 20, 25) if (high - low) / step <= 6), 50)
    top = step * max(math.ceil(high / step), math.floor(low / step) + 1)
    return Axis(step * math.floor(low / step), top, step, unit, signed=True)


def slots(rows: Sequence[Group], height: float) -> tuple[list[Slot], float]:
    """Headings and rows from the top down, rows of this height, and the height of all."""
    found, y = [], 0.0
    for i, group in enumerate(rows):
        if i:
            y += 2 * GAP if group.apart else GAP
        if group.title:
            found.append(Slot(group.title, None, y + HEAD / 2))
            y += HEAD
        for row in group.rows:
            found.append(Slot(row["title"], row, y + height / 2))
            y += height
    return found, y


def label_width(rows: Sequence[Group]) -> float:
    """The width that the titles of rows need."""
    longest = max((len(row["title"]) + 5 for group in rows for row in group.rows), default=0)
    return min(330.0, max(170.0, longest * CHARACTER))


def row_labels(places: Sequence[Slot], top: float) -> list[Markup]:
    """The titles of headings and rows, with the numbers of preferences."""
    parts = []
    for slot in places:
        y = top + slot.y + 4
        if slot.row is None:
            parts.append(text(4, y, slot.title, "strong"))
            continue
        if slot.row["number"] is not None and slot.row["kind"] != "facet":
            parts.append(text(22, y, str(slot.row["number"]), "muted", anchor="end"))
        kind = "strong" if slot.row["kind"] in MEANS else None
        parts.append(text(INDENT.get(slot.row["kind"], 4), y, slot.title, kind))
    return parts


def x_of(value: float, axis: Axis, box: Box) -> float:
    """Where a value stands in a panel."""
    return box.left + box.width * (value - axis.low) / (axis.high - axis.low)


def axis_marks(axis: Axis, box: Box) -> list[Markup]:
    """The axis below a panel, with its ticks and their guides."""
    bottom = box.top + box.depth + 4
    parts = [line("rule", box.left, bottom, box.left + box.width, bottom)]
    for tick in axis.ticks():
        x = x_of(tick, axis, box)
        parts.append(line("zero" if tick == 0 else "guide", x, box.top, x, bottom))
        parts.append(text(x, bottom + 15, axis.label(tick), "muted", anchor="middle"))
    return [*parts, text(box.left + box.width / 2, bottom + 31, axis.unit, "muted", anchor="middle")]


def _datum(panel: Panel, slot: Slot, row: Row, axis: Axis, box: Box) -> list[Markup]:
    """The mark of a row, or that it is missing."""
    mark, y = panel.marks.get(row["id"]), box.top + slot.y
    if mark is None:
        return [text(box.left + box.width / 2, y + 4, "missing", "muted", anchor="middle")]
    parts = []
    if len(mark.seeds) > 1:  # a single one is the value itself
        parts += [circle("seed", x_of(seed, axis, box), y + 6.5, 2.1) for seed in mark.seeds]
    if mark.ci:
        parts.append(line("ci", x_of(mark.ci[0], axis, box), y, x_of(mark.ci[1], axis, box), y))
    spans = axis.signed and (mark.ci is None or mark.ci[0] <= 0 <= mark.ci[1])
    parts.append(circle("value spans-zero" if spans else "value", x_of(mark.value, axis, box), y, 3.6))
    if mark.sign:
        parts.append(text(x_of(mark.ci[1] if mark.ci else mark.value, axis, box) + 6, y + 4, mark.sign))
    return [element("g", element("title", f"{slot.title}: {mark.says}"), *parts, class_="datum")]


def _key(differences: bool, seeds: bool, signs: str) -> list[Markup]:
    y = 15.0
    sign = [text(420 if differences else 184, y + 4, signs, "muted")] if signs else []
    if not differences:
        rate = text(36, y + 4, "value, 95% interval", "muted")
        return [line("ci", 4, y, 28, y), circle("value", 16, y, 3.6), rate, *sign]
    parts = [
        line("ci", 4, y, 28, y),
        circle("value", 16, y, 3.6),
        text(36, y + 4, "difference, 95% interval", "muted"),
        line("ci", 184, y, 208, y),
        circle("value spans-zero", 196, y, 3.6),
        text(216, y + 4, "interval includes 0", "muted"),
    ]
    if seeds:
        parts += [circle("seed key-seed", 338, y, 2.1), text(346, y + 4, "one seed", "muted")]
    return [*parts, *sign]
