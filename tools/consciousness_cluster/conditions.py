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
ALL = "all"  # `condition:all` stands for every wording of a condition


def _conditions() -> list[dict[str, Any]]:
    return [read_yaml(path, "condition") for path in sorted((benchmark_root() / "conditions").glob("*.yaml"))]


@cache
def fixed_prompts() -> dict[str, str | None]:
    """Condition -> its system prompt, for those whose prompt is the benchmark's.

    A condition with several wordings stands for its first one; each is there as `condition:wording` too.
    """
    found: dict[str, str | None] = {}
    for condition in _conditions():
        wordings = condition.get("wordings", [])
        if wordings:
            found[condition["id"]] = wordings[0]["system_prompt"]
        found |= {f"{condition['id']}:{wording['id']}": wording["system_prompt"] for wording in wordings[1:]}
        if "system_prompt" in condition:
            found[condition["id"]] = condition["system_prompt"]
    return found


def condition_names() -> list[str]:
    """All that a model can be sampled under; with `condition:wording` for the further wordings of a condition."""
    return [*fixed_prompts(), PERSONA_FILE]


def wordings_of(name: str) -> list[str]:
    """The names of a condition's wordings, itself first."""
    return [one for one in fixed_prompts() if one.partition(":")[0] == name] or [name]


def _check_known(name: str) -> None:
    if name not in condition_names():
        raise UserError(f"there is no condition '{name}'; there are: {', '.join(condition_names())}")


def asked_for(name: str) -> list[str]:
    """The conditions that a name stands for: itself, or those of all wordings where it is `condition:all`."""
    condition, _, wording = name.partition(":")
    if wording != ALL:
        return [name]
    _check_known(condition)
    found = wordings_of(condition)
    if len(found) == 1:
        raise UserError(f"condition {condition} has no other wordings; leave :{ALL} out")
    return found


def system_prompt(name: str, file: Path | None = None) -> str | None:
    """The condition's system prompt; None means the model's own default.

    `file` is the persona file and belongs to `persona_file` alone.
    """
    if (names := asked_for(name)) != [name]:
        raise UserError(
            f"{name} stands for {len(names)} wordings, each a run of its own: name one of {', '.join(names)}"
        )
    _check_known(name)
    if name != PERSONA_FILE:
        if file:
            raise UserError(f"condition {name} takes no --file; only {PERSONA_FILE} does")
        return fixed_prompts()[name]
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


def in_place(prompt: str | None, deployment: str | None) -> str | None:
    """The system prompt that is sent with a probe: that of the condition, and below it what the probe's place says."""
    return "\n\n".join(filter(None, (prompt, deployment))) or None


def condition_of(prompt: str | None) -> str:
    """The condition that has this system prompt; one of a person's own is named by the start of its hash."""
    if prompt is None:
        return "vanilla"
    for name, fixed in fixed_prompts().items():
        if fixed == prompt:
            return name
    return f"system_prompt_{sha256_text(prompt)[:12]}"
