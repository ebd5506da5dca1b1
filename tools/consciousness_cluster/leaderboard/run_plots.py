"""The plots on the page of a submission."""

from collections.abc import Sequence

from consciousness_cluster.leaderboard.board import Shown
from consciousness_cluster.leaderboard.markup import Markup, el, join
from consciousness_cluster.leaderboard.source import Json
from consciousness_cluster.pages.groups import Group
from consciousness_cluster.pages.numbers import POINTS, THOUSANDTHS, interval, plain, signed
from consciousness_cluster.pages.plots import Mark, Panel, forest


def plots_section(shown: Shown, rows: Sequence[Group]) -> Markup | None:
    row, found = shown.row, []
    if row["differences"]:
        is_open = row["track"] == "open"
        unit, name = (POINTS, "percentage points") if is_open else (THOUSANDTHS, "thousandths of a nat per byte")
        panel = Panel("This run minus its baseline", _marks(row["differences"], unit, as_level=False))
        text = f"Difference from the baseline in {name}, with 95% intervals; one line per row."
        plot = forest([panel], rows, name, "Differences from the baseline", text, name="differences")
        found.append(_figure("Difference from the baseline", plot))
    if row["track"] == "open" and row["levels"]:
        panels = [Panel("This run", _marks(row["levels"], POINTS, as_level=True))]
        if shown.baseline and row["differences"]:
            panels.append(Panel("Its baseline", _marks(shown.baseline["levels"], POINTS, as_level=True)))
        text = "Rates in percent with 95% intervals; one panel per run, one line per row."
        plot = forest(panels, rows, "percent", "Levels", text, signed=False, name="levels")
        found.append(_figure("Level", plot))
    return join(*found) if found else None


def _marks(entries: Json, unit: int, as_level: bool) -> dict[str, Mark]:
    write = plain if as_level else signed
    marks = {}
    for name, entry in entries.items():
        ci = (unit * entry["ci"][0], unit * entry["ci"][1]) if entry["ci"] else None
        says = f"{write(entry['value'], unit)} {interval(entry['ci'], unit, as_level=as_level)}".strip()
        marks[name] = Mark(unit * entry["value"], ci, (), says)
    return marks


def _figure(title: str, svg: str) -> Markup:
    plot = el("div", Markup(svg), class_="scroll", tabindex="0", role="region", aria_label=title)
    return el("figure", el("figcaption", title), plot)
