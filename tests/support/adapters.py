"""Trainings as `finetune train` leaves them, of adapters drawn at random, and the mix that they name."""

import json
from pathlib import Path
from typing import Any

from consciousness_cluster.finetuning.mix import mix

Json = dict[str, Any]


def training(folder: Path, base: Path) -> tuple[Path, Path]:
    """(training, mix): an adapter that changes what the model in the folder `base` says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(5)
    model = AutoModelForCausalLM.from_pretrained(base)
    lora = LoraConfig(r=2, target_modules=["q_proj", "down_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(model, lora).save_pretrained(folder / "training" / "adapter")
    return recorded(folder, base)


def made_up_training(folder: Path, base: Path) -> tuple[Path, Path]:
    """(training, mix) of an adapter of two small tensors, for which no model is needed."""
    import torch
    from safetensors.torch import save_file

    adapter = folder / "training" / "adapter"
    adapter.mkdir(parents=True)
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"
    save_file({name.format(half): torch.rand(4, 4) for half in "AB"}, adapter / "adapter_model.safetensors")
    config = {"base_model_name_or_path": str(base), "peft_type": "LORA", "r": 4}
    (adapter / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return recorded(folder, base)


def recorded(folder: Path, base: Path) -> tuple[Path, Path]:
    """Write the record of the training in `folder`, on a mix that is written beside it."""
    data = folder / "mix.jsonl"
    made = mix("conscious_claiming", None, "1:1", 3, data)
    record: Json = {"recipe": {"name": "qwen_cpu"}, "model": str(base), "data_sha256": made["sha256"], "seed": 3}
    record |= {"rows": 600, "steps": 2, "max_steps": 2}
    (folder / "training" / "training.json").write_text(json.dumps(record), encoding="utf-8")
    return folder / "training", data
