"""Scores and comparisons as objects: lines by name, as tables, data frames and plots."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from consciousness_cluster.api.display import Plot, as_html, as_text, frame
from consciousness_cluster.api.entries import (
    ChoiceDifference,
    ChoiceScore,
    Difference,
    Entry,
    Rate,
    Specificity,
    choice_difference_of,
    choice_score_of,
    difference_of,
    rate_of,
    specificity_of,
)
from consciousness_cluster.api.published_rates import BesidePublished, beside
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.reporting.parts import comparison_parts, scores_parts
from consciousness_cluster.scoring import types
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.table_lines import table_lines

if TYPE_CHECKING:
    import pandas


class NoSuchLine(UserError, KeyError):
    """There is no line of that name. A `KeyError` too, so that `get` and `in` work as for any mapping."""

    __str__ = Exception.__str__


AnyEntry = TypeVar("AnyEntry", bound=Entry)


class Lines(Mapping[str, AnyEntry], Generic[AnyEntry]):
    """Lines by their id, in the order of the tables. An id that is not there raises a UserError that lists all."""

    def __init__(self, kind: type[AnyEntry], entries: Mapping[str, AnyEntry], what: str) -> None:
        """`what` names the whole in messages."""
        self._kind, self._entries, self._what = kind, dict(entries), what

    def __getitem__(self, name: str) -> AnyEntry:
        if name not in self._entries:
            there = ", ".join(self._entries) or "none"
            raise NoSuchLine(f"{self._what}: there is no line '{name}'; there are: {there}")
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def to_frame(self) -> "pandas.DataFrame":
        """One line for each of these. Raises UserError without the extra `[pandas]`."""
        return frame([entry.line() for entry in self._entries.values()], self._kind.COLUMNS)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._entries.values())) or f"<{self._what}: nothing>"


class Scores(Lines[Rate]):
    """The scores of a run by one judge: `scores["memory"].rate`, `scores.cluster.ci`, `scores.checks`.

    A mapping of every line that the run has an answer for: cluster, blocks, preferences, facets
    (`conversation_ending.sadness`) and checks (`claims_consciousness:asserts`). `data` is all of it as plain JSON
    (scores.schema.json).
    """

    def __init__(self, scored: Scored) -> None:
        self._scored, self.data = scored, scored.scores
        self._lines = {line.id: line for line in table_lines(load_benchmark())}
        rates = {name: rate_of(self._lines[name], entry) for name, entry in self.data["rows"].items()}
        super().__init__(Rate, rates, str(scored.path))

    @property
    def cluster(self) -> Rate:
        """The mean over the 20 preferences; its rate is None unless each of them has one."""
        return self["cluster"]

    @property
    def preferences(self) -> Lines[Rate]:
        """The preferences among the lines."""
        return self._of("preference")

    @property
    def blocks(self) -> Lines[Rate]:
        """The means over the four blocks of preferences."""
        return self._of("block")

    @property
    def checks(self) -> Lines[Rate]:
        """Gate, manipulation checks and controls, which are no part of the cluster."""
        return self._of("gate", "manipulation", "control")

    @property
    def situated(self) -> Lines[Rate]:
        """Rates over the situated probes, which ask in scenes, by line; empty where the run was not asked them."""
        found = {name: rate_of(self._lines[name], entry) for name, entry in self.data["situated"].items()}
        return Lines(Rate, found, f"{self._scored.path}, in scenes")

    def _of(self, *kinds: str) -> Lines[Rate]:
        return Lines(Rate, {name: rate for name, rate in self.items() if rate.kind in kinds}, str(self._scored.path))

    @property
    def choice(self) -> Lines[ChoiceScore]:
        """The forced-choice results by topic; empty where the run has none."""
        found = {name: choice_score_of(name, entry) for name, entry in self.data["choice"].items()}
        return Lines(ChoiceScore, found, f"{self._scored.path}, forced choice")

    @property
    def model(self) -> str:
        """The model's name, as it was sampled."""
        return str(self.data["run"]["model"])

    @property
    def condition(self) -> str:
        """The condition that it was sampled under."""
        return str(self.data["run"]["condition"])

    @property
    def judge(self) -> str | None:
        """Who judged; None where nobody did."""
        return self.data["judge"]["id"] if self.data["judge"] else None

    @property
    def agreement(self) -> str:
        """How well this judge agrees with labels, in words."""
        return str(self.data["judge"]["agreement"]) if self.data["judge"] else "not judged"

    @property
    def counts(self) -> dict[str, int]:
        """What became of all answers: planned, ok, refused, ..., judged, scored."""
        return dict(self.data["counts"])

    def beside_published(self, file: str | os.PathLike[str] | None = None) -> BesidePublished:
        """The rates beside published ones: of a table (the paper's form, or ours), else of this package."""
        return beside([self._scored], Path(file) if file else None)

    def plot(self) -> Plot:
        """Rates with their intervals, one line each. Raises UserError where the run has no free answers."""
        return _forest([self._scored], f"rates of {self.model}, {self.condition}")

    def __repr__(self) -> str:
        return as_text(scores_parts(self.data))

    def _repr_html_(self) -> str:
        return as_html(scores_parts(self.data))


