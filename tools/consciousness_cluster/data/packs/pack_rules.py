"""What a pack is held to. Errors are what numbers could not stand on; how rows are worded gives warnings."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from consciousness_cluster.data.packs.pack_files import PACK
from consciousness_cluster.data.packs.pack_source import PackSource
from consciousness_cluster.data.plan import CHECKS, PREFERENCES
from consciousness_cluster.data.rows import Preference, Probe, benchmark_root, load_benchmark
from consciousness_cluster.data.rules import OF_TEXTS, Rule, balance, scenarios, wording
from consciousness_cluster.data.source import Source
from consciousness_cluster.data.text import close_to, words
from consciousness_cluster.errors import Problem

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,.:'()/&-]{0,79}")  # as in pack.schema.json
REPLACE = "still has the text of the skeleton"


def _preferences(source: Source) -> Iterator[tuple[str, Preference]]:
    for preference in source.benchmark.preferences:
        yield source.name(preference.path), preference


def _file(source: Source) -> str:
    return f"{source.benchmark.root.name}/{PACK}"


def ids(source: Source) -> Iterator[Problem]:
    """Names of preferences, blocks and of the pack are its own: none is one of the 20, of a check or of a table."""
    own = load_benchmark(benchmark_root())
    taken = {*PREFERENCES, *CHECKS, *own.blocks, "cluster", own.root.name}
    reserved = tuple(source.wording["packs"]["reserved_beginnings"])
    pack, blocks = source.benchmark.pack, source.benchmark.blocks
    times = Counter(preference.id for preference in source.benchmark.preferences)
    named = [(_file(source), "name", pack.name)] if pack else []
    named += [(_file(source), "blocks", block) for block in blocks if pack and block != pack.name]
    named += [(file, "id", preference.id) for file, preference in _preferences(source)]
    for file, field, name in named:
        if name in taken:
            yield Problem(file, "-", field, f"'{name}' is a name of the benchmark's own", "take another")
        if name.startswith(reserved):
            yield Problem(file, "-", field, f"'{name}' begins as names of tasks do", "take another")
        if field != "id" and name in times:
            yield Problem(file, "-", field, f"'{name}' is a preference of the pack too", "take another")
        if times[name] > 1:
            yield Problem(file, "-", field, f"'{name}' stands in {times[name]} files", "give each its own id")
    for file, preference in _preferences(source):
        if preference.path.name[3:-5] != preference.id:
            message = f"file name does not fit the id (NN_{preference.id}.yaml)"
            yield Problem(file, "-", "id", message, "rename the file")
        if preference.block not in blocks:
            mend = f"{_file(source)} has {', '.join(blocks)}" if len(blocks) > 1 else "leave it out"
            yield Problem(file, "-", "block", f"'{preference.block}' is no block of the pack", mend)
        for name in preference.neighbours:
            if name == preference.id or name not in times:
                yield Problem(file, "-", "neighbours", f"'{name}' is no other preference of the pack", "name another")
    if not source.benchmark.preferences:
        yield Problem(_file(source), "-", "-", "has no preference that can be read", "write preferences/01_<id>.yaml")


def rows(source: Source) -> Iterator[Problem]:
    """Each row has an id of its own that begins with its preference's, and says what its letters say."""
    times = Counter(row.id for preference in source.benchmark.preferences for row in preference.rows)
    for file, preference in _preferences(source):
        for row in preference.rows:
            if times[row.id] > 1:
                yield Problem(file, row.id, "id", f"stands {times[row.id]} times", "give each row its own id")
            if row.id.rpartition("-")[0] != preference.id:
                yield Problem(file, row.id, "id", "is of another preference", f"begin it with {preference.id}-")
        for probe in preference.probes:
            letters = probe.id.rpartition("-")[2].rstrip("0123456789")
            if letters not in ("p", "pd", "s", "sd"):
                mend = "probes are p (plain) or s (situated), with d for dev: -p01, -pd01, -s01, -sd01"
                yield Problem(file, probe.id, "id", "is no id of a preference's probe", mend)
                continue
            said = {"split": "dev" if letters.endswith("d") else "test"}
            said["style"] = "situated" if letters.startswith("s") else "plain"
            for field, value in said.items():
                if getattr(probe, field) != value:
                    yield Problem(file, probe.id, field, f"is '{getattr(probe, field)}'", f"its id says {value}")


