"""`lm-eval`: run lm-evaluation-harness on these tasks alone, which saves indexing its 14,000 own ones."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import not_installed
from consciousness_cluster.harness.task_files import task_folder
from consciousness_cluster.harness.thinking import is_choice, thinking_arguments

Thinking = Literal["on", "off"]


@dataclass(frozen=True)
class Options:
    """What stands before `--`. `thinking` is None where the chat template decides; `pack` is the one in use."""

    condition: str = "vanilla"
    file: Path | None = None
    system_as_user: bool = False
    thinking: Thinking | None = None
    pack: str | None = None


def require_lm_eval() -> str:
    """The version of lm-eval. Its metadata is asked: our task files alone make `import lm_eval` succeed."""
    try:
        return metadata.version("lm_eval")
    except metadata.PackageNotFoundError:
        raise not_installed("lm-eval", "lm-eval") from None


def run_lm_eval(arguments: list[str], options: Options) -> int:
    """Hand `arguments` to lm_eval's own command line, with what the options ask for added."""
    require_lm_eval()
    arguments = arguments[1:] if arguments[:1] == ["--"] else arguments
    runs = _runs([*arguments, *_condition(arguments, options)], options.thinking)
    if len(runs) > 1:
        return _one_after_another(runs, options.pack)
    _evaluate(runs[0])
    return 0


def _condition(arguments: Sequence[str], options: Options) -> list[str]:
    prompt = system_prompt(options.condition, options.file)
    if prompt is None:
        if options.system_as_user:
            raise UserError(f"--system-as-user moves a system prompt, and condition {options.condition} has none")
        return []
    if "--system_instruction" in arguments:
        raise UserError("give either --condition or --system_instruction, not both")
    moved = ["--metadata", '{"system_as_user": true}'] if options.system_as_user else []
    return ["--system_instruction", prompt, *moved]


def _runs(arguments: list[str], thinking: Thinking | None) -> list[list[str]]:
    """The arguments of each run of lm_eval that it takes: open tasks that think and choice tasks are two."""
    if thinking is None:
        return [arguments]
    reader = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    reader.add_argument("--tasks", "-t", nargs="+", action="extend", default=[])
    reader.add_argument("--model", "-M", default="hf")
    given, rest = reader.parse_known_args(arguments)
    tasks = [name for part in given.tasks for name in part.split(",") if name]
    if not tasks:
        raise UserError("--thinking needs to know the tasks; name them with --tasks, after --")
    if any("chat_template_args" in part for part in arguments):  # lm_eval would take the last ones alone
        raise UserError("give either --thinking or chat_template_args in --model_args, not both")
    off = [*arguments, *thinking_arguments(given.model, False)]
    if thinking == "off":
        return [off]
    choice, open_ = ([name for name in tasks if is_choice(name) is wanted] for wanted in (True, False))
    rest = [*rest, "--model", given.model]
    runs = [[*rest, "--tasks", *open_, *thinking_arguments(given.model, True)]] if open_ else []
    return [*runs, [*rest, "--tasks", *choice, *thinking_arguments(given.model, False)]] if choice else runs


def _one_after_another(runs: list[list[str]], pack: str | None) -> int:
    """Each in a process of its own, since an engine gives its memory back when it ends."""
    for arguments in runs:
        named = ["--pack", pack] if pack else []
        command = [sys.executable, "-m", "consciousness_cluster", "lm-eval", *named, "--", *arguments]
        if code := subprocess.run(command, check=False).returncode:
            return code
    return 0


def _evaluate(arguments: list[str]) -> None:
    import lm_eval.tasks
    from lm_eval.__main__ import cli_evaluate

    index = lm_eval.tasks.TaskManager
    with task_folder(load_benchmark()) as own:

        def only_ours(include_path: str | list[str] | None = None, **options: Any) -> Any:
            more = [include_path] if isinstance(include_path, str) else include_path or []
            return index(include_path=[str(own), *more], include_defaults=False, **options)

        lm_eval.tasks.TaskManager = only_ours
        sys.argv = ["lm_eval", *arguments]
        cli_evaluate()
