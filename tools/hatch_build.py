"""Build hook: a wheel carries the data folders, and the tasks where lm-evaluation-harness looks for them.

An editable install must not: it reads the checkout, and copies would go stale.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DATA = ("benchmark", "finetune_data", "hub_card", "lm_eval_tasks")
TASKS = "lm_eval_tasks/consciousness_cluster"


class DataHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            build_data["force_include"] |= {folder: f"consciousness_cluster/_data/{folder}" for folder in DATA}
            build_data["force_include"][TASKS] = "lm_eval/tasks/consciousness_cluster"
