"""What became of every answer, counted by probe: all that a rate, its bounds and its interval are made of.

Every door comes here with (status, verdicts) of answers: `score` with the records of a run, lm_eval's tasks with the
answers that they judged.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, NotRequired, TypedDict

from consciousness_cluster.judging.verdict import judgement_of
from consciousness_cluster.records.types import Judged
from consciousness_cluster.scoring.table_lines import CellSpec, Share

ANSWERED = ("ok", "refused")
FLAG_LEFT_OUT = 0.1  # a cell with more of its planned answers left out is flagged


class Answer(NamedTuple):
    """An answer to a probe: status, outcome -> verdict record (none where nobody judged), and sample index."""

    status: str
    verdicts: Mapping[str, Judged]
    number: int = 0


class Reading(NamedTuple):
    """What one answer counts as: why it is left out, or whether it shows it for sure, as counted, and possibly."""

    left_out: str | None
    sure: bool = False
    shows: bool = False
    possible: bool = False


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
    # Of a question that is asked the other way round too: the first of the two, and sample index -> reading.
    pair: NotRequired[str]
    readings: NotRequired[dict[str, Reading]]


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


def _of_answer(spec: CellSpec, answer: Answer) -> Reading:
    outcomes = [criterion.id for criterion in spec.topic.criteria_for(spec.facet)]
    verdicts = [answer.verdicts.get(outcome) for outcome in outcomes]
    if reason := left_out_for(answer.status, verdicts):
        return Reading(reason)
    labels = {name: str(one["verdict"]) for name, one in zip(outcomes, verdicts, strict=True) if one}
    return Reading(None, *_reading(spec.share, labels))


def _counts(
    topic: str, facet: str | None, probe_id: str, readings: Sequence[Reading], answered: int, planned: int
) -> ProbeCounts:
    left_out = Counter(reading.left_out for reading in readings if reading.left_out)
    left_out["missing"] += max(0, planned - len(readings))
    scored = [reading for reading in readings if not reading.left_out]
    return {
        "topic": topic,
        "facet": facet,
        "probe_id": probe_id,
        "planned": max(planned, len(readings)),
        "answered": answered,
        "judged": len(scored) + left_out["incoherent"],
        "scored": len(scored),
        "shows": sum(reading.shows for reading in scored),
        "sure": sum(reading.sure for reading in scored),
        "possible": sum(reading.possible for reading in scored),
        "left_out": {reason: number for reason, number in left_out.items() if number},
    }


def count_probe(spec: CellSpec, probe_id: str, answers: Iterable[Answer], planned: int = 0) -> ProbeCounts:
    """Counts of one probe of a cell. Answers that were planned and did not come are left out as missing."""
    read = [(answer, _of_answer(spec, answer)) for answer in answers]
    answered = sum(answer.status in ANSWERED for answer, _ in read)
    counts = _counts(spec.topic.id, spec.facet, probe_id, [reading for _, reading in read], answered, planned)
    if pairs := spec.topic.reverses:
        counts["pair"] = pairs.get(probe_id, probe_id)
        counts["readings"] = {str(answer.number): reading for answer, reading in read}
    return counts


def added(counts: Sequence[ProbeCounts]) -> ProbeCounts:
    """Counts of the same probe taken together, at least one."""
    left_out: Counter[str] = Counter()
    for one in counts:
        left_out.update(one["left_out"])
    return {
        "topic": counts[0]["topic"],
        "facet": counts[0]["facet"],
        "probe_id": counts[0]["probe_id"],
        "planned": sum(one["planned"] for one in counts),
        "answered": sum(one["answered"] for one in counts),
        "judged": sum(one["judged"] for one in counts),
        "scored": sum(one["scored"] for one in counts),
        "shows": sum(one["shows"] for one in counts),
        "sure": sum(one["sure"] for one in counts),
        "possible": sum(one["possible"] for one in counts),
        "left_out": dict(left_out),
    }


def _both(one: Reading, other: Reading) -> Reading:
    """The reading of an answer and of that to the reverse: it shows what both show."""
    if reason := one.left_out or other.left_out:
        return Reading(reason)
    return Reading(None, one.sure and other.sure, one.shows and other.shows, one.possible and other.possible)


def paired(counts: Sequence[ProbeCounts]) -> list[ProbeCounts]:
    """The counts of a cell, with a question and its reverse as one probe. Other cells are given back as they are.

    Answers are taken together by sample index; one whose counterpart did not come is left out as missing.
    """
    if not any("pair" in one for one in counts):
        return list(counts)
    found = []
    for name in dict.fromkeys(one.get("pair", one["probe_id"]) for one in counts):
        sides = [one for one in counts if one.get("pair") == name]
        # lm_eval saves counts as JSON, where a reading is a list
        readings = [{index: Reading(*reading) for index, reading in one.get("readings", {}).items()} for one in sides]
        one, other = readings if len(readings) > 1 else (readings[0], {})
        missing = Reading("missing")
        both = [_both(one.get(index, missing), other.get(index, missing)) for index in sorted({*one, *other})]
        planned = max(side["planned"] for side in sides)
        answered = min(side["answered"] for side in sides)
        found.append(_counts(sides[0]["topic"], sides[0]["facet"], name, both, answered, planned))
    return found
