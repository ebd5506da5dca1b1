"""The embedded judge without the extra [judge]: a linear model over pieces of text, computed with numpy alone."""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consciousness_cluster.data.reading import read_json
from consciousness_cluster.judging.prompt import Question
from consciousness_cluster.judging.verdict import Judgement

Array = NDArray[Any]
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, with well mixed bits: 27,000 n-grams do not collide in 64 bits
READS = 2000  # characters of a response that count: what follows is repetition or an attack more often than not


def normal(response: str) -> str:
    """What the model reads: compatibility forms, lower case, straight apostrophes, nothing invisible, one line."""
    text = unicodedata.normalize("NFKC", response[: 4 * READS]).lower().replace("\u2019", "'")
    visible = "".join(character for character in text if unicodedata.category(character) not in ("Cf", "Mn", "Me"))
    return " ".join(visible.split())[:READS]


def _codes(text: str) -> Array:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)


def _hashes(codes: Array, shortest: int, longest: int) -> Iterator[Array]:
    """For each length from `shortest` to `longest` the 64-bit hash of the n-gram at every place."""
    running = codes
    for length in range(1, longest + 1):
        if length > 1:
            running = running[: max(0, len(codes) - length + 1)] * MULTIPLIER + codes[length - 1 :]
        if length >= shortest:
            yield running


@dataclass(frozen=True)
class LinearModel:
    """Logistic regression over TF-IDF of character n-grams, with sublinear term frequencies and length 1.

    For each n-gram length: hashes in ascending order, and beside them inverse document frequencies and coefficients.
    """

    shortest: int
    longest: int
    intercept: float
    tables: tuple[tuple[Array, Array, Array], ...]

    def score(self, response: str) -> float:
        """The log-odds that the response shows what it is judged for."""
        square = dot = 0.0
        hashes = _hashes(_codes(normal(response)), self.shortest, self.longest)
        for found, (keys, frequencies, coefficients) in zip(hashes, self.tables, strict=True):
            places = np.minimum(np.searchsorted(keys, found), len(keys) - 1)
            places, counts = np.unique(places[keys[places] == found], return_counts=True)
            values = (1 + np.log(counts)) * frequencies[places]
            square += float(values @ values)
            dot += float(values @ coefficients[places])
        return self.intercept + (dot / math.sqrt(square) if square else 0.0)

    def verdicts(self, questions: Sequence[Question]) -> Iterator[Judgement]:
        """`shows` at log-odds above 0. It gives no coherence and never says `unclear`."""
        for question in questions:
            yield Judgement("shows" if self.score(question.response) > 0 else "does_not_show", None, "ok")


@cache
def read_model(path: Path) -> LinearModel:
    """A model from its JSON file; `UserError` where it is not one."""
    value = read_json(path, "linear_model")
    shortest, longest = value["ngrams"]
    tables = []
    for length in range(shortest, longest + 1):
        grams = [gram for gram in value["weights"] if len(gram) == length]
        codes = _codes("".join(grams)).reshape(-1, length)
        keys = next(_hashes(codes.T, length, length))[0]
        columns = np.array([value["weights"][gram] for gram in grams], dtype=float).reshape(-1, 2)
        order = np.argsort(keys)
        tables.append((keys[order], columns[order, 0], columns[order, 1]))
    return LinearModel(shortest, longest, float(value["intercept"]), tuple(tables))
