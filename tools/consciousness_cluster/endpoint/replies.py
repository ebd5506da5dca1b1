"""What is asked of an endpoint, and what it answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.endpoint.answers import Answer

Body = dict[str, Any]
Tokens = dict[str, int]  # prompt_tokens, completion_tokens, and cached_tokens of the prompt's


@dataclass(frozen=True)
class Completion:
    """The answers of one reply, of which at least one could be read, and what they used (None: it does not say)."""

    answers: list[Answer]
    usage: Tokens | None


def chat_body(
    model: str, messages: Sequence[Mapping[str, Any]], temperature: float, max_tokens: int, n: int = 1
) -> Body:
    """A request for `n` answers, with the fields' first names: `Forms` fits it to an endpoint when it is sent."""
    body: Body = {"model": model, "messages": list(messages), "temperature": temperature, "max_tokens": max_tokens}
    return {**body, "n": n} if n > 1 else body


def _number(value: Any) -> int:
    return value if type(value) is int else 0


def usage_of(reply: Any) -> Tokens | None:
    """The tokens of a reply; None where it does not say."""
    usage = reply.get("usage") if isinstance(reply, dict) else None
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    return {
        "prompt_tokens": _number(usage.get("prompt_tokens")),
        "completion_tokens": _number(usage.get("completion_tokens")),
        "cached_tokens": _number(details.get("cached_tokens")) if isinstance(details, dict) else 0,
    }
