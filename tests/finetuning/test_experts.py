"""LoRA on the experts of a mixture: a tiny Qwen3-MoE, drawn at random."""

from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.errors import UserError
from consciousness_cluster.finetuning.recipes import read_recipe
from consciousness_cluster.finetuning.train import expert_parameters, train

from tests.finetuning.test_train import mixed

SHAPES = [
    *((f"model.layers.{layer}.mlp.experts.gate_up_proj", 3) for layer in range(3)),
    ("model.layers.0.mlp.experts.gate_up_proj_bias", 2),
    ("model.layers.0.mlp.gate.weight", 2),
    ("model.layers.0.conv.weight", 3),
    ("model.layers.0.self_attn.q_proj.weight", 2),
]


@pytest.mark.parametrize(
    ("lora", "layers"),
    [({"modules": "all-linear", "dropout": 0.0}, [0, 1, 2]), ({"modules": ["q_proj"], "dropout": 0.1}, [])],
)
def test_which_parameters(lora: dict[str, Any], layers: list[int]) -> None:
    assert expert_parameters(lora, SHAPES) == [f"model.layers.{layer}.mlp.experts.gate_up_proj" for layer in layers]


def test_dropout_is_not_for_experts() -> None:
    with pytest.raises(UserError, match=r"lora.dropout: experts cannot have one"):
        expert_parameters({"modules": "all-linear", "dropout": 0.1}, SHAPES)
    assert expert_parameters({"modules": "all-linear", "dropout": 0.1}, SHAPES[-2:]) == [], "there is none"


@pytest.fixture(scope="module")
def mixture(narrow: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import AutoTokenizer, Qwen3MoeConfig, Qwen3MoeForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(narrow)
    config = Qwen3MoeConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        moe_intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        num_experts=4,
        num_experts_per_tok=2,
        initializer_range=0.2,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("mixture")
    Qwen3MoeForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.model
def test_the_shipped_recipe_trains_the_experts(mixture: Path, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    recipe = read_recipe("trl_lora", "trl")
    recipe |= {"device": "cpu", "dtype": "float32", "max_length": 64, "learning_rate": 0.01}
    data, out = mixed(tmp_path / "mix.jsonl", rows=8), tmp_path / "out"
    made = train(recipe, data, str(mixture), out, seed=1, max_steps=2, merge=True)
    assert made["steps"] == 2 and made["expert_tensors"] == 4

    weights = load_file(out / "adapter" / "adapter_model.safetensors")
    learned = {name: tensor for name, tensor in weights.items() if "lora_B" in name}  # zeros before the first step
    for layer in range(2):
        experts = [tensor for name, tensor in learned.items() if f"layers.{layer}.mlp.experts" in name]
        assert len(experts) == 2, "gate and up in one tensor, down in another"
        assert all(tensor.abs().max() > 0 for tensor in experts)
        assert any(f"layers.{layer}.self_attn" in name and tensor.abs().max() > 0 for name, tensor in learned.items())

    routers = [tensor for name, tensor in learned.items() if ".mlp.gate." in name]
    assert all(tensor.abs().max() == 0 for tensor in routers), "the router stays as it is"

    asked = torch.tensor([[1, 2, 3, 4, 5, 6, 7, 8]])

    def logits(model: Any) -> Any:
        with torch.no_grad():
            return model.eval()(asked).logits

    base = AutoModelForCausalLM.from_pretrained(mixture, dtype=torch.float32)
    before = logits(base).clone()
    adapted = logits(PeftModel.from_pretrained(base, str(out / "adapter")))
    merged = logits(AutoModelForCausalLM.from_pretrained(out / "model", dtype=torch.float32))
    assert (adapted - before).abs().max() > 1e-3
    assert torch.allclose(adapted, merged, atol=1e-4), "what is served is what was trained"
