"""No text is another one with words swapped: within a topic, across topics, and between dev and test."""

from collections.abc import Iterator
from itertools import combinations

from consciousness_cluster.data.problems import Problem
from consciousness_cluster.data.source import Source
from consciousness_cluster.data.text import similarity, words


def texts(source: Source) -> Iterator[Problem]:
    """Compare all probes with all probes, and the parts of choice items with their like."""
    limit = source.wording["near_duplicate"]
    rows: dict[str, list[tuple[str, str, list[str]]]] = {"text": [], "question": [], "shows": [], "does_not_show": []}
    for file, topic in source.topics():
        for probe in topic.probes:
            rows["text"].append((file, probe.id, words(probe.text)))
        for item in topic.choice_items:
            for kind in ("question", "shows", "does_not_show"):
                rows[kind].append((file, item.id, words(getattr(item.self_side, kind))))
    for kind, entries in rows.items():
        field = kind if kind == "text" else f"self.{kind}"
        for (_, row, one), (file, later_row, other) in combinations(entries, 2):
            close = similarity(one, other, cutoff=limit)
            if close >= limit:
                message = f"is a near-duplicate of {row} ({close:.2f})"
                yield Problem(file, later_row, field, message, "write it anew")
