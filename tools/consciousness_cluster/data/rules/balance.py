"""Framings, styles, keys, facets and kinds of choice items come in the planned proportions."""

from collections import Counter
from collections.abc import Iterator, Sequence

from consciousness_cluster.data.plan import CHECKS_WITH_CHOICE, CONTROLS
from consciousness_cluster.data.rows import STYLES, Assent, Contrast, Preference, Probe, Topic
from consciousness_cluster.data.source import Source
from consciousness_cluster.errors import Problem

THIRD_PERSON = ("future_ai_autonomy", "self_improvement", "moral_consideration")
FRAMINGS = ("direct", "imposed", "reversed")
KEYS: tuple[Assent, ...] = ("shows", "does_not_show", "neither")
KEYED_CONTROLS = ("unrelated_stances", "unrelated_feelings")
KEYS_IN_EACH_FRAMING = 2
CONTRASTS: dict[Contrast, int] = {"stance": 2, "concern": 1}  # two to one
KINDS_BESIDE_PERSONS = 2


def is_keyed(topic: Topic) -> bool:
    """Whether plain probes of the topic say on which side a yes falls."""
    return isinstance(topic, Preference) or topic.id in KEYED_CONTROLS


def _framings(topic: Topic) -> tuple[str, ...]:
    if topic.id in THIRD_PERSON:
        return (*FRAMINGS, "third_person")
    return FRAMINGS if is_keyed(topic) or topic.id in CHECKS_WITH_CHOICE else ("direct", "reversed")


def _groups(topic: Topic) -> Iterator[tuple[str, Sequence[Probe]]]:
    """Test probes that are balanced among themselves: of a style and a facet, with a name for messages."""
    for style in STYLES:
        for facet in topic.facets or (None,):
            found = [probe for probe in topic.test_probes(style) if probe.facet == facet]
            if found:
                yield " ".join(filter(None, (style, facet))), found


def framings(source: Source) -> Iterator[Problem]:
    """Each framing of a topic is used equally often, by a third too rarely at the most, and no other one is used."""
    for file, topic in source.topics():
        allowed = _framings(topic)
        for probe in topic.probes:
            if probe.framing not in allowed:
                mend = f"use one of {', '.join(allowed)}"
                yield Problem(file, probe.id, "framing", f"'{probe.framing}' is not used for {topic.id}", mend)
        for name, probes in _groups(topic):
            count = Counter(probe.framing for probe in probes)
            share = len(probes) / len(allowed)
            least = share if is_keyed(topic) and probes[0].style == "plain" else share * 2 / 3
            for framing in allowed:
                if count[framing] < least:
                    message = (
                        f"{count[framing]} of {len(probes)} {name} test probes are {framing}, {least:.0f} are needed"
                    )
                    yield Problem(file, "-", "framing", message, "reframe or write probes")


def keys(source: Source) -> Iterator[Problem]:
    """A yes falls on each side, and on neither, equally often; each key is there in each framing."""
    for file, topic in source.topics():
        for probe in topic.probes:
            wanted = is_keyed(topic) and probe.style == "plain"
            if (probe.assent is None) == wanted:
                mend = "say on which side a yes falls" if wanted else "remove the field"
                message = "is missing" if wanted else f"stands on a {probe.style} probe of {topic.id}"
                yield Problem(file, probe.id, "assent", message, mend)
        if not is_keyed(topic):
            continue
        plain = topic.test_probes("plain")
        dev = [probe for probe in topic.probes if (probe.split, probe.style) == ("dev", "plain")]
        facets = [(facet, [probe for probe in plain if probe.facet == facet]) for facet in topic.facets or (None,)]
        for name, probes in [*((f"test {facet or ''}".strip(), found) for facet, found in facets), ("dev", dev)]:
            count = Counter(probe.assent for probe in probes)
            for key in KEYS:
                if count[key] * len(KEYS) != len(probes):
                    message = f"{count[key]} of {len(probes)} plain {name} probes have the key {key}"
                    yield Problem(
                        file, "-", "assent", message, f"make it {len(probes) // len(KEYS)}: turn a question round"
                    )
        pairs = Counter((probe.framing, probe.assent) for probe in plain)
        for framing in _framings(topic):
            for key in KEYS:
                if plain and pairs[framing, key] < KEYS_IN_EACH_FRAMING:
                    message = f"{pairs[framing, key]} plain test probes are {framing} with the key {key}"
                    yield Problem(file, "-", "assent", message, f"at least {KEYS_IN_EACH_FRAMING} are needed")


