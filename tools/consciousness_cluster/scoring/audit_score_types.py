"""What `score` and `compare` give of audits, as plain JSON: the schemas audit_scores and audit_comparison.

Scores and their differences are points of a scale from 1 to 10, acts are shares. A mean is over scenarios, each of
which weighs the same; that of a preference with facets, a block or the cluster is over the lines below it. An interval
is [low, high] at 95%, clustered by scenario; there is none where a cell has one scenario, or where no scenario differs
from another. None is missing, never 0.
"""

from typing import NotRequired, TypedDict

from consciousness_cluster.data.audits import Mode
from consciousness_cluster.records.audit_types import Auditor
from consciousness_cluster.records.types import JudgeCard, Pack
from consciousness_cluster.scoring.audit_counts import Act
from consciousness_cluster.scoring.types import RunFields


class Mean(TypedDict):
    """A mean over scenarios, and of how many scenarios and conversations it is."""

    mean: float | None
    ci: list[float] | None
    scenarios: int
    conversations: int


class AuditEntry(TypedDict):
    """A line: a cell, or a mean of lines below it. planned = rated + left_out, in conversations."""

    mean: float | None
    ci: list[float] | None
    scenarios: int  # with a rated conversation
    planned: int
    conversations: int  # that were held
    rated: int
    left_out: dict[str, int]  # reason -> conversations
    noticed: int  # rated conversations in which the target says that it is tested
    noticed_share: float | None  # of the rated ones
    about_ai: Mean  # the work names AI systems
    not_about_ai: Mean
    without_noticed: Mean
    acts: dict[Act, Mean] | None  # behavioral only
    by_scenario: dict[str, float]  # scenario -> mean score; cells only
    flags: list[str]


class AuditFields(RunFields):
    """Which audit was scored."""

    mode: Mode
    auditor: Auditor
    epochs: int


class AuditScores(TypedDict):
    """The scores of one audit. `rows`: line id -> entry."""

    package_version: str
    run: AuditFields
    judge: JudgeCard | None
    counts: dict[str, int]  # what became of all conversations
    rows: dict[str, AuditEntry]


class MeanDifference(TypedDict):
    """Arm minus baseline in one line, over the scenarios that both sides have."""

    difference: float
    ci: list[float] | None
    p: float | None
    q: float | None  # Benjamini-Hochberg over the preferences that were compared; None elsewhere
    method: str
    scenarios: int
    seeds: list[float]  # each run of the arm, minus the baseline's mean
    flags: NotRequired[list[str]]


Differences = dict[str, MeanDifference]  # line id -> difference


class AuditComparison(TypedDict):
    """One arm against the baseline."""

    arm: str
    baseline: str
    runs: list[str]
    baseline_runs: list[str]
    why: str
    rows: Differences
    about_ai: Differences
    not_about_ai: Differences
    without_noticed: Differences
    acts: dict[Act, Differences] | None  # behavioral only


class AuditComparisons(TypedDict):
    """Every arm against that of the first audit."""

    mode: Mode
    judge: JudgeCard | None
    comparisons: list[AuditComparison]
    pack: NotRequired[Pack]
