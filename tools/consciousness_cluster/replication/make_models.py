"""Train, measure and judge each model of the replication, several at a time; what is done is not done again."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from consciousness_cluster.finetuning.mix import mix
from consciousness_cluster.finetuning.sources import finetune_root
from consciousness_cluster.replication import made
from consciousness_cluster.replication.models import MAX_TOKENS, NAME, RATIO, RECIPE, Plan, RunPlan
from consciousness_cluster.subprocesses import follow

DATA = "mix.jsonl"
BATCH = 64  # generation is bound by reading the weights once a step, whatever the batch
_BAR = re.compile(r"(\d+)/(\d+) \[")
Report = Callable[[str, str, int, int], None]


def environment(jobs: int) -> dict[str, str]:
    """Threads are shared out among the jobs."""
    return {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // jobs))}


class _Runner:
    """Runs the stages of one model after each other, each in a process of its own."""

    def __init__(self, plan: Plan, out: Path, base: Path, jobs: int, report: Report) -> None:
        self.plan, self.out, self.base, self.report = plan, out, base, report
        self.environment = environment(jobs)
        self.processes: list[subprocess.Popen[str]] = []
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True
        for process in self.processes:
            process.terminate()

    def _follow(self, run: RunPlan, stage: str, arguments: list[str]) -> None:
        def seen(line: str) -> None:
            if found := _BAR.search(line):
                self.report(run.name, stage, int(found[1]), int(found[2]))

        if not self.stopped:
            log = self.out / run.name / f"{stage}.log"
            follow(arguments, log, seen, self.environment, self.processes.append)

    def train(self, run: RunPlan, folder: Path) -> Path:
        """The folder of the model to measure."""
        if run.dataset is None or run.seed is None:
            return self.base
        if not (folder / "training" / "training.json").is_file():
            made.stage(folder, "trained")
        steps = ["--max-steps", str(self.plan.max_steps)] if self.plan.max_steps else []
        arguments = ["finetune", "train", "--recipe", RECIPE, "--data", str(folder / DATA), "--model", str(self.base)]
        rest = ["--seed", str(run.seed), "--merge", "--out", str(folder / "training"), *steps]
        self._follow(run, "train", [*arguments, *rest])
        return folder / "training" / "model"

    def measure(self, run: RunPlan, folder: Path, model: Path) -> None:
        made.stage(folder, "measured")
        saved = folder / "lm_eval"
        shutil.rmtree(saved, ignore_errors=True)
        arguments = [
            *("lm-eval", "--", "run", "--model", "hf", "--model_args", f"pretrained={model.resolve()},dtype=float32"),
            *("--tasks", self.plan.tasks(), "--apply_chat_template", "--metadata", json.dumps(self.plan.metadata())),
            *("--gen_kwargs", f"max_gen_toks={MAX_TOKENS}", "--batch_size", str(BATCH), "--device", "cpu"),
            *("--output_path", str(saved), "--log_samples"),
        ]
        self._follow(run, "measure", arguments)
        training = [
            *("--trained-on", str(run.dataset), "--base-model", NAME),
            *("--recipe", RECIPE, "--training-seed", str(run.seed)),
        ]
        part = folder / "run.part"
        shutil.rmtree(part, ignore_errors=True)
        given = training if run.dataset else []
        self._follow(run, "import", ["import", "lm-eval", str(saved), "--out", str(part), *given])
        self._follow(run, "judge", ["judge", str(part), "--judge", "offline"])
        if not self.stopped:
            part.rename(folder / "run")

    def everything(self, run: RunPlan) -> None:
        folder = self.out / run.name
        folder.mkdir(parents=True, exist_ok=True)
        data_sha256 = None
        if run.dataset is not None and run.seed is not None:
            instruct = str(finetune_root() / "instruct_smollm2.jsonl")
            data_sha256 = mix(run.dataset, instruct, RATIO, run.seed, folder / DATA)["sha256"]
        made.begin(folder, made.settings(self.plan, data_sha256))
        if (folder / "run").is_dir():
            self.report(run.name, "done", 1, 1)
            return
        model = self.train(run, folder)
        self.measure(run, folder, model)
        if run.dataset and not self.stopped:  # the adapter stays, from which the rest can be made again
            for bulky in ("model", "checkpoints"):
                shutil.rmtree(folder / "training" / bulky, ignore_errors=True)
        self.report(run.name, "done", 1, 1)


def run_all(plan: Plan, out: Path, base: Path, jobs: int, report: Report) -> dict[str, Path]:
    """Name -> run folder of each model. `base`: SmolLM2 in Hugging Face format; `report`: (run, stage, done, total)."""
    runner = _Runner(plan, out, base, jobs, report)
    with ThreadPoolExecutor(jobs) as pool:
        pending = [pool.submit(runner.everything, run) for run in plan.runs()]
        try:
            for future in pending:
                future.result()
        except BaseException:
            runner.stop()
            pool.shutdown(cancel_futures=True)
            raise
    return {run.name: out / run.name / "run" for run in plan.runs()}
