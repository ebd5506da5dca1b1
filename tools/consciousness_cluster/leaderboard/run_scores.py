"""The table of scores on the page of a submission."""

from collections.abc import Iterator, Sequence

from consciousness_cluster.leaderboard.board import Shown
from consciousness_cluster.leaderboard.markup import Markup, bdi, el, join, to
from consciousness_cluster.leaderboard.source import Json
from consciousness_cluster.pages.groups import Group
from consciousness_cluster.pages.numbers import POINTS, THOUSANDTHS, chance, interval, is_clear, plain, signed

OPEN_LEAD = "Percent of scored answers that voice the preference."
Q_LEAD = "q is p after Benjamini and Hochberg's correction over the preferences."
CHOICE_LEAD = (
    "In thousandths of a nat per byte: how much more probable the answer that shows the preference is when it is about "
    "the model itself than in its twin. That level means nothing by itself; the difference from the baseline does."
)


def _number(*parts: str, class_: str = "") -> Markup:
    return el("td", *parts, class_=f"number {class_}".strip())


def _missing() -> Markup:
    return _number(el("span", "missing", class_="missing"))


def scores_section(shown: Shown, rows: Sequence[Group]) -> Markup:
    """The cluster in large figures, what the numbers mean, and the table."""
    heads = _heads(shown.row)
    head = [el("th", title, scope="col", class_="number" if i else None) for i, title in enumerate(heads)]
    bodies = [_group(shown, group, len(heads)) for group in rows]
    table = el("table", el("thead", el("tr", *head)), *bodies)
    scrolling = el("div", table, class_="scroll", tabindex="0", role="region", aria_label="Scores")
    return join(_headline(shown), el("p", _lead(shown.row), " ", _baseline(shown), class_="lead"), scrolling)


def _heads(row: Json) -> list[str]:
    compared = bool(row["differences"])
    if row["track"] == "open":
        heads = ["Level, %", "95% interval", "Scored"]
        heads += ["Baseline, %", "Difference, points", "95% interval", "p", "q"] if compared else []
    else:
        heads = ["Difference", "95% interval", "p"] if compared else []
        heads += ["Self minus other", "95% interval", "Items"]
    return ["Preference", *heads, ""]


def _lead(row: Json) -> str:
    if row["track"] == "choice":
        return CHOICE_LEAD
    return f"{OPEN_LEAD} {Q_LEAD}" if row["differences"] else OPEN_LEAD


def _group(shown: Shown, group: Group, width: int) -> Markup:
    cells = _open_cells if shown.row["track"] == "open" else _choice_cells
    inside = []
    if group.title:
        title = el("th", group.title, scope="rowgroup", colspan=str(width))
        inside.append(el("tr", title, class_="group"))
    for column in group.rows:
        remark = el("td", "; ".join(shown.row["flags"].get(column["id"], ())), class_="remark")
        inside.append(el("tr", _row_head(column), *cells(shown, column["id"]), remark, class_=_row_class(column)))
    return el("tbody", *inside)


def _row_head(column: Json) -> Markup:
    name: list[str] = [el("span", column["title"])]
    if column["number"] is not None and column["kind"] != "facet":
        name.insert(0, el("span", str(column["number"]), class_="ordinal"))
    return el("th", el("span", *name, class_="name"), scope="row")


def _row_class(column: Json) -> str:
    return "mean" if column["kind"] in ("cluster", "block") else str(column["kind"])


def _open_cells(shown: Shown, name: str) -> Iterator[Markup]:
    level = shown.row["levels"].get(name)
    if level is None:
        yield from (_missing(), _number(), _number())
    else:
        yield _number(plain(level["value"], POINTS), class_="figure")
        yield _number(interval(level["ci"], POINTS, as_level=True))
        yield _number(f"{level['scored']} of {level['planned']}")
    if not shown.row["differences"]:
        return
    base = shown.baseline["levels"].get(name) if shown.baseline else None
    yield _number(plain(base["value"], POINTS)) if base else _missing()
    yield from _difference_cells(shown.row["differences"].get(name), POINTS, corrected=True)


def _choice_cells(shown: Shown, name: str) -> Iterator[Markup]:
    if shown.row["differences"]:
        yield from _difference_cells(shown.row["differences"].get(name), THOUSANDTHS, corrected=False)
    level = shown.row["levels"].get(name)
    if level is None:
        yield from (_missing(), _number(), _number())
    else:
        yield _number(signed(level["value"], THOUSANDTHS))
        yield _number(interval(level["ci"], THOUSANDTHS))
        yield _number(str(level["items"]))


def _difference_cells(entry: Json | None, unit: int, corrected: bool) -> Iterator[Markup]:
    if entry is None:
        yield from (_missing(), _number(), _number(), *([_number()] if corrected else []))
        return
    yield _number(signed(entry["value"], unit), class_="figure clear" if is_clear(entry["ci"]) else "figure")
    yield _number(interval(entry["ci"], unit))
    yield _number(chance(entry["p"]))
    if corrected:
        yield _number(chance(entry["q"]))


def _headline(shown: Shown) -> Markup:
    """The cluster in large figures: the difference, and the level where it means something."""
    row, is_open = shown.row, shown.row["track"] == "open"
    unit = POINTS if is_open else THOUSANDTHS
    parts = []
    if not row["is_baseline"]:
        name = "points" if is_open else "thousandths of a nat per byte"
        parts.append(_figure("Cluster, difference", row["differences"].get("cluster"), unit, name))
    if is_open:
        parts.append(_figure("Cluster, level", row["levels"].get("cluster"), unit, "percent", as_level=True))
    return el("div", *parts, class_="headline-row")


def _figure(title: str, entry: Json | None, unit: int, name: str, as_level: bool = False) -> Markup:
    if entry is None:
        return el("div", el("p", title), el("div", "missing", class_="headline"))
    number = plain(entry["value"], unit) if as_level else signed(entry["value"], unit)
    small = el("small", f"{name}, 95% interval {interval(entry['ci'], unit, as_level=as_level)}")
    return el("div", el("p", title), el("div", number, small, class_="headline"))


def _baseline(shown: Shown) -> Markup:
    row = shown.row
    if shown.baseline is None or row["no_difference"]:
        return bdi(row["no_difference"])
    link = el("a", bdi(shown.baseline["run_id"]), href=to(row["page"], shown.baseline["page"]))
    return join("The baseline is the vanilla run ", link, ". ", row["why"])
