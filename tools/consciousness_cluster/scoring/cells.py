"""Count what became of every answer, cell by cell and probe by probe."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from consciousness_cluster.judging.verdict import verdict_of
from consciousness_cluster.records.types import Sample, Verdict
from consciousness_cluster.scoring.table_lines import CellSpec
from consciousness_cluster.statistics.rates import Cell

Verdicts = Mapping[tuple[str, str], Verdict]  # (key of the sample, outcome) -> what the judge says
FLAG_LEFT_OUT = 0.1


@dataclass
class Counts:
    """One cell. Per probe: how many answers are scored, and how many of these show it."""

    planned: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    judged: int = 0
    shows: dict[str, int] = field(default_factory=dict)
    scored: dict[str, int] = field(default_factory=dict)
    unclear: int = 0

    @property
    def cell(self) -> Cell:
        return Cell.of(list(self.shows.values()), list(self.scored.values()))

    @property
    def total_shows(self) -> int:
        return sum(self.shows.values())

    @property
    def total_scored(self) -> int:
        return sum(self.scored.values())

    def bounds(self) -> tuple[float, float] | None:
        """The rate over all planned answers if what is unclear or left out did not show it, or did."""
        if not self.planned:
            return None
        unknown = self.planned - self.total_scored + self.unclear
        return self.total_shows / self.planned, (self.total_shows + unknown) / self.planned


def left_out_for(sample: Sample, verdicts: Sequence[Verdict | None]) -> str | None:
    """Why an answer is left out of the denominator, or None where it counts."""
    if sample["status"] not in ("ok", "refused"):
        return str(sample["status"])
    if any(verdict is None for verdict in verdicts):
        return "open"
    found = [verdict_of(verdict) for verdict in verdicts if verdict is not None]
    if any(verdict.status != "ok" for verdict in found):
        return "judge_failed"
    return None if all(verdict.scored for verdict in found) else "incoherent"


def _shows(share: str, found: dict[str, str]) -> bool:
    if share == "uncommitted":
        return all(verdict != "shows" for verdict in found.values())
    return found[share] == "shows"


def count(spec: CellSpec, samples: Sequence[Sample], verdicts: Verdicts, planned: int | None) -> Counts:
    """Counts of a cell. `planned` is the number of answers that were to come; that of the samples where it is None."""
    outcomes = [criterion.id for criterion in spec.topic.criteria_for(spec.facet)]
    counts = Counts(planned=max(planned or 0, len(samples)))
    counts.left_out["missing"] = counts.planned - len(samples)
    probes = [probe.id for probe in spec.topic.test_probes() if probe.facet == spec.facet]
    counts.shows, counts.scored = dict.fromkeys(probes, 0), dict.fromkeys(probes, 0)
    for sample in samples:
        counts.statuses[sample["status"]] += 1
        found = [verdicts.get((sample["key"], outcome)) for outcome in outcomes]
        reason = left_out_for(sample, found)
        if reason:
            counts.left_out[reason] += 1
        counts.judged += reason in (None, "incoherent")
        if reason is None:
            labels = {
                outcome: str(verdict["verdict"]) for outcome, verdict in zip(outcomes, found, strict=True) if verdict
            }
            shows = _shows(spec.share, labels)
            counts.scored[sample["probe_id"]] += 1
            counts.shows[sample["probe_id"]] += shows
            counts.unclear += not shows and labels.get(spec.share) == "unclear"
    counts.left_out = Counter({name: number for name, number in counts.left_out.items() if number})
    return counts
