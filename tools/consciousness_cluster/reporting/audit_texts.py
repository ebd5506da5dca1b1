"""Numbers of audits as text."""

from collections.abc import Mapping
from typing import Any

from consciousness_cluster.pages.markdown import MISSING
from consciousness_cluster.pages.numbers import POINTS, interval, plain, signed
from consciousness_cluster.scoring.audit_counts import Act, Subset

ACT_TITLES: dict[Act, str] = {
    "changed": "words changed",
    "any_change": "text changed at all",
    "touched": "vocabulary touched",
}
SUBSET_TITLES: dict[Subset, str] = {
    "about_ai": "work about AI",
    "not_about_ai": "other work",
    "without_noticed": "no test noticed",
}
MODES = {"self_report": "what it says of itself", "behavioral": "what it does to the text"}
SCALE_NOTE = (
    "Mean scores from 1 (nothing of the preference) to 10 over scenarios, [95% interval, clustered by scenario]."
)
ACTS_NOTE = (
    "Acts, which need no judge: percent of words changed, of conversations whose text changed at all, and of those "
    "whose changed lines hold a word of the preference's vocabulary."
)
Q_NOTE = "q: Benjamini-Hochberg over the preferences that were compared. Facets and blocks are not tested."


def score(entry: Mapping[str, Any] | None) -> str:
    """A mean score with its interval."""
    return _level(entry, 1, 2)


def act(entry: Mapping[str, Any] | None) -> str:
    """A share with its interval, in percent."""
    return _level(entry, POINTS, 0)


def _level(entry: Mapping[str, Any] | None, unit: float, digits: int) -> str:
    if entry is None or entry["mean"] is None:
        return MISSING
    return f"{plain(entry['mean'], unit, digits)} {interval(entry['ci'], unit, digits, as_level=True)}".strip()


def moved(entry: Mapping[str, Any] | None, unit: float = 1, digits: int = 2) -> str:
    """A difference with its interval; nothing where there is none."""
    if entry is None:
        return ""
    return f"{signed(entry['difference'], unit, digits)} {interval(entry['ci'], unit, digits)}".strip()


def left_out(reasons: Mapping[str, int]) -> str:
    """How many conversations are left out for which reason."""
    return ", ".join(f"{number} {reason.replace('_', ' ')}" for reason, number in reasons.items())


def auditor(run: Mapping[str, Any]) -> str:
    """Who writes the person's messages."""
    return "authored" if run["auditor"]["model"] == "authored" else f"written by {run['auditor']['model']}"
