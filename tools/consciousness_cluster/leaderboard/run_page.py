"""The page of one submission. It has no script at all: what a submitter or a model wrote is escaped text."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from markupsafe import Markup

from consciousness_cluster.data.plan import CHECKS_WITH_CHOICE
from consciousness_cluster.data.reading import Json
from consciousness_cluster.leaderboard.board import Shown
from consciousness_cluster.leaderboard.drawn_answers import EACH, drawn_answers
from consciousness_cluster.leaderboard.source import agreement_text, status, training_text
from consciousness_cluster.leaderboard.tracks import TRACKS, Track
from consciousness_cluster.pages.groups import Group, groups
from consciousness_cluster.pages.numbers import interval, plain, signed
from consciousness_cluster.pages.page import page
from consciousness_cluster.pages.plots import Mark, Panel, forest
from consciousness_cluster.reporting.audit_texts import ACT_TITLES
from consciousness_cluster.scoring.audits import audit_lines
from consciousness_cluster.scoring.specificity import specificity_text
from consciousness_cluster.submissions.layout import AUDITS

KINDS = {"open_weights": "open weights", "api": "behind an API"}
UNITS_SAID = {"open": "points", "choice": "nats per byte"}  # of the test of specificity
TEMPLATES = {"open": "run.html.jinja", "choice": "run.html.jinja", **dict.fromkeys(AUDITS, "audit_run.html.jinja")}


def run_page(shown: Shown, board: Json) -> str:
    """The whole page. `board` gives columns, blocks, note and who generated it; its rows are not read."""
    row, about = shown.row, TRACKS[shown.row["track"]]
    rows = groups([one for one in board["columns"] if _has(one, row["track"])], board["blocks"])
    plots = _plots(shown, rows)
    answers = drawn_answers(shown.measured)
    last = {"open": ["Answers"], "choice": []}.get(row["track"], ["Conversations"])
    return page(
        TEMPLATES[row["track"]],
        css=["page.css", "run.css"],
        board=board,
        row=row,
        manifest=shown.entry.manifest,
        baseline=None if row["no_difference"] else shown.baseline,
        levels_of_baseline=shown.baseline["levels"] if shown.baseline else {},
        home=to(row["page"], "index.html"),
        baseline_page=to(row["page"], shown.baseline["page"]) if shown.baseline else "",
        track=about.title,
        unit=about.unit,
        digits=about.digits,
        unit_name="points" if row["track"] == "open" else about.difference,
        kind=KINDS[row["model"]["kind"]],
        status=status(row),
        training=training_text(row["training"]),
        agreement=_agreement(shown.entry.manifest["judge"]),
        groups=rows,
        plots=plots,
        sections=["Scores", *(["Plots"] if plots else []), "Settings", *last],
        answers=answers,
        specificity=specificity_text(row["specificity"], UNITS_SAID[row["track"]]) if row["specificity"] else None,
        acts=ACT_TITLES,
        EACH=EACH,
    )


def _agreement(judge: Json | None) -> str | None:
    """How well a judge agrees with labels, and who says so."""
    if judge is None:
        return None
    if "rows" not in judge:
        return f"{agreement_text(judge)} (the submitter's word)"
    return f"{agreement_text(judge)} on {judge['rows']} labelled answers, measured by the submitter"


def _has(column: Json, track: str) -> bool:
    """Whether a line is one of this track."""
    if track == "choice":
        return has_choice(column)
    return track == "open" or column["id"] in {line.id for line in audit_lines()}


def has_choice(column: Json) -> bool:
    """Whether a line is one of forced choice."""
    return column["kind"] in ("cluster", "block", "preference") or column["id"] in CHECKS_WITH_CHOICE


def to(page: str, target: str) -> str:
    """The relative address of a file of the site, from a page of it."""
    return "../" * (len(PurePosixPath(page).parts) - 1) + target


def _plots(shown: Shown, rows: Sequence[Group]) -> list[tuple[str, Markup]]:
    """Title and plot: the differences, and the levels of those tracks where these mean something."""
    row, about, found = shown.row, TRACKS[shown.row["track"]], []
    if row["differences"]:
        name = about.difference
        panel = Panel("This run minus its baseline", _marks(row["differences"], about, as_level=False))
        text = f"Difference from the baseline in {name}, with 95% intervals; one line per row."
        plot = forest([panel], rows, name, "Differences from the baseline", text, name="differences")
        found.append(("Difference from the baseline", plot))
    if about.level and row["levels"]:
        panels = [Panel("This run", _marks(row["levels"], about, as_level=True))]
        if shown.baseline and row["differences"]:
            panels.append(Panel("Its baseline", _marks(shown.baseline["levels"], about, as_level=True)))
        text = f"{about.level.capitalize()}, with 95% intervals; one panel per run, one line per row."
        found.append(("Level", forest(panels, rows, about.level, "Levels", text, signed=False, name="levels")))
    return found


def _marks(entries: Json, about: Track, as_level: bool) -> dict[str, Mark]:
    write, unit, digits = plain if as_level else signed, about.unit, about.digits
    marks = {}
    for name, entry in entries.items():
        ci = (unit * entry["ci"][0], unit * entry["ci"][1]) if entry["ci"] else None
        says = f"{write(entry['value'], unit, digits)} {interval(entry['ci'], unit, digits, as_level)}".strip()
        marks[name] = Mark(unit * entry["value"], ci, (), says)
    return marks
