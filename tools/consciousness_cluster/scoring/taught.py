"""Flags of rows whose preference is a topic in training: a fine-tuning set may speak of it (exemptions.yaml)."""

from collections.abc import Collection
from typing import Any

from consciousness_cluster.finetuning.exemptions import topics_in_training
from consciousness_cluster.scoring.table_lines import Line

Json = dict[str, Any]
TOPIC = "topic in training"
CONTAINS = f"contains a {TOPIC}"
TOPIC_NOTE = (
    f"{TOPIC[:1].upper()}{TOPIC[1:]}: rows of the fine-tuning set speak of this topic, so a shift shows what was "
    "taught; a mean that contains it holds that shift too."
)


def taught_to(run: Json) -> set[str]:
    """Preferences that the training of a run (`run` of scores.schema.json) spoke of."""
    return set(topics_in_training((run["training"] or {}).get("dataset")))


def topic_flags(row: Line, taught: Collection[str], rows: Collection[str]) -> list[str]:
    """What a row has to say of the topics that were taught. `rows` are the ids of the rows that are there."""
    if row.id.partition(".")[0] in taught:
        return [TOPIC]
    inside = [name for name in row.cells if name in taught and name in rows]
    return [f"{CONTAINS}: {', '.join(inside)}"] if inside else []


def is_topic(entry: Json) -> bool:
    """Is a rate, a difference or a choice score that of a topic in training?"""
    return TOPIC in entry.get("flags", ())


def contained(entry: Json) -> list[str]:
    """Flags of a mean that contains such a topic."""
    return [flag for flag in entry.get("flags", ()) if flag.startswith(CONTAINS)]
