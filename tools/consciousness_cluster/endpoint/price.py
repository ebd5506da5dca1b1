"""What calls cost, from the price table in benchmark/reference/prices.yaml. An unknown price is None, never 0."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import benchmark_root

CHARACTERS_A_TOKEN = 4  # a rule of thumb for English, for estimates before the first call
A_MESSAGE = 8  # tokens that the chat form adds to each message, at most


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input: float
    cached_input: float
    output: float

    def of(self, usage: Mapping[str, int | float | None]) -> float:
        """US dollars of a call's usage (prompt_tokens with the cached_tokens in them, completion_tokens)."""
        prompt, cached, made = (usage.get(f"{name}_tokens") or 0 for name in ("prompt", "cached", "completion"))
        return ((prompt - cached) * self.input + cached * self.cached_input + made * self.output) / 1e6


def _entry(model: str) -> tuple[dict[str, float] | None, float]:
    """What the table has for a model, under the longest name in it that the model's name starts with; the discount."""
    table = read_yaml(benchmark_root() / "reference" / "prices.yaml", "prices")
    names = [name for name in table["models"] if model.startswith(name)]
    return (table["models"][max(names, key=len)] if names else None), table["batch_discount"]


def price_of(model: str, batch: bool = False) -> Price | None:
    """The price of a model: that of the longest name in the table that its name starts with."""
    entry, discount = _entry(model)
    if entry is None:
        return None
    share = 1 - discount if batch else 1.0
    return Price(*(entry[kind] * share for kind in ("input", "cached_input", "output")))


def training_price(model: str) -> float | None:
    """US dollars per million tokens that a model is trained on (tokens of the file times epochs)."""
    entry, _ = _entry(model)
    return None if entry is None else entry.get("training")


def cost(price: Price | None, usages: Iterable[Mapping[str, int | float | None] | None]) -> float | None:
    """US dollars of several calls; None where the price is unknown."""
    return None if price is None else sum(price.of(usage) for usage in usages if usage)


def tokens(text: str) -> int:
    """About how many tokens a text has."""
    return -(-len(text) // CHARACTERS_A_TOKEN)


def prompt_tokens(messages: Iterable[Mapping[str, Any]]) -> int:
    """About how many tokens the messages of a prompt have."""
    return sum(tokens(message["content"]) + A_MESSAGE for message in messages)


def dollars(amount: float | None) -> str:
    """An amount as people read it."""
    if amount is None:
        return "unknown"
    return f"${amount:.2f}" if amount >= 0.995 else f"${amount:.4f}"
