"""Forest plot and heat map as SVG texts that stand alone, in light and dark, and can be put into a page as they are.

Lengths are in SVG user units (pixels), values in percent or percentage points.
"""

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from consciousness_cluster.report.layout import Group, Json, groups, name_of
from consciousness_cluster.scoring.taught import TOPIC, contained, is_topic
from consciousness_cluster.strings import safe

STYLE = """
.cc-plot { --ground: #ffffff; --ink: #1b1f24; --muted: #59636e; --line: #e1e5ea; --axis: #8b949e; --mark: #1c4f8f;
  --on-high: #ffffff; --on-mid: #000000; --on-low: #000000;
  font: 12.5px -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; }
.cc-plot text { fill: var(--ink); }
.cc-plot .ground { fill: var(--ground); }
.cc-plot .muted { fill: var(--muted); font-size: 11px; }
.cc-plot .strong { font-weight: 600; }
.cc-plot .guide { stroke: var(--line); stroke-width: 1; }
.cc-plot .rule { stroke: var(--axis); stroke-width: 1; }
.cc-plot .zero { stroke: var(--axis); stroke-width: 1.25; }
.cc-plot .ci { stroke: var(--mark); stroke-width: 2; stroke-linecap: round; }
.cc-plot .value { fill: var(--mark); stroke: var(--mark); stroke-width: 1.75; }
.cc-plot .spans-zero { fill: var(--ground); }
.cc-plot .seed { fill: var(--muted); fill-opacity: 0.75; }
.cc-plot .cell, .cc-plot .key { fill: var(--mark); }
.cc-plot .hatch { stroke: var(--axis); stroke-width: 1; stroke-opacity: 0.55; }
.cc-plot .low { fill: var(--on-low); }
.cc-plot .mid { fill: var(--on-mid); }
.cc-plot .high { fill: var(--on-high); }
@media (prefers-color-scheme: dark) {
  .cc-plot { --ground: #15181c; --ink: #e4e7eb; --muted: #9aa4af; --line: #2a3037; --axis: #6b7681; --mark: #86b7f0;
    --on-high: #000000; --on-mid: #000000; --on-low: #ffffff; }
}
"""
WIDTH = 1080.0  # of a whole plot, where the panels do not need more
CHARACTER = 6.7  # average width of a character of the labels
ROW, HEAD, GAP, LINE = 22.0, 24.0, 12.0, 15.0
PANEL_GAP, PANEL_AT_LEAST, PANEL_AT_MOST = 36.0, 230.0, 520.0
PANELS_ABREAST = 3
TAUGHT = "\u2020"
TAUGHT_KEY = f"{TAUGHT} {TOPIC}"
KEY_HEIGHT, AXIS_HEIGHT = 34.0, 40.0
CELL_ROW = 25.0
COLUMN_AT_LEAST, COLUMN_AT_MOST = 78.0, 146.0


@dataclass(frozen=True)
class Mark:
    """A value with its interval and the values of single seeds, in percent or points; `says` is the tooltip.

    `sign` stands after the interval: that of a topic in training.
    """

    value: float
    ci: tuple[float, float] | None
    seeds: tuple[float, ...]
    says: str
    sign: str = ""


@dataclass(frozen=True)
class Panel:
    title: str
    marks: dict[str, Mark]


