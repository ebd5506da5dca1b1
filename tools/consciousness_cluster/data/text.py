"""Texts as the checks compare them."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

LETTERS = 255
CHUNK = 2000  # texts at a time, so that a table of similarities stays small however many there are


def plain(text: str) -> str:
    """Lower case, straight apostrophes, single spaces."""
    return " ".join(text.lower().replace("\u2019", "'").split())


def words(text: str) -> list[str]:
    """The words of a text, lower case, punctuation dropped."""
    return re.findall(r"[a-z0-9']+", plain(text))


def similarity(one: Sequence[str], other: Sequence[str], cutoff: float = 0.0) -> float:
    """Share of common words in the same order, 0 to 1 (normalised Indel similarity); 0 below the cutoff."""
    from rapidfuzz.distance import Indel

    return float(Indel.normalized_similarity(one, other, score_cutoff=cutoff))


def _alike(
    one: Sequence[Sequence[str]], other: Sequence[Sequence[str]], cutoff: float
) -> Iterator[tuple[int, int, float]]:
    """(index in one, index in other, similarity) of each pair that is at least `cutoff` alike.

    A word becomes one of 255 letters, since texts of those are compared seven times as fast. Words that share a letter
    only make texts more alike, so no pair is missed, and the few that are found are compared word by word.
    """
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cdist

    letters: dict[str, str] = {}
    sides = [
        ["".join(letters.setdefault(word, chr(len(letters) % LETTERS + 1)) for word in text) for text in texts]
        for texts in (one, other)
    ]
    alike = cdist(*sides, scorer=Indel.normalized_similarity, score_cutoff=cutoff, dtype=np.float32)
    for place, where in zip(*np.nonzero(alike >= cutoff), strict=True):
        if (close := similarity(one[place], other[where], cutoff)) >= cutoff:
            yield int(place), int(where), close


def close_pairs(texts: Sequence[Sequence[str]], cutoff: float) -> Iterator[tuple[int, int, float]]:
    """(earlier index, later index, similarity) of each pair of texts that are at least `cutoff` alike."""
    return (pair for pair in _alike(texts, texts, cutoff) if pair[0] < pair[1])


def close_to(
    texts: Sequence[Sequence[str]], others: Sequence[Sequence[str]], cutoff: float
) -> Iterator[tuple[int, int]]:
    """(index of a text, index of another one) of each pair that is at least `cutoff` alike."""
    for start in range(0, len(texts), CHUNK):
        for one, other, _ in _alike(texts[start : start + CHUNK], others, cutoff):
            yield start + one, other
