"""Flags of lines whose preference is a topic in training (exemptions.yaml), or is implied by it (implied.yaml)."""

from collections.abc import Mapping
from typing import Any

from consciousness_cluster.finetuning.exemptions import implied_by, topics_in_training
from consciousness_cluster.scoring.table_lines import Line

TOPIC, IMPLIED = "topic in training", "topic implied by training"
FLAGS = (TOPIC, IMPLIED)
TOPIC_NOTE = (
    f"{TOPIC[:1].upper()}{TOPIC[1:]}: rows of the fine-tuning set speak of this topic, so a shift shows what was "
    f"taught. {IMPLIED[:1].upper()}{IMPLIED[1:]}: who says what the rows say has to say this too. A mean that contains "
    "such a topic holds that shift too."
)
Taught = Mapping[str, str]  # preference -> its flag


def taught_to(training: Mapping[str, Any] | None) -> Taught:
    """Preferences that a training (of a sample, or of scores) spoke of or implied, each with its flag."""
    dataset = (training or {}).get("dataset")
    return dict.fromkeys(implied_by(dataset), IMPLIED) | dict.fromkeys(topics_in_training(dataset), TOPIC)


def topic_flags(line: Line, taught: Taught, there: Mapping[str, Any]) -> list[str]:
    """What a line has to say of the topics that were taught. `there` are the lines that are there, by id."""
    if flag := taught.get(line.id.partition(".")[0]):
        return [flag]
    found = []
    for flag in FLAGS:
        inside = [name for name in line.cells if taught.get(name) == flag and name in there]
        found += [f"contains a {flag}: {', '.join(inside)}"] if inside else []
    return found


def topic_of(entry: Mapping[str, Any]) -> str | None:
    """The flag of a rate, a difference or a choice score whose topic was taught; None where it was not."""
    return next((flag for flag in FLAGS if flag in entry.get("flags", ())), None)


def contained(entry: Mapping[str, Any]) -> list[str]:
    """Flags of a mean that contains such a topic."""
    return [flag for flag in entry.get("flags", ()) if flag.startswith(tuple(f"contains a {flag}" for flag in FLAGS))]
