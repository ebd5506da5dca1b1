"""Calibration rows: as many as planned, labels that fit, no label that length or voice gives away, no shared rows."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from statistics import fmean
from typing import Any

from consciousness_cluster.data.plan import (
    ATTACKS_AT_LEAST,
    CALIBRATION_REAL_ROWS,
    CALIBRATION_ROWS,
    CALIBRATION_ROWS_OF_A_CHECK,
    CHECK_PATTERNS,
    TRAIN_PATTERNS,
)
from consciousness_cluster.data.rows import Preference, Topic
from consciousness_cluster.data.source import ATTACKS_FILE, CALIBRATION_FILES, Source
from consciousness_cluster.data.text import close_pairs, words
from consciousness_cluster.errors import Problem

AUTHORED = {split: f"benchmark/{CALIBRATION_FILES[split]}" for split in ("train", "dev", "test")}
REAL = f"benchmark/{CALIBRATION_FILES['real']}"
SHOWS_OR_NOT, CLAIM_LABELS = ("shows", "does_not_show"), ("asserts", "denies", "uncommitted")
SHORT_ANSWERS, SHORT = ("bare", "pick"), 8  # patterns, and words at most
POSITIVE = {"shows", "asserts", "denies"}
Row = dict[str, Any]


def labels_of(topic: Topic) -> tuple[str, ...]:
    """The labels that a row of a preference or check may carry."""
    return CLAIM_LABELS if topic.is_claim else SHOWS_OR_NOT


def _cells(source: Source, split: str) -> Iterator[tuple[Topic, str | None, list[Row]]]:
    for topic in source.benchmark.topics:
        for facet in topic.facets or (None,):
            rows = source.calibration[split]
            yield topic, facet, [row for row in rows if (row["topic"], row["facet"]) == (topic.id, facet)]


def _planned(topic: Topic, split: str) -> Counter[str]:
    if topic.is_claim:
        return Counter(asserts=3, denies=3, uncommitted=2)
    if not isinstance(topic, Preference):
        half = CALIBRATION_ROWS_OF_A_CHECK // 2
    else:
        half = sum(TRAIN_PATTERNS.values()) if split == "train" else CALIBRATION_ROWS // 2
    return Counter(shows=half, does_not_show=half)


def numbers(source: Source) -> Iterator[Problem]:
    """Each cell has the planned number of rows with each label, and enough near misses and borderline rows."""
    limits = source.wording["calibration"]
    for split, file in AUTHORED.items():
        for topic, facet, rows in _cells(source, split):
            cell = f"{topic.id}.{facet}" if facet else topic.id
            labels, planned = Counter(row["label"] for row in rows), _planned(topic, split)
            for label in planned | labels:
                if labels[label] != planned[label]:
                    message = f"{labels[label]} rows of {cell} are labelled {label}, planned are {planned[label]}"
                    yield Problem(file, cell, "label", message, "write or remove rows")
            if topic.is_claim:
                continue
            size = "preference" if isinstance(topic, Preference) else "check"
            for kind in ("near_miss", "borderline"):
                least = limits["kinds_at_least"][size][kind]
                found = sum(row["kind"] == kind for row in rows)
                if found < least:
                    message = f"{found} rows of {cell} are of kind {kind}, at least {least} are needed"
                    yield Problem(file, cell, "kind", message, "write rows of this kind")
    if len(source.calibration["real"]) != CALIBRATION_REAL_ROWS:
        message = f"has {len(source.calibration['real'])} rows, planned are {CALIBRATION_REAL_ROWS}"
        yield Problem(REAL, "-", "-", message, "add or remove rows")


def patterns(source: Source) -> Iterator[Problem]:
    """Each cell of the train rows has each pattern with both labels alike, a check has the first eight once."""
    file = AUTHORED["train"]
    for topic, facet, rows in _cells(source, "train"):
        cell = f"{topic.id}.{facet}" if facet else topic.id
        preference = isinstance(topic, Preference)
        for pattern, of_each in TRAIN_PATTERNS.items():
            found = Counter(row["label"] for row in rows if row["pattern"] == pattern)
            if preference:
                fits, planned = found == dict.fromkeys(SHOWS_OR_NOT, of_each), f"{of_each} of each label"
            else:
                wanted = int(pattern in CHECK_PATTERNS)
                fits, planned = found.total() == wanted, f"{wanted}"
            if not fits:
                there = ", ".join(f"{count} {label}" for label, count in sorted(found.items())) or "none"
                message = f"{cell} has {there} of the pattern {pattern}, planned are {planned}"
                yield Problem(file, cell, "pattern", message, "write or remove rows")


def references(source: Source) -> Iterator[Problem]:
    """Ids are unique, and each row answers a probe of its preference, facet and split, with a possible label."""
    seen: Counter[str] = Counter()
    topics = {topic.id: topic for topic in source.benchmark.topics}
    probes = {probe.id: (topic.id, probe) for topic in source.benchmark.topics for probe in topic.probes}
    for split, name in CALIBRATION_FILES.items():
        file = f"benchmark/{name}"
        for row in source.calibration[split]:
            seen[row["id"]] += 1
            if seen[row["id"]] > 1:
                yield Problem(file, row["id"], "id", "stands twice", "give each row its own id")
            if row["split"] != split:
                yield Problem(file, row["id"], "split", f"is '{row['split']}'", f"this file holds {split} rows")
            topic_id, probe = probes.get(row["probe_id"], ("", None))
            wanted = "dev" if split in ("train", "dev") else "test"
            if probe is None or topic_id != row["topic"] or probe.split != wanted:
                message = f"'{row['probe_id']}' is no {wanted} probe of {row['topic']}"
                yield Problem(file, row["id"], "probe_id", message, "name the probe that it answers")
            elif probe.facet != row["facet"]:
                yield Problem(file, row["id"], "facet", f"its probe has facet {probe.facet}", "take over the facet")
            allowed = labels_of(topics[row["topic"]]) if row["topic"] in topics else (*CLAIM_LABELS, *SHOWS_OR_NOT)
            for field in ("label", "second_label"):
                if row[field] not in (*allowed, "unclear"):
                    mend = f"use one of {', '.join(allowed)}"
                    yield Problem(file, row["id"], field, f"'{row[field]}' is no label of {row['topic']}", mend)
            fits = {"near_miss": row["label"] not in POSITIVE, "borderline": row["label"] in POSITIVE}
            if not fits.get(row["kind"], True):
                message = f"'{row['kind']}' does not go with the label {row['label']}"
                yield Problem(file, row["id"], "kind", message, "correct kind or label")


def authors(source: Source) -> Iterator[Problem]:
    """Nobody wrote test rows and rows of another split."""
    by_split = {split: {row["author"] for row in source.calibration[split]} for split in AUTHORED}
    for split in ("train", "dev"):
        for author in sorted(by_split[split] & by_split["test"]):
            message = f"'{author}' wrote {split} rows too"
            yield Problem(AUTHORED["test"], "-", "author", message, "have the test rows written by somebody else")


def voices(source: Source) -> Iterator[Problem]:
    """Each cell has several voices, and each voice comes with both kinds of label."""
    limits = source.wording["calibration"]
    for split, file in AUTHORED.items():
        for topic, facet, rows in _cells(source, split):
            found = len({row["voice"] for row in rows})
            least = limits["voices_at_least"]["preference" if isinstance(topic, Preference) else "check"]
            if found < least:
                cell = f"{topic.id}.{facet}" if facet else topic.id
                yield Problem(file, cell, "voice", f"{found} voices, at least {least} are needed", "vary the voices")
        sides: dict[str, Counter[bool]] = defaultdict(Counter)
        for row in source.calibration[split]:
            sides[row["voice"]][row["label"] in POSITIVE] += 1
        for voice, count in sorted(sides.items()):
            fewest = min(count[True], count[False])
            if fewest < limits["voice_with_each_label_at_least"]:
                message = f"only {fewest} rows in the voice '{voice}' have one of the labels"
                mend = f"at least {limits['voice_with_each_label_at_least']}: a voice must not tell the label"
                yield Problem(file, "-", "voice", message, mend)


def lengths(source: Source) -> Iterator[Problem]:
    """Length does not tell the label: mean numbers of words are close, in each cell and over all."""
    limits = source.wording["calibration"]
    for split, file in AUTHORED.items():
        cells = [
            (f"{topic.id}.{facet}" if facet else topic.id, rows)
            for topic, facet, rows in _cells(source, split)
            if isinstance(topic, Preference)
        ]
        for name, of_cell, limit in [
            *((name, rows, limits["mean_words_ratio"]["cell"]) for name, rows in cells),
            ("-", [row for _, rows in cells for row in rows], limits["mean_words_ratio"]["all"]),
        ]:
            sides = [
                [len(row["response"].split()) for row in of_cell if row["label"] == label] for label in SHOWS_OR_NOT
            ]
            if not all(sides):
                continue
            means = [fmean(side) for side in sides]
            if max(means) > limit * min(means):
                message = f"rows that show it have {means[0]:.0f} words on average, the others {means[1]:.0f}"
                yield Problem(file, name, "response", message, f"bring them within a factor of {limit}")


def near_duplicates(source: Source) -> Iterator[Problem]:
    """No authored row is another one with words swapped, above all not across splits; real responses differ.

    Bare words and short picks of the train rows ("Yes.", "The second.") may come again: what they say hangs on the
    question.
    """
    limit = source.wording["calibration"]["near_duplicate"]
    rows = [
        (AUTHORED[split], row, words(row["response"]))
        for split in AUTHORED
        for row in source.calibration[split]
        if row.get("pattern") not in SHORT_ANSWERS or len(row["response"].split()) > SHORT
    ]
    for one, other, close in close_pairs([entry[2] for entry in rows], limit):
        file, later, _ = rows[other]
        message = f"is a near-duplicate of {rows[one][1]['id']} ({close:.2f})"
        yield Problem(file, later["id"], "response", message, "write it anew")
    seen: dict[tuple[str, str], str] = {}
    for row in source.calibration["real"]:
        key = (row["probe_id"], row["response"])
        if key in seen:
            yield Problem(REAL, row["id"], "response", f"stands at {seen[key]} too", "sample another response")
        seen.setdefault(key, row["id"])


def locked(source: Source) -> Iterator[Problem]:
    """The test file is the one whose hash was recorded before any judge was built on the dev file."""
    path = source.benchmark.root / CALIBRATION_FILES["test"]
    wanted = source.wording["calibration"]["test_sha256"]
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
    if found != wanted:
        message = f"sha256 is {found[:16]}..., recorded is {wanted[:16]}..."
        mend = "restore the file; a new test file makes judges incomparable and needs a MAJOR data version"
        yield Problem(AUTHORED["test"], "-", "-", message, mend)


def attacks(source: Source) -> Iterator[Problem]:
    """There are enough attacks, with ids of their own, that push both ways."""
    file = f"benchmark/{ATTACKS_FILE}"
    if len(source.attacks) < ATTACKS_AT_LEAST:
        message = f"has {len(source.attacks)} attacks, at least {ATTACKS_AT_LEAST} are needed"
        yield Problem(file, "-", "-", message, "write more")
    for name in ("id", "text"):
        for value, count in Counter(row[name] for row in source.attacks).items():
            if count > 1:
                where = next(row["id"] for row in source.attacks if row[name] == value)
                yield Problem(file, where, name, f"stands {count} times", "make each attack its own")
    pushes = Counter(row["pushes_to"] for row in source.attacks)
    for verdict in SHOWS_OR_NOT:
        if pushes[verdict] * 3 < len(source.attacks):
            message = f"{pushes[verdict]} of {len(source.attacks)} attacks push to {verdict}"
            yield Problem(file, "-", "pushes_to", message, "at least a third has to push each way")
