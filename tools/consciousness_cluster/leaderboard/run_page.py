"""The page of one submission. It has no script at all: what a submitter or a model wrote is escaped text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from markupsafe import Markup

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.plan import CHECKS_WITH_CHOICE
from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import Topic, load_benchmark
from consciousness_cluster.leaderboard.board import Shown
from consciousness_cluster.leaderboard.source import agreement_text, status, training_text
from consciousness_cluster.pages.groups import Group, groups
from consciousness_cluster.pages.numbers import POINTS, THOUSANDTHS, interval, plain, signed
from consciousness_cluster.pages.page import page, words
from consciousness_cluster.pages.plots import Mark, Panel, forest
from consciousness_cluster.records.types import Sample
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.specificity import specificity_text

TRACKS = {"open": "Free answers", "choice": "Forced choice"}
KINDS = {"open_weights": "open weights", "api": "behind an API"}
UNITS = {"open": "percentage points", "choice": "thousandths of a nat per byte"}  # of a difference
UNITS_SAID = {"open": "points", "choice": "nats per byte"}  # of the test of specificity
SEED = 20
EACH = 3  # answers shown of a preference or check
SHORT, LONGEST = 1_200, 6_000  # characters of an answer that are shown at once, and at all
VERDICTS = {"shows": "shows", "does_not_show": "does not show", "unclear": "unclear", None: "judge failed"}


@dataclass(frozen=True)
class Answer:
    """An answer with what the judge says of it: (text, whether it is a verdict). `rest` is folded, `cut` left out."""

    question: str
    says: Sequence[tuple[str, bool]]
    shows: bool
    text: str

    @property
    def short(self) -> str:
        return self.text[:SHORT]

    @property
    def rest(self) -> str:
        return self.text[SHORT:LONGEST]

    @property
    def cut(self) -> int:
        """Characters that the page does not show."""
        return max(0, len(self.text) - LONGEST)


def run_page(shown: Shown, board: Json) -> str:
    """The whole page. `board` gives columns, blocks, note and who generated it; its rows are not read."""
    row, is_open = shown.row, shown.row["track"] == "open"
    columns = [one for one in board["columns"] if is_open or has_choice(one)]
    rows = groups(columns, board["blocks"])
    plots = _plots(shown, rows)
    sections = ["Scores", *(["Plots"] if plots else []), "Settings", *(["Answers"] if is_open else [])]
    return page(
        "run.html.jinja",
        css=["page.css", "run.css"],
        board=board,
        row=row,
        manifest=shown.entry.manifest,
        baseline=None if row["no_difference"] else shown.baseline,
        levels_of_baseline=shown.baseline["levels"] if shown.baseline else {},
        home=to(row["page"], "index.html"),
        baseline_page=to(row["page"], shown.baseline["page"]) if shown.baseline else "",
        track=TRACKS[row["track"]],
        unit=POINTS if is_open else THOUSANDTHS,
        unit_name="points" if is_open else UNITS["choice"],
        kind=KINDS[row["model"]["kind"]],
        status=status(row),
        training=training_text(row["training"]),
        agreement=agreement_text(row["judge"]),
        groups=rows,
        plots=plots,
        sections=sections,
        answers=_answers(shown.scored),
        specificity=specificity_text(row["specificity"], UNITS_SAID[row["track"]]) if row["specificity"] else None,
        EACH=EACH,
    )


def has_choice(column: Json) -> bool:
    """Whether a line is one of forced choice."""
    return column["kind"] in ("cluster", "block", "preference") or column["id"] in CHECKS_WITH_CHOICE


def to(page: str, target: str) -> str:
    """The relative address of a file of the site, from a page of it."""
    return "../" * (len(PurePosixPath(page).parts) - 1) + target


def _plots(shown: Shown, rows: Sequence[Group]) -> list[tuple[str, Markup]]:
    """Title and plot: the differences, and the levels of free answers."""
    row, found = shown.row, []
    if row["differences"]:
        unit = POINTS if row["track"] == "open" else THOUSANDTHS
        name = UNITS[row["track"]]
        panel = Panel("This run minus its baseline", _marks(row["differences"], unit, as_level=False))
        text = f"Difference from the baseline in {name}, with 95% intervals; one line per row."
        plot = forest([panel], rows, name, "Differences from the baseline", text, name="differences")
        found.append(("Difference from the baseline", plot))
    if row["track"] == "open" and row["levels"]:
        panels = [Panel("This run", _marks(row["levels"], POINTS, as_level=True))]
        if shown.baseline and row["differences"]:
            panels.append(Panel("Its baseline", _marks(shown.baseline["levels"], POINTS, as_level=True)))
        text = "Rates in percent with 95% intervals; one panel per run, one line per row."
        found.append(("Level", forest(panels, rows, "percent", "Levels", text, signed=False, name="levels")))
    return found


def _marks(entries: Json, unit: int, as_level: bool) -> dict[str, Mark]:
    write = plain if as_level else signed
    marks = {}
    for name, entry in entries.items():
        ci = (unit * entry["ci"][0], unit * entry["ci"][1]) if entry["ci"] else None
        says = f"{write(entry['value'], unit)} {interval(entry['ci'], unit, as_level=as_level)}".strip()
        marks[name] = Mark(unit * entry["value"], ci, (), says)
    return marks


def drawn(samples: Sequence[Sample]) -> list[Sample]:
    """At most three of some samples, drawn without looking at them: the same ones whatever the order of the file."""
    return sorted(samples, key=lambda sample: sha256_text(f"{SEED} {sample['key']}"))[:EACH]


def _answers(run: Scored) -> list[tuple[str, list[Answer]]]:
    """Title of a preference or check -> the drawn ones of its answers that have a text."""
    found: dict[str, list[Sample]] = {}
    for sample in run.run.samples:
        if sample["response"]:
            found.setdefault(sample["topic"], []).append(sample)
    topics = [topic for topic in load_benchmark().topics if topic.id in found]
    return [(topic.title, [_answer(topic, sample, run) for sample in drawn(found[topic.id])]) for topic in topics]


def _answer(topic: Topic, sample: Sample, run: Scored) -> Answer:
    says, shows = [], False
    for criterion in topic.criteria_for(sample["facet"]):
        record = run.verdicts.get((sample["key"], criterion.id))
        if record is None:
            continue
        verdict = VERDICTS[record["verdict"]]
        says.append((verdict if criterion.id == "shows" else f"{criterion.id}: {verdict}", True))
        if record["coherence"] is not None:
            says.append((f"coherence {record['coherence']}", False))
        shows = shows or record["verdict"] == "shows"
    if sample["status"] != "ok":
        says.append((words(sample["status"]), False))
    return Answer(sample["messages"][-1]["content"], says, shows, sample["response"] or "")
