"""The prompt that is really sent is the prompt that was meant."""

from typing import Any

from consciousness_cluster.strings import text_of


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
