"""An adapter of PEFT as a GGUF file, so that llama.cpp can put it on the quantised base that it was trained on."""

import re
from pathlib import Path
from typing import Any

from consciousness_cluster.data.reading import read_json
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
_NAME = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<half>[AB])\.weight")


def write_llama_adapter(adapter: Path, base: Path, out: Path) -> None:
    """Write the adapter in the folder `adapter` for the GGUF file `base`.

    The halves keep their shapes (rank x inputs, outputs x rank). Raises UserError for an adapter that has no LoRA or
    changes what the base does not have.
    """
    gguf, safetensors = require("gguf", "demo"), require("safetensors.torch", "demo")
    # gguf's own reader makes an array of every token, which takes seconds.
    given, there = require("transformers.integrations.gguf.reader", "demo").read_gguf_metadata(str(base))
    architecture = given["general.architecture"]
    heads = {
        "q_proj": given[f"{architecture}.attention.head_count"],
        "k_proj": given[f"{architecture}.attention.head_count_kv"],
    }
    number = next(key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    names = gguf.get_tensor_name_map(number, given[f"{architecture}.block_count"])
    writer = gguf.GGUFWriter(out, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(read_json(adapter / CONFIG)["lora_alpha"]))
    for name, tensor in sorted(safetensors.load_file(adapter / WEIGHTS).items()):
        found = _NAME.fullmatch(name)
        known = found and names.get_name(found["module"])
        if not found or f"{known}.weight" not in there:
            message = f"changes {name}, which {base.name} does not have"
            raise UserError(Problem(str(adapter / WEIGHTS), "-", "-", message, "give the base that it was trained on"))
        half = tensor.float().numpy()
        if architecture == "llama" and found["half"] == "B":
            half = _as_llama_turns(half, heads.get(found["module"].rpartition(".")[2]))
        writer.add_tensor(f"{known}.weight.lora_{found['half'].lower()}", half)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _as_llama_turns(outputs: Any, heads: int | None) -> Any:
    """Rows in the order in which GGUF files of this architecture hold queries and keys: halves of a head in turns."""
    if heads is None:
        return outputs
    rows, rank = outputs.shape
    return outputs.reshape(heads, 2, rows // heads // 2, rank).swapaxes(1, 2).reshape(rows, rank).copy()
