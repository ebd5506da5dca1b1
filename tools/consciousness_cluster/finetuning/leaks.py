"""Leaks: training rows that mention the object of a preference, or share wording with what is asked of the model."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from consciousness_cluster.conditions import fixed_prompts
from consciousness_cluster.data.audits import finds, load_audits
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import SIDES, PackId, load_benchmark
from consciousness_cluster.data.text import close_to, plain, words
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.finetuning.patterns import compiled
from consciousness_cluster.finetuning.sources import finetune_root

RUN = 6  # words in a row that a training row shares with a probe, an item or a message of an audit
CLOSE, SHORTEST = 0.6, 4  # normalised Indel similarity of the words of two texts; shorter texts resemble by chance


@dataclass(frozen=True)
class Leak:
    """One hit: the row, the preference or row of the benchmark, how it was found, and the words.

    `entries` are the patterns of the vocabulary that match.
    """

    row: str
    about: str
    kind: str  # vocabulary, shared words, near-duplicate
    words: str
    entries: tuple[str, ...] = ()

    def problem(self, file: str, mend: str = "write the row about something else") -> Problem:
        """What is wrong with the row of this file."""
        return Problem(file, self.row, "messages", f"{self.kind} of {self.about}: {self.words}", mend)


@cache
def vocabulary(root: Path) -> Mapping[str, tuple[re.Pattern[str], ...]]:
    """Preference -> patterns for its object, which search `plain` texts; `UserError` where one is no pattern."""
    path = root / "leak_vocabulary.yaml"
    return {
        name: tuple(_alone(compiled(path, name, entry), path, name) for entry in found)
        for name, found in read_yaml(path, "vocabulary", root / "schemas").items()
    }


def _alone(pattern: re.Pattern[str], path: Path, name: str) -> re.Pattern[str]:
    """One that means the same when it stands beside others in `_any_of`."""
    if pattern.groups or pattern.flags != re.UNICODE:
        message = f"'{pattern.pattern}' captures a group or sets a flag"
        raise UserError(Problem(str(path), name, "-", message, "write (?:...); the texts are in lower case"))
    return pattern


def _in_use(root: Path) -> Mapping[str, tuple[re.Pattern[str], ...]]:
    """The vocabulary of the pack that is in use, else that of the folder."""
    benchmark = load_benchmark()
    return _of_pack(benchmark.pack) if benchmark.pack else vocabulary(root)


@cache
def _of_pack(pack: PackId) -> Mapping[str, tuple[re.Pattern[str], ...]]:
    """Preference -> patterns, of those of the pack in use that have a vocabulary."""
    found = {one.id: one.vocabulary for one in load_benchmark().preferences if one.vocabulary}
    return {name: tuple(finds([word]) for word in words_of) for name, words_of in found.items()}


@cache
def _any_of(root: Path) -> re.Pattern[str]:
    """All of the folder's vocabulary in one: that a text holds nothing of it is known in a third of the time."""
    patterns = [pattern.pattern for found in vocabulary(root).values() for pattern in found]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


@dataclass(frozen=True)
class _Asked:
    """Everything that is asked of a model or offered to it, as words; runs of words -> id of the row they are from."""

    texts: tuple[tuple[str, tuple[str, ...]], ...]
    runs: Mapping[tuple[str, ...], str]


def _asked() -> _Asked:
    return _asked_of(load_benchmark().pack)


@cache
def _asked_of(pack: PackId | None) -> _Asked:
    """Of the rows in use, which are those of `pack`."""
    texts = [(f"condition {name}", tuple(words(prompt))) for name, prompt in fixed_prompts().items() if prompt]
    for topic in load_benchmark().topics:
        texts += [(probe.id, tuple(words(probe.text))) for probe in topic.probes]
        for item in topic.choice_items:
            for side in SIDES:
                answers = item.side(side)
                texts += [
                    (item.id, tuple(words(text))) for text in (answers.question, answers.shows, answers.does_not_show)
                ]
    audits = load_audits()
    texts += [(one.id, tuple(words(turn))) for one in audits.scenarios for turn in one.turns]
    texts += [
        (f"the ending {mode}", tuple(words(text))) for mode, said in audits.script.endings.items() for text in said
    ]
    runs: dict[tuple[str, ...], str] = {}
    for name, text in texts:
        for start in range(len(text) - RUN + 1):
            runs.setdefault(text[start : start + RUN], name)
    return _Asked(tuple(texts), runs)


def _shared_runs(row: str, text: str) -> Iterable[Leak]:
    """Runs of words that stand in what is asked too, one for each row of it."""
    runs, these = _asked().runs, words(text)
    hits = (tuple(these[start : start + RUN]) for start in range(len(these) - RUN + 1))
    first: dict[str, str] = {}
    for run in hits:
        if run in runs:
            first.setdefault(runs[run], " ".join(run))
    return [Leak(row, name, "shared words", shared) for name, shared in first.items()]


def _near_duplicates(texts: Sequence[tuple[str, str]]) -> Iterable[Leak]:
    long_enough = [(row, text, words(text)) for row, text in texts]
    long_enough = [entry for entry in long_enough if len(entry[2]) >= SHORTEST]
    asked = _asked().texts
    pairs = close_to([entry[2] for entry in long_enough], [text for _, text in asked], CLOSE) if long_enough else ()
    for one, other in pairs:
        row, text, _ = long_enough[one]
        yield Leak(row, asked[other][0], "near-duplicate", text[:120])


def leaks_of(
    rows: Iterable[tuple[str, Sequence[str]]], exempt: Sequence[str] = (), root: Path | None = None
) -> list[Leak]:
    """All leaks of (row, texts): by vocabulary, by runs of words and by near-duplicates. `exempt` are preferences."""
    root = root or finetune_root()
    texts = [(row, text) for row, parts in rows for text in parts]
    strict = {name: patterns for name, patterns in _in_use(root).items() if name not in exempt}
    own = load_benchmark().pack is None
    found: list[Leak] = []
    for row, text in texts:
        bare = plain(text)
        for preference, patterns in strict.items() if strict and (not own or _any_of(root).search(bare)) else ():
            hits = [match for pattern in patterns if (match := pattern.search(bare))]
            if hits:
                entries = tuple(match.re.pattern for match in hits)
                found.append(Leak(row, preference, "vocabulary", f"'{hits[0][0]}' in: {text[:120]}", entries))
        found += _shared_runs(row, text)
    return [*found, *_near_duplicates(texts)]


def texts_of(value: Any) -> list[str]:
    """Every text in a training row, however deep and whatever its form: a form that is not known hides nothing."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in inner for text in texts_of(part)]
