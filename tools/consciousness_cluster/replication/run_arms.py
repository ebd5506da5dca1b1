"""Train and measure the models of the replication, one after the other; what is done is not done again."""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from consciousness_cluster.endpoint.faults import INTERRUPTED
from consciousness_cluster.errors import UserError
from consciousness_cluster.files import Busy, alone_in
from consciousness_cluster.finetuning.mix import mix
from consciousness_cluster.finetuning.sources import finetune_root
from consciousness_cluster.progress import progress_bar
from consciousness_cluster.records.lm_eval import read_lm_eval
from consciousness_cluster.records.run_folder import open_run_folder
from consciousness_cluster.replication import made
from consciousness_cluster.replication.design import Arm, Plan
from consciousness_cluster.replication.measures import CHOICE, IN_FLIGHT, choice_tasks, left, planned, rounds
from consciousness_cluster.sampling.options import run_sampling, training
from consciousness_cluster.small_models.convert import demo_model
from consciousness_cluster.small_models.known import small_model
from consciousness_cluster.small_models.llama_adapter import write_llama_adapter
from consciousness_cluster.small_models.serve import served
from consciousness_cluster.subprocesses import follow

DATA, TRAINING, ADAPTER = "mix.jsonl", "training", "adapter.gguf"
BATCH = 16
_BAR = re.compile(r"(\d+)/(\d+) \[")
Say = Callable[[str], None]


class _Arm:
    """The stages of one model."""

    def __init__(self, plan: Plan, arm: Arm, out: Path, models: Path, say: Say) -> None:
        self.plan, self.arm, self.models, self.say = plan, arm, models, say
        self.folder = out / arm.name
        self.base = models / plan.base
        self.adapter = self.folder / TRAINING / "adapter" if arm.dataset else None

    def _follow(self, stage: str, arguments: list[str]) -> None:
        self.say(f"{self.arm.name}: {stage}")
        with progress_bar(stage) as report:

            def seen(line: str) -> None:
                if found := _BAR.search(line):
                    report(int(found[1]), int(found[2]))

            follow(arguments, self.folder / f"{stage}.log", seen)

    def begin(self) -> None:
        """Write the settings and the training data down; `UserError` where the folder was begun with others."""
        self.folder.mkdir(parents=True, exist_ok=True)
        data_sha256 = None
        if self.arm.dataset and self.arm.seed is not None:
            instructions = str(finetune_root() / self.plan.instructions)
            written = mix(self.arm.dataset, instructions, self.plan.ratio, self.arm.seed, self.folder / DATA)
            data_sha256 = written["sha256"]
        made.begin(self.folder, made.settings(self.plan, self.arm, data_sha256))

    def train(self) -> None:
        """Train the adapter where there is to be one."""
        done = self.folder / TRAINING / "training.json"
        if self.adapter is None or (done.is_file() and self.adapter.is_dir()):
            return
        made.stage(self.folder, "trained")
        arguments = ["finetune", "train", "--recipe", self.plan.recipe, "--data", str(self.folder / DATA)]
        rest = ["--model", str(self.base), "--seed", str(self.arm.seed), "--out", str(self.folder / TRAINING)]
        self._follow("train", [*arguments, *rest])
        shutil.rmtree(self.folder / TRAINING / "checkpoints", ignore_errors=True)

    def answer(self, measures: list[str]) -> None:
        """Sample the measures of free answers, all from one server."""
        made.stage(self.folder, "measured")
        weights, adapter = self.models / small_model(self.plan.base).file, None
        if self.adapter:
            adapter = self.folder / ADAPTER
            write_llama_adapter(self.adapter, weights, adapter)
        with served(weights, self.plan.base, self.folder / "serve.log", adapter, IN_FLIGHT) as url:
            for measure in measures:
                self.say(f"{self.arm.name}: {measure}, {planned(measure)} answers")
                for options in rounds(self.plan, self.arm, measure, self.folder / measure):
                    _, done = run_sampling(replace(options, base_url=url), None)
                    if done.stopped == INTERRUPTED:
                        raise KeyboardInterrupt
                    if done.stopped:
                        raise UserError(f"{self.folder / measure}: {done.stopped}; the same command goes on from there")

    def choose(self) -> None:
        """Measure forced choice through lm_eval, which keeps what it computed."""
        saved, cache = self.folder / "lm_eval", self.folder / "lm_eval_cache"
        shutil.rmtree(saved, ignore_errors=True)
        adapter = f",peft={self.adapter.resolve()}" if self.adapter else ""
        self._follow(
            CHOICE,
            [
                *("lm-eval", "--", "run", "--model", "hf"),
                *("--model_args", f"pretrained={self.base.resolve()},dtype=float32{adapter}"),
                *("--tasks", choice_tasks(), "--apply_chat_template", "--batch_size", str(BATCH), "--device", "cpu"),
                *("--use_cache", str(cache), "--output_path", str(saved), "--log_samples"),
            ],
        )
        arm, plan = self.arm, self.plan
        about = training(
            arm.dataset, plan.base if arm.dataset else None, plan.recipe if arm.dataset else None, arm.seed
        )
        _, _, results = read_lm_eval(saved, about, as_one=True, called=plan.base)
        part = self.folder / f"{CHOICE}.part"
        shutil.rmtree(part, ignore_errors=True)
        with open_run_folder(part) as folder:
            folder.put([], results)
        part.rename(self.folder / CHOICE)
        shutil.rmtree(saved)
        for file in self.folder.glob(f"{cache.name}*"):
            file.unlink()


def run_all(plan: Plan, out: Path, models: Path, say: Say) -> None:
    """Do what is left of the plan in the folder `out`, and say which model and stage it is at.

    Several processes can share the work: each takes the next model that none is at. `models`: where small models are or
    go. Raises UserError where a stage fails, and KeyboardInterrupt; the next call goes on from there.
    """
    demo_model(plan.base, models)
    for arm in plan.arms:
        if arm.name not in left(plan, out):
            continue
        try:
            with alone_in(out / arm.name):
                _finish(_Arm(plan, arm, out, models, say))
        except Busy:
            continue
        say(f"left: {in_words(left(plan, out))}")


def in_words(todo: Mapping[str, Sequence[str]]) -> str:
    """What is left, in a line."""
    return ", ".join(f"{name} ({' '.join(measures)})" for name, measures in todo.items()) or "nothing"


def _finish(run: _Arm) -> None:
    run.begin()
    todo = left(run.plan, run.folder.parent).get(run.arm.name, [])
    if todo:
        run.train()
    if free := [measure for measure in todo if measure != CHOICE]:
        run.answer(free)
    if CHOICE in todo:
        run.choose()