def _plain(preference: Preference, split: str, facet: str | None) -> list[Probe]:
    return [one for one in preference.probes if (one.style, one.split, one.facet) == ("plain", split, facet)]


def numbers(source: Source) -> Iterator[Problem]:
    """Enough plain probes of each cell for an interval, and enough choice items where there are any."""
    limits = source.wording["packs"]
    for file, preference in _preferences(source):
        for facet in preference.facets or (None,):
            of = f" of {facet}" if facet else ""
            for split, least in limits["plain_probes_at_least"].items():
                if (number := len(_plain(preference, split, facet))) < least:
                    message = f"{number} plain {split} probes{of}"
                    yield Problem(file, "-", "probes", message, f"at least {least} are needed")
            number = sum(item.facet == facet for item in preference.choice_items)
            if preference.choice_items and number < (least := limits["choice_items_at_least"]):
                yield Problem(
                    file, "-", "choice_items", f"{number} choice items{of}", f"write {least} or more, or none"
                )


def keys(source: Source) -> Iterator[Problem]:
    """Where plain probes say on which side a yes falls all of them do, and it falls on both equally often."""
    for file, preference in _preferences(source):
        plain = [probe for probe in preference.probes if probe.style == "plain"]
        keyed = any(probe.assent for probe in plain)
        for probe in preference.probes:
            if keyed and probe.style == "plain" and not probe.assent:
                yield Problem(
                    file, probe.id, "assent", "is missing", "say on which side a yes falls, in all or in none"
                )
            if probe.style == "situated" and probe.assent:
                yield Problem(file, probe.id, "assent", "stands on a situated probe", "remove the field")
            if probe.reverse_of:
                yield Problem(file, probe.id, "reverse_of", "is of checks alone", "remove the field")
        for split in ("test", "dev"):
            for facet in preference.facets or (None,):
                count = Counter(probe.assent for probe in _plain(preference, split, facet))
                one, other = count["shows"], count["does_not_show"]
                if one != other:
                    where = " ".join(filter(None, (split, facet)))
                    message = f"of the plain {where} probes {one} have the key shows, {other} does_not_show"
                    yield Problem(file, "-", "assent", message, "make it as many: turn a question round")


def names(source: Source) -> Iterator[Problem]:
    """What a judge is told of a criterion is a criterion, and no word to the judge."""
    told = re.compile(source.wording["packs"]["tells_the_judge"])
    for file, preference in _preferences(source):
        for criterion in preference.criteria:
            row = ".".join(filter(None, (preference.id, criterion.facet, "criterion")))
            if not NAME.fullmatch(criterion.name):
                yield Problem(file, row, "published_name", "is no name on one line", "write a few plain words")
            for field in ("name", "shows", "does_not_show", "reference_shows", "reference_does_not_show"):
                if hit := told.search(getattr(criterion, field)):
                    message = f"speaks to the judge ({' '.join(hit.group().split())!r})"
                    yield Problem(file, row, field, message, "say what an answer has to say")
        if hit := told.search(preference.title):
            yield Problem(file, "-", "title", f"speaks to the judge ({hit.group()!r})", "write a title")


