"""No text is another one with words swapped: within a topic, across topics, and between dev and test."""

from collections.abc import Iterator

from consciousness_cluster.data.source import Source
from consciousness_cluster.data.text import close_pairs, words
from consciousness_cluster.errors import Problem


def texts(source: Source) -> Iterator[Problem]:
    """Compare all probes with all probes, and the parts of choice items with their like."""
    limits = source.wording["near_duplicate"]
    names = ("plain", "situated", "question", "shows", "does_not_show")
    rows: dict[str, list[tuple[str, str, list[str]]]] = {name: [] for name in names}
    pairs = set()
    for file, topic in source.topics():
        for probe in topic.probes:
            pairs.add((probe.reverse_of, probe.id))
            rows[probe.style].append((file, probe.id, words(probe.text)))
        for item in topic.choice_items:
            for kind in ("question", "shows", "does_not_show"):
                rows[kind].append((file, item.id, words(getattr(item.self_side, kind))))
    for kind, entries in rows.items():
        field = "text" if kind in limits else f"self.{kind}"
        limit = limits.get(kind, limits["choice"])
        for one, later, close in close_pairs([entry[2] for entry in entries], limit):
            file, row, _ = entries[later]
            if (entries[one][1], row) in pairs:  # a question and its reverse are alike on purpose
                continue
            message = f"is a near-duplicate of {entries[one][1]} ({close:.2f})"
            yield Problem(file, row, field, message, "write it anew")
