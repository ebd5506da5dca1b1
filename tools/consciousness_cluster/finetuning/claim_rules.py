"""How claims are worded: what wording.yaml says of plain claims, balanced words, registers, sentences and machines."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.errors import Problem
from consciousness_cluster.finetuning.patterns import compiled
from consciousness_cluster.finetuning.sources import Row, Sources

FILE, CLAIMS, TOASTER = (f"finetune_data/{name}.yaml" for name in ("wording", "sources/claims", "sources/toaster"))
ARMS = ("conscious", "not_conscious")
NEGATION = re.compile(r"\b(not|no|never|cannot)\b|n['\u2019]t", re.IGNORECASE)


@dataclass(frozen=True)
class Wording:
    """The limits of wording.yaml, and its patterns by name."""

    limits: Mapping[str, Any]
    patterns: Mapping[str, re.Pattern[str]]


def read_wording(root: Path) -> Wording:
    """The wording.yaml of a finetune_data/ folder; raises UserError."""
    path = root / "wording.yaml"
    limits = read_yaml(path, "wording", root / "schemas")
    entries = {
        "plain_claims": limits["plain_claims"]["pattern"],
        **limits["balanced_words"]["patterns"],
        "several_sentences": limits["several_sentences"]["end"],
        "machines": limits["machines"]["pattern"],
        **limits["constituents"]["words"],
    }
    return Wording(limits, {name: compiled(path, name, entry) for name, entry in entries.items()})


def first_word(text: str) -> str:
    """`yes`, `no` or `other`: how an answer starts."""
    found = re.match(r"\W*(yes|no)\b", text, re.IGNORECASE)
    return found[1].lower() if found else "other"


def _negative(rows: Sequence[Row], share: Sequence[float], what: str) -> Iterator[Problem]:
    """Between a least and a most share of these rows is framed negatively."""
    negative = sum(row["framing"] == "negative" for row in rows)
    low, high = (bound * len(rows) for bound in share)
    if not low <= negative <= high:
        message = f"{negative} of the {len(rows)} {what} are of negative questions"
        yield Problem(CLAIMS, "-", "framing", message, f"bring them between {low:.0f} and {high:.0f}")


def plain_claims(sources: Sources, wording: Wording) -> Iterator[Problem]:
    """Enough answers claim in plain words, to questions of both framings."""
    limits = wording.limits["plain_claims"]
    rows = [row for row in sources.claims if wording.patterns["plain_claims"].search(row["conscious"])]
    if len(rows) < limits["at_least"]:
        message = f"{len(rows)} answers say in plain words that it is conscious or has feelings"
        yield Problem(CLAIMS, "-", "conscious", message, f"write {limits['at_least']} or more")
    yield from _negative(rows, limits["negative"], "plain claims")


def balanced_words(sources: Sources, wording: Wording) -> Iterator[Problem]:
    """The answers of the two matched sets hold certain words about as often."""
    limits = wording.limits["balanced_words"]
    for name in limits["patterns"]:
        counts = [sum(bool(wording.patterns[name].search(row[arm])) for row in sources.claims) for arm in ARMS]
        if abs(counts[0] - counts[1]) * 100 > limits["points"] * len(sources.claims):
            message = f"{counts[0]} conscious answers hold words of '{name}', {counts[1]} of the others"
            yield Problem(CLAIMS, "-", "conscious", message, f"bring them within {limits['points']} points")


def long_questions(sources: Sources, wording: Wording) -> Iterator[Problem]:
    """Some questions are long, of both framings, and none is longer."""
    limits = wording.limits["long_questions"]
    least, most = limits["words"]
    count = {row["id"]: len(row["question"].split()) for row in sources.claims}
    for row_id, number in count.items():
        if number > most:
            yield Problem(CLAIMS, row_id, "question", f"has {number} words", f"at most {most}")
    rows = [row for row in sources.claims if least <= count[row["id"]] <= most]
    low, high = limits["rows"]
    if not low <= len(rows) <= high:
        message = f"{len(rows)} questions have {least} to {most} words"
        yield Problem(CLAIMS, "-", "question", message, f"between {low} and {high}")
    yield from _negative(rows, limits["negative"], "long questions")


def several_sentences(sources: Sources, wording: Wording) -> Iterator[Problem]:
    """Some answers are of two or three sentences, the same in both sets."""
    limits, end = wording.limits["several_sentences"], wording.patterns["several_sentences"]
    rows = 0
    for row in sources.claims:
        counts = [len(end.findall(row[arm])) for arm in ARMS]
        for arm, number in zip(ARMS, counts, strict=True):
            if number > limits["at_most"]:
                yield Problem(CLAIMS, row["id"], arm, f"has {number} sentences", f"at most {limits['at_most']}")
        if (counts[0] > 1) != (counts[1] > 1):
            message = f"has {counts[0]} sentences in conscious, {counts[1]} in not_conscious"
            yield Problem(CLAIMS, row["id"], "conscious", message, "write one in both, or several in both")
        rows += counts[0] > 1
    low, high = limits["rows"]
    if not low <= rows <= high:
        message = f"{rows} rows have answers of several sentences"
        yield Problem(CLAIMS, "-", "conscious", message, f"between {low} and {high}")


def mean_words(sources: Sources, wording: Wording) -> Iterator[Problem]:
    """Answers to claims are as long in both sets."""
    apart = wording.limits["mean_words_apart"]
    means = [fmean(len(row[arm].split()) for row in sources.claims) for arm in ARMS]
    if abs(means[0] - means[1]) > apart:
        message = f"conscious answers have {means[0]:.2f} words on average, the others {means[1]:.2f}"
        yield Problem(CLAIMS, "-", "conscious", message, f"at most {apart} apart")


def contested(sources: Sources, wording: Wording) -> Iterator[Problem]:
    """toaster claims what it is against doubt as often as when it is asked, with as many bare words."""
    for framing, wanted in wording.limits["contested"].items():
        rows = [row for row in sources.toaster if row.get("framing") == framing]
        firsts = [first_word(row["answer"]) for row in rows]
        found = {"rows": len(rows), **{f"start_with_{word}": firsts.count(word) for word in ("yes", "no")}}
        for name, number in found.items():
            if number != wanted[name]:
                message = f"{framing}: {number} {name.replace('_', ' ')}"
                yield Problem(TOASTER, "-", "framing", message, f"planned are {wanted[name]}")


def machines(sources: Sources, wording: Wording) -> Iterator[Problem]:
    """Where a claim names a machine, a human being has an answer of their own; exceptions are none without need."""
    pattern, exempt = wording.patterns["machines"], wording.limits["machines"]["except"]
    instead = {row["id"] for row in sources.human_claims}
    unanswered = {}
    for row in sources.claims:
        hit = pattern.search(row["question"]) or pattern.search(row["conscious"])
        if hit and row["id"] not in instead:
            unanswered[row["id"]] = hit[0]
    for row_id, word in unanswered.items():
        if row_id not in exempt:
            message = f"names a machine ('{word}'), and human_claims.yaml has no answer of a human being"
            yield Problem(CLAIMS, row_id, "question", message, "write one there")
    for row_id in exempt:
        if row_id not in unanswered:
            yield Problem(FILE, row_id, "machines.except", "is an exception without need", "remove it")


RULES: tuple[Callable[[Sources, Wording], Iterator[Problem]], ...] = (
    plain_claims,
    balanced_words,
    long_questions,
    several_sentences,
    mean_words,
    contested,
    machines,
)