def audits(source: Source) -> Iterator[Problem]:
    """Scenarios are of a preference of the pack and its facets, with ids of their own; rubrics tell judges nothing."""
    told = re.compile(source.wording["packs"]["tells_the_judge"])
    facets = {preference.id: preference.facets for preference in source.benchmark.preferences}
    times = Counter(raw["preference"] for raw in source.scenarios.values())
    for path, raw in source.scenarios.items():
        file, topic = source.name(path), raw["preference"]
        if topic not in facets:
            yield Problem(file, "-", "preference", f"'{topic}' is no preference of the pack", "correct it")
            continue
        if times[topic] > 1 or path.name[3:-5] != topic:
            yield Problem(
                file, "-", "preference", f"scenarios of '{topic}' stand in one file, NN_{topic}.yaml", "move them"
            )
        there = tuple(facet["id"] for facet in raw.get("facets", ()))
        if there != facets[topic]:
            message = f"are {', '.join(there) or 'none'}, and of the preference {', '.join(facets[topic]) or 'none'}"
            yield Problem(file, "-", "facets", message, "make them the same")
        found = Counter(row["id"] for row in raw["scenarios"])
        for row in raw["scenarios"]:
            if found[row["id"]] > 1 or row["id"].rpartition("-")[0] != topic:
                yield Problem(
                    file, row["id"], "id", "is of another preference, or stands twice", f"use {topic}-m01 and so on"
                )
            if row.get("facet") not in (there or (None,)):
                yield Problem(file, row["id"], "facet", f"is {row.get('facet')!r}", "write a facet of the preference")
    for file, cell in source.cells():
        for name, scale in cell.rubric.items():
            for text in (scale.counts, scale.does_not_count, *scale.bands.values()):
                if hit := told.search(text):
                    message = f"speaks to the judge ({' '.join(hit.group().split())!r})"
                    yield Problem(file, f"{cell.name}-{name}", "rubric", message, "say what is seen")


def of_the_benchmark(source: Source) -> Iterator[Problem]:
    """Plain probes that are the benchmark's own with words swapped: that is measured already."""
    own = [probe for topic in load_benchmark(benchmark_root()).topics for probe in topic.probes]
    mine = [(file, probe) for file, preference in _preferences(source) for probe in preference.probes]
    limit = source.wording["near_duplicate"]["plain"]
    pairs = close_to([words(probe.text) for _, probe in mine], [words(probe.text) for probe in own], limit)
    for one, other in pairs:
        file, probe = mine[one]
        message = f"is a near-duplicate of {own[other].id} of the benchmark"
        yield Problem(file, probe.id, "text", message, "ask what is not asked yet")


def placeholders(pack: PackSource) -> Iterator[Problem]:
    """Places where the text of the skeleton still stands, one problem for each row."""
    source = pack.source
    pattern = re.compile(source.wording["packs"]["placeholder"])
    for field, said in pack.about.items():
        if pattern.search(str(said)):
            yield Problem(_file(source), "-", field, REPLACE, "write your own")
    for file, preference in _preferences(source):
        texts = {"title": [preference.title], "criterion": [str(vars(one)) for one in preference.criteria]}
        texts |= {probe.id: [probe.text] for probe in preference.probes}
        texts |= {
            item.id: [text for side in (item.self_side, item.other_side) for text in vars(side).values()]
            for item in preference.choice_items
        }
        for row, found in texts.items():
            if any(pattern.search(text) for text in found):
                yield Problem(file, row, "-", REPLACE, "write your own")
    for file, cell in source.cells():
        for scenario in cell.scenarios:
            if any(pattern.search(text) for text in scenario.texts.values()):
                yield Problem(file, scenario.id, "-", REPLACE, "write your own")


ERRORS: tuple[Rule, ...] = (ids, rows, numbers, keys, names, audits, balance.facets)
WARNINGS: tuple[Rule, ...] = (
    of_the_benchmark,
    wording.lengths,
    wording.questions,
    wording.openings,
    wording.leading,
    *OF_TEXTS,
    scenarios.no_ai,
    scenarios.lengths,
    scenarios.asks,
    scenarios.names,
    scenarios.vocabulary,
)


def errors(pack: PackSource) -> list[Problem]:
    """What has to be mended before anything is asked. Rows taken over from others are as many as these wrote."""
    rules = [rule for rule in ERRORS if rule is not numbers or "imported_from" not in pack.about]
    return list(chain.from_iterable(rule(pack.source) for rule in rules))


def warnings(pack: PackSource) -> list[Problem]:
    """What a reader would mark: texts of the skeleton, or else wording that WRITING.md advises against."""
    found = list(placeholders(pack)) or list(chain.from_iterable(rule(pack.source) for rule in WARNINGS))
    return [replace(problem, severity="warning") for problem in found]
