"""The forest plot of audits."""

from markupsafe import Markup

from consciousness_cluster.data.reading import Json
from consciousness_cluster.pages import plots
from consciousness_cluster.pages.groups import groups
from consciousness_cluster.pages.numbers import POINTS
from consciousness_cluster.pages.plots import Axis, Mark, Panel
from consciousness_cluster.reporting.audit_texts import ACT_TITLES, act, moved, score

SCALE = Axis(1, 10, 1, "mean score", signed=False)


def audit_forest(report: Json) -> Markup:
    """One panel per comparison: differences in points. Without comparisons one per audit: mean scores.

    Where nobody rated the conversations it is the share of words changed, in percent, that is drawn.
    """
    rows, judged = groups(report["rows"], report["blocks"]), report["judged"]
    what = "mean score" if judged else f"{ACT_TITLES['changed']}, percent"
    lines = "with 95% intervals; one line per row"
    if report["comparisons"]:
        panels = [_differences(one, judged) for one in report["comparisons"]]
        unit = "points of the scale" if judged else "percentage points"
        return plots.forest(panels, rows, unit, "Differences from the baseline", f"{what}: arm minus baseline {lines}.")
    panels = [_levels(run["label"], report["cells"][run["id"]], judged) for run in report["runs"]]
    axis = SCALE if judged else plots.PERCENT
    return plots.forest(panels, rows, what, "Scores", f"{what} {lines}.", signed=False, levels=axis)


def _differences(comparison: Json, judged: bool) -> Panel:
    entries = comparison["rows"] if judged else (comparison["acts"] or {}).get("changed", {})
    unit = 1 if judged else POINTS
    marks = {}
    for name, entry in entries.items():
        seeds = tuple(unit * seed for seed in entry["seeds"])
        says = f"{moved(entry, unit)}, {entry['scenarios']} scenarios, seeds: {len(seeds)}"
        marks[name] = Mark(unit * entry["difference"], _ends(entry["ci"], unit), seeds, says)
    return Panel(f"{comparison['arm']} minus {comparison['baseline']}", marks)


def _levels(label: str, cells: Json, judged: bool) -> Panel:
    marks = {}
    for name, row in cells.items():
        entry = row if judged else row["acts"] and row["acts"]["changed"]
        if entry and entry["mean"] is not None:
            unit, says = (1, score(entry)) if judged else (POINTS, act(entry))
            marks[name] = Mark(unit * entry["mean"], _ends(entry["ci"], unit), (), says)
    return Panel(label, marks)


def _ends(ci: list[float] | None, unit: float) -> tuple[float, float] | None:
    return (unit * ci[0], unit * ci[1]) if ci else None
