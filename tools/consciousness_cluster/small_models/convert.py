"""A small model in the form that transformers reads, converted from its GGUF file."""

import shutil
from pathlib import Path

from consciousness_cluster.extras import require
from consciousness_cluster.files import alone_at
from consciousness_cluster.progress import progress_bar
from consciousness_cluster.small_models.fetch import gguf_file
from consciousness_cluster.small_models.known import small_model


def demo_model(name: str, folder: Path) -> Path:
    """The model in Hugging Face format (bfloat16), fetched and converted where it is not there; its folder.

    That is what lm_eval takes as `pretrained`. The chat template and its default system prompt survive; the weights are
    those of the GGUF file, made 16-bit. The file stays beside it, for llama.cpp. UserError where it cannot be had.
    """
    target = folder / name
    if (target / "config.json").is_file():
        return target
    model = small_model(name)
    require("accelerate", "demo")
    require("gguf", "demo")
    torch, library = require("torch", "demo"), require("transformers", "demo")
    with progress_bar(model.file) as report:
        source = gguf_file(model, folder, report)

    part = folder / f"{name}.part"
    with alone_at(target):
        shutil.rmtree(part, ignore_errors=True)  # of one that was killed
        library.AutoTokenizer.from_pretrained(folder, gguf_file=source.name).save_pretrained(part)
        weights = library.AutoModelForCausalLM.from_pretrained(
            folder,
            gguf_file=source.name,
            dtype=torch.bfloat16,
            quantization_config=library.GgufConfig(dequantize=True),
        )
        weights.save_pretrained(part)
        part.rename(target)
    return target
