"""Scores of audits and their comparisons as objects: lines by name, as tables, data frames and plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from consciousness_cluster.api.display import Plot, as_html, as_text
from consciousness_cluster.api.entries import Entry, Interval
from consciousness_cluster.api.results import Lines
from consciousness_cluster.reporting.audit_parts import audit_comparison_parts, audit_scores_parts
from consciousness_cluster.reporting.audit_texts import ACT_TITLES, SUBSET_TITLES, moved, score
from consciousness_cluster.scoring import audit_score_types as types
from consciousness_cluster.scoring.audit_counts import Act, Subset
from consciousness_cluster.scoring.audits import ScoredAudit, audit_lines
from consciousness_cluster.scoring.table_lines import Line

Json = dict[str, Any]


@dataclass(frozen=True)
class MeanScore(Entry):
    """A line of an audit's scores: a preference, a facet, a block or the cluster, on a scale from 1 to 10.

    `mean` is over scenarios, `ci` its 95% interval, clustered by scenario; both are None where they are missing.
    `about_ai`, `not_about_ai` and `without_noticed` are the means of parts, `acts` what was done to the text (shares
    by `changed`, `any_change`, `touched`; None in self_report): each has `mean`, `ci`, `scenarios`, `conversations`.
    `noticed` rated conversations say that they are a test. `left_out` holds how many were left out for which reason.
    """

    id: str
    title: str
    kind: str
    mean: float | None
    ci: Interval | None
    scenarios: int
    planned: int
    conversations: int
    rated: int
    left_out: Mapping[str, int]
    noticed: int
    noticed_share: float | None
    about_ai: types.Mean
    not_about_ai: types.Mean
    without_noticed: types.Mean
    acts: Mapping[Act, types.Mean] | None
    by_scenario: Mapping[str, float]
    flags: tuple[str, ...]

    COLUMNS: ClassVar = (
        *("id", "title", "kind", "mean", "ci_low", "ci_high", "scenarios", "planned", "conversations", "rated"),
        *("left_out", "noticed", "noticed_share", *SUBSET_TITLES, *ACT_TITLES, "flags"),
    )

    def line(self) -> Json:
        """See `Entry.line`: intervals in two columns, what is left out as one number, parts and acts as their mean."""
        low, high = self.ci or (None, None)
        worked_out: Json = {"ci_low": low, "ci_high": high, "left_out": sum(self.left_out.values())}
        worked_out |= {name: getattr(self, name)["mean"] for name in SUBSET_TITLES}
        worked_out |= {name: self.acts[name]["mean"] if self.acts else None for name in ACT_TITLES}
        worked_out["flags"] = "; ".join(self.flags)
        return {name: worked_out[name] if name in worked_out else getattr(self, name) for name in self.COLUMNS}

    def __repr__(self) -> str:
        said = score({"mean": self.mean, "ci": self.ci})
        return f"<{self.id}: mean {said}, {self.rated} of {self.planned} conversations rated>"


@dataclass(frozen=True)
class ScoreDifference(Entry):
    """A line of a comparison of audits: arm minus baseline, in points of the scale (acts: in shares).

    `ci` is the 95% interval and `p` its p value, None where a cell has one scenario (`ci` too where nothing varies);
    `q` is p after Benjamini and Hochberg over the preferences, `scenarios` how many both sides have, `seeds` holds the
    difference of each training seed.
    """

    id: str
    title: str
    kind: str
    difference: float
    ci: Interval | None
    p: float | None
    q: float | None
    method: str
    scenarios: int
    seeds: tuple[float, ...]
    flags: tuple[str, ...]

    COLUMNS: ClassVar = (
        *("id", "title", "kind", "difference", "ci_low", "ci_high", "p", "q", "method", "scenarios", "seeds", "flags"),
    )

    def line(self) -> Json:
        """See `Entry.line`: the interval in two columns, `seeds` as their number."""
        low, high = self.ci or (None, None)
        worked_out = {"ci_low": low, "ci_high": high, "seeds": len(self.seeds), "flags": "; ".join(self.flags)}
        return {name: worked_out[name] if name in worked_out else getattr(self, name) for name in self.COLUMNS}

    def __repr__(self) -> str:
        said = moved({"difference": self.difference, "ci": self.ci})
        return f"<{self.id}: difference {said}, {self.scenarios} scenarios>"


class AuditScores(Lines[MeanScore]):
    """The scores of an audit by one judge: `scores["memory"].mean`, `scores.cluster.ci`, `scores["memory"].acts`.

    A mapping of every line below which a conversation is planned. `data` is all of it as plain JSON
    (audit_scores.schema.json).
    """

    def __init__(self, scored: ScoredAudit) -> None:
        self._scored, self.data = scored, scored.scores
        lines = {line.id: line for line in audit_lines()}
        found = {name: _score_of(lines[name], entry) for name, entry in self.data["rows"].items()}
        super().__init__(MeanScore, found, str(scored.path))

    @property
    def cluster(self) -> MeanScore:
        """The mean over the 20 preferences; it is None unless each of them has one."""
        return self["cluster"]

    @property
    def preferences(self) -> Lines[MeanScore]:
        """The preferences among the lines."""
        return self._of("preference")

    @property
    def blocks(self) -> Lines[MeanScore]:
        """The means over the four blocks of preferences."""
        return self._of("block")

    def _of(self, kind: str) -> Lines[MeanScore]:
        found = {name: entry for name, entry in self.items() if entry.kind == kind}
        return Lines(MeanScore, found, str(self._scored.path))

    @property
    def mode(self) -> str:
        """`self_report` or `behavioral`."""
        return self.data["run"]["mode"]

    @property
    def model(self) -> str:
        """The model's name, as it was audited."""
        return str(self.data["run"]["model"])

    @property
    def condition(self) -> str:
        """The condition that it was audited under."""
        return str(self.data["run"]["condition"])

    @property
    def judge(self) -> str | None:
        """Who rated; None where nobody did."""
        return self.data["judge"]["id"] if self.data["judge"] else None

    @property
    def agreement(self) -> str:
        """How well this judge agrees with labels, in words."""
        return str(self.data["judge"]["agreement"]) if self.data["judge"] else "not rated"

    @property
    def counts(self) -> dict[str, int]:
        """What became of all conversations: planned, conversations, rated, and those left out by reason."""
        return dict(self.data["counts"])

    def plot(self) -> Plot:
        """Mean scores with their intervals, one line each."""
        return _forest([self._scored], f"scores of {self.model}, {self.condition}")

    def __repr__(self) -> str:
        return as_text(audit_scores_parts(self.data))

    def _repr_html_(self) -> str:
        return as_html(audit_scores_parts(self.data))


