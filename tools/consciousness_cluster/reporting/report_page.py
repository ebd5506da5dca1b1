"""The report as one HTML page. Its tables are there as they are; a script sorts them and opens cells."""

from collections.abc import Iterable, Mapping
from typing import Any

from consciousness_cluster.data.reading import Json
from consciousness_cluster.data.rows import CONTRASTS
from consciousness_cluster.judging.verdict import INCOHERENT_BELOW
from consciousness_cluster.pages.groups import APART, groups
from consciousness_cluster.pages.page import data_block, page, words
from consciousness_cluster.reporting.plots import forest, heat_map
from consciousness_cluster.reporting.tables import GATE_LEAD, SCENES, SCENES_LEAD, WAYS
from consciousness_cluster.reporting.texts import labels, percent

SECTIONS = {  # id -> title, and the part of a report without which it is not there
    "runs": ("Runs", "runs"),
    "rates": ("Rates", "runs"),
    "gate": (APART["gate"], "gate"),
    "scenes": (SCENES, "situated"),
    "comparisons": ("Comparisons", "comparisons"),
    "plots": ("Plots", "runs"),
    "choice": ("Forced choice", "choice"),
    "reference": ("Published figures", "reference"),
}
KEYS = {  # of plain probes -> where an agreeable yes falls, in words
    "shows": "where a yes shows it",
    "does_not_show": "against a yes",
    "neither": "where a yes says nothing",
}
FILTERS = {"all": "All", "shows": "Shows", "does_not_show": "Does not show", "unclear": "Unclear", "failed": "Failed"}
ANSWERS = {"plain": "responses", "situated": "situated_responses"}  # style of the probes -> part of a report
SMALLEST_SPAN = 1e-9


def report_page(report: Json) -> str:
    """The whole page. The responses are in a block per run, which the script reads when one is asked for."""
    rows, blocks = report["rows"], report["blocks"]
    in_scenes = {row_id for cells in report["situated"].values() for row_id in cells}
    published = {row_id for column in report["reference"] for row_id in column["rates"]}
    return page(
        "report.html.jinja",
        css=["page.css"],
        js=["common.js", "report.js"],
        report={
            **report,
            "comparisons": [
                {**one, "span": _span(one["rows"].values(), "difference")} for one in report["comparisons"]
            ],
            "choice": [
                {
                    **one,
                    "span": _span(one["rows"].values(), "value"),
                    "groups": groups([row for row in rows if row["id"] in one["rows"]], blocks),
                }
                for one in report["choice"]
            ],
        },
        sections={name: title for name, (title, part) in SECTIONS.items() if report[part]},
        groups=groups(rows, blocks),
        reference_groups=groups([row for row in rows if row["id"] in published], blocks),
        scene_groups=groups([row for row in rows if row["id"] in in_scenes], blocks),
        answers={style: _all_answers(report, part) for style, part in ANSWERS.items()},
        forest=forest(report),
        heat_map=heat_map(report),
        blocks=[
            data_block("probes", report["probes"]),
            # By position: a run's id may be any text, an element's id may not.
            *(
                data_block(f"{style}-{i}", _with_reasons(report[part].get(run["id"], {})))
                for style, part in ANSWERS.items()
                for i, run in enumerate(report["runs"])
            ),
        ],
        labels=labels,
        percent=percent,
        CONTRASTS=CONTRASTS,
        GATE_LEAD=GATE_LEAD,
        KEYS=KEYS,
        SCENES_LEAD=SCENES_LEAD,
        WAYS=WAYS,
        FILTERS=FILTERS,
    )


def _span(entries: Iterable[Json], value: str) -> tuple[float, float]:
    """The smallest span that holds all values and intervals, as far on either side of 0 as there are any."""
    there = [number for entry in entries for number in (entry[value], *(entry["ci"] or ()))]
    most = max((abs(number) for number in there), default=0) or SMALLEST_SPAN
    return -most if any(number < 0 for number in there) else 0, most if any(number > 0 for number in there) else 0


def _all_answers(report: Json, part: str) -> dict[str, dict[str, list[str]]]:
    """Run -> row -> under which names its answers are."""
    return {
        run["id"]: {row["id"]: _answers_of(row["id"], report[part].get(run["id"], {})) for row in report["rows"]}
        for run in report["runs"]
    }


def _answers_of(row_id: str, responses: Mapping[str, Any]) -> list[str]:
    """Under which names the answers of a row are: its own, or those of its facets."""
    return [row_id] if row_id in responses else [name for name in responses if name.startswith(f"{row_id}.")]


def _with_reasons(responses: Mapping[str, list[list[Any]]]) -> dict[str, list[list[Any]]]:
    """Each answer with why it is left out of the rate, or None."""
    return {name: [[*answer, _left_out(*answer[3:])] for answer in found] for name, found in responses.items()}


def _left_out(status: str, verdict: str | None, coherence: float | None) -> str | None:
    """Why an answer is left out of the rate. A refusal that was judged counts like any answer."""
    if status not in ("ok", "refused"):
        return words(status)
    if verdict is None:
        return "no usable verdict"
    return f"coherence below {INCOHERENT_BELOW}" if coherence is not None and coherence < INCOHERENT_BELOW else None
