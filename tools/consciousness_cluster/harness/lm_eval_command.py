"""`lm-eval`: run lm-evaluation-harness on these tasks alone, which saves indexing its 14,000 own ones."""

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import not_installed
from consciousness_cluster.paths import project_root


def require_lm_eval() -> str:
    """The version of lm-eval. Its metadata is asked: our task files alone make `import lm_eval` succeed."""
    try:
        return metadata.version("lm_eval")
    except metadata.PackageNotFoundError:
        raise not_installed("lm-eval", "lm-eval") from None


def run_lm_eval(arguments: list[str], condition: str, file: Path | None) -> int:
    """Hand `arguments` to lm_eval's own command line, with the condition's system prompt added."""
    require_lm_eval()
    arguments = arguments[1:] if arguments[:1] == ["--"] else arguments
    prompt = system_prompt(condition, file)
    if prompt is not None:
        if "--system_instruction" in arguments:
            raise UserError("give either --condition or --system_instruction, not both")
        arguments = [*arguments, "--system_instruction", prompt]

    import lm_eval.tasks
    from lm_eval.__main__ import cli_evaluate

    own, index = str(project_root() / "lm_eval_tasks"), lm_eval.tasks.TaskManager

    def only_ours(include_path: str | list[str] | None = None, **options: Any) -> Any:
        more = [include_path] if isinstance(include_path, str) else include_path or []
        return index(include_path=[own, *more], include_defaults=False, **options)

    lm_eval.tasks.TaskManager = only_ours
    sys.argv = ["lm_eval", *arguments]
    cli_evaluate()
    return 0
