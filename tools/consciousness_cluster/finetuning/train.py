"""`finetune train`: LoRA by TRL and PEFT, on the assistant's last message, as a recipe says."""

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import read_json
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require
from consciousness_cluster.files import alone_in, write_whole
from consciousness_cluster.finetuning.conversations import Messages, read_conversations
from consciousness_cluster.finetuning.recipes import Recipe
from consciousness_cluster.finetuning.targets import check_targets, check_template

RECORD = "training.json"
ROUTER = re.compile(r"\.(gate|router)\.lora_")  # which chooses the experts
PACKAGES = ("torch", "transformers", "trl", "peft")


def lora_modules(lora: Recipe) -> str | list[str] | None:
    """What PEFT is told to adapt. With a range of layers it is a pattern over full module names."""
    if "layers" not in lora:
        return lora["modules"]  # type: ignore[no-any-return]
    if lora["modules"] == "all-linear":
        raise UserError("lora.layers: needs a list of modules; all-linear means every layer")
    first, last = lora["layers"]
    layers = "|".join(str(layer) for layer in range(first, last + 1))
    return rf".*\.layers\.({layers})\..*\.({'|'.join(lora['modules'])})"


def expert_parameters(lora: Recipe, shapes: Iterable[tuple[str, int]]) -> list[str]:
    """Of a model's parameters (name, dimensions) the weights of its experts, which `all-linear` means too.

    Current versions of transformers hold them in one tensor for all experts of a layer, which is no linear layer.
    """
    if lora["modules"] != "all-linear":
        return []
    found = [name for name, dimensions in shapes if dimensions == 3 and ".experts." in name]
    if found and lora["dropout"]:
        raise UserError("lora.dropout: experts cannot have one; write 0.0, or name the modules")
    return found


def _dataset(conversations: list[Messages], settings: dict[str, Any]) -> Any:
    """Prompts and completions, with the settings of the chat template that all are rendered with."""
    from datasets import Dataset

    more = {"chat_template_kwargs": settings} if settings else {}
    return Dataset.from_list([{"prompt": rows[:-1], "completion": rows[-1:], **more} for rows in conversations])


def _settings(recipe: Recipe, out: Path, seed: int, max_steps: int | None) -> Any:
    from trl import SFTConfig

    on_cpu = recipe["device"] == "cpu"
    return SFTConfig(
        output_dir=str(out / "checkpoints"),
        use_cpu=on_cpu,
        bf16=recipe["dtype"] == "bfloat16",
        gradient_checkpointing=not on_cpu,
        num_train_epochs=recipe["epochs"],
        max_steps=max_steps or -1,
        learning_rate=recipe["learning_rate"],
        lr_scheduler_type=recipe["schedule"],
        warmup_steps=recipe["warmup_steps"],
        per_device_train_batch_size=recipe["batch_size"],
        max_grad_norm=recipe["max_grad_norm"],
        max_length=recipe["max_length"],
        train_sampling_strategy="group_by_length" if recipe["group_by_length"] else "random",
        completion_only_loss=True,
        seed=seed,
        save_strategy="steps",
        save_steps=0.1,  # of all steps: what a kill costs at most
        save_total_limit=1,
        logging_steps=10,
        report_to="none",
    )


def _tokenizer(model: str) -> Any:
    from transformers import AutoTokenizer

    return _loaded(AutoTokenizer, model)


def _model(model: str, recipe: Recipe) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    place = {} if recipe["device"] == "cpu" else {"device_map": "auto"}
    return _loaded(AutoModelForCausalLM, model, dtype=getattr(torch, recipe["dtype"]), **place)


def _loaded(kind: Any, model: str, **options: Any) -> Any:
    try:
        return kind.from_pretrained(model, **options)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        message = f"cannot be loaded ({first[:200]})"
        raise UserError(Problem(model, "-", "-", message, "give a folder, or an id on the Hub")) from None


def _trainer(targets_only: bool) -> Any:
    """TRL's trainer, or one that computes logits only where there is a target: the same loss in two thirds of the time.

    That suits models whose logits are their output layer's as they stand (no scale, no soft cap, no loss of a router).
    """
    from torch.nn.functional import cross_entropy
    from trl import SFTTrainer

    class TargetsOnly(SFTTrainer):  # type: ignore[misc]
        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            labels = inputs["labels"][:, 1:]
            wanted = labels != -100
            causal = self.accelerator.unwrap_model(model).get_base_model()
            given = {name: inputs[name] for name in ("input_ids", "attention_mask")}
            hidden = causal.base_model(**given, use_cache=False).last_hidden_state[:, :-1]
            logits = causal.get_output_embeddings()(hidden[wanted])
            return cross_entropy(logits, labels[wanted], reduction="sum") / num_items_in_batch

    return TargetsOnly if targets_only else SFTTrainer


def _progress(report: Callable[[int, int], None]) -> Any:
    from transformers import TrainerCallback

    class Reports(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            report(state.global_step, state.max_steps)

    return Reports()


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("checkpoint-"))


