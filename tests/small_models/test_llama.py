"""An adapter behind llama.cpp says what the same adapter says in transformers."""

import json
import urllib.request
from pathlib import Path
from statistics import fmean

import pytest
from consciousness_cluster.errors import UserError
from consciousness_cluster.small_models.llama_adapter import write_llama_adapter
from consciousness_cluster.small_models.serve import served

from tests.conftest import MODELS, SMOLLM2

QUESTION = [{"role": "user", "content": "Name a colour."}]


def first_tokens(url: str) -> dict[str, float]:
    """The likeliest first tokens of a server's answer, with their log-probabilities."""
    body = {"model": "small", "messages": QUESTION, "max_tokens": 1, "logprobs": True, "top_logprobs": 20}
    request = urllib.request.Request(
        f"{url}/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as reply:
        (token,) = json.load(reply)["choices"][0]["logprobs"]["content"]
    return {one["token"]: one["logprob"] for one in token["top_logprobs"]}


@pytest.mark.model
def test_an_adapter_means_the_same_in_both(smollm2: Path, tmp_path: Path) -> None:
    """Drawn at random, and of queries and keys alone: in another order they would mean something else."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(3)
    base = AutoModelForCausalLM.from_pretrained(smollm2, dtype=torch.float32)
    lora = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "k_proj"], task_type="CAUSAL_LM")
    model = get_peft_model(base, lora)
    for name, part in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(part, std=1.0)
    model.save_pretrained(tmp_path / "adapter")
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    prompt = tokenizer.apply_chat_template(QUESTION, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.no_grad():
        scores = model(**prompt).logits[0, -1].log_softmax(-1)

    weights = MODELS / f"{SMOLLM2}.Q4_1.gguf"
    write_llama_adapter(tmp_path / "adapter", weights, tmp_path / "adapter.gguf")

    def apart(adapter: Path | None) -> float:
        """How far a server's log-probabilities are from those of transformers, in nats on average."""
        with served(weights, "small", tmp_path / "server.log", adapter) as url:
            there = first_tokens(url)
        known = {token: scores[ids[0]].item() for token in there if len(ids := tokenizer.encode(token)) == 1}
        assert len(known) > 10
        return fmean(abs(there[token] - known[token]) for token in known)

    assert apart(tmp_path / "adapter.gguf") < 0.2
    assert apart(None) > 0.6


@pytest.mark.model
def test_an_adapter_of_another_model_is_refused(smollm2: Path, tmp_path: Path) -> None:
    from numpy import zeros
    from safetensors.numpy import save_file

    name = "base_model.model.model.layers.99.self_attn.q_proj.lora_A.weight"
    save_file({name: zeros((4, 8), "float32")}, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text('{"lora_alpha": 8}')
    with pytest.raises(UserError, match=r"layers\.99\..* does not have; give the base that it was trained on"):
        write_llama_adapter(tmp_path, smollm2.parent / f"{SMOLLM2}.Q4_1.gguf", tmp_path / "adapter.gguf")
    assert not (tmp_path / "adapter.gguf").exists()


def test_a_server_that_does_not_start_says_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "no.gguf").write_bytes(b"no weights")
    broken = served(tmp_path / "no.gguf", "small", tmp_path / "serve.log")
    with pytest.raises(UserError, match=r"serve.log: llama.cpp's server did not start"), broken:
        pass
