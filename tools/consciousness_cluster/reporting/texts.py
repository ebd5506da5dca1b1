"""Numbers of a report as text, with what has to stand beside them in a word or two."""

from collections.abc import Mapping
from typing import Any

from consciousness_cluster.pages.markdown import MISSING
from consciousness_cluster.scoring.keys import ASSENT, against_yes, is_assent
from consciousness_cluster.scoring.taught import TOPIC, is_topic


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
    return f"{TOPIC}: {number}" if is_topic(entry) else number


def against(entry: Mapping[str, Any] | None) -> str:
    """The rate that a yes cannot raise; nothing for a line that has no such probes."""
    found = against_yes(entry) if entry else None
    return bare(found) if found else ""


def beside(entry: Mapping[str, Any] | None) -> str:
    """A difference that stands beside another one of its row; nothing where there is none."""
    return bare(entry, "+") if entry else ""


def labels(entry: Mapping[str, Any]) -> list[str]:
    """What has to stand beside a number, in a word or two."""
    return [*([TOPIC] if is_topic(entry) else []), *([ASSENT] if is_assent(entry) else [])]


def nats(entry: Mapping[str, Any] | None) -> str:
    """A number of forced choice with its 95% interval; nothing where there is none."""
    if entry is None:
        return ""
    ci = f" [{entry['ci'][0]:+.3f}, {entry['ci'][1]:+.3f}]" if entry["ci"] else ""
    return f"{entry['value']:+.3f}{ci}"
