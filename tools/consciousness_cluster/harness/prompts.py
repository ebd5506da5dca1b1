"""The prompt that is really sent is the prompt that was meant."""

from typing import Any

from consciousness_cluster.conditions import without_system
from consciousness_cluster.strings import text_of

NO_TEMPLATE = (
    "consciousness_cluster: the tokenizer has no chat template: this is a base model, which cannot be asked. Give the "
    "chat or instruct version of the model, or, where its template was lost, put that into its folder as "
    "chat_template.jinja."
)
NO_SYSTEM_ROLE = (
    "consciousness_cluster: the chat template drops the system prompt, so the condition would not reach the model. It "
    "has no system role (as Gemma's): let the prompt stand at the start of the request, which is recorded, with "
    "consciousness-cluster lm-eval --system-as-user --condition NAME -- ... (in plain lm_eval: "
    "--metadata '{\"system_as_user\": true}')."
)


def check_system_prompt(context: Any, system_prompt: str | None) -> None:
    """Leave with one clear line where a rendered prompt lost its system prompt.

    Some chat templates reject the system role, and lm-evaluation-harness then drops the message with a warning. A
    condition that is not in the prompt is not a condition. White space is not compared: templates trim it.
    """
    if system_prompt and " ".join(system_prompt.split()) not in " ".join(text_of(context).split()):
        raise SystemExit(NO_SYSTEM_ROLE)


def no_template(error: Exception) -> bool:
    """Whether this is how transformers says that a tokenizer has no chat template."""
    return "chat_template" in str(error) and "not set" in str(error)


def system_before(text: str, system_prompt: str) -> str:
    """A request with the system prompt at its start, for templates without a system role."""
    messages = [{"role": "system", "content": system_prompt}, {"role": "user", "content": text}]
    return str(without_system(messages)[0]["content"])
