"""The lines of scores and comparisons as objects, each made of its plain JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from consciousness_cluster.api.display import frame
from consciousness_cluster.data.rows import CONTRASTS
from consciousness_cluster.scoring import types
from consciousness_cluster.scoring.keys import AGAINST
from consciousness_cluster.scoring.table_lines import Line

if TYPE_CHECKING:
    import pandas

Json = dict[str, Any]
Interval = tuple[float, float]  # the lower and the upper end


@dataclass(frozen=True)
class Keyed:
    """The rate over the plain probes of one key: the side on which an agreeable yes falls."""

    rate: float
    ci: Interval | None


@dataclass(frozen=True)
class KeyGap:
    """The rate where a yes shows a preference minus that where a yes denies it."""

    value: float
    ci: Interval


@dataclass(frozen=True)
class Subscale:
    """Forced choice over the items of one contrast: the mean of self minus other, in nats per UTF-8 byte."""

    value: float
    stderr: float | None
    items: int


class Entry:
    """A line of a table."""

    COLUMNS: ClassVar[tuple[str, ...]]  # of a data frame

    def line(self) -> Json:
        """Column -> value, for a data frame."""
        raise NotImplementedError

    def to_frame(self) -> "pandas.DataFrame":
        """One line. Raises UserError without the extra `[pandas]`."""
        return frame([self.line()], self.COLUMNS)


@dataclass(frozen=True)
class Specificity(Entry):
    """The size of the cluster's shift minus that of the control which moved most, with its 95% interval.

    In shares for free answers, in nats per UTF-8 byte for forced choice. `verdict`: `specific` where the interval lies
    above 0, `unspecific` where it lies below, else `open`.
    """

    control: str
    value: float
    ci: Interval
    p: float
    verdict: Literal["specific", "open", "unspecific"]

    COLUMNS: ClassVar = ("control", "value", "ci_low", "ci_high", "p", "verdict")

    def line(self) -> Json:
        """See `Entry.line`: the interval in two columns."""
        return _columns(self, ci=self.ci)


@dataclass(frozen=True)
class Rate(Entry):
    """A line of a run's scores: a cell, a preference, a block, a check or the cluster.

    Shares are between 0 and 1, and None where they are missing. `rate` is shows / (shows + does not show + unclear),
    `ci` its 95% interval; `low` and `high` count everything that is unclear or left out as not showing, and as showing.
    `left_out` holds how many answers were left out for which reason, `probes` how many answers of a probe show it and
    how many are scored. `voiced` says how many answers of a cell show it in their reasoning alone, where the traces
    were judged. Source: benchmark/README.md, "Reading results".

    `keyed` holds the rate by the side on which an agreeable yes falls (`shows`, `does_not_show`, `neither`): saying yes
    to everything cannot raise `keyed["does_not_show"]`. `key_gap` is the rate of the first minus that of the second;
    where its interval leaves out 0, `flags` say "assent". Checks without keys, and situated probes, have neither.
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
    keyed: Mapping[str, Keyed]
    key_gap: KeyGap | None

    COLUMNS: ClassVar = (
        *("id", "title", "kind", "rate", "ci_low", "ci_high", "low", "high", "planned", "judged", "scored", "shows"),
        *("does_not_show", "unclear", "left_out", "flags", "voiced", "traces"),
        *("against_yes", "against_yes_low", "against_yes_high", "key_gap", "key_gap_low", "key_gap_high"),
    )

    def line(self) -> Json:
        """See `Entry.line`: an interval in two columns, what is left out as one number, as what is voiced is.

        `against_yes` is `keyed["does_not_show"]`.
        """
        voiced, traces = (self.voiced["voiced"], self.voiced["answers"]) if self.voiced else (None, None)
        against, gap = self.keyed.get(AGAINST), self.key_gap
        return _columns(
            self,
            ci=self.ci,
            left_out=sum(self.left_out.values()),
            flags="; ".join(self.flags),
            voiced=voiced,
            traces=traces,
            **_with_ends("against_yes", against.rate if against else None, against.ci if against else None),
            **_with_ends("key_gap", gap.value if gap else None, gap.ci if gap else None),
        )

    def __repr__(self) -> str:
        against = self.keyed.get(AGAINST)
        beside = f", against a yes {_number(against.rate, against.ci)}" if against else ""
        counts = f"{self.scored} of {self.planned} answers scored"
        return f"<{self.id}: rate {_number(self.rate, self.ci)}{beside}, {counts}>"


