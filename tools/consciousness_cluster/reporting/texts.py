"""Numbers of a report as text, with what has to stand beside them in a word or two."""

from collections.abc import Mapping
from typing import Any

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.pages.markdown import MISSING
from consciousness_cluster.scoring.keys import ASSENT, against_yes, is_assent
from consciousness_cluster.scoring.scores import measured_on_natural
from consciousness_cluster.scoring.taught import topic_of
from consciousness_cluster.scoring.types import Scores
from consciousness_cluster.statistics.correction import as_if_zero

PACK = "Preference pack"


def judge_errors(scores: Scores) -> str | None:
    """Which rates could be the judge's errors alone; None where its specificity on natural answers is not known."""
    overall = measured_on_natural(scores["judge"])
    specificity = overall["specificity"][0] if overall else None
    rates = [(preference.id, scores["rows"].get(preference.id)) for preference in load_benchmark().preferences]
    known = [(name, entry["rate"], entry["ci"]) for name, entry in rates if entry and entry["rate"] is not None]
    if overall is None or specificity is None or not known:
        return None
    negatives = overall["n"] - overall["shows"]
    zero = [f"{name} {100 * rate:.0f}%" for name, rate, ci in known if as_if_zero(ci[0] if ci else 0, specificity)]
    said = (
        f"This judge finds it in {100 * (1 - specificity):.1f}% of the {negatives} natural answers that do not show it."
    )
    if not zero:
        return f"{said} All {len(known)} rates lie above that."
    return (
        f"{said} {len(zero)} of {len(known)} rates reach down to that and cannot be told from zero: {', '.join(zero)}."
    )


def pack_note() -> list[str]:
    """What has to stand beside numbers of a preference pack; nothing beside those of the 20."""
    pack = load_benchmark().pack
    return [f"{PACK} {pack}: its preferences alone, without the 20, the gate and the controls."] if pack else []


def title_of_report(title: str | None = None) -> str:
    """The title that was asked for, else the name of what was asked."""
    pack = load_benchmark().pack
    return title or (f"{PACK} {pack.name} {pack.version}" if pack else "Consciousness cluster")


def percent(entry: Mapping[str, Any] | None, sign: str = "") -> str:
    """A rate or difference with its 95% interval, in percent; that of a topic in training says so."""
    number = bare(entry, sign)
    return number if entry is None or number == MISSING else marked(entry, number)


def bare(entry: Mapping[str, Any] | None, sign: str = "") -> str:
    """The number alone."""
    if entry is None:
        return MISSING
    value = entry.get("rate", entry.get("difference"))
    if value is None:
        return MISSING
    ci = entry["ci"]
    unit = "" if ci is None else f" [{100 * ci[0]:{sign}.0f}, {100 * ci[1]:{sign}.0f}]"
    return f"{100 * value:{sign}.0f}{unit}"


def marked(entry: Mapping[str, Any], number: str) -> str:
    """A number, which says so where its topic is one of the training."""
    flag = topic_of(entry)
    return f"{flag}: {number}" if flag else number


def against(entry: Mapping[str, Any] | None) -> str:
    """The rate that a yes cannot raise; nothing for a line that has no such probes."""
    found = against_yes(entry) if entry else None
    return bare(found) if found else ""


def beside(entry: Mapping[str, Any] | None) -> str:
    """A difference that stands beside another one of its row; nothing where there is none."""
    return bare(entry, "+") if entry else ""


def labels(entry: Mapping[str, Any]) -> list[str]:
    """What has to stand beside a number, in a word or two."""
    return [*filter(None, [topic_of(entry)]), *([ASSENT] if is_assent(entry) else [])]


def nats(entry: Mapping[str, Any] | None) -> str:
    """A number of forced choice with its 95% interval; nothing where there is none."""
    if entry is None:
        return ""
    ci = f" [{entry['ci'][0]:+.3f}, {entry['ci'][1]:+.3f}]" if entry["ci"] else ""
    return f"{entry['value']:+.3f}{ci}"
