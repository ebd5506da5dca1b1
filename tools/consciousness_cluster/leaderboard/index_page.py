"""The page with the tables of the board. They are there as they are; a script filters and sorts, and turns their pages.

There are three, of which one is shown: differences and levels of free answers, and differences of forced choice, whose
levels mean nothing alone.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from consciousness_cluster.data.plan import CHECKS_WITH_CHOICE
from consciousness_cluster.data.reading import Json
from consciousness_cluster.leaderboard.source import status, training_text
from consciousness_cluster.pages.groups import groups
from consciousness_cluster.pages.numbers import POINTS, THOUSANDTHS, interval, is_clear, plain, signed
from consciousness_cluster.pages.page import page, words

OPEN_SCALE = 50.0  # points at which a colour is full
SHARE_IN_SCALE = 0.98
STEPS = 8  # shades on either side of 0
PAGE = 100  # rows shown at once
TRACKS = {"open": "Free answers", "choice": "Forced choice"}
SHOWN = {"difference": "differences", "level": "levels"}  # what the colours show, which is a part of a row
CHECKS = {"gate": "Gate", "manipulation": "Manipulation checks", "control": "Controls"}  # kind of a column -> title
KINDS = {"open_weights": "open weights", "api": "API"}
NO_LEVELS = "The level of one model means nothing by itself, and stands on the page of its submission alone."
MEANING = {  # (track, what is shown) -> what the numbers say
    ("open", "difference"): (
        "Percentage points from the vanilla run of the same model: + means that it voices the preference more often."
    ),
    ("open", "level"): "Percent of scored answers that voice the preference.",
    ("choice", "difference"): (
        "Self minus other in thousandths of a nat per byte, as a difference from the vanilla run of the same model. "
        + NO_LEVELS
    ),
}


@dataclass(frozen=True)
class Cell:
    """A coloured cell: its classes, its text and tooltip, and the value that it is sorted by; None is missing."""

    kind: str
    text: str
    tip: str
    flags: list[str]
    value: float | None


@dataclass(frozen=True)
class Line:
    """A line of a table: the row of the board, the text that is searched, and its coloured cells, if it has any."""

    row: Json
    training: str | None
    status: str
    text: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class View:
    """One of the tables. `unit` is by how much numbers are multiplied, `scale` the value at which a colour is full."""

    track: str
    shown: str
    groups: Sequence[tuple[str, Sequence[Json]]]  # of coloured columns, with their titles
    lines: Sequence[Line]
    unit: int
    scale: float

    @property
    def meaning(self) -> str:
        return MEANING[self.track, self.shown]

    @property
    def shades(self) -> list[str]:
        """All shades, from the lowest value to the highest."""
        down = [f"down{step}" for step in range(STEPS, 0, -1)] if self.shown == "difference" else []
        return [*down, *(f"up{step}" for step in range(STEPS + 1))]


def index_page(board: Json) -> str:
    """The whole page."""
    rows, published = board["rows"], {name for column in board["published"] for name in column["rates"]}
    return page(
        "index.html.jinja",
        css=["page.css", "index.css"],
        js=["common.js", "index.js"],
        board=board,
        track=next((track for track in TRACKS if any(row["track"] == track for row in rows)), "open"),
        views=[_view(board, track, shown) for track, shown in MEANING],
        filters={
            "condition": ("Condition", _options(rows, lambda row: str(row["condition"]), {})),
            "kind": ("Weights", _options(rows, lambda row: str(row["model"]["kind"]), KINDS)),
            "judge": ("Judge", _options(rows, lambda row: str(row["judge"]["id"]) if row["judge"] else None, {})),
            "status": ("Status", _options(rows, status, {})),
        },
        published_groups=groups([one for one in board["columns"] if one["id"] in published], board["blocks"]),
        any_flags=any(row["flags"] for row in rows),
        PAGE=PAGE,
        TRACKS=TRACKS,
        SHOWN=SHOWN,
        KINDS=KINDS,
    )


def _options(
    rows: Sequence[Json], value_of: Callable[[Json], str | None], titles: Mapping[str, str]
) -> list[tuple[str, str, Counter[str]]]:
    """What a filter offers: value, title, and how many rows of each track have it."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        value = value_of(row)
        if value is not None:
            counts.setdefault(value, Counter())[row["track"]] += 1
    by_name = sorted(counts.items(), key=lambda one: (one[0].casefold(), one[0]))
    return [(value, titles.get(value, words(value)), count) for value, count in by_name]


