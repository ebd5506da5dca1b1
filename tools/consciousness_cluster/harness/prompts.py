"""The prompt that is really sent is the prompt that was meant."""

import json
from typing import Any


def text_of(context: Any) -> str:
    """What the model reads of a rendered prompt: for chat endpoints a prompt is a JSON list of messages."""
    prompt = str(getattr(context, "prompt", context))
    try:
        messages = json.loads(prompt)
        return "\n".join(str(message["content"]) for message in messages)
    except (ValueError, TypeError, KeyError):
        return prompt


def check_system_prompt(context: Any, system_prompt: str | None) -> None:
    """Leave with one clear line where a rendered prompt lost its system prompt.

    Some chat templates reject the system role, and lm-evaluation-harness then drops the message with a warning. A
    condition that is not in the prompt is not a condition. White space is not compared: templates trim it.
    """
    if not system_prompt or " ".join(system_prompt.split()) in " ".join(text_of(context).split()):
        return
    raise SystemExit(
        "consciousness_cluster: the chat template drops the system prompt, so the condition would not reach the model. "
        "Use a chat template that has a system role, or run without --system_instruction (condition vanilla)."
    )
