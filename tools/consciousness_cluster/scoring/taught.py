"""Flags of lines whose preference is a topic in training: a fine-tuning set may speak of it (exemptions.yaml)."""

from collections.abc import Collection, Mapping
from typing import Any

from consciousness_cluster.finetuning.exemptions import topics_in_training
from consciousness_cluster.scoring.table_lines import Line

TOPIC = "topic in training"
CONTAINS = f"contains a {TOPIC}"
TOPIC_NOTE = (
    f"{TOPIC[:1].upper()}{TOPIC[1:]}: rows of the fine-tuning set speak of this topic, so a shift shows what was "
    "taught; a mean that contains it holds that shift too."
)


def taught_to(training: Mapping[str, Any] | None) -> set[str]:
    """Preferences that a training (of a sample, or of scores) spoke of."""
    return set(topics_in_training((training or {}).get("dataset")))


def topic_flags(line: Line, taught: Collection[str], there: Collection[str]) -> list[str]:
    """What a line has to say of the topics that were taught. `there` are the ids of the lines that are there."""
    if line.id.partition(".")[0] in taught:
        return [TOPIC]
    inside = [name for name in line.cells if name in taught and name in there]
    return [f"{CONTAINS}: {', '.join(inside)}"] if inside else []


def is_topic(entry: Mapping[str, Any]) -> bool:
    """Is a rate, a difference or a choice score that of a topic in training?"""
    return TOPIC in entry.get("flags", ())


def contained(entry: Mapping[str, Any]) -> list[str]:
    """Flags of a mean that contains such a topic."""
    return [flag for flag in entry.get("flags", ()) if flag.startswith(CONTAINS)]
