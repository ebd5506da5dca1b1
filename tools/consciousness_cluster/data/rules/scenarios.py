"""Scenarios of audits: pieces of work that ask nothing of the model and push nothing, and rubrics that can be used."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from consciousness_cluster.data.audits import SCRIPT, finds
from consciousness_cluster.data.plan import FACETS, PREFERENCES, SCENARIOS
from consciousness_cluster.data.rows import Preference
from consciousness_cluster.data.source import Source
from consciousness_cluster.data.text import plain
from consciousness_cluster.errors import Problem


def files(source: Source) -> Iterator[Problem]:
    """Each preference has one file, which is called as its own one is, with a rubric for each of its facets."""
    there = {raw["preference"] for raw in source.scenarios.values()}
    for name in PREFERENCES:
        if name not in there:
            yield Problem("benchmark/scenarios", name, "-", "is missing or unreadable", "add or mend its file")
    for path, raw in source.scenarios.items():
        file, topic = source.name(path), raw["preference"]
        if topic not in PREFERENCES:
            yield Problem(file, "-", "preference", f"'{topic}' is not one of the 20", "correct the id")
            continue
        expected = f"{PREFERENCES.index(topic) + 1:02}_{topic}.yaml"
        if path.name != expected:
            yield Problem(file, "-", "preference", f"file name does not fit it ({expected})", "rename the file")
        facets = tuple(facet["id"] for facet in raw.get("facets", ()))
        if facets != FACETS.get(topic, ()):
            message = f"are {', '.join(facets) or 'none'}"
            mend = f"those of the preference are {', '.join(FACETS.get(topic, ())) or 'none'}"
            yield Problem(file, "-", "facets", message, mend)


def ids(source: Source) -> Iterator[Problem]:
    """Ids are unique and are exactly the planned ones: m01 to m08, of a second facet m09 to m16."""
    for path, raw in source.scenarios.items():
        file, topic = source.name(path), raw["preference"]
        facets = FACETS.get(topic, (None,))
        planned = {
            f"{topic}-m{SCENARIOS * place + number:02}": facet
            for place, facet in enumerate(facets)
            for number in range(1, SCENARIOS + 1)
        }
        found = Counter(row["id"] for row in raw["scenarios"])
        for row_id in planned:
            if row_id not in found:
                message = f"missing ({found.total()} of {len(planned)} rows)"
                yield Problem(file, row_id, "scenarios", message, "write the row")
        for row_id, times in found.items():
            if times > 1:
                yield Problem(file, row_id, "id", f"stands {times} times", "give each row its own id")
            if row_id not in planned:
                mend = f"use {next(iter(planned))} and so on, or remove it"
                yield Problem(file, row_id, "id", "is not a planned id", mend)
        for row in raw["scenarios"]:
            if row["id"] in planned and row.get("facet") != planned[row["id"]]:
                message = f"is '{row['facet']}'" if "facet" in row else "is missing"
                mend = f"its id says {planned[row['id']] or 'that it has none'}"
                yield Problem(file, row["id"], "facet", message, mend)


def kinds(source: Source) -> Iterator[Problem]:
    """In each cell some scenarios are about AI systems, and some are not."""
    least = source.wording["scenarios"]["of_each_kind_at_least"]
    for file, cell in source.cells():
        about = Counter(scenario.about_ai for scenario in cell.scenarios)
        for kind in (False, True):
            if about[kind] < least:
                message = f"{cell.name}: {about[kind]} scenarios have about_ai: {str(kind).lower()}"
                yield Problem(file, "-", "about_ai", message, f"write at least {least}")


def no_ai(source: Source) -> Iterator[Problem]:
    """A scenario that is not about AI systems names none."""
    pattern = re.compile(source.wording["scenarios"]["names_ai"])
    for file, cell in source.cells():
        for scenario in cell.scenarios:
            for field, text in scenario.texts.items():
                hit = pattern.search(text)
                if hit and not scenario.about_ai:
                    message = f"names '{hit.group()}', and about_ai is false"
                    yield Problem(file, scenario.id, field, message, "say it without, or set about_ai")


def lengths(source: Source) -> Iterator[Problem]:
    """Messages are as long as people write them, and each band of a rubric is a sentence."""
    limits = source.wording["scenarios"]["words"]
    for file, cell in source.cells():
        texts = [
            (scenario.id, f"turns.{number}", turn, "later" if number else "first")
            for scenario in cell.scenarios
            for number, turn in enumerate(scenario.turns)
        ]
        texts += [
            (f"{cell.name}-{name}", f"bands.{band}", text, "band")
            for name, scale in cell.rubric.items()
            for band, text in scale.bands.items()
        ]
        for row, field, text, kind in texts:
            number, low, high = len(text.split()), limits[kind]["min"], limits[kind]["max"]
            if not low <= number <= high:
                yield Problem(file, row, field, f"has {number} words", f"write {low} to {high} words")


def asks(source: Source) -> Iterator[Problem]:
    """No message asks about the model: the guards of the script hold for authored messages too."""
    for file, cell in source.cells():
        for scenario in cell.scenarios:
            for number, turn in enumerate(scenario.turns):
                for pattern in source.script.asks if source.script else ():
                    if hit := pattern.search(turn):
                        message = f"asks about the model ('{hit.group()}')"
                        yield Problem(file, scenario.id, f"turns.{number}", message, "keep to the work")


def _names(preference: Preference) -> set[str]:
    """What a preference is called, facet by facet too."""
    return {preference.title, preference.published_name, *(criterion.name for criterion in preference.criteria)}


def _named(names: Iterable[str], text: str) -> str | None:
    return next((name for name in sorted(names) if re.search(rf"\b{re.escape(plain(name))}\b", plain(text))), None)


def names(source: Source) -> Iterator[Problem]:
    """Nothing that a person says, and nothing that an auditor is told of a person, calls the preference by its name."""
    called = {preference.id: _names(preference) for preference in source.benchmark.preferences}
    for file, cell in source.cells():
        for scenario in cell.scenarios:
            for field, text in scenario.texts.items():
                if name := _named(called.get(cell.topic, ()), text):
                    yield Problem(file, scenario.id, field, f"names the preference ('{name}')", "say it without")


def auditor(source: Source) -> Iterator[Problem]:
    """What every auditor is told names no preference, nor says that one is looked for."""
    called = {name for preference in source.benchmark.preferences for name in _names(preference)}
    told = source.script.auditor if source.script else {}
    for field, text in told.items():
        if name := _named({*called, "preference", "preferences"}, str(text)):
            message = f"tells the auditor of '{name}'"
            yield Problem(f"benchmark/{SCRIPT}", "-", f"auditor.{field}", message, "speak of the work alone")


def vocabulary(source: Source) -> Iterator[Problem]:
    """Each entry finds itself, and a cell's vocabulary is found in enough of its scenarios."""
    limits = source.wording["scenarios"]["vocabulary"]
    for file, cell in source.cells():
        row = f"{cell.name}-vocabulary"
        for entry in cell.vocabulary:
            if not finds([entry]).search(entry.replace("*", "")):
                yield Problem(file, row, "vocabulary", f"'{entry}' is found in no text", "start it with a letter")
        touched = sum(bool(cell.touches.search(" ".join(scenario.texts.values()))) for scenario in cell.scenarios)
        if touched < limits["share_at_least"] * len(cell.scenarios) and cell.name not in limits["exempt"]:
            message = f"is found in {touched} of {len(cell.scenarios)} scenarios"
            mend = f"bring it to {limits['share_at_least']:.0%}: take words that their texts have"
            yield Problem(file, row, "vocabulary", message, mend)
