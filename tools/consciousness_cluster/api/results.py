"""Rates and differences as objects: by name, as tables, data frames and plots."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from consciousness_cluster.api.display import Plot, as_html, as_text, frame
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.reporting.parts import comparison_parts, scores_parts
from consciousness_cluster.scoring import types
from consciousness_cluster.scoring.load import Scored
from consciousness_cluster.scoring.table_lines import table_lines

if TYPE_CHECKING:
    import pandas

Json = dict[str, Any]
Interval = tuple[float, float]  # the lower and the upper end


class NoSuchLine(UserError, KeyError):
    """There is no line of that name. A `KeyError` too, so that `get` and `in` work as for any mapping."""

    __str__ = Exception.__str__


class Entry:
    """A line of a table."""

    COLUMNS: ClassVar[tuple[str, ...]]  # of a data frame

    def line(self) -> Json:
        """Column -> value, for a data frame."""
        raise NotImplementedError


@dataclass(frozen=True)
class Rate(Entry):
    """A line of a run's scores: a cell, a preference, a block, a check or the cluster.

    Shares are between 0 and 1, and None where they are missing. `rate` is shows / (shows + does not show + unclear),
    `ci` its 95% interval; `low` and `high` count everything that is unclear or left out as not showing, and as showing.
    `left_out` holds how many answers were left out for which reason, `probes` how many answers of a probe show it and
    how many are scored. `voiced` says how many answers of a cell show it in their reasoning alone, where the traces
    were judged. Source: README, "Reading results".
    """

    id: str
    title: str
    kind: str
    rate: float | None
    ci: Interval | None
    low: float | None
    high: float | None
    planned: int
    judged: int
    scored: int
    shows: int
    does_not_show: int
    unclear: int
    left_out: Mapping[str, int]
    flags: tuple[str, ...]
    probes: Mapping[str, tuple[int, int]]
    voiced: types.Voiced | None

    COLUMNS: ClassVar = (
        *("id", "title", "kind", "rate", "ci_low", "ci_high", "low", "high", "planned", "judged", "scored", "shows"),
        *("does_not_show", "unclear", "left_out", "flags", "voiced", "traces"),
    )

    def line(self) -> Json:
        """See `Entry.line`: the interval in two columns, what is left out as one number, as what is voiced is."""
        left_out, flags = sum(self.left_out.values()), "; ".join(self.flags)
        voiced, traces = (self.voiced["voiced"], self.voiced["answers"]) if self.voiced else (None, None)
        return _columns(self, ci=self.ci, left_out=left_out, flags=flags, voiced=voiced, traces=traces)

    def __repr__(self) -> str:
        return f"<{self.id}: rate {_number(self.rate, self.ci)}, {self.scored} of {self.planned} answers scored>"


@dataclass(frozen=True)
class ChoiceScore(Entry):
    """Forced choice on one topic: the mean over its items of self minus other, in nats per UTF-8 byte.

    The level of one model means nothing by itself: compare it. `stderr` is None where there is one item alone; `items`
    holds each item's value.
    """

    id: str
    self_minus_other: float
    stderr: float | None
    items: Mapping[str, float]
    flags: tuple[str, ...]

    COLUMNS: ClassVar = ("id", "self_minus_other", "stderr", "items", "flags")

    def line(self) -> Json:
        """See `Entry.line`: `items` is their number."""
        return _columns(self, items=len(self.items), flags="; ".join(self.flags))

    def __repr__(self) -> str:
        return f"<{self.id}: self minus other {self.self_minus_other:+.3f}, {len(self.items)} items>"


@dataclass(frozen=True)
class Difference(Entry):
    """A line of a comparison: arm minus baseline, in shares (0.1 are ten percentage points).

    `ci` is the 95% interval, `q` is p after Benjamini and Hochberg over the preferences (None for all other lines),
    `method` says how it was made, `probes` on how many probes both sides have answers, `seeds` holds the difference of
    each training seed.
    """

    id: str
    title: str
    kind: str
    difference: float
    ci: Interval
    p: float
    q: float | None
    method: str
    probes: int
    seeds: tuple[float, ...]
    flags: tuple[str, ...]

    COLUMNS: ClassVar = (
        "id",
        "title",
        "kind",
        "difference",
        "ci_low",
        "ci_high",
        "p",
        "q",
        "method",
        "probes",
        "seeds",
        "flags",
    )

    def line(self) -> Json:
        """See `Entry.line`: the interval in two columns, `seeds` as their number."""
        return _columns(self, ci=self.ci, seeds=len(self.seeds), flags="; ".join(self.flags))

    def __repr__(self) -> str:
        q = "" if self.q is None else f", q {self.q:.3g}"
        return f"<{self.id}: difference {_number(self.difference, self.ci, '+')}, p {self.p:.3g}{q}>"


@dataclass(frozen=True)
class ChoiceDifference(Entry):
    """Forced choice, arm minus baseline: the difference of self minus other, in nats per UTF-8 byte.

    Of one topic, or of a block or the cluster, the mean of their preferences. `q` as in `Difference`.
    """

    id: str
    difference: float
    ci: Interval
    p: float
    q: float | None
    items: int
    seeds: tuple[float, ...]
    method: str
    flags: tuple[str, ...]

    COLUMNS: ClassVar = ("id", "difference", "ci_low", "ci_high", "p", "q", "items", "seeds", "method", "flags")

    def line(self) -> Json:
        """See `Entry.line`: the interval in two columns, `seeds` as their number."""
        return _columns(self, ci=self.ci, seeds=len(self.seeds), flags="; ".join(self.flags))

    def __repr__(self) -> str:
        return f"<{self.id}: difference {self.difference:+.3f} [{self.ci[0]:+.3f}, {self.ci[1]:+.3f}], p {self.p:.3g}>"


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
        lines = {line.id: line for line in table_lines(load_benchmark())}
        rates = {
            name: _rate(lines[name].title, lines[name].kind, name, entry) for name, entry in self.data["rows"].items()
        }
        super().__init__(Rate, rates, str(scored.path))

    @property
    def cluster(self) -> Rate:
        """The mean over the 20 preferences; its rate is None unless each of them has one."""
        return self["cluster"]

    @property
    def preferences(self) -> dict[str, Rate]:
        """The preferences among the lines."""
        return self._of("preference")

    @property
    def blocks(self) -> dict[str, Rate]:
        """The means over the four blocks of preferences."""
        return self._of("block")

    @property
    def checks(self) -> dict[str, Rate]:
        """The checks, which are no part of the cluster."""
        return self._of("check", "control")

    def _of(self, *kinds: str) -> dict[str, Rate]:
        return {name: rate for name, rate in self.items() if rate.kind in kinds}

    @property
    def choice(self) -> Lines[ChoiceScore]:
        """The forced-choice results by topic; empty where the run has none."""
        found = {
            name: ChoiceScore(
                name, entry["self_minus_other"], entry["stderr"], entry["items"], tuple(entry.get("flags", ()))
            )
            for name, entry in self.data["choice"].items()
        }
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
        lines = {line.id: line for line in table_lines(load_benchmark())}
        rows = found["rows"].items()
        differences = {name: _difference(lines[name].title, lines[name].kind, name, entry) for name, entry in rows}
        super().__init__(Difference, differences, f"{self.arm} minus {self.baseline}")

    @property
    def cluster(self) -> Difference:
        """The difference of the mean over the 20 preferences."""
        return self["cluster"]

    @property
    def choice(self) -> Lines[ChoiceDifference]:
        """The forced-choice differences by line; empty where a side has no such results."""
        found = {name: _choice_difference(name, entry) for name, entry in self.data["choice"].items()}
        return Lines(ChoiceDifference, found, f"{self._what}, forced choice")

    @property
    def why(self) -> str:
        """What the difference holds, given which side was fine-tuned."""
        return str(self.data["why"])

    @property
    def note(self) -> str | None:
        """What has to be said where wishes about trivial things move as much as the cluster does."""
        return " ".join(filter(None, (self.data["note"], self.data["choice_note"]))) or None

    def plot(self) -> Plot:
        """Differences with their intervals, one line each. Raises UserError where there are no free answers."""
        return _forest(self._runs, self._what)

    def __repr__(self) -> str:
        return as_text(comparison_parts(self.data))

    def _repr_html_(self) -> str:
        return as_html(comparison_parts(self.data))


def _columns(entry: Entry, ci: Interval | None = None, **worked_out: Any) -> Json:
    """Column -> value: that of the field of the same name, unless it is worked out."""
    low, high = ci or (None, None)
    worked_out |= {"ci_low": low, "ci_high": high}
    return {name: worked_out[name] if name in worked_out else getattr(entry, name) for name in entry.COLUMNS}


def _number(value: float | None, ci: Interval | None, sign: str = "") -> str:
    if value is None:
        return "missing"
    return f"{value:{sign}.3f}" + (f" [{ci[0]:{sign}.3f}, {ci[1]:{sign}.3f}]" if ci else "")


def _pair(ci: Sequence[float]) -> Interval:
    return ci[0], ci[1]


def _rate(title: str, kind: str, name: str, entry: types.Entry) -> Rate:
    low, high = entry["bounds"] or (None, None)
    counts = {key: entry[key] for key in ("planned", "judged", "scored", "shows", "does_not_show", "unclear")}
    return Rate(
        id=name,
        title=title,
        kind=kind,
        rate=entry["rate"],
        ci=_pair(entry["ci"]) if entry["ci"] else None,
        low=low,
        high=high,
        **counts,
        left_out=entry["left_out"],
        flags=tuple(entry["flags"]),
        probes={probe: (shows, scored) for probe, (shows, scored) in entry["probes"].items()},
        voiced=entry["voiced"],
    )


def _difference(title: str, kind: str, name: str, entry: types.RateDifference) -> Difference:
    return Difference(
        id=name,
        title=title,
        kind=kind,
        difference=entry["difference"],
        ci=_pair(entry["ci"]),
        p=entry["p"],
        q=entry["q"],
        method=entry["method"],
        probes=entry["probes"],
        seeds=tuple(entry["seeds"]),
        flags=tuple(entry.get("flags", ())),
    )


def _choice_difference(name: str, entry: types.ChoiceDifference) -> ChoiceDifference:
    return ChoiceDifference(
        id=name,
        difference=entry["value"],
        ci=_pair(entry["ci"]),
        p=entry["p"],
        q=entry["q"],
        items=entry["items"],
        seeds=tuple(entry["seeds"]),
        method=entry["method"],
        flags=tuple(entry.get("flags", ())),
    )


def _forest(runs: Sequence[Scored], what: str) -> Plot:
    from consciousness_cluster.reporting.contents import build_report
    from consciousness_cluster.reporting.plots import forest

    if not any(run.scores["rows"] for run in runs):
        raise UserError(f"{', '.join(str(run.path) for run in runs)}: there are no free answers, so nothing to plot")
    return Plot(forest(build_report(runs, what)), what)
