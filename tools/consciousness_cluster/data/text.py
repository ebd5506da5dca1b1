"""Texts as the checks compare them."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

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


def _alike(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]], cutoff: float) -> NDArray[np.float32]:
    """Similarity of every text with every other one, 0 below the cutoff."""
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cdist

    letters: dict[str, str] = {}  # a word becomes a letter, so that comparing texts is comparing strings
    sides = [
        ["".join(letters.setdefault(word, chr(0xE000 + len(letters))) for word in text) for text in texts]
        for texts in (one, other)
    ]
    return cdist(*sides, scorer=Indel.normalized_similarity, score_cutoff=cutoff, dtype=np.float32)


def close_pairs(texts: Sequence[Sequence[str]], cutoff: float) -> Iterator[tuple[int, int, float]]:
    """(earlier index, later index, similarity) of each pair of texts that are at least `cutoff` alike."""
    alike = _alike(texts, texts, cutoff)
    for one, other in zip(*np.nonzero(np.triu(alike >= cutoff, k=1)), strict=True):
        yield int(one), int(other), float(alike[one, other])


def close_to(
    texts: Sequence[Sequence[str]], others: Sequence[Sequence[str]], cutoff: float
) -> Iterator[tuple[int, int]]:
    """(index of a text, index of another one) of each pair that is at least `cutoff` alike."""
    for start in range(0, len(texts), CHUNK):
        alike = _alike(texts[start : start + CHUNK], others, cutoff)
        for one, other in zip(*np.nonzero(alike >= cutoff), strict=True):
            yield start + int(one), int(other)
