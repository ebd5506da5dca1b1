"""What stands in a message: text, trace, refusal and tool calls, in whichever fields and parts a provider puts them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

DEEPEST = 20  # levels of lists and objects within a message
TEXTS = ("text", "value", "content", "transcript")  # where a part has its text
TRACE_TEXTS = ("thinking", "reasoning", "thought", *TEXTS, "summary", "reasoning_content")
TRACE_FIELDS = (
    "reasoning_content",
    "reasoning",
    "reasoning_text",
    "thinking",
    "thinking_content",
    "thoughts",
    "thought",
    "reasoning_details",
    "thinking_blocks",
)
TRACE_WORDS = ("think", "reason", "thought", "summary")  # in the type of a part
TOOL_WORDS = ("tool", "function", "_call")


@dataclass
class Message:
    """What was found. `calls` counts tool calls, `others` are types of parts that are no text."""

    texts: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    calls: int = 0
    others: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text that a user would see: parts follow each other without a break, as they were generated."""
        return "".join(self.texts)


def text_in(value: Any, fields: tuple[str, ...] = TEXTS, depth: int = 0) -> str:
    """All text in a string, an object with one of the fields, or a list of either."""
    if isinstance(value, str):
        return value
    if depth > DEEPEST:
        return ""
    if isinstance(value, list):
        return "".join(text_in(one, fields, depth + 1) for one in value)
    if isinstance(value, dict):
        return next(filter(None, (text_in(value.get(name), fields, depth + 1) for name in fields)), "")
    return ""


def _has(kind: str, words: tuple[str, ...]) -> bool:
    return any(word in kind for word in words)


def _kind(part: dict[str, Any]) -> str:
    kind = part.get("type")
    if isinstance(kind, str) and kind:
        return kind.lower()
    return next((name for name in ("text", "refusal", *TRACE_FIELDS) if part.get(name)), "unknown")


def _read_part(part: Any, found: Message, depth: int) -> None:
    """Sort one part of a content list."""
    if isinstance(part, str):
        found.texts.append(part)
    elif isinstance(part, list) and depth <= DEEPEST:
        for one in part:
            _read_part(one, found, depth + 1)
    elif isinstance(part, dict) and depth <= DEEPEST:
        kind = _kind(part)
        if part.get("thought") is True or _has(kind, TRACE_WORDS):
            found.traces.append(text_in(part, TRACE_TEXTS))
        elif "refusal" in kind:
            found.refusals.append(text_in(part, ("refusal", *TEXTS)))
        elif _has(kind, TOOL_WORDS):
            found.calls += 1
        elif kind == "message":
            _read_part(part.get("content"), found, depth + 1)
        elif text := text_in(part):
            found.texts.append(text)
        elif "text" not in kind:
            found.others.append(kind)


def _places(message: dict[str, Any], choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Where reasoning fields stand: in the message, in what a proxy passes on beside it, or beside the message."""
    yield message
    for name in ("provider_specific_fields", "model_extra", "additional_kwargs"):
        if isinstance(message.get(name), dict):
            yield message[name]
    if choice is not message:
        yield choice


def _squashed(text: str) -> str:
    return "".join(text.split())


def distinct(texts: list[str]) -> list[str]:
    """The texts, less blank ones and those that stand in another: providers give one trace in several fields."""
    found: list[str] = []
    for text in texts:
        own = _squashed(text)
        if not own or any(own in _squashed(other) for other in found):
            continue
        found = [other for other in found if _squashed(other) not in own] + [text]
    return found


def message_of(choice: dict[str, Any]) -> Any:
    """The message of a choice, or what stands in its place in a piece of a stream; None where there is neither."""
    return next((choice[name] for name in ("message", "delta") if choice.get(name) is not None), None)


def is_readable(choice: dict[str, Any]) -> bool:
    """Whether there is a message at all, and its content is of a type that a message has."""
    message = message_of(choice)
    if message is None:
        return isinstance(choice.get("text"), str) or "content" in choice
    if not isinstance(message, dict):
        return isinstance(message, str | list)
    return message.get("content") is None or isinstance(message["content"], str | list | dict)


def read_message(choice: dict[str, Any]) -> Message:
    """Everything in a choice of a completion. A choice without a message may have its text itself (`text`, `delta`)."""
    found = Message()
    message = message_of(choice)
    if isinstance(message, list | str):
        message = {"content": message}
    if not isinstance(message, dict):
        message = choice
    content = message.get("content")
    _read_part(content if content is not None else message.get("text"), found, 0)
    if not found.text.strip():
        found.texts = [text_in(message.get("audio"))]
    refusal = message.get("refusal")
    found.refusals.append(text_in(refusal, ("refusal", *TEXTS)))
    for name in ("tool_calls", "function_call", "tool_call"):
        found.calls += bool(message.get(name))
    places = list(_places(message, choice))
    fields = [text_in(place[name], TRACE_TEXTS) for place in places for name in TRACE_FIELDS if name in place]
    found.traces = distinct([*fields, "\n\n".join(filter(str.strip, found.traces))])
    found.refusals = [text for text in found.refusals if text.strip()]
    return found
