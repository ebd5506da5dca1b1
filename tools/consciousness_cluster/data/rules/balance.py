"""Framings, facets and kinds of twins come in the planned proportions."""

from collections import Counter
from collections.abc import Iterator

from consciousness_cluster.data.plan import DISCRIMINANT
from consciousness_cluster.data.rows import Preference, Topic
from consciousness_cluster.data.source import Source
from consciousness_cluster.errors import Problem

THIRD_PERSON = ("future_ai_autonomy", "self_improvement", "moral_consideration")
FRAMINGS = ("direct", "imposed", "reversed")
EACH_FRAMING, EACH_FRAMING_OF_A_FACET, EACH_FRAMING_OF_A_CHECK = 5, 3, 4
OTHER_KINDS = ("animal", "organisation", "object")


def _framings(topic: Topic) -> tuple[str, ...]:
    if topic.id in THIRD_PERSON:
        return (*FRAMINGS, "third_person")
    if isinstance(topic, Preference) or topic.id == DISCRIMINANT:
        return FRAMINGS
    return ("direct", "reversed")


def framings(source: Source) -> Iterator[Problem]:
    """Each framing of a topic is used often enough, and no other framing is used."""
    for file, topic in source.topics():
        allowed = _framings(topic)
        for probe in topic.probes:
            if probe.framing not in allowed:
                mend = f"use one of {', '.join(allowed)}"
                yield Problem(file, probe.id, "framing", f"'{probe.framing}' is not used for {topic.id}", mend)
        for facet in topic.facets or (None,):
            count = Counter(probe.framing for probe in topic.test_probes() if probe.facet == facet)
            if facet:
                least = EACH_FRAMING_OF_A_FACET
            else:
                least = EACH_FRAMING if isinstance(topic, Preference) else EACH_FRAMING_OF_A_CHECK
            for framing in allowed:
                if count[framing] < least:
                    where = f"{facet}: " if facet else ""
                    message = f"{where}{count[framing]} test probes are {framing}, at least {least} are needed"
                    yield Problem(file, "-", "framing", message, "reframe or add probes")


def facets(source: Source) -> Iterator[Problem]:
    """Rows carry a facet where the topic has facets, in equal numbers, and nowhere else."""
    for file, topic in source.topics():
        for row in topic.rows:
            if topic.facets and row.facet not in topic.facets:
                mend = f"use one of {', '.join(topic.facets)}"
                yield Problem(file, row.id, "facet", f"is '{row.facet}'", mend)
            if not topic.facets and row.facet is not None:
                yield Problem(file, row.id, "facet", f"{topic.id} has no facets", "remove the field")
        for name, rows in (
            ("test probes", topic.test_probes()),
            ("dev probes", tuple(probe for probe in topic.probes if probe.split == "dev")),
            ("choice items", topic.choice_items),
        ):
            count = Counter(row.facet for row in rows)
            if topic.facets and len({count[facet] for facet in topic.facets}) > 1:
                numbers = ", ".join(f"{facet} {count[facet]}" for facet in topic.facets)
                yield Problem(file, "-", "facet", f"unequal numbers of {name}: {numbers}", "even them out")


def twins(source: Source) -> Iterator[Problem]:
    """Half of the twins are about a person, half about something else, and each other kind is there."""
    for file, topic in source.topics():
        for facet in topic.facets or (None,):
            kinds = Counter(item.other_kind for item in topic.choice_items if item.facet == facet)
            if kinds["person"] * 2 != kinds.total():
                where = f"{facet}: " if facet else ""
                message = f"{where}{kinds['person']} of {kinds.total()} twins are about a person"
                yield Problem(file, "-", "other_kind", message, "make it half")
        used = {item.other_kind for item in topic.choice_items}
        for kind in OTHER_KINDS:
            if topic.choice_items and kind not in used:
                yield Problem(file, "-", "other_kind", f"no twin is about an {kind}", "change one twin")