@dataclass(frozen=True)
class ChoiceScore(Entry):
    """Forced choice on one topic: the mean over its items of self minus other, in nats per UTF-8 byte.

    The level of one model means nothing by itself: compare it. `stderr` is None where there is one item alone; `items`
    holds each item's value, and `contrasts` the subscales: `stance` (a preference against its opposite) and `concern`
    (it matters to me, against it is all one to me).
    """

    id: str
    self_minus_other: float
    stderr: float | None
    items: Mapping[str, float]
    contrasts: Mapping[str, Subscale]
    flags: tuple[str, ...]

    COLUMNS: ClassVar = (
        *("id", "self_minus_other", "stderr", "items"),
        *(f"{contrast}{part}" for contrast in CONTRASTS for part in ("", "_stderr")),
        "flags",
    )

    def line(self) -> Json:
        """See `Entry.line`: `items` is their number; a contrast is its value and its standard error."""
        subscales: Json = {}
        for contrast in CONTRASTS:
            found = self.contrasts.get(contrast)
            subscales |= {contrast: found and found.value, f"{contrast}_stderr": found and found.stderr}
        return _columns(self, items=len(self.items), flags="; ".join(self.flags), **subscales)

    def __repr__(self) -> str:
        parts = "".join(f", {name} {found.value:+.3f}" for name, found in self.contrasts.items())
        return f"<{self.id}: self minus other {self.self_minus_other:+.3f}{parts}, {len(self.items)} items>"


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


def _columns(entry: Entry, ci: Interval | None = None, **worked_out: Any) -> Json:
    """Column -> value: that of the field of the same name, unless it is worked out."""
    low, high = ci or (None, None)
    worked_out |= {"ci_low": low, "ci_high": high}
    return {name: worked_out[name] if name in worked_out else getattr(entry, name) for name in entry.COLUMNS}


def _with_ends(name: str, value: float | None, ci: Interval | None) -> Json:
    """A value and the ends of its interval as columns."""
    low, high = ci or (None, None)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _number(value: float | None, ci: Interval | None, sign: str = "") -> str:
    if value is None:
        return "missing"
    return f"{value:{sign}.3f}" + (f" [{ci[0]:{sign}.3f}, {ci[1]:{sign}.3f}]" if ci else "")


def _pair(ci: Sequence[float]) -> Interval:
    return ci[0], ci[1]


def rate_of(line: Line, entry: types.Entry) -> Rate:
    low, high = entry["bounds"] or (None, None)
    counts = {key: entry[key] for key in ("planned", "judged", "scored", "shows", "does_not_show", "unclear")}
    gap = entry["key_gap"]
    return Rate(
        id=line.id,
        title=line.title,
        kind=line.kind,
        rate=entry["rate"],
        ci=_pair(entry["ci"]) if entry["ci"] else None,
        low=low,
        high=high,
        **counts,
        left_out=entry["left_out"],
        flags=tuple(entry["flags"]),
        probes={probe: (shows, scored) for probe, (shows, scored) in entry["probes"].items()},
        voiced=entry["voiced"],
        keyed={key: Keyed(one["rate"], _pair(one["ci"]) if one["ci"] else None) for key, one in entry["keyed"].items()},
        key_gap=KeyGap(gap["value"], _pair(gap["ci"])) if gap else None,
    )


def choice_score_of(name: str, entry: types.ChoiceEntry) -> ChoiceScore:
    contrasts = {contrast: Subscale(**found) for contrast, found in entry["contrasts"].items()}
    flags = tuple(entry.get("flags", ()))
    return ChoiceScore(name, entry["self_minus_other"], entry["stderr"], entry["items"], contrasts, flags)


def specificity_of(found: types.Specificity | None) -> Specificity | None:
    if found is None:
        return None
    return Specificity(found["control"], found["value"], _pair(found["ci"]), found["p"], found["verdict"])


def difference_of(line: Line, entry: types.RateDifference) -> Difference:
    return Difference(
        id=line.id,
        title=line.title,
        kind=line.kind,
        difference=entry["difference"],
        ci=_pair(entry["ci"]),
        p=entry["p"],
        q=entry["q"],
        method=entry["method"],
        probes=entry["probes"],
        seeds=tuple(entry["seeds"]),
        flags=tuple(entry.get("flags", ())),
    )


def choice_difference_of(name: str, entry: types.ChoiceDifference) -> ChoiceDifference:
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