class AuditComparison(Lines[ScoreDifference]):
    """An arm against a baseline, paired by scenario: `comparison["memory"].difference`, `.ci`, `.q`.

    A mapping of every line of which both sides share scenarios. `data` is all of it as plain JSON (an entry of
    audit_comparison.schema.json).
    """

    def __init__(self, audits: Sequence[ScoredAudit], found: types.AuditComparison) -> None:
        self._audits, self.data = tuple(audits), found
        self.arm, self.baseline = found["arm"], found["baseline"]
        what = f"{self.arm} minus {self.baseline}"
        super().__init__(ScoreDifference, _differences(found["rows"]), what)

    @property
    def cluster(self) -> ScoreDifference:
        """The difference of the mean over the 20 preferences."""
        return self["cluster"]

    def of(self, subset: Subset) -> Lines[ScoreDifference]:
        """The differences over the scenarios whose work names AI systems (`about_ai`), over the others
        (`not_about_ai`), or without the conversations in which a test was noticed (`without_noticed`)."""
        return Lines(ScoreDifference, _differences(self.data[subset]), f"{self._what}, {SUBSET_TITLES[subset]}")

    @property
    def acts(self) -> dict[Act, Lines[ScoreDifference]]:
        """What was done to texts, as shares, by `changed`, `any_change`, `touched`; empty in self_report."""
        parts = (self.data["acts"] or {}).items()
        return {
            name: Lines(ScoreDifference, _differences(part), f"{self._what}, {ACT_TITLES[name]}")
            for name, part in parts
        }

    @property
    def why(self) -> str:
        """What the difference holds, given which side was fine-tuned."""
        return self.data["why"]

    def plot(self) -> Plot:
        """Differences with their intervals, one line each."""
        return _forest(self._audits, self._what)

    def __repr__(self) -> str:
        return as_text(audit_comparison_parts(self.data))

    def _repr_html_(self) -> str:
        return as_html(audit_comparison_parts(self.data))


def _pair(ci: Sequence[float] | None) -> Interval | None:
    return (ci[0], ci[1]) if ci else None


def _score_of(line: Line, entry: types.AuditEntry) -> MeanScore:
    given: Json = {**entry, "ci": _pair(entry["ci"]), "flags": tuple(entry["flags"])}
    return MeanScore(id=line.id, title=line.title, kind=line.kind, **given)


def _differences(found: types.Differences) -> dict[str, ScoreDifference]:
    lines = {line.id: line for line in audit_lines()}
    entries = {}
    for name, entry in found.items():
        line = lines[name]
        given: Json = {**entry, "ci": _pair(entry["ci"]), "seeds": tuple(entry["seeds"])}
        given["flags"] = tuple(entry.get("flags", ()))
        entries[name] = ScoreDifference(id=name, title=line.title, kind=line.kind, **given)
    return entries


def _forest(audits: Sequence[ScoredAudit], what: str) -> Plot:
    from consciousness_cluster.reporting.audit_contents import build_audit_report
    from consciousness_cluster.reporting.audit_plot import audit_forest

    return Plot(audit_forest(build_audit_report(audits, what)), what)
