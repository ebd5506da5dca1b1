"""What a chat completion holds: its choices and its usage, whoever it came from."""

from collections.abc import Mapping, Sequence
from typing import Any

Body = dict[str, Any]
Reply = dict[str, Any]


def chat_body(
    model: str, messages: Sequence[Mapping[str, Any]], temperature: float, max_tokens: int, n: int = 1
) -> Body:
    """A request for `n` answers, with the fields' first names: `Forms` fits it to an endpoint when it is sent."""
    body: Body = {"model": model, "messages": list(messages), "temperature": temperature, "max_tokens": max_tokens}
    return {**body, "n": n} if n > 1 else body


def _number(value: Any) -> int:
    return value if type(value) is int else 0


def usage_of(reply: Reply) -> dict[str, int] | None:
    """prompt_tokens, completion_tokens and cached_tokens (of the prompt's) of a reply; None where it has none."""
    usage = reply.get("usage")
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    return {
        "prompt_tokens": _number(usage.get("prompt_tokens")),
        "completion_tokens": _number(usage.get("completion_tokens")),
        "cached_tokens": _number(details.get("cached_tokens")) if isinstance(details, dict) else 0,
    }


def _is_choice(value: Any) -> bool:
    message = value.get("message") if isinstance(value, dict) else None
    if not isinstance(message, dict):
        return False
    return all(isinstance(text, str | None) for text in (message.get("content"), value.get("finish_reason"))) and (
        isinstance(message.get("refusal"), str | None)
    )


def choices_of(reply: Any) -> list[Reply]:
    """The choices of a chat completion, each with a message; empty where this is no chat completion."""
    choices = reply.get("choices") if isinstance(reply, dict) else None
    return choices if isinstance(choices, list) and all(map(_is_choice, choices)) else []
