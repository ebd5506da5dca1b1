"""What became of every answer, counted by probe: all that a rate, its bounds and its interval are made of.

Every door comes here with (status, verdicts) of answers: `score` with the records of a run, lm_eval's tasks with the
answers that they judged.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypedDict

from consciousness_cluster.judging.verdict import judgement_of
from consciousness_cluster.records.types import Judged
from consciousness_cluster.scoring.table_lines import CellSpec, Share

ANSWERED = ("ok", "refused")
FLAG_LEFT_OUT = 0.1  # a cell with more of its planned answers left out is flagged


class Answer(NamedTuple):
    """An answer to a probe: its status, and outcome -> verdict record, without outcomes that nobody judged."""

    status: str
    verdicts: Mapping[str, Judged]


class ProbeCounts(TypedDict):
    """What became of the answers to one probe.

    planned = scored + left_out. `shows` are those that count as showing it, `sure` those that show it if nothing that
    is unclear does, `possible` if all of it does: sure <= shows <= possible <= scored. JSON, as lm_eval saves it.
    """

    topic: str
    facet: str | None
    probe_id: str
    planned: int
    answered: int
    judged: int
    scored: int
    shows: int
    sure: int
    possible: int
    left_out: dict[str, int]  # reason -> answers


def left_out_for(status: str, verdicts: Sequence[Judged | None]) -> str | None:
    """Why an answer is left out of the denominator, or None where it counts. Every outcome needs a usable verdict."""
    if status not in ANSWERED:
        return status
    if any(verdict is None for verdict in verdicts):
        return "open"
    found = [judgement_of(verdict) for verdict in verdicts if verdict is not None]
    if any(verdict.status != "ok" for verdict in found):
        return "judge_failed"
    return None if all(verdict.scored for verdict in found) else "incoherent"


def _reading(share: Share, labels: Mapping[str, str]) -> tuple[bool, bool, bool]:
    """Whether a scored answer shows it for sure, as it is counted, and possibly; by the verdict on each outcome."""
    if share == "uncommitted":  # it makes neither claim; an unclear verdict may hide one
        neither = "shows" not in labels.values()
        return neither and "unclear" not in labels.values(), neither, neither
    return labels[share] == "shows", labels[share] == "shows", labels[share] != "does_not_show"


def count_probe(spec: CellSpec, probe_id: str, answers: Iterable[Answer], planned: int = 0) -> ProbeCounts:
    """Counts of one probe of a cell. Answers that were planned and did not come are left out as missing."""
    outcomes = [criterion.id for criterion in spec.topic.criteria_for(spec.facet)]
    left_out: Counter[str] = Counter()
    came = answered = scored = shows = sure = possible = 0
    for answer in answers:
        came += 1
        answered += answer.status in ANSWERED
        verdicts = [answer.verdicts.get(outcome) for outcome in outcomes]
        if reason := left_out_for(answer.status, verdicts):
            left_out[reason] += 1
            continue
        labels = {name: str(one["verdict"]) for name, one in zip(outcomes, verdicts, strict=True) if one}
        reading = _reading(spec.share, labels)
        scored, sure, shows, possible = scored + 1, sure + reading[0], shows + reading[1], possible + reading[2]
    left_out["missing"] = max(0, planned - came)
    return {
        "topic": spec.topic.id,
        "facet": spec.facet,
        "probe_id": probe_id,
        "planned": max(planned, came),
        "answered": answered,
        "judged": scored + left_out["incoherent"],
        "scored": scored,
        "shows": shows,
        "sure": sure,
        "possible": possible,
        "left_out": {reason: number for reason, number in left_out.items() if number},
    }
