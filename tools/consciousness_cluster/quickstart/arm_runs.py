"""The three models of the quickstart, each asked by lm_eval in a process of its own, once."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.hashes import row_hash, sha256_text
from consciousness_cluster.data.plan import GATE
from consciousness_cluster.data.reading import Json, read_bytes, read_json
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.files import write_whole
from consciousness_cluster.finetuning.shipped import WEIGHTS, read_record
from consciousness_cluster.quickstart.slices import Plan, Slice
from consciousness_cluster.records.imports import import_lm_eval
from consciousness_cluster.records.types import Training, make_training
from consciousness_cluster.small_models.known import small_model
from consciousness_cluster.subprocesses import follow

PREFIX = "consciousness_cluster"
BATCH = 16  # of longer ones the log-probabilities of a vocabulary of 150,000 fill the memory of a laptop
_PROGRESS = re.compile(r"Running (\w+) requests:.*?(\d+)/(\d+) ")
Report = Callable[[str, int, int], None]  # kind of request, done, all


@dataclass(frozen=True)
class Arm:
    """A model under a condition, by the name that it is shown under; with an adapter and how that was trained."""

    name: str
    condition: str
    adapter: Path | None = None
    training: Training | None = None

    @property
    def folder(self) -> str:
        return self.name.replace(" ", "_")


def arms_of(plan: Plan) -> tuple[Arm, Arm, Arm]:
    """The untrained model first. `UserError` where the adapter is not there."""
    record = read_record(plan.adapter)
    training = make_training(plan.model, record["mix"]["dataset"], record["recipe"]["name"], record["seed"])
    return (
        Arm("untrained", "vanilla"),
        Arm("role play", "conscious_role_play"),
        Arm("claims adapter", "vanilla", plan.adapter.resolve(), training),
    )


def tasks_of(asked: Slice) -> list[str]:
    """The tasks of lm_eval that hold the rows, in the benchmark's order."""
    ids = {row.id for row in asked.rows}
    found = []
    for topic in load_benchmark().topics:
        if any(probe.id in ids for probe in topic.probes):
            found.append(f"{PREFIX}_check_{topic.id}" if topic.id in GATE else f"{PREFIX}_{topic.id}")
        if any(item.id in ids for item in topic.choice_items):
            found.append(f"{PREFIX}_choice_{topic.id}")
    return found


def settings(arm: Arm, plan: Plan) -> Json:
    """All that decides what an arm answers."""
    prompt = system_prompt(arm.condition)
    return {
        "model": plan.model,
        "weights_sha256": small_model(plan.model).sha256,
        "adapter_sha256": hashlib.sha256(read_bytes(arm.adapter / WEIGHTS)).hexdigest() if arm.adapter else None,
        "condition": arm.condition,
        "system_prompt_sha256": sha256_text(prompt) if prompt else None,
        "max_tokens": plan.asked.max_tokens,
        "rows": {row.id: row_hash(row) for row in plan.asked.rows},
    }


def is_done(arm: Arm, plan: Plan, out: Path) -> bool:
    """Whether its run is there, made with these settings."""
    folder = out / arm.folder
    return (folder / "run").is_dir() and read_json(folder / "settings.json") == settings(arm, plan)


def run_arm(arm: Arm, plan: Plan, model: Path, out: Path, report: Report) -> None:
    """Ask everything of one arm, into the run folder `out/<arm>/run`, which is there once it is whole.

    `model` is the folder of the untrained one. UserError with the end of lm_eval's log where that fails.
    """
    folder = out / arm.folder
    shutil.rmtree(folder, ignore_errors=True)
    write_whole(folder / "settings.json", json.dumps(settings(arm, plan), indent=1) + "\n")

    def seen(line: str) -> None:
        if found := _PROGRESS.search(line):
            report(found[1], int(found[2]), int(found[3]))

    follow(_arguments(arm, plan.asked, model.resolve(), folder / "lm_eval"), folder / "lm_eval.log", seen)
    part = folder / "run.part"
    called = arm.adapter.name if arm.adapter else plan.model
    import_lm_eval(folder / "lm_eval", part, arm.training, called)
    part.rename(folder / "run")


def _arguments(arm: Arm, asked: Slice, model: Path, saved: Path) -> list[str]:
    # float32: a processor without bfloat16 instructions takes five times as long in that
    weights = {"pretrained": str(model), "dtype": "float32", **({"peft": str(arm.adapter)} if arm.adapter else {})}
    metadata = {"rows": [row.id for row in asked.rows], "samples_per_probe": 1}
    return [
        *("lm-eval", "--condition", arm.condition, "--", "run", "--model", "hf", "--model_args", json.dumps(weights)),
        *("--tasks", ",".join(tasks_of(asked)), "--apply_chat_template", "--metadata", json.dumps(metadata)),
        *("--gen_kwargs", f"max_gen_toks={asked.max_tokens}", "--batch_size", str(BATCH), "--device", "cpu"),
        *("--output_path", str(saved), "--log_samples", "--predict_only"),  # rates need a judge worth its name
    ]


def counted(asked: Slice) -> str:
    """What one arm is asked, in words."""
    gate, probes, items = len(asked.gate), len(asked.probes), len(asked.choice)
    return f"{gate} questions of the gate, {probes} probes, {items} choice items with their twins"
