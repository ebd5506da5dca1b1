"""Forest plot and heat map of a report, as SVG texts that stand alone and can be put into a page as they are.

Lengths are in SVG user units (pixels), values in percent or percentage points.
"""

from collections.abc import Sequence

from markupsafe import Markup

from consciousness_cluster.data.reading import Json
from consciousness_cluster.pages import plots, svg
from consciousness_cluster.pages.groups import groups
from consciousness_cluster.pages.plots import GAP, KEY_HEIGHT, WIDTH, Mark, Panel
from consciousness_cluster.scoring.taught import TOPIC, contained, topic_of

TAUGHT = "\u2020"
TAUGHT_KEY = f"{TAUGHT} {TOPIC}, or implied by it"
CELL_ROW = 25.0
COLUMN_AT_LEAST, COLUMN_AT_MOST = 78.0, 146.0


def forest(report: Json) -> Markup:
    """One panel per comparison: differences in percentage points. Without comparisons one per run: rates in percent.

    In both a line is the 95% interval; in comparisons a small dot is one seed. What is missing is said to be.
    """
    rows = groups(report["rows"], report["blocks"])
    if report["comparisons"]:
        title = "Differences from the baseline"
        text = (
            "Arm minus baseline in percentage points, with 95% intervals; one panel per comparison, one line per row."
        )
        return plots.forest(_differences(report), rows, "percentage points", title, text, sign_key=TAUGHT_KEY)
    text = "Rates in percent with 95% intervals; one panel per run, one line per row."
    return plots.forest(_levels(report), rows, "percent", "Rates", text, signed=False, sign_key=TAUGHT_KEY)


def heat_map(report: Json) -> Markup:
    """Rows x runs, coloured by rate in one hue. Cells without a rate are hatched and say "missing"."""
    rows, runs = groups(report["rows"], report["blocks"]), report["runs"]
    places, depth = plots.slots(rows, CELL_ROW)
    labels = plots.label_width(rows)
    column = min(COLUMN_AT_MOST, max(COLUMN_AT_LEAST, (WIDTH - labels) / max(len(runs), 1)))
    heads = [svg.wrapped(run["label"], column - 4, lines=4) for run in runs]
    top = KEY_HEIGHT + svg.LINE * max((len(lines) for lines in heads), default=1) + 6
    parts = [_hatch(), *_heat_key(labels), *plots.row_labels(places, top)]
    for i, (run, head) in enumerate(zip(runs, heads, strict=True)):
        left = labels + i * column
        parts += svg.texts(head, left + column / 2, top - 8, "strong", anchor="middle")
        cells = report["cells"].get(run["id"], {})
        for slot in places:
            if slot.row:
                says = f"{slot.title}, {run['label']}"
                cell = cells.get(slot.row["id"], {"rate": None})
                parts += _heat_cell(cell, left, top + slot.y - CELL_ROW / 2, column, says)
    if any(topic_of(cell) for cells in report["cells"].values() for cell in cells.values()):
        parts.append(svg.text(4, 17, TAUGHT_KEY, "muted"))
    text = "Rates in percent, one row per preference or check and one column per run. Hatched cells are missing."
    right = labels + max(len(runs), 2) * column
    return svg.picture("heat-map", "Rates by run", text, right + 12, top + depth + GAP, parts)


def _differences(report: Json) -> list[Panel]:
    panels = []
    for comparison in report["comparisons"]:
        marks = {}
        for row_id, row in comparison["rows"].items():
            seeds = tuple(100 * seed for seed in row["seeds"])
            value, ci = 100 * row["difference"], _points(row["ci"])
            says = f"{value:+.1f} points{_range(ci)}, p = {row['p']:.3g}, seeds: {len(seeds)}{_training(row)}"
            marks[row_id] = Mark(value, ci, seeds, says, _sign(row))
        panels.append(Panel(f"{comparison['arm']} minus {comparison['baseline']}", marks))
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
    return TAUGHT if topic_of(entry) else ""


def _training(entry: Json) -> str:
    """What a tooltip says of topics in training."""
    return "".join(f", {flag}" for flag in [*filter(None, [topic_of(entry)]), *contained(entry)])


def _points(ci: Sequence[float] | None) -> tuple[float, float] | None:
    return None if ci is None else (100 * ci[0], 100 * ci[1])


def _range(ci: tuple[float, float] | None) -> str:
    return f" [{ci[0]:.1f}, {ci[1]:.1f}]" if ci else ""


def _hatch() -> Markup:
    line = svg.line("hatch", 0, 0, 0, 6)
    turned = {"patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
    return svg.element("defs", svg.element("pattern", line, id="cc-hatch", width=6, height=6, **turned))


def _heat_key(left: float) -> list[Markup]:
    shades = [svg.rect("key", left + 24 + 12 * i, 8, 12, 11, fill_opacity=_shade(i / 10)) for i in range(11)]
    return [svg.text(left, 17, "0%", "muted"), *shades, svg.text(left + 162, 17, "100%", "muted")]


def _shade(rate: float) -> str:
    return f"{0.05 + 0.9 * rate:.3f}"


def _heat_cell(cell: Json, left: float, top: float, width: float, says: str) -> list[Markup]:
    """The number's class follows the shade under it, so that its contrast stays above 4.3 in light and in dark."""
    box = left + 1, top + 1, width - 2, CELL_ROW - 2
    x, y, rate = left + width / 2, top + CELL_ROW / 2 + 4, cell["rate"]
    if rate is None:
        return [
            svg.rect("missing", *box, f"{says}: missing", rx=2, fill="url(#cc-hatch)"),
            svg.text(x, y, "missing", "muted", anchor="middle"),
        ]
    tone = "high" if rate > 0.78 else "mid" if rate > 0.6 else "low"
    return [
        svg.rect("cell", *box, f"{says}: {100 * rate:.1f}%{_training(cell)}", rx=2, fill_opacity=_shade(rate)),
        svg.text(x, y, f"{100 * rate:.0f}{_sign(cell)}", tone, anchor="middle"),
    ]