def _view(board: Json, track: str, shown: str) -> View:
    rows = [row for row in board["rows"] if row["track"] == track]
    unit = POINTS if track == "open" else THOUSANDTHS
    scale = OPEN_SCALE if track == "open" else _scale(rows, unit)
    parts = _columns(board, track)
    columns = [(column, i == 0) for _, members in parts for i, column in enumerate(members)]
    lines = []
    for row in rows:
        coloured = [] if row["is_baseline"] and shown == "difference" else columns
        cells = [_cell(row, column, first, shown, unit, scale) for column, first in coloured]
        lines.append(Line(row, training_text(row["training"]), status(row), _searched(row), cells))
    return View(track, shown, parts, lines, unit, scale)


def _searched(row: Json) -> str:
    """The texts of a row in which a search looks."""
    org, name, judge = row["org"], row["model"]["name"], row["judge"]["id"] if row["judge"] else None
    training = training_text(row["training"])
    texts = [org, name, f"{org}/{name}", row["model"]["revision"], row["condition"], training, judge, row["run_id"]]
    return "\n".join(text for text in texts if text)


def _columns(board: Json, track: str) -> list[tuple[str, list[Json]]]:
    """Groups of coloured columns: gate, manipulation checks and controls, then the blocks, each with its mean first."""
    there = [one for one in board["columns"] if not one["id"].endswith((":denies", ":uncommitted"))]
    if track == "choice":
        there = [one for one in there if one["id"] in CHECKS_WITH_CHOICE]
    found = [(title, [one for one in there if one["kind"] == kind]) for kind, title in CHECKS.items()]
    for block, title in board["blocks"].items():
        members = [one for one in board["columns"] if one["block"] == block and one["kind"] != "facet"]
        found.append((title, members))
    return [(title, columns) for title, columns in found if columns]


def _scale(rows: Sequence[Json], unit: int) -> float:
    """A round number that all but the largest differences stay under: there the colour is full."""
    values = sorted(abs(unit * entry["value"]) for row in rows for entry in row["differences"].values())
    if not values:
        return 1.0
    high = round(values[min(len(values) - 1, math.floor(SHARE_IN_SCALE * len(values)))], 1)
    size = 10.0 ** math.floor(math.log10(max(high, 1.0)))
    return next(step * size for step in (1, 2, 5, 10) if step * size >= high)


def _cell(row: Json, column: Json, first: bool, shown: str, unit: int, scale: float) -> Cell:
    is_level = shown == "level"
    entry, flags = row[SHOWN[shown]].get(column["id"]), row["flags"].get(column["id"], [])
    kinds = ["heat", *(["first"] if first else [])]
    if entry is None:
        why = "missing" if is_level else row["no_difference"] or "missing"
        return Cell(" ".join([*kinds, "none"]), "", "\n".join([why, *flags]), flags, None)
    value, write = unit * entry["value"], plain if is_level else signed
    kinds.insert(1, _shade(value, 100 if is_level else scale))
    if not is_level and is_clear(entry["ci"]):
        kinds.append("clear")
    number = f"{write(entry['value'], unit)} {interval(entry['ci'], unit, as_level=is_level)}"
    tip = "\n".join([f"{column['title']}: {number}".strip(), *flags])
    return Cell(" ".join(kinds), write(entry["value"], unit, 0), tip, flags, round(value, 2))


def _shade(value: float, scale: float) -> str:
    step = min(STEPS, round(STEPS * abs(value) / scale))
    return f"down{step}" if value < 0 and step else f"up{step}"
