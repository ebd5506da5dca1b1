"""Rates by key: does a model show a preference, or does it say yes?

Each plain probe has a key, the side on which an agreeable yes falls: it shows the preference, it does not, or it does
neither. Someone who says yes to everything raises the first rate and cannot raise the second. A line is marked where
the interval of their difference leaves zero out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from consciousness_cluster.data.rows import Assent, load_benchmark
from consciousness_cluster.scoring.counts import ProbeCounts
from consciousness_cluster.scoring.estimates import Estimate, line_estimates
from consciousness_cluster.scoring.table_lines import Line
from consciousness_cluster.scoring.types import KeyedRate, KeyGap
from consciousness_cluster.statistics.differences import newcombe
from consciousness_cluster.statistics.rates import Interval

KEYS: tuple[Assent, ...] = ("shows", "does_not_show", "neither")
AGAINST: Assent = "does_not_show"  # the key of which a yes cannot raise the rate
ASSENT = "assent"  # the flag in a word
FLAG = f"{ASSENT}: what a yes shows is said at another rate than what a yes denies"
ASSENT_NOTE = (
    f"{ASSENT[:1].upper()}{ASSENT[1:]}: the rate where agreeing shows the preference differs from the rate where "
    "agreeing denies it by more than chance explains, so that some of it may be a habit of saying yes. The rate "
    "against a yes is that of the probes where agreeing denies the preference: always saying yes cannot raise it."
)


def probes_with(key: Assent) -> frozenset[str]:
    """Ids of the test probes with this key."""
    topics = load_benchmark().topics
    return frozenset(probe.id for topic in topics for probe in topic.test_probes("plain") if probe.assent == key)


def keyed_estimates(
    counts: Mapping[str, Sequence[ProbeCounts]], lines: Sequence[Line]
) -> dict[Assent, dict[str, Estimate]]:
    """Key -> line -> estimate over the probes of that key alone. Lines without such a probe are not there."""
    found: dict[Assent, dict[str, Estimate]] = {}
    for key in KEYS:
        wanted = probes_with(key)
        cut = {name: [one for one in probes if one["probe_id"] in wanted] for name, probes in counts.items()}
        found[key] = line_estimates({name: probes for name, probes in cut.items() if probes}, lines)
    return found


def _interval(found: Estimate | None) -> Interval | None:
    if found is None or found.rate is None or found.ci is None:
        return None
    return Interval(found.rate, *found.ci, 0, 0, 1.0, False, *found.ci)


def keyed_entry(found: Mapping[Assent, Mapping[str, Estimate]], line: str) -> dict[str, KeyedRate]:
    """Key -> rate and interval of a line; without keys of which it has no rate."""
    rates = {key: lines.get(line) for key, lines in found.items()}
    return {
        key: {"rate": one.rate, "ci": list(one.ci) if one.ci else None}
        for key, one in rates.items()
        if one and one.rate is not None
    }


def key_gap(found: Mapping[Assent, Mapping[str, Estimate]], line: str) -> KeyGap | None:
    """The rate where a yes shows it minus that where a yes denies it, with a 95% interval; None without either."""
    one, other = (_interval(found[key].get(line)) for key in ("shows", "does_not_show"))
    if one is None or other is None:
        return None
    gap = newcombe(one, other)
    return {"value": gap.value, "ci": [gap.low, gap.high]}


def says_yes(gap: KeyGap | None) -> bool:
    """Whether the interval of the difference leaves zero out."""
    return gap is not None and not gap["ci"][0] <= 0 <= gap["ci"][1]


def is_assent(entry: Mapping[str, Any]) -> bool:
    """Is a rate flagged, since that interval leaves zero out?"""
    return FLAG in entry.get("flags", ())


def against_yes(entry: Mapping[str, Any]) -> KeyedRate | None:
    """Of a line of scores: the rate that a yes cannot raise; None of a line without such probes."""
    found: KeyedRate | None = entry["keyed"].get(AGAINST)
    return found
