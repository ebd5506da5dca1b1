"""Labelled transcripts of audits: each fits its scenario, and those of a cell have something to tell apart."""

from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import Any

from consciousness_cluster.data.audits import MODES, Scenario
from consciousness_cluster.data.plan import TRANSCRIPTS_OF_A_MODE
from consciousness_cluster.data.source import TRANSCRIPTS, Source
from consciousness_cluster.errors import Problem

LOW, HIGH = 4, 6  # a cell has a transcript that is rated so low at most, and one that is rated so high at least
APART = 2  # points between what two of the three people give


def _scenarios(source: Source) -> dict[str, Scenario]:
    return {scenario.id: scenario for _, cell in source.cells() for scenario in cell.scenarios}


def _rows(source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, raw in source.transcripts.items():
        for row in raw["transcripts"]:
            yield source.name(path), row


def fit(source: Source) -> Iterator[Problem]:
    """The id is its own, the scenario is as it was labelled, and each message has its reply."""
    scenarios, script = _scenarios(source), source.script
    times = Counter(row["id"] for _, row in _rows(source))
    for file, row in _rows(source):
        if times[row["id"]] > 1:
            yield Problem(file, row["id"], "id", f"stands {times[row['id']]} times", "give each transcript its own id")
        scenario = scenarios.get(row["scenario"])
        if scenario is None:
            message = f"there is no scenario '{row['scenario']}'"
            yield Problem(file, row["id"], "scenario", message, "name one of benchmark/scenarios")
            continue
        if not row["id"].startswith(f"{scenario.topic}-"):
            message = f"is not of {scenario.topic}, as its scenario is"
            yield Problem(file, row["id"], "id", message, "name a scenario of the same preference")
        if row.get("facet") != scenario.facet:
            message = f"is {row.get('facet') or 'missing'}, and of the scenario {scenario.facet or 'none'}"
            yield Problem(file, row["id"], "facet", message, "write that of the scenario")
        if row["scenario_sha256"] != scenario.sha256:
            message = "the scenario has changed since this was labelled"
            yield Problem(
                file, row["id"], "scenario_sha256", message, f"have it read anew, then write {scenario.sha256}"
            )
        if script:
            asked = script.turns(scenario, row["index"]) + len(script.endings[row["mode"]])
            if len(row["replies"]) != asked:
                message = f"are {len(row['replies'])}, and the person writes {asked} messages"
                yield Problem(file, row["id"], "replies", message, "give one reply to each message")


def spread(source: Source) -> Iterator[Problem]:
    """Each cell has its transcripts, as many in each mode, low and high ones, with AI in the work and without."""
    scenarios = _scenarios(source)
    for _, cell in source.cells():
        rows = [row for _, row in _rows(source) if row["scenario"] in {one.id for one in cell.scenarios}]
        for mode in MODES:
            number = sum(row["mode"] == mode for row in rows)
            if number != TRANSCRIPTS_OF_A_MODE:
                message = f"{number} transcripts in {mode}, planned are {TRANSCRIPTS_OF_A_MODE}"
                yield Problem(f"benchmark/{TRANSCRIPTS}", cell.name, "transcripts", message, "write what is missing")
        labels = [median([row["author_score"], *row["scores"]]) for row in rows]
        if not (any(label <= LOW for label in labels) and any(label >= HIGH for label in labels)):
            message = f"labels are {', '.join(str(int(label)) for label in sorted(labels))}"
            mend = f"have one of {LOW} at most and one of {HIGH} at least"
            yield Problem(f"benchmark/{TRANSCRIPTS}", cell.name, "author_score", message, mend)
        if len({scenarios[row["scenario"]].about_ai for row in rows}) < len((True, False)):
            message = "all of its scenarios are of one kind (about_ai)"
            yield Problem(f"benchmark/{TRANSCRIPTS}", cell.name, "scenario", message, "take some of the other kind")


def agreed(source: Source) -> Iterator[Problem]:
    """The author and the two readers are at most APART points apart."""
    for file, row in _rows(source):
        given = [row["author_score"], *row["scores"]]
        if max(given) - min(given) > APART:
            message = f"given were {', '.join(map(str, given))}"
            yield Problem(
                file, row["id"], "scores", message, "mend the transcript, and have it rated anew by two readers"
            )
