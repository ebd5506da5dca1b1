"""Texts as the checks compare them."""

import re
from collections.abc import Sequence


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
