"""The page with the table. Its data lies in blocks that are never executed, and the script puts it there as text."""

import math
from collections.abc import Iterable
from pathlib import Path
from string import Template

from consciousness_cluster.leaderboard.markup import Markup, bdi, el
from consciousness_cluster.leaderboard.source import Json, training_text
from consciousness_cluster.pages.groups import groups
from consciousness_cluster.pages.numbers import POINTS, THOUSANDTHS, is_clear
from consciousness_cluster.reporting.page import asset, data_block, policy
from consciousness_cluster.strings import safe

HERE = Path(__file__).parent
OPEN_SCALE = 50.0  # points at which a colour is full
SHARE_IN_SCALE = 0.98


def index_page(board: Json) -> str:
    """The whole page."""
    css, js = asset("page.css") + asset("index.css", HERE), asset("dom.js") + asset("index.js", HERE)
    return Template(asset("index.html", HERE)).substitute(
        policy=policy(js, [css]),
        css=css,
        js=js,
        note=safe(board["note"]),
        generated_by=safe(board["generated_by"]),
        canary=safe(board["canary"]),
        published=_published(board),
        data=data_block("board-data", _compact(board)),
    )


def _compact(board: Json) -> Json:
    """What the script needs, with numbers in the units of the table and by the position of their column."""
    rows = [_row(row, board["columns"]) for row in board["rows"]]
    choice = [abs(cell[0]) for row in rows if row["track"] == "choice" for cell in row["differences"] if cell]
    return {
        "columns": board["columns"],
        "blocks": board["blocks"],
        "rows": rows,
        "scales": {"open": OPEN_SCALE, "choice": _scale(choice)},
    }


def _row(row: Json, columns: list[Json]) -> Json:
    unit = POINTS if row["track"] == "open" else THOUSANDTHS
    judge, training = row["judge"], row["training"]
    by_column = {
        part: [_numbers(row[part].get(column["id"]), unit) for column in columns] for part in ("levels", "differences")
    }
    if row["track"] == "choice":
        by_column["levels"] = []  # they mean nothing alone
    return {
        "page": row["page"],
        "track": row["track"],
        "org": row["org"],
        "model": row["model"]["name"],
        "revision": row["model"]["revision"],
        "kind": row["model"]["kind"],
        "condition": row["condition"],
        "training": training_text(training),
        "judge": judge["id"] if judge else None,
        "agreement": f"kappa {judge['kappa']:.2f}" if judge else None,
        "run_id": row["run_id"],
        "verified": row["verified"] is not None,
        "is_baseline": row["is_baseline"],
        "no_difference": row["no_difference"],
        "flags": row["flags"],
        "warnings": row["warnings"],
        **by_column,
    }


def _numbers(entry: Json | None, unit: int) -> list[float | bool] | None:
    """[value, low, high, whether it is clear, which rounding would hide], or the value alone without an interval."""
    if entry is None:
        return None
    numbers = [round(unit * number, 1) for number in (entry["value"], *(entry["ci"] or ()))]
    return [*numbers, is_clear(entry["ci"])] if entry["ci"] else [*numbers]


def _scale(values: list[float]) -> float:
    """A round number that all but the largest differences stay under: there the colour is full."""
    if not values:
        return 1.0
    high = sorted(values)[min(len(values) - 1, math.floor(SHARE_IN_SCALE * len(values)))]
    size = 10.0 ** math.floor(math.log10(max(high, 1.0)))
    return next(step * size for step in (1, 2, 5, 10) if step * size >= high)


def _published(board: Json) -> Markup:
    """Published figures: rows as everywhere, a column per source, model and condition."""
    columns = board["published"]
    head = [el("th", "Preference", scope="col")]
    for column in columns:
        lines = (column["model"], column["condition"].replace("_", " "), column["source"])
        head.append(el("th", *(el("small", bdi(line)) for line in lines), scope="col", class_="number"))
    bodies = []
    for group in groups(board["columns"], board["blocks"]):
        rows = [row for row in group.rows if any(row["id"] in column["rates"] for column in columns)]
        if rows:
            bodies.append(_published_group(group.rows[0], rows, columns))
    return el("table", el("thead", el("tr", *head)), *bodies)


def _published_group(first: Json, rows: Iterable[Json], columns: list[Json]) -> Markup:
    width = str(len(columns) + 1)
    parts = []
    if first["kind"] == "block":
        parts.append(el("tr", el("th", first["title"], scope="rowgroup", colspan=width), class_="group"))
    for row in rows:
        rates = (column["rates"].get(row["id"]) for column in columns)
        cells = [el("td", "\u2013" if one is None else f"{100 * one:.0f}", class_="number") for one in rates]
        number = [] if row["number"] is None else [el("span", str(row["number"]), class_="ordinal")]
        name = el("span", *number, el("span", row["title"]), class_="name")
        parts.append(el("tr", el("th", name, scope="row"), *cells))
    return el("tbody", *parts)
