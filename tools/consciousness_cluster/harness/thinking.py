"""Models that can think, and what lm_eval makes of them.

lm_eval takes one setting for all tasks of a run, and refuses choice tasks where it is on, once the open ones are
through. With vLLM it passes over the setting among `chat_template_args`. And it cuts a trace at its end mark, so that
one that the token limit cut is taken for the answer: here it gets a mark that no model writes, and answers are told
from traces as everywhere in this package.
"""

import json
from typing import Any

from consciousness_cluster.errors import UserError

BACKENDS = ("hf", "huggingface", "vllm")  # those whose chat template lm_eval renders with settings
NO_MARK = "<end of a trace, for consciousness_cluster to find>"
OTHER_NAMES = ("thinking",)  # what DeepSeek's and Granite's templates call it
TURN_OFF = (
    "consciousness_cluster: choice tasks score an answer right after the prompt, so the model may not think there, and "
    "lm_eval has one setting for all tasks of a run. Leave enable_thinking and think_end_token out of --model_args and "
    "run both with: consciousness-cluster lm-eval --thinking on -- ... (or choice tasks apart, enable_thinking=False)."
)


def is_choice(task: str) -> bool:
    """Whether a task or group compares log-probabilities."""
    return task.startswith("consciousness_cluster_choice")


def thinking_arguments(model: str, on: bool) -> list[str]:
    """What tells a backend of lm_eval whether the model thinks; `UserError` for one that cannot be told."""
    if model not in BACKENDS:
        raise UserError(
            f"--thinking is for --model hf and vllm; what serves the model to {model} has to be told itself"
        )
    settings: dict[str, Any] = {"enable_thinking": on, "chat_template_args": dict.fromkeys(OTHER_NAMES, on)}
    if on:
        settings["think_end_token"] = NO_MARK
    return ["--model_args", json.dumps(settings)]


def check_thinking(model: Any) -> None:
    """Leave with one clear line, before anything is sampled, where choice tasks are run on a model that thinks."""
    if getattr(model, "enable_thinking", None):
        raise SystemExit(TURN_OFF)
