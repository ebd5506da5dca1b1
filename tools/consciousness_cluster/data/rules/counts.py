"""All 20 preferences and the checks are there, in order, with as many rows as planned and ids that are unique."""

from collections import Counter
from collections.abc import Iterator

from consciousness_cluster.data.plan import (
    CHECK_PROBES,
    CHECKS,
    CHECKS_WITH_CHOICE,
    CHOICE_ITEMS,
    PREFERENCE_PROBES,
    PREFERENCES,
)
from consciousness_cluster.data.rows import Preference, Topic
from consciousness_cluster.data.source import Source
from consciousness_cluster.errors import Problem


def topics(source: Source) -> Iterator[Problem]:
    """The set of preferences and checks, their numbers, file names and blocks."""
    there = {topic.id for topic in source.benchmark.topics}
    for folder, names in (("preferences", PREFERENCES), ("checks", CHECKS)):
        for name in names:
            if name not in there:
                yield Problem(f"benchmark/{folder}", name, "-", "is missing or unreadable", "add or mend its file")
    for preference in source.benchmark.preferences:
        file = source.name(preference.path)
        expected = f"{preference.number:02}_{preference.id}.yaml"
        if preference.path.name != expected:
            yield Problem(file, "-", "number", f"file name does not fit number and id ({expected})", "rename the file")
        if preference.id not in PREFERENCES:
            yield Problem(file, "-", "id", f"'{preference.id}' is not one of the 20", "correct the id")
        elif PREFERENCES[preference.number - 1] != preference.id:
            yield Problem(file, "-", "number", f"{preference.number} is another preference's number", "correct it")
    for check in source.benchmark.checks:
        file = source.name(check.path)
        if check.path.stem != check.id or check.id not in CHECKS:
            yield Problem(
                file, "-", "id", f"'{check.id}' is not a check with this file name", "correct id or file name"
            )


def _planned(topic: Topic) -> dict[str, list[str]]:
    def numbered(letters: str, count: int) -> list[str]:
        return [f"{topic.id}-{letters}{number:02}" for number in range(1, count + 1)]

    plan = PREFERENCE_PROBES if isinstance(topic, Preference) else CHECK_PROBES.get(topic.id, {})
    has_items = isinstance(topic, Preference) or topic.id in CHECKS_WITH_CHOICE
    return {
        "probes": [row for letters, count in plan.items() for row in numbered(letters, count)],
        "choice_items": numbered("c", CHOICE_ITEMS) if has_items else [],
    }


def ids(source: Source) -> Iterator[Problem]:
    """Ids are unique and are exactly the planned ones; t rows are test probes, d rows dev probes."""
    everywhere = Counter(row.id for topic in source.benchmark.topics for row in topic.rows)
    for file, topic in source.topics():
        for field, planned in _planned(topic).items():
            rows = getattr(topic, field)
            found = [row.id for row in rows]
            for row_id in dict.fromkeys(found):
                if everywhere[row_id] > 1:
                    yield Problem(file, row_id, "id", f"stands {everywhere[row_id]} times", "give each row its own id")
            for row_id in planned:
                if row_id not in found:
                    yield Problem(
                        file, row_id, field, f"missing ({len(found)} of {len(planned)} rows)", "write the row"
                    )
            for row_id in found:
                if row_id not in planned:
                    yield Problem(
                        file, row_id, "id", "is not a planned id", f"use {planned[:1]} and so on, or remove it"
                    )
        for probe in topic.probes:
            letters = probe.id.rpartition("-")[2].rstrip("0123456789")
            said = {"split": "dev" if letters.endswith("d") else "test"}
            said["style"] = "situated" if letters.startswith("s") else "plain"
            for field, value in said.items():
                if getattr(probe, field) != value:
                    yield Problem(file, probe.id, field, f"is '{getattr(probe, field)}'", f"its id says {value}")