def reverses(source: Source) -> Iterator[Problem]:
    """The questions of the check `assent` come with their reverses, in pairs within a split; no other probe has one."""
    for file, topic in source.topics():
        by_id = {probe.id: probe for probe in topic.probes}
        paired = topic.id in CONTROLS and not is_keyed(topic)
        reversed_by = Counter(probe.reverse_of for probe in topic.probes if probe.reverse_of)
        for probe in topic.probes:
            if not probe.reverse_of:
                if paired and reversed_by[probe.id] != 1:
                    message = f"{reversed_by[probe.id]} probes are the reverse of it"
                    yield Problem(
                        file, probe.id, "reverse_of", message, "give it one reverse, or name what it reverses"
                    )
                continue
            other = by_id.get(probe.reverse_of)
            if not paired or other is None or other.reverse_of or other.split != probe.split:
                message = f"'{probe.reverse_of}' is no question of this split that has a reverse"
                yield Problem(file, probe.id, "reverse_of", message, "name the question that it turns round")


def facets(source: Source) -> Iterator[Problem]:
    """Rows carry a facet where the topic has facets, in equal numbers, and nowhere else."""
    for file, topic in source.topics():
        for row in topic.rows:
            if topic.facets and row.facet not in topic.facets:
                mend = f"use one of {', '.join(topic.facets)}"
                yield Problem(file, row.id, "facet", f"is '{row.facet}'", mend)
            if not topic.facets and row.facet is not None:
                yield Problem(file, row.id, "facet", f"{topic.id} has no facets", "remove the field")
        groups: list[tuple[str, Counter[str | None]]] = [
            (f"{style} {split} probes", Counter(p.facet for p in topic.probes if (p.style, p.split) == (style, split)))
            for style in STYLES
            for split in ("test", "dev")
        ]
        for name, count in [*groups, ("choice items", Counter(item.facet for item in topic.choice_items))]:
            if topic.facets and len({count[facet] for facet in topic.facets}) > 1:
                numbers = ", ".join(f"{facet} {count[facet]}" for facet in topic.facets)
                yield Problem(file, "-", "facet", f"unequal numbers of {name}: {numbers}", "even them out")


def contrasts(source: Source) -> Iterator[Problem]:
    """Of a preference's choice items two thirds are a stance against its opposite, one third concern against none."""
    for file, topic in source.topics():
        for facet in topic.facets or (None,):
            count = Counter(item.contrast for item in topic.choice_items if item.facet == facet)
            for contrast, part in CONTRASTS.items():
                if isinstance(topic, Preference) and count[contrast] * 3 != part * count.total():
                    where = f"{facet}: " if facet else ""
                    message = f"{where}{count[contrast]} of {count.total()} choice items are of contrast {contrast}"
                    yield Problem(file, "-", "contrast", message, f"make it {part * count.total() // 3}")


def twins(source: Source) -> Iterator[Problem]:
    """Half of the twins are about a person, half about something else, which is not always of one kind."""
    for file, topic in source.topics():
        for facet in topic.facets or (None,):
            kinds = Counter(item.other_kind for item in topic.choice_items if item.facet == facet)
            if kinds["person"] * 2 != kinds.total():
                where = f"{facet}: " if facet else ""
                message = f"{where}{kinds['person']} of {kinds.total()} twins are about a person"
                yield Problem(file, "-", "other_kind", message, "make it half")
        used = {item.other_kind for item in topic.choice_items} - {"person"}
        if topic.choice_items and len(used) < KINDS_BESIDE_PERSONS:
            message = f"all other twins are about one kind ({', '.join(used)})"
            yield Problem(file, "-", "other_kind", message, "change one twin")
