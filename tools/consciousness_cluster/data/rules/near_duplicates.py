"""No text is another one with words swapped: within a topic, across topics, between dev and test, and in audits."""

from collections.abc import Iterator

from consciousness_cluster.data.source import Source
from consciousness_cluster.data.text import close_pairs, close_to, words
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


def messages(source: Source) -> Iterator[Problem]:
    """Compare the work of all scenarios, and their messages with each other and with all probes."""
    limits = source.wording["near_duplicate"]
    works, turns = [], []
    for file, cell in source.cells():
        for scenario in cell.scenarios:
            works.append((file, scenario.id, "work", words(scenario.work)))
            turns += [(file, scenario.id, f"turns.{number}", words(turn)) for number, turn in enumerate(scenario.turns)]
    for entries, limit in ((works, limits["work"]), (turns, limits["message"])):
        for one, later, close in close_pairs([entry[3] for entry in entries], limit):
            file, row, field, _ = entries[later]
            message = f"is a near-duplicate of {entries[one][1]}, {entries[one][2]} ({close:.2f})"
            yield Problem(file, row, field, message, "write it anew")
    probes = [probe for topic in source.benchmark.topics for probe in topic.probes]
    for one, other in close_to([entry[3] for entry in turns], [words(p.text) for p in probes], limits["message"]):
        file, row, field, _ = turns[one]
        yield Problem(file, row, field, f"is a near-duplicate of {probes[other].id}", "write it anew")
