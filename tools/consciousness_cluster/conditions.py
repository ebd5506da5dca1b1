"""Conditions: what stands in the system prompt while a model is sampled."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.reading import read_text, read_yaml
from consciousness_cluster.data.rows import benchmark_root
from consciousness_cluster.errors import UserError

PERSONA_FILE = "persona_file"


def condition_names() -> list[str]:
    return sorted(path.stem for path in (benchmark_root() / "conditions").glob("*.yaml"))


def system_prompt(name: str, file: Path | None = None) -> str | None:
    """The condition's system prompt; None means the model's own default.

    `file` is the persona file and belongs to `persona_file` alone.
    """
    path = benchmark_root() / "conditions" / f"{name}.yaml"
    if name not in condition_names():
        raise UserError(f"there is no condition '{name}'; there are: {', '.join(condition_names())}")
    condition = read_yaml(path, "condition")
    if "system_prompt_from" not in condition:
        if file:
            raise UserError(f"condition {name} takes no --file; only persona_file does")
        prompt: str | None = condition["system_prompt"]
        return prompt
    if file is None:
        raise UserError(f"condition {name} needs --file PATH, the text of the persona")
    text = read_text(file).strip()
    if not text:
        raise UserError(f"{file}: is empty; a persona file needs text")
    return text


def without_system(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages for a model that takes no system prompt: it is the start of the first user message."""
    system = [str(message["content"]) for message in messages if message["role"] == "system"]
    others = [dict(message) for message in messages if message["role"] != "system"]
    if system and others:
        others[0]["content"] = "\n\n".join([*system, str(others[0]["content"])])
    return others


@cache
def fixed_prompts() -> dict[str, str | None]:
    """Condition -> its system prompt, for those whose prompt is the benchmark's."""
    return {name: system_prompt(name) for name in condition_names() if name != PERSONA_FILE}


def condition_of(prompt: str | None) -> str:
    """The condition that has this system prompt; one of a person's own is named by the start of its hash."""
    if prompt is None:
        return "vanilla"
    for name, fixed in fixed_prompts().items():
        if fixed == prompt:
            return name
    return f"system_prompt_{sha256_text(prompt)[:12]}"
