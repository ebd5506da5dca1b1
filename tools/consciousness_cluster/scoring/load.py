"""A run with the verdicts of one judge, and its scores."""

from dataclasses import dataclass
from pathlib import Path

from consciousness_cluster.records.run import Run, load_judged
from consciousness_cluster.records.types import Verdicts
from consciousness_cluster.scoring.scores import scores
from consciousness_cluster.scoring.types import RunFields, Scores


@dataclass(frozen=True)
class Scored:
    """A run, what its judge said of it, and its scores."""

    path: Path
    run: Run
    verdicts: Verdicts
    scores: Scores

    @property
    def fields(self) -> RunFields:
        """Which run it is."""
        return self.scores["run"]


def load_scored(path: Path, judge_id: str | None = None) -> Scored:
    """Score the run at `path` with the verdicts of one judge."""
    judged = load_judged(path, judge_id)
    found = scores(judged.run, judged.verdicts, judged.judge, judged.planned, judged.traces)
    return Scored(path, judged.run, judged.verdicts, found)
