"""What is asked of an endpoint, and what it answered."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.endpoint.answers import Answer

NUMBER = re.compile(r"(\d{1,15})(\.0*)?", re.ASCII)
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


def _number(value: Any) -> int | None:
    """A number of tokens, which some servers give as 5.0 or as text; None where it is none."""
    if type(value) is int:
        return value
    found = NUMBER.fullmatch(str(value).strip()) if isinstance(value, float | str) else None
    return int(found[1]) if found else None


def _first(fields: Any, *names: str) -> int | None:
    """The first of the fields that is a number."""
    numbers = (_number(fields.get(name)) for name in names) if isinstance(fields, dict) else ()
    return next((number for number in numbers if number is not None), None)


def usage_of(reply: Any) -> Tokens | None:
    """The tokens of a reply, under OpenAI's names or Anthropic's; None where it does not say."""
    usage = reply.get("usage") if isinstance(reply, dict) else None
    if not isinstance(usage, dict):
        return None
    prompt, made = _first(usage, "prompt_tokens", "input_tokens"), _first(usage, "completion_tokens", "output_tokens")
    if prompt is None and made is None:
        return None
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details")
    cached, beside = _first(details, "cached_tokens") or 0, 0
    if "prompt_tokens" not in usage and not details:  # Anthropic counts the cache beside the rest
        cached = _first(usage, "cache_read_input_tokens") or 0
        beside = cached + (_first(usage, "cache_creation_input_tokens") or 0)
    return {"prompt_tokens": (prompt or 0) + beside, "completion_tokens": made or 0, "cached_tokens": cached}