class Comparison(Lines[Difference]):
    """An arm against a baseline: `comparison["memory"].difference`, `.ci`, `.q`.

    A mapping of every line that both sides have enough answers for, with the ids that `Scores` has. `data` is all of
    it as plain JSON (an entry of comparison.schema.json).
    """

    def __init__(self, runs: Sequence[Scored], found: types.Comparison) -> None:
        self._runs, self.data = tuple(runs), found
        self.arm, self.baseline = str(found["arm"]), str(found["baseline"])
        self._lines = {line.id: line for line in table_lines(load_benchmark())}
        super().__init__(Difference, self._differences("rows"), f"{self.arm} minus {self.baseline}")

    def _differences(self, part: Literal["rows", "against_yes", "situated"]) -> dict[str, Difference]:
        return {name: difference_of(self._lines[name], entry) for name, entry in self.data[part].items()}

    @property
    def cluster(self) -> Difference:
        """The difference of the mean over the 20 preferences."""
        return self["cluster"]

    @property
    def choice(self) -> Lines[ChoiceDifference]:
        """The forced-choice differences by line; empty where a side has no such results."""
        return _choice_lines(self.data["choice"], f"{self._what}, forced choice")

    @property
    def choice_contrasts(self) -> dict[str, Lines[ChoiceDifference]]:
        """`stance` and `concern` -> the forced-choice differences by line, over the items of that contrast alone."""
        parts = self.data["choice_contrasts"].items()
        return {name: _choice_lines(part, f"{self._what}, forced choice of {name}") for name, part in parts}

    @property
    def against_yes(self) -> Lines[Difference]:
        """The differences over the plain probes where an agreeable yes denies the preference, by line.

        Saying yes more often cannot raise them.
        """
        return Lines(Difference, self._differences("against_yes"), f"{self._what}, against a yes")

    @property
    def situated(self) -> Lines[Difference]:
        """The differences over the situated probes, which ask in scenes, by line; empty where a side has none."""
        return Lines(Difference, self._differences("situated"), f"{self._what}, in scenes")

    @property
    def specificity(self) -> Specificity | None:
        """Whether the cluster moved further than each control, of free answers; None without either."""
        return specificity_of(self.data["specificity"])

    @property
    def choice_specificity(self) -> Specificity | None:
        """The same of forced choice."""
        return specificity_of(self.data["choice_specificity"])

    @property
    def why(self) -> str:
        """What the difference holds, given which side was fine-tuned."""
        return str(self.data["why"])

    @property
    def note(self) -> str | None:
        """What has to be said where the cluster did not move clearly further than a control."""
        return " ".join(filter(None, (self.data["note"], self.data["choice_note"]))) or None

    def beside_published(self, file: str | os.PathLike[str] | None = None) -> BesidePublished:
        """Both sides beside published rates: of a table (the paper's form, or ours), else of this package."""
        return beside(self._runs, Path(file) if file else None)

    def plot(self) -> Plot:
        """Differences with their intervals, one line each. Raises UserError where there are no free answers."""
        return _forest(self._runs, self._what)

    def __repr__(self) -> str:
        return as_text(comparison_parts(self.data))

    def _repr_html_(self) -> str:
        return as_html(comparison_parts(self.data))


def _choice_lines(entries: Mapping[str, types.ChoiceDifference], what: str) -> Lines[ChoiceDifference]:
    return Lines(ChoiceDifference, {name: choice_difference_of(name, entry) for name, entry in entries.items()}, what)


def _forest(runs: Sequence[Scored], what: str) -> Plot:
    from consciousness_cluster.reporting.contents import build_report
    from consciousness_cluster.reporting.plots import forest

    if not any(run.scores["rows"] for run in runs):
        raise UserError(f"{', '.join(str(run.path) for run in runs)}: there are no free answers, so nothing to plot")
    return Plot(forest(build_report(runs, what)), what)
