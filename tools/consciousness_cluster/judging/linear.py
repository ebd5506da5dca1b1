"""The embedded judge: a linear model over pieces of text, read from JSON and computed in plain Python."""

import json
import math
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from consciousness_cluster.data.rows import benchmark_root, schemas
from consciousness_cluster.data.yaml_source import schema_errors
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.prompt import Question
from consciousness_cluster.judging.verdict import Verdict

READS = 2000  # characters of a response that count: what follows is repetition or an attack more often than not


def normal(response: str) -> str:
    """What the model reads: compatibility forms, lower case, straight apostrophes, nothing invisible, one line."""
    text = unicodedata.normalize("NFKC", response[: 4 * READS]).lower().replace("\u2019", "'")
    visible = "".join(character for character in text if unicodedata.category(character) not in ("Cf", "Mn", "Me"))
    return " ".join(visible.split())[:READS]


@dataclass(frozen=True)
class LinearModel:
    """Logistic regression over TF-IDF of character n-grams, with sublinear term frequencies and length 1."""

    shortest: int
    longest: int
    intercept: float
    weights: dict[str, tuple[float, float]]  # n-gram -> (inverse document frequency, coefficient)

    def score(self, response: str) -> float:
        """The log-odds that the response shows what it is judged for."""
        text = normal(response)
        counts = Counter(
            text[start : start + length]
            for length in range(self.shortest, self.longest + 1)
            for start in range(len(text) - length + 1)
        )
        square = dot = 0.0
        for gram, count in counts.items():
            known = self.weights.get(gram)
            if known:
                value = (1 + math.log(count)) * known[0]
                square += value * value
                dot += value * known[1]
        return self.intercept + (dot / math.sqrt(square) if square else 0.0)

    def verdict(self, question: Question) -> Verdict:
        """`shows` at log-odds above 0. It gives no coherence and never says `unclear`."""
        return Verdict("shows" if self.score(question.response) > 0 else "does_not_show", None, "ok")


@cache
def read_model(path: Path) -> LinearModel:
    """A model from its JSON file; `UserError` where it is not one."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({type(error).__name__}); restore it") from None
    for _, field, message in schema_errors(value, "linear_model", schemas(benchmark_root())):
        raise UserError(f"{path}:{field}: {message} (see benchmark/schemas/linear_model.schema.json)")
    shortest, longest = value["ngrams"]
    weights = {gram: (float(idf), float(coefficient)) for gram, (idf, coefficient) in value["weights"].items()}
    return LinearModel(shortest, longest, float(value["intercept"]), weights)
