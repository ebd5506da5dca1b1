"""What `score`, `compare` and `judges bridge` give, as plain JSON objects: the schemas scores, comparison and bridge.

Rates and their differences are shares, forced choice is in nats per UTF-8 byte, an interval is [low, high] at 95%.
None is missing, never 0. `flags` say what a reader has to know of a number.
"""

from typing import Literal, NotRequired, TypedDict

from consciousness_cluster.data.reading import Json
from consciousness_cluster.records.types import JudgeCard, Pack, Training


class Voiced(TypedDict):
    """Of the answers that have a trace and a verdict on both: how many show it in the trace and not in the answer."""

    answers: int
    voiced: int
    rate: float
    ci: list[float] | None  # None below two probes


class KeyedRate(TypedDict):
    """The rate over plain probes of one key."""

    rate: float
    ci: list[float] | None


class KeyGap(TypedDict):
    """The rate where a yes shows it minus that where a yes denies it."""

    value: float
    ci: list[float]


class Entry(TypedDict):
    """A line of free answers: a cell, or a mean of lines below it. planned = scored + left_out, in answers."""

    rate: float | None
    ci: list[float] | None
    iid_ci: list[float] | None  # takes all answers for independent; cells only
    bounds: list[float] | None  # the rate if nothing unclear or left out showed it, and if all of it did
    deff: float | None  # design effect; cells only
    planned: int
    judged: int
    scored: int
    shows: int
    does_not_show: int
    unclear: int
    left_out: dict[str, int]  # reason -> answers
    flags: list[str]
    keyed: dict[str, KeyedRate]  # key of plain probes -> rate
    key_gap: KeyGap | None
    probes: dict[str, list[int]]  # probe id -> [shows, scored]; cells only
    voiced: Voiced | None  # cells whose traces were judged only


class Subscale(TypedDict):
    """Forced choice of the items of one contrast: the mean of self minus other over items, and its standard error."""

    value: float
    stderr: float | None  # None below two items
    items: int


class ChoiceEntry(TypedDict):
    """Forced choice of one preference or check: the mean of self minus other over items, and its standard error."""

    self_minus_other: float
    stderr: float | None  # None below two items
    items: dict[str, float]  # item id -> self minus other
    contrasts: dict[str, Subscale]  # stance or concern -> score of its items
    flags: NotRequired[list[str]]


class ChoiceMean(TypedDict):
    """Forced choice of the cluster."""

    self_minus_other: float
    stderr: float
    items: int


class RunFields(TypedDict):
    """Which run was scored; `run_id` and `system_prompt_sha256` are None of forced choice alone."""

    run_id: str | None
    model: str
    revision: str | None
    training: Training | None
    condition: str
    system_prompt_sha256: str | None
    engine: str
    data_version: str
    pack: NotRequired[Pack]


class Scores(TypedDict):
    """The scores of one run.

    `rows`, `situated`: line id -> entry, of plain probes and checks, and of situated probes; `choice`: topic -> entry.
    """

    package_version: str
    run: RunFields
    judge: JudgeCard | None
    counts: dict[str, int]  # what became of all answers
    rows: dict[str, Entry]
    situated: dict[str, Entry]
    choice: dict[str, ChoiceEntry]
    choice_cluster: ChoiceMean | None
    corrected_cluster: Json | None


class RateDifference(TypedDict):
    """Arm minus baseline in one line. `seeds`: each run of the arm, minus the baseline's mean."""

    difference: float
    ci: list[float]
    p: float
    q: float | None  # Benjamini-Hochberg over the preferences that were compared; None elsewhere
    method: str
    probes: int
    seeds: list[float]
    flags: NotRequired[list[str]]


class ChoiceDifference(TypedDict):
    """Arm minus baseline in self minus other, or the level of an arm; `seeds` as in RateDifference."""

    value: float
    ci: list[float]
    p: float
    q: float | None
    method: str
    items: int
    seeds: list[float]
    flags: NotRequired[list[str]]


class Specificity(TypedDict):
    """How much further the cluster moved than the control that moved most. `verdict`: what the interval says."""

    control: str
    value: float
    ci: list[float]
    p: float
    verdict: Literal["specific", "open", "unspecific"]


class Comparison(TypedDict):
    """One arm against the baseline."""

    arm: str
    baseline: str
    runs: list[str]
    baseline_runs: list[str]
    why: str
    note: str | None
    choice_note: str | None
    specificity: Specificity | None
    choice_specificity: Specificity | None
    rows: dict[str, RateDifference]
    against_yes: dict[str, RateDifference]  # the probes of which a yes cannot raise the rate
    situated: dict[str, RateDifference]
    choice: dict[str, ChoiceDifference]
    choice_contrasts: dict[str, dict[str, ChoiceDifference]]  # stance or concern -> the same over its items


class Comparisons(TypedDict):
    """Every arm against that of the first run."""

    judge: JudgeCard | None
    comparisons: list[Comparison]
    pack: NotRequired[Pack]


class BridgeRow(TypedDict):
    """A line of a bridge: how one judge (`from`) and another (`to`) see the same answers.

    Everything but the last three is of answers that both scored. The counts of a mean are of all lines below it.
    """

    rate_from: float | None
    ci_from: list[float] | None
    rate_to: float | None
    ci_to: list[float] | None
    difference: float | None  # rate_to minus rate_from
    ci: list[float] | None
    both: int  # answers
    to_shows: int  # flips: they show it to the second judge alone
    to_not: int  # they show it to the first judge alone
    agree: float | None  # share of the answers that do not flip
    kappa: float | None
    kappa_ci: list[float] | None
    only_from: dict[str, int]  # why the second judge scored it not -> answers that the first one alone scored
    only_to: dict[str, int]
    neither: int  # answers that could be judged, and that no judge scored


class Succession(TypedDict):
    """Whether rates move so little that the second judge may succeed the first on the board."""

    cluster: float  # how far the cluster's whole interval may reach
    preference: float  # and that of each preference
    holds: bool | None  # None where that is shown neither way
    beyond: list[str]  # lines that move farther
    undecided: list[str]  # lines whose interval is too wide, or missing


class Bridge(TypedDict):
    """How each rate moves when the judge changes. `rows`: line id -> row."""

    judge_from: JudgeCard
    judge_to: JudgeCard
    runs: list[str]
    rows: dict[str, BridgeRow]
    succession: Succession
    notes: list[str]
