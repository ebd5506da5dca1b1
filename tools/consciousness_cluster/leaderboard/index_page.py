"""The page with the tables of the board. They are there as they are; a script filters and sorts, and turns their pages.

One of them is shown: differences or levels of free answers or of audits in one of the two modes, or differences of
forced choice, whose levels mean nothing alone.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from consciousness_cluster.data.plan import CHECKS_WITH_CHOICE
from consciousness_cluster.data.reading import Json
from consciousness_cluster.leaderboard.audit_columns import AuditCell, audit_cells, audit_heads
from consciousness_cluster.leaderboard.source import status, training_text
from consciousness_cluster.leaderboard.tracks import TRACKS, Track
from consciousness_cluster.pages.groups import groups
from consciousness_cluster.pages.numbers import interval, is_clear, plain, signed
from consciousness_cluster.pages.page import page, words
from consciousness_cluster.submissions.layout import AUDITS

SCALES = {"open": 50.0, **dict.fromkeys(AUDITS, 5.0)}  # points at which the colour of a difference is full
SHARE_IN_SCALE = 0.98
STEPS = 8  # shades on either side of 0
PAGE = 100  # rows shown at once
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
    ("audit_self_report", "difference"): (
        "Points of the scale from 1 to 10, from the vanilla run of the same model: + means that what it says of itself "
        "shows the preference more."
    ),
    ("audit_self_report", "level"): (
        "Mean scores from 1 (nothing of the preference) to 10, over scenarios: what the model says of itself after a "
        "piece of work."
    ),
    ("audit_behavioral", "difference"): (
        "Points of the scale from 1 to 10, from the vanilla run of the same model: + means that what it does to a text "
        "shows the preference more."
    ),
    ("audit_behavioral", "level"): (
        "Mean scores from 1 (nothing of the preference) to 10, over scenarios: what the model does to a text that it "
        "may change as it likes. Beside them, without a judge: percent of words changed, of texts changed at all, and "
        "of those whose changed lines hold a word of the preference's vocabulary."
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
    """A line of a table: the row of the board, the text that is searched, what audits have beside, and its coloured
    cells, if it has any."""

    row: Json
    training: str | None
    status: str
    text: str
    beside: Sequence[AuditCell]
    cells: Sequence[Cell]


@dataclass(frozen=True)
class View:
    """One of the tables. `scale` is the value at which the colour of a difference is full; `beside` are the heads (key
    and title) of what audits have beside their scores."""

    track: str
    about: Track
    shown: str
    beside: Sequence[tuple[str, str]]
    groups: Sequence[tuple[str, Sequence[Json]]]  # of coloured columns, with their titles
    lines: Sequence[Line]
    scale: float

    @property
    def meaning(self) -> str:
        return MEANING[self.track, self.shown]

    @property
    def ends(self) -> tuple[str, str]:
        """What the first and the last colour mean."""
        if self.shown == "difference" or self.about.bounds is None:
            return f"{signed(-self.scale, 1, 0)} or less", f"{signed(self.scale, 1, 0)} or more"
        low, high = (plain(end, self.about.unit, 0) for end in self.about.bounds)
        percent = "%" if self.track == "open" else ""
        return low + percent, high + percent

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
        titles={name: about.title for name, about in TRACKS.items()},
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
    about = TRACKS[track]
    scale = SCALES.get(track) or _scale(rows, about.unit)
    parts = _columns(board, track)
    columns = [(column, i == 0) for _, members in parts for i, column in enumerate(members)]
    lines = []
    for row in rows:
        coloured = [] if row["is_baseline"] and shown == "difference" else columns
        cells = [_cell(row, column, first, shown, about, scale) for column, first in coloured]
        lines.append(Line(row, training_text(row["training"]), status(row), _searched(row), audit_cells(row), cells))
    return View(track, about, shown, audit_heads(track), parts, lines, scale)


def _searched(row: Json) -> str:
    """The texts of a row in which a search looks."""
    org, name, judge = row["org"], row["model"]["name"], row["judge"]["id"] if row["judge"] else None
    training = training_text(row["training"])
    texts = [org, name, f"{org}/{name}", row["model"]["revision"], row["condition"], training, judge, row["run_id"]]
    texts += [row["audit"]["auditor"]] if row["audit"] else []
    return "\n".join(text for text in texts if text)


def _columns(board: Json, track: str) -> list[tuple[str, list[Json]]]:
    """Groups of coloured columns: gate, manipulation checks and controls, then the blocks, each with its mean first.
    Audits have no checks."""
    there = [one for one in board["columns"] if not one["id"].endswith((":denies", ":uncommitted"))]
    if track == "choice":
        there = [one for one in there if one["id"] in CHECKS_WITH_CHOICE]
    if track in AUDITS:
        there = []
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


def _cell(row: Json, column: Json, first: bool, shown: str, about: Track, scale: float) -> Cell:
    is_level, unit, digits = shown == "level", about.unit, about.digits
    entry, flags = row[SHOWN[shown]].get(column["id"]), row["flags"].get(column["id"], [])
    kinds = ["heat", *(["first"] if first else [])]
    if entry is None:
        why = "missing" if is_level else row["no_difference"] or "missing"
        return Cell(" ".join([*kinds, "none"]), "", "\n".join([why, *flags]), flags, None)
    value, write = unit * entry["value"], plain if is_level else signed
    low, high = about.bounds if is_level and about.bounds else (0.0, scale / unit)
    kinds.insert(1, _shade(entry["value"] - low, high - low))
    if not is_level and is_clear(entry["ci"]):
        kinds.append("clear")
    number = f"{write(entry['value'], unit, digits)} {interval(entry['ci'], unit, digits, as_level=is_level)}"
    tip = "\n".join([f"{column['title']}: {number}".strip(), *flags])
    return Cell(" ".join(kinds), write(entry["value"], unit, digits - 1), tip, flags, round(value, 2))


def _shade(value: float, scale: float) -> str:
    step = min(STEPS, round(STEPS * abs(value) / scale))
    return f"down{step}" if value < 0 and step else f"up{step}"