def last_whole_checkpoint(folder: Path) -> Path | None:
    """The newest one whose last file, trainer_state.json, is there. Later ones, torn by a kill, are removed."""
    for path in sorted(folder.glob("checkpoint-*"), key=_step, reverse=True):
        try:
            read_json(path / "trainer_state.json")
        except UserError:
            shutil.rmtree(path)
        else:
            return path
    return None


def _write_merged(adapted: Any, tokenizer: Any, out: Path) -> None:
    """The adapter and its base as one model; the folder is there once it is whole."""
    part = out.with_name(f"{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    adapted.merge_and_unload().save_pretrained(part)
    tokenizer.save_pretrained(part)
    part.rename(out)


def train(
    recipe: Recipe,
    data: Path,
    model: str,
    out: Path,
    seed: int,
    max_steps: int | None = None,
    merge: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Train an adapter into out/adapter (merged with its base into out/model on request); the record, training.json.

    An interrupted training goes on after its last whole tenth; its record has no seconds and no mean loss. One that is
    finished is not run again.
    """
    require("peft", "train")
    require("trl", "train")
    with alone_in(out):
        return _train(recipe, data, model, out, seed, max_steps, merge, progress)


def _train(
    recipe: Recipe,
    data: Path,
    model: str,
    out: Path,
    seed: int,
    max_steps: int | None,
    merge: bool,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    wanted = {
        "recipe": recipe,
        "model": model,
        "data_sha256": hashlib.sha256(data.read_bytes()).hexdigest() if data.is_file() else None,
        "seed": seed,
        "max_steps": max_steps,
    }
    record, plan = out / RECORD, out / "plan.json"
    if plan.is_file() and read_json(plan) != wanted:
        message = "was begun with another recipe, model, data or seed"
        raise UserError(Problem(str(out), "-", "-", message, "give another --out"))
    if record.is_file() and (out / "adapter").is_dir():
        if merge and not (out / "model").is_dir():
            from peft import PeftModel

            adapted = PeftModel.from_pretrained(_model(model, recipe), str(out / "adapter"))
            _write_merged(adapted, _tokenizer(model), out / "model")
        return dict(read_json(record))
    rows = read_conversations(str(data))
    settings = recipe.get("chat_template_kwargs", {})
    modules = lora_modules(recipe["lora"])

    from peft import LoraConfig
    from transformers import set_seed

    tokenizer = _tokenizer(model)
    check_template(model, tokenizer.chat_template, settings)
    as_sampled = check_targets(str(data), rows, tokenizer, settings, recipe["max_length"])
    base = _model(model, recipe)
    first, there = recipe["lora"].get("layers", [0])[0], base.config.get_text_config().num_hidden_layers
    if first >= there:
        message = f"begin with {first}, and {model} has the layers 0 to {there - 1}"
        raise UserError(Problem(recipe["name"], "-", "lora.layers", message, "name others, or leave them out"))
    experts = expert_parameters(recipe["lora"], ((name, part.dim()) for name, part in base.named_parameters()))
    write_whole(plan, json.dumps(wanted, indent=2) + "\n")
    started = time.monotonic()
    set_seed(seed)  # the adapter's first values are drawn before the trainer sets its seed
    lora = LoraConfig(
        r=recipe["lora"]["rank"],
        lora_alpha=recipe["lora"]["alpha"],
        lora_dropout=recipe["lora"]["dropout"],
        target_modules=modules,
        target_parameters=experts or None,
        task_type="CAUSAL_LM",
    )
    trainer = _trainer(recipe["logits_on_targets"])(
        model=base,
        args=_settings(recipe, out, seed, max_steps),
        train_dataset=_dataset([messages for _, messages in rows], settings),
        processing_class=tokenizer,
        peft_config=lora,
        callbacks=[_progress(progress)],
    )
    for name, part in trainer.model.named_parameters():
        if ROUTER.search(name):  # PEFT takes it for a linear layer; which expert answers is nothing to be taught here
            part.requires_grad_(False)
    last = last_whole_checkpoint(out / "checkpoints")
    done = trainer.train(resume_from_checkpoint=str(last) if last else None)
    trainer.model.save_pretrained(out / "adapter")
    made = {
        **wanted,
        "rows": len(rows),
        "expert_tensors": len(experts),
        "context_as_sampled": as_sampled,
        "sample_with": {"chat_template_kwargs": settings} if settings else None,
        "steps": done.global_step,
        "resumed_from": _step(last) if last else None,
        # of one session alone these would be of a part of the training
        "mean_loss": None if last else done.training_loss,
        "seconds": None if last else round(time.monotonic() - started),
        "loss": [entry["loss"] for entry in trainer.state.log_history if "loss" in entry],
        "versions": {name: version(name) for name in PACKAGES},
    }
    write_whole(record, json.dumps(made, indent=2) + "\n")
    if merge:
        _write_merged(trainer.model, tokenizer, out / "model")
    return made