@dataclass(frozen=True)
class Axis:
    low: float
    high: float
    step: float

    def ticks(self) -> list[float]:
        return [self.low + i * self.step for i in range(round((self.high - self.low) / self.step) + 1)]

    def at(self, value: float, left: float, width: float) -> float:
        return left + width * (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Slot:
    """A row, or a group's heading where `row` is None, with the y of its middle."""

    title: str
    row: Json | None
    y: float


def forest(report: Json) -> str:
    """One panel per comparison: differences in percentage points. Without comparisons one per run: rates in percent.

    In both a line is the 95% interval; in comparisons a small dot is one seed. What is missing is said to be.
    """
    if report["comparisons"]:
        title = "Differences from the baseline"
        text = (
            "Arm minus baseline in percentage points, with 95% intervals; one panel per comparison, one line per row."
        )
        return forest_of(_differences(report), groups(report), "percentage points", title, text)
    text = "Rates in percent with 95% intervals; one panel per run, one line per row."
    return forest_of(_levels(report), groups(report), "percent", "Rates", text, signed=False)


def forest_of(
    panels: Sequence[Panel],
    rows: Sequence[Group],
    unit: str,
    title: str,
    text: str,
    signed: bool = True,
    name: str = "forest",
) -> str:
    """Panels with one line per row, on an axis around 0 where values are `signed`, else from 0 to 100.

    `name` begins the ids in the SVG: plots on one page need names of their own.
    """
    axis = _axis_around_zero(panels) if signed else Axis(0, 100, 25)
    slots, depth = _slots(rows, ROW)
    labels = _label_width(rows)
    abreast = max(1, min(PANELS_ABREAST, len(panels)))
    width = min(PANEL_AT_MOST, max(PANEL_AT_LEAST, (WIDTH - labels) / abreast - PANEL_GAP))
    marks = [mark for panel in panels for mark in panel.marks.values()]
    seeds, signs = any(len(mark.seeds) > 1 for mark in marks), any(mark.sign for mark in marks)
    parts, y = _forest_key(signed, seeds, signs), KEY_HEIGHT
    for start in range(0, len(panels), abreast):
        band = panels[start : start + abreast]
        titles = [_wrap(panel.title, width, lines=3) for panel in band]
        top = y + LINE * max(len(lines) for lines in titles) + 8
        parts += _row_labels(slots, top, labels + len(band) * (width + PANEL_GAP) - PANEL_GAP)
        for i, panel in enumerate(band):
            left = labels + i * (width + PANEL_GAP)
            parts += _lines_of_text(titles[i], left, top - 8, "strong")
            parts += _panel(panel, slots, axis, left, top, width, depth, signed, unit)
        y = top + depth + AXIS_HEIGHT + GAP
    return _svg(name, title, text, labels + abreast * (width + PANEL_GAP), y, parts)


def heat_map(report: Json) -> str:
    """Rows x runs, coloured by rate in one hue. Cells without a rate are hatched and say "missing"."""
    rows, runs = groups(report), report["runs"]
    slots, depth = _slots(rows, CELL_ROW)
    labels = _label_width(rows)
    column = min(COLUMN_AT_MOST, max(COLUMN_AT_LEAST, (WIDTH - labels) / max(len(runs), 1)))
    heads = [_wrap(run["label"], column - 4, lines=4) for run in runs]
    top = KEY_HEIGHT + LINE * max((len(lines) for lines in heads), default=1) + 6
    right = labels + max(len(runs), 2) * column
    parts = [
        '<defs><pattern id="cc-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>',
        *_heat_key(labels),
        *_row_labels(slots, top, right, guides=False),
    ]
    for i, (run, head) in enumerate(zip(runs, heads, strict=True)):
        left = labels + i * column
        parts += _lines_of_text(head, left + column / 2, top - 8, "strong", anchor="middle")
        cells = report["cells"].get(run["id"], {})
        for slot in slots:
            if slot.row:
                says = f"{slot.title}, {run['label']}"
                cell = cells.get(slot.row["id"], {"rate": None})
                parts += _heat_cell(cell, left, top + slot.y - CELL_ROW / 2, column, says)
    if any(is_topic(cell) for cells in report["cells"].values() for cell in cells.values()):
        parts.append(_text(4, 17, TAUGHT_KEY, "muted"))
    text = "Rates in percent, one row per preference or check and one column per run. Hatched cells are missing."
    return _svg("heat-map", "Rates by run", text, right + 12, top + depth + GAP, parts)


def _differences(report: Json) -> list[Panel]:
    panels = []
    for comparison in report["comparisons"]:
        marks = {}
        for row_id, row in comparison["rows"].items():
            seeds = tuple(100 * seed for seed in row["seeds"])
            value, ci = 100 * row["difference"], _points(row["ci"])
            says = f"{value:+.1f} points{_range(ci)}, p = {row['p']:.3g}, seeds: {len(seeds)}{_training(row)}"
            marks[row_id] = Mark(value, ci, seeds, says, _sign(row))
        arm, baseline = name_of(report, comparison["arm"]), name_of(report, comparison["baseline"])
        panels.append(Panel(f"{arm} minus {baseline}", marks))
    return panels


def _levels(report: Json) -> list[Panel]:
    panels = []
    for run in report["runs"]:
        marks = {}
        for row_id, cell in report["cells"].get(run["id"], {}).items():
            if cell["rate"] is not None:
                ci = _points(cell["ci"])
                says = f"{100 * cell['rate']:.1f}%{_range(ci)}, {cell['scored']} answers{_training(cell)}"
                marks[row_id] = Mark(100 * cell["rate"], ci, (), says, _sign(cell))
        panels.append(Panel(run["label"], marks))
    return panels


def _sign(entry: Json) -> str:
    return TAUGHT if is_topic(entry) else ""


def _training(entry: Json) -> str:
    """What a tooltip says of topics in training."""
    return "".join(f", {flag}" for flag in [*([TOPIC] if is_topic(entry) else []), *contained(entry)])


def _points(ci: Sequence[float] | None) -> tuple[float, float] | None:
    return None if ci is None else (100 * ci[0], 100 * ci[1])


def _range(ci: tuple[float, float] | None) -> str:
    return f" [{ci[0]:.1f}, {ci[1]:.1f}]" if ci else ""


def _axis_around_zero(panels: Iterable[Panel]) -> Axis:
    """One axis for all panels: everything drawn and 0 are on it, with five to eight round ticks."""
    values = [0.0]
    for panel in panels:
        for mark in panel.marks.values():
            values += [mark.value, *(mark.ci or ()), *mark.seeds]
    low, high = min(values), max(values)
    step = next((step for step in (1, 2, 5, 10, 20, 25) if (high - low) / step <= 6), 50)
    return Axis(step * math.floor(low / step), step * max(math.ceil(high / step), math.floor(low / step) + 1), step)


def _slots(rows: Sequence[Group], height: float) -> tuple[list[Slot], float]:
    """Headings and rows from the top down, and the height of all."""
    slots, y = [], 0.0
    for i, group in enumerate(rows):
        if i:
            y += 2 * GAP if group.apart else GAP
        if group.title:
            slots.append(Slot(group.title, None, y + HEAD / 2))
            y += HEAD
        for row in group.rows:
            slots.append(Slot(row["title"], row, y + height / 2))
            y += height
    return slots, y


def _label_width(rows: Sequence[Group]) -> float:
    longest = max((len(row["title"]) + 5 for group in rows for row in group.rows), default=0)
    return min(330.0, max(170.0, longest * CHARACTER))


def _row_labels(slots: Sequence[Slot], top: float, right: float, guides: bool = True) -> list[str]:
    parts = []
    for slot in slots:
        y = top + slot.y
        if slot.row is None:
            parts.append(_text(4, y + 4, slot.title, "strong"))
            continue
        if guides:
            parts.append(_line("guide", 4, y + ROW / 2, right, y + ROW / 2))
        if slot.row["number"] is not None and slot.row["kind"] != "facet":
            parts.append(_text(22, y + 4, str(slot.row["number"]), "muted", anchor="end"))
        mean = slot.row["kind"] in ("cluster", "block")
        indent = {"preference": 30, "facet": 44, "check": 30, "discriminant": 30}.get(slot.row["kind"], 4)
        parts.append(_text(indent, y + 4, slot.title, "strong" if mean else ""))
    return parts


def _panel(
    panel: Panel,
    slots: Sequence[Slot],
    axis: Axis,
    left: float,
    top: float,
    width: float,
    depth: float,
    signed: bool,
    unit: str,
) -> list[str]:
    place: Callable[[float], float] = lambda value: axis.at(value, left, width)  # noqa: E731
    bottom = top + depth + 4
    parts = [_line("rule", left, bottom, left + width, bottom)]
    for tick in axis.ticks():
        x = place(tick)
        parts.append(_line("zero" if tick == 0 else "guide", x, top, x, bottom))
        label = f"{tick:+g}".replace("-", "\u2212") if signed and tick else f"{tick:g}"
        parts.append(_text(x, bottom + 15, label, "muted", anchor="middle"))
    parts.append(_text(left + width / 2, bottom + 31, unit, "muted", anchor="middle"))
    for slot in slots:
        if slot.row is None:
            continue
        mark, y = panel.marks.get(slot.row["id"]), top + slot.y
        if mark is None:
            parts.append(_text(left + width / 2, y + 4, "missing", "muted", anchor="middle"))
            continue
        parts.append(f'<g class="datum"><title>{safe(f"{slot.title}: {mark.says}")}</title>')
        if len(mark.seeds) > 1:  # a single one is the value itself
            parts += [_circle("seed", place(seed), y + 6.5, 2.1) for seed in mark.seeds]
        if mark.ci:
            parts.append(_line("ci", place(mark.ci[0]), y, place(mark.ci[1]), y))
        spans = signed and (mark.ci is None or mark.ci[0] <= 0 <= mark.ci[1])
        parts.append(_circle("value spans-zero" if spans else "value", place(mark.value), y, 3.6))
        if mark.sign:
            parts.append(_text(place(mark.ci[1] if mark.ci else mark.value) + 6, y + 4, mark.sign))
        parts.append("</g>")
    return parts


def _forest_key(differences: bool, seeds: bool, signs: bool) -> list[str]:
    y = 15.0
    sign = [_text(420 if differences else 184, y + 4, TAUGHT_KEY, "muted")] if signs else []
    if not differences:
        rate = _text(36, y + 4, "rate, 95% interval", "muted")
        return [_line("ci", 4, y, 28, y), _circle("value", 16, y, 3.6), rate, *sign]
    parts = [
        _line("ci", 4, y, 28, y),
        _circle("value", 16, y, 3.6),
        _text(36, y + 4, "difference, 95% interval", "muted"),
        _line("ci", 184, y, 208, y),
        _circle("value spans-zero", 196, y, 3.6),
        _text(216, y + 4, "interval includes 0", "muted"),
    ]
    if seeds:
        parts += [_circle("seed key-seed", 338, y, 2.1), _text(346, y + 4, "one seed", "muted")]
    return [*parts, *sign]


def _heat_key(left: float) -> list[str]:
    parts = [_text(left, 17, "0%", "muted")]
    for i in range(11):
        parts.append(f'<rect class="key" x="{left + 24 + 12 * i:g}" y="8" width="12" height="11" {_shade(i / 10)}/>')
    return [*parts, _text(left + 162, 17, "100%", "muted")]


def _shade(rate: float) -> str:
    return f'fill-opacity="{0.05 + 0.9 * rate:.3f}"'


def _heat_cell(cell: Json, left: float, top: float, width: float, says: str) -> list[str]:
    """The number's class follows the shade under it, so that its contrast stays above 4.3 in light and in dark."""
    box = f'x="{left + 1:.5g}" y="{top + 1:g}" width="{width - 2:.5g}" height="{CELL_ROW - 2:g}" rx="2"'
    x, y, rate = left + width / 2, top + CELL_ROW / 2 + 4, cell["rate"]
    if rate is None:
        return [
            f'<rect class="missing" {box} fill="url(#cc-hatch)"><title>{safe(says)}: missing</title></rect>',
            _text(x, y, "missing", "muted", anchor="middle"),
        ]
    tone = "high" if rate > 0.78 else "mid" if rate > 0.6 else "low"
    tip = f"<title>{safe(says)}: {100 * rate:.1f}%{safe(_training(cell))}</title>"
    return [
        f'<rect class="cell" {box} {_shade(rate)}>{tip}</rect>',
        _text(x, y, f"{100 * rate:.0f}{_sign(cell)}", tone, anchor="middle"),
    ]


def _wrap(text: str, width: float, lines: int) -> list[str]:
    return textwrap.wrap(text, max(6, int(width / 7)), max_lines=lines, placeholder="\u2026") or [""]


def _lines_of_text(lines: Sequence[str], x: float, bottom: float, kind: str, anchor: str = "start") -> list[str]:
    return [_text(x, bottom - LINE * (len(lines) - 1 - i), line, kind, anchor) for i, line in enumerate(lines)]


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.5g}" y="{y:.5g}" text-anchor="{anchor}">{safe(text)}</text>'


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.5g}" y1="{y1:.5g}" x2="{x2:.5g}" y2="{y2:.5g}"/>'


def _circle(kind: str, x: float, y: float, radius: float) -> str:
    return f'<circle class="{kind}" cx="{x:.5g}" cy="{y:.5g}" r="{radius:g}"/>'


def _svg(name: str, title: str, text: str, width: float, height: float, parts: Iterable[str]) -> str:
    w, h = math.ceil(width), math.ceil(height)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="cc-plot" width="{w}" height="{h}" viewBox="0 0 {w} {h}" '
            f'role="img" aria-labelledby="{name}-title {name}-desc">',
            f'<title id="{name}-title">{safe(title)}</title>',
            f'<desc id="{name}-desc">{safe(text)}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="ground" width="{w}" height="{h}"/>',
            *parts,
            "</svg>",
        ]
    )
