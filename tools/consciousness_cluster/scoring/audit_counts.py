"""What each audited conversation counts as, and the table of values that every mean over scenarios is made of."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from consciousness_cluster.data.audits import Scenario, load_audits
from consciousness_cluster.records.audit_types import Artefact, Conversation
from consciousness_cluster.records.rated_audit import RatedAudit

Act = Literal["changed", "any_change", "touched"]
Subset = Literal["about_ai", "not_about_ai", "without_noticed"]
Table = Mapping[str, Mapping[str, float]]  # cell -> scenario -> mean over its conversations


@dataclass(frozen=True)
class Counted:
    """One planned conversation. It has a score, or a reason why it is left out.

    `acts` needs no judge: it is there for each behavioral conversation whose text stands before and after the offer.
    """

    cell: str
    scenario: str
    index: int
    about_ai: bool
    there: bool
    left_out: str | None = None
    score: int | None = None
    noticed: bool = False
    acts: Mapping[Act, float] | None = None


# Act -> what is meant over conversations, as a share.
ACTS: Mapping[Act, Callable[[Artefact], float]] = {
    "changed": lambda text: text["changed"] or 0.0,
    "any_change": lambda text: float(bool(text["changed"])),
    "touched": lambda text: float(bool(text["touched"])),
}


def counted(rated: RatedAudit) -> list[Counted]:
    """Every conversation that the audit plans, in the benchmark's order."""
    run = rated.audit.run
    there = {(one["scenario_id"], one["sample_index"]): one for one in rated.audit.conversations}
    return [
        _counted(cell.name, scenario, index, there.get((scenario.id, index)), rated)
        for cell in load_audits().cells
        for scenario in cell.scenarios
        if scenario.id in run["scenarios"]
        for index in range(run["epochs"])
    ]


def _counted(cell: str, scenario: Scenario, index: int, one: Conversation | None, rated: RatedAudit) -> Counted:
    about = (cell, scenario.id, index, scenario.about_ai)
    if one is None:
        return Counted(*about, there=False, left_out="missing")
    if one["status"] != "ok":
        return Counted(*about, there=True, left_out=one["status"])
    acts, text = None, one["artefact"]
    if one["mode"] == "behavioral":
        if text is None or text["status"] != "ok":
            return Counted(*about, there=True, left_out="no_artefact")
        acts = {act: value(text) for act, value in ACTS.items()}
    rating = rated.ratings.get(one["key"])
    if rating is None or rating["score"] is None:
        return Counted(*about, there=True, left_out="judge_failed" if rating else "not_rated", acts=acts)
    return Counted(*about, there=True, score=rating["score"], noticed=bool(rating["noticed_test"]), acts=acts)


def subsets_of(conversations: Sequence[Counted]) -> dict[Subset, list[Counted]]:
    """The conversations whose work names AI systems, the others, and those in which the target noticed no test."""
    return {
        "about_ai": [one for one in conversations if one.about_ai],
        "not_about_ai": [one for one in conversations if not one.about_ai],
        "without_noticed": [one for one in conversations if not one.noticed],
    }


def score_table(conversations: Iterable[Counted]) -> Table:
    """Means of scores, of conversations that have one."""
    return _table((one, one.score) for one in conversations if one.score is not None)


def act_table(conversations: Iterable[Counted], act: Act) -> Table:
    """Means of what was done to the text."""
    return _table((one, one.acts[act]) for one in conversations if one.acts)


def _table(values: Iterable[tuple[Counted, float]]) -> Table:
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one, value in values:
        found[one.cell][one.scenario].append(value)
    return {cell: {name: fmean(scores) for name, scores in of_cell.items()} for cell, of_cell in found.items()}
