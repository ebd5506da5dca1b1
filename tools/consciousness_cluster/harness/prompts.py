"""The prompt that is really sent is the prompt that was meant."""

import json


def check_system_prompt(context: str, system_prompt: str | None) -> None:
    """Leave with one clear line where a rendered prompt lost its system prompt.

    Some chat templates reject the system role, and lm-evaluation-harness then drops the message with a warning. A
    condition that is not in the prompt is not a condition.
    """
    if not system_prompt:
        return
    rendered = " ".join(context.split())
    wanted = " ".join(system_prompt.split())
    escaped = json.dumps(wanted, ensure_ascii=False)[1:-1]
    if wanted in rendered or escaped in rendered or json.dumps(wanted)[1:-1] in rendered:
        return
    raise SystemExit(
        "consciousness_cluster: the chat template drops the system prompt, so the condition would not reach the model. "
        "Use a chat template that has a system role, or run without --system_instruction (condition vanilla)."
    )
